"""Orders to pay, and what each visit has settled, as a fold over facts. States by `order_table`.

A refund of money that was never owed (`RefundDue`) leaves the order as it is; so each order says how much of what came
in is still to be given back.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.core.facts import BackedOut, Decided, Fact, Paid, Passed, Stamp
from edge.core.facts_money import DeductionAsked, DeductionFailed, PaymentNoticed, Quoted, RefundDue, Refunded
from edge.core.order_table import TABLE, Order, Turn
from edge.core.orders_money import PaymentOrder

QUOTES_KEPT = 4
"""Of one order: what a phone still shows may be a quote or two old when it pays."""

OVER_KEPT = 5_000
"""Orders whose car is out, for money that comes late or twice: some days of a large lot."""


class Record(msgspec.Struct, array_like=True):
    """One order. `quotes`: the newest last. `paid`: the `Paid` that settled it, with when it came."""

    order_id: str
    visit_id: str
    plate: str
    state: Order
    quotes: list[Quoted]
    arrival_id: str = ""
    lane: str = ""
    paid: Paid | None = None
    paid_at: Stamp | None = None
    known: list[str] = []
    """Payments that were heard of, so that a notice repeated is none: see `payment_key`."""
    refund_due_fen: int = 0
    refunded_fen: int = 0
    taken_over_fen: int = 0
    """All that was ever taken without a debt, given back or not."""
    deduction: str = ""
    """before, after: 13 was asked for; failed: it came to nothing."""
    user_id: str = ""

    @property
    def refundable_fen(self) -> int:
        """What of all that was taken, with and without a debt, was not given back yet."""
        return (0 if self.paid is None else self.paid.paid_fen) + self.taken_over_fen - self.refunded_fen

    @property
    def deduction_failed(self) -> bool:
        return self.deduction == "failed"


class Visits(msgspec.Struct, array_like=True):
    """Sums over the paid orders of one visit."""

    orders: list[str] = []
    due_fen: int = 0
    paid_fen: int = 0
    discount_fen: int = 0


def payment_key(transaction_id: str, amount_fen: int, paid_at_ms: int) -> str:
    """Two notices of one payment have the same key. 19 has no transaction number: its amount and second tell it."""
    return transaction_id or f"{amount_fen}@{paid_at_ms}"


def payment_keys(told: PaymentOrder | PaymentNoticed) -> list[str]:
    """What is kept of a payment: one told with its number (13, 14) may be told once more without it (19)."""
    key = payment_key(told.transaction_id, told.amount_fen, told.paid_at_ms)
    return [key, "~" + payment_key("", told.amount_fen, told.paid_at_ms)] if told.transaction_id else [key]


def heard_before(known: Sequence[str], told: PaymentOrder) -> bool:
    """Two payments with numbers of their own are two; without one, its amount and second tell it."""
    plain = payment_key("", told.amount_fen, told.paid_at_ms)
    if told.transaction_id:
        return told.transaction_id in known or plain in known
    return not {plain, f"~{plain}", "~" + payment_key("", told.amount_fen, 0)}.isdisjoint(known)


def strange_key(told: PaymentOrder | PaymentNoticed) -> str:
    return f"{told.order_id} {payment_key(told.transaction_id, told.amount_fen, told.paid_at_ms)}"


class OrderBook(msgspec.Struct, array_like=True):
    """Part of the box's snapshot. Only `apply` changes it."""

    by_id: dict[str, Record] = {}
    visits: dict[str, Visits] = {}
    over: dict[str, None] = {}
    """Orders whose car is out, the oldest first."""
    strange: dict[str, None] = {}
    """Payments for orders that nobody knows: order and key, the oldest first."""

    def apply(self, fact: Fact) -> None:
        match fact.body:
            case Quoted() as quoted:
                self._quoted(fact, quoted)
            case Decided(order_id=order_id, arrival_id=arrival_id) if order_id:
                record = self.by_id.get(order_id)
                if record is not None:
                    record.arrival_id, record.lane = arrival_id, fact.lane
            case BackedOut(arrival_id=arrival_id):
                for record in self.by_id.values():
                    if record.arrival_id == arrival_id:
                        self._turn(record, Turn.BACK)
                        record.arrival_id = record.lane = ""
            case Paid() as paid:
                self._paid(fact, paid)
            case PaymentNoticed() as noticed:
                record = self.by_id.get(noticed.order_id)
                if record is not None:
                    record.known += payment_keys(noticed)
                else:
                    self.strange[strange_key(noticed)] = None
                    while len(self.strange) > OVER_KEPT:
                        del self.strange[next(iter(self.strange))]
            case DeductionAsked(order_id=order_id, mode=mode):
                if order_id in self.by_id:
                    self.by_id[order_id].deduction = mode
                    self.by_id[order_id].user_id = fact.body.user_id
            case DeductionFailed(order_id=order_id):
                if order_id in self.by_id:
                    self.by_id[order_id].deduction = "failed"
            case RefundDue(order_id=order_id, amount_fen=amount_fen):
                if order_id in self.by_id:
                    self.by_id[order_id].refund_due_fen += amount_fen
                    self.by_id[order_id].taken_over_fen += amount_fen
            case Refunded(order_id=order_id, amount_fen=amount_fen):
                self._refunded(order_id, amount_fen)
            case Passed(direction="out", visit_id=visit_id) if visit_id:
                self._left(visit_id)

    # --- questions -------------------------------------------------------------------------------------------------

    def unpaid(self, visit_id: str) -> Record | None:
        """The order of this visit that waits to be paid."""
        known = self.visits.get(visit_id)
        for order_id in reversed(known.orders if known is not None else ()):
            record = self.by_id[order_id]
            if record.state in {Order.QUOTED, Order.WAITING}:
                return record
        return None

    def settled(self, visit_id: str) -> Visits:
        return self.visits.get(visit_id) or Visits()

    def last_paid(self, visit_id: str) -> Record | None:
        """The newest order of this visit that was paid."""
        known = self.visits.get(visit_id)
        for order_id in reversed(known.orders if known is not None else ()):
            record = self.by_id[order_id]
            if record.paid is not None and record.state is not Order.REFUNDED:
                return record
        return None

    def at_arm(self, lane: str) -> Record | None:
        """The order of the car that waits to pay at this lane."""
        return next((each for each in self.by_id.values() if each.lane == lane and each.state is Order.WAITING), None)

    # --- fold ----------------------------------------------------------------------------------------------------

    def _turn(self, record: Record, turn: Turn) -> None:
        record.state = TABLE[record.state][turn].next

    def _quoted(self, fact: Fact, quoted: Quoted) -> None:
        record = self.by_id.get(quoted.order_id)
        visit = self.visits.setdefault(quoted.visit_id, Visits())
        if record is None:
            for earlier in visit.orders:
                self._turn(self.by_id[earlier], Turn.LAPSE)
            record = Record(quoted.order_id, quoted.visit_id, quoted.plate, Order.QUOTED, [])
            self.by_id[quoted.order_id] = record
            visit.orders.append(quoted.order_id)
        record.quotes.append(quoted)
        del record.quotes[:-QUOTES_KEPT]
        record.plate = quoted.plate
        self._turn(record, Turn.ARRIVE if quoted.at == "arm" else Turn.QUOTE)
        if quoted.at == "arm":
            record.lane = fact.lane

    def _paid(self, fact: Fact, paid: Paid) -> None:
        record = self.by_id.get(paid.order_id)
        if record is None:  # made out by an older version, or by a person for a car that nothing is known of
            record = Record(paid.order_id, paid.visit_id, paid.plate, Order.WAITING, [], lane=fact.lane)
            self.by_id[paid.order_id] = record
            if not paid.visit_id:
                self._over(record)
            else:
                self.visits.setdefault(paid.visit_id, Visits()).orders.append(paid.order_id)
        self._turn(record, Turn.PAY)
        record.paid, record.paid_at = paid, fact.stamp
        visit = self.visits.get(record.visit_id)
        if visit is not None:
            visit.due_fen += paid.due_fen
            visit.paid_fen += paid.paid_fen
            visit.discount_fen += paid.discount_fen

    def _refunded(self, order_id: str, amount_fen: int) -> None:
        record = self.by_id.get(order_id)
        if record is None:
            return
        record.refunded_fen += amount_fen
        extra_fen = min(amount_fen, record.refund_due_fen)
        record.refund_due_fen -= extra_fen
        back_fen = amount_fen - extra_fen
        if not back_fen:
            return
        visit = self.visits.get(record.visit_id)  # of what was owed: the car owes it again
        if visit is not None and record.paid is not None:
            visit.paid_fen -= back_fen
            visit.due_fen -= back_fen
        self._turn(record, Turn.REFUND)

    def _left(self, visit_id: str) -> None:
        visit = self.visits.pop(visit_id, None)
        if visit is None:
            return
        for order_id in visit.orders:
            record = self.by_id[order_id]
            self._turn(record, Turn.PASS)
            self._over(record)

    def _over(self, record: Record) -> None:
        record.arrival_id = record.lane = ""
        self.over[record.order_id] = None
        while len(self.over) > OVER_KEPT:
            oldest = next(iter(self.over))
            del self.over[oldest]
            del self.by_id[oldest]
