"""A link to the outside tried step by step, as a technician would with other tools; one module a platform.

qingdao        login, ParkSpace (the counts), logout
shenzhen       1001 unless the running link is logged in, 5003 (the stalls), 1003
shenzhen-tcp   1004, heartbeat 1006, 1005; of a running link its own heartbeat
qingdao-mqtt   account and connection unless the running line is up, then one subscription
oss            one signed read of an object that nobody has
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from edge.agent.link_place import here, place_of, plain_noted, trusted
from edge.agent.link_steps import STEP_S, Failed, Halt, StepName, Steps, Words, run
from edge.cities.http import HttpTransport, TransportFault
from edge.cities.qingdao.conversation import Conversation
from edge.cities.qingdao.envelope import Account
from edge.cities.qingdao.messages import ParkSpace
from edge.config.model import Config, Qingdao
from edge.ports import BoxView, LinkView
from edge.web.api import ActionResult, LinkName

if TYPE_CHECKING:
    from edge.agent.link_mqtt import RunningLine
    from edge.cities.shenzhen.conversation import Conversation as ShenzhenTalk

QINGDAO_WORDS: dict[StepName, Words] = {"call": ("试传场内车辆数", "one harmless call (counts)")}
QINGDAO_ADVICE: dict[StepName, Words] = {
    "address": ("平台地址须为 http:// 或 https:// 加主机名", "the address must be http:// or https:// and a host"),
    "login": ("核对客户号、项目编号、账号、密码文件和密钥文件", "compare cno, sub_code, user and both secret files"),
    "call": ("把应答内容告诉平台方; 核对车场 ID", "tell the city what it answered; compare the lot's id"),
}


class Running(msgspec.Struct, frozen=True):
    """What a check may know of the box that runs."""

    account: Callable[[], Account]
    """Qingdao's. Raises `OSError`."""
    box: Callable[[], BoxView | None]
    links: Callable[[], Sequence[LinkView]] = lambda: ()
    shenzhen: Callable[[], ShenzhenTalk | None] = lambda: None
    """A conversation beside that of the running link, None while it is not logged in."""
    mqtt: Callable[[], RunningLine | None] = lambda: None
    """Qingdao's line of orders."""


class LinkCheck:
    """`run` for one caller at a time."""

    def __init__(self, config: Config, running: Running) -> None:
        self._config, self._running = config, running
        self._halt = Halt()

    def stop(self) -> None:
        """Any thread: the program ends, the check does after the step under way."""
        self._halt.stop()

    def run(self, link: LinkName) -> ActionResult:
        """A link that is not configured is a refusal in words."""
        try:
            return self._run(link)
        finally:
            self._halt.by(None)

    def _run(self, link: LinkName) -> ActionResult:
        qingdao, shenzhen = self._config.city.qingdao, self._config.city.shenzhen
        if link == "qingdao" and qingdao is not None:
            return self._qingdao(qingdao)
        if link == "qingdao-mqtt" and qingdao is not None and qingdao.mqtt is not None:
            from edge.agent.link_mqtt import check_mqtt  # noqa: PLC0415 - only for a city that orders

            return check_mqtt(qingdao, qingdao.mqtt, self._running.account, self._running.mqtt(), self._halt)
        if link == "oss" and qingdao is not None and qingdao.oss is not None:
            from edge.agent.link_oss import check_oss  # noqa: PLC0415 - what only some boxes need, when it is asked

            return check_oss(qingdao.oss, qingdao.sub_code, self._halt)
        if shenzhen is not None:
            from edge.agent import link_shenzhen  # noqa: PLC0415 - 12 MB that only this city needs

            if link == "shenzhen":
                beside = self._running.shenzhen()
                return link_shenzhen.check_https(self._config, shenzhen, beside, self._running.box, self._halt)
            if link == "shenzhen-tcp" and shenzhen.tcp is not None:
                return link_shenzhen.check_tcp(shenzhen, self._running.links, self._halt)
        return ActionResult(False, f"配置中没有 {link}", f"{link} is not configured")

    def _qingdao(self, settings: Qingdao) -> ActionResult:
        """The login is one of its own; if the platform then forgets the running link's token, that link logs in again
        by itself, as it does after every refusal."""
        place = place_of(settings.url, trusted)
        transport = HttpTransport(settings.url, STEP_S)
        self._halt.by(transport.abort)
        talk: Conversation | None = None

        def login() -> Words:
            nonlocal talk
            talk = Conversation(self._running.account())
            request = talk.login()
            verdict = talk.logged_in(request, transport.post(request), time.monotonic())
            if verdict.meaning != "accepted":
                raise Failed(verdict.zh, verdict.en)
            return verdict.zh, verdict.en

        def call() -> Words:
            assert talk is not None
            view = here(self._running.box)
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

        steps: Steps = [*place.steps(), ("login", login), ("call", call)]
        try:
            result = run(steps, self._halt, QINGDAO_WORDS, QINGDAO_ADVICE)
        finally:
            farewell = talk.logout() if talk is not None else None
            if farewell is not None:
                try:
                    transport.post(farewell)
                except TransportFault:
                    farewell = None  # it ends by itself
            transport.close()
        return plain_noted(result, settings.url)
