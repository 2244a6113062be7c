"""The fault catalogue is complete, and every row says what a technician needs in both languages."""

from __future__ import annotations

import re
import typing

import msgspec
import pytest

from edge.core.box_orders import SURVIVES_START
from edge.core.faults import CATALOGUE, Effect, FaultSpec
from edge.fault_view import LASTING, fault_view

# Every fault that drivers, stores, lane and agent raise by name.
NAMED = {
    "loop_stuck", "loop_silent", "safety_unproven", "arm_no_up", "arm_no_down", "arm_uncommanded",
    "camera_silent", "camera_refused", "storage_failing", "disk_full", "disk_read_only", "ledger_damaged",
    "deliveries_damaged", "barrier_down", "loops_down", "listener_down", "emergency", "clock_unset",
    "clock_jumped", "lane_silent", "city_offline", "city_refused_login", "delivery_set_aside", "picture_lost",
    "capture_low", "picture_small", "plate_narrow", "evidence_failing", "pictures_given_up", "pictures_unmatched",
    "pictures_damaged",
}  # fmt: skip
CHINESE = re.compile(r"[一-鿿]")
ALL = pytest.mark.parametrize("spec", CATALOGUE.values(), ids=CATALOGUE.keys())


def test_every_named_fault_has_its_row() -> None:
    assert NAMED - set(CATALOGUE) == set()


def test_every_row_stands_under_its_code_and_none_twice() -> None:
    assert [spec.code for spec in CATALOGUE.values()] == list(CATALOGUE)
    causes = [spec.cause_zh for spec in CATALOGUE.values()]
    assert len(set(causes)) == len(causes)


@ALL
def test_a_row_says_everything_in_both_languages(spec: FaultSpec) -> None:
    words = msgspec.structs.asdict(spec)
    for part in ("cause", "effect", "todo"):
        assert CHINESE.search(words[f"{part}_zh"]), part
        assert words[f"{part}_en"].isascii(), part
        assert len(words[f"{part}_en"].split()) >= 3, part


@ALL
def test_a_row_keeps_to_the_known_effects(spec: FaultSpec) -> None:
    assert spec.effect in typing.get_args(Effect)
    assert spec.clears in {"itself", "acknowledged"}


@pytest.mark.parametrize(
    ("effect", "codes"),
    [
        # A loop that cannot be believed must never let the arm down by itself (DESIGN 5, invariant 1).
        ("no_auto_close", {"loop_stuck", "loop_silent", "safety_unproven", "emergency"}),
        # The city is none of the lane's business: cars pass through days without network (DESIGN 2).
        ("none", {"city_offline", "city_refused_login", "delivery_set_aside", "deliveries_damaged"}),
        # Cars pass with a failing disk (issue: "a named fault on the page, cars pass").
        ("runs", {"storage_failing", "disk_full", "disk_read_only", "ledger_damaged", "clock_unset"}),
        # A driver that cannot open is a fault and never a silent switch to something else (invariant 9).
        ("stops", {"barrier_down"}),
    ],
)
def test_effects_that_the_design_demands(effect: Effect, codes: set[str]) -> None:
    assert {CATALOGUE[code].effect for code in codes} == {effect}


def test_no_city_fault_has_an_effect_on_a_lane() -> None:
    assert {spec.effect for code, spec in CATALOGUE.items() if code.startswith("city_")} == {"none"}


def test_the_page_offers_to_end_what_the_box_lets_a_person_end() -> None:
    assert LASTING == SURVIVES_START
    for code, spec in CATALOGUE.items():
        assert fault_view(code, "x", "", 0).by_hand is (spec.clears == "acknowledged" or code in SURVIVES_START)
