"""The lane program's clocks: stamps for facts, and whether the wall clock can be believed (DESIGN 4).

A Pi has no RTC: after boot the wall clock says something old until NTP has set it. The monotonic clock counts
from boot through every restart of the program, so one boot has one offset between the two.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from edge.core.events import ClockChanged
from edge.core.facts import Stamp

STEP_MS = 1000
"""NTP slews what is smaller; a larger jump between the two clocks is a step."""

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")

_TIME_ERROR = 5  # adjtimex(2): "The system clock is not synchronized to a reliable server"
_TIMEX_BYTES = 512  # struct timex is 208 bytes on 64-bit Linux; more is harmless


def boot_id(path: Path = BOOT_ID_FILE) -> str:
    """The kernel's id of this boot, 32 hex digits."""
    return path.read_text(encoding="ascii").strip().replace("-", "")


def kernel_synchronised() -> bool:
    """What the kernel says of its own clock: adjtimex(2) in read-only use (modes = 0)."""
    libc = ctypes.CDLL(None, use_errno=True)
    state = int(libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    if state < 0:
        number = ctypes.get_errno()
        raise OSError(number, "adjtimex")
    return state != _TIME_ERROR


class LaneClock:
    """Stamps, and the events that the wall clock makes. `known_offset_ms`: this boot's, if the ledger has one."""

    def __init__(
        self,
        trust: Literal["kernel", "trusted"],
        this_boot: str,
        known_offset_ms: int | None,
        *,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
        synchronised: Callable[[], bool] = kernel_synchronised,
    ) -> None:
        self.boot_id = this_boot
        self._mono_ns, self._wall_ns = mono_ns, wall_ns
        self._synchronised = synchronised if trust == "kernel" else lambda: True
        self.synced = known_offset_ms is not None
        self._offset_ms = known_offset_ms if known_offset_ms is not None else self._measured_ms()

    def now(self) -> Stamp:
        return Stamp(self.boot_id, self.mono_ms(), self._wall_ns() // 1_000_000, self.synced)

    def mono_ms(self) -> int:
        return self._mono_ns() // 1_000_000

    def check(self) -> ClockChanged | None:
        """Call about once a second: the clock's first set in this boot, or a later step."""
        measured = self._measured_ms()
        if not self.synced:
            self._offset_ms = measured
            if not self._synchronised():
                return None
            self.synced = True
            return ClockChanged(first=True, offset_ms=measured)
        step = measured - self._offset_ms
        self._offset_ms = measured  # also follows the slew, so that small corrections never add up to a step
        if abs(step) < STEP_MS:
            return None
        return ClockChanged(step_ms=step)

    def _measured_ms(self) -> int:
        return (self._wall_ns() - self._mono_ns()) // 1_000_000
