"""People who book through the city: they lock, confirm, change, cancel, come in time, late, early or never.

Each worker takes one customer after another through his story (`stories`). An order that is not answered is sent
again, as a platform would; an answer that the standard does not allow in that place is a problem of the run.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass

from hal_sim.shenzhen.lists import CODES, OWN_CODES_FROM
from hal_sim.shenzhen.orders import Element, Via
from hal_sim.shenzhen.records import yuan
from hal_sim.shenzhen.rules import epoch
from hal_sim.shenzhen.server import ShenzhenPlatform

TRIES = 8
"""An order that the box can have taken is sent so often."""
AWAY_S = 120.0
"""One that nobody was there to take is sent for so long: a program that a person restarts at the page has 25 s to end
and 30 s to be ready, on a busy machine, and logs in only then."""
AGAIN_S = 1.0
PROBLEMS_KEPT = 50
COUPON_FELT_S = 2.0
"""Times are written in whole seconds: only an exit so much later surely knew the coupon."""

# GA 36-2018: I and O are not used. 粤 so that no ordinary car of the simulated traffic has the same plate.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast people act, in seconds."""

    between_s: tuple[float, float]  # from one customer to the next of a worker
    step_s: tuple[float, float]  # from one act of a customer to his next
    window_s: int = 1800  # how long an ordinary booking is open
    short_s: int = 2  # how long the booking of somebody who comes late is open
    inside_s: float = 20.0  # how long he waits to be known as inside before he uses a coupon


class Stopped(Exception):
    """The run ends: whatever a customer had in mind, he does no more."""


@dataclass(frozen=True, slots=True)
class Given:
    """A coupon that the box took for a car inside."""

    coupon_no: str
    entry_id: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """A customer who set out for the lot: on which booking, and whether he has a right to its stall (SC50)."""

    plate: str
    book_code: str
    reserved: bool


@dataclass(frozen=True, slots=True)
class Guest:
    """A plate that had free passage for its whole stay (4001, strategy 5)."""

    plate: str
    entry_id: str


class Driver:
    """`start` and `stop`; `arrive(plate, colour)` brings a car to the simulated entrances."""

    def __init__(
        self,
        platform: ShenzhenPlatform,
        arrive: Callable[[str, str], None],
        tell_story: Callable[[Driver, random.Random], None],
        tempo: Tempo,
        *,
        seed: int,
        workers: int = 2,
        via: Via | None = None,
    ) -> None:
        self.platform, self.tempo = platform, tempo
        self._arrive, self._tell_story, self._via = arrive, tell_story, via
        self._seed, self._workers = seed, workers
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Condition()
        self._plates: set[str] = set()
        self._next = 0
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.unanswered: list[str] = []
        self.coupons: list[Given] = []
        self.arrivals: list[Arrival] = []
        self.guests: list[Guest] = []

    def start(self) -> None:
        for number in range(self._workers):
            thread = threading.Thread(target=self._run, args=(number,), name=f"customers-{number}")
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """No customer begins or goes on; returns when nobody does."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        dice = random.Random(f"customers {self._seed} {number}")
        try:
            while True:
                self.pause(dice.uniform(*self.tempo.between_s))
                if self.platform.orders.ways():
                    self._tell_story(self, dice)
        except Stopped:
            return
        except BaseException as error:
            self.platform.broke(error)
            raise

    # --- what a story is made of ---------------------------------------------------------------------------

    def pause(self, seconds: float) -> None:
        """Wait. Raises `Stopped`."""
        if self._stopping.wait(seconds):
            raise Stopped

    def step(self, dice: random.Random) -> None:
        """The time a person takes between two acts."""
        self.pause(dice.uniform(*self.tempo.step_s))

    def fresh_plate(self, dice: random.Random) -> tuple[str, str]:
        """A plate that nobody has had yet, and its colour."""
        with self._lock:
            while True:
                head = "粤B" + dice.choice(LETTERS)
                plate = head + "".join(dice.choices("13467", k=4))  # no look-alikes (0/D 8/B 5/S 2/Z): it is read right
                if plate not in self._plates:
                    self._plates.add(plate)
                    return plate, "blue"

    def number(self) -> int:
        """A running number, for codes that must be unique."""
        with self._lock:
            self._next += 1
            return self._next

    def order(self, code: int, element: Element, allowed: Set[int]) -> Element | None:
        """One order until it is answered; None if it never was. Raises `Stopped`: an order under way when the run ends
        is nobody's debt."""
        ends_s, tries, times = time.monotonic() + AWAY_S, 0, 0
        while tries < TRIES and time.monotonic() < ends_s:
            answer = self.platform.send_order(code, [element], self._via)
            told = answer.result.elements[0] if answer.result is not None and answer.result.elements else None
            if told is not None and not _busy(told.get("code")):
                with self._lock:
                    self.counts[f"{code} {told.get('code')}"] += 1
                if told.get("code") not in allowed:
                    wanted = ", ".join(map(str, sorted(allowed)))
                    self.problem(f"order {code} {element}: code {told.get('code')} {told.get('message')}, not {wanted}")
                return told
            times += 1
            tries += answer.reached
            with self._lock:
                self.counts["again"] += 1
            self.pause(AGAIN_S)
        said = answer.fault or f"code {told.get('code') if told else None}"
        with self._lock:
            self.unanswered.append(f"order {code} {element}: sent {times} times, {tries} reached the box, last: {said}")
        return None

    def come(self, plate: str, colour: str, book_code: str = "", *, reserved: bool = False) -> None:
        """The car drives to the lot."""
        with self._lock:
            self.arrivals.append(Arrival(plate, book_code, reserved))
            self.counts["came"] += 1
        self._arrive(plate, colour)

    def entry_of(self, plate: str) -> str | None:
        """The id of the entry of a car that is inside; None if it did not come in time. Raises `Stopped`."""
        ends_s = time.monotonic() + self.tempo.inside_s
        while time.monotonic() < ends_s:
            entry_id = self.platform.entry_of(plate)
            if entry_id is not None:
                return entry_id
            self.pause(0.2)
        return None

    def has_left(self, plate: str) -> bool:
        """Wait for the box to report his exit; False if it did not in time. Raises `Stopped`."""
        ends_s = time.monotonic() + self.tempo.inside_s
        while self.platform.entry_of(plate) is not None:
            if time.monotonic() > ends_s:
                return False
            self.pause(0.2)
        return True

    def let_in_free(self, plate: str, entry_id: str) -> None:
        """He was on the list from before his entry until after his exit."""
        with self._lock:
            self.guests.append(Guest(plate, entry_id))

    def gave(self, coupon_no: str, entry_id: str) -> None:
        """The box took a coupon for a car that is inside."""
        with self._lock:
            self.coupons.append(Given(coupon_no, entry_id, self.platform.now()))

    def problem(self, text: str) -> None:
        with self._lock:
            if len(self.problems) < PROBLEMS_KEPT:
                self.problems.append(text)

    @contextmanager
    def story(self, name: str) -> Iterator[None]:
        """Count a story, and whether it came to its end."""
        with self._lock:
            self.counts[name] += 1
        yield
        with self._lock:
            self.counts["ended"] += 1
            self._lock.notify_all()

    def wait_ended(self, stories: int, timeout_s: float) -> bool:
        """Wait until so many stories came to their end."""
        with self._lock:
            return self._lock.wait_for(lambda: self.counts["ended"] >= stories, timeout_s)

    # --- at the end ----------------------------------------------------------------------------------------

    def charged_guests(self) -> list[str]:
        """Guests of honour who paid all the same."""
        return [
            f"guest {guest.plate} paid, though strategy 5 lets him out free ({one.item_id})"
            for guest in self.guests
            for one in self.platform.of(5008)
            if str(one.item["recordId"]).lower() == guest.entry_id.lower() and yuan(one.item["received"]) > 0
        ]

    def unfelt_coupons(self) -> list[str]:
        """Coupons that a later exit with a fee took no account of."""
        found = []
        for given in self.coupons:
            left = next((one for one in self.platform.by_id(given.entry_id) if one.code == 5005), None)
            if left is None or (epoch(left.item["leaveTime"]) or 0.0) < given.at_s + COUPON_FELT_S:
                continue
            if yuan(left.item["receivables"]) > 0 and yuan(left.item["discount"]) == 0:
                found.append(f"coupon {given.coupon_no} not felt in the exit of {left.plate} ({given.entry_id})")
        return found


def _busy(code: object) -> bool:
    """An extension code (7.1.5.2) is no judgement of the order that table 44 knows: it may be sent again."""
    return isinstance(code, int) and code >= OWN_CODES_FROM and code not in CODES
