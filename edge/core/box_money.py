"""The box's side of money: orders of the city about payment, and what they set going at an exit (T/QME 0015-2024 B.4).

A payment opens the arm only where its car waits with this order (QC108): it becomes a `Paid`, and the lane judges its
car again. So a car that paid on its way and one that pays at the arm go by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.core.admission import LotRules
from edge.core.box_flow import BoxFlow
from edge.core.clock import true_wall_ms
from edge.core.commands import Answer
from edge.core.coupons import Coupons
from edge.core.events import Commanded
from edge.core.facts import Ordered, Stamp
from edge.core.facts_flow import CouponGiven
from edge.core.facts_money import CredentialBound, Quoted, TariffSet
from edge.core.lane import Lane
from edge.core.lane_table import Desk, Signal
from edge.core.lot import Visit
from edge.core.money import Bill, Money, Terms
from edge.core.money_orders import carry_out, newest_inside
from edge.core.money_outcome import MoneyOutcome, refused
from edge.core.money_payments import take
from edge.core.order_table import Order
from edge.core.orders_money import (
    AnyMoneyOrder,
    LinkOrder,
    ListDeleteOrder,
    ListOrder,
    PaymentOrder,
    QuoteOrder,
    QuoteTold,
    ScanOrder,
    SeamlessOrder,
)
from edge.core.plates import normalise
from edge.core.tariff_book import LOCAL
from edge.core.tariff_words import plan_zh

ASKED_KEPT = 500
"""Questions whose answer is remembered for a repeat; they leave no order on record, so a start forgets them."""

FRESH_MS = 60_000
"""A quote of the same amount is made out anew after this, so that a payment finds one that is not stale."""

SILENT_MS = 180_000
"""The agent speaks of its links every minute: three times missed, it is down, and no payment can come through it."""

_JUDGED = frozenset({Desk.WAIT_PAYMENT, Desk.WAIT_CONFIRM, Desk.REFUSED})


class BoxMoney(BoxFlow):
    """The part of `Box` that knows money."""

    money: Money
    terms: Terms
    coupons: Coupons
    bill: Callable[[Visit, Stamp], Bill]
    """What a visit owes (`Box`)."""
    _rules: LotRules
    _asked: dict[str, Answer]
    heard_ms = 0
    """When the agent last spoke of a link, or the program started, by the monotonic clock."""
    _silence_judged_ms = -1
    """`heard_ms` of the silence in which the waiting cars were judged again."""

    def money_order(self, order: AnyMoneyOrder) -> None:
        """Done once by its id; the answer comes after its facts are durable."""
        if isinstance(order, QuoteOrder | ScanOrder):
            again = self._asked.get(order.command_id)
            if again is None:
                again = self._answer(order, self._scan(order) if isinstance(order, ScanOrder) else self._quote(order))
                self._asked[order.command_id] = again
                while len(self._asked) > ASKED_KEPT:
                    del self._asked[next(iter(self._asked))]
            self.out.append(again)
            return
        if isinstance(order, LinkOrder):
            self.heard_ms = self.now.mono_ms
            self._keep(order)
            return
        action, target = name_of(order), target_of(order)
        first = self._answers.get(order.command_id)
        if first is not None:
            self.answer_again(order.command_id, "", first, f"{action}  {target}".rstrip())
            return
        if isinstance(order, PaymentOrder):
            self._payment(order)
        else:
            self._keep(order)

    def silent(self) -> bool:
        """A start is a word too: the agent gets its three minutes then."""
        return self.now.mono_ms - self.heard_ms > SILENT_MS

    def silence_turn(self) -> int | None:
        """The agent fell silent while cars wait to pay: what the box does while the city is away holds for them too.
        Returns when that is to be looked at, None while it changes nothing."""
        if self.terms.away != "owe" or not self.money.links or self._silence_judged_ms == self.heard_ms:
            return None
        if not any(lane.desk is Desk.WAIT_PAYMENT for lane in self._lanes.values()):
            return None
        if not self.silent():
            return self.heard_ms + SILENT_MS + 1
        self._silence_judged_ms = self.heard_ms
        self.coupon_turn()
        return None

    def tell_tariff(self) -> None:
        """The box's own tariff, when the configuration says another one than before: cars inside keep theirs. A version
        that a person set stays through a start with the same configuration."""
        self.heard_ms = self.now.mono_ms
        own = TariffSet(LOCAL, self.terms.plan, self.terms.leave_min)
        if self.money.tariffs.configured != own:
            self.record("", own)

    # --- payments and lasting orders -----------------------------------------------------------------------------

    def _payment(self, order: PaymentOrder) -> None:
        """Keep what the payment is; the lane where its car stands judges it again."""
        taken = take(order, self.money)
        at = ""
        if taken.record is not None and taken.record.state is Order.WAITING:
            at = taken.record.lane
        for body in taken.outcome.bodies:
            self.record("", body)
        if taken.paid is not None:
            self.record(at, taken.paid)
        self._told(order, taken.outcome)
        lane = self._lanes.get(at)
        if lane is not None:
            self._judge_again(lane)

    def _keep(self, order: AnyMoneyOrder) -> None:
        done = carry_out(order, self.money, self.lot, self.flows.controls)
        for body in done.bodies:
            self.record("", body)
        if isinstance(order, LinkOrder):
            self.out.append(self._answer(order, done))
        else:
            self._told(order, done)
        if done.bodies and isinstance(order, LinkOrder | SeamlessOrder | ListOrder | ListDeleteOrder):
            self.coupon_turn()  # a car that waits to pay may go another way now

    def _told(self, order: AnyMoneyOrder, done: MoneyOutcome) -> None:
        zh, en = done.words()
        ordered = Ordered(
            order.command_id, name_of(order), order.source, order.who, order.why, done.ok, zh, en, done.reason, -1,
            target_of(order),
        )  # fmt: skip
        self.record("", ordered, urgent=True)
        self.out.append(self._answer(order, done))

    def _answer(self, order: AnyMoneyOrder, done: MoneyOutcome) -> Answer:
        zh, en = done.words()
        return Answer(
            lane=order.lane, command_id=order.command_id, ok=done.ok, zh=zh, en=en, reason=done.reason,
            quote=done.quote,
        )  # fmt: skip

    def _judge_again(self, lane: Lane) -> None:
        if lane.desk in _JUDGED and lane.traffic.standing is not None:
            lane.fire(Signal.FREED)
            self._due[lane.id] = lane.settle()
            lane.check_step()

    # --- 18, 22 ------------------------------------------------------------------------------------------------------

    def _quote(self, order: QuoteOrder) -> MoneyOutcome:
        plate = normalise(order.plate)
        if not plate:
            return refused("bad_plate", f"plate {order.plate!r}")
        visit = newest_inside(self.lot, plate)
        return self._order_of(visit) if visit is not None else MoneyOutcome(True, "not_inside")

    def _scan(self, order: ScanOrder) -> MoneyOutcome:
        lane = self._lanes.get(order.lane) if order.lane else None
        if order.lane and lane is None:
            return refused("unknown_lane", order.lane)
        visit = self.lot.inside.get(self.money.credentials.get(order.credential, ""))
        plate = normalise(order.plate) or normalise(order.credential)
        if visit is None and plate:
            visit = newest_inside(self.lot, plate)
        if lane is not None and lane.settings.direction == "in":
            return self._scan_in(order, lane)
        if lane is not None:
            car = lane.traffic.standing
            if car is None or lane.desk is Desk.VACANT:
                return MoneyOutcome(True, "no_car")
            if car.visit_id:
                visit = self.lot.inside.get(car.visit_id)  # equip_code decides the lane, and so the car (QC78)
            elif visit is not None and lane.desk in _JUDGED:
                car.claimed = visit.visit_id
                self._judge_again(lane)
            elif not car.plate:
                return MoneyOutcome(True, "no_plate")
        if visit is None:
            return MoneyOutcome(True, "not_inside")
        self._take_coupons(order, visit)
        return self._order_of(visit)

    def _scan_in(self, order: ScanOrder, lane: Lane) -> MoneyOutcome:
        """At an entrance: a car without plate that waits there goes in by its virtual credential."""
        car = lane.traffic.standing
        if car is None or lane.desk is Desk.VACANT:
            return MoneyOutcome(True, "no_car")
        if car.plate or lane.desk is not Desk.WAIT_CONFIRM:
            return MoneyOutcome(True, "nothing_due")
        if not order.credential:
            return refused("bad_value", "credential: is needed for a car without plate")
        if self.lot.free == 0:
            return MoneyOutcome(True, "lot_full")
        self.record("", CredentialBound(order.credential, car.id, order.city))
        ok, zh, en = lane.do(
            Commanded(
                lane=lane.id, command_id=order.command_id, action="open", source=order.source, who=order.who,
                why=order.why,
            )
        )  # fmt: skip
        self._due[lane.id] = lane.settle()
        lane.check_step()
        return MoneyOutcome(True, "admitted") if ok else refused("bad_value", f"{zh} {en}")

    def _take_coupons(self, order: ScanOrder, visit: Visit) -> None:
        plate = visit.plate or self.money.credential_of(visit.visit_id)
        for each in order.coupons:
            body = CouponGiven(
                each.coupon_no, plate, each.coupon, order.city_ms or self.now.wall_ms, each.amount_fen, each.minutes,
                0, each.channel, "", order.source, order.city,
            )  # fmt: skip
            known = self.coupons.waiting.get(each.coupon_no)
            if known is None or _same_coupon(known) != _same_coupon(body):
                self.record("", body)
        if order.coupons:
            self.coupon_turn()

    def _order_of(self, visit: Visit) -> MoneyOutcome:
        """The order of this visit, made out anew unless its car waits at the arm with it already."""
        controls = self.flows.in_force(visit.plate)
        if controls and controls[0].strategy in {"no_entry", "no_entry_no_exit", "no_exit"}:
            return MoneyOutcome(True, "barred", quote=self._known(visit))
        if visit.plate in self._rules.allow or any(each.strategy == "free_pass" for each in controls):
            return MoneyOutcome(True, "free_car", quote=self._known(visit))
        order = self.money.orders.unpaid(visit.visit_id)
        if order is not None and order.state is Order.WAITING and order.quotes:
            return MoneyOutcome(True, "", quote=self._of_quote(order.quotes[-1], order.lane))
        bill = self.bill(visit, self.now)
        if bill.why != "owed":
            reason = "card_expired" if bill.why == "keep_in" else bill.why
            return MoneyOutcome(True, reason, quote=self._known(visit, bill))
        last = order.quotes[-1] if order is not None and order.quotes else None
        if (
            last is not None
            and (last.due_fen, last.pay_fen, last.coupons) == (bill.due_fen, bill.pay_fen, bill.coupons)
            and bill.parked_ms - last.parked_ms <= FRESH_MS
        ):
            return MoneyOutcome(True, "", quote=self._of_quote(last, ""))
        quoted = Quoted(
            order_id=self._new_id() if order is None else order.order_id, visit_id=visit.visit_id, plate=visit.plate,
            entered=visit.entered, billed=self.now, parked_ms=bill.parked_ms, due_fen=bill.due_fen,
            discount_fen=bill.discount_fen, pay_fen=bill.pay_fen, settled_fen=bill.settled_fen,
            leave_min=bill.leave_min, overtime=bill.overtime, tariff=bill.tariff, colour=visit.colour,
            entry_lane=visit.lane, booking=visit.booking, credential=bill.credential, coupons=bill.coupons,
        )  # fmt: skip
        self.record("", quoted, urgent=True)
        return MoneyOutcome(True, "", quote=self._of_quote(quoted, ""))

    def _of_quote(self, quoted: Quoted, lane: str) -> QuoteTold:
        offsets = self.lot.offsets
        return QuoteTold(
            order_id=quoted.order_id, visit_id=quoted.visit_id, plate=quoted.plate, colour=quoted.colour,
            credential=quoted.credential, lane=lane, entered_ms=true_wall_ms(quoted.entered, offsets) or 0,
            billed_ms=true_wall_ms(quoted.billed, offsets) or 0, parked_ms=quoted.parked_ms, due_fen=quoted.due_fen,
            discount_fen=quoted.discount_fen, pay_fen=quoted.pay_fen, settled_fen=quoted.settled_fen,
            leave_min=quoted.leave_min, overtime=quoted.overtime, tariff_zh=self._tariff_zh(quoted.tariff),
        )  # fmt: skip

    def _tariff_zh(self, version: str) -> str:
        tariff = self.money.tariffs.versions.get(version)
        return plan_zh(self.terms.plan if tariff is None else tariff.plan)

    def _known(self, visit: Visit, bill: Bill | None = None) -> QuoteTold:
        told = QuoteTold(
            visit_id=visit.visit_id, plate=visit.plate, colour=visit.colour,
            credential=self.money.credential_of(visit.visit_id),
            entered_ms=true_wall_ms(visit.entered, self.lot.offsets) or 0, card=bill is not None and bill.why == "card",
        )  # fmt: skip
        if bill is None:
            return told
        return QuoteTold(
            visit_id=told.visit_id, plate=told.plate, colour=told.colour, credential=told.credential,
            entered_ms=told.entered_ms, billed_ms=true_wall_ms(self.now, self.lot.offsets) or 0,
            parked_ms=bill.parked_ms, due_fen=bill.due_fen, discount_fen=bill.discount_fen,
            settled_fen=bill.settled_fen, leave_min=bill.leave_min, rest_min=bill.rest_min, card=told.card,
            tariff_zh=self._tariff_zh(bill.tariff),
        )  # fmt: skip


def _same_coupon(coupon: CouponGiven) -> tuple[object, ...]:
    """What makes a coupon another one: not when it was said."""
    return (coupon.plate, coupon.coupon, coupon.amount_fen, coupon.minutes)


def name_of(order: AnyMoneyOrder) -> str:
    """The action's name on the audit: CardOrder of an extension is card_extend."""
    name = type(order).__name__.removesuffix("Order")
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
    return f"{words}_{order.operation}" if hasattr(order, "operation") else words


def target_of(order: AnyMoneyOrder) -> str:
    """What the order is about, for the audit."""
    for name in ("card_id", "order_id", "plan_id", "tariff_id", "entry_id", "visit_id", "plate"):
        value: str = getattr(order, name, "")
        if value:
            return value
    return ""
