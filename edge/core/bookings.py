"""Bookings: which plates hold a stall, when each may come in, and when its hold ends (T/SZPIA 6.3, SC50-SC54).

A booking is *held* from its lock on; *taken* while its car is admitted and not yet through; then *used*, or it has
*lapsed* or was *cancelled*. Its car may come in from_ms <= t <= ends_ms; after ends_ms it lapses, and so it does
`lock_ms` after its lock if nobody confirms it. A car that backs out gives it back.

No fact ends a booking that lapses, so what has lapsed is a matter of the time alone: a clock that is set back brings
back what it had ended (`edge.core.ends`).

Look-ups are by plate and lapses come from a heap, so that nothing here depends on how many bookings there are.
Times are wall-clock ms. `None` for the time means that nobody knows it (no clock since the boot): then nothing begins
or lapses, and every held booking is good for its car.
"""

from __future__ import annotations

import heapq
from typing import Literal

import msgspec

from edge.core.ends import Ends
from edge.core.facts_flow import Vehicle

MINUTE_MS = 60_000

ENDED_KEPT = 5_000
"""Codes of ended bookings that are remembered, so that a late order for one is told what became of it: days of a
busy lot. An older one is unknown."""

LAPSED_KEPT = 2_000
"""Lapsed bookings that a clock set back may bring back: more than a lot holds at once. Older ones have lapsed for good.
"""

End = Literal["used", "lapsed", "cancelled"]
State = Literal["held", "taken"]


class Terms(msgspec.Struct, frozen=True, array_like=True):
    """What was agreed. Two orders with the same code and equal terms are the same order."""

    plate: str
    from_ms: int
    until_ms: int
    keep_ms: int
    vehicle: Vehicle = ""


class Booking(msgspec.Struct, array_like=True):
    """One living booking. `holder` is the arrival that has taken it."""

    code: str
    terms: Terms
    locked_ms: int
    confirmed: bool = False
    state: State = "held"
    holder: str = ""
    city: str = ""

    @property
    def ends_ms(self) -> int:
        """Last moment at which its car may come in."""
        return self.terms.until_ms + self.terms.keep_ms


class Bookings:
    """All living bookings. `held` is H."""

    def __init__(self, lock_ms: int | None = None, early_ms: int = 0) -> None:
        self.lock_ms, self.early_ms = lock_ms, early_ms
        self.held = 0
        self.by_code: dict[str, Booking] = {}
        self.ended: dict[str, End] = {}
        """How bookings ended for good."""
        self.lapsed: dict[str, Booking] = {}
        """Over by the clock as it is."""
        self._by_plate: dict[str, list[Booking]] = {}
        self._lapses = Ends()
        self._soonest: tuple[Booking, ...] | None = None

    # --- changes -------------------------------------------------------------------------------------------------

    def lock(self, code: str, terms: Terms, at_ms: int, city: str = "") -> None:
        """Hold a stall. A code that lives already gets these terms and keeps what it is otherwise."""
        booking = self.by_code.get(code)
        self._soonest = None
        if booking is None:
            self.ended.pop(code, None)
            self.lapsed.pop(code, None)
            booking = Booking(code, terms, at_ms, city=city)
            self.by_code[code] = booking
            self.held += 1
        else:
            self._unlist(booking)
            booking.terms = terms
        self._by_plate.setdefault(terms.plate, []).append(booking)
        self._schedule(booking)
        self._forget_oldest()

    def confirm(self, code: str) -> None:
        booking = self.by_code.get(code)
        if booking is not None and not booking.confirmed:
            booking.confirmed = True
            self._schedule(booking)

    def end(self, code: str, how: End) -> None:
        booking = self.by_code.pop(code, None)
        if booking is None:
            return
        self._soonest = None
        self.held -= booking.state == "held"
        self._unlist(booking)
        self._lapses.drop(code)
        self._end(code, how)

    def _end(self, code: str, how: End) -> None:
        self.ended[code] = how
        while len(self.ended) > ENDED_KEPT:
            del self.ended[next(iter(self.ended))]

    def take(self, code: str, holder: str) -> None:
        """Its car was admitted: it holds no stall beside the one its car has."""
        booking = self.by_code.get(code)
        if booking is not None and booking.state == "held":
            booking.state, booking.holder = "taken", holder
            self.held -= 1
            self._lapses.drop(code)

    def give_back(self, code: str, holder: str) -> None:
        """Its car went away without entering (invariant 6). If its time is over, it lapses at the next turn."""
        booking = self.by_code.get(code)
        if booking is not None and (booking.state, booking.holder) == ("taken", holder):
            booking.state, booking.holder = "held", ""
            self.held += 1
            self._schedule(booking)

    def use(self, code: str, holder: str) -> None:
        booking = self.by_code.get(code)
        if booking is not None and booking.holder == holder:
            self.end(code, "used")

    # --- time ----------------------------------------------------------------------------------------------------

    def next_lapse_ms(self) -> int | None:
        """The moment after which the next held booking lapses."""
        return self._lapses.next_ms()

    def lapse_one(self) -> None:
        """The booking of `next_lapse_ms` lapses."""
        if self.next_lapse_ms() is not None:
            code = self._lapses.end_next()
            booking = self.lapsed[code] = self.by_code.pop(code)
            self._soonest = None
            self.held -= 1
            self._unlist(booking)

    def turn_back(self, last_ms: int) -> None:
        """The clock says that no moment after `last_ms` is over: what lapsed after it has not."""
        for code in self._lapses.turn_back(last_ms):
            booking = self.by_code[code] = self.lapsed.pop(code)
            self._soonest = None
            self.held += 1
            self._by_plate.setdefault(booking.terms.plate, []).append(booking)

    def _forget_oldest(self) -> None:
        """Only with a fact, so that it falls alike in every fold."""
        if len(self.lapsed) <= LAPSED_KEPT:
            return
        for code in self._lapses.oldest(list(self.lapsed), len(self.lapsed) - LAPSED_KEPT):
            del self.lapsed[code]
            self._lapses.drop(code)
            self._end(code, "lapsed")

    # --- questions -------------------------------------------------------------------------------------------------

    def how_ended(self, code: str) -> End | None:
        """None: it lives, or nobody knows it (any more)."""
        return "lapsed" if code in self.lapsed else self.ended.get(code)

    def good_for(self, plate: str, wall_ms: int | None) -> Booking | None:
        """The held booking on which this car may come in now; of several the one that ends first."""
        found = None
        for booking in self._by_plate.get(plate, ()):
            if booking.state != "held":
                continue
            terms = booking.terms
            if wall_ms is not None and not terms.from_ms - self.early_ms <= wall_ms <= booking.ends_ms:
                continue
            if found is None or (booking.ends_ms, booking.code) < (found.ends_ms, found.code):
                found = booking
        return found

    def begins_ms(self, plate: str, wall_ms: int | None) -> int | None:
        """When the next held booking of this car begins, None if it has none to come."""
        if wall_ms is None:
            return None
        starts = [
            booking.terms.from_ms - self.early_ms
            for booking in self._by_plate.get(plate, ())
            if booking.state == "held" and booking.terms.from_ms - self.early_ms > wall_ms
        ]
        return min(starts, default=None)

    def soonest(self, limit: int) -> tuple[Booking, ...]:
        """Living bookings in the order in which they begin; `limit` is always the same, for the answer is kept."""
        if self._soonest is None:
            self._soonest = tuple(
                heapq.nsmallest(limit, self.by_code.values(), key=lambda each: (each.terms.from_ms, each.code))
            )
        return self._soonest

    # --- inside ----------------------------------------------------------------------------------------------------

    def _schedule(self, booking: Booking) -> None:
        """A taken one does not lapse."""
        if booking.state != "held":
            return
        at_ms = booking.ends_ms
        if self.lock_ms is not None and not booking.confirmed:
            at_ms = min(at_ms, booking.locked_ms + self.lock_ms)
        self._lapses.put(booking.code, at_ms)

    def _unlist(self, booking: Booking) -> None:
        alike = self._by_plate[booking.terms.plate]
        alike.remove(booking)
        if not alike:
            del self._by_plate[booking.terms.plate]

    # --- snapshot --------------------------------------------------------------------------------------------------

    def unended(self) -> list[Booking]:
        """Those that no fact has ended, lapsed by the clock as it is or not."""
        return [*self.by_code.values(), *self.lapsed.values()]

    def restore(self, unended: list[Booking], ended: dict[str, End]) -> None:
        """Take over what `unended` and `ended` said; the time, which comes next, lapses some."""
        self.ended = ended
        for booking in unended:
            self.by_code[booking.code] = booking
            self.held += booking.state == "held"
            self._by_plate.setdefault(booking.terms.plate, []).append(booking)
            self._schedule(booking)
