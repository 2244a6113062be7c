"""The callback server of Shenzhen's orders with a client that signs."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from pathlib import Path
from typing import Any

from edge.cities.shenzhen.callback import CallbackServer
from edge.cities.shenzhen.desk import OrderDesk
from edge.config.shenzhen import ShenzhenCallback
from tests.shenzhen_tools import PARK, HandClock, Lane, platform_request, settings
from tests.tls_certs import Authority

WAIT_S = 10.0
ORDER = {"bookCode": "A", "parkCode": PARK, "confirmStatus": 1}


class Rig:
    def __init__(self, folder: Path, **changes: Any) -> None:
        self.authority = Authority(folder)
        self.cert_file, self.key_file = self.authority.issue("box")
        values: dict[str, Any] = {
            "url": "https://127.0.0.1/api",
            "host": "127.0.0.1",
            "port": 0,
            "cert_file": str(self.cert_file),
            "key_file": str(self.key_file),
            "slow_s": 1.0,
        }
        self.lane = Lane()
        self.desk = OrderDesk(settings(), self.lane.ask, HandClock(), lambda: "0" * 32)
        self.failed: list[BaseException] = []
        self.server = CallbackServer(
            ShenzhenCallback(**(values | changes)), self.desk, lambda: ("T1", ""), self.failed.append
        )
        self.server.start()

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.file))

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.server.port, context=self.context(), timeout=WAIT_S)

    def post(self, path: str = "/api/1.0/6002", body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        line = self.connect()
        try:
            body = platform_request([ORDER]) if body is None else body
            line.request("POST", path, body, {"Authorization": "bearer T1"} | headers)
            answer = line.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            line.close()

    def line(self) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.server.port), timeout=WAIT_S)
        return self.context().wrap_socket(plain, server_hostname="127.0.0.1")
