"""Admission: may this car in, may that car out, and by which rule. Pure: the lot and the lists in, words out.

Every verdict carries the rule that made it and says it in words, Chinese first, which the sign, the page and
the city record show as they are.

Entry, the first that fits: no plate and it is to be asked; deny list; allow list (even when the lot is full);
lists only; no stall; a stall is free. A list cannot vouch for a car without plate, so it is asked there too.

Exit: nobody is kept in by the deny list, a plate of the allow list pays nothing, everybody else pays for the
visit that was found, and a person decides where none or several were.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from edge.core.clock import elapsed_ms
from edge.core.facts import Stamp
from edge.core.lot import LotState, Visit
from edge.core.plates import normalise
from edge.core.tariff import MINUTE_MS, TariffRule, fee_fen, yuan

_NO_PLATE_WORDS = ("无牌车, 请等待人工确认", "no plate read, please wait for the attendant")


class LotRules(msgspec.Struct, frozen=True):
    """Who may in. Plates of the lists are normalised here; a plate on both lists is denied."""

    admit: Literal["count", "list"] = "count"
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    no_plate: Literal["ask", "admit"] = "ask"

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


class ExitVerdict(Verdict, frozen=True):
    """`visit` is the visit that ends (None: not known), `candidates` those a person may choose from.

    `corrected_from` is the plate as read at the exit when it was taken for that of `visit`, "" otherwise: the
    visit keeps the plate of its entry, which is what the city was told.
    """

    visit: Visit | None = None
    due_fen: int = 0
    corrected_from: str = ""
    candidates: tuple[Visit, ...] = ()


def decide_entry(lot: LotState, rules: LotRules, plate: str, on_the_way: int) -> Verdict:
    """The verdict for a car at an entry. `on_the_way`: cars admitted at any lane that have not passed yet."""
    free = max(0, lot.total - lot.parked - on_the_way)
    if not plate and (rules.no_plate == "ask" or rules.admit == "list"):
        return Verdict("wait", "confirmation", "no_plate", *_NO_PLATE_WORDS)
    if plate in rules.deny:
        return Verdict("refuse", "", "deny_list", f"{plate} 在黑名单, 禁止入场", f"{plate} is denied entry")
    if plate in rules.allow:
        return Verdict("admit", "", "allow_list", f"固定车 {plate}, 入场", f"{plate} is on the allow list")
    if rules.admit == "list":
        return Verdict("refuse", "", "not_on_list", f"{plate} 非固定车, 禁止入场", f"{plate} is not listed")
    if free == 0:
        return Verdict("wait", "stall", "full", "车位已满, 请等待", "lot full, please wait for a stall")
    if any(visit.plate == plate for visit in lot.find(plate)):
        return Verdict(
            "admit",
            "",
            "already_inside",
            f"{plate} 有未出场记录, 按新入场, 余位 {free}, 入场",
            f"{plate} was still recorded inside, admitted as a new visit, {free} {_stalls(free)} free",
        )
    return Verdict("admit", "", "count", f"余位 {free}, 入场", f"{free} {_stalls(free)} free")


def decide_exit(lot: LotState, rules: LotRules, tariff: TariffRule, plate: str, now: Stamp) -> ExitVerdict:
    """The verdict for a car at an exit that has not paid yet."""
    found = tuple(lot.find(plate))
    visit = found[0] if len(found) == 1 else None
    corrected_from = plate if visit is not None and visit.plate != plate else ""
    if plate in rules.allow or (visit is not None and visit.plate in rules.allow):
        fixed = visit.plate if visit is not None else plate
        zh, en = f"固定车 {fixed}, 免费出场", f"{fixed} is on the allow list, free of charge"
        return ExitVerdict("admit", "", "exit_allow_list", zh, en, visit, 0, corrected_from, found)
    if visit is None:
        return _exit_unmatched(plate, found)
    parked_ms = elapsed_ms(visit.entered, now, lot.offsets)
    if parked_ms is None:
        zh = f"{visit.plate} 停车时长未知 (时钟未校准), 请等待人工确认"
        en = f"{visit.plate}: time parked unknown (clock not set), please wait for the attendant"
        return ExitVerdict("wait", "confirmation", "exit_no_clock", zh, en, visit, 0, corrected_from, found)
    due_fen = fee_fen(tariff, parked_ms)
    zh_time, en_time = _duration(parked_ms)
    if due_fen == 0:
        zh, en = f"{visit.plate} 停车 {zh_time}, 免费出场", f"{visit.plate} parked {en_time}, no charge"
        return ExitVerdict("admit", "", "exit_free", zh, en, visit, 0, corrected_from, found)
    zh = f"{visit.plate} 停车 {zh_time}, 应缴 {yuan(due_fen)} 元"
    en = f"{visit.plate} parked {en_time}, {yuan(due_fen)} yuan due"
    return ExitVerdict("wait", "payment", "exit_payment", zh, en, visit, due_fen, corrected_from, found)


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


def _stalls(count: int) -> str:
    return "stall" if count == 1 else "stalls"


def _normalised(name: str, listed: frozenset[str]) -> frozenset[str]:
    for text in listed:
        if not normalise(text):
            raise ValueError(f"rules.{name}: {text!r} is no plate, one like 鲁B12345 is allowed")
    return frozenset(normalise(text) for text in listed)
