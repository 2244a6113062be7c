"""Money of the lot: tariffs, cards, orders and who pays seamlessly, as one fold over facts, and the bill of a visit.

A bill is what a visit owes at a moment: its fee by the tariff it came under, for what no card covers, less what its
earlier orders settled, less its coupons. Nothing is owed within the minutes to leave after a payment; what comes due
after them is the fee of the whole stay less what was settled, so that no stay costs more for being paid in parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from edge.core.cards import Cards
from edge.core.clock import elapsed_ms, true_wall_ms
from edge.core.discount import Charge, Stack, charge_by
from edge.core.facts import Fact, Passed, Stamp
from edge.core.facts_flow import CouponGiven, CouponUsed
from edge.core.facts_money import CityLink, CredentialBound, MoneyBody, SeamlessSet
from edge.core.lot import LotState, Visit
from edge.core.order_book import OrderBook, Record
from edge.core.order_table import Order
from edge.core.tariff_book import TariffBook, vehicle_of
from edge.core.tariff_cover import open_fen, prefix
from edge.core.tariff_engine import MINUTE_MS, needs_clock, visit_fen
from edge.core.tariff_plan import TariffPlan

WAITING_MAX = 1_000
"""Credentials of arrivals that have not come through yet."""

Why = Literal["owed", "free_time", "nothing_due", "in_grace", "card", "coupons_cover", "no_clock", "keep_in"]


class Bill(msgspec.Struct, frozen=True):
    """`due_fen` = `discount_fen` + `pay_fen`, of this order alone. `why`: what kind of bill it is."""

    why: Why
    parked_ms: int = 0
    due_fen: int = 0
    discount_fen: int = 0
    pay_fen: int = 0
    settled_fen: int = 0
    leave_min: int = 0
    rest_min: int = 0
    overtime: bool = False
    tariff: str = ""
    credential: str = ""
    coupons: tuple[CouponUsed, ...] = ()
    pays: Literal["", "before", "after"] = ""
    """Seamlessly: deducted before or after the exit."""
    owe: bool = False
    """The city is away and the car is let out by setting."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says of money. `plan` and `leave_min` are the box's own tariff."""

    plan: TariffPlan
    leave_min: int = 15
    stack: Stack = "all"
    away: Literal["wait", "owe"] = "wait"
    """Exit while the city is away: wait for the operator, or let out and charge later."""


class Money(msgspec.Struct, array_like=True):
    """Part of the box's snapshot. Only `apply` changes it."""

    tariffs: TariffBook = msgspec.field(default_factory=TariffBook)
    cards: Cards = msgspec.field(default_factory=Cards)
    orders: OrderBook = msgspec.field(default_factory=OrderBook)
    seamless: dict[str, SeamlessSet] = {}
    """By visit."""
    arriving: dict[str, str] = {}
    """arrival_id -> credential."""
    credentials: dict[str, str] = {}
    """Credential -> visit, of cars without plate that are inside."""
    links: dict[str, bool] = {}
    """City -> can payments of it come."""

    def apply(self, fact: Fact) -> None:
        body = fact.body
        if isinstance(body, Passed):
            self._passed(fact, body)
        elif isinstance(body, SeamlessSet):
            self.seamless[body.visit_id] = body
        elif isinstance(body, CredentialBound):
            self.arriving[body.arrival_id] = body.credential
            while len(self.arriving) > WAITING_MAX:
                del self.arriving[next(iter(self.arriving))]
        elif isinstance(body, CityLink):
            self.links[body.city] = body.up
        self.orders.apply(fact)
        if isinstance(body, Passed | MoneyBody):
            self.tariffs.apply(fact)
            self.cards.apply(fact)

    def _passed(self, fact: Fact, body: Passed) -> None:
        if body.direction == "in":
            credential = self.arriving.pop(body.arrival_id, "")
            if credential:
                self.credentials[credential] = fact.id
        else:
            self.seamless.pop(body.visit_id, None)
            for credential in [each for each, visit_id in self.credentials.items() if visit_id == body.visit_id]:
                del self.credentials[credential]

    def credential_of(self, visit_id: str) -> str:
        return next((each for each, visit in self.credentials.items() if visit == visit_id), "")

    # --- the bill --------------------------------------------------------------------------------------------------

    def bill(  # noqa: PLR0917 - what a bill rests on
        self, lot: LotState, terms: Terms, visit: Visit, now: Stamp, coupons: Sequence[CouponGiven],
        silent: bool = False,
    ) -> Bill:  # fmt: skip
        """What `visit` owes at `now`. `coupons`: those that wait for it. `silent`: nobody speaks for the city."""
        parked_ms = elapsed_ms(visit.entered, now, lot.offsets)
        if parked_ms is None:
            return Bill("no_clock")
        began_ms = true_wall_ms(visit.entered, lot.offsets)
        if began_ms is None and now.synced:
            began_ms = now.wall_ms - parked_ms
        vehicle = vehicle_of(visit.colour)
        version, tariff = self.tariffs.of_visit(visit.visit_id, vehicle)
        credential = self.credential_of(visit.visit_id)
        settled = self.orders.settled(visit.visit_id)
        plan, leave_min = (terms.plan, terms.leave_min) if tariff is None else (tariff.plan, tariff.leave_min)
        open_ms, pieces = parked_ms, None
        if visit.plate in self.cards.by_plate:
            if began_ms is None:
                return Bill("no_clock")
            until_ms = began_ms + parked_ms
            pieces, card = self.cards.uncovered(visit.plate, visit.visit_id, began_ms, until_ms)
            open_ms = sum(end_ms - begin_ms for begin_ms, end_ms in pieces)
            if card is not None and until_ms > card.until_ms and card.terms.expired == "keep_in":
                return Bill("keep_in", parked_ms, credential=credential)
            if open_ms == 0:
                return Bill("card", parked_ms, credential=credential)
            if card is not None and card.terms.temp_tariff:
                version = self.tariffs.in_force.get(card.terms.temp_tariff, version)
                tariff = self.tariffs.versions.get(version)
                plan, leave_min = (plan, leave_min) if tariff is None else (tariff.plan, tariff.leave_min)
        if began_ms is None and needs_clock(plan):
            return Bill("no_clock")
        start_ms = began_ms or 0

        def fee_of(ms: int) -> int:
            if pieces is None:
                fen = visit_fen(plan, vehicle, start_ms, ms)
            else:
                fen = open_fen(plan, vehicle, start_ms, prefix(pieces, ms))
            return max(0, fen - settled.due_fen)

        told = {
            "parked_ms": parked_ms, "settled_fen": settled.due_fen, "leave_min": leave_min, "tariff": version,
            "credential": credential,
        }  # fmt: skip
        last = self.orders.last_paid(visit.visit_id)
        if last is not None and last.paid_at is not None:
            since_ms = elapsed_ms(_grace_from(last, leave_min, lot), now, lot.offsets)
            if since_ms is None or since_ms <= leave_min * MINUTE_MS:
                rest_min = leave_min - (since_ms or 0) // MINUTE_MS
                return Bill("in_grace", rest_min=rest_min, **told)  # type: ignore[arg-type]
        away = self.away(silent)
        charged = charge_by(fee_of, open_ms, coupons, terms.stack)
        free_left_ms = plan.free_min * MINUTE_MS - open_ms
        return Bill(
            _why(charged, free_left_ms), due_fen=charged.due_fen, discount_fen=charged.discount_fen,
            pay_fen=charged.pay_fen, coupons=charged.coupons, overtime=last is not None,
            rest_min=max(0, free_left_ms // MINUTE_MS),
            pays="" if away else self._pays(visit.visit_id, charged.pay_fen),
            owe=terms.away == "owe" and away, **told,  # type: ignore[arg-type]
        )  # fmt: skip

    def away(self, silent: bool) -> bool:
        """Payments of no city can come. A box that was never told of one has no city to wait for."""
        return bool(self.links) and (silent or not any(self.links.values()))

    def _pays(self, visit_id: str, pay_fen: int) -> Literal["", "before", "after"]:
        """Seamlessly, unless it is over the limit that was signed for or, deducted before, over the balance."""
        signed = self.seamless.get(visit_id)
        if signed is None or not signed.signed:
            return ""
        if 0 <= signed.limit_fen < pay_fen or (signed.mode == "before" and 0 <= signed.balance_fen < pay_fen):
            return ""
        open_order = self.orders.unpaid(visit_id)
        return "" if open_order is not None and open_order.deduction_failed else signed.mode

    def owed(self) -> list[str]:
        """Orders whose car went out unpaid, the oldest first."""
        return [order_id for order_id in self.orders.over if self.orders.by_id[order_id].state is Order.OWED]


def _grace_from(last: Record, leave_min: int, lot: LotState) -> Stamp:
    """The minutes to leave run from the payment; paid so long after its quote, from the quote: it settled no more."""
    assert last.paid is not None
    assert last.paid_at is not None
    billed = last.paid.billed
    if billed is None or (elapsed_ms(billed, last.paid_at, lot.offsets) or 0) <= leave_min * MINUTE_MS:
        return last.paid_at
    return billed


def _why(charged: Charge, free_left_ms: int) -> Why:
    if charged.pay_fen:
        return "owed"
    if charged.due_fen:
        return "coupons_cover"
    return "free_time" if free_left_ms >= 0 else "nothing_due"
