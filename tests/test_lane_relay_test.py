"""A relay tested from the page: only at a locked, empty lane, one pulse, and by the lane's own table."""

from __future__ import annotations

import msgspec
import pytest

from edge.core.box import Box
from edge.core.commands import LowerArm, RaiseArm, StopArm, TriggerCamera
from edge.core.facts import ArmOrdered, Ordered
from tests.lane_bench import LANES, Bench


class StopBench(Bench):
    """With a STOP relay at both lanes."""

    def make(self) -> Box:
        made = super().make()
        lanes = [msgspec.structs.replace(lane, has_stop=True) for lane in LANES]
        return Box(lanes, made._rules, made.tariff, made.lot, lambda: next(self.ids), "test", "box")


@pytest.fixture
def bench() -> Bench:
    bench = StopBench()
    assert bench.order("in", "lock").ok
    bench.commands.clear()
    return bench


def test_open_lifts_the_arm_when_durable_and_the_gate_lowers_it_again(bench: Bench) -> None:
    assert bench.order("in", "test_relay", relay="open").ok
    assert bench.count(RaiseArm) == 0  # invariant 8: durable first
    bench.store()
    assert bench.count(RaiseArm) == 1
    bench.wait(60_000)
    assert (bench.count(RaiseArm), bench.count(LowerArm)) == (1, 1)
    assert [(fact.direction, fact.who, fact.why) for fact in bench.bodies(ArmOrdered)] == [("up", "w", "y")]


def test_a_test_leaves_no_opening_behind_for_the_next_car(bench: Bench) -> None:
    assert bench.order("in", "test_relay", relay="open").ok
    bench.store()
    bench.wait(20_000)
    assert bench.order("in", "unlock").ok
    lane = bench.box._lanes["in"]
    assert (lane.credit, lane.memory.opened) == ("", "")


def test_close_goes_through_the_interlock(bench: Bench) -> None:
    assert bench.order("in", "test_relay", relay="close").ok
    assert bench.count(LowerArm) == 1
    bench.wait(20_000)
    bench.loops("in", safety=True)
    refused = bench.order("in", "test_relay", relay="close")
    assert not refused.ok
    assert bench.count(LowerArm) == 1


def test_stop_is_pulsed_and_recorded(bench: Bench) -> None:
    assert bench.order("in", "test_relay", relay="stop").ok
    assert bench.count(StopArm) == 1
    assert [fact.direction for fact in bench.bodies(ArmOrdered)] == ["stop"]


def test_a_relay_that_is_not_wired_is_refused() -> None:
    bench = Bench()
    bench.order("in", "lock")
    assert "not wired" in bench.order("in", "test_relay", relay="stop").en
    assert "not wired" in bench.order("in", "test_relay").en
    assert bench.count(StopArm) == 0


def test_only_at_a_locked_lane(bench: Bench) -> None:
    for relay in ("open", "close", "stop"):
        answer = bench.order("out", "test_relay", relay=relay)
        assert not answer.ok
        assert "lock the lane" in answer.en
    assert [bench.count(kind) for kind in (RaiseArm, LowerArm, StopArm)] == [0, 0, 0]
    assert [fact.ok for fact in bench.bodies(Ordered)][-3:] == [False] * 3


@pytest.mark.parametrize("relay", ["open", "close", "stop"])
@pytest.mark.parametrize("where", ["arrival", "safety"])
def test_only_without_a_car(bench: Bench, relay: str, where: str) -> None:
    bench.loops("in", **{where: True})
    bench.wait(5_000)
    assert not bench.order("in", "test_relay", relay=relay).ok
    bench.wait(30_000)
    assert [bench.count(kind) for kind in (RaiseArm, LowerArm, StopArm)] == [0, 0, 0]


@pytest.mark.parametrize("relay", ["open", "stop"])
def test_not_while_the_arm_is_up(bench: Bench, relay: str) -> None:
    assert bench.order("in", "test_relay", relay="open").ok
    bench.store()
    bench.wait(3_000)
    raised = bench.count(RaiseArm)
    assert not bench.order("in", "test_relay", relay=relay).ok
    assert (bench.count(RaiseArm), bench.count(StopArm)) == (raised, 0)


def test_an_order_to_open_asks_for_a_picture_and_one_for_a_waiting_car_does_not() -> None:
    bench = Bench()
    assert bench.order("in", "open").ok
    assert bench.order("out", "hold_open").ok
    assert [(one.lane, one.why) for one in bench.commands if isinstance(one, TriggerCamera)] == [
        ("in", "order"), ("out", "order"),
    ]  # fmt: skip
    waiting = Bench()
    waiting.loops("in", arrival=True)
    waiting.wait(4_000)
    waiting.commands.clear()
    assert waiting.order("in", "open").ok
    assert waiting.count(TriggerCamera) == 0
    city = Bench()
    assert city.order("in", "open", source="city").ok
    assert city.count(TriggerCamera) == 0


def test_a_program_is_not_ended_while_a_lane_is_in_use() -> None:
    bench = Bench()
    assert bench.box.in_use() == []
    bench.read("in", "鲁B12345")
    bench.loops("in", arrival=True)
    assert bench.box.in_use() == ["in"]
    bench.store()
    bench.drive("in")
    assert bench.box.in_use() == ["in"]
    bench.wait(30_000)
    assert bench.box.in_use() == []
    bench.order("out", "hold_open")
    bench.store()
    assert bench.box.in_use() == []
