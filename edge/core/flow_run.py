"""Drives a `Flow` through events in time order and says every decision and release at the moment it falls.

Replay and planning use it; the lanes are driven by `Box`. Deadlines between two events are worked off at their own
time. At equal times: idle times and beginnings of bookings, then the events in their order, then what ends *after*
that moment.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from edge.core.bookings import MINUTE_MS, Terms
from edge.core.facts_flow import Role, Vehicle
from edge.core.flow import Flow, Judgement
from edge.core.flow_policy import Policy, next_turn_ms, scheduled


class Arrive(msgspec.Struct, frozen=True, gc=False):
    lane: str
    plate: str
    vehicle: Vehicle = ""


class Entered(msgspec.Struct, frozen=True, gc=False):
    """It cleared the entrance. Without an admission: let in by hand, or on another one's tail."""

    lane: str
    plate: str


class Gone(msgspec.Struct, frozen=True, gc=False):
    """It left without entering. Raises `ValueError` from `feed` if no such car is there."""

    lane: str
    plate: str


class Left(msgspec.Struct, frozen=True, gc=False):
    """A car left the lot."""


class Book(msgspec.Struct, frozen=True, gc=False):
    """Locks a stall, or changes the booking of that code. Wall ms."""

    code: str
    plate: str
    from_ms: int
    until_ms: int
    keep_ms: int = 0


class Confirm(msgspec.Struct, frozen=True, gc=False):
    """Of a booking that has ended: nothing. Raises `ValueError` from `feed` if nobody knows the code."""

    code: str


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """Of a booking that has ended: nothing. Raises `ValueError` from `feed` if nobody knows the code."""

    code: str


class Priority(msgspec.Struct, frozen=True, gc=False):
    on: bool


class SetRole(msgspec.Struct, frozen=True, gc=False):
    lane: str
    role: Role
    until_ms: int = 0


class Count(msgspec.Struct, frozen=True, gc=False):
    """A person counted the cars inside."""

    parked: int


class Pause(msgspec.Struct, frozen=True, gc=False):
    """Time passes and nothing happens."""


FlowEvent = Arrive | Entered | Gone | Left | Book | Confirm | Cancel | Priority | SetRole | Count | Pause


class FlowDecision(NamedTuple):
    """A decision about a car, or the release of one that waited, at `t_ms` (monotonic)."""

    t_ms: int
    judgement: Judgement
    vehicle: Vehicle


Key = tuple[str, str]


class FlowRun:
    """`feed` events in time order. `wall_ms` is the wall time at t_ms 0."""

    def __init__(self, policy: Policy, total: int, parked: int, t_ms: int = 0, wall_ms: int = 0) -> None:
        self.flow = Flow(policy, total, parked)
        self._wall_ms = wall_ms
        self._present: dict[Key, list[str]] = {}
        self._refused: dict[Key, int] = {}
        self._ids = 0
        if policy.schedule_min is not None:
            self.flow.switch_priority(scheduled(policy.schedule_min, wall_ms + t_ms))
        self.flow.advance(t_ms, wall_ms + t_ms)

    def deadline_ms(self) -> int | None:
        """When something may change by itself."""
        change = self._next_change()
        return None if change is None else change[0]

    def feed(self, t_ms: int, event: FlowEvent) -> list[FlowDecision]:
        """Everything that falls up to this event and by it. Raises `ValueError`, naming the field, at a bad event.

        Time must not go backwards.
        """
        flow = self.flow
        if t_ms < flow.now_ms:
            raise ValueError(f"t: {t_ms} ms 早于 is before {flow.now_ms} ms, 时间不倒流 time does not go backwards")
        made: list[FlowDecision] = []
        while (change := self._next_change()) is not None and change < (t_ms, True):
            at_ms, after = change
            flow.advance(at_ms, self._wall_ms + at_ms, after)
            self._switches()
            self._release(made)
        flow.advance(t_ms, self._wall_ms + t_ms)
        self._tell(event)
        self._release(made)
        return made

    # --- time ----------------------------------------------------------------------------------------------------

    def _next_change(self) -> tuple[int, bool] | None:
        found = self.flow.next_change_ms()
        due_ms = self._next_switch_ms()
        if due_ms is not None and (found is None or (due_ms, False) < found):
            found = (due_ms, False)
        return found

    def _next_switch_ms(self) -> int | None:
        flow = self.flow
        schedule = flow.policy.schedule_min
        if schedule is None and not flow.roles:
            return None
        wall_ms = flow.now_ms + self._wall_ms
        due = [until_ms for _, until_ms in flow.roles.values() if until_ms]
        if schedule is not None:
            due.append(next_turn_ms(schedule, wall_ms))
        return max(flow.now_ms, min(due) - self._wall_ms) if due else None

    def _switches(self) -> None:
        flow = self.flow
        wall_ms = flow.now_ms + self._wall_ms
        schedule = flow.policy.schedule_min
        if schedule is not None and (wall_ms // MINUTE_MS * MINUTE_MS == wall_ms):
            minute_before = scheduled(schedule, wall_ms - MINUTE_MS)
            if scheduled(schedule, wall_ms) is not minute_before:
                flow.switch_priority(not minute_before)
        for lane, (_, until_ms) in tuple(flow.roles.items()):
            if until_ms and until_ms <= wall_ms:
                flow.switch_role(lane, flow.entrance(lane).role)

    # --- events --------------------------------------------------------------------------------------------------

    def _tell(self, event: FlowEvent) -> None:
        flow = self.flow
        match event:
            case Arrive(lane=lane, plate=plate):
                self._lane(lane)
                self._ids += 1
                car_id = str(self._ids)
                flow.arrive(car_id, lane, plate, event.vehicle)
                self._present.setdefault((lane, plate), []).append(car_id)
            case Entered(lane=lane, plate=plate):
                self._lane(lane)
                self._entered(lane, plate)
            case Gone(lane=lane, plate=plate):
                self._lane(lane)
                if self._forget_refused((lane, plate)):
                    return
                car_id = self._take((lane, plate))
                if not car_id:
                    raise ValueError(f"plate: {plate} 不在 is not at {lane}, 先到达才能离开 only who arrived can go")
                flow.gone(car_id)
            case Left():
                flow.left()
            case Book():
                terms = Terms(event.plate, event.from_ms, event.until_ms, event.keep_ms)
                flow.bookings.lock(event.code, terms, self._wall_ms + flow.now_ms)
            case Confirm(code=code):
                self._known(code)
                flow.bookings.confirm(code)
            case Cancel(code=code):
                if self._known(code):
                    flow.bookings.end(code, "cancelled")
            case Priority(on=on):
                flow.switch_priority(on)
            case SetRole(lane=lane, role=role, until_ms=until_ms):
                self._lane(lane)
                flow.switch_role(lane, role, until_ms)
            case Count(parked=parked):
                flow.count(parked)
        flow.advance(flow.now_ms, flow.wall_ms)

    def _entered(self, lane: str, plate: str) -> None:
        flow = self.flow
        car_id = self._take((lane, plate))
        car = flow.cars.get(car_id)
        if car is not None and not car.admitted:  # by hand: an admission like any other
            booking = flow.bookings.good_for(plate, flow.wall_ms)
            kind: Literal["reserved", "ordinary"] = "ordinary" if booking is None else "reserved"
            flow.admit(car_id, kind, "" if booking is None else booking.code)
        elif car is None:
            self._forget_refused((lane, plate))
        flow.enter(car_id)

    def _lane(self, lane: str) -> None:
        known = self.flow.policy.entrances
        if lane not in known:
            raise ValueError(f"lane: {lane!r} 不可 is not allowed, 允许 one of {', '.join(known)} is")

    def _known(self, code: str) -> bool:
        """Whether the booking lives; `ValueError` if there never was one."""
        bookings = self.flow.bookings
        if code not in bookings.by_code and bookings.how_ended(code) is None:
            raise ValueError(f"code: 没有预约 {code!r}, 须先 book, no such booking: only one that was booked before")
        return code in bookings.by_code

    def _take(self, key: Key) -> str:
        """The car that came first under this lane and plate; "" if none is there."""
        ids = self._present.get(key)
        if not ids:
            return ""
        car_id = ids.pop(0)
        if not ids:
            del self._present[key]
        return car_id

    def _forget_refused(self, key: Key) -> bool:
        count = self._refused.pop(key, 0)
        if count > 1:
            self._refused[key] = count - 1
        return count > 0

    # --- decisions -----------------------------------------------------------------------------------------------

    def _release(self, made: list[FlowDecision]) -> None:
        """Go through the queue until nothing changes."""
        flow = self.flow
        while flow.waiting and (change := flow.next_change()) is not None:
            car, judgement = change
            made.append(FlowDecision(flow.now_ms, judgement, car.vehicle))
            car.decision, car.rule = judgement.decision, judgement.rule
            if judgement.decision == "admit":
                flow.admit(car.id, judgement.kind, judgement.booking)
            elif judgement.decision == "refuse":
                key = (car.lane, car.plate)
                self._present[key].remove(car.id)
                if not self._present[key]:
                    del self._present[key]
                self._refused[key] = self._refused.get(key, 0) + 1
                flow.gone(car.id)
