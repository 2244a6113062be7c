"""Callback server: HTTPS for the platform's orders (T/SZPIA 001-2020 7.1.4.1.1 d, 7.1.4.1.2, 7.1.4.4).

A thread that accepts and one for each connection, at most `connections_max`. Everything is bounded: the handshake, the
request and the answer each in time, headers and body in size, one large body at a time. Who has neither token nor
client certificate is told 401 before its body is read as an order.
"""

from __future__ import annotations

import hmac
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address, ip_network
from typing import Any

from edge.cities.shenzhen.certificate import ServerCertificate
from edge.cities.shenzhen.codes import BAD_ENVELOPE, BAD_TOKEN, OTHER
from edge.cities.shenzhen.desk import OrderDesk
from edge.cities.shenzhen.envelope import CONTENT_TYPE
from edge.cities.shenzhen.orders import NAMES
from edge.config.shenzhen import ShenzhenCallback

log = logging.getLogger("parkbox.shenzhen.callback")

# A platform that keeps its connection calls again within this, or connects anew.
IDLE_S = 75.0

# Larger bodies (control lists) are read one at a time: 10 MB on every connection would not fit a small box.
LARGE_BYTES = 262_144

_WATCH_S = 0.5


class CallbackServer:
    """`tokens` gives those that are good at this moment."""

    def __init__(
        self,
        settings: ShenzhenCallback,
        desk: OrderDesk,
        tokens: Callable[[], Collection[str]],
        died: Callable[[BaseException], None],
    ) -> None:
        """Raises `OSError` or `ssl.SSLError` when certificate or key cannot be used."""
        self._settings, self._desk, self._tokens, self._died = settings, desk, tokens, died
        self.certificate = ServerCertificate(settings.cert_file, settings.key_file, settings.client_ca_file)
        self._networks = [ip_network(each) for each in settings.addresses]
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._lines: dict[socket.socket, float] = {}  # connection -> monotonic deadline
        self._lock = threading.Lock()
        self._large = threading.Lock()

    @property
    def port(self) -> int:
        """The port in use, 0 before `start`."""
        return int(self._listener.getsockname()[1]) if self._listener is not None else 0

    def start(self) -> None:
        """Raises `OSError` when the address cannot be had."""
        family = socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET
        self._listener = socket.create_server((self._settings.host, self._settings.port), family=family, backlog=16)
        for name, work in (("shenzhen-callback", self._accept), ("shenzhen-callback-watch", self._watch)):
            thread = threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stopping.set()
        if self._listener is not None:
            with suppress(OSError):  # shutting a listener down wakes its accept; not every system does it quietly
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            _cut(line)
        for thread in list(self._threads):
            thread.join()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            if not self._stopping.is_set():
                self._died(error)
                raise

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._stopping.is_set():
            try:
                line, peer = self._listener.accept()
            except OSError:
                if self._stopping.is_set():
                    return
                if self._stopping.wait(_WATCH_S):  # out of descriptors, or a peer that went away: not for ever
                    return
                continue
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            with self._lock:
                full = len(self._lines) >= self._settings.connections_max
                if not full:
                    self._lines[line] = time.monotonic() + self._settings.slow_s
            if full or not self._welcome(str(peer[0])):
                self._desk.counts["connection refused"] += 1
                self._forget(line)
                continue
            thread = threading.Thread(target=self._serve, args=(line, peer), name="shenzhen-call", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _welcome(self, address: str) -> bool:
        if not self._networks:
            return True
        at = ip_address(address.partition("%")[0])
        plain = getattr(at, "ipv4_mapped", None) or at
        return any(plain in network for network in self._networks)

    def _serve(self, line: socket.socket, peer: Any) -> None:
        try:
            line.settimeout(self._settings.slow_s)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            context = self.certificate.context()
            with context.wrap_socket(line, server_side=True, do_handshake_on_connect=False) as secure:
                self._follow(line, secure)
                secure.do_handshake()
                secure.settimeout(IDLE_S)  # within a request `until` is stricter
                _Handler(secure, peer, self)
        except (OSError, ssl.SSLError, ValueError) as error:
            self._desk.counts["connection failed"] += 1
            log.info("connection of %s: %s", peer[0], error)
        finally:
            self._forget(line)

    def _follow(self, line: socket.socket, secure: socket.socket) -> None:
        """The TLS socket has taken the plain one's descriptor."""
        with self._lock:
            self._lines[secure] = self._lines.pop(line, time.monotonic() + self._settings.slow_s)

    def until(self, line: socket.socket, seconds: float) -> None:
        """The connection is cut unless it says more within `seconds`."""
        with self._lock:
            if line in self._lines:
                self._lines[line] = time.monotonic() + seconds

    def _forget(self, line: socket.socket) -> None:
        with self._lock:
            gone = [each for each in self._lines if each is line or each.fileno() == -1]
            for each in gone:
                del self._lines[each]
        line.close()

    def _watch(self) -> None:
        while not self._stopping.wait(_WATCH_S):
            now_s = time.monotonic()
            with self._lock:
                late = [line for line, deadline_s in self._lines.items() if deadline_s < now_s]
            for line in late:
                self._desk.counts["connection too slow"] += 1
                _cut(line)

    # --- one request, for the handler ------------------------------------------------------------------------------

    def judge(self, method: str, path: str, headers: Message) -> tuple[int, int, str]:
        """HTTP status, command and reason before the body is read; status 200 is welcome."""
        if method != "POST":
            return 405, 0, "只支持 only POST"
        command = self._command(path)
        if command is None:
            return 404, 0, "没有此接口 no such interface"
        if not self._proven(headers.get("Authorization", "")):
            return 401, command, f"访问令牌错误 wrong access token ({BAD_TOKEN})"
        length = headers.get("Content-Length", "")
        if headers.get("Transfer-Encoding") or not (length.isascii() and length.isdecimal() and len(length) <= 12):
            return 411, command, "须有 Content-Length"
        if int(length) > self._settings.body_limit_bytes:
            return 413, command, f"最多 at most {self._settings.body_limit_bytes} bytes (7.1.4.1.1 g)"
        return 200, command, ""

    def _command(self, path: str) -> int | None:
        """SC15: below which prefix the platform calls is not said."""
        path = path.partition("?")[0].rstrip("/")
        prefix, _, code = path.rpartition("/")
        known = {each.rstrip("/") for each in self._settings.prefixes}
        return int(code) if prefix in known and code in {str(each) for each in NAMES} else None

    def _proven(self, authorization: str) -> bool:
        """SC06, SC07: bearer or Bearer with or without blank, or the bare token."""
        if self._settings.client_ca_file and not self._settings.token_file:
            return True  # the handshake has proven it
        shown = authorization.strip()
        bare = shown[6:].strip() if shown[:6].lower() == "bearer" else shown
        good: Sequence[str] = [token for token in self._tokens() if token]
        found = [hmac.compare_digest(each.encode(), token.encode()) for token in good for each in (shown, bare)]
        return any(found)

    def handle(self, command: int, body: bytes) -> bytes:
        return self._desk.handle(command, body)

    def refusal(self, status: int, why: str) -> bytes:
        return self._desk.refusal(BAD_ENVELOPE if status in {411, 413} else OTHER, why)

    @property
    def slow_s(self) -> float:
        return self._settings.slow_s

    @property
    def large(self) -> threading.Lock:
        return self._large


class _Handler(BaseHTTPRequestHandler):
    """The requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    server_version = "parkbox"
    sys_version = ""
    error_content_type = "text/plain;charset=UTF-8"
    error_message_format = "%(code)d\n"

    def __init__(self, line: ssl.SSLSocket, peer: Any, server: CallbackServer) -> None:
        self._server, self._line = server, line
        super().__init__(line, peer, server)  # type: ignore[arg-type]  # it only keeps the server for us

    def handle_one_request(self) -> None:
        self._server.until(self._line, IDLE_S)
        super().handle_one_request()

    def parse_request(self) -> bool:
        self._server.until(self._line, self._server.slow_s)
        return super().parse_request()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # every method is judged in one place
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        status, command, why = self._server.judge(self.command, self.path, self.headers)
        if status != 200:
            self.close_connection = True  # its body is not read
            self._reply(status, self._server.refusal(status, why))
            return
        body = self._body(int(self.headers["Content-Length"]))
        if body is not None:
            self._reply(200, self._server.handle(command, body))

    def _body(self, length: int) -> bytes | None:
        if length <= LARGE_BYTES:
            body = self.rfile.read(length)
        elif self._server.large.acquire(timeout=self._server.slow_s):
            try:
                body = self.rfile.read(length)
            finally:
                self._server.large.release()
        else:
            body = b""
        if len(body) == length:
            return body
        self.close_connection = True  # cut off: there is nobody to answer
        return None

    def _reply(self, status: int, body: bytes) -> None:
        self._server.until(self._line, self._server.slow_s)
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug("%s %s", self.client_address[0], format % args)


def _cut(line: socket.socket) -> None:
    """Shut the plain socket below any TLS: the thread that waits on it wakes up with an error at once."""
    with suppress(OSError, ValueError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
