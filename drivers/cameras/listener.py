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
from collections.abc import Callable, Sequence

from drivers.cameras.connection import Connection
from drivers.cameras.desk import Desk
from edge.config.model import Camera, Listener
from edge.ports import DeviceError, ReadSink

BACKLOG = 128


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
        self._listener = listener
        self._desk = Desk(listener, cameras, sink, new_id, now_ms)
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Bind and serve; the port that was taken (config port 0: any). Raises `DeviceError`."""
        host, port = self._listener.host, self._listener.port
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self.connection, host, port, backlog=BACKLOG)
        except OSError as error:
            raise DeviceError("listener", f"cannot listen at {host} port {port}: {error}") from error
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def connection(self) -> Connection:
        """The protocol of one new connection."""
        return Connection(self._desk)

    async def stop(self) -> None:
        """No new connection, pictures under way are kept, all connections are cut."""
        if self._server is not None:
            self._server.close()
        await self._desk.close()
        for connection in tuple(self._desk.connections):
            connection.abort()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None
