"""The agent's Shenzhen link: uplink, callback server and TCP link around one conversation (T/SZPIA 001-2020 clause 7).

Orders of either transport go through one desk to the lane program. A callback server that cannot start (port taken,
certificate unusable) is a fault and tried again; the rest of the agent does not wait for it.
"""

from __future__ import annotations

import logging
import random
import ssl
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

from edge.agent.orders import LaneOrders
from edge.cities.city import City, Counts
from edge.cities.clock import Clock
from edge.cities.engine import CityFault
from edge.cities.shenzhen.callback import CallbackServer
from edge.cities.shenzhen.city import Secrets, by_https, by_tcp, link_settings, shenzhen, talk_of
from edge.cities.shenzhen.desk import OrderDesk
from edge.cities.shenzhen.orders import LaneAnswer
from edge.cities.shenzhen.tcp import NAME as TCP_NAME
from edge.cities.shenzhen.tcp import TcpLink
from edge.config.model import Config
from edge.config.shenzhen import Shenzhen
from edge.core.orders_flow import AnyFlowOrder
from edge.ports import LinkView

log = logging.getLogger("parkbox.agent.shenzhen")

WATCH_S = 5.0
"""How often a server that could not start is tried again, and the certificate is looked at."""

CALLBACK_NAME = "shenzhen-callback"


class ShenzhenLink:
    """`city` is what the delivery engine carries; the rest are the ways of orders."""

    def __init__(
        self,
        config: Config,
        settings: Shenzhen,
        clock: Clock,
        counts: Callable[[], Counts | None],
        *,
        died: Callable[[BaseException], None],
        changed: Callable[[], None],
    ) -> None:
        """Raises `OSError`, `ssl.SSLError` or `ValueError` for files that cannot be used (`parkbox check` says so)."""
        self._settings, self._clock, self._died, self._changed = settings, clock, died, changed
        secrets = Secrets(settings)
        self._talk = talk_of(settings, secrets)
        self.beside = self._talk.beside
        self._token = secrets.token
        self.city: City = shenzhen(config, settings, self._talk, counts=counts)
        self._lane = LaneOrders(Path(config.box.socket))
        self.desk = OrderDesk(settings, self._ask, clock, lambda: uuid.uuid4().hex, secrets.sign)
        self.callback: CallbackServer | None = None
        self._tcp: TcpLink | None = None
        if by_tcp(settings):
            self._tcp = TcpLink(
                settings,
                link_settings(settings, secrets),
                self.desk,
                clock,
                random.SystemRandom(),
                died=died,
                changed=changed,
            )
        self._faults: tuple[CityFault, ...] = ()
        self._trouble = ""
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="shenzhen-watch", daemon=True)

    def start(self) -> None:
        if self._tcp is not None:
            self._tcp.start()
        if by_https(self._settings):
            self._listen()
        self._look()
        self._watcher.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._watcher.ident is not None:
            self._watcher.join()
        if self.callback is not None:
            self.callback.stop()
        if self._tcp is not None:
            self._tcp.stop()
        self._lane.close()

    def links(self) -> list[LinkView]:
        found = []
        if by_https(self._settings):
            port = self.callback.port if self.callback is not None else 0
            taken, refused = self.desk.tally()
            zh = f"监听 {port}, 已处理指令 {taken}, 拒绝 {refused}"
            en = f"listens at {port}, {taken} orders taken, {refused} refused"
            if not port:
                zh, en = "未监听", "is down"
            found.append(LinkView(CALLBACK_NAME, bool(port), zh, en, 0, receives=True))
        if self._tcp is not None:
            found.append(self._tcp.view())
        return found

    def faults(self) -> list[CityFault]:
        return list(self._faults)

    def _ask(self, order: AnyFlowOrder, within_s: float) -> LaneAnswer | None:
        told = self._lane.ask(order, within_s)
        if told is None or told.reason is None:
            return None
        return LaneAnswer(told.ok, told.zh, told.en, told.reason, told.rest)

    def _tokens(self) -> tuple[str, ...]:
        callback = self._settings.callback
        login = self._talk.access_token if callback is not None and callback.accept_login_token else ""
        return (login, self._token)

    def _listen(self) -> None:
        settings = self._settings.callback
        assert settings is not None
        try:
            server = CallbackServer(settings, self.desk, self._tokens, self._died)
            server.start()
        except (OSError, ssl.SSLError, ValueError) as error:
            if str(error) != self._trouble:
                log.warning("callback server cannot start: %s", error)
            self._trouble = str(error)
            return
        log.info("callback server listens at %s:%d", settings.host, server.port)
        self.callback, self._trouble = server, ""

    def _watch(self) -> None:
        try:
            while not self._stopping.wait(WATCH_S):
                if self.callback is None and by_https(self._settings):
                    self._listen()
                self._look()
        except BaseException as error:
            self._died(error)
            raise

    def _look(self) -> None:
        found = []
        trouble = self._trouble
        if self.callback is not None:
            certificate = self.callback.certificate
            certificate.context()  # a file that changed is looked at now, not when the platform calls
            trouble = trouble or certificate.trouble
            if ending := certificate.ends_soon(self._clock.wall_ms()):
                found.append(("certificate_ending", CALLBACK_NAME, ending))
                if certificate.ended(self._clock.wall_ms()):  # no longer a warning: nothing arrives
                    trouble = trouble or ending
        if trouble:
            found.append(("orders_unreachable", CALLBACK_NAME, trouble))
        if self._tcp is not None and self._tcp.down:
            found.append(("city_offline", TCP_NAME, self._tcp.down))
        since = {(fault.code, fault.device): fault.since_wall_ms for fault in self._faults}
        now_ms = self._clock.wall_ms()
        faults = tuple(CityFault(*each, since.get(each[:2], now_ms)) for each in found)
        if faults != self._faults:
            self._faults = faults
            self._changed()
