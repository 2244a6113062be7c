"""Flow control of a box: the fold of its facts into one `Flow` and the control lists (DESIGN 1, 6).

Every change of the `Flow` is the meaning of a fact or of the time as it is now, never of times that were asked about
before; so a box that folds the ledger after a restart goes on as if it had never stopped, also when its clock once
stood wrong. What waits at an arm when the program starts is not known any more; a car that is read again at the
same lane takes the place it had.
"""

from __future__ import annotations

from collections.abc import Container

import msgspec

from edge.core.bookings import MINUTE_MS, Booking, End, Terms
from edge.core.controls import Control, Controls
from edge.core.facts import BackedOut, BoxStarted, CountCorrected, Decided, Fact, Passed, Stamp
from edge.core.facts_flow import (
    BookingCancelled,
    BookingChanged,
    BookingConfirmed,
    BookingLocked,
    ControlPut,
    ControlRemoved,
    FlowBody,
    PrioritySwitched,
    Role,
    RoleSwitched,
    Vehicle,
)
from edge.core.flow import Band, Car, Flow
from edge.core.flow_policy import Policy
from edge.core.plates import confusable


class _CarKept(msgspec.Struct, array_like=True):
    id: str
    lane: str
    plate: str
    order: int
    since_ms: int
    vehicle: Vehicle
    admitted: bool
    reserved: bool
    booking: str
    rule: str
    asks: bool


class FlowKept(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The fold, for the box's snapshot."""

    boot_id: str
    band: Band
    counts: tuple[int, int, int, int]
    last_reserved_ms: int | None
    order: int
    switched: bool | None
    by_hand: Stamp | None
    priority: bool
    roles: dict[str, tuple[Role, int]]
    places: dict[str, tuple[str, int]]
    told_ms: int | None
    cars: list[_CarKept]
    bookings: list[Booking]
    ended: dict[str, End]
    controls: list[Control]
    controls_gone: list[str]


class LotFlow:
    """`flow` and `controls` may be read at any time; only `apply` and `advance` change them."""

    def __init__(self, policy: Policy, total: int) -> None:
        self.policy = policy
        self.flow = Flow(policy, total)
        self.controls = Controls()
        self.switched: bool | None = None
        """Priority as it was last switched; None: nobody has, the configuration stands."""
        self._by_hand: Stamp | None = None
        """When somebody last switched priority, who is not the schedule."""
        self._boot_id = ""
        self._places: dict[str, tuple[str, int]] = {}

    def advance(self, now: Stamp) -> None:
        """Time passes; a clock that is not synchronised is no time of day."""
        flow = self.flow
        if now.boot_id != self._boot_id:
            self._boot_id = now.boot_id
            flow.now_ms = 0
            if flow.last_reserved_ms is not None:
                flow.last_reserved_ms = 0  # in an earlier boot: at least as long ago as this one lasts
            for car in flow.cars.values():
                car.since_ms = 0
        wall_ms = now.wall_ms if now.synced else None
        flow.advance(max(now.mono_ms, flow.now_ms), wall_ms)
        self.controls.advance(flow.told_ms if wall_ms is None else wall_ms)

    # --- fold ----------------------------------------------------------------------------------------------------

    def apply(self, fact: Fact) -> None:
        """Fold one fact. Facts that say nothing about flow control change nothing."""
        body = fact.body
        if fact.stamp.synced:
            self.flow.told_ms = fact.stamp.wall_ms
        if isinstance(body, Decided):
            if fact.lane in self.policy.entrances:
                self.advance(fact.stamp)
                self._decided(fact.lane, body)
        elif isinstance(body, Passed):
            self.advance(fact.stamp)
            if body.direction == "in":
                self.flow.enter(body.arrival_id)
            else:
                self.flow.left()
        elif isinstance(body, BackedOut):
            self.advance(fact.stamp)
            self.flow.gone(body.arrival_id)
        elif isinstance(body, CountCorrected):
            self.advance(fact.stamp)
            self.flow.count(max(0, body.parked))
        elif isinstance(body, BoxStarted):
            self.advance(fact.stamp)
            self._started()
        elif isinstance(body, FlowBody):
            self.advance(fact.stamp)
            self._switch(fact, body)

    def _started(self) -> None:
        """Who waits is read again."""
        for car in list(self.flow.cars.values()):
            if not car.admitted:
                self._places[car.lane] = (car.plate, car.order)
                self.flow.gone(car.id)

    def _decided(self, lane: str, decided: Decided) -> None:
        flow = self.flow
        car = flow.cars.get(decided.arrival_id)
        if decided.decision == "refuse" or not (decided.counted_as or decided.decision == "admit"):
            if car is not None and decided.rule != "under_arm":
                flow.gone(car.id)
            if car is None:
                self._place(lane, "")
            return
        if car is None:
            order = self._place(lane, decided.plate)
            vehicle: Vehicle = ""
            car = flow.arrive(decided.arrival_id, lane, decided.plate, vehicle, order)
        if decided.decision == "admit":
            if car.admitted and car.booking != decided.booking:
                flow.rebook(car, decided.plate, decided.booking)
            car.plate = decided.plate
            flow.admit(car.id, decided.counted_as, decided.booking)
        else:
            car.plate = decided.plate
            car.decision = "ask" if decided.wait_for == "confirmation" else "wait"
        car.rule = decided.rule

    def _place(self, lane: str, plate: str) -> int:
        """The place in the queue that this car had before the start, 0 if it is another one."""
        known, order = self._places.pop(lane, ("", 0))
        return order if plate and (known == plate or confusable(known, plate)) else 0

    def _switch(self, fact: Fact, body: FlowBody) -> None:
        flow, bookings = self.flow, self.flow.bookings
        match body:
            case BookingLocked() | BookingChanged():
                terms = Terms(body.plate, body.from_ms, body.until_ms, body.keep_min * MINUTE_MS, body.vehicle)
                bookings.lock(body.code, terms, fact.stamp.wall_ms, body.city)
            case BookingConfirmed(code=code):
                bookings.confirm(code)
            case BookingCancelled(code=code):
                bookings.end(code, "cancelled")
            case ControlPut():
                self.controls.put(
                    Control(
                        body.entry_id, body.plate, body.strategy, body.from_ms, body.until_ms, body.origin, body.city
                    )
                )
            case ControlRemoved(entry_id=entry_id):
                self.controls.remove(entry_id)
            case PrioritySwitched(on=on):
                if body.cause != "start":  # a start repeats what stands
                    self.switched = on
                    if body.cause != "schedule":
                        self._by_hand = fact.stamp
                flow.switch_priority(on)
            case RoleSwitched(role=role, until_ms=until_ms):
                flow.switch_role(fact.lane, role, until_ms)
        self.advance(fact.stamp)

    # --- questions -------------------------------------------------------------------------------------------------

    def by_hand_ms(self, now: Stamp) -> int:
        """Wall ms, by the clock as it is `now`, when priority was last switched by hand; -1: never, or nobody knows.

        In one boot it is counted back, so that no step of the clock since makes it older or puts it into the future;
        of another boot a moment in the future was told by a wrong clock and counts for nothing.
        """
        stamp = self._by_hand
        if stamp is None:
            return -1
        if stamp.boot_id == now.boot_id:
            return now.wall_ms - (now.mono_ms - stamp.mono_ms)
        return stamp.wall_ms if stamp.synced and stamp.wall_ms <= now.wall_ms else -1

    def next_change(self, skip: Container[str]) -> Car | None:
        found = self.flow.next_change(skip)
        return None if found is None else found[0]

    def in_force(self, plate: str) -> tuple[Control, ...]:
        """Entries of control lists for this plate, the strictest first."""
        return self.controls.of(plate, self.flow.wall_ms) if plate else ()

    # --- snapshot --------------------------------------------------------------------------------------------------

    def keep(self) -> FlowKept:
        flow = self.flow
        return FlowKept(
            self._boot_id, flow.band,
            (flow.reserved_since, flow.ordinary_since, flow.exits, flow.credits),
            flow.last_reserved_ms, flow.last_order, self.switched, self._by_hand,
            flow.priority, flow.roles, self._places, flow.told_ms,
            [
                _CarKept(car.id, car.lane, car.plate, car.order, car.since_ms, car.vehicle, car.admitted,
                         car.reserved, car.booking, car.rule, car.decision == "ask")
                for car in flow.cars.values()
            ],
            flow.bookings.unended(), flow.bookings.ended, self.controls.unended(),
            list(self.controls.gone),
        )  # fmt: skip

    def restore(self, kept: FlowKept, parked: int) -> None:
        """Take over what `keep` said; the policy may be another one by now."""
        flow = self.flow = Flow(self.policy, self.flow.total)
        self.controls = Controls()
        self.controls.restore(kept.controls, kept.controls_gone)
        self._boot_id, self._places = kept.boot_id, kept.places
        self.switched, self._by_hand = kept.switched, kept.by_hand
        flow.switch_priority(kept.priority)
        flow.roles = {lane: role for lane, role in kept.roles.items() if lane in self.policy.entrances}
        flow.told_ms = kept.told_ms
        flow.bookings.restore(kept.bookings, kept.ended)
        cars = []
        for old in kept.cars:
            car = Car(old.id, old.lane, old.plate, old.vehicle)
            car.order, car.since_ms, car.admitted, car.reserved = old.order, old.since_ms, old.admitted, old.reserved
            car.booking, car.rule = old.booking, old.rule
            car.decision = "admit" if old.admitted else "ask" if old.asks else "wait"
            cars.append(car)
        flow.take_over(parked, cars, kept.order, (kept.band, kept.counts, kept.last_reserved_ms))
