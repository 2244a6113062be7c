"""From two loops to vehicles: who stands at the arm, who is under it, who went through, who backed out.

The geometry: the arrival loop lies about 2 m before the safety loop under the arm, both are about 1 m wide, and a car
is longer than the gap between them. A car that goes through therefore covers the arrival loop, then both, then only
the safety loop, then none. What tells one vehicle from two is the order of the *ends* of its pulses:

    A vehicle is through when its arrival pulse has ended and after that the safety loop clears.

- A safety loop that clears while the car still stands on the arrival loop ends nothing: a high truck dropped out, or
  the car backs off. If the arrival loop then clears too, the time between the two tells which (REVERSE_MIN_MS).
- A safety pulse with no new arrival before it is a drop-out of the vehicle that was counted last (no second count).
- A new arrival pulse while a vehicle is under the arm is the next vehicle, or a drop-out of the first; it counts only
  if a safety pulse of its own ends after it. One safety pulse takes at most one vehicle through.
- Only where the loop had lost the first vehicle for long, and the second's arrival pulse ended before the safety loop
  clears, both are through: the end of the first fell into its drop-out.
- Clear for less than MERGE_MS is the same pulse on either loop.

What two loops cannot tell: a drop-out longer than `hold_ms`; drop-outs of both loops in one group of cars bumper to
bumper (their pulses are then those of more or fewer cars); a car that reverses from the safety loop back over the
arrival loop faster than REVERSE_MIN_MS; a car that reverses out after its tail had already left the arrival loop (the
same pulses as a car that passed and another that came behind it and left); a vehicle from the wrong side (it makes a
safety pulse first and is not counted); anything while the arrival loop is silent or stuck, or where there is none: then
every safety pulse counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from edge.core.lane_types import Arrival

MERGE_MS = 150
"""Two vehicles 1.5 m apart leave a 1 m loop clear for 0.5 m, at 2.5 m/s (9 km/h, the fastest under an arm) 200 ms."""

REVERSE_MIN_MS = 1_000
"""From the edge of the safety loop back over the arrival loop are 2.5 m: 1 s at 2.5 m/s. A truck that dropped out for
at most 1.5 s and drives on clears its arrival loop within 0.5 s of the drop-out, or the safety loop sees it again."""


class Outcome(NamedTuple):
    arrival: Arrival
    what: Literal["passed", "gone"]


class Traffic:
    """`standing` is the newest car at the arrival side, `front` the one that reached the safety loop."""

    def __init__(self, new_id: Callable[[], str], drop_out_ms: int, *, arrival_loop: bool = True) -> None:
        """`arrival_loop` False: cameras tell of arrivals and nothing of their ends, so every safety pulse counts."""
        self._new_id = new_id
        self._drop_out_ms = drop_out_ms
        self.standing: Arrival | None = None
        self.front: Arrival | None = None
        self.arrival_trusted = arrival_loop
        self._safety_on = False
        self._safety_fell_ms = -1_000_000
        self._known: list[Outcome] = []
        self._ended = False  # the front's pulse ended less than MERGE_MS ago

    def came(self) -> Arrival:
        """A car stands at the arm."""
        self.standing = Arrival(self._new_id())
        return self.standing

    def arrival_on(self, now_ms: int, arm_up: bool) -> Arrival | None:
        """The arrival loop became occupied: the new car, or None if it is the one that is known."""
        car = self.standing
        if car is not None:
            if car.fell_ms is None:
                return None
            # With the arm up a car on the safety loop drives on, and what comes then may be the next one.
            its_pulse = self._may_cover(car)
            window_ms = MERGE_MS if its_pulse or (car is self.front and arm_up) else self._drop_out_ms
            if now_ms - car.fell_ms < window_ms:
                car.fell_ms = None
                return None
            if its_pulse and self.front is not None:
                ended = self._ended
                self._known.append(self._end(self.front, "passed"))
                self.front, self._ended = car, ended
        return self.came()

    def _may_cover(self, car: Arrival) -> bool:
        """The safety loop had lost the car before this one, so the pulse that goes on may be its own.

        Or the pulse that has just ended, if its tail had the time to leave the arrival loop that much earlier.
        """
        front = self.front
        if front is None or front is car or front.safety_fell_ms is None:
            return False
        if self._safety_on:
            return True
        return self._ended and car.fell_ms is not None and self._safety_fell_ms - car.fell_ms >= REVERSE_MIN_MS

    def front_again(self) -> bool:
        """Take the car on the safety loop for the one on the arrival loop too, if nobody else is there."""
        if self.standing is not None or self.front is None:
            return False
        self.standing = self.front
        self.front.fell_ms = self.front.safety_fell_ms = None
        return True

    def arrival_off(self, now_ms: int) -> None:
        if self.standing is not None and self.standing.fell_ms is None:
            self.standing.fell_ms = now_ms

    def safety_on(self, now_ms: int) -> None:
        self._safety_on = True
        merged = now_ms - self._safety_fell_ms < MERGE_MS
        self._ended = False
        if merged or self.front is not None:
            return  # the same pulse, or a vehicle that dropped out and has not gone through yet
        if self.standing is None and not self.arrival_trusted:
            self.came()
        self.front = self.standing

    def safety_off(self, now_ms: int) -> None:
        """The safety loop cleared: the end of a pulse, if it is still clear in MERGE_MS."""
        self._safety_on = False
        self._safety_fell_ms = now_ms
        self._ended = self.front is not None

    def safety_lost(self) -> None:
        """Nobody knows what the safety loop sees: taken for occupied, but no pulse of any car."""
        self._safety_on = True
        self._ended = False

    def due_ms(self) -> int | None:
        """When `judge` has something to say."""
        if self._known:
            return self._safety_fell_ms
        if self._ended:
            return self._safety_fell_ms + MERGE_MS
        car = self._waiting()
        return None if car is None or car.fell_ms is None else car.fell_ms + self._drop_out_ms

    def judge(self, now_ms: int) -> list[Outcome]:
        """The cars that are known to be through, or gone, by now."""
        if self._known:
            known, self._known = self._known, []
            return known
        if self._ended:
            return self._pulse_ended() if now_ms >= self._safety_fell_ms + MERGE_MS else []
        car = self._waiting()
        if car is None or car.fell_ms is None or now_ms < car.fell_ms + self._drop_out_ms:
            return []
        if car is self.front and car.safety_fell_ms is not None:
            forward = car.fell_ms - car.safety_fell_ms < REVERSE_MIN_MS
            return [self._end(car, "passed" if forward else "gone")]
        return [self._end(car, "gone")]

    def _pulse_ended(self) -> list[Outcome]:
        self._ended = False
        car, behind, fell_ms = self.front, self.standing, self._safety_fell_ms
        assert car is not None
        left = car.fell_ms is not None and (car is not behind or fell_ms - car.fell_ms >= MERGE_MS)
        if not left and self.arrival_trusted:
            car.safety_fell_ms = fell_ms
            return []
        through = [self._end(car, "passed")]
        if car.safety_fell_ms is None or behind is None or behind is car or behind.fell_ms is None:
            return through
        # The loop had lost the first one already; the next one's tail has left the arrival loop for as long as it takes
        # to the safety loop. So this pulse was the next one's, and the first was through before it.
        if fell_ms - behind.fell_ms >= REVERSE_MIN_MS:
            through.append(self._end(behind, "passed"))
        return through

    def _waiting(self) -> Arrival | None:
        """The car that has left the arrival loop and is not known to be on its way through."""
        front, standing = self.front, self.standing
        if front is not None and front.fell_ms is not None and not self._safety_on:
            return front
        if standing is None or standing is front or standing.fell_ms is None:
            return None
        return None if self._may_cover(standing) else standing

    def _end(self, car: Arrival, what: Literal["passed", "gone"]) -> Outcome:
        if self.front is car:
            self.front = None
            self._ended = False
        if self.standing is car:
            self.standing = None
        return Outcome(car, what)

    def drop(self, car: Arrival) -> Outcome:
        """A car of a lane without arrival loop that does not come to the safety loop any more."""
        return self._end(car, "gone")
