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
from edge.core.tariff_plan import ClassPrice, Rate, TariffPlan

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


class _Param(_Price, forbid_unknown_fields=True, kw_only=True):
    form: Literal["parkbox-1"]
    free_min: int = 0
    free_mode: Literal["all", "rest"] = "all"
    day: Literal["entry", "calendar"] = "entry"
    first_each: Literal["day", "visit"] = "day"
    classes: dict[Literal["large", "medium", "small"], _Price] = {}


def read_param(text: str) -> TariffPlan:
    """The plan that `text` states. Raises `ValueError` naming what is wrong and where."""
    import json  # noqa: PLC0415 - only to see members that are there twice; the lane's start does without

    try:
        members = msgspec.json.decode(text)
        json.loads(text, object_pairs_hook=_once)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"param: no JSON: {error}") from error
    if not isinstance(members, dict):
        raise ValueError(f"param: {text[:40]!r} is not allowed, a JSON object is")  # noqa: TRY004 - one error for all of it
    if members.get("form") != FORM:
        found = members.get("form", f"members {sorted(members)[:8]}")
        raise ValueError(f"param.form: {found!r} is not a form this box knows, {FORM!r} is")
    try:
        param = msgspec.convert(members, _Param)
        return TariffPlan(
            price=_price(param),
            free_min=param.free_min,
            free_mode=param.free_mode,
            day=param.day,
            first_each=param.first_each,
            classes={_vehicle(name): _price(each, f"classes.{name}.") for name, each in param.classes.items()},
        )
    except (msgspec.ValidationError, ValueError) as error:
        words = str(error)
        raise ValueError(words if words.startswith("param") else f"param: {words}") from error


def _once(pairs: list[tuple[str, object]]) -> None:
    """Which of two members with one name counts, RFC 8259 (section 4) leaves to the reader: money is not left so."""
    names = [name for name, _ in pairs]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise ValueError(f"param: {twice!r} stands twice in one object, once is allowed")


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


def _vehicle(name: Vehicle) -> Vehicle:
    return name


def _price(given: _Price, where: str = "") -> ClassPrice:
    try:
        rates = tuple(
            Rate(
                unit_min=rate.unit_min,
                unit_fen=rate.unit_fen,
                from_min=_minute(f"rates[{index}].from", rate.from_),
                until_min=_minute(f"rates[{index}].until", rate.until),
                cap_fen=rate.cap_fen,
            )
            for index, rate in enumerate(given.rates)
        )
        return ClassPrice(rates, given.first_min, given.first_fen, given.day_cap_fen, given.visit_cap_fen)
    except ValueError as error:
        raise ValueError(f"param.{where}{error}") from error


def _minute(name: str, text: str) -> int:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(f"{name}: {text!r} is no time of day, one like 08:00 is allowed")
    return 0 if text == "24:00" else int(found[1]) * 60 + int(found[2])
