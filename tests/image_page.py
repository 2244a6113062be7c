"""An administrator at the machine's page: from outside, over TLS with the box's own certificate, as its script asks."""

from __future__ import annotations

import base64
import http.client
import re
import ssl
from pathlib import Path
from typing import Any

from tests.image_machine import Machine
from tests.web_house import Client

PIECE_BYTES = 180_000
"""As `edge/web/static/update.js` cuts a bundle."""
TIMEOUT_S = 300.0
"""Of one request: the machine is emulated and may have much to do."""
PASSWORD = "Image-4-all"


class PageClient(Client):
    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.page)
        self._machine = machine
        self._context = ssl.create_default_context()
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE

    def line(self) -> http.client.HTTPConnection:
        return http.client.HTTPSConnection(self.host, self.port, timeout=TIMEOUT_S, context=self._context)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        return super().ask(method, path, body, {"Host": "parkbox.local"} | (headers or {}))

    def enter(self) -> None:
        """At first with the password that the console of this start shows, which has to be changed."""
        if self.log_in("admin", PASSWORD) == 200:
            return
        said = re.search(r"first login: admin (\S+)", self._machine.console())
        assert said is not None, self._machine.console()[-2000:]
        assert self.log_in("admin", said[1]) == 200
        status, session = self.post("/api/password", {"old": said[1], "new": PASSWORD})
        assert status == 200, session
        self.csrf = session["csrf"]

    def upload(self, bundle: Path) -> None:
        """In pieces, then the word to install it."""
        size = bundle.stat().st_size
        with bundle.open("rb") as file:
            for at in range(0, size, PIECE_BYTES):
                piece = {"at": at, "data": base64.b64encode(file.read(PIECE_BYTES)).decode()}
                status, answer = self.post("/api/update/piece", piece)
                assert status == 200 and answer["ok"], (at, status, answer)
        status, answer = self.post("/api/update/install", {"size": size, "why": "新版本 new version"})
        assert status == 200 and answer["ok"], (status, answer)
