"""The platform on a real socket: HTTP/1.1 on 127.0.0.1, a thread a connection, with control paths.

POST /login, /thirdAPI/...      the platform
GET  /sim/weather               the spells in force
POST /sim/weather               {"kind": "hang", "path": "/thirdAPI/carIn", "probability": 0.5, "times": 3}
                                or {"kind": "clear"}, or {"kind": "release"} for what hangs
GET  /sim/summary               what was received
"""

from __future__ import annotations

import dataclasses
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from hal_sim.qingdao.platform import Answer, Platform
from hal_sim.qingdao.session import Account
from hal_sim.qingdao.weather import Spell

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
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> str:
        """Listen on 127.0.0.1 (0 = any free port) and return the base url for `city.qingdao.url`."""
        if self._server is not None:
            raise RuntimeError("平台已启动 the platform runs already")
        self._server = _Server(self, port)
        # The poll is how late `stop` may be; 0.5 s is the library's own figure.
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="qingdao-platform"
        )
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Close every connection, also those that hang, and end every thread. Records stay readable."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.end_connections()
        self._server.server_close()
        self._server = self._thread = None


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close waits for them: no thread outlives the platform
    request_queue_size = 128

    def __init__(self, platform: Platform, port: int) -> None:
        self.platform = platform
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """Wake every handler: those that read see the end, those that hang are released and see `closing`."""
        self.closing.set()
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # its client has left already: nothing waits there
                    continue
        self.platform.weather.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, ConnectionError):
            return  # a client that leaves in the middle is weather, not a mistake
        self.platform.broke(error if error is not None else RuntimeError("unknown"))
        super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        length = self._length()
        if length is None:
            return
        raw = self.rfile.read(length)
        if len(raw) < length:
            self.close_connection = True  # the sender left before its body was whole: nothing was received
            return
        path = self.path.partition("?")[0]
        if path == "/sim/weather":
            self._write(self._switch(raw))
            return
        weather = self._platform.weather.strike(path)
        if weather == "hang" and not self._held():
            self.close_connection = True
            return
        content_type, sn = self.headers.get("Content-Type", ""), self.headers.get("sn")
        self._write(self._platform.handle(path, content_type, sn, raw, weather))

    def do_GET(self) -> None:
        if self.path == "/sim/weather":
            self._write(_shown([dataclasses.asdict(spell) for spell in self._platform.weather.in_force()]))
        elif self.path == "/sim/summary":
            self._write(_shown(dataclasses.asdict(self._platform.summary())))
        else:
            self._write(_wrong(HTTPStatus.METHOD_NOT_ALLOWED, "请求方式须为 POST, the method must be POST"))

    def _held(self) -> bool:
        """Hold this request; False when it is not to be answered any more."""
        return self._platform.weather.hold(self.connection) and not self._ours.closing.is_set()

    def _length(self) -> int | None:
        """The length of the body, or None after an error was sent."""
        written = self.headers.get("Content-Length", "")
        if not (written.isascii() and written.isdigit()):
            answer = _wrong(HTTPStatus.LENGTH_REQUIRED, f"Content-Length {written!r} 须为数字 not a number")
        elif int(written) > BODY_LIMIT_BYTES:
            said = f"Content-Length {written} 超过 is over {BODY_LIMIT_BYTES}"
            answer = _wrong(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said)
        else:
            return int(written)
        self.close_connection = True  # the body was not read
        self._write(answer)
        return None

    def _switch(self, raw: bytes) -> Answer:
        """The person's control of the weather."""
        weather = self._platform.weather
        try:
            order = json.loads(raw)
            if not isinstance(order, dict):
                raise TypeError("须为对象 must be an object")
            if order == {"kind": "clear"}:
                weather.clear()
            elif order == {"kind": "release"}:
                weather.release()
            else:
                spell = Spell(**order)
                weather.set(spell.kind, path=spell.path, probability=spell.probability, times=spell.times)
        except (ValueError, TypeError) as error:
            return _wrong(HTTPStatus.BAD_REQUEST, str(error))
        return _shown([dataclasses.asdict(spell) for spell in weather.in_force()])

    def _write(self, answer: Answer) -> None:
        """Send it as one piece, or as the weather wants."""
        if answer.cut not in ("none", "twice"):
            self.close_connection = True
        if answer.cut == "all":
            return
        head = (
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
            f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n"
            f"Connection: {'close' if self.close_connection else 'keep-alive'}\r\n\r\n"
        ).encode()
        whole = head + answer.body
        if answer.cut == "half":
            self.connection.sendall(whole[: len(head) + len(answer.body) // 2])
        elif answer.cut == "drip":
            for at in range(len(whole)):
                self.connection.sendall(whole[at : at + 1])
                if self._ours.closing.wait(self._platform.weather.drip_s):
                    return
        elif answer.cut == "twice":
            self.connection.sendall(whole * 2)
        else:
            self.connection.sendall(whole)

    def log_message(self, format: str, *args: Any) -> None:
        """The platform tells its listener itself, one line a request."""

    @property
    def _ours(self) -> _Server:
        return cast(_Server, self.server)

    @property
    def _platform(self) -> Platform:
        return self._ours.platform


def _shown(value: object) -> Answer:
    return Answer(200, json.dumps(value, ensure_ascii=False, indent=1).encode())


def _wrong(status: HTTPStatus, detail: str) -> Answer:
    return Answer(status, json.dumps({"result_code": 1, "message": detail}, ensure_ascii=False).encode())
