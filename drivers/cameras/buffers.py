"""Memory for bodies, used again and again: a push of 400 KB brings no page that the kernel must clear first.

It is faster while a camera waits, and the program's memory stays as it is: blocks of this size, made and freed a
thousand times, leave holes between whatever else was made meanwhile.
"""

from __future__ import annotations

POOLED_BYTES = 65_536
"""A body under it (a heartbeat, a push without picture) is not worth keeping."""
STEP_BYTES = 1 << 19
"""Bodies differ in length: 400 KB of one camera fit where 390 KB of another stood."""
KEPT = 2
"""So many at most: two lanes' pushes at the same time. More of them are made and freed."""
KEPT_BYTES = 1 << 20
"""A longer one is rare and goes back to the system."""


class Buffers:
    """Used from the event loop alone."""

    def __init__(self) -> None:
        self._free: list[bytearray] = []

    def take(self, length: int) -> bytearray:
        """Room for `length` bytes or more. What stands in it is of no meaning."""
        if length < POOLED_BYTES:
            return bytearray(length)
        for number, buffer in enumerate(self._free):
            if len(buffer) >= length:
                return self._free.pop(number)
        return bytearray(-(-length // STEP_BYTES) * STEP_BYTES)

    def give(self, buffer: bytearray) -> None:
        """Back from `take`; whoever gives it must not look at it any more."""
        if POOLED_BYTES <= len(buffer) <= KEPT_BYTES and len(self._free) < KEPT:
            self._free.append(buffer)
