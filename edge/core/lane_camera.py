"""Whose read is it: a repeat, history, the car's that stands here, or the next one's (DESIGN 5)."""

from __future__ import annotations

from edge.core.events import PlateRead
from edge.core.facts import ReadTaken
from edge.core.lane_base import Preread
from edge.core.lane_gate import GateActions
from edge.core.lane_table import Desk, Gate, Signal
from edge.core.lane_types import Arrival, PastRead
from edge.core.plates import confusable, is_no_plate, normalise

LEFTOVER_MS = 10_000
"""So long after a start a camera may push again what it saw while nobody listened: the car may have gone since. Cameras
repeat after seconds (VZ 5 s)."""


def surer(first: Preread, second: Preread) -> Preread:
    """Of two cameras' reads of one car: a plate before none, then the higher confidence, then the first to come."""
    return max(first, second, key=lambda seen: (seen.plate != "", seen.read.confidence_pct))


class CameraActions(GateActions):
    def on_read(self, read: PlateRead) -> None:
        """One camera event. A repeat of a car that is known is dropped, history is only kept."""
        plate = "" if read.no_plate or is_no_plate(read.plate_raw) else normalise(read.plate_raw)
        if self._is_resent(read):
            return
        held = self._held_for(read)
        agrees = held is not None and held.plate == plate
        if agrees or (held is None and self._is_known(read, plate)):
            if agrees:
                self.fuse_over()  # both cameras say so: nothing more to wait for
            elif self.settings.arrival == "camera":
                self.read_again(plate)
            return
        history = read.replay or self._overtaken(read)
        self.record(
            ReadTaken(
                camera=read.camera, event_id=read.event_id, plate=plate, plate_raw=read.plate_raw,
                colour=read.colour, confidence_pct=read.confidence_pct, plate_width_px=read.plate_width_px,
                camera_time_ms=read.camera_time_ms, picture=read.picture, replay=history,
            ),
            fact_id=read.read_id,
        )  # fmt: skip
        if history:
            return
        seen = Preread(read, plate, self.now_ms)
        if held is not None:
            self.fused = surer(held, seen)
            self.fuse_over()
        elif len(self.settings.cameras) > 1 and self.settings.fuse_ms:
            self.fuse_over()  # one of this same camera waits still: a car before this one
            self.fused = seen
        else:
            self._use(seen)

    def fuse_due_ms(self) -> int | None:
        return None if self.fused is None else self.fused.at_ms + self.settings.fuse_ms

    def fuse_over(self) -> None:
        """What waited for the other camera counts now."""
        seen, self.fused = self.fused, None
        if seen is not None:
            self._use(seen)

    def _held_for(self, read: PlateRead) -> Preread | None:
        """The other camera's read that this one is to be weighed against."""
        held = self.fused
        return None if held is None or read.replay or held.read.camera == read.camera else held

    def _use(self, seen: Preread) -> None:
        if self.settings.arrival == "camera":
            self.read_without_loop(seen)
        else:
            self.preread = seen
            self.fire(Signal.READ)

    def _is_resent(self, read: PlateRead) -> bool:
        """The camera's own event id."""
        for past in self.memory.reads:
            same = read.event_id and (past.camera, past.event_id) == (read.camera, read.event_id)
            if same and (read.replay or not self._orphaned(past)):
                return True
        return False

    def _is_known(self, read: PlateRead, plate: str) -> bool:
        """The plate within same_plate_ms, a confusable one too (one arrival)."""
        if read.replay or not plate:
            return False
        standing = self.traffic.standing
        if standing is not None and standing.unsure:
            return False  # after a restart this read says whether it is the car that was admitted
        for car in (standing, self.traffic.front):
            if car is not None and car.plate and not self._differs(car, plate):
                return True  # it stands there as long as it likes
        waits = self.settings.arrival == "camera" and self.desk is Desk.VACANT and self.preread is not None
        kept = self.preread.read.read_id if waits and self.preread is not None else ""
        for past in reversed(self.memory.reads):
            recent = (
                past.stamp.boot_id == self.box.now.boot_id
                and self.now_ms - past.stamp.mono_ms < self.settings.same_plate_ms
            )
            same = past.plate and (past.plate == plate or confusable(past.plate, plate))
            if same and past.read_id == kept:
                return False  # of a car that was behind another and has not had its turn
            if recent and same and not self._orphaned(past):
                return True
        return False

    def _orphaned(self, past: PastRead) -> bool:
        """A read whose decision a restart took away, and its car still stands here, known to nobody or not for sure.

        Only with no passage since: else it may be the read of a car that has gone through.
        """
        car, last, woke_ms = self.traffic.standing, self.memory.last_passed, self.woke_ms
        if car is None:
            nobody = self.settings.arrival == "camera"  # where no loop says that anybody stands here, the read does
        else:
            nobody = not car.deciding and (not car.plate or (car.unsure and self.settings.arrival == "loop"))
        if not nobody or past.stamp.boot_id != self.box.now.boot_id:
            return False
        return past.stamp.mono_ms < woke_ms and (
            last is None or last.boot_id != past.stamp.boot_id or last.mono_ms < past.stamp.mono_ms
        )

    def _overtaken(self, read: PlateRead) -> bool:
        """One of those that a camera pushes again after a start, taken before another that is here already.

        Only then: a camera whose clock is set back must not fall silent for the box.
        """
        if not self._leftovers() or read.camera_time_ms < 0:
            return False
        newest_ms = self.newest_shot_ms.get(read.camera, 0)
        self.newest_shot_ms[read.camera] = max(newest_ms, read.camera_time_ms)
        return read.camera_time_ms < newest_ms

    def _leftovers(self) -> bool:
        return self.gate is Gate.STARTING or self.now_ms - self.woke_ms < LEFTOVER_MS

    def _under_way(self) -> bool:
        """The car here is under the arm and its tail has left the arrival loop: the camera reads the one behind it."""
        car = self._car()
        return car is self.traffic.front and car.fell_ms is not None

    def reads_again(self, car: Arrival) -> bool:
        """The kept read bears this car's plate: its own, also when its tail has left the arrival loop meanwhile.

        Kept on, it would name the next car.
        """
        seen = self.preread
        return seen is not None and bool(seen.plate and car.plate) and not self._differs(car, seen.plate)

    def forget_read_of(self, car: Arrival) -> None:
        """It is through, or gone: what is kept of it is nobody's."""
        if self.reads_again(car):
            self.preread = None

    def _differs(self, car: Arrival, plate: str) -> bool:
        if plate and not car.plate and car.rule == "under_arm":
            return not self.woke_covered  # it was on the safety loop and is not any more; this one is
        return bool(plate and car.plate) and plate != car.plate and not confusable(plate, car.plate)

    def _car(self) -> Arrival:
        car = self.traffic.standing
        assert car is not None, f"{self.desk.name} without a car"
        return car
