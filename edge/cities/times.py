"""Times: the true wall time of a stamp, from what the ledger says about the box's boots (DESIGN 4).

A boot's clock set counts for all its stamps. A boot that runs and has no clock yet gives no time: whatever needs
one is held. A boot that ended without ever being set keeps the times that it recorded, because Linux does not let
an unset clock run back over a restart.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.core.clock import true_wall_ms
from edge.core.facts import ClockSet, Fact, Stamp


class Times:
    """`offsets`: boot id to wall minus monotonic ms of the boots whose clock was ever set."""

    def __init__(self, offsets: Mapping[str, int]) -> None:
        self._offsets = dict(offsets)
        self._latest_boot = ""

    def observe(self, fact: Fact) -> None:
        """The next fact, in the ledger's order; may run ahead of the facts whose times are asked for."""
        self._latest_boot = fact.stamp.boot_id
        if isinstance(fact.body, ClockSet):
            self._offsets.setdefault(fact.stamp.boot_id, fact.body.offset_ms)  # the first set of a boot counts

    def true_ms(self, stamp: Stamp) -> int | None:
        """None: held, the boot runs and its clock is not set."""
        known_ms = true_wall_ms(stamp, self._offsets)
        if known_ms is None and stamp.boot_id != self._latest_boot:
            return stamp.wall_ms
        return known_ms
