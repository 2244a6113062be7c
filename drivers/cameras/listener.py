"""The one server that all cameras of the box push to (DESIGN 2: small, inside `lane`, nothing that can be slow).

How to set up a camera: its push address is http://<host>:<port> of `[listener]`, with the path its firmware has
(VZ /devicemanagement/php/plateresult.php, Dahua /NotificationInfo/..., any for Hikvision), or `/cam/<camera id>`, or
any path that ends with `/<camera id>`. The id in the path is only needed where several cameras share an address and
have no `serial` in the config. No picture is looked at before the read was given to the sink.

Counters given to `sink.count` (camera "" when nobody knows which): camera_refused, bad_request, damaged,
damaged_after_read, picture_damaged, picture_lost, repeat, other_event, slow, cut_off, too_many_connections,
verdict_late.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence

from drivers.cameras.channel import Channel
from drivers.cameras.connection import Connection
from drivers.cameras.desk import Desk
from drivers.cameras.vendors import load
from edge.config.model import Camera, Listener
from edge.ports import DeviceError, ReadSink

BACKLOG = 128

OUT_OF_MEANS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
AGAIN_S = 1.0
"""No file number is free: those who wait stay in the backlog so long."""


class CameraListener:
    """`cameras` are (lane id, camera). `new_id` makes read ids; `now_ms` is monotonic."""

    def __init__(
        self,
        listener: Listener,
        cameras: Sequence[tuple[str, Camera]],
        sink: ReadSink,
        new_id: Callable[[], str],
        now_ms: Callable[[], int],
    ) -> None:
        load(camera.vendor for _, camera in cameras)
        self._listener = listener
        self._desk = Desk(listener, cameras, sink, new_id, now_ms)
        self._socket: socket.socket | None = None

    @property
    def desk(self) -> Desk:
        """Where reads go, for cameras that the box connects to."""
        return self._desk

    async def start(self) -> int:
        """Bind and serve; the port that was taken (config port 0: any). Raises `DeviceError`."""
        host, port = self._listener.host, self._listener.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise DeviceError("listener", f"cannot listen at {host} port {port}: {error}") from error
        self._socket.setblocking(False)
        bound: int = self._socket.getsockname()[1]
        self._serve(self._socket)
        return bound

    def _serve(self, listening: socket.socket) -> None:
        if listening is self._socket:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            sock, peer = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # it went away before it was taken
        except OSError as error:
            if error.errno not in OUT_OF_MEANS:
                raise
            self._desk.sink.count("", "too_many_connections", f"accept: {error}")
            loop.remove_reader(listening)
            loop.call_later(AGAIN_S, self._serve, listening)
            return
        sock.setblocking(False)
        Channel(loop, sock, peer, self.connection())

    def connection(self) -> Connection:
        """The protocol of one new connection."""
        return Connection(self._desk)

    async def stop(self) -> None:
        """No new connection, pictures under way are kept, all connections are cut."""
        listening, self._socket = self._socket, None
        if listening is not None:
            asyncio.get_running_loop().remove_reader(listening)
            listening.close()
        await self._desk.close()
        for connection in tuple(self._desk.connections):
            connection.abort()
        await asyncio.sleep(0)  # each hears of its end in the loop's next turn
