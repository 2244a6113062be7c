"""One row of the fault catalogue as it stands now at a device, for the page."""

from __future__ import annotations

from edge.core.faults import CATALOGUE
from edge.ports import FaultView

LASTING = frozenset({"safety_unproven"})
"""`core.box.SURVIVES_START` (a test compares): a person may end it, too. The agent need not load the box for it."""

MILD = frozenset({"certificate_ending"})
"""Nothing has stopped yet. What ends it has a fault of its own (`orders_unreachable`)."""
TOLD_BY_DETAIL = frozenset({"certificate_ending"})
"""The detail, `中文 / English`, says it better than the catalogue: it has the days."""


def fault_view(code: str, device: str, detail: str, since_wall_ms: int) -> FaultView:
    spec = CATALOGUE[code]
    zh, en = spec.cause_zh, spec.cause_en
    if code in TOLD_BY_DETAIL and " / " in detail:
        (zh, en), detail = detail.split(" / ", 1), ""
    return FaultView(
        code=code,
        device=device,
        zh=zh,
        en=en,
        effect_zh=spec.effect_zh,
        effect_en=spec.effect_en,
        todo_zh=spec.todo_zh,
        todo_en=spec.todo_en,
        detail=detail,
        since_wall_ms=since_wall_ms,
        by_hand=spec.clears == "acknowledged" or code in LASTING,
        mild=code in MILD,
    )
