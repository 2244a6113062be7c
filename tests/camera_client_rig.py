"""A camera client and its simulated camera on one thread of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from drivers.cameras.clients import CameraClients
from drivers.cameras.listener import CameraListener
from edge.config.model import Camera, CameraClient, Listener
from edge.core.events import AnyEvent
from hal_sim.cameras.vz_tcp import VzTcpCamera
from tests.camera_rig import WAIT_S, Sink

SERIAL = "630b5d5d-1ae86241"


class Telling(Sink):
    """Says when it was told something."""

    def __init__(self) -> None:
        super().__init__()
        self.told = asyncio.Event()

    def on_read(self, event: AnyEvent) -> None:
        super().on_read(event)
        self.told.set()

    def on_alive(self, camera: str) -> None:
        super().on_alive(camera)
        self.told.set()

    def count(self, camera: str, what: str, detail: str = "") -> None:
        super().count(camera, what, detail)
        self.told.set()

    async def _keep(self, read_id: str, jpeg: bytes) -> None:
        await super()._keep(read_id, jpeg)
        self.told.set()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not true():
                self.told.clear()
                await self.told.wait()


@pytest.fixture
def vz8131() -> Iterator[VzTcpCamera]:
    sim = VzTcpCamera(SERIAL)
    yield sim
    sim.stop()


@contextlib.asynccontextmanager
async def connected(
    sim: VzTcpCamera, *, serial: str = SERIAL, relay: bool = False, **client: Any
) -> AsyncIterator[tuple[Telling, CameraClients]]:
    settings = CameraClient(port=sim.port, **client)
    camera = Camera(
        id="in1", vendor="vz", addresses=("127.0.0.1",), serial=serial, relay_is_barrier=relay, client=settings
    )
    async with plugged(camera) as (sink, clients):
        await on_thread(sim, lambda: sim.beats > 0)
        await sink.until(lambda: bool(sink.alive))
        yield sink, clients


@contextlib.asynccontextmanager
async def plugged(camera: Camera) -> AsyncIterator[tuple[Telling, CameraClients]]:
    """The clients of this one camera, running; nothing has been heard from it yet."""
    sink = Telling()
    ids = iter(f"read{number}" for number in range(1, 100))
    listener = CameraListener(Listener(port=0), [("lane1", camera)], sink, lambda: next(ids), lambda: 1_000)
    clients = CameraClients(listener.desk, [("lane1", camera)])
    running = asyncio.create_task(clients.run())
    try:
        yield sink, clients
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await listener.desk.close()


async def on_thread(sim: VzTcpCamera, true: Callable[[], bool]) -> None:
    assert await asyncio.to_thread(sim.wait, true)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story()

    asyncio.run(whole())
