"""The platform on a real socket: POST /login, /thirdAPI/... and the control paths of `hal_sim.city_http`."""

from __future__ import annotations

import time
from collections.abc import Callable

from hal_sim.city_http import CityServer
from hal_sim.qingdao.platform import Platform
from hal_sim.qingdao.session import Account

BODY_LIMIT_BYTES = 4_000_000  # far above any batch of records; a larger one is a mistake of the sender


class QingdaoPlatform(Platform):
    """The simulated platform, running between `start` and `stop`."""

    def __init__(
        self,
        account: Account,
        *,
        seed: int = 0,
        token_life_s: int = 7200,
        now: Callable[[], float] = time.time,
        listener: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(account, seed=seed, token_life_s=token_life_s, now=now, listener=listener)
        self._server = CityServer(self, "qingdao-platform", BODY_LIMIT_BYTES)

    def start(self, port: int = 0) -> str:
        """Listen on 127.0.0.1 (0 = any free port) and return the base url for `city.qingdao.url`."""
        return f"http://127.0.0.1:{self._server.start(port)}"

    def start_broker(self, port: int = 0) -> int:
        """The broker of the downlink on 127.0.0.1; its port for `city.qingdao.mqtt.port`."""
        return self.downlink.broker.start(port)

    def stop(self) -> None:
        """Close every connection, also those that hang, and end every thread. Records stay readable."""
        self.downlink.broker.stop()
        self._server.stop()
