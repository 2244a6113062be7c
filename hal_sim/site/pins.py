"""The box's header pins as the site sees them: what the box drives, what the site drives, and who must be
told.

Levels are electrical (0 or 1). An output that nobody drives is released: whatever hangs on it is at rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

Level = int
OutputWatcher = Callable[[int, Level | None, int], None]
"""Called with pin, level (None: released) and the box's CLOCK_MONOTONIC in ns at the write."""

InputWatcher = Callable[[int, Level], None]

PULL_DOWN = 1


class PinBank:
    """All pins of one box. Thread-safe; watchers are called under no lock of ours but one at a time per caller."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._driven: dict[int, Level] = {}
        self._outside: dict[int, Level] = {}
        self._pulls: dict[int, int] = {}
        self.output_watchers: list[OutputWatcher] = []
        self.input_watchers: list[InputWatcher] = []

    # --- the site's side -----------------------------------------------------------------------------------

    def drive(self, pin: int, level: Level) -> None:
        """A contact of the site puts this level on an input."""
        with self._lock:
            if self._outside.get(pin) == level:
                return
            self._outside[pin] = level
        for watcher in self.input_watchers:
            watcher(pin, level)

    def output(self, pin: int) -> Level | None:
        with self._lock:
            return self._driven.get(pin)

    # --- the box's side ------------------------------------------------------------------------------------

    def level(self, pin: int) -> Level:
        """What an input reads: the contact's level, else the box's own pull, else (floating) high."""
        with self._lock:
            default = 0 if self._pulls.get(pin) == PULL_DOWN else 1
            return self._outside.get(pin, default)

    def set_pull(self, pin: int, pull: int) -> None:
        with self._lock:
            self._pulls[pin] = pull
            self._driven.pop(pin, None)

    def write(self, pin: int, level: Level, t_ns: int) -> None:
        self._set(pin, level, t_ns)

    def release(self, pin: int, t_ns: int) -> None:
        self._set(pin, None, t_ns)

    def _set(self, pin: int, level: Level | None, t_ns: int) -> None:
        with self._lock:
            if self._driven.get(pin) == level:
                return
            if level is None:
                del self._driven[pin]
            else:
                self._driven[pin] = level
        for watcher in self.output_watchers:
            watcher(pin, level, t_ns)
