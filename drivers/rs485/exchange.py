"""One question on a line and what came of it.

    asked ──► answered   a whole reply with the right check sum, of the device that was asked
          ├─► silent     not one byte in time
          ├─► damaged    bytes, and no such reply among them: noise, two at once, a wrong slave, a cut frame
          ├─► gone       the port is not there (adapter unplugged, line closed); nothing was put on the wire, or nobody
          │              can say what was
          └─► sent       nobody was to answer
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Literal

import msgspec

Outcome = Literal["answered", "silent", "damaged", "gone", "sent"]

Judge = Callable[[bytes], bytes | None]
"""Given all bytes since the question: the reply among them, or None (not yet, or never)."""

Done = Callable[[Outcome, bytes], None]
"""Told once on the line's thread: what came of it, and the reply or the damaged bytes. Must not block."""


class Urgency(IntEnum):
    NOW = 0
    """A relay that moves an arm: before everything that is not yet on the wire."""
    POLL = 1
    """Inputs, at their time."""
    TEXT = 2
    """Signs and voice: when nobody else needs the line."""


class Exchange(msgspec.Struct, frozen=True):
    device: str
    request: bytes
    judge: Judge | None
    """None: this device does not answer."""
    urgency: Urgency
    wait_s: float
    """From the end of the question to the last byte of the reply."""
    done: Done


class Counts(msgspec.Struct):
    """What a device did since the line was opened. asked = the sum of the other four, but for the one under way."""

    asked: int = 0
    answered: int = 0
    silent: int = 0
    damaged: int = 0
    sent: int = 0

    def add(self, outcome: Outcome) -> None:
        if outcome == "gone":
            return  # nothing is known about the device when the port is not there
        self.asked += 1
        setattr(self, outcome, getattr(self, outcome) + 1)
