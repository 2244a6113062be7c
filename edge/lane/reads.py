"""Where the camera listener puts what it understood (`ports.ReadSink`): to the core, the spool and the counters.

The picture goes to the spool on one thread of its own: a slow card delays the camera's reply, never a decision.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from edge.config.model import Lane
from edge.core.events import AnyEvent, DeviceDown, DeviceUp, PictureSpooled, PlateRead
from edge.evidence.spool import SpoolWriter
from edge.lane.runtime import LaneRuntime

log = logging.getLogger("parkbox.lane.reads")

VERDICT_WITHIN_S = 0.7
"""A camera waits 1 s for its reply (one VZ integrator's figure); the rest is for the way back."""

SILENT_BEATS = 3
"""Heartbeats missed before a camera counts as silent."""

READS_KEPT = 64
"""Reads whose lane is remembered until their picture has come: more than four lanes can have on the way."""

QUIET_LOG_EVERY = 100
"""After the first, one log line per so many of a kind: a broken camera must not fill the journal."""


class LaneReads:
    """Implements `edge.ports.ReadSink` on the lane's event loop."""

    def __init__(
        self, lanes: Sequence[Lane], runtime: LaneRuntime, spool: SpoolWriter, mono_s: Callable[[], float]
    ) -> None:
        self._runtime, self._spool, self._mono_s = runtime, spool, mono_s
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        self._lane_of = {camera.id: lane.id for lane in lanes for camera in lane.camera}
        self._beat_s = {camera.id: camera.heartbeat_s for lane in lanes for camera in lane.camera}
        self._alive_s = dict.fromkeys(self._beat_s, mono_s())
        self._silent: set[str] = set()
        self._lane_of_read: dict[str, str] = {}  # the last reads, oldest first
        self._opened: dict[str, asyncio.Future[bool]] = {}  # reads whose camera may want a verdict

    def on_read(self, event: AnyEvent) -> None:
        assert isinstance(event, PlateRead)
        self._runtime.counters["reads"] += 1
        self._lane_of_read[event.read_id] = event.lane
        self._opened[event.read_id] = asyncio.get_running_loop().create_future()
        while len(self._lane_of_read) > READS_KEPT:
            oldest = next(iter(self._lane_of_read))
            del self._lane_of_read[oldest]
            self._opened.pop(oldest).cancel()
        self._runtime.feed(event)

    async def on_picture(self, read_id: str, jpeg: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            place = await loop.run_in_executor(self._disk, self._spool.append, read_id, jpeg)
        except OSError as error:
            self._runtime.counters["pictures_lost"] += 1
            log.error("picture of read %s lost: %s", read_id, error)  # noqa: TRY400 - the reason is the message
            self._runtime.feed(DeviceDown(code="picture_lost", device="spool", detail=str(error)))
            raise
        self._runtime.counters["pictures"] += 1
        self._runtime.feed(
            PictureSpooled(
                lane=self._lane_of_read.get(read_id, ""),
                read_id=read_id,
                spool=place.spool,
                offset=place.offset,
                length=place.length,
                crc32=place.crc32,
            )
        )

    async def verdict(self, read_id: str) -> bool:
        opened = self._opened.get(read_id)
        if opened is None:
            return False
        try:
            return await asyncio.wait_for(asyncio.shield(opened), VERDICT_WITHIN_S)
        except (TimeoutError, asyncio.CancelledError):
            opened.cancel()  # its reply goes out now: whoever opens later finds none that waits
            return False  # why: not decided in time, or so long ago that an order would be aged (invariant 5)

    async def quiet(self) -> None:
        await self._runtime.quiet()

    async def kept(self) -> None:
        await self._runtime.kept()

    def on_alive(self, camera: str) -> None:
        self._alive_s[camera] = self._mono_s()
        if camera in self._silent:
            self._silent.discard(camera)
            self._runtime.feed(DeviceUp(lane=self._lane_of[camera], code="camera_silent", device=camera))

    def count(self, camera: str, what: str, detail: str = "") -> None:
        name = f"{camera or 'listener'}.{what}"
        self._runtime.counters[name] += 1
        number = self._runtime.counters[name]
        if number == 1 or number % QUIET_LOG_EVERY == 0:
            log.warning("camera %s: %s (%d so far): %s", camera or "?", what, number, detail)

    def check_silence(self) -> None:
        """About once a second: cameras that should have sent a heartbeat long ago."""
        now_s = self._mono_s()
        for camera, beat_s in self._beat_s.items():
            quiet_s = now_s - self._alive_s[camera]
            if beat_s and camera not in self._silent and quiet_s > SILENT_BEATS * beat_s:
                self._silent.add(camera)
                self._runtime.feed(DeviceDown(
                    lane=self._lane_of[camera], code="camera_silent", device=camera, detail=f"{quiet_s:.0f} s",
                ))

    def close(self) -> None:
        self._disk.shutdown(wait=True)

    def open_by_reply(self, lane: str) -> bool:
        """The arm of `lane` goes up by the reply to its newest read. False: that reply has gone out already."""
        for read_id in reversed(self._lane_of_read):
            if self._lane_of_read[read_id] == lane:
                future = self._opened[read_id]
                if future.done():
                    return False
                future.set_result(True)
                return True
        return False
