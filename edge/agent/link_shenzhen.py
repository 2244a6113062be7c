"""Shenzhen's links tried step by step (T/SZPIA 001-2020 7.1.4): the HTTPS uplink, and the TCP link of orders.

A second login may end what the platform holds for the first: the token that it shows at our callback server, or the
one link of an account over which it sends orders. So while the running link is logged in the check uses its login,
and logs in by itself only when there is none.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from edge.agent.cities import booked
from edge.agent.link_place import here, place_of, trusted
from edge.agent.link_steps import STEP_S, Failed, Halt, Place, StepName, Steps, Words, run
from edge.cities.http import HttpTransport, TransportFault
from edge.cities.shenzhen.city import Secrets, by_tcp, link_settings, talk_of
from edge.cities.shenzhen.conversation import Conversation
from edge.cities.shenzhen.link_talk import LinkTalk, State
from edge.cities.shenzhen.messages import STALLS
from edge.cities.shenzhen.sign import sorted_json
from edge.cities.shenzhen.site import Site
from edge.cities.shenzhen.tcp import NAME as TCP_NAME
from edge.cities.tls import client_context
from edge.config.model import Config
from edge.config.shenzhen import Shenzhen
from edge.ports import BoxView, LinkView
from edge.web.api import ActionResult

LOOK_S = 0.1

HTTPS_WORDS: dict[StepName, Words] = {"call": ("试传车位数 (5003)", "one harmless call (5003, stalls)")}
TCP_WORDS: dict[StepName, Words] = {
    "login": ("登录 (1004)", "login (1004)"),
    "call": ("心跳 (1006)", "one harmless call (1006, heartbeat)"),
}
_CA: Words = (
    "校对盒子时钟; 核对 ca_file 是否为平台的签发机构; 请平台方确认证书未过期、域名一致",
    "set the clock; see that ca_file holds the platform's authority; ask the city about its certificate",
)
HTTPS_ADVICE: dict[StepName, Words] = {
    "address": ("核对 [city.shenzhen] 的 url", "compare url in [city.shenzhen]"),
    "tls": _CA,
    "login": (
        "核对 user、密码文件、DES 密钥文件及 password_form、key_form",
        "compare user, password file, DES key file, password_form and key_form",
    ),
    "call": ("把应答内容告诉平台方; 核对 park_code", "tell the city what it answered; compare park_code"),
}
TCP_ADVICE: dict[StepName, Words] = HTTPS_ADVICE | {
    "address": ("核对 [city.shenzhen.tcp] 的 host 和 port", "compare host and port in [city.shenzhen.tcp]"),
    "call": ("请平台方查看其 TCP 日志", "ask the city what its log of the TCP link says"),
}


def check_https(
    config: Config,
    settings: Shenzhen,
    beside: Conversation | None,
    box: Callable[[], BoxView | None],
    halt: Halt,
) -> ActionResult:
    """`beside`: a conversation with the running link's token; None: log in, and out at the end."""
    place = place_of(settings.url, _context(settings))
    talk = beside
    transport: HttpTransport | None = None

    def login() -> Words:
        nonlocal talk, transport
        transport = HttpTransport(
            settings.url, STEP_S, ca_file=settings.ca_file, client_cert_file=settings.client_cert_file
        )
        halt.by(transport.abort)
        if talk is not None:
            return "使用运行中链路的令牌, 不重复登录", "the running link's token, no second login"
        own = talk_of(settings, Secrets(settings))
        request = own.login(_wall_ms())
        verdict = own.logged_in(request, transport.post(request), time.monotonic())
        if verdict.meaning != "accepted":
            raise Failed(verdict.zh, verdict.en)
        talk = own
        return verdict.zh, verdict.en

    def call() -> Words:
        assert talk is not None and transport is not None
        view = here(box)
        stalls = Site(config, settings, lambda _: None).stalls(view.total, view.parked, booked(view))
        request = talk.batch(STALLS, [("", sorted_json(stalls))], _wall_ms())
        verdict = talk.judged_each(request, transport.post(request))[0]
        if verdict.meaning != "accepted":
            raise Failed(verdict.zh, verdict.en)
        return verdict.zh, verdict.en

    steps: Steps = [*place.steps(), ("login", login), ("call", call)]
    try:
        return run(steps, halt, HTTPS_WORDS, HTTPS_ADVICE)
    finally:
        if transport is not None:
            farewell = talk.logout(_wall_ms()) if talk is not None and beside is None else None
            if farewell is not None:
                with suppress(TransportFault):  # the token ends by itself
                    transport.post(farewell)
            transport.close()


def check_tcp(settings: Shenzhen, links: Callable[[], Sequence[LinkView]], halt: Halt) -> ActionResult:
    tcp = settings.tcp
    assert tcp is not None
    if not by_tcp(settings):
        zh = "downlink 未使用 TCP: 指令经 HTTPS 回调下发"
        return ActionResult(False, zh, "downlink does not use TCP: orders come to the HTTPS callback")
    place = Place(
        f"{tcp.host}:{tcp.port}", tcp.host, tcp.port, _context(settings) if tcp.tls else None, tcp.server_name
    )
    trial = _Trial(settings, place, links, halt)
    try:
        return run([*place.steps(), ("login", trial.login), ("call", trial.call)], halt, TCP_WORDS, TCP_ADVICE)
    finally:
        trial.end()


class _Trial:
    """Login, heartbeat and logout of a TCP link of our own, or the running one looked at."""

    def __init__(
        self,
        settings: Shenzhen,
        place: Place,
        links: Callable[[], Sequence[LinkView]],
        halt: Halt,
    ) -> None:
        self._settings, self._place, self._links, self._halt = settings, place, links, halt
        self._line: socket.socket | None = None
        self._talk: LinkTalk | None = None

    def login(self) -> Words:
        if self._running().online:
            return "使用运行中的链路, 不重复登录", "the running link is logged in, no second login"
        secrets = Secrets(self._settings)
        line = self._line = self._place.line()
        self._halt.by(lambda: _shut(line))
        self._talk = LinkTalk(link_settings(self._settings, secrets), time.monotonic(), _wall_ms())
        self._until(lambda talk: talk.state is State.ONLINE)
        return "已登录", "logged in"

    def call(self) -> Words:
        if self._talk is None:
            self._heard()
        else:
            self._until(lambda talk: talk.heartbeats > 0)
        return "平台已应答心跳", "the platform answered a heartbeat"

    def end(self) -> None:
        if self._line is None:
            return
        with self._line:
            if self._talk is not None and self._talk.state is State.ONLINE and not self._halt.asked():
                self._talk.leave(time.monotonic(), _wall_ms())
                with suppress(OSError, Failed):  # it closes the line, which says the same
                    self._until(lambda talk: talk.closed())

    def _running(self) -> LinkView:
        never = LinkView(TCP_NAME, False, "未运行", "does not run", 0)
        return next((link for link in self._links() if link.city == TCP_NAME), never)

    def _heard(self) -> None:
        """Until the running link hears of the platform: its heartbeats go every few seconds."""
        began_ms, settings = _wall_ms(), self._settings.tcp
        assert settings is not None
        within_s = settings.heartbeat_s + settings.heartbeat_wait_s
        ends_s = time.monotonic() + within_s
        while (link := self._running()).last_ok_wall_ms <= began_ms:
            if not link.online:
                raise Failed(link.zh, link.en)
            if time.monotonic() >= ends_s or self._halt.wait(LOOK_S):
                raise Failed(f"{within_s:g} 秒内没有心跳应答", f"no heartbeat was answered within {within_s:g} s")

    def _until(self, done: Callable[[LinkTalk], bool]) -> None:
        """Talk until `done`. An order that comes meanwhile stays unanswered: the platform sends it again, on the link
        of the program. Raises `OSError`, `Failed`."""
        line, talk = self._line, self._talk
        assert line is not None and talk is not None
        ends_s = time.monotonic() + STEP_S
        while not done(talk):
            now_s = time.monotonic()
            if now_s >= ends_s:
                raise TimeoutError
            talk.tick(now_s, _wall_ms())
            if out := talk.to_send():
                line.sendall(out)
            if talk.closed():
                raise Failed(*talk.why)
            line.settimeout(max(0.01, min(ends_s, talk.deadline_s) - now_s))
            with suppress(TimeoutError):  # the talk's own clock says what that means
                talk.received(line.recv(65_536), time.monotonic())
            if talk.closed() and not done(talk):
                raise Failed(*talk.why)


def _context(settings: Shenzhen) -> Callable[[], ssl.SSLContext]:
    def make() -> ssl.SSLContext:
        if not settings.ca_file and not settings.client_cert_file:
            return trusted()
        return client_context(settings.ca_file, settings.client_cert_file)

    return make


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        line.shutdown(socket.SHUT_RDWR)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
