"""What all connections of the listener share: who is known, what was seen, and the one way to a read.

A connection understands bytes; the desk decides what they mean for the box: known or foreign, first or repeat,
closed or open. Everything runs on the lane's event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, Protocol

import msgspec

from drivers.cameras.buffers import Buffers
from drivers.cameras.identify import Known, Registry, by_serial
from drivers.cameras.mailbox import Mailbox
from drivers.cameras.reading import Message, Reading
from drivers.cameras.repeats import Repeats, Seen
from drivers.cameras.shares import Shares
from edge.config.model import Camera, Listener
from edge.core.events import PlateRead
from edge.ports import ReadSink

REPLY_WITHIN_S = 0.8
"""One VZ integrator measured that a reply that opens must be there within 1000 ms."""

KEPT_WITHIN_S = 4.0
"""A reply says that the camera may forget its push; VZ cameras wait 5 s for it (default), then push again or later."""

COMET_WITHIN_MS = 700
"""A heartbeat so soon after the last answer comes from comet mode (the quickest other interval is 1 s)."""

COMET_HOLD_S = 30.0


class Held(Protocol):
    """What the desk asks of a connection (`cameras.connection`)."""

    def abort(self) -> None: ...

    def end_hold(self) -> None:
        """Answer the heartbeat that is held."""


class Taken(msgspec.Struct, frozen=True):
    """A plate push that was given to the sink, or was before."""

    known: Known
    reading: Reading
    seen: Seen
    repeat: bool


Settled = Literal["opened", "kept", "not_kept"]
"""What a push is answered with: the arm goes up; the camera may forget it; it shall push again."""


class Desk:
    def __init__(
        self,
        listener: Listener,
        cameras: Sequence[tuple[str, Camera]],
        sink: ReadSink,
        new_id: Callable[[], str],
        now_ms: Callable[[], int],
    ) -> None:
        self.limits = listener
        self.registry = Registry(cameras)
        self.sink = sink
        self.now_ms = now_ms
        self.connections: set[Held] = set()
        self.shares = Shares(listener.connections_max, self.registry.cameras_at())
        self.scratch = bytearray(65_536)
        """One for all: asyncio's selector loop receives and hands over in one step."""
        self.buffers = Buffers()
        self._new_id = new_id
        self._repeats = {camera.id: Repeats() for _, camera in cameras}
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered_ms: dict[str, int] = {}
        self._held: dict[str, Held] = {}
        self.mail = Mailbox(now_ms, lambda camera, detail: sink.count(camera, "serial_not_fetched", detail))

    def take(self, candidates: Sequence[Known], message: Message) -> Taken:
        """Identify, then read once. Raises `Refused` and `Damaged`, both before the sink hears of a read."""
        known = by_serial(candidates, message.serial)
        camera = known.camera
        reading = message.reading(camera.vendor)
        self.sink.on_alive(camera.id)
        repeats = self._repeats[camera.id]
        seen = repeats.find(reading.event_id, reading.plate_raw)
        if seen is not None:
            self.sink.count(camera.id, "repeat", f"event {reading.event_id}")
            return Taken(known, reading, seen, True)
        for odd in reading.odd:
            self.sink.count(camera.id, "odd_value", odd)
        seen = Seen(self._new_id(), self.now_ms())
        repeats.remember(reading.event_id, reading.plate_raw, seen)
        self.sink.on_read(
            PlateRead(
                lane=known.lane,
                read_id=seen.read_id,
                camera=camera.id,
                event_id=reading.event_id,
                plate_raw=reading.plate_raw,
                no_plate=reading.no_plate,
                colour=reading.colour,
                confidence_pct=reading.confidence_pct,
                plate_width_px=reading.plate_width_px,
                camera_time_ms=reading.camera_time_ms,
                picture=reading.picture,
                replay=reading.replay,
            )
        )
        return Taken(known, reading, seen, False)

    def asks_verdict(self, taken: Taken) -> bool:
        """Only a camera whose relay is the barrier and opens by reply, only a live car, only while it waits."""
        return (
            taken.known.camera.relay_is_barrier
            and not (taken.known.camera.client is not None and taken.known.camera.client.opens)
            and not taken.reading.replay
            and taken.seen.may_open(self.now_ms())
        )

    async def settle(self, taken: Taken, picture: bytes | None) -> Settled:
        """Verdict and what is durable, or the camera's patience at its end. "opened" only for an admitted car."""
        until_s = asyncio.get_running_loop().time() + KEPT_WITHIN_S
        if await self._opens(taken, picture):
            return "opened"  # the car is not kept waiting for a disk
        try:
            async with asyncio.timeout_at(until_s):
                if taken.seen.keeping is not None:
                    await asyncio.wait({taken.seen.keeping})  # lost: counted, told as a fault
                await self.sink.kept()
        except TimeoutError:
            return "not_kept"
        return "kept"

    async def _opens(self, taken: Taken, picture: bytes | None) -> bool:
        verdict = asyncio.ensure_future(self._verdict(taken)) if self.asks_verdict(taken) else None
        waits: set[asyncio.Task[Any]] = {verdict} if verdict else set()
        if picture is not None and not taken.seen.picture:
            taken.seen.picture = True
            taken.seen.keeping = self.spawn(self._keep(taken, picture))
        if taken.seen.keeping is not None:
            waits.add(taken.seen.keeping)
        try:
            if waits:
                await asyncio.wait(waits, timeout=REPLY_WITHIN_S)
            if verdict is None:
                return False
            if not verdict.done():
                self.sink.count(taken.known.camera.id, "verdict_late", f"read {taken.seen.read_id}")
                return False
            return verdict.result()
        finally:
            if verdict is not None:
                verdict.cancel()

    async def _verdict(self, taken: Taken) -> bool:
        taken.seen.opened = await self.sink.verdict(taken.seen.read_id) is True
        return taken.seen.opened

    async def _keep(self, taken: Taken, picture: bytes) -> None:
        try:
            await self.sink.on_picture(taken.seen.read_id, picture)
        except OSError as error:
            taken.seen.picture = False  # a re-send may bring it again
            self.sink.count(taken.known.camera.id, "picture_lost", f"read {taken.seen.read_id}: {error}")

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that nobody awaits: kept alive, and its failure is shown to the loop's exception handler."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            task.get_loop().call_exception_handler({"message": "camera listener", "exception": error, "task": task})

    async def close(self) -> None:
        """Pictures under way are finished, nobody is answered any more."""
        while self._tasks:
            await asyncio.wait(set(self._tasks), timeout=REPLY_WITHIN_S)
            for task in tuple(self._tasks):
                task.cancel()

    # --- heartbeats in comet mode: an answer at once would make the camera ask again at once --------------------

    def comet_hold_s(self, camera_id: str) -> float:
        """How long to hold this heartbeat; 0 = answer now."""
        last = self._answered_ms.get(camera_id)
        return COMET_HOLD_S if last is not None and self.now_ms() - last < COMET_WITHIN_MS else 0.0

    def hold(self, camera_id: str, connection: Held) -> None:
        """One held request a camera: an older one is cut, because answering it would bring it back at once."""
        older = self._held.get(camera_id)
        if older is not None and older is not connection:
            older.abort()
        self._held[camera_id] = connection

    def answer_held(self, camera_id: str) -> None:
        """There is something for this camera to do: its held request is answered now."""
        held = self._held.get(camera_id)
        if held is not None:
            held.end_hold()

    def beat_answered(self, camera_id: str, connection: Held) -> None:
        self._answered_ms[camera_id] = self.now_ms()
        if self._held.get(camera_id) is connection:
            del self._held[camera_id]
