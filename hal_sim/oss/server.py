"""The bucket on a real socket: HTTP/1.1 on 127.0.0.1, a thread a connection."""

from __future__ import annotations

import ssl
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from hal_sim.open_server import OpenServer, Running
from hal_sim.oss.bucket import Answer, OssBucket

BODY_LIMIT_BYTES = 5_000_000  # ten times the largest picture that is allowed


class OssServer(OssBucket):
    """The simulated storage, running between `start` and `stop`."""

    _running: Running | None = None

    def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> str:
        """Listen on 127.0.0.1 (0 = any free port), behind TLS with that context, and return the endpoint."""
        if self._running is not None:
            raise RuntimeError("存储已启动 the storage runs already")
        self._running = Running(_Server(self, port, tls), "oss-server")
        return f"{'http' if tls is None else 'https'}://127.0.0.1:{self._running.port}"

    def stop(self) -> None:
        """Close every connection, also those that hang, and end every thread. Pictures stay readable."""
        if self._running is not None:
            self._running.stop()
            self._running = None


class _Server(OpenServer):
    def __init__(self, bucket: OssBucket, port: int, tls: ssl.SSLContext | None) -> None:
        self.bucket = bucket
        super().__init__(port, _Handler, broke=bucket.broke, release=bucket.weather.release)
        if tls is not None:  # the handshake is the handler's: one that hangs holds up nobody else
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_PUT(self) -> None:
        written = self.headers.get("Content-Length", "")
        if not (written.isascii() and written.isdigit()) or int(written) > BODY_LIMIT_BYTES:
            self.close_connection = True  # the body is not read
            self._write(Answer(411 if not written else 400, b"", {}))
            return
        data = self.rfile.read(int(written))
        if len(data) < int(written):
            self.close_connection = True  # the sender left before its body was whole: nothing was received
            return
        self._answer(data)

    def do_GET(self) -> None:
        self._answer(b"")

    def do_DELETE(self) -> None:
        self._answer(b"")

    def _answer(self, data: bytes) -> None:
        bucket = self._ours.bucket
        weather = bucket.weather.strike(self.path)
        if weather == "hang" and not (bucket.weather.hold(self.connection) and not self._ours.closing.is_set()):
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._write(bucket.handle(self.command, self.path, headers, data, weather))

    def _write(self, answer: Answer) -> None:
        """Send it as one piece, or as the weather wants."""
        if answer.cut != "none":
            self.close_connection = True
        if answer.cut == "all":
            return
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        lines += [f"Date: {self.date_time_string()}", f"Content-Length: {len(answer.body)}"]
        lines += [f"Connection: {'close' if self.close_connection else 'keep-alive'}", "", ""]
        whole = "\r\n".join(lines).encode() + answer.body
        if answer.cut == "half":
            whole = whole[: len(whole) - len(answer.body) // 2]
        if answer.cut == "drip":
            for at in range(len(whole)):
                self.connection.sendall(whole[at : at + 1])
                if self._ours.closing.wait(self._ours.bucket.weather.drip_s):
                    return
            return
        self.connection.sendall(whole)

    def log_message(self, format: str, *args: Any) -> None:
        """The bucket tells its listener itself, one line a request."""

    @property
    def _ours(self) -> _Server:
        return cast(_Server, self.server)
