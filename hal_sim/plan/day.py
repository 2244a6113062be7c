"""A day of the lot in virtual time under one rule set: queues in the street, arms, stays; the box's own rules decide.

The rules see what they would see at the lot: the car at the arm of each entrance, exits, bookings. Queues behind the
arm are the drivers' affair. Nothing here sleeps; a day of 20,000 cars is some 100,000 events.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from random import Random
from typing import NamedTuple, Protocol

from hal_sim.plan.cars import Booking, Car
from hal_sim.plan.measure import Log
from hal_sim.plan.scenario import Entrance, Place, RuleSet, Scenario, seconds

SAMPLE_S = 300.0
"""A point of the curves every five minutes: 144 in the standard's day of 7:30 to 19:30."""


class Word(NamedTuple):
    """What the rules say of the car at an arm: admit, wait, refuse or ask."""

    lane: str
    plate: str
    decision: str


class Rules(Protocol):
    """Flow control as the box runs it. Calls come in order of time and answer what is decided at that time."""

    @property
    def deadline_s(self) -> float | None: ...
    def arrive(self, t_s: float, lane: str, plate: str) -> Iterable[Word]: ...
    def entered(self, t_s: float, lane: str, plate: str) -> Iterable[Word]: ...
    def gone(self, t_s: float, lane: str, plate: str) -> Iterable[Word]: ...
    def left(self, t_s: float) -> Iterable[Word]: ...
    def bookable(self) -> int: ...
    def book(self, t_s: float, code: str, plate: str, booking: Booking) -> Iterable[Word]: ...
    def tick(self, t_s: float) -> Iterable[Word]: ...


def plate_of(car: Car) -> str:
    """A plate of its own for every car: five digits, and a letter for each further 100,000."""
    return f"粤{'ABCDEFGHJK'[car.number // 100_000 % 10]}{car.number % 100_000:05d}"


class _Driver:
    """A car in the street. `state`: queue, arm, asked, admitted, gone. `reserved`: it has booked."""

    __slots__ = ("car", "gate", "joined_s", "plate", "reserved", "state")

    def __init__(self, car: Car, reserved: bool, joined_s: float, gate: _Gate) -> None:
        self.car, self.reserved, self.joined_s, self.gate = car, reserved, joined_s, gate
        self.plate = plate_of(car)
        self.state = "queue"


class _Gate:
    __slots__ = ("arm", "entrance", "place", "queue", "queued")

    def __init__(self, entrance: Entrance, place: Place) -> None:
        self.entrance, self.place = entrance, place
        self.queue: deque[_Driver] = deque()
        self.queued = 0  # who has given up stands in `queue` until its turn, but is not counted
        self.arm: _Driver | None = None

    @property
    def length(self) -> int:
        return self.queued + (self.arm is not None)


class Day:
    """`run` plays the day and gives its log."""

    def __init__(self, scenario: Scenario, rules: RuleSet, cars: Sequence[Car], brain: Rules) -> None:
        self._scenario, self._rules, self._brain = scenario, rules, brain
        places = {place.entrance: place for place in rules.place}
        self._gates = {
            entrance.id: _Gate(entrance, places.get(entrance.id, Place(entrance=entrance.id)))
            for entrance in scenario.entrance
        }
        self._events: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._order = count()
        self._inside = scenario.lot.parked
        self._on_the_way = 0
        self._booked: set[int] = set()
        self._open_s, self._close_s = seconds(scenario.open), seconds(scenario.close)
        self.log = Log(scenario.lot.total)
        self._now_s = self._open_s
        random = Random(scenario.seed + 1)
        for _ in range(scenario.lot.parked):
            self._at(self._open_s + random.random() * scenario.lot.parked_stay_min * 60, self._leave)
        for car in cars:
            if car.booking is not None:
                self._at(max(car.booking.made_s, self._open_s), self._book, car)
            if car.comes:
                self._at(car.arrives_s, self._come, car, self._open_s)
        samples = int((self._close_s - self._open_s) // SAMPLE_S)
        for number in range(samples + 1):
            self._at(self._open_s + number * SAMPLE_S, self._sample)

    def run(self) -> Log:
        """Until the day closes; who still stands in the street then is counted as waiting."""
        events, brain = self._events, self._brain
        while events and events[0][0] <= self._close_s:
            deadline_s = brain.deadline_s
            if deadline_s is not None and deadline_s < events[0][0]:
                self._now_s = max(self._now_s, deadline_s)
                self._hear(brain.tick(self._now_s))
                continue
            self._now_s, _, action, arguments = heapq.heappop(events)
            action(*arguments)
        for gate in self._gates.values():
            waiting = [driver for driver in gate.queue if driver.state == "queue"]
            if gate.arm is not None and gate.arm.state in {"arm", "asked"}:
                waiting.append(gate.arm)
            for driver in waiting:
                self.log.still_waiting(reserved=driver.reserved)
        return self.log

    def _at(self, at_s: float, action: Callable[..., None], *arguments: object) -> None:
        heapq.heappush(self._events, (at_s, next(self._order), action, arguments))

    # --- the street ----------------------------------------------------------------------------------------------

    def _come(self, car: Car, not_at: object) -> None:
        """A car comes, or comes again after it was refused at `not_at`."""
        reserved = car.number in self._booked
        gate = self._choose(car, reserved, not_at)
        if not reserved and gate.queued >= self._scenario.ordinary.queue_max:
            self.log.turned_away(reserved=False)
            return
        driver = _Driver(car, reserved, self._now_s, gate)
        gate.queue.append(driver)
        gate.queued += 1
        if gate.arm is None:
            self._advance(gate)
        if driver.state in {"queue", "arm", "asked"}:
            self._at(self._now_s + car.patience_s, self._give_up, driver)

    def _choose(self, car: Car, reserved: bool, not_at: object) -> _Gate:
        """Refused at `not_at` (astray, or outside its booked time): where ordinary cars go."""
        again = isinstance(not_at, _Gate)
        gates = self._gates.values()
        if (reserved or car.astray) and not again:  # who has booked was told which entrance is his
            fitting = [gate for gate in gates if gate.place.role == "reserved"] or list(gates)
        else:
            fitting = [gate for gate in gates if gate.place.role != "reserved"]
        # Drivers see the queues: the shortest one, and of equal ones by the entrances' shares.
        shortest = min(gate.length for gate in fitting)
        fitting = [gate for gate in fitting if gate.length == shortest]
        rest = car.choice * sum(gate.entrance.share for gate in fitting)
        for gate in fitting:
            rest -= gate.entrance.share
            if rest < 0:
                return gate
        return fitting[-1]

    def _give_up(self, driver: _Driver) -> None:
        gate = driver.gate
        if driver.state == "queue":
            gate.queued -= 1
        elif driver.state in {"arm", "asked"}:
            self._hear(self._brain.gone(self._now_s, gate.entrance.id, driver.plate))
            self._at(self._now_s + gate.entrance.gap_s, self._advance, gate)
        else:
            return
        driver.state = "gone"
        self.log.turned_away(reserved=driver.reserved)

    def _advance(self, gate: _Gate) -> None:
        """The next of the queue drives up to the arm."""
        gate.arm = None
        while gate.queue:
            driver = gate.queue.popleft()
            if driver.state == "queue":
                gate.queued -= 1
                gate.arm, driver.state = driver, "arm"
                self._hear(self._brain.arrive(self._now_s, gate.entrance.id, driver.plate))
                return

    # --- what the rules say ----------------------------------------------------------------------------------------

    def _hear(self, words: Iterable[Word]) -> None:
        for word in words:
            driver = self._gates[word.lane].arm
            if driver is None or driver.plate != word.plate or driver.state not in {"arm", "asked"}:
                continue
            if word.decision == "admit":
                self._admit(driver)
            elif word.decision == "refuse":
                driver.state = "gone"
                self.log.refused += 1
                self._at(self._now_s + self._scenario.ordinary.turn_s, self._turn_round, driver)
            elif word.decision == "ask" and driver.state == "arm":
                driver.state = "asked"
                self._at(self._now_s + self._rules.ask_s, self._attend, driver)

    def _admit(self, driver: _Driver) -> None:
        driver.state = "admitted"
        self._on_the_way += 1
        self.log.admitted(self._now_s - driver.joined_s, reserved=driver.reserved)
        self._at(self._now_s + driver.gate.entrance.pass_s, self._enter, driver)

    def _attend(self, driver: _Driver) -> None:
        """The attendant looks at the car that asks: in, if a stall is free; else once more later."""
        if driver.state != "asked":
            return
        if self._inside + self._on_the_way < self._scenario.lot.total:
            self._admit(driver)
        else:
            self._at(self._now_s + self._rules.ask_s, self._attend, driver)

    def _turn_round(self, driver: _Driver) -> None:
        self._hear(self._brain.gone(self._now_s, driver.gate.entrance.id, driver.plate))
        self._advance(driver.gate)
        self._come(driver.car, driver.gate)

    def _enter(self, driver: _Driver) -> None:
        self._on_the_way -= 1
        self._inside += 1
        self._at(self._now_s + driver.car.stay_s, self._leave)
        self._at(self._now_s + driver.gate.entrance.gap_s, self._advance, driver.gate)
        self._hear(self._brain.entered(self._now_s, driver.gate.entrance.id, driver.plate))

    def _leave(self) -> None:
        self._inside -= 1
        self._hear(self._brain.left(self._now_s))

    def _book(self, car: Car) -> None:
        """6001: a stall is locked, or the city hears that there is none."""
        assert car.booking is not None
        if self._brain.bookable() <= 0:
            self.log.bookings_refused += 1
            return
        self._booked.add(car.number)
        self._hear(self._brain.book(self._now_s, f"B{car.number}", plate_of(car), car.booking))

    def _sample(self) -> None:
        reserved = ordinary = 0
        for gate in self._gates.values():
            standing = [gate.arm] if gate.arm is not None and gate.arm.state in {"arm", "asked"} else []
            for driver in (*standing, *gate.queue):
                if driver.state == "gone":
                    continue
                if driver.reserved:
                    reserved += 1
                else:
                    ordinary += 1
        self.log.sample(self._now_s, self._inside, reserved, ordinary)
