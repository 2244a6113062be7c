"""One row of the fault catalogue, and the words that it may use. What they mean: `core.faults`."""

from __future__ import annotations

from typing import Literal

import msgspec

Effect = Literal["none", "runs", "no_auto_close", "asks", "stops"]
Clears = Literal["itself", "acknowledged"]


class FaultSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the catalogue. Which device it is at stands in the fact (`FaultRaised.device`)."""

    code: str
    effect: Effect
    clears: Clears
    cause_zh: str
    cause_en: str
    effect_zh: str
    effect_en: str
    todo_zh: str
    todo_en: str
