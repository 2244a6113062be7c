"""Dry-contact pulses that cannot stay on (DESIGN 5, invariant 4).

    OPEN   ____|~~~~~~~~~~|______________________      pulse_ms, then off by the timer
    CLOSE  _________________________|~~~~~~~~~~|__
    both   never on together: an opposite order ends the running pulse first

The write that begins a pulse happens in the caller's thread, so an order costs one pin write; one timer thread
ends the pulses. A repeated order while its own pulse runs restarts the pulse's time: the contact stays closed,
never longer than pulse_ms after the last order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger("parkbox.gpio")

AGAIN_S = 0.1
"""Between two tries to switch off a relay that did not."""

PulseTimer = Callable[[float, Callable[[], None]], Callable[[], None]]
"""`after(seconds, what)` -> cancel. Tests put their own clock here."""


def thread_timer(seconds: float, what: Callable[[], None]) -> Callable[[], None]:
    timer = threading.Timer(seconds, what)
    timer.daemon = True
    timer.start()
    return timer.cancel


class PulseGroup:
    """The relays of one barrier: at most one of them is on. `write(pin, on)` sets a relay."""

    def __init__(self, write: Callable[[int, bool], None], pulse_ms: int, after: PulseTimer = thread_timer) -> None:
        self._write, self._pulse_s, self._after = write, pulse_ms / 1000, after
        self._lock = threading.Lock()
        self._on: int | None = None
        self._cancel: Callable[[], None] | None = None
        self._number = 0

    def pulse(self, pin: int) -> None:
        """Begin a pulse on `pin`. Whatever `write` raises comes out, with every relay of the group asked off."""
        with self._lock:
            self._number += 1
            number = self._number
            if self._cancel is not None:
                self._cancel()
                self._cancel = None
            if self._on is not None and self._on != pin:
                self._release()
            self._on = pin
            try:
                self._write(pin, True)
                # Armed at once after the write; if no timer can be had, the contact opens again here.
                self._cancel = self._after(self._pulse_s, lambda: self._end(number))
            except BaseException:
                self._release()
                raise

    def release(self) -> None:
        """Every relay off, now."""
        with self._lock:
            self._number += 1
            if self._cancel is not None:
                self._cancel()
                self._cancel = None
            self._release()

    def _end(self, number: int) -> None:
        with self._lock:
            if number != self._number:
                return
            self._cancel = None
            try:
                self._release()
            except Exception:
                # A contact that will not open is tried again until it does: nothing else will end this pulse.
                log.exception("relay %s could not be switched off", self._on)
                self._cancel = self._after(AGAIN_S, lambda: self._end(number))

    def _release(self) -> None:
        if self._on is not None:
            self._write(self._on, False)
            self._on = None
