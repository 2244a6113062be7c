"""The newest lines of a program's log in memory, for the diagnostics bundle; and how a program that was asked ends."""

from __future__ import annotations

import logging
from collections import deque

LINES = 300
LINE_CHARS = 500

ASKED_EXIT = 3
"""Exit code of a program that a person asked to start anew: its supervisor starts it again (systemd does after any
exit, Restart=always; SuccessExitStatus=3 keeps it from being called a failure)."""


class LogRing(logging.Handler):
    """A handler that keeps the last `LINES` lines, each cut to `LINE_CHARS`."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=LINES)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record)[:LINE_CHARS])

    def lines(self) -> list[str]:
        return list(self._lines)
