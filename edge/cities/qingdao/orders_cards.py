"""Orders about cards and monthly plans: 16, 17, 25 and 26 from JSON to the core's words (T/QME 0015-2024 B.4). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from edge.cities.qingdao.dictionaries import PayType, PlateColour
from edge.cities.qingdao.dictionaries_plans import BY_PLATE, CardOperation, CardState, Medium
from edge.cities.qingdao.orders import Base, Reading, Site, stamp_ms
from edge.cities.qingdao.reading import BadMember, Members
from edge.core.facts_money import CardCar, CardTerms, PlanPrice
from edge.core.orders_money import CardCancelOrder, CardOrder, PlanDeleteOrder, PlanOrder

Operation = Literal["open", "extend", "change", "freeze", "unfreeze", "lock", "unlock", "cancel"]

# B.6.1.18. QC50: REFUND, printed 违规, ends the card.
OPERATIONS: Mapping[str, Operation] = {
    "OPEN": "open",
    "RECHARGE": "extend",
    "REFUND": "cancel",
    "FREEZE": "freeze",
    "UNFREEZE": "unfreeze",
    "LOCK": "lock",
    "UNLOCK": "unlock",
    "CLOSE": "cancel",
}

# B.6.1.20: a credential in another state opens nothing.
USABLE: frozenset[CardState] = frozenset({"NORMAL", "BLANK", "OTHER"})

COLOURS: Mapping[str, str] = {
    "BLUE": "blue",
    "YELLOW": "yellow",
    "WHITE": "white",
    "BLACK": "black",
    "GREEN": "green",
    "UNKNOW": "unknown",
    "UNKNOWN": "unknown",  # QC40
}

# expired_mode and multiPlace_full_mode (lines 1461, 1462).
EXPIRED: Mapping[int, Literal["temporary", "refuse", "keep_in"]] = {0: "temporary", 1: "refuse", 2: "keep_in"}
FULL: Mapping[int, Literal["temporary", "refuse"]] = {0: "temporary", 1: "refuse"}

# As `orders_money` bounds them.
CARS_MAX, REGIONS_MAX, PRICES_MAX, PLACES_MAX, MONTHS_MAX = 100, 200, 100, 10_000, 1200
MEDIA = tuple(get_args(Medium))


def read_card(entry: Members, base: Base, site: Site) -> Reading:
    """16 (line 1116). Times are needed where the card begins or goes on; a freeze needs the card alone."""
    answer: dict[str, object] = {"item_id": entry.text("item_id", 64)}
    operation = OPERATIONS[entry.word("operate_type", get_args(CardOperation))]
    begins = operation in {"open", "extend"}
    person = entry.part("person_info") if entry.has("person_info") else Members({}, "person_info")
    whole: dict[str, Any] = {
        "card_id": entry.text("service_id", 64),
        "operation": operation,
        "cars": _cars(entry),
        "plan_id": entry.text("seal_id", 64, required=begins),
        "regions": entry.names("region_id_list", REGIONS_MAX, 64),
        "person_id": entry.text("person_id", 64, required=begins),
        "person_name": person.text("name", 100, required=False),
        # QC62: the print lost whether it stands inside person_info
        "phone": person.text("telephone", 30, required=False) or entry.text("telephone", 30, required=False),
        "pay_type": entry.word("pay_type", get_args(PayType), default=""),
    }
    if begins or entry.has("place_num"):
        whole["places"] = entry.whole("place_num", 0, PLACES_MAX)
    if begins or entry.has("start_time"):
        whole["from_ms"] = entry.instant_ms("start_time")
    if begins or entry.has("end_time"):
        whole["until_ms"] = entry.instant_ms("end_time", end_of_day=True)
    if whole.get("until_ms", 0) < whole.get("from_ms", 0):
        raise BadMember("end_time", entry.text("end_time", 30), "早于 start_time is before start_time")
    if entry.has("month"):
        whole["months"] = entry.whole("month", 0, MONTHS_MAX)
    if entry.has("start_calc_date"):
        entry.instant_ms("start_calc_date")  # when this extension begins: the card's own times say what holds
    for name, ours in (
        ("money", "paid_fen"), ("ys_money", "due_fen"), ("refundys_money", "refund_due_fen"),
        ("refundss_money", "refunded_fen"),
    ):  # fmt: skip
        if entry.has(name):
            whole[ours] = entry.yuan_fen(name)
    return Reading(answer, CardOrder(**whole, **base.members(stamp_ms(entry))))


def read_card_cancel(entry: Members, base: Base, site: Site) -> Reading:
    """17 (line 1174). QC92: no plate; the card is known by its service_id."""
    answer: dict[str, object] = {"item_id": entry.text("item_id", 64)}
    return Reading(answer, CardCancelOrder(card_id=entry.text("service_id", 64), **base.members(stamp_ms(entry))))


def read_plan(entry: Members, base: Base, site: Site) -> Reading:
    """25 (line 1445)."""
    plan_id = entry.text("item_id", 64)
    seal = entry.part("basic_seal_info")
    full = entry.first_of("multiPlace_full_mode", "multiplace_full_mode", "multi_place_full_mode")  # QC59
    expired = EXPIRED[entry.choice("expired_mode", EXPIRED)]
    prices = tuple(
        PlanPrice(months=each.whole("months", 1, MONTHS_MAX), fen=each.yuan_fen("total_fee"))
        for each in entry.parts("charge_standard", PRICES_MAX)
    )
    if not prices:
        raise BadMember("charge_standard", "", "缺少 is missing")
    order = PlanOrder(
        plan_id=plan_id,
        # printed required, and without meaning where nothing turns into a temporary car
        terms=CardTerms(expired, FULL[entry.choice(full, FULL)], entry.text("temp_seal_id", 64, required=False)),
        code=seal.text("code", 64),
        name=seal.text("name", 100),
        prices=prices,
        refundable=entry.choice("allow_refund", (0, 1)) == 1,
        car_type=seal.text("car_type", 64, required=False),
        place_type=seal.text("place_type", 64, required=False),
        remark=entry.text("remark", 200, required=False),
        **base.members(stamp_ms(entry)),
    )
    return Reading({"item_id": plan_id}, order)


def read_plan_delete(entry: Members, base: Base, site: Site) -> Reading:
    """26 (line 1484)."""
    plan_id = entry.text("item_id", 64)
    return Reading({"item_id": plan_id}, PlanDeleteOrder(plan_id=plan_id, **base.members(stamp_ms(entry))))


def colour_of(car: Members) -> str:
    """plate_color of a vehicle_info in the core's word."""
    word = car.word("plate_color", (*get_args(PlateColour), "UNKNOWN"), default="UNKNOW")
    return COLOURS[word]


def _cars(entry: Members) -> tuple[CardCar, ...]:
    """QC91: vehicle_info.plate_no, else credential_no where it is a plate."""
    credentials = entry.parts("credential", CARS_MAX)
    cars = []
    for each in credentials:
        state = each.word("status", get_args(CardState), default="NORMAL")
        medium = each.choice("credential_type", MEDIA, default=BY_PLATE)
        car = each.part("vehicle_info") if each.has("vehicle_info") else Members({}, "vehicle_info")
        plate = car.plate("plate_no", required=False)
        if not plate and medium == BY_PLATE:
            plate = each.plate("credential_no")
        if not plate:
            raise BadMember("credential", each.text("credential_no", 64, required=False), "没有车牌 has no plate")
        if state in USABLE:
            cars.append(CardCar(plate, colour_of(car), each.text("card_id", 64, required=False)))
    if credentials and not cars:
        raise BadMember("credential", "", "凭证均不可用 none of them can be used")
    return tuple(cars)
