"""Money that a platform took (19, and the answers of 13 and 14): what it settles, and what is to be given back. Pure.

A payment is taken once by what tells it apart (`order_book.heard_before`). It settles the newest quote of its order
that it covers; what is over is to be given back, and so is one that covers none, that comes for a paid order, or for
an order nobody knows.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from edge.core.facts import AnyBody, Paid
from edge.core.facts_money import DeductionFailed, PaymentNoticed, Quoted, RefundDue
from edge.core.money import Money
from edge.core.money_outcome import MoneyOutcome, refused
from edge.core.order_book import Record, heard_before, strange_key
from edge.core.order_table import TABLE, Turn
from edge.core.orders_money import PaymentOrder

Cause = Literal["again", "short", "over", "unknown"]


class Taken(NamedTuple):
    """`paid`: the `Paid` to keep, at the lane where its car stands."""

    outcome: MoneyOutcome
    record: Record | None = None
    paid: Paid | None = None


def take(order: PaymentOrder, money: Money) -> Taken:
    """Judge a payment; the facts are kept in their order, `paid` last."""
    record = money.orders.by_id.get(order.order_id)
    if order.result == "failed":
        if record is None:
            return Taken(refused("unknown_order", order.order_id))
        if record.paid is not None or record.deduction_failed:
            return Taken(MoneyOutcome(True, ""), record)
        body = DeductionFailed(order.order_id, record.plate, order.detail)
        return Taken(MoneyOutcome(True, "", (body,)), record)
    if record is None:
        if strange_key(order) in money.orders.strange:
            return Taken(refused("unknown_order", order.order_id))
        bodies = (_noticed(order, None, "unknown"), _refund(order, None, order.amount_fen, "unknown"))
        return Taken(MoneyOutcome(False, "unknown_order", bodies, order.order_id))
    if heard_before(record.known, order) or (order.how == "poll" and _by_platform(record)):
        return Taken(MoneyOutcome(True, ""), record)  # heard of before
    step = TABLE[record.state][Turn.PAY]
    if step.money == "again":
        bodies = (_noticed(order, record, "again"), _refund(order, record, order.amount_fen, "again"))
        return Taken(MoneyOutcome(True, "refund_due", bodies), record)
    quote = next((each for each in reversed(record.quotes) if each.pay_fen <= order.amount_fen), None)
    if quote is None:
        bodies = (_noticed(order, record, "short"), _refund(order, record, order.amount_fen, "short"))
        return Taken(MoneyOutcome(False, "short", bodies, f"{order.amount_fen}"), record)
    facts: list[AnyBody] = [_noticed(order, record, "late" if step.money == "late" else "settled")]
    over_fen = order.amount_fen - quote.pay_fen
    if over_fen:
        facts.append(_refund(order, record, over_fen, "over"))
    done = MoneyOutcome(True, "refund_due" if over_fen else "", tuple(facts))
    return Taken(done, record, _paid(order, quote, record.user_id))


def _by_platform(record: Record) -> bool:
    """A question (14) about such an order tells the payment that settled it, by whatever clock; of one that was paid in
    cash it tells a second payment."""
    return record.paid is not None and record.paid.method in {"online", "seamless"}


def _paid(order: PaymentOrder, quote: Quoted, user_id: str) -> Paid:
    return Paid(
        order_id=quote.order_id, visit_id=quote.visit_id, plate=quote.plate,
        method="seamless" if order.how == "deduction" else "online", due_fen=quote.due_fen, paid_fen=quote.pay_fen,
        discount_fen=quote.discount_fen, entered=quote.entered, who=order.who, why=order.why, colour=quote.colour,
        entry_lane=quote.entry_lane, booking=quote.booking, coupons=quote.coupons, billed=quote.billed,
        overtime=quote.overtime, pay_type=order.pay_type, pay_from=order.pay_from, paid_at_ms=order.paid_at_ms,
        transaction_id=order.transaction_id, user_id=user_id if order.how == "deduction" else "",
    )  # fmt: skip


def _noticed(
    order: PaymentOrder, record: Record | None, outcome: Literal["settled", "late", "again", "short", "unknown"]
) -> PaymentNoticed:
    return PaymentNoticed(
        order_id=order.order_id, amount_fen=order.amount_fen, how=order.how, outcome=outcome,
        pay_type=order.pay_type, pay_from=order.pay_from, paid_at_ms=order.paid_at_ms,
        transaction_id=order.transaction_id, visit_id="" if record is None else record.visit_id,
        plate="" if record is None else record.plate, city=order.city,
    )  # fmt: skip


def _refund(order: PaymentOrder, record: Record | None, amount_fen: int, cause: Cause) -> RefundDue:
    return RefundDue(
        order.order_id, "" if record is None else record.plate, amount_fen, cause, order.pay_type, order.pay_from,
        order.paid_at_ms,
    )  # fmt: skip
