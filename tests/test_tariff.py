"""Tariff: examples worked out by hand, and what must hold for every tariff and every time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.core.tariff import TariffRule, fee_fen, yuan

MIN = 60_000
HOUR = 60 * MIN
DAY = 24 * HOUR

# 15 min free, first hour 5 yuan, then 2 yuan each started half hour, at most 30 yuan in 24 h.
USUAL = TariffRule(15, 60, 500, 30, 200, 3000)
# 30 min free, then 1 yuan each started 15 min from entry, no first period, no cap.
UNITS = TariffRule(30, 0, 900, 15, 100, 0)
# Free for two hours, which is longer than the first period; then everything counts.
LONG_FREE = TariffRule(120, 60, 300, 60, 100, 0)
# 10 yuan a day, whatever the time.
FLAT = TariffRule(0, 1440, 1000, 60, 0, 1000)


@pytest.mark.parametrize(
    ("rule", "elapsed_ms", "fen"),
    [
        (USUAL, 0, 0),
        (USUAL, 15 * MIN, 0),  # up to and including
        (USUAL, 15 * MIN + 1, 500),
        (USUAL, HOUR, 500),
        (USUAL, HOUR + 1, 700),  # a started half hour
        (USUAL, 90 * MIN, 700),
        (USUAL, 90 * MIN + 1, 900),
        (USUAL, 7 * HOUR, 2900),  # 500 + 12 * 200
        (USUAL, 7 * HOUR + 1, 3000),  # 3100, capped
        (USUAL, DAY, 3000),
        (USUAL, DAY + 1, 3500),  # the second day's first hour; no free minutes again
        (USUAL, DAY + HOUR, 3500),
        (USUAL, DAY + HOUR + 1, 3700),
        (USUAL, 2 * DAY, 6000),
        (USUAL, 30 * DAY + 2 * HOUR, 90_900),  # 30 * 3000 + 500 + 2 * 200
        (UNITS, 30 * MIN, 0),
        (UNITS, 30 * MIN + 1, 300),  # the third quarter has begun
        (UNITS, 45 * MIN, 300),
        (UNITS, DAY, 9600),
        (UNITS, DAY + 1, 9700),
        (LONG_FREE, 2 * HOUR, 0),
        (LONG_FREE, 2 * HOUR + 1, 500),  # 300 + two started hours
        (FLAT, 0, 0),
        (FLAT, 1, 1000),
        (FLAT, DAY, 1000),
        (FLAT, DAY + 1, 2000),
    ],
)
def test_worked_out_by_hand(rule: TariffRule, elapsed_ms: int, fen: int) -> None:
    assert fee_fen(rule, elapsed_ms) == fen


minutes = st.integers(0, 1440)
fens = st.integers(0, 100_000)
rules = st.builds(TariffRule, minutes, minutes, fens, st.integers(1, 1440), fens, fens)
times = st.integers(0, 40 * DAY)


@given(rules, times)
def test_never_negative_and_always_whole_fen(rule: TariffRule, elapsed_ms: int) -> None:
    fee = fee_fen(rule, elapsed_ms)
    assert type(fee) is int
    assert fee >= 0


@given(rules, times, times)
def test_never_falls_with_time(rule: TariffRule, one_ms: int, other_ms: int) -> None:
    assert fee_fen(rule, min(one_ms, other_ms)) <= fee_fen(rule, max(one_ms, other_ms))


@given(rules, times)
def test_the_cap_holds_for_every_started_day(rule: TariffRule, elapsed_ms: int) -> None:
    assume(rule.daily_cap_fen > 0)
    started_days = elapsed_ms // DAY + 1
    assert fee_fen(rule, elapsed_ms) <= started_days * rule.daily_cap_fen


@given(rules, st.integers(0, 40 * 1440), st.integers(1, MIN))
def test_steps_only_at_the_edges(rule: TariffRule, minute: int, into_ms: int) -> None:
    """Inside a started minute nothing changes, from one minute to the next only at an edge of the tariff."""
    fee = fee_fen(rule, minute * MIN + into_ms)
    assert fee == fee_fen(rule, (minute + 1) * MIN)
    in_day = minute % 1440
    after_first = in_day - rule.first_period_min
    on_edge = minute == rule.free_min or in_day == 0 or (after_first >= 0 and after_first % rule.unit_min == 0)
    if not on_edge:
        assert fee == fee_fen(rule, minute * MIN)


@given(rules, st.integers(1, 30), st.integers(0, DAY))
def test_a_later_day_costs_like_any_other(rule: TariffRule, days: int, into_ms: int) -> None:
    assume(rule.free_min < 1440)
    without_free = msgspec.structs.replace(rule, free_min=0)
    whole = fee_fen(rule, DAY)
    assert fee_fen(rule, days * DAY + into_ms) == days * whole + fee_fen(without_free, into_ms)


@pytest.mark.parametrize(
    ("field", "value"),
    [("free_min", -1), ("unit_min", 0), ("first_fen", 5.0), ("daily_cap_fen", True), ("unit_fen", "200")],
)
def test_a_bad_tariff_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"tariff\.{field}: .*{value!r} is not allowed, whole numbers from"):
        msgspec.structs.replace(USUAL, **{field: value})


def test_a_negative_time_is_refused() -> None:
    with pytest.raises(ValueError, match="elapsed_ms: -1 is not allowed"):
        fee_fen(USUAL, -1)


@pytest.mark.parametrize(
    ("fen", "text"), [(0, "0.00"), (5, "0.05"), (905, "9.05"), (90_900, "909.00"), (-150, "-1.50")]
)
def test_yuan(fen: int, text: str) -> None:
    assert yuan(fen) == text
