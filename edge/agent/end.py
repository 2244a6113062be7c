"""Waiting for the end of a program of threads: a signal, or a thread that must not end and did.

A signal's handler runs in the main thread, but only when that thread runs: a signal that comes a moment before it
waits on a lock or queue is seen when the wait is over, which is never. So the interpreter writes the signal's number
to a socket (`signal.set_wakeup_fd`), whatever the main thread does, and the main thread waits for bytes.
"""

from __future__ import annotations

import select
import signal
import socket


class Ending:
    """`failed` is for any thread, `wait` for the main thread. Made once, before the threads."""

    def __init__(self) -> None:
        self._here, self._there = socket.socketpair()
        self._there.setblocking(False)
        self.failure: BaseException | None = None
        self.anew = False
        """A person asked for a new start."""
        signal.set_wakeup_fd(self._there.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: None)  # without a handler of Python's nothing is written

    def failed(self, error: BaseException) -> None:
        self.failure = self.failure or error
        self._there.send(b"\0")

    def asked(self) -> None:
        """A person wants the program to start anew."""
        self.anew = True
        self._there.send(b"\0")

    def wait(self, timeout_s: float | None) -> bool:
        """True: the program is to end. The byte stays, so that every later question gets the same answer."""
        return bool(select.select([self._here], [], [], timeout_s)[0])

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        self._here.close()
        self._there.close()
