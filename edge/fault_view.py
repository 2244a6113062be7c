"""One row of the fault catalogue as it stands now at a device, for the page."""

from __future__ import annotations

from edge.core.faults import CATALOGUE
from edge.ports import FaultView

LASTING = frozenset({"safety_unproven"})
"""`core.box.SURVIVES_START` (a test compares): a person may end it, too. The agent need not load the box for it."""


def fault_view(code: str, device: str, detail: str, since_wall_ms: int) -> FaultView:
    spec = CATALOGUE[code]
    return FaultView(
        code=code,
        device=device,
        zh=spec.cause_zh,
        en=spec.cause_en,
        effect_zh=spec.effect_zh,
        effect_en=spec.effect_en,
        todo_zh=spec.todo_zh,
        todo_en=spec.todo_en,
        detail=detail,
        since_wall_ms=since_wall_ms,
        by_hand=spec.clears == "acknowledged" or code in LASTING,
    )
