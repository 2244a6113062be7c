"""One contact input, debounced without ever being late where lateness is dangerous.

    raw      ____|~|_|~~~~~~~~~~~~~|_|~|__________
    out      ____|~~~~~~~~~~~~~~~~~~~~~~~~~|______      occupied: at the first edge; clear: after debounce_ms of rest

An occupied edge is reported at once (the safety reaction waits for nothing); a clear counts only when the level has
rested for `debounce_ms`. A glitch therefore shows as a short "occupied", never as a short "clear".
"""

from __future__ import annotations


class Contact:
    """Fed with every level seen (by edge or by polling); says what to report. Times in monotonic ms."""

    def __init__(self, debounce_ms: int) -> None:
        self._debounce_ms = debounce_ms
        self.reported: bool | None = None
        self._seen = False
        self._clear_since_ms: int | None = None

    def see(self, occupied: bool | None, now_ms: int) -> bool:
        """True when `reported` changed. `None`: the input cannot be read, nobody knows."""
        if occupied or occupied is None:
            self._seen = True
            self._clear_since_ms = None
            return self._report(occupied)
        if not self._seen:
            self._seen = True  # the very first look: nothing was claimed yet, so there is nothing to be late with
            return self._report(False)
        if self.reported is not False and self._clear_since_ms is None:
            self._clear_since_ms = now_ms
        if self._clear_since_ms is not None and now_ms - self._clear_since_ms >= self._debounce_ms:
            self._clear_since_ms = None
            return self._report(False)
        return False

    @property
    def resting(self) -> bool:
        """A clear is on its way: look again within debounce_ms."""
        return self._clear_since_ms is not None

    def _report(self, occupied: bool | None) -> bool:
        changed = occupied != self.reported
        self.reported = occupied
        return changed
