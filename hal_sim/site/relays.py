"""The box's relays as the site feels them: which contact is closed since when, and what they must never
do."""

from __future__ import annotations

from collections.abc import Callable

from hal_sim.site.lane import LanePins, SimLane

RELAY_LONGEST_S = 3.0
"""Longest pulse that the config allows (dry-contact practice is 0.5 to 1.5 s); beyond it a relay hangs."""


class Relays:
    """Turns pin writes into contacts of one lane. `ordered(lane_id, now_s)`: a person ordered an opening just now."""

    def __init__(self, lane: SimLane, ordered: Callable[[str, float], bool]) -> None:
        self._lane, self._ordered = lane, ordered
        pins = lane.pins
        self._names = {pins.open: "open"}
        if pins.close is not None:
            self._names[pins.close] = "close"
        self._since_s: dict[str, float] = {}
        self._told: set[str] = set()
        self.on_open: Callable[[SimLane, int], None] = lambda lane, t_ns: None

    def on_pin(self, pin: int, level: int | None, t_ns: int) -> None:
        """An output of the box changed; the caller holds the world still."""
        name = self._names.get(pin)
        if name is None:
            return
        closed = level == self._lane.pins.relay_on_level
        now_s = t_ns / 1e9
        if closed == (name in self._since_s):
            return
        if closed:
            self._since_s[name] = now_s
            if len(self._since_s) > 1:
                self._lane.violated("open_and_close", f"OPEN and CLOSE on together at {now_s:.2f}")
        else:
            self.check(now_s)
            del self._since_s[name]
            self._told.discard(name)
        if closed and name == "open":
            self.on_open(self._lane, t_ns)
        self._lane.relay(name, closed, now_s, self._ordered(self._lane.id, now_s))

    def check(self, now_s: float) -> None:
        """A relay that has been on for too long, told once each time."""
        for name, since_s in self._since_s.items():
            if now_s - since_s > RELAY_LONGEST_S and name not in self._told:
                self._told.add(name)
                self._lane.violated("relay_too_long", f"{name} on for {now_s - since_s:.1f} s at {now_s:.2f}")


def pins_of(number: int, *, active: str = "high", loops_active: str = "low", close: bool = True) -> LanePins:
    """Six BCM pins for the lane with this number (0 to 3): 24 of the header's 26."""
    if not 0 <= number <= 3:
        raise ValueError(f"lane number {number}: allowed 0 to 3")
    first = 2 + 6 * number
    return LanePins(
        open=first,
        close=first + 1 if close else None,
        limit_up=first + 2,
        limit_down=first + 3,
        arrival=first + 4,
        safety=first + 5,
        relay_on_level=1 if active == "high" else 0,
        occupied_level=1 if loops_active == "high" else 0,
    )
