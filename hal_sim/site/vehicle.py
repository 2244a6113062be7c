"""A vehicle on the lane and how its driver behaves. Positions in metres along the lane, the arm at 0,
driving to +.

Geometry of a lane (DESIGN 5): arrival loop 3 to 2 m before the arm, safety loop under it, stop line
before the safety loop. Distances are those of a real lane, so the order in which loops come and go is a
real lane's order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ARRIVAL_FROM_M, ARRIVAL_TO_M = -3.0, -2.0
SAFETY_FROM_M, SAFETY_TO_M = -0.5, 0.5
STOP_LINE_M = -1.2
"""A driver's front bumper at the arm: on the arrival loop, not yet on the safety loop."""
COMMITTED_M = -0.6
"""Beyond this a driver no longer stops for the arm."""
PREREAD_FROM_M = -6.0
"""A camera set for early triggers reads here, before the car stands on the loop."""
APPEAR_M = -14.0
GONE_M = 8.0

DRIVE_M_S = 2.0
REVERSE_M_S = 1.2
QUEUE_GAP_M = 1.5

Kind = Literal["normal", "truck", "back_out", "tailgater"]
ReadKind = Literal["plate", "no_plate", "none"]


@dataclass(frozen=True)
class Read:
    """What the lane's camera makes of this vehicle."""

    kind: ReadKind
    plate: str = ""  # as the camera reads it, possibly misread
    colour: str = "blue"
    early: bool = False  # read before the loop
    repeats: int = 0  # further events of the same car, with ids of their own
    resent: bool = False  # the same event pushed again although it was answered


@dataclass
class Vehicle:
    """One car on one lane, from appearing to leaving. `plate` is the truth."""

    car_id: int
    plate: str
    length_m: float
    kind: Kind
    read: Read
    speed: float = 1.0  # times DRIVE_M_S
    gap_m: float = QUEUE_GAP_M
    dwell_s: float = 0.3  # a back-out driver stands at the arm so long before he reverses
    front_m: float = APPEAR_M
    going: bool = False  # the driver has started to go through
    reversing: bool = False
    read_sent: bool = False
    standing_since_s: float | None = None
    first_since_s: float | None = None  # since when nobody is between him and the arm
    passed: bool = False
    unseen: bool = False  # part of the way through happened while the lane program was down
    drop_outs: list[tuple[float, float]] = field(default_factory=list)
    """Stretches of the body, in metres behind the front, where the safety loop does not feel it (high trucks)."""

    @property
    def rear_m(self) -> float:
        return self.front_m - self.length_m

    def covers(self, from_m: float, to_m: float) -> bool:
        return self.rear_m < to_m and self.front_m > from_m

    def felt_by_safety(self, *, bridged: bool = False) -> bool:
        """`bridged`: by a detector that ends its output late."""
        if not self.covers(SAFETY_FROM_M, SAFETY_TO_M):
            return False
        over_m = self.front_m  # the body's point over the middle of the loop
        return bridged or not any(a <= over_m <= b for a, b in self.drop_outs)
