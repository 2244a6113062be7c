"""The platform on a real socket: POST /login, /thirdAPI/... and the control paths of `hal_sim.city_http`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from hal_sim import mosquitto
from hal_sim.city_http import CityServer
from hal_sim.mosquitto import Mosquitto
from hal_sim.mqtt import Guest
from hal_sim.mqtt.wire import Broken
from hal_sim.qingdao.platform import Platform
from hal_sim.qingdao.session import Account

BrokerChoice = Literal["auto", "mosquitto", "builtin"]

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
        self._mosquitto: Mosquitto | None = None
        self._guest: Guest | None = None

    def start(self, port: int = 0) -> str:
        """Listen on 127.0.0.1 (0 = any free port) and return the base url for `city.qingdao.url`."""
        return f"http://127.0.0.1:{self._server.start(port)}"

    def start_broker(self, port: int = 0) -> int:
        """The broker of the downlink on 127.0.0.1; its port for `city.qingdao.mqtt.port`."""
        return self.downlink.broker.start(port)

    def start_chosen(self, choice: BrokerChoice, folder: Path) -> tuple[int, str]:
        """Port and name of the broker: mosquitto where it is installed ("auto") or asked for, else our own.

        Raises `RuntimeError` for a mosquitto that is there, or asked for, and cannot be used.
        """
        if choice == "builtin" or (choice == "auto" and mosquitto.program() is None):
            return self.start_broker(), "内置 built in"
        try:
            port = self.start_mosquitto(folder)
        except RuntimeError as error:
            words = "mosquitto 不能用, --broker builtin 用内置的  cannot be used, --broker builtin does without"
            raise RuntimeError(f"{words}: {error}") from error
        return port, mosquitto.version() or "mosquitto"

    def start_mosquitto(self, folder: Path) -> int:
        """The same through mosquitto, a process of its own that ends with `stop`; its files go into `folder`.

        Raises `RuntimeError` when it is not installed or does not come up.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._mosquitto = Mosquitto(folder, persistence=False, accounts=self.downlink.accounts(), tied=True)
        self._mosquitto.start()
        try:
            self._guest = self.downlink.move_to(self._mosquitto.port)
        except (OSError, Broken) as error:
            self._mosquitto.end()
            raise RuntimeError(f"mosquitto: {error}") from error
        return self._mosquitto.port

    def stop(self) -> None:
        """Close every connection, also those that hang, and end every thread. Records stay readable."""
        if self._guest is not None:
            self._guest.stop()
        if self._mosquitto is not None:
            self._mosquitto.end()
            for line in self._mosquitto.complaints():
                self.downlink.violations.append(line)
            self._mosquitto = None
        self.downlink.broker.stop()
        self._server.stop()
