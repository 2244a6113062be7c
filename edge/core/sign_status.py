"""What is known about a sign and about a device on an RS485 line, for the page."""

from __future__ import annotations

from typing import Literal

import msgspec


class DeviceCounts(msgspec.Struct, frozen=True):
    """What a device on an RS485 line did since the lane program began."""

    asked: int
    answered: int
    silent: int
    damaged: int
    sent: int  # to a device that is not expected to answer


class SignStatus(msgspec.Struct, frozen=True):
    """One sign of a lane: what it was last given, and how the line is doing."""

    id: str
    lane: str
    line: str
    rows: tuple[str, ...]
    outcome: Literal["", "answered", "silent", "damaged", "gone", "sent"]  # of the last text; "" = none yet
    line_down: str  # why the port is not there, "" while it is
    counts: DeviceCounts
