"""The agent's Qingdao downlink: one thread that gets the MQTT account, keeps the line to the broker and carries orders.

An order is carried out before its message is acknowledged, so a killed agent gets it again from the broker, and the
lane program, which knows its id, does it once. Replies go out with QoS 1 and wait for the next connection when the line
breaks under them. Reconnects back off with full jitter.
"""

from __future__ import annotations

import logging
import select
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from edge.agent.cmd_types import keep_names, read_names
from edge.agent.orders import LaneOrders
from edge.cities.city import Poster
from edge.cities.clock import Clock, Jitter
from edge.cities.engine import CityFault
from edge.cities.http import HttpTransport, TransportFault
from edge.cities.qingdao.downlink import Downlink
from edge.cities.qingdao.envelope import Account
from edge.cities.qingdao.learned import LearnedNames
from edge.cities.qingdao.mqtt_access import MqttAccount
from edge.cities.qingdao.mqtt_talk import MqttTalk, Trouble
from edge.cities.qingdao.orders import Site
from edge.cities.qingdao.replies import LaneTold
from edge.cities.qingdao.site import devices_of
from edge.cities.tls import client_context
from edge.config.model import Config, Qingdao
from edge.config.qingdao_mqtt import QingdaoMqtt
from edge.core.orders_money import AnyMoneyOrder
from edge.ports import LinkView
from edge.umqtt.simple import MQTTClient, MQTTException

log = logging.getLogger("parkbox.agent.qingdao")

NAME = "qingdao-mqtt"

LOOK_S = 0.5
"""How long a silent line is not looked at: for the stop, for pings that are due."""

REPLIES_MAX = 200
"""Replies that wait for the line; older ones are lost, and the city asks again."""

REFUSED_FAILURES = 6
"""A refused account starts at this many failures (bound 32 s): it must not be locked by our repetitions."""

NOT_AUTHORISED = frozenset({2, 4, 5})
"""CONNACK codes (MQTT 3.1.1, 3.2.2.3) that another mqtt/login may mend: client id, name or password, not authorised."""


class QingdaoLink:
    """`start`, `stop`, `view` and `faults` are for any thread."""

    def __init__(  # noqa: PLR0917 - the composition root gives all of it at once
        self,
        config: Config,
        settings: Qingdao,
        mqtt: QingdaoMqtt,
        account: Account,
        token: Callable[[], str],
        clock: Clock,
        random: Jitter,
        *,
        died: Callable[[BaseException], None],
        changed: Callable[[], None],
        transport: Poster | None = None,
    ) -> None:
        """`token`: the uplink's, "" while there is none. Raises `OSError` or `ssl.SSLError` for a `ca_file` that cannot
        be used."""
        self._mqtt, self._token, self._clock, self._random = mqtt, token, clock, random
        self._died, self._changed = died, changed
        self._transport = transport or HttpTransport(settings.url, settings.timeout_s)
        self._talk = MqttTalk(account, (settings.sub_code, *mqtt.projects))
        self._tls = client_context(mqtt.ca_file) if mqtt.tls == "on" else None
        self._lane = LaneOrders(Path(config.box.socket))
        data = Path(config.box.data_dir)
        self.downlink = Downlink(
            mqtt, site_of(config, settings, mqtt), self._ask, clock,
            learned=LearnedNames(read_names(data) if mqtt.learn else {}),
            on_learned=lambda names: keep_names(data, names),
        )  # fmt: skip
        self._replies: deque[bytes] = deque(maxlen=REPLIES_MAX)
        self._client: MQTTClient | None = None
        self._stopping = threading.Event()
        self._asked: deque[threading.Event] = deque()
        """Who waits for a proof of the line."""
        self._online = False
        self._failures = 0
        self._trouble = ("", "")
        self._last_ok_wall_ms = 0
        self._faults: tuple[CityFault, ...] = ()
        self._thread = threading.Thread(target=self._guarded, name=NAME, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Cut what is under way, end. The broker keeps the session: orders wait there."""
        self._stopping.set()
        self._transport.abort()
        if self._thread.ident is not None:
            self._thread.join(2 * LOOK_S)
            if (client := self._client) is not None:
                client.stop()  # in a call that may take long
            self._thread.join()
        self._online = False
        self._transport.close()
        self._lane.close()

    def view(self) -> LinkView:
        zh, en = self._trouble
        if self._online:
            taken, refused = self.downlink.taken, self.downlink.refused
            zh = f"MQTT 在线, 已执行指令 {taken}, 拒绝 {refused}"
            en = f"MQTT online, {taken} orders done, {refused} refused"
            if learned := self.downlink.learned.names:
                names = ", ".join(f"{name} = {kind}" for name, kind in sorted(learned.items()))
                zh = f"{zh}; 已学到 cmd_type (请写入配置): {names}"
                en = f"{en}; cmd_type names learned (put them into the configuration): {names}"
        elif zh:
            zh, en = f"MQTT 离线: {zh}", f"MQTT offline: {en}"
        else:
            zh, en = "MQTT 正在连接", "MQTT connecting"
        return LinkView(NAME, self._online, zh, en, self._last_ok_wall_ms)

    def faults(self) -> Iterable[CityFault]:
        return self._faults

    @property
    def online(self) -> bool:
        return self._online

    @property
    def token(self) -> str:
        """The uplink's, "" while it is not logged in."""
        return self._token()

    def proven(self, within_s: float) -> bool:
        """Any thread: whether the broker answers a subscription made now (the same one: it changes nothing)."""
        answered = threading.Event()
        self._asked.append(answered)
        return answered.wait(within_s)

    # --- the thread --------------------------------------------------------------------------------------------------

    def _guarded(self) -> None:
        try:
            while not self._stopping.is_set():
                self._once()
                if self._failures and not self._stopping.is_set():
                    bound_s = min(self._mqtt.reconnect_max_s, 2.0 ** min(self._failures - 1, 30))
                    self._stopping.wait(self._random.uniform(0.0, bound_s))
        except BaseException as error:
            self._died(error)
            raise

    def _once(self) -> None:
        """Until the line is broken, or it is plain that there will be none now."""
        try:
            account = self._access()
            if account is not None:
                self._line(account)
        except Trouble as trouble:
            self._failed(trouble.zh, trouble.en, refusal=trouble.refusal)
        except TransportFault as fault:
            self._failed(fault.zh, fault.en)
        except MQTTException as error:
            code = error.args[0] if error.args else ""
            refusal = code in NOT_AUTHORISED
            if refusal:
                self._talk.begin_anew()
            self._failed(f"服务器拒绝 ({code})", f"the broker refuses or breaks the protocol ({code})", refusal=refusal)
        except OSError as error:  # ssl.SSLError too
            words = f"{type(error).__name__} {error}"
            self._failed(words, words)
        finally:
            self._client = None

    def _access(self) -> MqttAccount | None:
        """The account, every project bound; None: the uplink has not logged in yet."""
        while not self._stopping.is_set():
            request = self._talk.next(self._token())
            if request is None:
                break
            self._talk.answered(self._transport.post(request))
        if not self._talk.ready:
            self._trouble = ("等待上行登录", "waits for the uplink's login")
            self._stopping.wait(LOOK_S)
            return None
        return self._talk.account

    def _line(self, account: MqttAccount) -> None:
        mqtt = self._mqtt
        client = MQTTClient(
            account.client_id,
            mqtt.host,
            mqtt.port,
            account.user,
            account.password,
            keepalive=mqtt.keepalive_s,
            ssl=self._tls,
            ssl_params={"server_hostname": mqtt.host} if self._tls is not None else None,
        )
        receive = mqtt.receive_topic.replace("{user}", account.user)
        reply_to = mqtt.reply_topic.replace("{user}", account.user)
        client.set_callback(lambda topic, message: self._replies.append(self.downlink.handle(message)))
        self._client = client
        if self._stopping.is_set():
            return
        try:
            client.connect(clean_session=False)  # QC82: what is ordered meanwhile waits at the broker
            client.subscribe(receive, qos=1)
            self._up()
            self._serve(client, receive, reply_to)
        finally:
            self._asked.clear()  # nothing of this line is proven any more
            with suppress(OSError):
                client.disconnect()

    def _serve(self, client: MQTTClient, receive: str, reply_to: str) -> None:
        poll = select.poll()
        assert client.sock is not None
        poll.register(client.sock, select.POLLIN)
        while not self._stopping.is_set():
            while client.check_msg() is not None or self._replies:
                self._answer(client, reply_to)
            while self._asked:
                client.subscribe(receive, qos=1)
                self._asked.popleft().set()
            self._last_ok_wall_ms = self._clock.wall_ms()
            poll.poll(LOOK_S * 1000)

    def _answer(self, client: MQTTClient, topic: str) -> None:
        while self._replies:
            client.publish(topic, self._replies[0], qos=1)
            self._replies.popleft()
            self._changed()

    def _ask(self, order: AnyMoneyOrder, within_s: float) -> LaneTold | None:
        told = self._lane.ask(order, within_s)
        return None if told is None else LaneTold(told.ok, told.zh, told.en, told.reason or "", told.quote)

    # --- what is shown -----------------------------------------------------------------------------------------------

    def _up(self) -> None:
        log.info("orders by MQTT from %s:%d", self._mqtt.host, self._mqtt.port)
        self._online, self._failures, self._trouble = True, 0, ("", "")
        self._last_ok_wall_ms = self._clock.wall_ms()
        self._faults = ()
        self._changed()

    def _failed(self, zh: str, en: str, *, refusal: bool = False) -> None:
        if self._stopping.is_set():
            return
        if self._trouble != (zh, en):
            log.warning("no orders by MQTT: %s", en)
        self._failures = max(self._failures + 1, REFUSED_FAILURES if refusal else 1)
        self._online, self._trouble = False, (zh, en)
        if self._failures > 1:  # one failure is not an outage
            since_ms = self._faults[0].since_wall_ms if self._faults else self._clock.wall_ms()
            self._faults = (CityFault("city_offline", NAME, f"{zh} / {en}" if zh != en else zh, since_ms),)
        self._changed()


def site_of(config: Config, settings: Qingdao, mqtt: QingdaoMqtt) -> Site:
    """A device is known by its number, its id, and, a lane's, by the lane's number."""
    lanes = {str(lane.number): lane.id for lane in config.lane}
    for device in devices_of(config, settings.camera_class):
        if device.lane:
            lanes[device.code] = lanes[device.id] = device.lane
    return Site(
        park_id=config.lot.park_id,
        park_code=config.lot.code,
        park_name=config.lot.name,
        projects=frozenset({settings.sub_code, *mqtt.projects}),
        sub_code=settings.sub_code,
        lanes=lanes,
    )
