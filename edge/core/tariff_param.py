"""A tariff as a city sends it: the `param` of interface 23 (T/QME 0015-2024 B.4), which has no form in the standard.

Ours is a JSON object. `form` names it, so that a foreign one is told from ours; every other member may be left out but
`rates`, and what is unknown is refused by its name:

    {"form": "parkbox-1",
     "free_min": 15, "free_mode": "all" | "rest", "day": "entry" | "calendar", "first_each": "day" | "visit",
     "first_min": 60, "first_fen": 500,
     "rates": [{"from": "08:00", "until": "20:00", "unit_min": 30, "unit_fen": 200, "cap_fen": 0},
               {"from": "20:00", "until": "08:00", "unit_min": 60, "unit_fen": 100, "cap_fen": 500}],
     "day_cap_fen": 3000, "visit_cap_fen": 0,
     "classes": {"large": {"first_min": 60, "first_fen": 1000, "rates": [{"unit_min": 30, "unit_fen": 400}]}}}

`edge.core.tariff_engine` says what each means. One rate without `from` and `until` holds all day; several cover every
minute of it once. `classes`: large, medium, small; a class has prices of its own and takes nothing from the others.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from edge.core.facts_flow import Vehicle
from edge.core.tariff_error import TariffError
from edge.core.tariff_plan import RANGES, ClassPrice, Rate, TariffPlan, whole

FORM = "parkbox-1"

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


class _Rate(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    unit_min: int
    unit_fen: int
    from_: str = "00:00"
    until: str = "24:00"
    cap_fen: int = 0


class _Price(msgspec.Struct, forbid_unknown_fields=True):
    rates: list[_Rate]
    first_min: int = 0
    first_fen: int = 0
    day_cap_fen: int = 0
    visit_cap_fen: int = 0


class _Classes(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    large: _Price | None = None
    medium: _Price | None = None
    small: _Price | None = None

    def given(self) -> dict[Vehicle, _Price]:
        classes: dict[Vehicle, _Price | None] = {"large": self.large, "medium": self.medium, "small": self.small}
        return {name: price for name, price in classes.items() if price is not None}


class _Param(_Price, forbid_unknown_fields=True, kw_only=True):
    form: Literal["parkbox-1"]
    free_min: int = 0
    free_mode: Literal["all", "rest"] = "all"
    day: Literal["entry", "calendar"] = "entry"
    first_each: Literal["day", "visit"] = "day"
    classes: _Classes = _Classes()


def read_param(text: str) -> TariffPlan:
    """The plan that `text` states. Raises `TariffError` naming what is wrong and where."""
    import json  # noqa: PLC0415 - only to see members that are there twice; the lane's start does without

    try:
        members = msgspec.json.decode(text)
        json.loads(text, object_pairs_hook=_once)
    except (msgspec.DecodeError, RecursionError) as error:
        raise TariffError("param", f"不是 JSON ({error})", f"no JSON: {error}") from error
    if not isinstance(members, dict):
        raise TariffError("param", f"{text[:40]!r} 不是 JSON 对象", f"{text[:40]!r} is not allowed, a JSON object is")
    if members.get("form") != FORM:
        found = members.get("form", f"members {sorted(members)[:8]}")
        zh = f"{found!r} 不是本机认识的格式, 须为 {FORM!r}"
        raise TariffError("param.form", zh, f"{found!r} is not a form this box knows, {FORM!r} is")
    try:
        param = msgspec.convert(members, _Param)
        return TariffPlan(
            price=_price(param),
            free_min=param.free_min,
            free_mode=param.free_mode,
            day=param.day,
            first_each=param.first_each,
            classes={name: _price(each, f"param.classes.{name}") for name, each in param.classes.given().items()},
        )
    except TariffError as error:
        raise (error if error.path.startswith("param") else error.under("param")) from error
    except msgspec.ValidationError as error:
        raise _of_wrong_type(error, members) from error


def _of_wrong_type(error: msgspec.ValidationError, members: object) -> TariffError:
    """What the decoder refused: with the value that stands there, and what is allowed for it."""
    from edge.core.decoder_words import in_words  # noqa: PLC0415 - only what is wrong needs words

    where, zh, en = in_words(error, _Param)
    path, value = f"param.{where}" if where else "param", _standing_at(where, members)
    name = where.rpartition(".")[2]
    if name in RANGES:
        try:
            whole(path, value, *RANGES[name])
        except TariffError as said:
            return said
    if isinstance(value, list | dict) or repr(value) in zh:
        return TariffError(path, zh, en)
    return TariffError(path, f"{value!r} 不允许, {zh}", f"{value!r} is not allowed, {en}")


def _standing_at(where: str, members: object) -> object:
    """The value at `rates[0].unit_fen`; `members` themselves at ""."""
    found = members
    for part in re.findall(r"[^.\[\]]+", where):
        if isinstance(found, list) and part.isdecimal():
            found = found[int(part)]
        elif isinstance(found, dict):
            found = found.get(part)
    return found


def _once(pairs: list[tuple[str, object]]) -> None:
    """Which of two members with one name counts, RFC 8259 (section 4) leaves to the reader: money is not left so."""
    names = [name for name, _ in pairs]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        zh = f"同一对象中 {twice!r} 出现两次, 只允许一次"
        raise TariffError("param", zh, f"{twice!r} stands twice in one object, once is allowed")


def param_of(plan: TariffPlan) -> str:
    """The text that `read_param` reads as `plan`: what a person begins with who makes a new version of it."""
    members = {
        "form": FORM, "free_min": plan.free_min, "free_mode": plan.free_mode, "day": plan.day,
        "first_each": plan.first_each, **_price_members(plan.price),
    }  # fmt: skip
    if plan.classes:
        members["classes"] = {name: _price_members(price) for name, price in plan.classes.items()}
    return msgspec.json.encode(members).decode()


def _price_members(price: ClassPrice) -> dict[str, object]:
    return {
        "first_min": price.first_min, "first_fen": price.first_fen,
        "rates": [
            {"unit_min": rate.unit_min, "unit_fen": rate.unit_fen, "from": _clock(rate.from_min),
             "until": _clock(rate.until_min), "cap_fen": rate.cap_fen}
            for rate in price.rates
        ],
        "day_cap_fen": price.day_cap_fen, "visit_cap_fen": price.visit_cap_fen,
    }  # fmt: skip


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _price(given: _Price, where: str = "param") -> ClassPrice:
    try:
        rates = tuple(_rate(each, index) for index, each in enumerate(given.rates))
        return ClassPrice(rates, given.first_min, given.first_fen, given.day_cap_fen, given.visit_cap_fen)
    except TariffError as error:
        raise error.under(where) from error


def _rate(given: _Rate, index: int) -> Rate:
    try:
        return Rate(
            unit_min=given.unit_min, unit_fen=given.unit_fen, cap_fen=given.cap_fen,
            from_min=_minute("from", given.from_), until_min=_minute("until", given.until),
        )  # fmt: skip
    except TariffError as error:
        raise error.under(f"rates[{index}]") from error


def _minute(name: str, text: str) -> int:
    found = _CLOCK.fullmatch(text)
    if found is None:
        zh = f"{text!r} 不是时刻, 须如 08:00"
        raise TariffError(name, zh, f"{text!r} is no time of day, one like 08:00 is allowed")
    return 0 if text == "24:00" else int(found[1]) * 60 + int(found[2])
