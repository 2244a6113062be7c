"""A lane without arrival loop (`arrival = "camera"`): its cameras say that a car came, its safety loop that one went.

Nothing says that a car has left again without driving through, and nothing tells the end of one vehicle from a gap in
it. What takes the place of the arrival loop:

- A read at an empty lane is an arrival. So is one of another plate while a car is on the safety loop: the camera sees
  the heads of cars, and that one's is past. A plate that was read before the car in front reached the safety loop is
  kept, and its car comes when that one drives.
- Another plate while the car in front has not driven yet is a doubt: that car may have gone, or the camera sees the
  one behind it. The camera is asked, and only if it reads the other plate again, the car in front has gone. A camera
  that cannot be asked is believed: else every later car would go through under the plate of the one before it.
- A car that does not drive within `pass_ms` is asked for once more where a camera can be asked, then it has gone.
- A camera that was asked answers "no plate" where nobody is, too: that answer is no arrival.
- After a start the camera is asked whether the car that was admitted stands there (`lane_restart`). Where it can be
  asked and does not read it within `read_ms`, the car has gone through, or away if the arm has never left its end.

What camera and safety loop cannot tell stands in DECISIONS 111.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from edge.core.lane_base import Preread
from edge.core.lane_faults import FaultActions
from edge.core.lane_table import Desk, Gate, Signal
from edge.core.lane_traffic import MERGE_MS, Outcome
from edge.core.lane_types import Arrival
from edge.core.plates import confusable


class LooplessActions(FaultActions):
    ended: Callable[[Outcome], None]
    """A car is through or gone (`lane.Lane`)."""

    def read_without_loop(self, seen: Preread) -> None:
        """A read that is no repeat: an arrival, better knowledge of the car in front, or a doubt about it."""
        asked = self.now_ms - self.camera_asked_ms <= self.settings.read_ms
        if not seen.plate and asked and self.desk is not Desk.WAIT_READ:
            return
        self.preread = seen
        if self.gate is Gate.STARTING:
            return  # `wake` looks at it
        car = self.traffic.standing
        if car is None or self.desk is Desk.VACANT:
            self.next_car()
        elif car is self.traffic.front:
            car.unsure = False
            if self._is_another(car, seen.plate):
                self.next_car()
            else:
                self.preread = None
        elif car.plate and not seen.plate:
            self.preread = None  # the same car, read worse
        elif self._differs(car, seen.plate) and not (self.settings.can_ask or car.unsure):
            self._gone(car)
        else:
            self.fire(Signal.READ)
            if self.preread is seen and self.traffic.standing is car and self._differs(car, seen.plate):
                self.doubted = True
                self.ask_camera()

    def _is_another(self, car: Arrival, plate: str) -> bool:
        return bool(plate) != bool(car.plate) or self._differs(car, plate)

    def read_again(self, plate: str) -> None:
        """A plate that is known already: the car in front stands there still, or it is the other one that does."""
        car, kept = self.traffic.standing, self.preread
        if car is None or car is self.traffic.front or not plate:
            return
        if car.plate and not self._differs(car, plate):
            self.doubted = car.asked_camera = False
            self.seen_ms = self.now_ms
            return
        confirmed = kept is not None and (kept.plate == plate or confusable(kept.plate, plate))
        if self.doubted and confirmed and self.desk is not Desk.STORING:
            self._gone(car)

    def next_car(self) -> None:
        self.doubted = False
        self.traffic.came()
        self.fire(Signal.ARRIVED)

    def kept_is_next(self, before: Arrival | None) -> None:
        """The car in front drives, or is gone: a plate that was kept meanwhile is that of the car behind it."""
        kept = self.preread
        if before is None or kept is None or not self._is_another(before, kept.plate):
            return
        if self.now_ms - kept.at_ms <= self.settings.preread_ms:
            self.next_car()
        elif self.desk is Desk.VACANT:
            self.ask_camera()

    def front_covers(self) -> None:
        """The safety loop is occupied. The camera sees nothing more of the car on it, which a restart has to know."""
        front = self.traffic.front
        admission = None if front is None else self.memory.admissions.get(front.id)
        if admission is not None and admission.decided.rule != "under_arm":
            decided = msgspec.structs.replace(
                admission.decided, rule="under_arm", zh="已驶入闸杆下", en="under the arm", state="", reasons=None
            )
            self.record(decided)
        if self.desk is not Desk.VACANT and self.traffic.standing is self.traffic.front:
            self.kept_is_next(self.traffic.front)

    # --- cars that do not drive ------------------------------------------------------------------------------------

    def loopless_due_ms(self) -> int | None:
        car = self.traffic.standing
        if self.settings.arrival == "loop" or self.gate is Gate.STARTING or car in {None, self.traffic.front}:
            return None
        assert car is not None
        if self.desk is Desk.ADMITTED and car.unsure and self.settings.can_ask:
            return self.woke_ms + self.settings.read_ms
        if self.desk not in {Desk.ADMITTED, Desk.REFUSED}:
            return None
        due_ms = max(self.desk_since_ms, self.seen_ms) + self.settings.pass_ms
        return due_ms + self.settings.read_ms if car.asked_camera else due_ms

    def loopless_due(self) -> None:
        car = self.traffic.standing
        assert car is not None
        if self.settings.can_ask and not car.unsure and not car.asked_camera:
            car.asked_camera = True
            self.ask_camera()
        else:
            self._gone(car)

    def _gone(self, car: Arrival) -> None:
        """Away again; only one of before a start that found the arm up has driven on."""
        if not car.unsure or self.woke_down:
            self.ended(self.traffic.drop(car))
            return
        self.opening = car.how = "restart"
        self.ended(self.traffic.drop(car)._replace(what="passed"))

    # --- after a start -----------------------------------------------------------------------------------------------

    def place_without_loop(self, cars: list[Arrival]) -> None:
        """The newest admitted car stands before the arm, if the camera says so; one more is on an occupied safety loop.

        All others are resolved.
        """
        traffic, standing = self.traffic, None
        # Onto the safety loop, since the start or since the last vehicle was through: that needed a clear loop too.
        came = self.safety is True and (self.clear_ms >= MERGE_MS or (not cars and self.just_passed()))
        if cars and cars[-1].rule != "under_arm" and (len(cars) > 1 or came or not self.safety):
            standing = cars.pop()
        if self.safety and not came:
            self.front_of_before(cars)
        for car in cars:
            self.resolve(car)
        if standing is not None:
            standing.unsure = True
            traffic.standing = standing
            self.stands(standing)
        elif self.preread is not None:
            self.next_car()
        else:
            self.ask_camera()
        if came:
            traffic.safety_on(self.now_ms)
            self.front_covers()
