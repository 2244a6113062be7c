"""Flow control at the lanes: two entrances share one queue, waits are states with a sign, a restart changes nothing."""

from __future__ import annotations

import msgspec
import pytest

from edge.core.commands import RaiseArm, Show
from edge.core.facts import Decided, Passed
from edge.core.facts_flow import PrioritySwitched
from edge.core.flow_policy import Entrance
from edge.core.flow_words import clock_text
from edge.core.lot_flow import LotFlow
from edge.lane.flow_view import flow_view
from tests.flow_box import POLICY, FlowBench


def sign(bench: FlowBench, lane: str) -> str:
    return next(out.zh for out in reversed(bench.commands) if isinstance(out, Show) and out.lane == lane)


def last(bench: FlowBench, plate: str) -> Decided:
    return next(body for body in reversed(bench.bodies(Decided)) if body.plate == plate)


def test_an_ordinary_car_waits_for_two_reserved_ones_and_is_told_so() -> None:
    bench = FlowBench(msgspec.structs.replace(POLICY, idle_ms=None), total=100, parked=70)
    bench.book("b1", "粤B11111")
    bench.book("b2", "粤B22222")
    came = bench.come("in2", "粤B33333")
    assert (came.decision, came.wait_for, came.rule, came.state) == ("wait", "stall", "reserved_first", "saturated")
    assert bench.state("in2") == "wait_stall"
    assert sign(bench, "in2") == "饱和: 每2辆预约车放行1辆, 还需2辆预约车"
    first = bench.come("in", "粤B11111")
    assert (first.decision, first.rule, first.booking, first.counted_as) == ("admit", "reserved", "b1", "reserved")
    assert sign(bench, "in2") == "饱和: 每2辆预约车放行1辆, 还需1辆预约车"
    bench.pass_in("in")
    bench.wait(20_000)
    bench.come("in", "粤B22222")
    released = last(bench, "粤B33333")
    assert (released.decision, released.rule, released.counted_as) == ("admit", "after_reserved", "ordinary")
    assert released.reasons is not None
    assert (released.reasons.total, released.reasons.parked, released.reasons.held) == (100, 72, 0)
    assert (released.reasons.reserved, released.reasons.reserved_needed) == (2, 2)
    raised = bench.count(RaiseArm)
    bench.store()
    assert bench.count(RaiseArm) == raised + 1
    assert bench.state("in2") == "admitted"


def test_a_decision_calls_a_number_as_the_page_calls_it() -> None:
    """可进 is what bookings leave, 余位 what is not parked on: one word must not stand for both."""
    bench = FlowBench(total=100, parked=30)
    bench.book("b1", "粤B11111")
    bench.book("b2", "粤B22222")
    shown = flow_view(bench.box.flows, True, bench.stamp())
    assert (shown.room, bench.box.lot.free) == (68, 70)
    came = bench.come("in2", "粤B33333")
    assert (came.zh, came.en) == ("非饱和: 可进 68, 入场", "not saturated: room for 68, please enter")


def test_fifteen_seconds_without_a_reserved_car_let_the_ordinary_one_go() -> None:
    bench = FlowBench(total=100, parked=70)
    bench.book("b1", "粤B11111")
    bench.come("in", "粤B11111")
    bench.come("in2", "粤B33333")
    assert bench.state("in2") == "wait_stall"
    bench.pass_in("in")
    passed_ms = next(fact.stamp.mono_ms for fact in reversed(bench.facts) if isinstance(fact.body, Passed))
    bench.wait(60_000)
    released = next(fact for fact in bench.facts if isinstance(fact.body, Decided) and fact.body.rule == "idle")
    assert released.stamp.mono_ms == passed_ms + 15_000


def test_two_out_one_in_and_the_sign_counts() -> None:
    bench = FlowBench(msgspec.structs.replace(POLICY, out=2), total=100, parked=95)
    bench.come("in2", "粤B33333")
    assert sign(bench, "in2") == "满位: 出2进1, 还需驶出2辆"
    bench.leave("粤B00001")
    assert sign(bench, "in2") == "满位: 出2进1, 还需驶出1辆"
    bench.wait(20_000)
    bench.leave("粤B00002")
    assert last(bench, "粤B33333").rule == "credit"


def test_the_reserved_entrance_refuses_and_says_where_to_go() -> None:
    bench = FlowBench(parked=0)
    came = bench.come("in", "粤B33333")
    assert (came.decision, came.rule) == ("refuse", "lane_reserved")
    assert sign(bench, "in") == "本入口仅限预约车, 请走 西门"
    assert bench.state("in") == "refused"


def test_an_early_car_is_told_when_to_come() -> None:
    bench = FlowBench(parked=0)
    begins_ms = bench.stamp().wall_ms + 3_600_000
    bench.book("b1", "粤B11111", from_s=3600, until_s=7200)
    assert bench.come("in", "粤B11111").decision == "refuse"
    assert f"预约 {clock_text(begins_ms)} 起可入场" in sign(bench, "in")


def test_a_person_is_asked_and_lets_it_in_as_an_ordinary_car() -> None:
    policy = msgspec.structs.replace(POLICY, entrances={"in": Entrance(), "in2": Entrance(ordinary="ask")})
    bench = FlowBench(policy, parked=7)
    came = bench.come("in2", "粤B33333")
    assert (came.decision, came.wait_for, came.rule) == ("wait", "confirmation", "lane_asks")
    assert bench.state("in2") == "wait_confirm"
    assert bench.order("in2", "open").ok
    assert (last(bench, "粤B33333").rule, last(bench, "粤B33333").counted_as) == ("operator", "ordinary")


def test_who_is_asked_about_goes_by_itself_when_the_lot_is_free_again() -> None:
    policy = msgspec.structs.replace(POLICY, entrances={"in": Entrance(), "in2": Entrance(ordinary="ask")})
    bench = FlowBench(policy, parked=7)
    bench.come("in2", "粤B33333")
    bench.leave("粤B00001")
    assert last(bench, "粤B33333").rule == "free"


def test_a_car_that_backs_out_keeps_its_booking_and_frees_its_stall() -> None:
    bench = FlowBench(parked=9)
    bench.book("b1", "粤B11111")
    bench.come("in", "粤B11111")
    assert bench.box.flows.flow.occupied == 10
    bench.store()
    bench.wait(2_000)
    bench.loops("in", arrival=False)
    bench.wait(20_000)
    flow = bench.box.flows.flow
    assert (flow.occupied, flow.bookings.held) == (9, 1)
    bench.wait(30_000)
    assert bench.come("in", "粤B11111").booking == "b1"


def test_the_allow_list_is_before_flow_control() -> None:
    bench = FlowBench(total=10, parked=0)
    bench.allow = frozenset({"粤B88888"})
    bench.box = bench.make()
    bench.begin()
    bench.order("", "correct_count", count=10)
    came = bench.come("in", "粤B88888")
    assert (came.decision, came.rule, came.counted_as) == ("admit", "allow_list", "")


def test_a_locked_lane_keeps_nobody_else_waiting() -> None:
    """A car whose lane is locked keeps its place, and the credit goes to the next one."""
    policy = msgspec.structs.replace(POLICY, entrances={"in": Entrance(), "in2": Entrance()}, out=1)
    bench = FlowBench(policy, total=100, parked=95)
    bench.come("in", "粤B11111")
    bench.come("in2", "粤B22222")
    assert bench.order("in", "lock").ok
    bench.leave("粤B00001")
    assert last(bench, "粤B22222").decision == "admit"
    assert last(bench, "粤B11111").decision == "wait"


def test_a_schedule_switches_and_tells() -> None:
    # 1,700,000,000 s is 2023-11-15 06:13:20 in Shanghai.
    policy = msgspec.structs.replace(POLICY, schedule_min=(7 * 60 + 30, 19 * 60 + 30))
    bench = FlowBench(policy)
    bench.wait(14 * 3_600_000)
    told = [(fact.body.on, fact.body.cause, clock_text(fact.stamp.wall_ms))
            for fact in bench.facts if isinstance(fact.body, PrioritySwitched)]  # fmt: skip
    assert told == [(False, "start", "06:13:20"), (True, "schedule", "07:30"), (False, "schedule", "19:30")]


def test_a_switch_by_hand_lasts_until_the_schedules_next_turn_also_over_a_restart() -> None:
    policy = msgspec.structs.replace(POLICY, schedule_min=(7 * 60 + 30, 19 * 60 + 30))
    bench = FlowBench(policy)
    bench.wait(3 * 3_600_000)
    assert bench.ask("priority", on=False).ok
    bench.restart()
    bench.wait(3_600_000)
    assert bench.box.flows.flow.priority is False
    bench.wait(24 * 3_600_000)
    assert bench.box.flows.flow.priority is True


@pytest.mark.parametrize("how", ["facts", "snapshot"])
def test_a_restart_in_the_middle_decides_alike(how: str) -> None:
    """One of two reserved cars has come; after the restart one more is enough for the ordinary car."""
    policy = msgspec.structs.replace(POLICY, idle_ms=None)
    bench = FlowBench(policy, total=100, parked=70)
    for number in (1, 2):
        bench.book(f"b{number}", f"粤B{number * 11111}")
    bench.come("in", "粤B11111")
    bench.pass_in("in")
    bench.wait(20_000)
    bench.come("in2", "粤B33333")
    assert sign(bench, "in2") == "饱和: 每2辆预约车放行1辆, 还需1辆预约车"
    bench.restart(how)
    bench.loops("in", arrival=False, safety=False)
    bench.loops("out", arrival=False, safety=False)
    bench.loops("in2", arrival=True, safety=False)
    bench.wait(1_500)
    bench.read("in2", "粤B33333")
    assert sign(bench, "in2") == "饱和: 每2辆预约车放行1辆, 还需1辆预约车"
    bench.come("in", "粤B22222")
    assert last(bench, "粤B33333").rule == "after_reserved"


def test_the_fold_of_the_facts_is_the_flow() -> None:
    """Facts alone, from the first one on: the same books, and the same judgement of everybody."""
    bench = FlowBench(total=20, parked=14)
    for number in range(3):
        bench.book(f"b{number}", f"粤B{number}1111", keep_min=10)
    bench.come("in", "粤B01111")
    bench.pass_in("in")
    bench.come("in2", "粤B99999")
    bench.ask("role", lane="in", role="mixed")
    bench.ask("priority", on=False)
    bench.ask("priority", on=True)
    bench.wait(5_000)
    bench.book("b2", "", action="cancel")
    folded = LotFlow(bench.box.flows.policy, 20)
    for fact in bench.facts:
        folded.apply(fact)
    live = bench.box.flows
    folded.advance(bench.stamp())
    assert folded.keep() == live.keep()
    for lane in ("in", "in2"):
        for plate in ("粤B01111", "粤B11111", "粤B21111", "粤B77777"):
            assert folded.flow.judge(lane, plate) == live.flow.judge(lane, plate)


def test_the_page_sees_queue_bookings_and_switches() -> None:
    bench = FlowBench(msgspec.structs.replace(POLICY, out=3), total=100, parked=95)
    bench.book("b1", "粤B11111", from_s=60, until_s=600, keep_min=5)
    bench.come("in2", "粤B33333")
    bench.wait(3_000)
    bench.ask("role", lane="in", role="ordinary")
    view = flow_view(bench.box.flows, True, bench.stamp())
    assert (view.state, view.state_zh, view.parked, view.held, view.room) == ("full", "满位", 95, 1, 4)
    assert [(car.lane, car.plate, car.reserved, car.rule, car.zh) for car in view.queue] == [
        ("in2", "粤B33333", False, "no_credit", "满位: 出3进1, 还需驶出3辆")
    ]
    assert bench.stamp().wall_ms - view.queue[0].since_wall_ms == 3_000
    assert [(each.code, each.plate, each.confirmed, each.ends_ms - each.until_ms) for each in view.bookings] == [
        ("b1", "粤B11111", False, 300_000)
    ]
    assert [(each.lane, each.role, each.configured) for each in view.entrances] == [
        ("in", "ordinary", "reserved"), ("in2", "mixed", "mixed"),
    ]  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(view), type=type(view)) == view
