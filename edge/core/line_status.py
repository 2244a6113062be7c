"""What is known about RS485 lines, and how late a lane on one may hear of its loops, for the page."""

from __future__ import annotations

import msgspec

from edge.core.sign_status import DeviceCounts


class LineDevice(msgspec.Struct, frozen=True):
    """One device that was asked. A board is two: its relays, and `.inputs`, which is polled."""

    id: str
    counts: DeviceCounts


class LineStatus(msgspec.Struct, frozen=True):
    """One line."""

    id: str
    port: str
    baud: int
    down: str  # why the port is not there, "" while it is
    devices: tuple[LineDevice, ...]


class Reaction(msgspec.Struct, frozen=True):
    """Worst case of a lane with something on a board, from the settings: whole ms, 0 for what is not on a board."""

    lane: str
    edge_ms: int  # a loop's change until the lane knows
    order_ms: int  # an order until its contact closes
    limit_ms: int  # both together: beyond it an arm that falls may reach a car first
