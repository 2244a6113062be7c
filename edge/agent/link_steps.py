"""The steps of a link check that every platform shares: address, name, TCP, TLS; run in order, told in words.

Each step says what was seen and, when it failed, what to do; after a failure the rest is skipped. Everything is
bounded: 5 s a step, so that a dead network is told in seconds.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal

from edge.cities.http import TransportFault
from edge.web.api import ActionResult, Step

STEP_S = 5.0

StepName = Literal["name", "address", "tcp", "tls", "login", "call"]
Words = tuple[str, str]
"""Chinese, English."""
Tried = Callable[[], Words]
"""One step: what was seen. Raises `Failed`, `TransportFault`, `OSError` or `ValueError`."""
Steps = list[tuple[StepName, Tried]]

WORDS: dict[StepName, Words] = {
    "name": ("域名解析", "name"),
    "address": ("地址", "address"),
    "tcp": ("TCP 连接", "TCP"),
    "tls": ("TLS 证书", "TLS"),
    "login": ("登录", "login"),
}
ADVICE: dict[StepName, Words] = {
    "name": ("检查网线/4G 和 DNS 设置; 核对平台地址的拼写", "check cable, 4G and DNS; compare the address"),
    "tcp": ("检查防火墙和平台端口; 请平台方确认服务已开放", "check firewall and port; ask the city whether it listens"),
    "tls": ("校对盒子时钟; 请平台方确认证书未过期、域名一致", "set the clock; ask the city about its certificate"),
}

# OpenSSL's X509_V_ERR_* (x509_vfy.h) that a technician can do something about.
CERTIFICATE_WORDS: dict[int, Words] = {
    9: ("证书尚未生效", "the certificate is not valid yet"),
    10: ("证书已过期", "the certificate has ended"),
    18: ("证书是自签名的", "the certificate is self-signed"),
    19: ("证书链中有自签名证书", "a certificate of the chain is self-signed"),
    20: ("不认识证书的签发者", "who signed the certificate is not known here"),
    62: ("证书不是这个域名的", "the certificate is for another name"),
    64: ("证书不是这个 IP 的", "the certificate is for another address"),
}


class Failed(Exception):
    """A step came to a word of the other side."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class Halt:
    """The end of the program, as a check sees it: no new step, and what is under way is cut."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._cut: Callable[[], None] | None = None

    def stop(self) -> None:
        """Any thread."""
        self._stopping.set()
        if self._cut is not None:
            self._cut()

    def by(self, cut: Callable[[], None] | None) -> None:
        """From now on `cut` ends what is under way; None: nothing is."""
        self._cut = cut
        if cut is not None and self._stopping.is_set():
            cut()

    def asked(self) -> bool:
        return self._stopping.is_set()

    def wait(self, seconds: float) -> bool:
        """True: the end was asked for."""
        return self._stopping.wait(seconds)


class Place:
    """A host and port, reached step by step. `context` None: no TLS is spoken there."""

    def __init__(
        self, shown: str, host: str, port: int, context: Callable[[], ssl.SSLContext] | None, server_name: str = ""
    ) -> None:
        """`shown`: the address as the configuration has it; `server_name`: the certificate's, "" is `host`."""
        self._shown, self._host, self._port, self._context = shown, host, port, context
        self._server_name = server_name or host
        self._found: list[str] = []

    def steps(self) -> Steps:
        steps: Steps = [("address", self._address), ("name", self._name), ("tcp", self._tcp)]
        return steps if self._context is None else [*steps, ("tls", self._tls)]

    def line(self) -> socket.socket:
        """A new connection, with TLS if that is spoken. Raises `OSError`."""
        plain = socket.create_connection((self._found[0], self._port), timeout=STEP_S)
        if self._context is None:
            return plain
        try:
            return self._context().wrap_socket(plain, server_hostname=self._server_name)
        except BaseException:
            plain.close()
            raise

    def _address(self) -> Words:
        if not self._host:
            raise Failed(f"{self._shown} 中没有主机名", f"no host in {self._shown}")
        tls = self._context is not None
        return f"{'TLS' if tls else '未加密'}, 端口 {self._port}", f"{'TLS' if tls else 'no TLS'}, port {self._port}"

    def _name(self) -> Words:
        self._found = _resolve(self._host, self._port)
        return f"{self._host} → {', '.join(self._found)}", f"{self._host} is {', '.join(self._found)}"

    def _tcp(self) -> Words:
        with socket.create_connection((self._found[0], self._port), timeout=STEP_S):
            at = f"{self._found[0]}:{self._port}"
            return f"已连接 {at}", f"connected to {at}"

    def _tls(self) -> Words:
        with self.line() as line:
            assert isinstance(line, ssl.SSLSocket)
            until = str((line.getpeercert() or {}).get("notAfter", "?"))
            return f"{line.version()}, 证书有效至 {until}", f"{line.version()}, certificate valid until {until}"


def run(steps: Steps, halt: Halt, words: Mapping[StepName, Words], advice: Mapping[StepName, Words]) -> ActionResult:
    """All steps in order. `words` and `advice`: what this link says otherwise than, or beyond, the shared ones."""
    names, todos = WORDS | dict(words), ADVICE | dict(advice)
    done: list[Step] = []
    broken: Step | None = None
    for name, step in steps:
        zh, en = names[name]
        if broken is not None or halt.asked():
            done.append(Step(name, "skipped", f"{zh}: 未执行", f"{en}: not tried", 0))
            continue
        began_s = time.monotonic()
        try:
            seen_zh, seen_en = step()
            done.append(Step(name, "ok", f"{zh}: {seen_zh}", f"{en}: {seen_en}", _since(began_s)))
        except (Failed, TransportFault, OSError, ValueError) as error:
            seen_zh, seen_en = in_words(error)
            broken = Step(name, "failed", f"{zh}: {seen_zh}", f"{en}: {seen_en}", _since(began_s), *todos[name])
            done.append(broken)
    if broken is not None:
        return ActionResult(False, broken.zh, broken.en, steps=tuple(done))
    if halt.asked():
        return ActionResult(False, "程序正在停止", "the program is ending", steps=tuple(done))
    return ActionResult(True, "连接正常", "the link works", steps=tuple(done))


def in_words(error: Exception) -> Words:
    """What the system says, with Chinese for what it says most."""
    if isinstance(error, Failed | TransportFault):
        return error.zh, error.en
    if isinstance(error, ssl.SSLCertVerificationError):
        zh, en = CERTIFICATE_WORDS.get(error.verify_code, ("证书不可信", "the certificate is not trusted"))
        return f"{zh} ({error.verify_message})", f"{en} ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS 握手失败 ({error.reason})", f"the TLS handshake failed ({error.reason})"
    if isinstance(error, TimeoutError):
        return f"{STEP_S:.0f} 秒内没有应答", f"no answer within {STEP_S:.0f} s"
    if isinstance(error, ConnectionRefusedError):
        return "连接被拒绝, 该端口没有服务", "refused: nothing listens there"
    if isinstance(error, FileNotFoundError | PermissionError):
        return f"文件无法读取: {error.filename}", f"a file cannot be read: {error}"
    return f"系统报告: {error}", str(error)


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
