"""A barrier that is away and comes back: an adapter pulled out, a board without power. What was asked is lost."""

from __future__ import annotations

import pytest

from edge.core.commands import LowerArm, RaiseArm
from edge.core.events import DeviceDown, DeviceUp, Emergency, LoopChanged
from edge.core.facts import Passed
from tests.lane_bench import Bench

AWAY = DeviceDown(lane="in", code="barrier_down", device="board", detail="gone")
BACK = DeviceUp(lane="in", code="barrier_down", device="board")


def asked(bench: Bench) -> str:
    return next(state.arm_asked for state in bench.box.lane_states() if state.id == "in")


def admitted(bench: Bench, plate: str = "鲁B12345") -> None:
    bench.loops("in", arrival=True)
    bench.read("in", plate)
    bench.store()


def raises(bench: Bench) -> int:
    return bench.count(RaiseArm)


def lowers(bench: Bench) -> int:
    return bench.count(LowerArm)


def test_nobody_knows_where_an_arm_is_whose_barrier_lost_the_order() -> None:
    bench = Bench()
    admitted(bench)
    assert asked(bench) == "up"
    bench.tell(AWAY)
    assert asked(bench) == ""


def test_a_car_that_was_admitted_meanwhile_gets_its_arm_when_the_barrier_is_back() -> None:
    bench = Bench()
    admitted(bench)
    bench.tell(AWAY)
    bench.wait(15_000)
    before = raises(bench)
    bench.tell(BACK)
    assert raises(bench) == before + 1
    before = lowers(bench)
    bench.drive("in")
    assert len(bench.bodies(Passed)) == 1
    bench.wait(30_000)
    assert lowers(bench) == before + 1


def test_the_car_behind_one_that_saw_the_adapter_go_is_let_in() -> None:
    """The arm comes down, its board and loops go, so it is asked up again and nobody hears that: the next admission
    must not take it for up."""
    bench = Bench()
    admitted(bench)
    before = lowers(bench)
    bench.drive("in")
    bench.wait(2_000)
    assert lowers(bench) == before + 1
    lost = raises(bench)
    bench.tell(LoopChanged(lane="in", loop="arrival", occupied=None))
    bench.tell(LoopChanged(lane="in", loop="safety", occupied=None))
    assert raises(bench) == lost + 1
    bench.tell(AWAY)
    bench.loops("in", arrival=False, safety=False)
    bench.tell(BACK)
    bench.wait(1_000)
    admitted(bench, "鲁B54321")
    assert raises(bench) == lost + 2


def test_nobody_waits_so_nothing_moves_when_the_barrier_is_back() -> None:
    bench = Bench()
    moved = len(bench.commands)
    bench.tell(AWAY)
    bench.tell(BACK)
    bench.wait(60_000)
    assert not [out for out in bench.commands[moved:] if isinstance(out, RaiseArm | LowerArm)]


def test_an_order_to_open_that_nobody_used_is_not_carried_out_late() -> None:
    bench = Bench()
    assert bench.order("in", "open").ok
    bench.store()
    bench.tell(AWAY)
    bench.wait(120_000)
    before = raises(bench)
    bench.tell(BACK)
    assert raises(bench) == before


@pytest.mark.parametrize("hold", ["fire", "order"])
def test_an_arm_that_has_to_stay_up_is_asked_up_again(hold: str) -> None:
    bench = Bench()
    if hold == "fire":
        bench.tell(AWAY)
        bench.tell(Emergency(active=True))
        bench.tell(AWAY)  # the order found no way out
    else:
        assert bench.order("in", "hold_open").ok
        bench.store()
        bench.tell(AWAY)
    before = raises(bench)
    bench.tell(BACK)
    assert raises(bench) == before + 1
    assert asked(bench) == "up"


def test_another_lanes_barrier_moves_nothing_here() -> None:
    bench = Bench()
    admitted(bench)
    before = raises(bench)
    bench.tell(DeviceDown(lane="out", code="barrier_down", device="board", detail="gone"))
    bench.tell(DeviceUp(lane="out", code="barrier_down", device="board"))
    assert (raises(bench), asked(bench)) == (before, "up")
