"""The box told event by event: plain passages, orders, money, restarts. Physics is in `test_world_properties`."""

from __future__ import annotations

import pytest

from edge.core.commands import LowerArm, RaiseArm, Record
from edge.core.events import (
    DeviceDown,
    Emergency,
    LoopChanged,
)
from edge.core.facts import BackedOut, Decided, FaultRaised, Paid, Passed, ReadTaken
from tests.lane_bench import HOUR_MS, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_plain_passage_costs_three_facts_and_one_urgent_commit(bench: Bench) -> None:
    before = len(bench.facts)
    bench.commands.clear()
    bench.enter("鲁B12345")
    kinds = [type(fact.body) for fact in bench.facts[before:]]
    assert kinds == [ReadTaken, Decided, Passed]
    assert [c.urgent for c in bench.commands if isinstance(c, Record)] == [False, True, False]
    assert (bench.count(RaiseArm), bench.count(LowerArm)) == (1, 1)
    assert bench.box.lot.parked == 1


def test_a_car_without_plate_is_on_record_at_once(bench: Bench) -> None:
    """After a crash no read tells it from the next car, so nothing else says that it went through."""
    bench.read("in", "_无_")
    bench.loops("in", arrival=True)
    assert bench.order("in", "let_in").ok
    bench.store()
    bench.commands.clear()
    bench.drive("in")
    assert [(c.body.plate, c.urgent) for c in bench.commands
            if isinstance(c, Record) and isinstance(c.body, Passed)] == [("", True)]  # fmt: skip


def test_arm_waits_for_the_disk_and_not_for_ever(bench: Bench) -> None:
    bench.commands.clear()
    bench.read("in", "鲁B12345")
    bench.loops("in", arrival=True)
    bench.wait(1_999)
    assert bench.count(RaiseArm) == 0
    bench.wait(1)
    assert bench.count(RaiseArm) == 1
    assert [fact.code for fact in bench.bodies(FaultRaised)] == ["storage_failing"]
    assert ("storage_failing", "in/ledger") in [fault[:2] for fault in bench.box.faults()]
    bench.store()  # late: the fault ends, and nothing moves
    assert bench.box.faults() == []
    assert bench.count(RaiseArm) == 1


def test_exit_pays_and_leaves(bench: Bench) -> None:
    bench.enter("鲁B12345")
    bench.now_ms += HOUR_MS
    bench.read("out", "鲁812345")  # one look-alike character: 车牌校正
    bench.loops("out", arrival=True)
    decided = bench.bodies(Decided)[-1]
    assert (decided.wait_for, decided.due_fen) == ("payment", 700)
    assert not bench.order("out", "pay_cash", amount_fen=9_999).ok
    assert bench.box.lane_states()[1].due_fen == 700
    assert not bench.order("out", "pay_cash", amount_fen=0).ok  # that is pay_free
    assert bench.order("out", "pay_cash", amount_fen=600).ok
    assert bench.box.lane_states()[1].due_fen == 0  # 6 yuan paid, 1 let go
    bench.store()
    bench.drive("out")
    paid, passed = bench.bodies(Paid)[-1], bench.bodies(Passed)[-1]
    assert (paid.due_fen, paid.paid_fen, paid.discount_fen) == (700, 600, 100)
    assert (passed.plate, passed.plate_corrected_from) == ("鲁B12345", "鲁812345")
    assert passed.entered is not None
    assert bench.box.lot.parked == 0
    assert bench.box.lot.inside == {}


def test_full_lot_waits_and_goes_when_a_stall_comes_free(bench: Bench) -> None:
    bench.enter("鲁B11111")
    bench.enter("鲁B22222")
    bench.read("in", "鲁B33333")
    bench.loops("in", arrival=True)
    assert bench.box.lane_states()[0].state == "wait_stall"
    bench.read("out", "鲁B11111")
    bench.loops("out", arrival=True)
    bench.store()
    bench.drive("out")
    assert bench.box.lane_states()[0].state == "storing"


def test_command_acts_once_and_an_aged_one_never(bench: Bench) -> None:
    bench.commands.clear()
    assert not bench.order("in", "open", "c0", age_s=10.5).ok
    assert bench.order("in", "open", "c1").ok
    bench.store()
    assert bench.order("in", "open", "c1").ok
    bench.wait(1_000)
    assert bench.count(RaiseArm) == 1
    assert not bench.order("in", "open", "c0").ok  # the first answer again


def test_close_says_why_not(bench: Bench) -> None:
    bench.order("in", "open")
    bench.store()
    bench.wait(7_000)
    bench.loops("in", arrival=True, safety=True)
    answer = bench.order("in", "close")
    assert not answer.ok
    assert bench.count(LowerArm) == 2  # one for each lane after the start, none since


def test_car_that_backs_out_is_no_passage(bench: Bench) -> None:
    bench.read("in", "鲁B12345")
    bench.loops("in", arrival=True)
    bench.store()
    bench.wait(5_000)
    bench.loops("in", arrival=False)
    bench.wait(1_600)
    assert bench.bodies(BackedOut) != []
    assert bench.box.lot.parked == 0


def test_replayed_and_repeated_reads_are_no_arrivals(bench: Bench) -> None:
    bench.read("in", "鲁B12345", replay=True)
    bench.loops("in", arrival=True)
    assert bench.bodies(Decided) == []
    bench.read("in", "鲁B22222", read_id="a" * 32)
    bench.read("in", "鲁B22222", read_id="a" * 32)
    bench.read("in", "鲁822222")  # the same car, one character off
    assert len(bench.bodies(Decided)) == 1


def test_emergency_raises_all_lanes_before_any_fact(bench: Bench) -> None:
    outs = bench.tell(Emergency(active=True))
    assert [type(out) for out in outs if isinstance(out, RaiseArm | Record)][:3] == [RaiseArm, RaiseArm, Record]
    assert {out.lane for out in outs if isinstance(out, RaiseArm)} == {"in", "out"}
    lowered = bench.count(LowerArm)
    bench.wait(60_000)
    assert bench.count(LowerArm) == lowered
    bench.tell(Emergency(active=False))
    bench.wait(60_000)
    assert bench.count(LowerArm) == lowered + 2


def test_fold_of_facts_is_the_box(bench: Bench) -> None:
    """Snapshot, or facts, or a snapshot and the facts after it: the same box; and orders are remembered."""
    bench.enter("鲁B12345")
    bench.order("in", "lock", "c1")
    half = bench.box.encode()
    mark = len(bench.facts)
    bench.order("in", "unlock")
    folded, restored = bench.make(), bench.make()
    for fact in bench.facts:
        folded.apply(fact)
    restored.restore(half)
    for fact in bench.facts[mark:]:
        restored.apply(fact)
    assert folded.encode() == restored.encode() == bench.box.encode()
    bench.box = restored
    bench.begin()
    raised = bench.count(RaiseArm)
    assert bench.order("in", "lock", "c1").ok
    assert bench.box.lane_states()[0].state == "down"
    assert bench.count(RaiseArm) == raised


def test_restart_with_the_admitted_car_standing_there(bench: Bench) -> None:
    bench.read("in", "鲁B12345")
    bench.loops("in", arrival=True)
    bench.store()
    bench.commands.clear()
    bench.killed()
    assert bench.count(RaiseArm) == 0
    bench.loops("out", arrival=False, safety=False)
    bench.loops("in", arrival=True, safety=False)
    bench.wait(3_100)
    assert bench.count(RaiseArm) == 1
    bench.drive("in")
    assert len(bench.bodies(Passed)) == 1
    assert len(bench.bodies(Decided)) == 1


def test_bad_events_are_named(bench: Bench) -> None:
    with pytest.raises(ValueError, match=r"event.lane: 'x'"):
        bench.tell(LoopChanged(lane="x"))
    with pytest.raises(ValueError, match=r"event.code: 'nonsense'"):
        bench.tell(DeviceDown(lane="in", code="nonsense", device="d"))
    with pytest.raises(ValueError, match="snapshot"):
        bench.make().restore(b"\xc1\x00 not a snapshot")


def test_an_order_that_is_refused_says_what_is_allowed_in_both_languages(bench: Bench) -> None:
    count = bench.order("", "correct_count", count=500)
    assert (count.ok, count.zh) == (False, "场内车辆数 500 不允许, 须为 0..2")
    assert "0..2" in count.en
    lane = bench.order("zz", "open")
    assert (lane.ok, lane.zh) == (False, "没有车道 zz, 只有 in, out")
    assert lane.en == "lane: 'zz' is not one of in, out"
