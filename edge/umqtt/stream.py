"""A TCP or TLS connection that hands over whole MQTT packets and never waits longer than it is told.

A packet that waits for its taker is never held back in here, so whoever polls `sock` for readability misses no message.
"""

import errno
import select

from .dial import MICRO, again, dial, ticks_add, ticks_diff, ticks_ms, timed_out
from .packets import OF_TWO, MQTTException, check_first, check_size

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    import socket

__all__ = ["SLICE_MS", "Stream", "ticks_add", "ticks_diff", "ticks_ms", "timed_out"]

SLICE_MS = 500
"""Longest single wait: `stop` is heard within a second, at the price of two wake-ups a second."""

HEAD = 4
"""Bytes that are read first. Every packet but PINGRESP is at least so long, so what is read beyond a packet can be
nothing but another PINGRESP or the beginning of a packet whose rest is still to be read."""


class Stream:
    """`dial` connects, `send` writes one packet, `take` gives the next one. Any trouble closes it and is an `OSError`,
    or an `MQTTException` when the broker broke the protocol."""

    def __init__(self, most_bytes: int) -> None:
        self.sock = None  # type: socket.socket | None
        self.stopped = False
        self.tls = False
        """TLS decrypts ahead: poll() may be silent while a packet is here, so `take` comes before `wait`."""
        self._most_bytes = most_bytes
        self._raw = None  # type: socket.socket | None
        self._poll = select.poll()
        self._packet = bytearray()
        self.begun_ms = 0
        """When the first byte of the packet under way came; means something while `partial`."""

    @property
    def partial(self) -> bool:
        """A packet has begun to come and is not whole."""
        return bool(self._packet)

    def dial(self, server: str, port: int, ssl: object, ssl_params: "dict[str, object]", within_ms: int) -> None:
        """See `dial.dial`; at most `within_ms` after the name is resolved."""
        self.close()
        self.heed()
        due_ms = ticks_add(ticks_ms(), within_ms)
        self._raw, self.sock = dial(server, port, ssl, ssl_params, due_ms, self._until)
        self.tls = bool(ssl)
        self._poll = select.poll()
        self._poll.register(self.sock, select.POLLIN)

    def close(self) -> None:
        """Again is harmless."""
        sock, raw = self.sock, self._raw
        self.sock = self._raw = None
        self._packet = bytearray()
        for each in (sock, raw):
            if each is not None:
                each.close()

    def heed(self) -> None:
        """`OSError` (ECONNABORTED) once stopped."""
        if self.stopped:
            self.close()
            raise OSError(errno.ECONNABORTED, "stopped")

    def _until(self, sock: "socket.socket", events: int, due_ms: int) -> None:
        """Wait while connecting."""
        poll = select.poll()
        poll.register(sock, events)
        while True:
            self.heed()
            left_ms = ticks_diff(due_ms, ticks_ms())
            if left_ms <= 0:
                raise timed_out("connect")
            if poll.poll(min(left_ms, SLICE_MS)):
                return

    def _open(self) -> "socket.socket":
        self.heed()
        if self.sock is None:
            raise OSError(errno.ENOTCONN, "not connected")
        return self.sock

    def send(self, packet: bytes, within_ms: int) -> None:
        """The whole packet, in one write unless the socket's buffer is full. Sent in part, it closes the connection."""
        sock = self.sock
        if sock is None or self.stopped:
            sock = self._open()
        write = sock.write if MICRO else sock.send  # type: ignore[attr-defined]
        rest = packet
        due_ms = None  # type: int | None
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
                now_ms = ticks_ms()
                if due_ms is None:
                    due_ms = ticks_add(now_ms, within_ms)
                left_ms = ticks_diff(due_ms, now_ms)
                if left_ms <= 0:
                    raise timed_out("the broker takes nothing")
                self._poll.modify(sock, select.POLLOUT)
                self._poll.poll(min(left_ms, SLICE_MS))
                self._poll.modify(sock, select.POLLIN)
                self.heed()
        except OSError:
            self.close()
            raise

    def wait(self, most_ms: int) -> None:
        """Until there is something to read, at most so long, and never longer than SLICE_MS."""
        if most_ms > 0 and self.sock is not None:
            self._poll.poll(most_ms if most_ms < SLICE_MS else SLICE_MS)

    def take(self) -> "tuple[int, bytes] | None":
        """The next packet (first byte, body) if the rest of it is here, else None; never waits."""
        sock = self.sock
        if sock is None or self.stopped:
            sock = self._open()
        try:
            if self._packet:
                return self._rest(sock)
            data = _read(sock, HEAD)
            if data is None:
                return None
            if len(data) == HEAD and 2 <= data[1] <= 0x7F:  # nearly every packet: this way is three times as fast
                first, size = data[0], data[1]
                if size == 2 and first in OF_TWO:
                    return first, data[2:]
                check_first(first)
                check_size(first, size, self._most_bytes)
                if size == 2:
                    return first, data[2:]
                more = _read(sock, size - 2)
                if more is not None:
                    data += more
                    if len(data) == size + 2:
                        return first, data[2:]
            self.begun_ms = ticks_ms()
            self._packet = bytearray(data)
            return self._rest(sock)
        except (OSError, MQTTException):
            self.close()
            raise

    def _rest(self, sock: "socket.socket") -> "tuple[int, bytes] | None":
        """As `take`, of a packet that has begun."""
        while True:
            packet = self._packet
            start, end = self._extent()
            if len(packet) >= end > 1:
                self._packet = packet[end:]
                self.begun_ms = ticks_ms()
                return packet[0], bytes(packet[start:end])
            data = _read(sock, end - len(packet) if end else 1)
            if data is None:
                return None
            packet.extend(data)

    def _extent(self) -> "tuple[int, int]":
        """Where the body of the packet under way begins and ends; (0, 0) while that has not come."""
        packet = self._packet
        check_first(packet[0])
        size = 0
        for at in range(1, len(packet)):
            if at > 4:
                raise MQTTException("remaining length of five bytes (2.2.3)")
            size |= (packet[at] & 0x7F) << 7 * (at - 1)
            if packet[at] < 0x80:
                check_size(packet[0], size, self._most_bytes)
                return at + 1, at + 1 + size
        if len(packet) > 4:
            raise MQTTException("remaining length of five bytes (2.2.3)")
        return 0, 0


def _read(sock: "socket.socket", count: int) -> bytes | None:
    """Up to `count` bytes, None when there are none now; `OSError` at the end of the stream."""
    try:
        data = sock.read(count) if MICRO else sock.recv(count)  # type: ignore[attr-defined]
    except OSError as error:
        if again(error):
            return None
        raise
    if data == b"":
        raise OSError(errno.ECONNRESET, "closed by the broker")
    return data
