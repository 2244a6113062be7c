"""What a lane finds wrong with its own loops and arm (DESIGN 5, invariants 7 and 9). Effects: `faults.CATALOGUE`."""

from __future__ import annotations

from edge.core.lane_restart import RestartActions
from edge.core.lane_table import Desk
from edge.core.lane_types import fault_key

SAFETY_STUCK = fault_key("loop_stuck", "safety")
ARRIVAL_STUCK = fault_key("loop_stuck", "arrival")
WAITS = frozenset({Desk.WAIT_PAYMENT, Desk.WAIT_STALL, Desk.WAIT_CONFIRM})


class FaultActions(RestartActions):
    def moved(self) -> None:
        """The travel time is over: did the switch see the arm arrive? No switch, no claim."""
        self.move_due_ms = None
        if self.asked == "up" and self.settings.has_limit_up and not self.limit_up:
            self.raise_fault("arm_no_up", "arm")
        elif self.asked == "down" and self.settings.has_limit_down and not self.limit_down:
            self.raise_fault("arm_no_down", "arm")

    def stuck_due_ms(self) -> int | None:
        """When a loop has been occupied for so long that it is a fault. A car that waits for money is none."""
        since_ms = None
        if self.safety and SAFETY_STUCK not in self.memory.faults:
            since_ms = self.safety_since_ms
        if self.arrival and self.desk not in WAITS and ARRIVAL_STUCK not in self.memory.faults:
            arrival_ms = max(self.arrival_since_ms, self.desk_since_ms)
            since_ms = arrival_ms if since_ms is None else min(since_ms, arrival_ms)
        return None if since_ms is None else since_ms + self.settings.loop_stuck_ms

    def stuck(self) -> None:
        limit_ms = self.now_ms - self.settings.loop_stuck_ms
        if self.safety and self.safety_since_ms <= limit_ms:
            self.raise_fault("loop_stuck", "safety")
        if self.arrival and self.desk not in WAITS and max(self.arrival_since_ms, self.desk_since_ms) <= limit_ms:
            self.raise_fault("loop_stuck", "arrival")
            self.traffic.arrival_trusted = False

    def missing_inputs(self) -> None:
        """The start is over and a loop has not been told: it is silent until it speaks."""
        if "safety" not in self.told:
            self.raise_fault("loop_silent", "safety")
        if self.settings.arrival == "loop" and "arrival" not in self.told:
            self.raise_fault("loop_silent", "arrival")
