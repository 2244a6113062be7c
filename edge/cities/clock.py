"""Clock: time and chance as the city links get them, passed in so that tests can hold both."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Time, passed in."""

    def mono_s(self) -> float: ...

    def wall_ms(self) -> int: ...

    def wall_is_true(self) -> bool:
        """False: no RTC and not synchronised since boot; nothing is stamped with it."""


class Jitter(Protocol):
    """What `random.Random` is."""

    def uniform(self, a: float, b: float, /) -> float: ...
