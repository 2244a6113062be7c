"""Orders of cities and people to flow control: done once, answered in words and by the standard's cases."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edge.core.commands import Record
from edge.core.facts import Decided, Ordered
from edge.core.facts_flow import (
    BookingCancelled,
    BookingChanged,
    BookingConfirmed,
    BookingLocked,
    ControlPut,
    ControlRemoved,
    ControlSeen,
    CouponGiven,
    PrioritySwitched,
    RoleSwitched,
)
from edge.core.orders_flow import ControlEntry
from tests.flow_box import POLICY, FlowBench

MIN_MS = 60_000


@pytest.fixture
def bench() -> FlowBench:
    return FlowBench()


def test_a_lock_holds_a_stall_and_says_how_many_are_left(bench: FlowBench) -> None:
    answer = bench.book("b1", "粤B·11111", until_s=600, keep_min=30)
    assert (answer.ok, answer.reason, answer.rest) == (True, "", 2)
    locked = bench.bodies(BookingLocked)[-1]
    assert (locked.code, locked.plate, locked.keep_min, locked.city) == ("b1", "粤B11111", 30, "shenzhen")
    assert bench.box.flows.flow.bookings.held == 1


def test_no_stall_left_is_1501(bench: FlowBench) -> None:
    for number in range(3):
        assert bench.book(f"b{number}", f"粤B1111{number}").ok
    answer = bench.book("b9", "粤B99999")
    assert (answer.ok, answer.reason, answer.rest) == (False, "no_stall", 0)
    assert "没有可预订车位" in answer.zh
    assert bench.box.flows.flow.bookings.held == 3


def test_a_repeated_order_is_answered_alike_and_done_once(bench: FlowBench) -> None:
    first = bench.book("b1", "粤B11111", command_id="c1")
    again = bench.book("b1", "粤B11111", command_id="c1")
    assert (again.ok, again.zh, again.en, again.reason, again.rest) == (
        first.ok, first.zh, first.en, first.reason, first.rest,
    )  # fmt: skip
    assert len(bench.bodies(BookingLocked)) == 1
    other = bench.book("b1", "粤B11111", command_id="c1", action="cancel")
    assert (other.ok, other.reason) == (False, "id_used")
    assert bench.book("b2", "粤B22222", command_id="c1").reason == "id_used"


def test_the_same_booking_again_stands_and_another_under_its_code_is_1201(bench: FlowBench) -> None:
    assert bench.book("b1", "粤B11111").ok
    again = bench.book("b1", "粤B11111")
    assert (again.ok, again.reason, again.rest) == (True, "repeated", -1)
    other = bench.book("b1", "粤B22222")
    assert (other.ok, other.reason) == (False, "booking_exists")
    assert bench.box.flows.flow.bookings.held == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"plate": "无牌车"}, "bad_plate"),
        ({"plate": "粤B11111", "from_s": 600, "until_s": 300}, "bad_time"),
        ({"plate": "粤B11111", "from_s": -7200, "until_s": -3600}, "bad_time"),
        ({"plate": "粤B11111", "vehicle": "large"}, "vehicle_refused"),
    ],
)
def test_a_booking_that_cannot_be_is_refused_by_name(given: dict[str, Any], reason: str) -> None:
    bench = FlowBench(msgspec.structs.replace(POLICY, refused=frozenset({"large"})))
    answer = bench.book("b1", **given)
    assert (answer.ok, answer.reason) == (False, reason)
    assert bench.bodies(BookingLocked) == []


def test_change_confirm_cancel_and_their_limits(bench: FlowBench) -> None:
    assert bench.book("b1", "粤B11111", from_s=0, until_s=600).ok
    assert bench.book("b1", "", action="confirm").ok
    assert bench.book("b1", "", action="confirm").ok  # once more: nothing is kept again
    assert len(bench.bodies(BookingConfirmed)) == 1
    assert bench.book("b1", "粤B11111", from_s=3600, until_s=7200, action="change").ok
    changed = bench.bodies(BookingChanged)[-1]
    assert changed.until_ms - changed.from_ms == 3_600_000
    assert bench.box.flows.flow.bookings.by_code["b1"].confirmed
    assert bench.book("b1", "", action="cancel").ok
    assert bench.book("b1", "", action="cancel").ok  # SC54: cancelling twice is a success
    assert len(bench.bodies(BookingCancelled)) == 1
    assert bench.book("b1", "", action="confirm").reason == "cancelled"
    assert bench.book("b7", "", action="cancel").reason == "unknown_booking"
    assert bench.book("b7", "粤B11111", action="change").reason == "unknown_booking"
    assert bench.box.flows.flow.bookings.held == 0


def test_after_its_time_a_booking_is_expired_and_its_stall_free(bench: FlowBench) -> None:
    bench.book("b1", "粤B11111", until_s=60, keep_min=1)
    bench.wait(120_000)
    assert bench.book("b1", "", action="confirm").ok  # 60 s + 1 min: the last moment
    bench.wait(1)
    assert bench.book("b1", "", action="confirm").reason == "expired"
    assert bench.book("b1", "", action="cancel").reason == "expired"
    assert bench.box.flows.flow.bookings.held == 0


def test_changes_and_cancels_only_within_the_set_time() -> None:
    bench = FlowBench(msgspec.structs.replace(POLICY, change_ms=30 * MIN_MS))
    bench.book("b1", "粤B11111", from_s=3600, until_s=7200)
    bench.wait(30 * MIN_MS)
    assert bench.book("b1", "粤B11111", from_s=3600, until_s=7200, action="change").ok
    bench.book("b2", "粤B22222", from_s=1799, until_s=7200)
    assert bench.book("b2", "粤B22222", from_s=9000, until_s=9900, action="change").reason == "too_late"
    assert bench.book("b2", "", action="cancel").reason == "too_late"


def test_who_has_come_on_a_booking_cannot_cancel_it(bench: FlowBench) -> None:
    bench.book("b1", "粤B11111")
    assert bench.come("in", "粤B11111").booking == "b1"
    assert bench.book("b1", "", action="cancel").reason == "used"
    bench.pass_in("in")
    bench.wait(20_000)
    assert bench.book("b1", "", action="cancel").reason == "used"
    assert bench.box.flows.flow.bookings.held == 0


def test_an_answer_comes_with_a_fact_that_is_urgent(bench: FlowBench) -> None:
    """Durable before answered: the runtime answers when the step's facts are on the disk."""
    bench.commands.clear()
    bench.book("b1", "粤B11111", command_id="c1")
    records = [command for command in bench.commands if isinstance(command, Record)]
    assert [type(record.body) for record in records] == [BookingLocked, Ordered]
    assert records[-1].urgent
    ordered = bench.bodies(Ordered)[-1]
    assert (ordered.action, ordered.target, ordered.rest, ordered.command_id) == ("book_lock", "b1", 2, "c1")


# --- lists -------------------------------------------------------------------------------------------------------


def put(bench: FlowBench, strategy: str, plate: str = "粤B66666", from_s: float = 0, until_s: float = 3600) -> None:
    base_ms = bench.stamp().wall_ms
    entry = {
        "entry_id": f"e-{strategy}", "plate": plate, "strategy": strategy, "origin": "交警",
        "from_ms": base_ms + int(from_s * 1000), "until_ms": base_ms + int(until_s * 1000),
    }  # fmt: skip
    answer = bench.ask("control", action="put", entries=(msgspec.convert(entry, ControlEntry),))
    assert answer.ok


@pytest.mark.parametrize(
    ("strategy", "entry", "exit_"),
    [
        ("no_entry", ("refuse", "control_no_entry"), ("wait", "exit_unknown")),
        ("no_entry_no_exit", ("refuse", "control_no_entry"), ("wait", "control_no_exit")),
        ("no_exit", ("admit", "free"), ("wait", "control_no_exit")),
        ("warn", ("admit", "free"), ("wait", "exit_unknown")),
        ("free_pass", ("admit", "control_free"), ("admit", "exit_control_free")),
    ],
)
def test_the_five_strategies_come_before_flow_control(
    strategy: str, entry: tuple[str, str], exit_: tuple[str, str]
) -> None:
    bench = FlowBench(parked=0)
    put(bench, strategy)
    came = bench.come("in2", "粤B66666")
    assert (came.decision, came.rule) == entry
    assert [seen.strategy for seen in bench.bodies(ControlSeen)] == [strategy]
    bench.read("out", "粤B66666")
    bench.loops("out", arrival=True)
    left = bench.bodies(Decided)[-1]
    assert (left.decision, left.rule) == exit_


def test_a_list_is_in_force_within_its_dates_only() -> None:
    bench = FlowBench(parked=0)
    put(bench, "no_entry", from_s=3600, until_s=7200)
    assert bench.come("in2", "粤B66666").decision == "admit"


def test_a_removal_sent_again_is_answered_like_the_first(bench: FlowBench) -> None:
    put(bench, "no_entry")
    for _ in range(2):
        assert bench.ask("control", action="remove", entries=(ControlEntry(entry_id="e-no_entry"),)).ok
    assert len(bench.bodies(ControlRemoved)) == 1


def test_removing_what_never_was_there_is_said(bench: FlowBench) -> None:
    put(bench, "no_entry")
    answer = bench.ask("control", action="remove", entries=(ControlEntry(entry_id="e-other"),))
    assert (answer.ok, answer.reason) == (False, "unknown_entry")
    assert len(bench.bodies(ControlPut)) == 1


# --- coupons, switches -----------------------------------------------------------------------------------------------


def test_coupons_are_kept_in_whole_units(bench: FlowBench) -> None:
    answer = bench.ask("coupon", coupon_no="k1", plate="粤B·11111", coupon="share", given_ms=1, off_permille=300)
    assert answer.ok
    given = bench.bodies(CouponGiven)[-1]
    assert (given.plate, given.coupon, given.off_permille) == ("粤B11111", "share", 300)
    wrong = bench.ask("coupon", coupon_no="k2", plate="粤B11111", coupon="amount", given_ms=1)
    assert (wrong.ok, wrong.reason) == (False, "bad_value")
    assert "amount_fen" in wrong.en


def test_priority_is_told_at_start_and_at_every_switch(bench: FlowBench) -> None:
    assert [(s.on, s.cause) for s in bench.bodies(PrioritySwitched)] == [(True, "start")]
    assert bench.ask("priority", on=False).ok
    assert bench.ask("priority", on=True, source="city").ok
    assert [(s.on, s.cause) for s in bench.bodies(PrioritySwitched)][1:] == [(False, "operator"), (True, "city")]


def test_a_role_is_switched_for_a_time(bench: FlowBench) -> None:
    until_ms = bench.stamp().wall_ms + 600_000
    assert bench.come("in", "粤B11111").rule == "lane_reserved"
    assert bench.ask("role", lane="in", role="ordinary", until_ms=until_ms).ok
    assert bench.box.flows.flow.role("in") == "ordinary"
    bench.wait(600_000)
    assert bench.box.flows.flow.role("in") == "reserved"
    switched = [(switch.role, switch.cause) for switch in bench.bodies(RoleSwitched)]
    assert switched == [("ordinary", "operator"), ("reserved", "schedule")]
    wrong = bench.ask("role", lane="out", role="ordinary")
    assert (wrong.ok, wrong.reason) == (False, "unknown_lane")
