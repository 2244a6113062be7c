"""One accepted socket on the event loop: asyncio's own transport does the same in four turns of the loop, this in one.

Between a camera's connect and the first look at its push, asyncio makes a task, a transport and two callbacks, each of
which waits for the next turn; that is a fifth of a millisecond of each read. Here the listening socket's turn accepts,
tells the protocol and receives what is already there. Answers are a few hundred bytes; what the peer does not take
at once is kept and sent when it does.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any


class Channel(asyncio.Transport):
    """The part of `asyncio.Transport` that a camera connection uses. Takes over `sock`, which must not block."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, peer: Any, protocol: asyncio.BufferedProtocol
    ) -> None:
        super().__init__({"peername": peer})
        self._loop, self._sock, self._protocol = loop, sock, protocol
        self._out = bytearray()
        self._closing = self._ended = self._reading = self._eof = False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol.connection_made(self)
        self.resume_reading()
        if self._reading:
            self._readable()

    # --- in --------------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            count = self._sock.recv_into(self._protocol.get_buffer(-1))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end_soon(error)
            return
        if count:
            self._protocol.buffer_updated(count)
        elif self._protocol.eof_received():
            self.pause_reading()
        else:
            self.close()

    def pause_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._sock)

    def resume_reading(self) -> None:
        if not self._reading and not self._closing:
            self._reading = True
            self._loop.add_reader(self._sock, self._readable)

    # --- out -------------------------------------------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """As much as the peer takes now, the rest later. After the end: nothing, nobody is there any more."""
        if self._closing:
            return
        if self._eof:
            raise RuntimeError("write() after write_eof()")
        waits = bool(self._out)
        self._out += data
        if not waits:
            self._send()
            if self._out and not self._closing:
                self._loop.add_writer(self._sock, self._writable)

    def _send(self) -> None:
        try:
            count = self._sock.send(self._out)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end_soon(error)
            return
        del self._out[:count]

    def _writable(self) -> None:
        self._send()
        if self._out or self._ended:
            return
        self._loop.remove_writer(self._sock)
        if self._closing:
            self._end(None)
        elif self._eof:
            self._shut()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self._eof or self._closing:
            return
        self._eof = True
        if not self._out:
            self._shut()

    def _shut(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            self._end_soon(error)  # the peer has gone meanwhile

    # --- end -------------------------------------------------------------------------------------------------------

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """What was written is still sent."""
        self.pause_reading()
        if not self._closing:
            self._closing = True
            if not self._out:
                self._loop.call_soon(self._end, None)

    def abort(self) -> None:
        self._end_soon(None)

    def _end_soon(self, error: OSError | None) -> None:
        """The protocol hears of it in the loop's next turn: it may be in the middle of something."""
        self.pause_reading()
        self._closing = True
        self._out.clear()
        self._loop.call_soon(self._end, error)

    def _end(self, error: OSError | None) -> None:
        if self._ended:
            return
        self._ended = True
        self._loop.remove_writer(self._sock)
        try:
            self._protocol.connection_lost(error)
        finally:
            self._sock.close()
