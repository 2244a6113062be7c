"""Charges: what interface 6 says of one payment, and which refunds it tells (T/QME 0015-2024 B.3.1.5; QC71). Pure.

A refund is a record of its own with pay_status 2. Money that was taken without a debt for it (paid twice, too little,
for no order, over the fee) was never a charge, so giving it back is none either.
"""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

from edge.cities.qingdao.dictionaries import ChargeType, PayType
from edge.core.clock import china_datetime
from edge.core.facts import Paid
from edge.core.facts_money import Quoted, RefundDue, Refunded

# pay_from names the examples of line 766; what a platform does not say follows from its pay_type.
SOURCES: dict[str, str] = {"ZFB": "支付宝", "WX": "微信", "PREPAYCARD": "钱包"}
OTHER_SOURCE = "第三方"
SOURCE_MAX = 30

# Payments that a refund may still name; the oldest are forgotten.
KEPT_MAX = 2000


def settled(body: Paid) -> tuple[ChargeType, PayType, str]:
    """B.6.1.27 charge type, B.6.1.9 means, and the source in words (free text, 30 characters)."""
    if body.method == "free":
        return "FREE", "YHJM", "优惠减免"
    if body.paid_fen == 0:
        return "DISCNTFREE", "YHJM", "优惠减免"
    if body.method == "cash":
        return "NORMAL", "XJ", "现金"
    return "NORMAL", pay_type_of(body.pay_type), source_of(body.pay_type, body.pay_from)


def pay_type_of(word: str) -> PayType:
    """QC46: one of B.6.1.9; what is none of them is 其它."""
    return word if word in get_args(PayType) else "OTHER"  # type: ignore[return-value]


def source_of(pay_type: str, pay_from: str) -> str:
    return pay_from[:SOURCE_MAX] or SOURCES.get(pay_type, OTHER_SOURCE)


def online_members(body: Paid, billed_ms: int | None) -> dict[str, Any]:
    """Members of a payment that a platform took. `billed_ms`: when the order was made out, None while nobody knows."""
    if body.method not in ("online", "seamless"):
        return {}
    members: dict[str, Any] = {"orderId": body.order_id or None}
    if billed_ms is not None:
        members["order_create_time"] = china_datetime(billed_ms)
    if body.method == "seamless":
        members["replace_deduct"] = 1
        members["app_userid"] = body.user_id or None  # 代扣时必须提供
    return members


class _Settled(NamedTuple):
    due_fen: int
    paid_fen: int


class Totals:
    """calc_money 计费金额 and paid 已支付金额: the visit's whole debt up to this payment, and what was paid of it
    before it (as the reply of 22 words the same member: 本次支付前).

    What earlier orders settled stands in this order's `Quoted`; what of that was money and no discount, in their
    `Paid`. A member whose source is not known (any more) stays off the wire: both are optional (QC71). Told every fact
    once or again, in the ledger's order.
    """

    def __init__(self) -> None:
        self._settled_fen: dict[str, int] = {}
        self._paid: dict[str, dict[str, _Settled]] = {}

    def quoted(self, body: Quoted) -> None:
        _keep(self._settled_fen, body.order_id, body.settled_fen)

    def members(self, fact_id: str, body: Paid) -> dict[str, Any]:
        """Of the payment in this fact."""
        earlier = self._paid.get(body.visit_id, {}) if body.visit_id else {}
        before = []
        for other, settled in earlier.items():
            if other == fact_id:
                break
            before.append(settled)
        if body.visit_id:
            _keep(self._paid, body.visit_id, {**earlier, fact_id: _Settled(body.due_fen, body.paid_fen)})
        settled_fen = self._settled_fen.get(body.order_id)
        if settled_fen is None:
            return {}
        members: dict[str, Any] = {"calc_money": settled_fen + body.due_fen}
        if sum(each.due_fen for each in before) == settled_fen:
            members["paid"] = sum(each.paid_fen for each in before)
        return members


def _keep(table: dict[str, Any], key: str, value: object) -> None:
    table.pop(key, None)
    table[key] = value
    while len(table) > KEPT_MAX:
        del table[next(iter(table))]


class Refunds:
    """Which part of a refund belongs to a charge. Told every fact once or again, in the ledger's order."""

    def __init__(self) -> None:
        self._due: dict[str, dict[str, int]] = {}
        self._given: dict[str, dict[str, int]] = {}

    def due(self, fact_id: str, body: RefundDue) -> None:
        self._of(self._due, body.order_id)[fact_id] = body.amount_fen

    def charged_fen(self, fact_id: str, body: Refunded) -> int:
        """As much of it was a charge: what is given back beyond what was due without a debt."""
        given = self._of(self._given, body.order_id)
        before = sum(fen for other, fen in given.items() if other != fact_id)
        given[fact_id] = body.amount_fen
        left_fen = max(0, sum(self._due.get(body.order_id, {}).values()) - before)
        return max(0, body.amount_fen - left_fen)

    @staticmethod
    def _of(table: dict[str, dict[str, int]], order_id: str) -> dict[str, int]:
        found = table.setdefault(order_id, {})
        while len(table) > KEPT_MAX:
            del table[next(iter(table))]
        return found
