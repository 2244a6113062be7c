"""A broker that does as a script says, byte by byte: what the client sends is compared, what it gets is given here.

Its own reading of a packet's length is the algorithm of MQTT 3.1.1, 2.2.3, and shares nothing with the code it tests.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WITHIN_S = 10.0
"""No step of a script takes so long; only a failing test waits for it."""

CONNACK = b"\x20\x02\x00\x00"
CONNACK_KEPT = b"\x20\x02\x01\x00"


class Peer:
    """The broker's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.settimeout(WITHIN_S)

    def packet(self) -> bytes:
        """The next whole packet; b"" when the client has closed."""
        head = self._bytes(1)
        if not head:
            return b""
        multiplier, size = 1, 0
        while True:
            digit = self._bytes(1)
            head += digit
            size += (digit[0] & 127) * multiplier
            multiplier *= 128
            if not digit[0] & 128:
                return head + self._bytes(size)

    def _bytes(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                more = self._sock.recv(count - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                return data
            data += more
        return data

    def expect(self, *packets: bytes) -> None:
        for wanted in packets:
            got = self.packet()
            assert got == wanted, f"got {got.hex(' ')}, wanted {wanted.hex(' ')}"

    def send(self, *packets: bytes) -> None:
        for data in packets:
            self._sock.sendall(data)

    def accept(self, connack: bytes = CONNACK) -> bytes:
        """The CONNECT, answered."""
        hello = self.packet()
        assert hello[:1] == b"\x10", hello
        self.send(connack)
        return hello

    def close(self) -> None:
        self._sock.close()

    def closed(self) -> bool:
        """Waits until the client closes, whatever it says before."""
        while self.packet():
            pass
        return True


Script = Callable[[Peer], None]


class Broker:
    """`port` to connect to; one script a connection, in their order; `seen` counts connections."""

    def __init__(self, scripts: tuple[Script, ...]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(WITHIN_S)
        self.port: int = self._listener.getsockname()[1]
        self.seen = 0
        self.trouble: BaseException | None = None
        self._scripts = scripts
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for script in self._scripts:
                sock, _ = self._listener.accept()
                self.seen += 1
                with sock:
                    script(Peer(sock))
        except (AssertionError, OSError, IndexError) as error:
            self.trouble = error
        finally:
            self._listener.close()

    def end(self) -> None:
        self._thread.join(2 * WITHIN_S)
        assert not self._thread.is_alive()
        if self.trouble is not None:
            raise AssertionError(f"the broker's script: {self.trouble!r}") from self.trouble


@contextmanager
def broker(*scripts: Script) -> Iterator[Broker]:
    """Leaving waits for the scripts' end and raises what went wrong in them."""
    served = Broker(scripts)
    try:
        yield served
    except BaseException as error:
        if served.trouble is not None:
            error.add_note(f"the broker's script: {served.trouble!r}")
        raise
    served.end()


def publish(topic: bytes, message: bytes, *, qos: int = 0, pid: int = 0, dup: bool = False) -> bytes:
    """A PUBLISH of up to 127 bytes (3.3)."""
    body = len(topic).to_bytes(2, "big") + topic + (pid.to_bytes(2, "big") if qos else b"") + message
    assert len(body) < 128
    return bytes((0x30 | dup << 3 | qos << 1, len(body))) + body


def puback(pid: int) -> bytes:
    return b"\x40\x02" + pid.to_bytes(2, "big")


def suback(pid: int, code: int) -> bytes:
    return b"\x90\x03" + pid.to_bytes(2, "big") + bytes((code,))
