"""Admission: may this car in, may that car out, and by which rule. Pure: the lot and the lists in, words out.

Every verdict carries the rule that made it and says it in words, Chinese first, which the sign, the page and
the city record show as they are.

Entry, the first that fits: no plate and it is to be asked; deny list; control list that bars it; allow list or control
list that passes it (even when the lot is full); a card; lists only; then flow control with bookings, roles and vehicle
types (`flow.Flow`). A list cannot vouch for a car without plate, so it is asked there too.

Exit: nobody is kept in by the deny list, a plate of the allow list pays nothing, everybody else pays the bill of the
visit that was found (`money.Money.bill`), and a person decides where none or several were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import msgspec

from edge.core.cards import Standing
from edge.core.controls import Control
from edge.core.discount import Stack
from edge.core.facts import FlowReasons, Stamp
from edge.core.facts_flow import CouponUsed, Vehicle
from edge.core.flow import Flow
from edge.core.flow_words import clock_text, words
from edge.core.lot import LotState, Visit
from edge.core.money import Bill, Money, Terms
from edge.core.plates import normalise
from edge.core.tariff import MINUTE_MS, TariffRule, yuan
from edge.core.tariff_engine import plan_of

_NO_PLATE_WORDS = ("无牌车, 请等待人工确认", "no plate read, please wait for the attendant")


class LotRules(msgspec.Struct, frozen=True):
    """Who may in. Plates of the lists are normalised here; a plate on both lists is denied."""

    admit: Literal["count", "list"] = "count"
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    no_plate: Literal["ask", "admit"] = "ask"
    coupon_stack: Stack = "all"
    """Several coupons of one car (`discount`)."""
    coupon_hold: bool = True
    """Keep a coupon for a car that is not inside yet (T/SZPIA 7.1.4.4.2, SC47)."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "allow", _normalised("allow", self.allow))
        msgspec.structs.force_setattr(self, "deny", _normalised("deny", self.deny))


class Verdict(msgspec.Struct, frozen=True):
    """`wait_for` is "" unless `decision` is "wait". `rule` is a code that never changes its meaning."""

    decision: Literal["admit", "wait", "refuse"]
    wait_for: Literal["", "payment", "stall", "confirmation"]
    rule: str
    zh: str
    en: str


class EntryVerdict(Verdict, frozen=True):
    """As flow control sees it: `counted_as` "" means that a rule before it decided."""

    counted_as: Literal["", "reserved", "ordinary"] = ""
    booking: str = ""
    state: Literal["", "free", "saturated", "full"] = ""
    reasons: FlowReasons | None = None


class Newcomer(NamedTuple):
    """A car at an entry."""

    lane: str
    plate: str
    vehicle: Vehicle = ""


class ExitVerdict(Verdict, frozen=True):
    """`visit` is the visit that ends (None: not known), `candidates` those a person may choose from.

    `corrected_from` is the plate as read at the exit when it was taken for that of `visit`, "" otherwise: the
    visit keeps the plate of its entry, which is what the city was told.
    """

    visit: Visit | None = None
    due_fen: int = 0
    corrected_from: str = ""
    candidates: tuple[Visit, ...] = ()
    coupons: tuple[CouponUsed, ...] = ()
    """What they take off `due_fen`; together they may cover it all."""
    bill: Bill | None = None
    """What the verdict rests on; None where nothing was reckoned."""


Pricer = Callable[[Visit, Stamp], Bill]


def decide_entry(  # noqa: PLR0917 - what a verdict rests on
    lot: LotState,
    rules: LotRules,
    flow: Flow,
    car: Newcomer,
    controls: tuple[Control, ...] = (),
    card: Standing = Standing("none"),  # noqa: B008 - a constant
) -> EntryVerdict:
    """The verdict for a car at an entry. `controls`: entries of control lists that are in force for it."""
    plate = car.plate
    if not plate and (rules.no_plate == "ask" or rules.admit == "list"):
        return EntryVerdict("wait", "confirmation", "no_plate", *_NO_PLATE_WORDS)
    if plate in rules.deny:
        return EntryVerdict("refuse", "", "deny_list", f"{plate} 在黑名单, 禁止入场", f"{plate} is denied entry")
    if controls and controls[0].strategy in {"no_entry", "no_entry_no_exit"}:
        origin = controls[0].origin
        zh, en = f"{plate} 在管控名单 ({origin}), 禁止入场", f"{plate} is on a control list ({origin}), no entry"
        return EntryVerdict("refuse", "", "control_no_entry", zh, en)
    if plate in rules.allow:
        return EntryVerdict("admit", "", "allow_list", f"固定车 {plate}, 入场", f"{plate} is on the allow list")
    if any(control.strategy == "free_pass" for control in controls):
        return EntryVerdict("admit", "", "control_free", f"免费车 {plate}, 入场", f"{plate} passes free of charge")
    by_card = _by_card(plate, card)
    if by_card is not None:
        return by_card
    if rules.admit == "list":
        return EntryVerdict("refuse", "", "not_on_list", f"{plate} 非固定车, 禁止入场", f"{plate} is not listed")
    return _by_flow(lot, flow, car)


def _by_card(plate: str, standing: Standing) -> EntryVerdict | None:
    """None: the card says nothing, its car is as any other (expired_mode 0 and multiPlace_full_mode 0, QC59, QC91)."""
    word, card = standing
    if word == "valid":
        return EntryVerdict("admit", "", "card", f"月卡车 {plate}, 入场", f"{plate} has a card")
    if card is None:
        return None
    if word == "expired" and card.terms.expired == "keep_in":
        zh = f"{plate} 月卡已过期, 可入场, 出场前请续费"
        return EntryVerdict("admit", "", "card_expired", zh, f"{plate}: card expired, renew it before you leave")
    if word == "expired" and card.terms.expired == "refuse":
        return EntryVerdict("refuse", "", "card_expired", f"{plate} 月卡已过期, 禁止入场", f"{plate}: card expired")
    if word == "full" and card.terms.full == "refuse":
        zh, en = f"{plate} 月卡车位已满, 禁止入场", f"{plate}: all places of its card are taken"
        return EntryVerdict("refuse", "", "card_full", zh, en)
    return None


def _by_flow(lot: LotState, flow: Flow, car: Newcomer) -> EntryVerdict:
    judgement = flow.judge(car.lane, car.plate, car.vehicle)
    rule = judgement.rule
    zh, en = words(flow, judgement, clock_text, car.vehicle)
    decision, wait_for = _OUTCOMES[judgement.decision]
    if decision == "admit" and any(visit.plate == car.plate for visit in lot.find(car.plate)):
        rule = "already_inside" if rule == "count" else rule
        zh = f"{car.plate} 有未出场记录, 按新入场, {zh}"
        en = f"{car.plate} was still recorded inside, admitted as a new visit, {en}"
    return EntryVerdict(
        decision, wait_for, rule, zh, en, judgement.kind, judgement.booking, judgement.state, judgement.reasons
    )


_OUTCOMES: Mapping[str, tuple[Literal["admit", "wait", "refuse"], Literal["", "stall", "confirmation"]]] = {
    "admit": ("admit", ""), "wait": ("wait", "stall"), "ask": ("wait", "confirmation"), "refuse": ("refuse", ""),
}  # fmt: skip


def decide_exit(  # noqa: PLR0917 - what a verdict rests on
    lot: LotState,
    rules: LotRules,
    price: TariffRule | Pricer,
    plate: str,
    now: Stamp,
    controls: tuple[Control, ...] = (),
    claimed: Visit | None = None,
) -> ExitVerdict:
    """The verdict for a car at an exit. `controls` as at the entry; `price` makes the bill of a visit at a moment.

    `claimed`: the visit that its driver's credential names, when the plate does not say which.
    """
    found = tuple(lot.find(plate)) if claimed is None else (claimed,)
    visit = found[0] if len(found) == 1 else None
    corrected_from = plate if visit is not None and visit.plate != plate and claimed is None else ""
    if (plate in rules.allow or (visit is not None and visit.plate in rules.allow)) and not _barred(controls):
        fixed = visit.plate if visit is not None else plate
        zh, en = f"固定车 {fixed}, 免费出场", f"{fixed} is on the allow list, free of charge"
        return ExitVerdict("admit", "", "exit_allow_list", zh, en, visit, 0, corrected_from, found)
    barred = _barred(controls)
    if barred is not None:
        zh = f"{plate} 在管控名单 ({barred.origin}), 禁止出场, 请等待人工确认"
        en = f"{plate} is on a control list ({barred.origin}), no exit, please wait for the attendant"
        return ExitVerdict("wait", "confirmation", "control_no_exit", zh, en, visit, 0, corrected_from, found)
    if any(each.strategy == "free_pass" for each in controls):
        zh, en = f"免费车 {plate}, 出场", f"{plate} passes free of charge"
        return ExitVerdict("admit", "", "exit_control_free", zh, en, visit, 0, corrected_from, found)
    if visit is None:
        return _exit_unmatched(plate, found)
    bill = _pricer(lot, rules, price)(visit, now)
    if bill.why == "no_clock":
        zh = f"{visit.plate} 停车时长未知 (时钟未校准), 请等待人工确认"
        en = f"{visit.plate}: time parked unknown (clock not set), please wait for the attendant"
        return ExitVerdict("wait", "confirmation", "exit_no_clock", zh, en, visit, 0, corrected_from, found)
    return _by_bill(visit, bill, corrected_from, found)


def _pricer(lot: LotState, rules: LotRules, price: TariffRule | Pricer) -> Pricer:
    """A bare tariff prices a lot without cards, orders and coupons."""
    if not isinstance(price, TariffRule):
        return price
    terms = Terms(plan=plan_of(price), stack=rules.coupon_stack)
    return lambda visit, now: Money().bill(lot, terms, visit, now, ())


def _by_bill(visit: Visit, bill: Bill, corrected_from: str, found: tuple[Visit, ...]) -> ExitVerdict:
    name, due_fen = visit.plate or "无牌车", bill.due_fen
    zh_time, en_time = _duration(bill.parked_ms)

    def verdict(
        decision: Literal["admit", "wait"], wait_for: Literal["", "payment", "confirmation"], rule: str,
        zh: str, en: str,
    ) -> ExitVerdict:  # fmt: skip
        return ExitVerdict(
            decision, wait_for, rule, zh, en, visit, due_fen, corrected_from, found, bill.coupons, bill
        )

    if bill.why == "keep_in":
        zh, en = f"{name} 月卡已过期, 请续费或等待人工确认", f"{name}: card expired, please wait for the attendant"
        return verdict("wait", "confirmation", "exit_card_expired", zh, en)
    if bill.why == "card":
        return verdict("admit", "", "exit_card", f"月卡车 {name}, 出场", f"{name} has a card")
    if bill.why == "in_grace":
        return verdict("admit", "", "exit_paid", f"{name} 已缴费, 请通行", f"{name} has paid, please drive on")
    if due_fen == 0:
        zh, en = f"{name} 停车 {zh_time}, 免费出场", f"{name} parked {en_time}, no charge"
        return verdict("admit", "", "exit_free", zh, en)
    zh = f"{name} 停车 {zh_time}, 应缴 {yuan(bill.pay_fen)} 元"
    en = f"{name} parked {en_time}, {yuan(bill.pay_fen)} yuan due"
    if bill.coupons:
        zh += f" (停车费 {yuan(due_fen)} 元, 优惠 {yuan(bill.discount_fen)} 元)"
        en += f" ({yuan(due_fen)} less {yuan(bill.discount_fen)})"
    if bill.overtime:
        zh, en = f"{zh}, 超时补缴", f"{en}, for the time since you paid"
    if bill.pay_fen == 0:
        return verdict("admit", "", "exit_coupons", zh, en)
    if bill.pays == "after":
        return verdict("admit", "", "exit_seamless", f"{zh}, 无感支付, 请通行", f"{en}, paid by itself")
    if bill.owe:
        return verdict("admit", "", "exit_owed", f"{zh}, 平台离线, 先离场后补缴", f"{en}, to be paid later")
    if bill.pays == "before":
        return verdict("wait", "payment", "exit_deducting", f"{zh}, 正在扣款", f"{en}, being deducted")
    return verdict("wait", "payment", "exit_payment", zh, en)


def _barred(controls: tuple[Control, ...]) -> Control | None:
    """The entry that forbids to leave (4001, strategies 2 and 3)."""
    return next((each for each in controls if each.strategy in {"no_exit", "no_entry_no_exit"}), None)


def _exit_unmatched(plate: str, found: tuple[Visit, ...]) -> ExitVerdict:
    if not plate:
        rule = "exit_no_plate"
        zh, en = _NO_PLATE_WORDS
    elif found:
        rule = "exit_several"
        zh = f"{plate} 有 {len(found)} 条相近入场记录, 请等待人工确认"
        en = f"{plate} resembles {len(found)} entries, please wait for the attendant"
    else:
        rule = "exit_unknown"
        zh = f"{plate} 无入场记录, 请等待人工确认"
        en = f"{plate} has no entry on record, please wait for the attendant"
    return ExitVerdict("wait", "confirmation", rule, zh, en, None, 0, "", found)


def _duration(ms: int) -> tuple[str, str]:
    """Whole minutes, cut off: the sign never shows a minute that has not passed."""
    hours, minutes = divmod(ms // MINUTE_MS, 60)
    if hours:
        return f"{hours}小时{minutes}分", f"{hours} h {minutes} min"
    return f"{minutes}分", f"{minutes} min"


def _normalised(name: str, listed: frozenset[str]) -> frozenset[str]:
    for text in listed:
        if not normalise(text):
            raise ValueError(f"rules.{name}: {text!r} is no plate, one like 鲁B12345 is allowed")
    return frozenset(normalise(text) for text in listed)
