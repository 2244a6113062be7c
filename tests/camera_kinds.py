"""Every kind of camera the box reads, behind one interface for the contract: pushing ones on wires, pulled ones on
sockets. What a camera says is made by its simulator, which knows nothing of the drivers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from drivers.cameras.clients import CameraClients
from drivers.cameras.listener import CameraListener
from edge.config.model import Camera, CameraClient, Listener
from hal_sim.cameras.dahua import Dahua
from hal_sim.cameras.event import CameraEvent, Vendor
from hal_sim.cameras.gat1400 import Gat1400
from hal_sim.cameras.hik_stream import HikStreamCamera
from hal_sim.cameras.hikvision import Hikvision
from hal_sim.cameras.huaxia import Huaxia
from hal_sim.cameras.qianyi import Qianyi
from hal_sim.cameras.rk_v5 import RkV5
from hal_sim.cameras.vz import Vz
from hal_sim.cameras.vz_tcp import VzTcpCamera, result_frame
from tests.camera_client_rig import Telling
from tests.camera_rig import WAIT_S, Wire, post

SERIAL = "65010000001190000001"
PASSWORD = "box-password"
LIMIT_BYTES = 100_000
"""Of one message; a real one has 4 MB."""
SLOW_S = 31.0
"""Longer than any kind gives a message."""

PUSHING: dict[str, Callable[[str], Vendor]] = {
    "vz": Vz, "boyue": Vz, "alphadigi": Vz, "qianyi": Qianyi, "hikvision": Hikvision, "dahua": Dahua,
    "huaxia": Huaxia, "rk_v5": RkV5, "gat1400": Gat1400,
}  # fmt: skip
PULLED = ("vz_tcp", "hik_stream", "hik_stream chunked", "hik_stream without lengths")
KINDS = (*PUSHING, *PULLED)


class CameraKind(Protocol):
    """One camera and the box that reads it."""

    sink: Telling

    def message(self, event: CameraEvent) -> bytes:
        """All that this camera says of one car."""

    def framed(self, content: bytes) -> bytes:
        """Any content as one of its messages."""

    async def say(self, raw: bytes, sizes: Sequence[int] = ()) -> None:
        """In pieces of `sizes`, the rest at once, until the box has taken them; one that is away comes back for it."""

    async def leave(self) -> None:
        """Gone, as when its power fails."""

    async def dropped(self) -> None:
        """Until the box has given up on the connection by itself."""


class Pushing:
    """A new connection for each message, as most cameras do."""

    def __init__(self, name: str, sink: Telling, listener: CameraListener) -> None:
        self.sink, self._listener = sink, listener
        self._make = PUSHING[name](SERIAL)
        self._path = self._make.plate_push(CameraEvent(2, "x", "", "unknown", 1_715_075_283_000, None), 0).path
        self._wire: Wire | None = None

    def message(self, event: CameraEvent) -> bytes:
        push = self._make.plate_push(event, 0)
        fields = [f"{name}: {value}" for name, value in push.headers if name != "Connection"]
        return post(push.body, push.path, f"Content-Type: {push.content_type}", *fields)

    def framed(self, content: bytes) -> bytes:
        return post(content, self._path)

    async def say(self, raw: bytes, sizes: Sequence[int] = ()) -> None:
        await self.leave()
        self._wire = Wire(self._listener.connection())
        at = 0
        for size in (*sizes, len(raw)):
            if not self._wire.ended:
                self._wire.feed(raw[at : at + size])
                await asyncio.sleep(0)  # the box may have stopped reading until its decision is kept
            at += size

    async def leave(self) -> None:
        if self._wire is not None:
            await self._listener.desk.close()  # what it is doing with the last message
            self._wire.hang_up()

    async def dropped(self) -> None:
        assert self._wire is not None
        (answer,) = await self._wire.answers(1)
        assert answer.status >= 400


class Pulled:
    """A simulator's socket, which the box has connected to."""

    def __init__(self, name: str, sink: Telling) -> None:
        self.sink = sink
        self.sim: VzTcpCamera | HikStreamCamera
        if name == "vz_tcp":
            self.sim = VzTcpCamera(SERIAL)
        else:
            self.sim = HikStreamCamera("box", PASSWORD)
            self.sim.chunked, self.sim.lengths = "chunked" in name, "without" not in name
        self._used = 0  # the connection that was spoken on last
        self._away = True

    def message(self, event: CameraEvent) -> bytes:
        if isinstance(self.sim, VzTcpCamera):
            return result_frame(event)
        # Without lengths a part ends where the next begins: the heartbeat of some seconds later.
        return self.sim.told(event) + (b"" if self.sim.lengths else self.framed(self.sim.make.heartbeat(0).body))

    def framed(self, content: bytes) -> bytes:
        if isinstance(self.sim, VzTcpCamera):
            return b"VZ\0\0" + len(content).to_bytes(4, "big") + content
        return self.sim.part("application/xml", content)

    def _made(self) -> int:
        """Connections of the box so far."""
        return self.sim.connections if isinstance(self.sim, VzTcpCamera) else self.sim.streams

    def _newer(self) -> bool:
        """There is one that was not spoken on, and it is ready for messages."""
        ready = not isinstance(self.sim, VzTcpCamera) or self.sim.subscribed
        return ready and self._made() > self._used

    async def say(self, raw: bytes, sizes: Sequence[int] = ()) -> None:
        if self._away:
            assert await asyncio.to_thread(self.sim.wait, self._newer)
            self._used, self._away = self._made(), False
        try:
            await asyncio.to_thread(self.sim.say, raw, sizes)
        except OSError:
            self._away = True  # the box has hung up on it meanwhile
            return
        await self._taken()

    async def _taken(self) -> None:
        """Until nothing is under way to the box, which then has looked at it: the kernel's own count says so."""
        async with asyncio.timeout(WAIT_S):
            while under_way(self.sim.port):  # noqa: ASYNC110 - the kernel tells nobody
                await asyncio.sleep(0.001)
        for _ in range(5):  # turns of the loop from the socket to the driver
            await asyncio.sleep(0)

    async def leave(self) -> None:
        self._away = True
        self._used = -1
        while self._used != self._made():  # the box may be coming back just now: its newest connection is cut
            self._used = self._made()
            self.sim.cut()

    async def dropped(self) -> None:
        assert await asyncio.to_thread(self.sim.wait, self._newer)
        self._away = True


def under_way(port: int) -> bool:
    """Whether an open connection with this port has bytes that were not acknowledged or not read."""
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        ours = f":{port:04X}" in {local[8:], remote[8:]}
        if ours and state == "01" and queues != "00000000:00000000":
            return True
    return False


@contextlib.asynccontextmanager
async def camera_of(name: str, folder: Path) -> AsyncIterator[CameraKind]:
    """`name` is one of KINDS. Nothing is left behind."""
    sink = Telling()
    ids = iter(f"read{number}" for number in range(1, 1000))
    limits = Listener(port=0, body_limit_bytes=LIMIT_BYTES)
    settings: dict[str, Any] = {"id": "in1", "addresses": ("127.0.0.1",)}
    pulled = Pulled(name, sink) if name in PULLED else None
    if pulled is not None:
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        settings["client"] = CameraClient(port=pulled.sim.port, user="box", password_file=str(secret), reads=True)
    vendor = {"vz_tcp": "vz"}.get(name, "hikvision" if pulled is not None else name)
    camera = Camera(vendor=vendor, **settings)  # type: ignore[arg-type]
    listener = CameraListener(limits, [("lane1", camera)], sink, lambda: next(ids), lambda: 1_000_000)
    kind: CameraKind = pulled if pulled is not None else Pushing(name, sink, listener)
    running = asyncio.create_task(CameraClients(listener.desk, [("lane1", camera)]).run())
    try:
        yield kind
    finally:
        await kind.leave()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await listener.desk.close()
        if pulled is not None:
            pulled.sim.stop()
