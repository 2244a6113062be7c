"""Flow control: the lot as it stands, and by which rule a car may come in (T/SZPIA 001-2020 clause 6).

T stalls, P cars inside or admitted and not yet through, H bookings that hold a stall. P/T makes the lot free, saturated
or full; what counts for a car is the state before its admission.

`Flow` is state and judgement, nothing more: it is told what happened (a car came, was admitted, cleared the entrance,
went away, left; a booking, a switch, a count) and says what may happen now. It admits nobody by itself. Whoever
drives it carries out its judgements in the order of `queue` until nothing changes: `flow_run.FlowRun` for replay
and planning, `Box` for the lanes, where every change is a fact and the fold of the facts is this same object.

Times: `now_ms` is monotonic and measures durations; `wall_ms` is the time of bookings, None while nobody knows it.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Literal, NamedTuple

from edge.core.bookings import Booking, Bookings
from edge.core.facts import FlowReasons
from edge.core.facts_flow import Role, Vehicle
from edge.core.flow_policy import Entrance, Policy

Band = Literal["free", "saturated", "full"]
Kind = Literal["reserved", "ordinary"]
Decision = Literal["admit", "wait", "refuse", "ask"]


class Car:
    """One car at an entrance, from its arrival until it has cleared the entrance or gone."""

    __slots__ = ("admitted", "booking", "decision", "id", "lane", "order", "plate", "reserved", "rule", "since_ms",
                 "vehicle")  # fmt: skip

    def __init__(self, car_id: str, lane: str, plate: str, vehicle: Vehicle) -> None:
        self.id, self.lane, self.plate, self.vehicle = car_id, lane, plate, vehicle
        self.order = self.since_ms = 0
        self.admitted = False
        self.reserved = False  # as what it was admitted; while it waits, its bookings say it
        self.booking = ""
        self.decision: Decision | None = None
        self.rule = ""


class Judgement(NamedTuple):
    """What may happen to a car now, and every number that it rests on. `flow_words.words` puts it into words."""

    decision: Decision
    rule: str
    lane: str
    plate: str
    kind: Kind
    booking: str  # code of the booking on which it may come in
    begins_ms: int | None  # an early car's booking begins then
    state: Band
    reasons: FlowReasons


class Flow:
    """See the module. Attributes are for reading; the methods change them."""

    def __init__(self, policy: Policy, total: int, parked: int = 0) -> None:
        if total < 0:
            raise ValueError(f"total: {total} is not allowed, 0 or more is")
        self.policy, self.total, self.parked = policy, total, parked
        self.bookings = Bookings(policy.lock_ms, policy.early_ms)
        self.cars: dict[str, Car] = {}
        self.on_the_way = 0
        self.waiting = 0
        self.priority = policy.priority
        self.roles: dict[str, tuple[Role, int]] = {}
        """lane -> role in place of the configured one, and until when (wall ms, 0: until switched)."""
        self.now_ms = 0
        self.wall_ms: int | None = 0
        self.told_ms: int | None = None
        """Wall ms of the newest fact that knew it: bookings stand as then while nobody knows the time."""
        self._after = False
        self.reserved_since = 0  # reserved admissions, of "two reserved, then one ordinary"
        self.ordinary_since = 0
        self.exits = 0
        self.credits = 0
        self.last_reserved_ms: int | None = None
        """Last moment at which a reserved car was present; None: never, as far as anybody knows."""
        self.last_order = 0
        self.band: Band = self._band()

    # --- numbers -------------------------------------------------------------------------------------------------

    @property
    def occupied(self) -> int:
        """P."""
        return self.parked + self.on_the_way

    @property
    def room(self) -> int:
        """T - P - H: stalls that nobody has and nobody holds. Negative when the lot is overbooked."""
        return self.total - self.occupied - self.bookings.held

    def _band(self) -> Band:
        share = self.occupied / self.total if self.total else 1.0  # no stall at all is full
        saturated, full = self.policy.bands
        return "free" if share < saturated else "saturated" if share < full else "full"

    def _moved(self) -> None:
        """P changed. Counts and credits begin at 0 with a state and end with it."""
        band = self._band()
        if band != self.band:
            self.band = band
            self._forget_counts()

    def _forget_counts(self) -> None:
        self.reserved_since = self.ordinary_since = self.exits = self.credits = 0

    def reasons(self) -> FlowReasons:
        policy, band = self.policy, self.band
        if not self.priority or band == "free":
            return FlowReasons(self.total, self.occupied, self.bookings.held)
        if band == "full":
            return FlowReasons(
                self.total, self.occupied, self.bookings.held, exits=self.exits, out=policy.out, credits=self.credits
            )
        idle_ms = -1
        if self.last_reserved_ms is not None:
            idle_ms = 0 if self.reserved_present() else self.now_ms - self.last_reserved_ms
        return FlowReasons(
            self.total, self.occupied, self.bookings.held, self.reserved_since, policy.reserved, idle_ms
        )

    # --- time ----------------------------------------------------------------------------------------------------

    def advance(self, now_ms: int, wall_ms: int | None, after: bool = False) -> None:
        """Time passes, or the clock was set. Bookings lapse *after* their last moment: `after` says that the one of
        `wall_ms` is over too."""
        at_ms = self.told_ms if wall_ms is None else wall_ms
        if at_ms is not None:
            bookings = self.bookings
            last_ms = at_ms if after else at_ms - 1
            bookings.turn_back(last_ms)
            while (lapse_ms := bookings.next_lapse_ms()) is not None and lapse_ms <= last_ms:
                if self.waiting and wall_ms is not None:  # whoever waits on it was present until then
                    self._see_reserved(now_ms - (wall_ms - lapse_ms), lapse_ms)
                bookings.lapse_one()
        self._after = after
        self._see_reserved(now_ms, wall_ms)
        self.now_ms, self.wall_ms = now_ms, wall_ms

    def _see_reserved(self, now_ms: int, wall_ms: int | None) -> None:
        if self.cars and self._present(wall_ms):
            self.last_reserved_ms = max(now_ms, self.now_ms)

    def reserved_present(self) -> bool:
        """Whether a reserved car is at the arm of any entrance."""
        return self._present(self.wall_ms)

    def _present(self, wall_ms: int | None) -> bool:
        for car in self.cars.values():
            if car.reserved if car.admitted else self.bookings.good_for(car.plate, wall_ms) is not None:
                return True
        return False

    def next_change_ms(self) -> tuple[int, bool] | None:
        """When a waiting car may be judged otherwise, as (now_ms, after): `after` as `advance` means it."""
        if not self.waiting:
            return None
        found: tuple[int, bool] | None = None
        if self.wall_ms is not None:
            shift_ms = self.now_ms - self.wall_ms
            lapse_ms = self.bookings.next_lapse_ms()
            if lapse_ms is not None:
                found = (lapse_ms + shift_ms, True)
            for car in self.cars.values():
                begins_ms = None if car.admitted else self.bookings.begins_ms(car.plate, self.wall_ms)
                if begins_ms is not None and (found is None or (begins_ms + shift_ms, False) < found):
                    found = (begins_ms + shift_ms, False)
        idle_at_ms = self._idle_at_ms()
        if idle_at_ms is not None and idle_at_ms > self.now_ms and (found is None or (idle_at_ms, False) < found):
            found = (idle_at_ms, False)
        return found

    def _idle_at_ms(self) -> int | None:
        """When no reserved car will have been present for `idle_ms`, if none comes."""
        policy = self.policy
        if not self.priority or self.band != "saturated" or policy.idle_ms is None or self.last_reserved_ms is None:
            return None
        return None if self.reserved_present() else self.last_reserved_ms + policy.idle_ms

    def _idle(self) -> bool:
        """Whether no reserved car has been present for `idle_ms`, which strict rules do not ask."""
        if self.policy.idle_ms is None or self.reserved_present():
            return False
        return self.last_reserved_ms is None or self.now_ms - self.last_reserved_ms >= self.policy.idle_ms

    # --- cars ----------------------------------------------------------------------------------------------------

    def arrive(self, car_id: str, lane: str, plate: str, vehicle: Vehicle = "", order: int = 0) -> Car:
        """A car stands at the arm. `order` > 0: its old place in the queue."""
        if not order:
            self.last_order += 1
            order = self.last_order
        self.last_order = max(self.last_order, order)
        car = self.cars[car_id] = Car(car_id, lane, plate, vehicle)
        car.order, car.since_ms = order, self.now_ms
        self.waiting += 1
        self._see_reserved(self.now_ms, self.wall_ms)
        return car

    def admit(self, car_id: str, kind: Kind | Literal[""], booking: str = "") -> None:
        """A car that stands here is admitted; `kind` "": by a rule before flow control, and counted as neither."""
        car = self.cars[car_id]
        if car.admitted:
            return
        car.admitted, car.reserved, car.booking = True, kind == "reserved", booking
        self.waiting -= 1
        self.on_the_way += 1
        if booking:
            self.bookings.take(booking, car_id)
        if self.priority and kind:
            self._count(kind)
        self._moved()

    def _count(self, kind: Kind) -> None:
        if kind == "reserved":
            self.reserved_since += self.band == "saturated"
        elif self.band == "saturated":
            self.ordinary_since += 1
            if self.ordinary_since >= self.policy.ordinary:
                self.reserved_since = self.ordinary_since = 0
        elif self.band == "full":
            self.credits = max(0, self.credits - 1)  # a person may let one in without a credit

    def enter(self, car_id: str) -> None:
        """A vehicle cleared an entrance; one that nobody knows or nobody admitted counts too."""
        car = self.cars.pop(car_id, None)
        if car is not None and car.admitted:
            self.on_the_way -= 1
            if car.booking:
                self.bookings.use(car.booking, car_id)
        elif car is not None:
            self.waiting -= 1
        self.parked += 1
        self._moved()

    def gone(self, car_id: str) -> None:
        """It left without entering: an admission ends, its booking stays."""
        car = self.cars.pop(car_id, None)
        if car is None:
            return
        if car.admitted:
            self.on_the_way -= 1
            if car.booking:
                self.bookings.give_back(car.booking, car_id)
        else:
            self.waiting -= 1
        self.advance(self.now_ms, self.wall_ms, self._after)  # what it gave back may be over
        self._moved()

    def left(self) -> None:
        """A car left the lot. In full state every `out`-th earns a credit."""
        if self.band == "full" and self.priority:
            self.exits += 1
            if self.exits >= self.policy.out:
                self.exits = 0
                self.credits += 1
        self.parked = max(0, self.parked - 1)
        self._moved()

    def count(self, parked: int) -> None:
        """A person counted the cars inside."""
        self.parked = parked
        self._moved()

    def rebook(self, car: Car, plate: str, booking: str) -> None:
        """An admitted car turned out to have another plate: it gives one booking back and takes the other."""
        if car.booking:
            self.bookings.give_back(car.booking, car.id)
        car.plate, car.booking, car.reserved = plate, booking, bool(booking)
        if booking:
            self.bookings.take(booking, car.id)

    def take_over(
        self,
        parked: int,
        cars: list[Car],
        order: int,
        counts: tuple[Band, tuple[int, int, int, int], int | None],
    ) -> None:
        """The state of a snapshot; bookings, roles and priority are in place already, the time comes next."""
        self.parked = parked
        self.cars = {car.id: car for car in cars}
        self.on_the_way = sum(car.admitted for car in cars)
        self.waiting = len(cars) - self.on_the_way
        self.last_order = order
        band, numbers, self.last_reserved_ms = counts
        self.band = self._band()
        if band == self.band:  # else the bands were set anew since
            self.reserved_since, self.ordinary_since, self.exits, self.credits = numbers

    # --- switches --------------------------------------------------------------------------------------------------

    def switch_priority(self, on: bool) -> None:
        if on is not self.priority:
            self.priority = on
            self._forget_counts()

    def switch_role(self, lane: str, role: Role, until_ms: int = 0) -> None:
        if role == self.entrance(lane).role:
            self.roles.pop(lane, None)
        else:
            self.roles[lane] = (role, until_ms)

    def entrance(self, lane: str) -> Entrance:
        """As configured."""
        return self.policy.entrances.get(lane) or _MIXED

    def role(self, lane: str) -> Role:
        switched = self.roles.get(lane)
        return self.entrance(lane).role if switched is None else switched[0]

    # --- judgement -------------------------------------------------------------------------------------------------

    def queue(self) -> list[Car]:
        """Waiting cars in the order in which they may go: reserved before ordinary, then by arrival.

        Without priority it is first come, first served.
        """
        if not self.waiting:
            return []
        cars = [car for car in self.cars.values() if not car.admitted]
        if len(cars) > 1:
            reserved = {
                car.id for car in cars if self.priority and self.bookings.good_for(car.plate, self.wall_ms) is not None
            }
            cars.sort(key=lambda car: (car.id not in reserved, car.order))
        return cars

    def next_change(self, skip: Container[str] = ()) -> tuple[Car, Judgement] | None:
        """The first car in the order of `queue` whose judgement is another one than the decision it has.

        `skip`: ids of cars that nothing can be done about now (their lane is locked).
        """
        for car in self.queue():
            if car.id in skip:
                continue
            decision, rule, booking = self._judge(car.lane, car.plate, car.vehicle)
            if decision != car.decision:
                return car, self._explained(car.lane, car.plate, decision, rule, booking)
        return None

    def judge(self, lane: str, plate: str, vehicle: Vehicle = "") -> Judgement:
        """What the rules say of this car now. Changes nothing."""
        return self._explained(lane, plate, *self._judge(lane, plate, vehicle))

    def _explained(self, lane: str, plate: str, decision: Decision, rule: str, booking: Booking | None) -> Judgement:
        if booking is not None:
            kind: Kind = "reserved"
            code, begins_ms = booking.code, None
        else:
            kind, code, begins_ms = "ordinary", "", self.bookings.begins_ms(plate, self.wall_ms)
        return Judgement(decision, rule, lane, plate, kind, code, begins_ms, self.band, self.reasons())

    def _judge(self, lane: str, plate: str, vehicle: Vehicle) -> tuple[Decision, str, Booking | None]:
        booking = self.bookings.good_for(plate, self.wall_ms)
        if vehicle and vehicle in self.policy.refused:
            return "refuse", "vehicle", booking
        if booking is None:
            return (*self._ordinary(lane), None)
        if self.occupied < self.total:
            return "admit", "reserved", booking
        return "wait", "reserved_no_stall", booking

    def _ordinary(self, lane: str) -> tuple[Decision, str]:
        if self.role(lane) == "reserved":
            return "refuse", "lane_reserved"
        if self.priority and self.band != "free":
            strategy = self.entrance(lane).ordinary
            if strategy == "wait":
                return "wait", "lane_waits"
            if strategy == "ask":
                return "ask", "lane_asks"
        if self.occupied >= self.total:
            return "wait", "full"
        if self.room <= 0:
            return "wait", "all_held"
        if not self.priority:
            return "admit", "count"
        if self.band == "free":
            return "admit", "free"
        if self.band == "full":
            return ("admit", "credit") if self.credits > 0 else ("wait", "no_credit")
        if self.reserved_since >= self.policy.reserved:
            return "admit", "after_reserved"
        return ("admit", "idle") if self._idle() else ("wait", "reserved_first")


_MIXED = Entrance()
