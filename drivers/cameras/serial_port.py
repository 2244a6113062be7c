"""A camera's RS485 as the port of a line: what the line writes goes out of the camera, nothing comes back.

    line's thread ── write ──► loop ──► VZ TCP: ttransmission send        not connected: the port is gone (OSError)
                                   └──► VZ HTTP: serialData in the next reply that is executed

The line keeps the gaps and the order as on a port of the box; signs do not know the difference.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from drivers.cameras.clients import CameraClients, SerialClient
from drivers.cameras.desk import Desk

WITHIN_S = 0.5
"""The loop takes bytes in a turn; one that does not is ending."""
GRACE_S = 10.0
"""After the start a camera may need so long to be connected to; until then it is no fault."""


class SerialThroughCameras:
    """`send` and `ready` by camera, on the lane's event loop."""

    def __init__(self, desk: Desk, clients: CameraClients) -> None:
        self._desk, self._clients = desk, clients

    def ready(self, camera: str) -> str:
        """Why bytes cannot go out now, "" when they can."""
        client = self._clients.find(camera)
        return client.trouble() or "not connected" if isinstance(client, SerialClient) and not client.connected else ""

    def send(self, camera: str, channel: int, data: bytes) -> str:
        """Why these were not sent, "" when they are on their way."""
        client = self._clients.find(camera)
        if isinstance(client, SerialClient):
            return "" if client.serial(data, channel) else client.trouble() or "not connected"
        self._desk.mail.put(camera, channel, data)
        self._desk.answer_held(camera)
        return ""


class CameraPort:
    """`drivers.rs485.port.Port` on one camera's terminals."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[bytes], str]) -> None:
        self._loop, self._send = loop, send
        self._closed = threading.Event()

    def write(self, data: bytes) -> None:
        told: Future[str] = Future()
        try:
            self._loop.call_soon_threadsafe(lambda: told.set_result(self._send(data)))
            why = told.result(WITHIN_S)
        except RuntimeError as error:  # the loop has ended
            raise OSError(str(error)) from error
        except TimeoutError as error:
            raise OSError("the program is ending or too busy") from error
        if why:
            raise OSError(why)

    def read(self, within_s: float) -> bytes:
        """Cameras hand nothing back from their RS485 to whoever sent."""
        self._closed.wait(within_s)
        return b""

    def discard(self) -> bytes:
        return b""

    def close(self) -> None:
        self._closed.set()


class PortOfCamera:
    """Opens the port of one camera for its line, again and again; raises `OSError` while it is not connected."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, through: SerialThroughCameras, camera: str, channel: int,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._loop, self._through, self._camera, self._channel = loop, through, camera, channel
        self._mono_s, self._since_s = mono_s, mono_s()

    def __call__(self) -> CameraPort:
        why = self._through.ready(self._camera)
        if why and self._mono_s() - self._since_s > GRACE_S:
            raise OSError(f"camera {self._camera}: {why}")
        return CameraPort(self._loop, lambda data: self._through.send(self._camera, self._channel, data))
