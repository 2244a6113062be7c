"""What a card leaves to be paid: each moment at its own hours, and what must hold for every tariff, stay and cover."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.facts_flow import Vehicle
from edge.core.tariff_cover import Piece, open_fen, prefix
from edge.core.tariff_engine import DAY_MS, visit_fen
from edge.core.tariff_param import read_param
from edge.core.tariff_plan import ClassPrice, Rate, TariffPlan
from tests.tariff_plans import HOUR, MIN, at, plans, starts, vehicles

DAY_AND_NIGHT = read_param(
    json.dumps(
        {
            "form": "parkbox-1",
            "rates": [
                {"from": "08:00", "until": "20:00", "unit_min": 30, "unit_fen": 500},
                {"from": "20:00", "until": "08:00", "unit_min": 60, "unit_fen": 100},
            ],
        }
    )
)
EVENING, NIGHT_END, NEXT_EVENING = at("2026-11-23 20:00"), at("2026-11-24 08:00"), at("2026-11-24 20:00")


@pytest.mark.parametrize(
    ("began", "pieces", "fen"),
    [
        # A card of the nights: 19:00 to 20:00 and 08:00 to 17:00 at 5 yuan each half hour.
        ("19:00", [(at("19:00"), EVENING), (NIGHT_END, at("2026-11-24 17:00"))], 10_000),
        ("21:00", [(NIGHT_END, at("2026-11-24 08:31"))], 1_000),
        ("10:30", [(EVENING, EVENING + 50 * MIN)], 100),  # the card ended: one hour begun, not two
        # 19:47: the last half hour of the day begins at 19:47, and the hour of night at 07:17 runs on to 08:17.
        ("19:47", [(at("19:47"), EVENING), (NIGHT_END, NIGHT_END + HOUR)], 500 + 100 + 2 * 500),
        ("19:00", [], 0),
    ],
)
def test_each_uncovered_stretch_costs_what_its_own_hours_cost(began: str, pieces: list[Piece], fen: int) -> None:
    assert open_fen(DAY_AND_NIGHT, "small", at(began), pieces) == fen


def test_first_period_and_free_minutes_come_once_a_visit() -> None:
    price = ClassPrice((Rate(60, 300),), first_min=60, first_fen=500)
    plan = TariffPlan(price, free_min=15, first_each="visit")
    pieces = [(at("19:30"), EVENING), (NIGHT_END, NIGHT_END + 90 * MIN)]
    assert open_fen(plan, "", at("19:30"), [(at("19:30"), at("19:45"))]) == 0
    assert open_fen(plan, "", at("19:30"), pieces[:1]) == 500
    # Half an hour of the first period is left at 08:00; of the hours since 20:30 the one of 08:30 is uncovered.
    assert open_fen(plan, "", at("19:30"), pieces) == 500 + 300
    longer = [pieces[0], (NIGHT_END, NIGHT_END + 90 * MIN + 1)]
    assert open_fen(plan, "", at("19:30"), longer) == 500 + 2 * 300


def test_caps_hold_over_the_pieces_of_a_day() -> None:
    price = ClassPrice((Rate(30, 500),), day_cap_fen=3_000, visit_cap_fen=4_000)
    plan = TariffPlan(price)
    pieces = [(at("10:00"), at("13:00")), (at("15:00"), at("18:00"))]
    assert open_fen(plan, "", at("10:00"), pieces) == 3_000
    pieces.append((at("2026-11-24 12:00"), at("2026-11-24 18:00")))
    assert open_fen(plan, "", at("10:00"), pieces) == 4_000


# --- what must hold for every tariff -------------------------------------------------------------------------------

stays = st.integers(1, 9 * DAY_MS)


@st.composite
def covered(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    """When a stay begins, how long it lasts, and the moments, as ms of it, at which cover begins and ends by turns."""
    began_ms, lasts_ms = draw(starts), draw(stays)
    minutes = st.integers(0, lasts_ms // MIN).map(lambda minute: minute * MIN)
    cuts = draw(st.sets(st.one_of(minutes, st.integers(0, lasts_ms)), max_size=10))
    return began_ms, lasts_ms, sorted(cuts | {0, lasts_ms})


def pieces_of(began_ms: int, cuts: list[int], open_: list[bool]) -> list[Piece]:
    found: list[Piece] = []
    for (begin_ms, end_ms), is_open in zip(pairwise(cuts), open_, strict=True):
        if is_open and found and found[-1][1] == began_ms + begin_ms:
            found[-1] = (found[-1][0], began_ms + end_ms)
        elif is_open:
            found.append((began_ms + begin_ms, began_ms + end_ms))
    return found


@given(plans, vehicles, starts, stays)
def test_without_a_cover_it_is_the_fee_of_the_stay(
    plan: TariffPlan, vehicle: Vehicle, began_ms: int, lasts_ms: int
) -> None:
    whole = [(began_ms, began_ms + lasts_ms)]
    assert open_fen(plan, vehicle, began_ms, whole) == visit_fen(plan, vehicle, began_ms, lasts_ms)


@given(plans, vehicles, covered(), st.data())
def test_more_cover_never_costs_more(
    plan: TariffPlan, vehicle: Vehicle, stay: tuple[int, int, list[int]], data: st.DataObject
) -> None:
    """Of two covers that leave the same first moment uncovered; and any cover against none."""
    began_ms, lasts_ms, cuts = stay
    flags = st.lists(st.booleans(), min_size=len(cuts) - 1, max_size=len(cuts) - 1)
    less = data.draw(flags)
    more = [a and b for a, b in zip(less, data.draw(flags), strict=True)]
    if True in less:
        more[less.index(True)] = True
    fee = open_fen(plan, vehicle, began_ms, pieces_of(began_ms, cuts, less))
    assert type(fee) is int
    assert 0 <= open_fen(plan, vehicle, began_ms, pieces_of(began_ms, cuts, more)) <= fee
    assert fee <= visit_fen(plan, vehicle, began_ms, lasts_ms)


@given(plans, vehicles, covered(), st.data())
def test_the_fee_never_falls_with_uncovered_time(
    plan: TariffPlan, vehicle: Vehicle, stay: tuple[int, int, list[int]], data: st.DataObject
) -> None:
    """A coupon for time takes minutes off the end: it never makes a stay dearer."""
    began_ms, lasts_ms, cuts = stay
    flags = data.draw(st.lists(st.booleans(), min_size=len(cuts) - 1, max_size=len(cuts) - 1))
    pieces = pieces_of(began_ms, cuts, flags)
    less_ms, more_ms = sorted(data.draw(st.tuples(st.integers(0, lasts_ms), st.integers(0, lasts_ms))))
    less, more = prefix(pieces, less_ms), prefix(pieces, more_ms)
    assert sum(end - begin for begin, end in less) == min(less_ms, sum(end - begin for begin, end in pieces))
    assert open_fen(plan, vehicle, began_ms, less) <= open_fen(plan, vehicle, began_ms, more)


@given(plans, vehicles, covered(), st.data())
def test_one_stretch_up_to_the_end_costs_no_more_than_a_stay_that_begins_there(
    plan: TariffPlan, vehicle: Vehicle, stay: tuple[int, int, list[int]], data: st.DataObject
) -> None:
    """A card that ended while the car was inside."""
    began_ms, lasts_ms, _ = stay
    ended_ms = data.draw(st.integers(0, lasts_ms - 1))
    fee = open_fen(plan, vehicle, began_ms, [(began_ms + ended_ms, began_ms + lasts_ms)])
    assert fee <= visit_fen(plan, vehicle, began_ms + ended_ms, lasts_ms - ended_ms)
