"""Answers to what a person asks of money (`money_seen`), out of the box's own fold: nothing is changed by them.

A look takes the lane program's only thread, so it is bounded: a whole plate is found by its index, a part of one
is looked for among the newest `LOOKED_AT` only, and the answer says when there was more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import dropwhile, islice
from typing import TypeVar

from edge.core.box import Box
from edge.core.clock import true_wall_ms
from edge.core.controls import Control
from edge.core.facts import Stamp
from edge.core.facts_money import CardSet, TariffSet
from edge.core.lane import Lane
from edge.core.lane_types import Arrival
from edge.core.money_seen import (
    AskRefused,
    CarAtArm,
    CardRow,
    CardRows,
    ExitDesk,
    ExitLane,
    ListRow,
    ListRows,
    MoneyAsk,
    MoneyOrderRow,
    MoneyOrders,
    Price,
    PriceStep,
    Seen,
    TakenOff,
    TariffRow,
    Tariffs,
)
from edge.core.order_book import Record
from edge.core.orders_money import MONEY_REASONS
from edge.core.plates import normalise
from edge.core.tariff_engine import Part, visit_fen
from edge.core.tariff_error import TariffError
from edge.core.tariff_param import param_of, read_param
from edge.core.tariff_plan import TariffPlan
from edge.core.tariff_words import part_words, plan_en, plan_zh

LOOKED_AT = 20_000
"""Rows of which a part of a plate is looked for: some 2 ms on a PC, so no arm waits for a search."""

YEARS_MS = 10 * 366 * 86_400_000
"""The longest visit that is priced for a look."""

_WHY = {"owed": ("须缴费", "to be paid"), "keep_in": MONEY_REASONS["card_expired"]}

T = TypeVar("T")


def look(box: Box, ask: MoneyAsk, now: Stamp) -> Seen:
    """Raises `AskRefused`."""
    plate = normalise(ask.plate) or ask.plate
    match ask.what:
        case "desk":
            exits = tuple(_exit(box, lane) for lane in box.exits())
            return ExitDesk(exits, box.money.away(box.silent()))
        case "orders":
            return _orders(box, ask, plate)
        case "tariffs":
            return _tariffs(box)
        case "price":
            return _price(box, ask)
        case "cards":
            return _cards(box, plate, ask.limit, now)
        case _:
            return _lists(box, plate, ask.limit, now)


def _newest(rows: Iterable[T], fits: Callable[[T], bool], limit: int) -> tuple[list[T], bool]:
    """Of the newest `LOOKED_AT` those that fit, at most `limit`, and whether something was left out."""
    found: list[T] = []
    left = iter(rows)
    for row in islice(left, LOOKED_AT):
        if fits(row):
            if len(found) == limit:
                return found, True
            found.append(row)
    return found, next(left, None) is not None


# --- the exit desk -------------------------------------------------------------------------------------------------


def _exit(box: Box, lane: Lane) -> ExitLane:
    status, car = lane.status(), lane.traffic.standing
    seen = None if car is None else _car(box, car)
    return ExitLane(lane=lane.id, state=status.state, zh=status.why_zh, en=status.why_en, car=seen)


def _car(box: Box, car: Arrival) -> CarAtArm:
    bill, order = car.bill, box.money.orders.by_id.get(car.order_id)
    zh, en = ("", "") if bill is None else _WHY.get(bill.why) or MONEY_REASONS[bill.why]
    plan = None if bill is None else _plan(box, bill.tariff)
    paid = None if order is None else order.paid
    return CarAtArm(
        arrival_id=car.id, plate=car.plate, read_id=car.read_id, visit_id=car.visit_id,
        order_id="" if order is None else order.order_id, state="" if order is None else order.state.value,
        method="" if paid is None else paid.method,
        entered_ms=_true_ms(box, car.entered), entry_lane=car.entry_lane,
        parked_ms=0 if bill is None else bill.parked_ms,
        due_fen=car.due_fen, discount_fen=car.due_fen - car.to_pay_fen if paid is None else paid.discount_fen,
        pay_fen=car.to_pay_fen, owed_fen=car.owed_fen,
        settled_fen=0 if bill is None else bill.settled_fen, overtime=bill is not None and bill.overtime,
        why="" if bill is None else bill.why, why_zh=zh, why_en=en, rest_min=0 if bill is None else bill.rest_min,
        tariff_zh="" if plan is None else plan_zh(plan), tariff_en="" if plan is None else plan_en(plan),
        coupons=tuple(TakenOff(each.coupon_no, each.saved_fen) for each in car.coupons),
        pays="" if bill is None else bill.pays,
    )  # fmt: skip


def _plan(box: Box, version: str) -> TariffPlan:
    tariff = box.money.tariffs.versions.get(version)
    return box.terms.plan if tariff is None else tariff.plan


def _true_ms(box: Box, stamp: Stamp | None) -> int:
    return 0 if stamp is None else true_wall_ms(stamp, box.lot.offsets) or 0


# --- orders --------------------------------------------------------------------------------------------------------


def _orders(box: Box, ask: MoneyAsk, plate: str) -> MoneyOrders:
    book = box.money.orders
    if ask.order_id:
        one = book.by_id.get(ask.order_id)
        return MoneyOrders(() if one is None else (_order(box, one),), False)
    rows: Iterator[Record] = reversed(book.by_id.values())
    if ask.before:
        if ask.before not in book.by_id:
            raise AskRefused("没有这个订单, 或已太久", f"before: {ask.before!r} is no order that is kept here")
        rows = dropwhile(lambda record: record.order_id != ask.before, rows)
        next(rows)

    def fits(record: Record) -> bool:
        return plate in record.plate and ask.from_ms <= _told_ms(box, record) < ask.to_ms

    found, more = _newest(rows, fits, ask.limit)
    return MoneyOrders(tuple(_order(box, record) for record in found), more)


def _told_ms(box: Box, record: Record) -> int:
    """When it was paid, or last made out; 0 while nobody knows the time."""
    quote = record.quotes[-1] if record.quotes else None
    return _true_ms(box, record.paid_at) or _true_ms(box, None if quote is None else quote.billed)


def _order(box: Box, record: Record) -> MoneyOrderRow:
    paid, quote = record.paid, record.quotes[-1] if record.quotes else None
    due_fen, discount_fen, pay_fen = (
        (quote.due_fen, quote.discount_fen, quote.pay_fen) if paid is None and quote is not None
        else (paid.due_fen, paid.discount_fen, paid.paid_fen) if paid is not None else (0, 0, 0)
    )  # fmt: skip
    told = quote if quote is not None else paid
    return MoneyOrderRow(
        order_id=record.order_id, visit_id=record.visit_id, plate=record.plate, state=record.state.value,
        lane=record.lane, entered_ms=_true_ms(box, None if told is None else told.entered),
        billed_ms=_true_ms(box, None if told is None else told.billed),
        parked_ms=0 if quote is None else quote.parked_ms, due_fen=due_fen, discount_fen=discount_fen,
        pay_fen=pay_fen, overtime=told is not None and told.overtime, paid_fen=-1 if paid is None else paid.paid_fen,
        method="" if paid is None else paid.method, paid_ms=_true_ms(box, record.paid_at),
        refund_due_fen=record.refund_due_fen, refunded_fen=record.refunded_fen,
        refundable_fen=record.refundable_fen,
    )  # fmt: skip


# --- tariffs -------------------------------------------------------------------------------------------------------


def _tariffs(box: Box) -> Tariffs:
    """Those in force first, the newest of each first."""
    book = box.money.tariffs
    in_force = set(book.in_force.values())
    cars: dict[str, int] = {}
    for version in book.visits.values():
        cars[version] = cars.get(version, 0) + 1

    def row(version: str, tariff: TariffSet) -> TariffRow:
        return TariffRow(
            version=version, tariff_id=tariff.tariff_id, name=tariff.name or tariff.code, car_type=tariff.car_type,
            city=tariff.city, in_force=version in in_force, cars=cars.get(version, 0), leave_min=tariff.leave_min,
            zh=plan_zh(tariff.plan), en=plan_en(tariff.plan), param=param_of(tariff.plan), who=tariff.who,
        )  # fmt: skip

    rows = [row(version, tariff) for version, tariff in reversed(book.versions.items())]
    return Tariffs(tuple(sorted(rows, key=lambda one: not one.in_force)))


def _price(box: Box, ask: MoneyAsk) -> Price:
    plan = _asked_plan(box, ask)
    parked_ms = ask.until_ms - ask.began_ms
    if not 0 <= parked_ms <= YEARS_MS:
        raise AskRefused("出场时间须不早于入场时间, 且十年以内", "until_ms: not before began_ms, and within ten years")
    parts: list[Part] = []
    fen = visit_fen(plan, ask.vehicle, ask.began_ms, parked_ms, parts.append)
    steps = tuple(PriceStep(*part_words(part, plan), part.fen) for part in parts)
    return Price(fen, parked_ms, steps)


def _asked_plan(box: Box, ask: MoneyAsk) -> TariffPlan:
    if ask.param:
        try:
            return read_param(ask.param)
        except TariffError as error:
            raise AskRefused(f"收费标准有误: {error.zh}", str(error)) from error
    tariff = box.money.tariffs.versions.get(ask.version)
    if tariff is None:
        raise AskRefused("没有这个收费标准版本", f"version: {ask.version!r} is no tariff that is kept here")
    return tariff.plan


# --- cards and lists -----------------------------------------------------------------------------------------------


def _cards(box: Box, plate: str, limit: int, now: Stamp) -> CardRows:
    cards = box.money.cards
    wall_ms = true_wall_ms(now, box.lot.offsets)

    def row(card: CardSet) -> CardRow:
        plan = cards.plans.get(card.plan_id)
        return CardRow(
            card_id=card.card_id, plates=tuple(car.plate for car in card.cars), places=max(1, card.places),
            taken=cards.taken.get(card.card_id, 0), from_ms=card.from_ms, until_ms=card.until_ms,
            standing=cards.word_of(card.card_id, wall_ms), hours=card.hours,
            plan=card.plan_id if plan is None else plan.name or plan.code, expired=card.terms.expired,
            full=card.terms.full, city=card.city,
        )  # fmt: skip

    known = [cards.by_id[card_id] for card_id in cards.by_plate.get(plate, ())]
    found, more = (known[:limit], len(known) > limit) if known else _newest(
        reversed(cards.by_id.values()), lambda card: not plate or any(plate in car.plate for car in card.cars), limit
    )  # fmt: skip
    return CardRows(tuple(map(row, found)), len(cards.by_id), more)


def _lists(box: Box, plate: str, limit: int, now: Stamp) -> ListRows:
    """The box's own lists first: they are short and hold for ever."""
    controls, rules = box.flows.controls, box.rules
    wall_ms = true_wall_ms(now, box.lot.offsets)

    def row(control: Control) -> ListRow:
        return ListRow(
            entry_id=control.entry_id, plate=control.plate, strategy=control.strategy, from_ms=control.from_ms,
            until_ms=control.until_ms, in_force=wall_ms is None or control.from_ms <= wall_ms <= control.until_ms,
            origin=control.origin, city=control.city,
        )  # fmt: skip

    own = [Control("", each, "no_entry", 0, 0) for each in sorted(rules.deny)]
    own += [Control("", each, "free_pass", 0, 0) for each in sorted(rules.allow - rules.deny)]
    mine = [each for each in own if plate in each.plate]
    known = controls.entries_of(plate)
    found, more = (list(known), False) if known else _newest(
        reversed(controls.by_id.values()), lambda control: plate in control.plate, limit
    )  # fmt: skip
    rows = [
        ListRow(entry_id="", plate=each.plate, strategy=each.strategy, from_ms=0, until_ms=0, in_force=True,
                origin="config", city="")
        for each in mine
    ] + [row(control) for control in found]  # fmt: skip
    return ListRows(tuple(rows[:limit]), len(own) + len(controls.by_id), more or len(rows) > limit)
