"""The socket side of a simulated city: HTTP/1.1 on 127.0.0.1, a thread a connection, TLS if wanted, weather, controls.

GET  /sim/weather               the spells in force
POST /sim/weather               {"kind": "hang", "path": "/thirdAPI/carIn", "probability": 0.5, "times": 3}
                                or {"kind": "clear"}, or {"kind": "release"} for what hangs
GET  /sim/summary               what was received
"""

from __future__ import annotations

import dataclasses
import json
import socket
import ssl
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal, Protocol, cast

from hal_sim.open_server import OpenServer, Running
from hal_sim.weather import Weather

HANDSHAKE_S = 10.0  # a client that connects and says nothing must not hold its thread for ever

Cut = Literal["none", "half", "all", "drip", "twice"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out: `cut` says how the line treats it."""

    status: int
    body: bytes
    content_type: str = "application/json;charset=UTF-8"
    cut: Cut = "none"


GARBAGE = b'\x00\xff<html>502 Bad Gateway</html>{"result_code":'


def weathered(status: int, body: bytes, weather: str | None) -> Answer:
    """The answer of a city under this weather, of those kinds that happen to any answer."""
    cuts: dict[str | None, Cut] = {
        "cut_off": "half", "drop_answer": "all", "slow_drip": "drip", "answer_twice": "twice",
    }  # fmt: skip
    match weather:
        case "garbage":
            return Answer(status, GARBAGE)
        case "double_encoded":
            return Answer(status, json.dumps(body.decode(), ensure_ascii=False).encode())
        case "wrong_content_type":
            return Answer(status, body, "text/html")
    return Answer(status, body, cut=cuts.get(weather, "none"))


@dataclass(frozen=True, slots=True)
class Post:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class City(Protocol):
    """What the server needs of a platform."""

    @property
    def weather(self) -> Weather[Any]: ...

    @property
    def answer_kinds(self) -> Container[str]:
        """The kinds of weather that can happen to an answer over HTTP."""

    def answer(self, post: Post, weather: Any) -> Answer:
        """Answer one POST under this weather (the server does `hang` itself)."""

    def summary(self) -> Any:
        """A dataclass."""

    def broke(self, error: BaseException) -> None:
        """A mistake of the simulator itself."""


class CityServer:
    """`start` and `stop` of one platform's server. `body_limit` in bytes; above it the answer is HTTP 413."""

    def __init__(self, city: City, name: str, body_limit: int, tls: ssl.SSLContext | None = None) -> None:
        self._city, self._name, self._body_limit, self._tls = city, name, body_limit, tls
        self.too_long: Callable[[str, int], None] = lambda path, length: None
        self._running: Running | None = None

    def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1 (0 = any free port) and return the port."""
        if self._running is not None:
            raise RuntimeError("平台已启动 the platform runs already")
        self._running = Running(_Server(self._city, port, self._body_limit, self._tls, self.too_long), self._name)
        return self._running.port

    def stop(self) -> None:
        """Close every connection, also those that hang, and end every thread."""
        if self._running is not None:
            self._running.stop()
            self._running = None


class _Server(OpenServer):
    def __init__(
        self,
        city: City,
        port: int,
        body_limit: int,
        tls: ssl.SSLContext | None,
        too_long: Callable[[str, int], None],
    ) -> None:
        self.city, self.body_limit, self.tls, self.too_long = city, body_limit, tls, too_long
        super().__init__(port, _Handler, broke=city.broke, release=city.weather.release)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: a slow handshake delays nobody else."""
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(HANDSHAKE_S)
        # The dup keeps `request` valid for `end_connections`, which must be able to wake this thread.
        with self.tls.wrap_socket(request.dup(), server_side=True) as secured:
            secured.settimeout(None)
            super().finish_request(secured, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        length = self._length(path)
        if length is None:
            return
        raw = self.rfile.read(length)
        if len(raw) < length:
            self.close_connection = True  # the sender left before its body was whole: nothing was received
            return
        if path == "/sim/weather":
            self._write(self._switch(raw))
            return
        weather = self._city.weather.strike(path, self._city.answer_kinds)
        if weather == "hang" and not self._held():
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._write(self._city.answer(Post(path, headers, raw), weather))

    def do_GET(self) -> None:
        if self.path == "/sim/weather":
            self._write(_shown([dataclasses.asdict(spell) for spell in self._city.weather.in_force()]))
        elif self.path == "/sim/summary":
            self._write(_shown(dataclasses.asdict(self._city.summary())))
        else:
            self._write(_wrong(HTTPStatus.METHOD_NOT_ALLOWED, "请求方式须为 POST, the method must be POST"))

    def _held(self) -> bool:
        """Hold this request; False when it is not to be answered any more."""
        # A plain view of the connection: a TLS socket cannot be looked into without reading from it.
        with socket.fromfd(self.connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as plain:
            return self._city.weather.hold(plain) and not self._ours.closing.is_set()

    def _length(self, path: str) -> int | None:
        """The length of the body, or None after an error was sent."""
        written, limit = self.headers.get("Content-Length", ""), self._ours.body_limit
        if not (written.isascii() and written.isdigit()):
            answer = _wrong(HTTPStatus.LENGTH_REQUIRED, f"Content-Length {written!r} 须为数字 not a number")
        elif int(written) > limit:
            self._ours.too_long(path, int(written))
            said = f"Content-Length {written} 超过 is over {limit}"
            answer = _wrong(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said)
        else:
            return int(written)
        self.close_connection = True  # the body was not read
        self._write(answer)
        return None

    def _switch(self, raw: bytes) -> Answer:
        """The person's control of the weather."""
        weather = self._city.weather
        try:
            order = json.loads(raw)
            if not isinstance(order, dict):
                raise TypeError("须为对象 must be an object")
            if order == {"kind": "clear"}:
                weather.clear()
            elif order == {"kind": "release"}:
                weather.release()
            else:
                weather.set(**order)
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
                if self._ours.closing.wait(self._city.weather.drip_s):
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
    def _city(self) -> City:
        return self._ours.city


def _shown(value: object) -> Answer:
    return Answer(200, json.dumps(value, ensure_ascii=False, indent=1, default=str).encode())


def _wrong(status: HTTPStatus, detail: str) -> Answer:
    return Answer(status, json.dumps({"result_code": 1, "message": detail}, ensure_ascii=False).encode())
