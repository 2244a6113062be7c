"""A barrier's arm and its controller: OPEN, CLOSE and STOP contacts in, position and limit switches out.

Contacts work on level, as on common controllers: OPEN beats CLOSE, and a contact that stays closed keeps
the order standing. The controller's own anti-crush input is not simulated on purpose: the box must never
need it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PASSABLE = 0.85
"""Share of the way up from which a driver goes under the arm."""

STRIKES_BELOW = 0.6
"""Share of the way up below which a coming down arm touches a car of 1.5 m: 90 degrees x 0.6 leaves about 1.6 m
at the middle of a 3 m lane, seen from an axis at 1 m."""

LIMIT_ZONE = 0.02


@dataclass
class Arm:
    """`position` 0 is down, 1 is up. Time is passed in; `travel_s` is the whole way."""

    travel_s: float
    closes_by_itself_s: float | None = None
    """Two-wire barriers have no CLOSE contact: they come down so long after the last OPEN."""
    position: float = 0.0
    direction: int = 0  # +1 up, -1 down, 0 stands
    opened_at_s: float = field(default=float("-inf"))
    _open: bool = False
    _close: bool = False
    _stop: bool = False

    def contact(self, name: str, closed: bool, now_s: float) -> None:
        """A relay of the box changed: `open`, `close` or `stop`."""
        if name == "open":
            if closed and not self._open:
                self.opened_at_s = now_s
            self._open = closed
        elif name == "close":
            self._close = closed
        elif name == "stop":
            self._stop = closed
        else:
            raise ValueError(f"contact {name!r}: allowed are open, close, stop")
        if self._stop:
            self.direction = 0
        elif self._open:
            self.direction = 1
        elif self._close:
            self.direction = -1

    def step(self, now_s: float, dt_s: float) -> None:
        wait_s = self.closes_by_itself_s
        if wait_s is not None and not self._open and self.position >= 1 and now_s - self.opened_at_s > wait_s:
            self.direction = -1
        self.position = min(1.0, max(0.0, self.position + self.direction * dt_s / self.travel_s))
        if (self.direction > 0 and self.position >= 1) or (self.direction < 0 and self.position <= 0):
            self.direction = 0

    @property
    def limit_up(self) -> bool:
        return self.position >= 1 - LIMIT_ZONE

    @property
    def limit_down(self) -> bool:
        return self.position <= LIMIT_ZONE

    @property
    def passable(self) -> bool:
        """A driver goes under an arm that is up, and does not start under one that comes down."""
        return self.position >= PASSABLE and self.direction >= 0
