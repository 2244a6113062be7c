"""What became of an order of money: facts to keep or a reason why not, in words."""

from __future__ import annotations

from typing import NamedTuple

from edge.core.facts import AnyBody
from edge.core.orders_money import MONEY_REASONS, QuoteTold


class MoneyOutcome(NamedTuple):
    """`bodies` are facts to keep; `detail` says what exactly was not allowed."""

    ok: bool
    reason: str
    bodies: tuple[AnyBody, ...] = ()
    detail: str = ""
    quote: QuoteTold | None = None
    detail_zh: str = ""
    """For people who read Chinese; "": `detail` has names and numbers alone."""

    def words(self) -> tuple[str, str]:
        zh, en = MONEY_REASONS[self.reason]
        return (f"{zh} ({self.detail_zh or self.detail})", f"{en} ({self.detail})") if self.detail else (zh, en)


def refused(reason: str, detail: str = "", detail_zh: str = "") -> MoneyOutcome:
    return MoneyOutcome(False, reason, detail=detail, detail_zh=detail_zh)
