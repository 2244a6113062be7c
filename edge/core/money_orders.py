"""What orders of the city about cards, tariffs, plans, lists and seamless payment do: facts to keep, or a reason.

T/QME 0015-2024 B.4: 16, 17, 20, 21, 23 to 28. An older word never undoes a newer one (QC87) and is a success all the
same; a removal of what has gone before is one too. Judged only; the facts change things. A person gives the same
orders for what is the box's own; what a city made is changed at the city.
"""

from __future__ import annotations

from edge.core.controls import Controls
from edge.core.facts_flow import ControlPut, ControlRemoved, Strategy
from edge.core.facts_money import (
    CardCancelled,
    CardCar,
    CardSet,
    CityLink,
    MoneyBody,
    PlanDeleted,
    PlanSet,
    Refunded,
    SeamlessSet,
    TariffDeleted,
    TariffSet,
)
from edge.core.lot import LotState, Visit
from edge.core.money import Money
from edge.core.money_outcome import MoneyOutcome, refused
from edge.core.orders_money import (
    AnyMoneyOrder,
    CardCancelOrder,
    CardOrder,
    LinkOrder,
    ListDeleteOrder,
    ListOrder,
    PlanDeleteOrder,
    PlanOrder,
    RefundOrder,
    SeamlessOrder,
    TariffDeleteOrder,
    TariffOrder,
)
from edge.core.plates import normalise
from edge.core.tariff_book import LOCAL
from edge.core.tariff_error import TariffError
from edge.core.tariff_param import read_param

OLDER = MoneyOutcome(True, "older")

LIST_STRATEGY: dict[str, Strategy] = {"black": "no_entry", "grey": "warn", "white": "free_pass"}
"""27, type 1 to 3 (QC93). Who is black-listed while inside may leave: the standard forbids no exit."""


def carry_out(order: AnyMoneyOrder, money: Money, lot: LotState, controls: Controls) -> MoneyOutcome:
    """Judge `order`. Quotes, scans and payments are not among these (`box_money`)."""
    match order:
        case CardOrder():
            return _card(order, money)
        case CardCancelOrder():
            return _cancel(order, money)
        case PlanOrder() | PlanDeleteOrder():
            return _plan(order, money)
        case TariffOrder() | TariffDeleteOrder():
            return _tariff(order, money)
        case ListOrder() | ListDeleteOrder():
            return _list(order, controls)
        case SeamlessOrder():
            return _seamless(order, money, lot)
        case RefundOrder():
            return _refund(order, money)
        case LinkOrder(city=city, up=up):
            known = money.links.get(city)
            return MoneyOutcome(True, "", () if known is up else (CityLink(city, up, order.source),))
    raise TypeError(f"{type(order).__name__} is no order of this file")


def _of_city(order: AnyMoneyOrder, city: str) -> bool:
    return order.source == "operator" and city != ""


# --- cards ---------------------------------------------------------------------------------------------------------


def _card(order: CardOrder, money: Money) -> MoneyOutcome:
    cards = money.cards
    known = cards.by_id.get(order.card_id)
    if cards.is_older(order.card_id, order.city_ms):
        return OLDER
    if known is not None and _of_city(order, known.city):
        return refused("of_city", order.card_id)
    if order.operation == "cancel":
        return _ended(order, money, order.refund_due_fen, order.refunded_fen)
    if known is None and not order.cars:
        return refused("unknown_card", f"{order.card_id}: no cars are given and none are known")
    cars = []
    for car in order.cars:
        plate = normalise(car.plate)
        if not plate:
            return refused("bad_plate", f"cars: {car.plate!r}")
        cars.append(CardCar(plate, car.colour, car.credential_id))
    begin_ms = order.from_ms or (known.from_ms if known is not None else 0)
    end_ms = order.until_ms or (known.until_ms if known is not None else 0)
    if end_ms < begin_ms or not end_ms:
        return refused("bad_value", f"until_ms {end_ms} < from_ms {begin_ms}")
    for span in order.hours or ():
        if not (0 <= span.from_min < 1440 and 0 <= span.until_min <= 1440 and set(span.days) <= set(range(7))):
            return refused("bad_value", f"hours: {span.from_min}-{span.until_min} {span.days}, 0..1440 and 0..6")
    suspended = known is not None and known.suspended
    if order.operation in {"freeze", "lock", "unfreeze", "unlock"}:
        suspended = order.operation in {"freeze", "lock"}
    # The terms of the plan as it is now, when the card is issued or moved to another plan; kept otherwise.
    issued = known is None or order.operation == "open" or order.plan_id not in {"", known.plan_id}
    plan_id = order.plan_id or ("" if known is None else known.plan_id)
    body = CardSet(
        card_id=order.card_id, operation=order.operation, cars=tuple(cars) or (() if known is None else known.cars),
        places=order.places or (1 if known is None else known.places), from_ms=begin_ms, until_ms=end_ms,
        terms=cards.terms_of(plan_id) if issued or known is None else known.terms, suspended=suspended,
        hours=order.hours if order.hours is not None else (() if known is None else known.hours), plan_id=plan_id,
        regions=order.regions, person_id=order.person_id, person_name=order.person_name, phone=order.phone,
        months=order.months, due_fen=order.due_fen, paid_fen=order.paid_fen, pay_type=order.pay_type,
        city_ms=order.city_ms, city=order.city,
    )  # fmt: skip
    return MoneyOutcome(True, "", (body,))


def _cancel(order: CardCancelOrder, money: Money) -> MoneyOutcome:
    known = money.cards.by_id.get(order.card_id)
    if money.cards.is_older(order.card_id, order.city_ms):
        return OLDER
    if known is not None and _of_city(order, known.city):
        return refused("of_city", order.card_id)
    return _ended(order, money, 0, 0)


def _ended(order: CardOrder | CardCancelOrder, money: Money, due_fen: int, refunded_fen: int) -> MoneyOutcome:
    if order.card_id not in money.cards.by_id:
        if order.card_id in money.cards.gone:
            return MoneyOutcome(True, "")
        return refused("unknown_card", order.card_id)  # QC92
    body = CardCancelled(order.card_id, due_fen, refunded_fen, order.city_ms, order.city)
    return MoneyOutcome(True, "", (body,))


def _plan(order: PlanOrder | PlanDeleteOrder, money: Money) -> MoneyOutcome:
    if money.cards.is_older(order.plan_id, order.city_ms):
        return OLDER
    if isinstance(order, PlanOrder):
        body = PlanSet(
            plan_id=order.plan_id, code=order.code, name=order.name, terms=order.terms, prices=order.prices,
            refundable=order.refundable, car_type=order.car_type, place_type=order.place_type, remark=order.remark,
            city_ms=order.city_ms, city=order.city,
        )  # fmt: skip
        return MoneyOutcome(True, "", (body,))
    if order.plan_id not in money.cards.plans:
        gone = order.plan_id in money.cards.gone
        return MoneyOutcome(True, "") if gone else refused("unknown_plan", order.plan_id)
    return MoneyOutcome(True, "", (PlanDeleted(order.plan_id, order.city_ms, order.city),))


def _refund(order: RefundOrder, money: Money) -> MoneyOutcome:
    record = money.orders.by_id.get(order.order_id)
    if record is None:
        return refused("unknown_order", order.order_id)
    most_fen = record.refundable_fen
    if order.amount_fen > most_fen:
        return refused("bad_value", f"amount_fen {order.amount_fen}, up to {most_fen} can be given back")
    return MoneyOutcome(True, "", (Refunded(order.order_id, record.plate, order.amount_fen, order.who, order.why),))


# --- tariffs -------------------------------------------------------------------------------------------------------


def _tariff(order: TariffOrder | TariffDeleteOrder, money: Money) -> MoneyOutcome:
    tariffs = money.tariffs
    ours, by_person = order.tariff_id == LOCAL, order.source == "operator"
    if ours and (not by_person or isinstance(order, TariffDeleteOrder)):
        return refused("bad_value", f"tariff_id: {LOCAL!r} is the box's own")
    if by_person and not ours:
        return refused("of_city", order.tariff_id)
    if tariffs.is_older(order.tariff_id, order.city_ms):
        return OLDER
    if isinstance(order, TariffDeleteOrder):
        if order.tariff_id not in tariffs.in_force:
            gone = order.tariff_id in tariffs.deleted
            return MoneyOutcome(True, "") if gone else refused("unknown_tariff", order.tariff_id)
        return MoneyOutcome(True, "", (TariffDeleted(order.tariff_id, order.city_ms, order.city),))
    try:
        plan = read_param(order.param)
    except TariffError as error:
        return refused("bad_value", str(error), error.zh)
    body = TariffSet(
        tariff_id=order.tariff_id, plan=plan, leave_min=order.leave_min, code=order.code, name=order.name,
        car_type=order.car_type, place_type=order.place_type, remark=order.remark, city_ms=order.city_ms,
        city=order.city, who=order.who if by_person else "",
    )  # fmt: skip
    return MoneyOutcome(True, "", (body,))


# --- lists and seamless payment --------------------------------------------------------------------------------------


def _list(order: ListOrder | ListDeleteOrder, controls: Controls) -> MoneyOutcome:
    known = controls.by_id.get(order.entry_id)
    if known is not None and _of_city(order, known.city):
        return refused("of_city", order.entry_id)
    bodies: tuple[MoneyBody | ControlPut | ControlRemoved, ...]
    if isinstance(order, ListDeleteOrder):
        known = controls.find(order.entry_id)
        if known is None:
            gone = order.entry_id in controls.gone
            return MoneyOutcome(True, "") if gone else refused("unknown_entry", order.entry_id)
        bodies = (ControlRemoved(order.entry_id, known.plate, order.source, order.city),)
        return MoneyOutcome(True, "", bodies)
    plate = normalise(order.plate)
    if not plate:
        return refused("bad_plate", f"plate {order.plate!r}")
    if order.until_ms < order.from_ms:
        return refused("bad_value", f"until_ms {order.until_ms} < from_ms {order.from_ms}")
    origin = order.remark or {"black": "黑名单", "grey": "灰名单", "white": "白名单"}[order.kind]
    bodies = (
        ControlPut(
            order.entry_id, plate, LIST_STRATEGY[order.kind], order.from_ms, order.until_ms, origin, "",
            order.source, order.city,
        ),
    )  # fmt: skip
    return MoneyOutcome(True, "", bodies)


def newest_inside(lot: LotState, plate: str) -> Visit | None:
    """QC109: the newest car inside with exactly this plate."""
    found = [visit for visit in lot.find(plate) if visit.plate == plate]
    return found[-1] if found else None


def _seamless(order: SeamlessOrder, money: Money, lot: LotState) -> MoneyOutcome:
    visit = lot.inside.get(order.visit_id) if order.visit_id else newest_inside(lot, normalise(order.plate))
    if visit is None:
        return refused("not_inside", order.visit_id or order.plate)
    known = money.seamless.get(visit.visit_id)
    if known is not None and 0 < order.city_ms < known.city_ms:
        return OLDER
    body = SeamlessSet(
        visit_id=visit.visit_id, plate=visit.plate, signed=order.signed, mode=order.mode, user_id=order.user_id,
        channel=order.channel, limit_fen=order.limit_fen, balance_fen=order.balance_fen, code=order.code,
        how=order.how, city_ms=order.city_ms, city=order.city,
    )  # fmt: skip
    return MoneyOutcome(True, "", (body,))
