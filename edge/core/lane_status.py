"""A lane as a page and a sign show it. Apart from `lane_types`, so that the agent loads no money and no flow for it."""

from __future__ import annotations

from typing import Literal

import msgspec


class LaneStatus(msgspec.Struct, frozen=True):
    """One lane for the page. `arm` is what limit switches say; without them "unknown" (DESIGN 5, invariant 7)."""

    id: str
    direction: Literal["in", "out"]
    state: str
    state_zh: str
    state_en: str
    arm: Literal["down", "up", "moving", "unknown"]
    arm_asked: Literal["up", "down", ""]
    arrival: bool | None
    safety: bool | None
    plate: str
    last_read_id: str
    last_plate: str
    last_read_wall_ms: int
    why_zh: str
    why_en: str
    due_fen: int
    passed: int
    locked: bool = False
    """By an order; `state` says so only while a car stands there."""
    arrival_id: str = ""
    """Of the car that stands at the arm, "" = none: an order for it names it."""
    order_id: str = ""
    """What that car has to pay or has paid by, "" = no order was made out."""
