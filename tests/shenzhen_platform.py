"""A small Shenzhen platform over real TLS, with the standard library alone: login, token, sign; keeps what it gets."""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.tls_certs import Authority

KEYS = {"3001": "parkCode", "3005": "permitNo", "5003": "parkCode"}


class MiniPlatform:
    """`weather` may answer a business request: HTTP status and body, or None for as always."""

    def __init__(self, authority: Authority, password: str = "") -> None:
        self.password = password
        self.records: list[tuple[str, dict[str, Any]]] = []
        self.logins: list[tuple[str, dict[str, Any]]] = []
        self.wrong: list[str] = []
        self.weather: Callable[[str, dict[str, Any]], tuple[int, bytes] | None] = lambda code, element: None
        self.tokens: set[str] = set()
        self._changed = threading.Condition()
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = platform.answered(self.path, self.headers.get("Authorization", ""), body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json;charset=UTF-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass  # why: pytest shows what matters

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("platform"))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}/api"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answered(self, path: str, authorization: str, body: bytes) -> tuple[int, bytes]:
        prefix, _, code = path.rpartition("/")
        text = body[body.index(b'"data":') + 7 : -1]
        top = json.loads(body)
        with self._changed:
            if prefix != "/api/1.0":
                self.wrong.append(f"path {path}")
            if top["sign"] != hashlib.sha1(text).hexdigest():
                self.wrong.append(f"sign of {code}")
            if not 10**9 < top["timestamp"] < 10**10:
                self.wrong.append(f"timestamp {top['timestamp']}")
            if code in {"1001", "1002", "1003"}:
                return self._session(code, top["data"][0], authorization)
            if authorization.removeprefix("bearer ") not in self.tokens:
                return 200, reply([], 0, code=3002, count=len(top["data"]))
            said = self.weather(code, top["data"][0])
            if said is not None:
                return said
            self.records += [(code, element) for element in top["data"]]
            self._changed.notify_all()
            return 200, reply(top["data"], 0, kind=code)

    def _session(self, code: str, member: dict[str, Any], authorization: str) -> tuple[int, bytes]:
        self.logins.append((code, member))
        if code == "1003":
            self.tokens.discard(member["accessToken"])
            return 200, reply([{}], 0)
        if self.password and member["password"] != self.password:
            return 200, reply([], 0, code=3001, count=1)
        if code == "1002" and member["accessToken"] not in self.tokens:
            return 200, reply([], 0, code=3002, count=1)
        token = f"T{len(self.logins)}"
        self.tokens.add(token)
        given = {"scope": "default", "tokenType": "bearer", "expiresIn": 7200, "accessToken": token}
        return 200, reply([{**given, "refreshToken": "R"}], 0)

    def of(self, code: str) -> list[dict[str, Any]]:
        with self._changed:
            return [element for each, element in self.records if each == code]

    def wait_for(self, done: Callable[[MiniPlatform], bool], within_s: float = 20.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: done(self), within_s), self.records[-5:]


def reply(elements: list[dict[str, Any]], result: int, *, kind: str = "", code: int = 0, count: int = 0) -> bytes:
    data = [{**_named(kind, each), "code": code, "message": "成功"} for each in elements] or [{"code": code}] * count
    return json.dumps({"resultCode": result, "resultMsg": "成功", "timestamp": 1, "data": data}).encode()


def _named(kind: str, element: dict[str, Any]) -> dict[str, Any]:
    if not kind:
        return element
    element = element.get("parkInfo", element.get("entranceExitInfo", element))
    name = KEYS.get(kind, "id")
    return {name: element[name]}
