"""Cameras that the box itself connects to: which client drives which make, and the lane's two orders to them.

`trigger` asks the cameras of a lane to read now (no read came, or a person opened and wants a picture of it);
`open_barrier` and `close_barrier` are the arm, for a camera whose relay is the lane's barrier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from drivers.cameras.desk import Desk
from drivers.cameras.identify import Known
from edge.config.model import Camera

VZ_PORT = 8131
HTTP_VENDORS = ("hikvision", "dahua")


class Client(Protocol):
    async def run(self) -> None: ...

    def trigger(self) -> bool: ...

    def open_barrier(self) -> bool: ...

    def close_barrier(self) -> bool: ...

    def trouble(self) -> str: ...


def client_for(desk: Desk, known: Known) -> Client | None:
    """None: the camera only pushes. The config's rules keep makes without client from having one."""
    settings = known.camera.client
    if settings is None:
        return None
    if known.camera.vendor in HTTP_VENDORS:
        # Loaded only where such a camera is: an HTTP client is 2.2 MB that the lane program else does without.
        from drivers.cameras.http_orders import HttpOrders  # noqa: PLC0415

        return HttpOrders(desk, known, settings)
    from drivers.cameras.vz_tcp import VzTcp  # noqa: PLC0415 - as above: where it is used

    return VzTcp(desk, known, settings.port or VZ_PORT, reads=settings.reads)


@runtime_checkable
class SerialClient(Client, Protocol):
    """A client through whose connection bytes reach the camera's RS485."""

    @property
    def connected(self) -> bool: ...

    def serial(self, data: bytes, channel: int) -> bool: ...


class CameraClients:
    """All of them; `run` until cancelled."""

    def __init__(self, desk: Desk, cameras: Sequence[tuple[str, Camera]]) -> None:
        self._clients: list[tuple[Known, Client]] = []
        for lane, camera in cameras:
            known = Known(lane, camera)
            client = client_for(desk, known)
            if client is not None:
                self._clients.append((known, client))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _, client in self._clients:
                tasks.create_task(client.run())

    def trigger(self, lane: str) -> bool:
        """True when at least one camera of the lane was asked."""
        asked = [client.trigger() for known, client in self._clients if known.lane == lane]  # each of them
        return any(asked)

    def of(self, camera: str) -> Client:
        """The client of this camera. Raises `KeyError` if the box does not connect to it."""
        return {known.camera.id: client for known, client in self._clients}[camera]

    def find(self, camera: str) -> Client | None:
        """None: the box does not connect to this camera."""
        return next((client for known, client in self._clients if known.camera.id == camera), None)
