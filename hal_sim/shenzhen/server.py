"""The whole platform on real sockets: HTTPS for what comes up, TLS TCP for the link, both ways for orders."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hal_sim.city_http import CityServer
from hal_sim.shenzhen import lists
from hal_sim.shenzhen.certificates import Authority
from hal_sim.shenzhen.frames import DATA_MAX
from hal_sim.shenzhen.link import HEARTBEAT_LIMIT_S
from hal_sim.shenzhen.link_server import LinkServer
from hal_sim.shenzhen.orders import Element, OrderAnswer, Orders, Via
from hal_sim.shenzhen.platform import BASE, Platform
from hal_sim.shenzhen.session import Account
from hal_sim.shenzhen.values import Fault


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the platform is: the base for `city.shenzhen.url`, the TCP port, and the CA that vouches for both."""

    url: str
    tcp_port: int
    ca_file: Path


class ShenzhenPlatform(Platform):
    """The simulated platform, running between `start` and `stop`.

    `folder` holds its keys and certificates; `authority` issues one for the box's callback server too, and the
    platform trusts no other.
    """

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        seed: int = 0,
        token_life_s: int = 7200,
        heartbeat_limit_s: float = HEARTBEAT_LIMIT_S,
        now: Callable[[], float] = time.time,
        listener: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(account, seed=seed, token_life_s=token_life_s, now=now, listener=listener)
        self.authority = Authority(folder)
        tls = self.authority.server_context(self.authority.issue("platform"))
        self._https = CityServer(self, "shenzhen-platform", DATA_MAX, tls)
        self._https.too_long = self._too_long
        self.links = LinkServer(self, tls, heartbeat_limit_s)
        self.addresses: Addresses | None = None  # since `start`
        self.orders = Orders(self, self.links, self.authority.client_context())

    def start(self, https_port: int = 0, tcp_port: int = 0) -> Addresses:
        """Listen on 127.0.0.1 (0 = any free port)."""
        url = f"https://127.0.0.1:{self._https.start(https_port)}{BASE}"
        self.addresses = Addresses(url, self.links.start(tcp_port), self.authority.ca_file)
        return self.addresses

    def stop(self) -> None:
        """Close every connection, also those that hang, and end every thread. Records stay readable."""
        self.links.stop()
        self._https.stop()

    def send_order(self, code: int, elements: list[Element], via: Via | None = None) -> OrderAnswer:
        """An order to the box and its answer; see `Orders.send`."""
        return self.orders.send(code, elements, via)

    def _too_long(self, path: str, length: int) -> None:
        said = f"超过 is over {DATA_MAX} (7.1.4.1.1 g)"
        self.violate(path, "", Fault("Content-Length", str(length), said, lists.BAD_ENVELOPE))
