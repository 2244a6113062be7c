"""A barrier controller for tests of the simulated site: opens for every car, closes behind it. Not the box's code.

`careless` closes a fixed time after opening whatever stands under the arm: the site must notice.
"""

from __future__ import annotations

from hal_sim.site.lane import LanePins
from hal_sim.site.pins import PinBank

PULSE_S = 0.2
HOLD_S = 0.5


class Controller:
    def __init__(self, bank: PinBank, pins: LanePins, *, careless: bool = False, opens: bool = True) -> None:
        self.bank, self.pins, self.careless, self.opens = bank, pins, careless, opens
        self.off_at: dict[int, float] = {}
        self.raised_s: float | None = None
        self.closing = False
        self.felt = False
        self.cleared_s: float | None = None

    def occupied(self, pin: int) -> bool:
        return self.bank.level(pin) == self.pins.occupied_level

    def pulse(self, pin: int, now_s: float) -> None:
        self.bank.write(pin, self.pins.relay_on_level, round(now_s * 1e9))
        self.off_at[pin] = now_s + PULSE_S

    def step(self, now_s: float) -> None:
        for pin, at_s in list(self.off_at.items()):
            if now_s >= at_s:
                self.bank.write(pin, 1 - self.pins.relay_on_level, round(now_s * 1e9))
                del self.off_at[pin]
        assert self.pins.close is not None
        safety = self.occupied(self.pins.safety)
        if self.raised_s is None:
            if safety and self.opens and self.closing:  # somebody drove under the arm that comes down
                self.bank.write(self.pins.close, 1 - self.pins.relay_on_level, round(now_s * 1e9))
                self.off_at.pop(self.pins.close, None)
                self.pulse(self.pins.open, now_s)
                self.raised_s, self.felt, self.cleared_s = now_s, True, None
            elif self.opens and self.occupied(self.pins.arrival) and not self.off_at:
                self.pulse(self.pins.open, now_s)
                self.raised_s, self.felt, self.cleared_s = now_s, False, None
            return
        if self.careless:
            if now_s - self.raised_s > 1.2:
                self.pulse(self.pins.close, now_s)
                self.raised_s = None
            return
        if safety:
            self.felt, self.cleared_s = True, None
        elif self.felt and self.cleared_s is None:
            self.cleared_s = now_s
        # A back-out never reaches the safety loop; waiting out a fixed time is enough here.
        gone = not self.felt and not self.occupied(self.pins.arrival) and now_s - self.raised_s > 3
        if (self.cleared_s is not None and now_s - self.cleared_s > HOLD_S) or gone:
            self.pulse(self.pins.close, now_s)
            self.raised_s, self.closing = None, not self.careless
