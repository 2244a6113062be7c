"""Who may in and who may out: each rule by a story, and what holds for every lot, list and plate."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import admission
from edge.core.admission import ExitVerdict, LotRules, Newcomer, Verdict, decide_exit
from edge.core.facts import ClockSet, CountCorrected, Fact, Passed, PlateCorrected, Stamp
from edge.core.flow import Flow
from edge.core.flow_policy import Policy
from edge.core.lot import LotState
from edge.core.tariff import TariffRule

MIN_MS = 60_000
WALL_MS = 1_795_000_000_000
TARIFF = TariffRule(15, 60, 500, 30, 200, 3000)
COUNT = LotRules()
LISTS = LotRules("count", allow=frozenset({"鲁BVIP88"}), deny=frozenset({"鲁BBAD44"}))


def at(minute: int, boot: str = "a", synced: bool = True) -> Stamp:
    return Stamp(boot, minute * MIN_MS, WALL_MS + minute * MIN_MS, synced)


def lot_of(total: int, parked: int, *inside: tuple[str, str, Stamp]) -> LotState:
    """`inside`: visit id, plate, entry."""
    lot = LotState(total)
    for visit_id, plate, entered in inside:
        lot.apply(Fact(visit_id, "e1", entered, Passed("a", "in", plate)))
    lot.apply(Fact("count", "", at(0), CountCorrected(parked, "ann", "test")))
    return lot


def decide_entry(lot: LotState, rules: LotRules, plate: str, on_the_way: int) -> Verdict:
    """Without flow control, with so many cars admitted that have not passed yet."""
    flow = Flow(Policy(priority=False), lot.total, lot.parked)
    for number in range(on_the_way):
        flow.arrive(str(number), "in", "")
        flow.admit(str(number), "ordinary")
    verdict = admission.decide_entry(lot, rules, flow, Newcomer("in", plate))
    return Verdict(verdict.decision, verdict.wait_for, verdict.rule, verdict.zh, verdict.en)


def short(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.decision, verdict.wait_for, verdict.rule


# --- entry -----------------------------------------------------------------------------------------------------


def test_a_free_stall_admits_and_says_how_many() -> None:
    verdict = decide_entry(lot_of(20, 8), COUNT, "鲁B12345", on_the_way=0)
    assert verdict == Verdict("admit", "", "count", "可进 12, 入场", "room for 12, please enter")


@pytest.mark.parametrize(("parked", "on_the_way"), [(20, 0), (19, 1), (17, 3), (25, 0), (19, 9)])
def test_no_stall_waits_for_one_and_cars_on_the_way_have_theirs(parked: int, on_the_way: int) -> None:
    assert short(decide_entry(lot_of(20, parked), COUNT, "鲁B12345", on_the_way)) == ("wait", "stall", "full")


def test_the_allow_list_comes_in_although_the_lot_is_full() -> None:
    verdict = decide_entry(lot_of(20, 20), LISTS, "鲁BVIP88", 0)
    assert short(verdict) == ("admit", "", "allow_list")
    assert "固定车" in verdict.zh


def test_the_deny_list_is_refused_although_there_is_room() -> None:
    assert short(decide_entry(lot_of(20, 0), LISTS, "鲁BBAD44", 0)) == ("refuse", "", "deny_list")


def test_a_plate_on_both_lists_is_refused() -> None:
    both = LotRules("count", allow=frozenset({"鲁B12345"}), deny=frozenset({"鲁B12345"}))
    assert short(decide_entry(lot_of(20, 0), both, "鲁B12345", 0)) == ("refuse", "", "deny_list")


def test_a_lookalike_of_a_listed_plate_is_not_listed() -> None:
    assert decide_entry(lot_of(20, 0), LISTS, "鲁B8AD44", 0).rule == "count"
    assert decide_entry(lot_of(20, 20), LISTS, "鲁BV1P88", 0).rule == "full"


def test_a_lot_by_list_refuses_whom_it_does_not_know_and_asks_about_no_plate() -> None:
    by_list = LotRules("list", allow=frozenset({"鲁BVIP88"}), no_plate="admit")
    lot = lot_of(20, 0)
    assert short(decide_entry(lot, by_list, "鲁BVIP88", 0)) == ("admit", "", "allow_list")
    assert short(decide_entry(lot, by_list, "鲁B12345", 0)) == ("refuse", "", "not_on_list")
    assert short(decide_entry(lot, by_list, "", 0)) == ("wait", "confirmation", "no_plate")


@pytest.mark.parametrize(
    ("no_plate", "parked", "expected"),
    [
        ("ask", 0, ("wait", "confirmation", "no_plate")),
        ("ask", 20, ("wait", "confirmation", "no_plate")),
        ("admit", 0, ("admit", "", "count")),
        ("admit", 20, ("wait", "stall", "full")),
    ],
)
def test_a_car_without_plate(no_plate: Literal["ask", "admit"], parked: int, expected: Any) -> None:
    assert short(decide_entry(lot_of(20, parked), LotRules(no_plate=no_plate), "", 0)) == expected


def test_a_plate_that_is_already_inside_comes_in_and_the_rule_says_so() -> None:
    verdict = decide_entry(lot_of(20, 8, ("v1", "鲁B12345", at(0))), COUNT, "鲁B12345", 0)
    assert short(verdict) == ("admit", "", "already_inside")
    assert "未出场" in verdict.zh
    assert "room for 12" in verdict.en


def test_a_lookalike_of_a_car_inside_is_another_car() -> None:
    lot = lot_of(20, 8, ("v1", "鲁B12345", at(0)))
    assert decide_entry(lot, COUNT, "鲁B1234S", 0).rule == "count"


# --- exit ------------------------------------------------------------------------------------------------------


def leave(lot: LotState, plate: str, now: Stamp, rules: LotRules = LISTS) -> ExitVerdict:
    return decide_exit(lot, rules, TARIFF, plate, now)


def test_a_fee_is_waited_for_with_its_amount_in_words() -> None:
    lot = lot_of(20, 1, ("v1", "鲁B12345", at(10)))
    verdict = leave(lot, "鲁B12345", at(10 + 125))
    assert short(verdict) == ("wait", "payment", "exit_payment")
    assert verdict.due_fen == 1100  # 500 + 3 started half hours
    assert verdict.visit == lot.inside["v1"]
    assert verdict.corrected_from == ""
    assert verdict.zh == "鲁B12345 停车 2小时5分, 应缴 11.00 元"
    assert verdict.en == "鲁B12345 parked 2 h 5 min, 11.00 yuan due"


@pytest.mark.parametrize(("minutes", "rule", "due_fen"), [(15, "exit_free", 0), (16, "exit_payment", 500)])
def test_free_minutes_let_out_at_once(minutes: int, rule: str, due_fen: int) -> None:
    verdict = leave(lot_of(20, 1, ("v1", "鲁B12345", at(0))), "鲁B12345", at(minutes))
    assert (verdict.rule, verdict.due_fen) == (rule, due_fen)
    assert (verdict.decision == "admit") == (due_fen == 0)


def test_the_only_lookalike_is_taken_and_its_entry_plate_stands() -> None:
    lot = lot_of(20, 2, ("v1", "鲁B12345", at(0)), ("v2", "京A11111", at(5)))
    verdict = leave(lot, "鲁B1234S", at(60))
    assert short(verdict) == ("wait", "payment", "exit_payment")
    assert verdict.visit == lot.inside["v1"]
    assert verdict.corrected_from == "鲁B1234S"
    assert verdict.zh.startswith("鲁B12345 ")


def test_the_exact_plate_wins_over_its_lookalikes() -> None:
    lot = lot_of(20, 2, ("v1", "鲁B12345", at(0)), ("v2", "鲁B1234S", at(5)))
    verdict = leave(lot, "鲁B1234S", at(60))
    assert verdict.visit == lot.inside["v2"]
    assert verdict.corrected_from == ""


def test_several_lookalikes_are_asked_about() -> None:
    lot = lot_of(20, 2, ("v1", "鲁B12340", at(0)), ("v2", "鲁B1234D", at(5)))
    verdict = leave(lot, "鲁B1234Q", at(60))
    assert short(verdict) == ("wait", "confirmation", "exit_several")
    assert [visit.visit_id for visit in verdict.candidates] == ["v1", "v2"]
    assert (verdict.visit, verdict.due_fen, verdict.corrected_from) == (None, 0, "")


def test_two_visits_that_a_person_gave_one_plate_are_asked_about() -> None:
    lot = lot_of(20, 2, ("v1", "鲁B12345", at(0)), ("v2", "京A11111", at(5)))
    lot.apply(Fact("f", "", at(6), PlateCorrected("v2", "京A11111", "鲁B12345", "ann")))
    assert leave(lot, "鲁B12345", at(60)).rule == "exit_several"


@pytest.mark.parametrize(("plate", "rule"), [("鲁B99999", "exit_unknown"), ("", "exit_no_plate")])
def test_a_car_that_nobody_saw_come_in_waits_for_a_person(plate: str, rule: str) -> None:
    lot = lot_of(20, 2, ("v1", "鲁B12345", at(0)), ("v2", "", at(5)))
    verdict = leave(lot, plate, at(60))
    assert short(verdict) == ("wait", "confirmation", rule)
    assert (verdict.visit, verdict.candidates) == (None, ())


@pytest.mark.parametrize(
    ("inside", "corrected_from"),
    [
        ([("v1", "鲁BVIP88")], ""),
        ([], ""),  # entered unseen
        ([("v1", "鲁BVIPB8")], "鲁BVIP88"),  # misread at the entry
        ([("v1", "鲁BVIPB8"), ("v2", "京BVIP88")], ""),  # several, and it does not matter which
    ],
)
def test_the_allow_list_leaves_free_however_it_came_in(inside: list[tuple[str, str]], corrected_from: str) -> None:
    lot = lot_of(20, 1, *((visit_id, plate, at(0)) for visit_id, plate in inside))
    verdict = leave(lot, "鲁BVIP88", at(600))
    assert short(verdict) == ("admit", "", "exit_allow_list")
    assert (verdict.due_fen, verdict.corrected_from) == (0, corrected_from)
    assert (verdict.visit is not None) == (len(inside) == 1)


def test_a_listed_car_misread_at_the_exit_leaves_free_by_its_visit() -> None:
    verdict = leave(lot_of(20, 1, ("v1", "鲁BVIP88", at(0))), "鲁BV1P88", at(600))
    assert short(verdict) == ("admit", "", "exit_allow_list")
    assert verdict.corrected_from == "鲁BV1P88"


def test_the_deny_list_keeps_nobody_in() -> None:
    lot = lot_of(20, 1, ("v1", "鲁BBAD44", at(0)))
    assert leave(lot, "鲁BBAD44", at(5)).rule == "exit_free"
    assert leave(lot, "鲁BBAD44", at(60)).rule == "exit_payment"


def test_without_a_clock_a_person_decides_and_with_it_the_fee_comes() -> None:
    lot = lot_of(20, 1, ("v1", "鲁B12345", at(0, "a")))
    now = at(3, "b", synced=False)
    verdict = leave(lot, "鲁B12345", now)
    assert short(verdict) == ("wait", "confirmation", "exit_no_clock")
    assert (verdict.visit, verdict.due_fen) == (lot.inside["v1"], 0)
    lot.apply(Fact("f", "", now, ClockSet(WALL_MS + 57 * MIN_MS)))  # boot b began 57 min after boot a
    assert leave(lot, "鲁B12345", now).due_fen == 500


def test_a_listed_car_needs_no_clock() -> None:
    lot = lot_of(20, 1, ("v1", "鲁BVIP88", at(0, "a")))
    assert leave(lot, "鲁BVIP88", at(3, "b", synced=False)).rule == "exit_allow_list"


# --- lists and words -------------------------------------------------------------------------------------------


def test_lists_may_be_written_as_people_write_plates() -> None:
    rules = LotRules(allow=frozenset({" 鲁b·vip88 ", "京Ａ-11111"}))
    assert rules.allow == {"鲁BVIP88", "京A11111"}
    assert msgspec.structs.replace(rules, no_plate="admit").allow == rules.allow


@pytest.mark.parametrize("name", ["allow", "deny"])
def test_a_list_with_something_that_is_no_plate_is_refused(name: str) -> None:
    lists: dict[str, Any] = {name: frozenset({"无牌车"})}
    with pytest.raises(ValueError, match=rf"rules\.{name}: '无牌车' is no plate, one like"):
        LotRules(**lists)


PLATES = ["", "鲁B12340", "鲁B1234D", "鲁B1234Q", "鲁B12345", "京B12340", "鲁BVIP88"]
plates = st.sampled_from(PLATES)
plate_sets = st.frozensets(st.sampled_from(PLATES[1:]), max_size=3)
all_rules = st.builds(
    LotRules, st.sampled_from(["count", "list"]), plate_sets, plate_sets, st.sampled_from(["ask", "admit"])
)
lots = st.builds(
    lambda total, parked, inside: lot_of(
        total, parked, *((f"v{index}", plate, at(index)) for index, plate in enumerate(inside))
    ),
    st.integers(0, 6),
    st.integers(0, 8),
    st.lists(plates, max_size=5),
)


def assert_well_formed(verdict: Verdict) -> None:
    assert (verdict.wait_for != "") == (verdict.decision == "wait")
    assert verdict.rule
    assert verdict.zh
    assert verdict.en


@given(lots, all_rules, plates, st.integers(0, 4))
def test_entries_for_every_lot(lot: LotState, rules: LotRules, plate: str, on_the_way: int) -> None:
    before = lot.encode()
    verdict = decide_entry(lot, rules, plate, on_the_way)
    assert_well_formed(verdict)
    assert lot.encode() == before  # deciding changes nothing
    if verdict.decision == "admit":
        assert plate not in rules.deny
        assert plate in rules.allow or lot.parked + on_the_way < lot.total
    if rules.admit == "list" and verdict.decision == "admit":
        assert plate in rules.allow


@given(lots, all_rules, plates, st.integers(0, 100_000))
def test_exits_for_every_lot(lot: LotState, rules: LotRules, plate: str, minute: int) -> None:
    before = lot.encode()
    verdict = leave(lot, plate, at(minute), rules)
    assert_well_formed(verdict)
    assert lot.encode() == before
    assert verdict.decision != "refuse"  # nobody is kept in
    assert (verdict.due_fen > 0) == (verdict.wait_for == "payment")
    if verdict.wait_for == "payment":
        assert verdict.visit is not None
    if verdict.corrected_from:
        assert verdict.corrected_from == plate
        assert verdict.visit is not None
        assert verdict.visit.plate != plate
    assert verdict == leave(lot, plate, at(minute), msgspec.structs.replace(rules, deny=frozenset()))
