"""A city link tried step by step, as a technician would with other tools: name, address, TCP, TLS, login, one call.

Each step says what was seen and, when it failed, what to do; after a failure the rest is skipped. Everything is
bounded: 5 s a step, so that a dead network is told in seconds. The login is one of its own; if the platform then
forgets the running link's token, that link logs in again by itself, as it does after every refusal.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

from edge.cities.http import HttpTransport, TransportFault
from edge.cities.qingdao.conversation import Conversation
from edge.cities.qingdao.envelope import Account
from edge.cities.qingdao.messages import ParkSpace
from edge.config.model import Config
from edge.ports import BoxView
from edge.web.api import ActionResult, Step

STEP_S = 5.0

StepName = Literal["name", "address", "tcp", "tls", "login", "call"]

WORDS: dict[StepName, tuple[str, str]] = {
    "name": ("域名解析", "name"),
    "address": ("地址", "address"),
    "tcp": ("TCP 连接", "TCP"),
    "tls": ("TLS 证书", "TLS"),
    "login": ("登录", "login"),
    "call": ("试传场内车辆数", "one harmless call (counts)"),
}
ADVICE: dict[StepName, tuple[str, str]] = {
    "name": ("检查网线/4G 和 DNS 设置; 核对平台地址的拼写", "check cable, 4G and DNS; compare the address"),
    "address": ("平台地址须为 http:// 或 https:// 加主机名", "the address must be http:// or https:// and a host"),
    "tcp": ("检查防火墙和平台端口; 请平台方确认服务已开放", "check firewall and port; ask the city whether it listens"),
    "tls": ("校对盒子时钟; 请平台方确认证书未过期、域名一致", "set the clock; ask the city about its certificate"),
    "login": ("核对客户号、项目编号、账号、密码文件和密钥文件", "compare cno, sub_code, user and both secret files"),
    "call": ("把应答内容告诉平台方; 核对车场 ID", "tell the city what it answered; compare the lot's id"),
}


class Failed(Exception):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class LinkCheck:
    """`run` for one caller at a time."""

    def __init__(self, config: Config, account: Callable[[], Account], box: Callable[[], BoxView | None]) -> None:
        self._config, self._account, self._box = config, account, box
        self._stopping = threading.Event()
        self._transport: HttpTransport | None = None

    def stop(self) -> None:
        """Any thread: the program ends, the check does after the step under way."""
        self._stopping.set()
        if self._transport is not None:
            self._transport.abort()

    def run(self) -> ActionResult:
        qingdao = self._config.city.qingdao
        if qingdao is None:
            return ActionResult(False, "配置中没有青岛平台", "the configuration has no Qingdao platform")
        parts = urlsplit(qingdao.url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        talk = Conversation(self._account())
        transport = self._transport = HttpTransport(qingdao.url, STEP_S)
        found: list[str] = []

        def name() -> tuple[str, str]:
            found.extend(_resolve(host, port))
            return f"{host} → {', '.join(found)}", f"{host} is {', '.join(found)}"

        def address() -> tuple[str, str]:
            if not host:
                raise Failed(f"{qingdao.url} 中没有主机名", f"no host in {qingdao.url}")
            return f"{parts.scheme}, 端口 {port}", f"{parts.scheme}, port {port}"

        def tcp() -> tuple[str, str]:
            with _connect(found[0], port):
                return f"已连接 {found[0]}:{port}", f"connected to {found[0]}:{port}"

        def tls() -> tuple[str, str]:
            return _handshake(found[0], port, host)

        def login() -> tuple[str, str]:
            request = talk.login()
            verdict = talk.logged_in(request, transport.post(request), time.monotonic())
            if verdict.meaning != "accepted":
                raise Failed(verdict.zh, verdict.en)
            return verdict.zh, verdict.en

        def call() -> tuple[str, str]:
            view = self._box()
            if view is None:
                raise Failed("车道程序没有应答, 不知场内车辆数", "the lane program does not answer: no counts")
            free = max(0, view.total - view.parked)
            park_id = self._config.lot.park_id
            message = ParkSpace(
                park_id=park_id, in_space_count=view.parked, book_space_count=0, remain_space_count=free,
                timestamp=time.time_ns() // 1_000_000,
            )  # fmt: skip
            request = talk.request(message.kind, park_id, message.encode())
            verdict = talk.judged(request, transport.post(request))
            if verdict.meaning != "accepted":
                raise Failed(verdict.zh, verdict.en)
            return verdict.zh, verdict.en

        steps: list[tuple[StepName, Callable[[], tuple[str, str]]]] = [
            ("address", address), ("name", name), ("tcp", tcp), ("tls", tls), ("login", login), ("call", call),
        ]  # fmt: skip
        if parts.scheme != "https":
            steps.remove(("tls", tls))
        try:
            return _result(_run(steps, self._stopping), parts.scheme)
        finally:
            farewell = talk.logout()
            if farewell is not None:
                try:
                    transport.post(farewell)
                except TransportFault:
                    farewell = None  # it ends by itself
            self._transport = None
            transport.close()


def _run(steps: list[tuple[StepName, Callable[[], tuple[str, str]]]], stopping: threading.Event) -> list[Step]:
    done: list[Step] = []
    failed = False
    for name, step in steps:
        zh, en = WORDS[name]
        if failed or stopping.is_set():
            done.append(Step(name, "skipped", f"{zh}: 未执行", f"{en}: not tried", 0))
            continue
        began_s = time.monotonic()
        try:
            seen_zh, seen_en = step()
            done.append(Step(name, "ok", f"{zh}: {seen_zh}", f"{en}: {seen_en}", _since(began_s)))
        except (Failed, TransportFault, OSError) as error:
            failed = True
            seen_zh, seen_en = (error.zh, error.en) if not isinstance(error, OSError) else (str(error), str(error))
            todo_zh, todo_en = ADVICE[name]
            done.append(
                Step(name, "failed", f"{zh}: {seen_zh}", f"{en}: {seen_en}", _since(began_s), todo_zh, todo_en)
            )
    return done


def _result(steps: list[Step], scheme: str) -> ActionResult:
    failed = next((step for step in steps if step.state == "failed"), None)
    if failed is not None:
        return ActionResult(False, failed.zh, failed.en, steps=tuple(steps))
    plain = scheme == "http"
    zh = "连接正常" + ("; 注意: 平台使用未加密的 http" if plain else "")
    en = "the link works" + ("; note that the platform uses http without encryption" if plain else "")
    return ActionResult(True, zh, en, steps=tuple(steps))


def _since(began_s: float) -> int:
    return round((time.monotonic() - began_s) * 1000)


def _resolve(host: str, port: int) -> list[str]:
    """The system's resolver knows no time limit of ours: it is asked on a thread that nobody waits for longer."""
    found: list[str] = []
    failures: list[OSError] = []

    def ask() -> None:
        try:
            found.extend(sorted({str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}))
        except OSError as error:
            failures.append(error)

    asking = threading.Thread(target=ask, name="resolver", daemon=True)
    asking.start()
    asking.join(STEP_S)
    if failures:
        raise Failed(f"{host} 无法解析: {failures[0]}", f"{host} cannot be resolved: {failures[0]}")
    if not found:
        raise Failed(f"{host} 在 {STEP_S:.0f} 秒内没有解析结果", f"no answer for {host} within {STEP_S:.0f} s")
    return found


def _connect(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), timeout=STEP_S)


def _handshake(address: str, port: int, host: str) -> tuple[str, str]:
    context = ssl.create_default_context()
    with _connect(address, port) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
        certificate = secure.getpeercert() or {}
        until = str(certificate.get("notAfter", "?"))
        return f"{secure.version()}, 证书有效至 {until}", f"{secure.version()}, certificate valid until {until}"
