"""A camera that takes orders over HTTP behind a digest login: Hikvision's barrierGate, Dahua's trafficSnap.cgi.

Written from the survey (b6, c2) and RFC 7616. It opens only for a request that it understands and whose login is right.
"""

from __future__ import annotations

import hashlib
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

REALM, NONCE = "IP Camera(C1234)", "4f6a5d0e8a7b:1715075283"


class HttpGateCamera:
    """At 127.0.0.1, a free port. Counts openings, snapshots and wrong logins."""

    def __init__(self, vendor: str, user: str, password: str) -> None:
        self.vendor, self.user, self.password = vendor, user, password
        self.opened = self.closed = self.snapped = self.wrong_logins = self.other = 0
        self.refuses = False
        self.moves: list[str] = []  # orders of the arm as they were carried out
        self.gate = threading.Event()  # cleared: requests with the right login wait for it
        self.gate.set()
        self.held = 0  # that waited
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="http-gate", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def wait(self, true: Callable[[], bool], within_s: float = 10.0) -> bool:
        with self._changed:
            return self._changed.wait_for(true, within_s)

    def obey(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        with self._changed:
            self.held += not self.gate.is_set()
            self._changed.notify_all()
        self.gate.wait(10.0)
        with self._changed:
            self._changed.notify_all()
            if self.refuses:
                return 403, b"<ResponseStatus><statusCode>4</statusCode></ResponseStatus>"
            if self.vendor == "hikvision":
                return self._isapi(method, target, body)
            return self._cgi(method, target)

    def wrong(self) -> None:
        with self._changed:
            self.wrong_logins += 1
            self._changed.notify_all()

    def _isapi(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        if (method, target) == ("PUT", "/ISAPI/Parking/channels/1/barrierGate"):
            mode = ET.fromstring(body).findtext("ctrlMode")
            self._move(mode or "")
            return 200, b"<ResponseStatus>\n<statusCode>1</statusCode>\n</ResponseStatus>"
        self.other += 1
        return 404, b""

    def _move(self, mode: str) -> None:
        """Locks, snapshots and an opening without its type move nothing."""
        self.opened += mode == "open"
        self.closed += mode == "close"
        if mode in {"open", "close"}:
            self.moves.append(mode)

    def _cgi(self, method: str, target: str) -> tuple[int, bytes]:
        url = urlsplit(target)
        asked = parse_qs(url.query)
        if method == "GET" and url.path == "/cgi-bin/trafficSnap.cgi" and asked.get("channel") == ["1"]:
            if asked["action"] == ["closeStrobe"]:
                self._move("close")
            elif asked["action"] == ["openStrobe"] and asked.get("info.openType") == ["Normal"]:
                self._move("open")
            self.snapped += asked["action"] == ["manSnap"]
            return 200, b"OK\r\n"
        self.other += 1
        return 400, b"Error\r\nBad Request!\r\n"

    def login_is_right(self, method: str, target: str, field: str) -> bool:
        return digest_is_right(self.user, self.password, method, target, field)


def digest_is_right(
    user: str, password: str, method: str, target: str, field: str
) -> bool:
    """RFC 7616 with MD5 and qop auth, for our one nonce."""
    said = dict(re.findall(r'(\w+)="?([^",]*)"?', field))
    one = _hex(f"{user}:{REALM}:{password}")
    two = _hex(f"{method}:{target}")
    whole = _hex(f"{one}:{NONCE}:{said.get('nc')}:{said.get('cnonce')}:{said.get('qop')}:{two}")
    return said.get("uri") == target and said.get("response") == whole


def _hex(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _handler(camera: HttpGateCamera) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            field = self.headers.get("Authorization", "")
            right = camera.login_is_right(self.command, self.path, field)
            if field and not right:
                camera.wrong()
            status, text = camera.obey(self.command, self.path, body) if right else (401, b"")
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", f'Digest qop="auth", realm="{REALM}", nonce="{NONCE}"')
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler
