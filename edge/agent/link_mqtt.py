"""Qingdao's line of orders tried step by step: address and TLS of the broker, account (mqtt/login), one subscription.

A second connection with the same client id throws the first one off (MQTT 3.1.1, 3.1.4-2). So while the running line is
up, the check asks it for proof: it subscribes once more and waits for the broker's word. Only without a running line
does it connect by itself, and takes no order then: an order that comes stays unacknowledged, and the broker keeps it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from edge.agent.link_steps import STEP_S, Failed, Halt, Place, StepName, Steps, Words, run
from edge.cities.http import HttpTransport
from edge.cities.qingdao.envelope import Account
from edge.cities.qingdao.mqtt_access import MqttAccount
from edge.cities.qingdao.mqtt_talk import MqttTalk, Trouble
from edge.cities.tls import client_context
from edge.config.model import Qingdao
from edge.config.qingdao_mqtt import QingdaoMqtt
from edge.umqtt.simple import MQTTClient, MQTTException
from edge.web.api import ActionResult

WORDS: dict[StepName, Words] = {
    "login": ("帐号与登录 (mqtt/login)", "account and login (mqtt/login)"),
    "call": ("重新订阅指令主题", "one harmless call (subscribe to the orders once more)"),
}
ADVICE: dict[StepName, Words] = {
    "address": ("核对 [city.qingdao.mqtt] 的 host 和 port", "compare host and port in [city.qingdao.mqtt]"),
    "login": (
        "先让 qingdao 上行登录成功; 再核对项目编号, 请平台方确认下行帐号已开通",
        "let the uplink qingdao log in first; then compare the projects and ask the city about the account for orders",
    ),
    "call": (
        "核对 receive_topic; 请平台方确认该帐号可以订阅",
        "compare receive_topic; ask the city whether the account may subscribe",
    ),
}


class RunningLine(Protocol):
    """The running line, as a check may use it from another thread."""

    @property
    def online(self) -> bool: ...

    @property
    def token(self) -> str:
        """The uplink's, "" while it is not logged in."""
        ...

    def proven(self, within_s: float) -> bool:
        """Whether the broker answered a subscription made now."""
        ...


def check_mqtt(
    settings: Qingdao, mqtt: QingdaoMqtt, account: Callable[[], Account], line: RunningLine | None, halt: Halt
) -> ActionResult:
    """`account`: the uplink's. Raises `OSError` when a secret cannot be read."""
    place = Place(f"{mqtt.host}:{mqtt.port}", mqtt.host, mqtt.port, _context(mqtt) if mqtt.tls == "on" else None)
    trial = _Trial(settings, mqtt, account, line, halt)
    try:
        return run([*place.steps(), *trial.steps()], halt, WORDS, ADVICE)
    finally:
        trial.end()


class _OrderCame(Exception):
    """Raised out of the callback, so that the message stays unacknowledged."""


class _Trial:
    def __init__(
        self,
        settings: Qingdao,
        mqtt: QingdaoMqtt,
        account: Callable[[], Account],
        line: RunningLine | None,
        halt: Halt,
    ) -> None:
        self._settings, self._mqtt, self._account, self._line, self._halt = settings, mqtt, account, line, halt
        self._own: tuple[MQTTClient, MqttAccount] | None = None

    def steps(self) -> Steps:
        return [("login", self._login), ("call", self._call)]

    def end(self) -> None:
        if self._own is not None:
            with suppress(OSError):  # the broker has closed it, which is what is wanted
                self._own[0].disconnect()

    def _login(self) -> Words:
        if self._line is not None and self._line.online:
            return "使用运行中的连接, 不重复登录", "the running line is connected, no second login"
        given = self._given(self._line.token if self._line is not None else "")
        secure = self._mqtt.tls == "on"
        client = MQTTClient(
            given.client_id, self._mqtt.host, self._mqtt.port, given.user, given.password,
            ssl=_context(self._mqtt)() if secure else None,
            ssl_params={"server_hostname": self._mqtt.host} if secure else None,
        )  # fmt: skip
        self._halt.by(client.stop)
        client.set_callback(_leave)
        try:
            client.connect(clean_session=False, timeout=STEP_S)  # a clean one would throw waiting orders away
        except MQTTException as error:
            code = error.args[0]
            raise Failed(f"服务器拒绝登录 ({code})", f"the broker refuses the login ({code})") from None
        self._own = client, given
        return f"帐号 {given.user} 已登录", f"logged in as {given.user}"

    def _given(self, token: str) -> MqttAccount:
        if not token:
            raise Failed("上行尚未登录", "the uplink is not logged in")
        talk = MqttTalk(self._account(), (self._settings.sub_code, *self._mqtt.projects))
        transport = HttpTransport(self._settings.url, STEP_S)
        self._halt.by(transport.abort)
        try:
            while (request := talk.next(token)) is not None:
                talk.answered(transport.post(request))
        except Trouble as trouble:
            raise Failed(trouble.zh, trouble.en) from None
        finally:
            transport.close()
        assert talk.account is not None
        return talk.account

    def _call(self) -> Words:
        if self._own is None:
            assert self._line is not None
            if not self._line.proven(2 * STEP_S):
                raise Failed("服务器没有应答订阅", "the broker did not answer a subscription")
            return "服务器已应答", "the broker answered"
        client, account = self._own
        try:
            client.subscribe(self._mqtt.receive_topic.replace("{user}", account.user), qos=1)
        except MQTTException as error:
            raise Failed(f"服务器拒绝订阅 ({error.args[0]})", f"the broker refuses it ({error.args[0]})") from None
        except _OrderCame:
            return "指令已开始下发 (留给运行中的连接)", "orders are coming (left to the running line)"
        return "服务器已应答", "the broker answered"


def _leave(topic: bytes, message: bytes) -> None:
    raise _OrderCame


def _context(mqtt: QingdaoMqtt) -> Callable[[], ssl.SSLContext]:
    return lambda: client_context(mqtt.ca_file)
