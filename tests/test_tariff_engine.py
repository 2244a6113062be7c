"""Tariffs with day and night: days worked out by hand, and what must hold for every tariff, start and time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.facts_flow import Vehicle
from edge.core.tariff import TariffRule, fee_fen
from edge.core.tariff_engine import DAY_MS, Part, needs_clock, plan_of, visit_fen
from edge.core.tariff_error import TariffError
from edge.core.tariff_param import read_param
from edge.core.tariff_plan import ClassPrice, Rate, TariffPlan
from edge.core.tariff_words import part_words
from tests.tariff_plans import HOUR, MIN, at, fen, plans, prices, starts, stays, vehicles

# The board of a usual lot: 15 min free; 08-20: first hour none, 2 yuan each half hour; 20-08: 1 yuan an hour, at most 5
# yuan a night; at most 30 yuan a day.
BOARD: dict[str, Any] = {
    "form": "parkbox-1",
    "free_min": 15,
    "rates": [
        {"from": "08:00", "until": "20:00", "unit_min": 30, "unit_fen": 200},
        {"from": "20:00", "until": "08:00", "unit_min": 60, "unit_fen": 100, "cap_fen": 500},
    ],
    "day_cap_fen": 3000,
    "classes": {"large": {"rates": [{"unit_min": 60, "unit_fen": 1000}], "visit_cap_fen": 25_000}},
}


def board(**more: Any) -> TariffPlan:
    return read_param(json.dumps({**BOARD, **more}))


@pytest.mark.parametrize(
    ("began", "parked_ms", "fen"),
    [
        ("09:00", 15 * MIN, 0),
        ("09:00", 15 * MIN + 1, 200),  # everything counts from 09:00
        ("09:00", HOUR, 400),
        ("09:00", HOUR + 1, 600),
        ("09:00", 6 * HOUR, 2400),  # 12 half hours
        ("09:00", 8 * HOUR, 3000),  # 16 half hours are 32 yuan
        ("19:00", 3 * HOUR, 600),  # two half hours by day (4), 20-21 and 21-22 by night (2)
        ("19:45", HOUR, 300),  # 19:45-20:15 begins by day (2), 20:15-21:15 by night (1)
        ("20:00", 12 * HOUR, 500),  # 12 hours of night are 12 yuan, capped
        ("20:00", 13 * HOUR, 900),  # and 08:00-09:00 by day
        ("08:00", 7 * HOUR + 30 * MIN, 3000),  # 15 half hours, the cap to the fen
        ("22:00", DAY_MS + 2 * HOUR, 3200),  # 5 + 48, capped 30; the second day begins at 22:00
        ("08:00", DAY_MS, 3000),
        ("08:00", 3 * DAY_MS + HOUR, 9400),  # 3 x 30 + 4
    ],
)
def test_a_board_with_day_and_night_worked_out_by_hand(began: str, parked_ms: int, fen: int) -> None:
    assert visit_fen(board(), "small", at(began), parked_ms) == fen


@pytest.mark.parametrize(
    ("began", "parked_ms", "fen"),
    [
        ("22:00", 2 * HOUR, 200),
        ("22:00", 2 * HOUR + 1, 300),  # a new day, its own night
        ("22:00", 10 * HOUR, 700),  # 2 before midnight, eight after it capped 5
        ("22:00", 10 * HOUR + 1, 900),
        ("12:00", 3 * DAY_MS, 11_100),  # 32 + 4 capped 30; twice 5 + 48 capped 30; 5 + 16
    ],
)
def test_a_calendar_day_ends_at_midnight(began: str, parked_ms: int, fen: int) -> None:
    assert visit_fen(board(day="calendar"), "small", at(began), parked_ms) == fen


def test_a_rates_cap_is_for_all_of_a_day_and_not_for_each_piece() -> None:
    """From 22:00 the night comes in two pieces, 22-08 and 20-22: 5 yuan together, and 48 by day."""
    assert visit_fen(board(day_cap_fen=0), "small", at("22:00"), DAY_MS) == 5300
    assert visit_fen(board(day_cap_fen=0), "small", at("22:00"), DAY_MS - 2 * HOUR) == 5300


def test_what_follows_the_free_minutes_is_all_that_counts() -> None:
    plan = board(free_mode="rest")
    assert visit_fen(plan, "small", at("09:00"), 45 * MIN) == 200
    assert visit_fen(plan, "small", at("09:00"), 45 * MIN + 1) == 400
    # Counting begins at 20:00 sharp: night.
    assert visit_fen(plan, "small", at("19:45"), 16 * MIN) == 100


def test_a_vehicle_class_has_its_own_prices_and_the_visit_its_cap() -> None:
    assert visit_fen(board(), "large", at("09:00"), 3 * HOUR) == 3000
    assert visit_fen(board(), "large", at("09:00"), 30 * HOUR) == 25_000
    assert visit_fen(board(), "medium", at("09:00"), 3 * HOUR) == 1200


@pytest.mark.parametrize(
    ("each", "fen"), [("day", 2 * (500 + 46 * 100) + 500), ("visit", 500 + 46 * 100 + 48 * 100 + 200)]
)
def test_the_first_period_once_a_day_or_once_a_visit(each: Any, fen: int) -> None:
    plan = TariffPlan(ClassPrice((Rate(30, 100),), first_min=60, first_fen=500), first_each=each)
    assert visit_fen(plan, "", at("10:00"), 2 * DAY_MS + HOUR) == fen
    assert visit_fen(plan, "", at("10:00"), HOUR) == 500


def test_the_first_period_once_a_visit_by_calendar_days() -> None:
    """23:30 to 01:00: the visit's first hour lasts until 00:30; once a day it begins anew at 00:00."""
    price = ClassPrice((Rate(30, 100),), first_min=60, first_fen=500)
    once = TariffPlan(price, day="calendar", first_each="visit")
    assert visit_fen(once, "", at("23:30"), 90 * MIN) == 500 + 100
    assert visit_fen(TariffPlan(price, day="calendar"), "", at("23:30"), 90 * MIN) == 500 + 500


@pytest.mark.parametrize(
    ("began", "parked_ms", "fen"),
    [
        ("12:00", 16 * MIN, 500),
        ("23:50", 16 * MIN, 500),
        ("23:50", HOUR, 500),
        ("23:50", HOUR + 1, 800),  # 00:50 to 01:50
        ("23:50", 2 * HOUR, 800),
        ("23:50", 10 * MIN + DAY_MS, 500 + 24 * 300),  # 00:50 to 24:00 begins 24 hours
        ("23:50", 10 * MIN + DAY_MS + 1, 500 + 25 * 300),
    ],
)
def test_the_first_hour_of_a_visit_costs_its_price_at_midnight_too(began: str, parked_ms: int, fen: int) -> None:
    plan = TariffPlan(
        ClassPrice((Rate(60, 300),), first_min=60, first_fen=500), day="calendar", first_each="visit"
    )
    assert visit_fen(plan, "small", at(began), parked_ms) == fen


def test_the_hospital_of_the_shenzhen_example() -> None:
    """T/SZPIA 7.1.3.7: 15 yuan the first hour, 3 yuan each further hour; three hours are 21 yuan."""
    plan = TariffPlan(ClassPrice((Rate(60, 300),), first_min=60, first_fen=1500))
    assert visit_fen(plan, "", at("09:00"), 3 * HOUR) == 2100


# --- what must hold for every tariff -------------------------------------------------------------------------------

@given(plans, vehicles, starts, stays, stays)
def test_never_negative_and_never_falls_with_time(
    plan: TariffPlan, vehicle: Vehicle, began_ms: int, parked_ms: int, more_ms: int
) -> None:
    fee = visit_fen(plan, vehicle, began_ms, parked_ms)
    assert type(fee) is int
    assert 0 <= fee <= visit_fen(plan, vehicle, began_ms, parked_ms + more_ms)


@given(plans, vehicles, starts, stays, st.integers(1, 600))
def test_minute_by_minute_it_never_falls(
    plan: TariffPlan, vehicle: Vehicle, began_ms: int, parked_ms: int, step_min: int
) -> None:
    """Close to every boundary: a fee that fell for a minute would pass the test above almost always."""
    fees = [visit_fen(plan, vehicle, began_ms, parked_ms + step * step_min * 1_000) for step in range(40)]
    assert fees == sorted(fees)


@given(plans, vehicles, starts, stays)
def test_caps_hold(plan: TariffPlan, vehicle: Vehicle, began_ms: int, parked_ms: int) -> None:
    price = plan.of(vehicle)
    fee = visit_fen(plan, vehicle, began_ms, parked_ms)
    if price.day_cap_fen:
        days = parked_ms // DAY_MS + (1 if plan.day == "entry" else 2)
        assert fee <= days * price.day_cap_fen
    if price.visit_cap_fen:
        assert fee <= price.visit_cap_fen


@given(plans, vehicles, starts, stays)
def test_the_parts_of_a_fee_are_the_fee(plan: TariffPlan, vehicle: Vehicle, began_ms: int, parked_ms: int) -> None:
    parts: list[Part] = []
    fen = visit_fen(plan, vehicle, began_ms, parked_ms, parts.append)
    assert fen == visit_fen(plan, vehicle, began_ms, parked_ms) == sum(part.fen for part in parts)
    for part in parts:
        assert part.fen < 0 if part.kind.endswith("_cap") else part.fen >= 0
        if part.kind == "units":
            assert part.rate is not None
            assert part.fen == part.count * part.rate.unit_fen * part.days
        zh, en = part_words(part, plan)
        assert zh
        assert en


@given(prices(), starts, stays)
def test_midnight_parts_a_calendar_stay_without_a_rest(price: ClassPrice, began_ms: int, parked_ms: int) -> None:
    """A stay over midnights costs what its pieces cost, each as a stay of its own: nothing is lost or counted twice."""
    price = ClassPrice(price.rates, price.first_min, price.first_fen, price.day_cap_fen)
    plan = TariffPlan(price, day="calendar")
    pieces, from_ms = 0, began_ms
    while from_ms < began_ms + parked_ms:
        midnight_ms = from_ms + DAY_MS - (from_ms + 8 * HOUR) % DAY_MS
        until_ms = min(midnight_ms, began_ms + parked_ms)
        pieces += visit_fen(plan, "", from_ms, until_ms - from_ms)
        from_ms = until_ms
    assert visit_fen(plan, "", began_ms, parked_ms) == pieces


rules = st.builds(
    TariffRule, free_min=st.integers(0, 300), first_period_min=st.integers(0, 1440), first_fen=fen,
    unit_min=st.integers(1, 1440), unit_fen=fen, daily_cap_fen=st.one_of(st.just(0), fen),
)  # fmt: skip


@given(rules, starts, stays)
def test_the_simple_tariff_costs_the_same_by_either_engine(rule: TariffRule, began_ms: int, parked_ms: int) -> None:
    plan = plan_of(rule)
    assert visit_fen(plan, "", began_ms, parked_ms) == fee_fen(rule, parked_ms)
    assert not needs_clock(plan)


@given(plans, starts, starts, stays)
def test_a_plan_that_needs_no_clock_costs_the_same_at_any_hour(
    plan: TariffPlan, began_ms: int, other_ms: int, parked_ms: int
) -> None:
    if not needs_clock(plan):
        assert visit_fen(plan, "", began_ms, parked_ms) == visit_fen(plan, "", other_ms, parked_ms)


# --- the form from the city ------------------------------------------------------------------------------------------


RATE = {"unit_min": 30, "unit_fen": 2}
DAY_RATE = {**RATE, "from": "08:00", "until": "20:00"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "param: no JSON"),
        ("[]", "param: '[]' is not allowed, a JSON object is"),
        ('{"form": "parkbox-1", "rates": ' + "[" * 9_000, "param: no JSON"),
        ('{"freeTime": 15, "feeType": 2}', "members ['feeType', 'freeTime']\" is not a form this box knows"),
        ('{"form": "jsds-3"}', "param.form: 'jsds-3' is not a form this box knows, 'parkbox-1' is"),
    ],
)
def test_a_foreign_form_is_refused_and_named(text: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_param(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "param: rates is missing"),
        ({"rates": []}, "param.rates: none is given"),
        ({"rates": [{**RATE, "unit_fen": 2.5}]}, "param.rates[0].unit_fen: 2.5 is not allowed, whole numbers from 0"),
        ({"rates": [RATE, {**RATE, "unit_min": 0}]}, "param.rates[1].unit_min: 0 is not allowed"),
        ({"rates": [{**RATE, "unit_fen": -1}]}, "param.rates[0].unit_fen: -1 is not allowed"),
        ({"rates": [{**RATE, "from": "8am"}]}, "param.rates[0].from: '8am' is no time"),
        ({"rates": [DAY_RATE]}, "param.rates: 0 rates at 00:00, exactly one"),
        ({"rates": [DAY_RATE, {**RATE, "from": "19:00", "until": "08:00"}]}, "param.rates: 2 rates at 19:00, exactly"),
        ({"rate": []}, "param: rate is not known here"),
        ({"rates": [RATE], "free_min": -5}, "param.free_min: -5 is not"),
        ({"rates": [RATE], "classes": {"large": {"rates": []}}}, "param.classes.large.rates: none is given"),
        ({"rates": [RATE], "classes": {"bus": {"rates": [RATE]}}}, "bus"),
    ],
)
def test_a_wrong_value_is_refused_and_named(members: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_param(json.dumps({"form": "parkbox-1", **members}))
    assert words in str(caught.value)


LARGE = {"large": {"rates": [RATE, {**RATE, "unit_fen": "4"}]}}


@pytest.mark.parametrize(
    ("members", "zh"),
    [
        ({"rates": [{**RATE, "unit_fen": 2.5}]},
         "第 1 条费率 单价 (分) param.rates[0].unit_fen: 2.5 不允许, 须为整数 0..10000000"),
        ({"rates": [RATE, {**RATE, "unit_min": 0}]},
         "第 2 条费率 计费单位 (分钟) param.rates[1].unit_min: 0 不允许, 须为整数 1..44640"),
        ({"rates": [{**RATE, "from": "8am"}]}, "第 1 条费率 起始时刻 param.rates[0].from: '8am' 不是时刻, 须如 08:00"),
        ({"rates": [RATE], "free_min": -5}, "免费时长 (分钟) param.free_min: -5 不允许, 须为整数 0..44640"),
        ({"rates": [DAY_RATE]}, "费率 param.rates: 00:00 有 0 条费率, 一天的每一分钟须恰有一条"),
        ({"rates": [RATE], "day": "week"}, "计费日 param.day: 'week' 不在允许值之内, 须为"),
        ({}, "收费标准 param: 缺少 rates"),
    ],
)  # fmt: skip
def test_the_chinese_names_rate_value_and_what_is_allowed(members: dict[str, Any], zh: str) -> None:
    with pytest.raises(TariffError) as caught:
        read_param(json.dumps({"form": "parkbox-1", **members}))
    assert caught.value.zh.startswith(zh)


def test_a_wrong_rate_of_a_vehicle_class_is_found_too() -> None:
    with pytest.raises(TariffError) as caught:
        read_param(json.dumps({"form": "parkbox-1", "rates": [RATE], "classes": LARGE}))
    assert "第 2 条费率 单价 (分)" in caught.value.zh
    assert "须为整数 0..10000000" in caught.value.zh
