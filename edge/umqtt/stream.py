"""A TCP or TLS connection that hands over whole MQTT packets and never waits longer than it is told.

Nothing is read beyond the packet under way, so whoever polls `sock` for readability misses no message.
"""

import errno
import select
import socket
import sys

from .packets import MQTTException, check_first, check_size

try:  # MicroPython: a counter that wraps round
    from time import ticks_add, ticks_diff, ticks_ms  # type: ignore[attr-defined]
except ImportError:
    from time import monotonic_ns

    def ticks_ms() -> int:
        return monotonic_ns() // 1_000_000

    def ticks_add(moment: int, ms: int) -> int:
        return moment + ms

    def ticks_diff(later: int, earlier: int) -> int:
        return later - earlier


__all__ = ["MICRO", "Stream", "ticks_add", "ticks_diff", "ticks_ms", "timed_out"]

MICRO = sys.implementation.name == "micropython"

POLL_MAX_MS = 60_000
"""Longest single wait; only so that no number grows beyond what poll() takes."""


def timed_out(what: str) -> OSError:
    return OSError(errno.ETIMEDOUT, what)


class Stream:
    """`dial` connects, `send` writes one packet, `take` gives the next one. Any trouble closes it and is an `OSError`, or an
    `MQTTException` when the broker broke the protocol."""

    def __init__(self, most_bytes: int) -> None:
        self.sock = None  # type: socket.socket | None
        self._most_bytes = most_bytes
        self._raw = None  # type: socket.socket | None
        self._poll = select.poll()
        self._packet = b""
        self._want = 2
        self._start = 0
        self.begun_ms = 0
        """When the first byte of the packet under way came; means something while `partial`."""

    @property
    def partial(self) -> bool:
        """A packet has begun to come and is not whole."""
        return bool(self._packet)

    def dial(self, server: str, port: int, ssl: object, ssl_params: "dict[str, object]", within_ms: int) -> None:
        """Every address of `server` in turn, then TLS; at most `within_ms` after the name is resolved."""
        self.close()
        due_ms = ticks_add(ticks_ms(), within_ms)
        trouble = OSError(errno.EHOSTUNREACH, "no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(server, port, 0, socket.SOCK_STREAM):
            left_ms = ticks_diff(due_ms, ticks_ms())
            if left_ms <= 0:
                trouble = timed_out("connect")
                break
            raw = socket.socket(family, kind, protocol)
            try:
                raw.settimeout(left_ms / 1000)
                raw.connect(address)
                raw.settimeout(max(1, ticks_diff(due_ms, ticks_ms())) / 1000)
                if not MICRO and raw.family != socket.AF_UNIX:
                    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # one packet is one write: never wait
                self._raw = raw
                self.sock = wrap(raw, server, ssl, ssl_params) if ssl else raw
                self.sock.setblocking(False)
            except OSError as error:
                raw.close()
                self._raw = self.sock = None
                trouble = error
                continue
            except ValueError as error:  # a certificate without a usable name, or a setting of `ssl_params`
                raw.close()
                self._raw = self.sock = None
                raise OSError(errno.EINVAL, "TLS: " + str(error)) from error
            self._poll = select.poll()
            self._poll.register(self.sock, select.POLLIN)
            self._packet, self._want, self._start = b"", 2, 0
            return
        raise trouble

    def close(self) -> None:
        """Again is harmless."""
        sock, raw = self.sock, self._raw
        self.sock = self._raw = None
        self._packet = b""
        for each in (sock, raw):
            if each is not None:
                each.close()

    def _open(self) -> "socket.socket":
        if self.sock is None:
            raise OSError(errno.ENOTCONN, "not connected")
        return self.sock

    def send(self, packet: bytes, within_ms: int) -> None:
        """The whole packet, in one write unless the socket's buffer is full. Sent in part, it closes the connection."""
        sock = self._open()
        write = sock.write if MICRO else sock.send  # type: ignore[attr-defined]
        due_ms = ticks_add(ticks_ms(), within_ms)
        rest = packet
        try:
            while True:
                try:
                    count = write(rest)
                except OSError as error:
                    if not again(error):
                        raise
                    count = 0
                if count == len(rest):
                    return
                rest = rest[count or 0 :]
                left_ms = ticks_diff(due_ms, ticks_ms())
                if left_ms <= 0:
                    raise timed_out("the broker takes nothing")
                self._wait(select.POLLIN | select.POLLOUT if count is None and MICRO else select.POLLOUT, left_ms)
        except OSError:
            self.close()
            raise

    def _wait(self, events: int, most_ms: int) -> None:
        sock = self._open()
        if events != select.POLLIN:
            self._poll.modify(sock, events)
        self._poll.poll(min(most_ms, POLL_MAX_MS))
        if events != select.POLLIN and self.sock is sock:
            self._poll.modify(sock, select.POLLIN)

    def wait(self, most_ms: int) -> None:
        """Until there is something to read, at most so long."""
        if most_ms > 0:
            self._wait(select.POLLIN, most_ms)

    def take(self) -> "tuple[int, bytes] | None":
        """The next packet (first byte, body) if the rest of it is here, else None; never waits."""
        sock = self._open()
        try:
            while True:
                data = sock.read(self._want) if MICRO else sock.recv(self._want)  # type: ignore[attr-defined]
                if not data:
                    if data is None:  # MicroPython's word for "nothing now"
                        return None
                    raise OSError(errno.ECONNRESET, "closed by the broker")
                if not self._packet:
                    self.begun_ms = ticks_ms()
                    check_first(data[0])
                self._packet += data
                if len(data) < self._want:
                    self._want -= len(data)
                    continue
                if self._start or self._sized():
                    first, body = self._packet[0], self._packet[self._start :]
                    self._packet, self._want, self._start = b"", 2, 0
                    return first, body
        except OSError as error:
            if again(error):
                return None
            self.close()
            raise
        except MQTTException:
            self.close()
            raise

    def _sized(self) -> bool:
        """After the header's bytes so far: True when the packet has no body, else `_want` says what is missing."""
        packet = self._packet
        if packet[-1] & 0x80:
            if len(packet) == 5:
                raise MQTTException("remaining length of five bytes (2.2.3)")
            self._want = 1
            return False
        size = 0
        for byte in reversed(packet[1:]):
            size = size << 7 | byte & 0x7F
        check_size(packet[0], size, self._most_bytes)
        self._want, self._start = size, len(packet)
        return not size


def again(error: OSError) -> bool:
    """The socket has nothing now, or takes nothing now."""
    if type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError"):
        return True
    return bool(error.args) and error.args[0] in (errno.EAGAIN, errno.EINPROGRESS)


def wrap(raw: "socket.socket", server: str, ssl: object, ssl_params: "dict[str, object]") -> "socket.socket":
    """TLS over `raw`. `ssl` is a context, or True: then certificate and name are verified with the system's authorities,
    or with `ssl_params`: server_hostname, cafile or cadata, certfile and keyfile."""
    if ssl is not True:
        return ssl.wrap_socket(raw, server_hostname=server)  # type: ignore[attr-defined, no-any-return]
    import ssl as tls  # noqa: PLC0415 - a plain connection needs none of it

    if MICRO:
        return tls.wrap_socket(raw, **ssl_params)  # type: ignore[arg-type]
    unknown = set(ssl_params) - {"server_hostname", "cafile", "cadata", "certfile", "keyfile"}
    if unknown:
        raise ValueError("ssl_params: " + ", ".join(sorted(unknown)) + " not known; give an SSLContext as ssl= instead")
    known = dict(ssl_params)
    name = known.pop("server_hostname", server)
    certificate, key = known.pop("certfile", None), known.pop("keyfile", None)
    context = tls.create_default_context(**known)  # type: ignore[arg-type]
    if certificate:
        context.load_cert_chain(certificate, key)  # type: ignore[arg-type]
    return context.wrap_socket(raw, server_hostname=name)  # type: ignore[arg-type]
