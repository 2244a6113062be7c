"""An order for the car at the arm names it: with another one there, nothing is booked and nothing opens."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.commands import RaiseArm
from edge.core.facts import Decided, Ordered, Paid, PlateCorrected
from edge.core.lane_status import LaneStatus
from tests.lane_bench import HOUR_MS, Bench

FIRST, SECOND = "粤BS7744", "粤BL4477"
CAR_ORDERS = ("let_in", "pay_cash", "pay_free", "correct_plate")


class Exit(Bench):
    """Two cars inside, the first one at the exit with its fee."""

    def __init__(self) -> None:
        super().__init__()
        for plate in (FIRST, SECOND):
            self.enter(plate)
        self.wait(2 * HOUR_MS)
        self.come(FIRST)

    def come(self, plate: str) -> None:
        self.read("out", plate)
        self.loops("out", arrival=True)

    def go(self) -> None:
        """It backs out of the exit again."""
        self.loops("out", arrival=False)
        self.wait(20_000)

    def shown(self) -> LaneStatus:
        return next(one for one in self.box.lane_states() if one.id == "out")

    def meaning(self, seen: LaneStatus) -> dict[str, Any]:
        return {"arrival_id": seen.arrival_id, "seen_plate": seen.plate, "order_id": seen.order_id}


def test_cash_for_a_car_that_has_gone_is_not_booked_for_the_next_one() -> None:
    bench = Exit()
    seen = bench.shown()
    assert (seen.plate, seen.state, seen.due_fen > 0) == (FIRST, "wait_payment", True)
    assert bench.order("out", "pay_cash").ok  # it pays some other way
    bench.store()
    bench.drive("out")
    bench.wait(20_000)
    bench.come(SECOND)
    assert bench.shown().plate == SECOND
    before = bench.count(RaiseArm)
    answer = bench.order("out", "pay_cash", amount_fen=seen.due_fen, **bench.meaning(seen))
    assert (answer.ok, answer.zh) == (False, f"本命令针对 {FIRST}, 现在停着的是 {SECOND}; 未执行")
    assert answer.en == f"this order was for {FIRST}, {SECOND} stands here now; nothing was done"
    bench.wait(5_000)
    assert [paid.plate for paid in bench.bodies(Paid)] == [FIRST]
    assert bench.count(RaiseArm) == before
    assert bench.shown().state == "wait_payment"
    kept = bench.bodies(Ordered)[-1]
    assert (kept.action, kept.ok, kept.target) == ("pay_cash", False, seen.arrival_id)
    assert bench.order("out", "pay_cash").ok  # the one that stands here, named as the view shows it
    assert bench.bodies(Paid)[-1].plate == SECOND


@pytest.mark.parametrize("action", CAR_ORDERS)
@pytest.mark.parametrize(
    ("stands", "words"), [(SECOND, f"现在停着的是 {SECOND}"), ("无牌", "现在停着的是 无牌车"), ("", "现在没有车")]
)
def test_every_order_for_a_car_is_refused_when_it_is_not_there(action: str, stands: str, words: str) -> None:
    bench = Exit()
    seen = bench.shown()
    bench.go()
    if stands:
        bench.come(stands)
        bench.wait(10_000)
    decided, raised = len(bench.bodies(Decided)), bench.count(RaiseArm)
    answer = bench.order("out", action, plate="粤B99999", amount_fen=500, **bench.meaning(seen))
    assert (answer.ok, FIRST in answer.zh, words in answer.zh) == (False, True, True), answer.zh
    assert (len(bench.bodies(Decided)), bench.count(RaiseArm)) == (decided, raised)
    assert bench.bodies(Paid) == []
    assert bench.bodies(PlateCorrected) == []


@pytest.mark.parametrize("action", CAR_ORDERS)
def test_an_order_that_names_no_car_is_refused(action: str) -> None:
    bench = Exit()
    answer = bench.order("out", action, plate="粤B99999", arrival_id="", seen_plate=None)
    assert not answer.ok
    assert answer.zh.startswith("命令未指明车辆")
    assert answer.en.startswith("arrival_id: ")
    assert bench.shown().state == "wait_payment"


def test_the_same_arrival_under_another_plate_or_order_is_another_car() -> None:
    """Just after a start a read of a car that has gone may first have been taken for this one's."""
    bench = Exit()
    told = bench.order("out", "let_in", seen_plate="粤B00001")
    assert (told.ok, "粤B00001" in told.zh, FIRST in told.zh) == (False, True, True)
    assert not bench.order("out", "pay_free", order_id="").ok
    assert bench.order("out", "pay_cash", order_id="0" * 32).zh == f"本命令针对 {FIRST}, 该车的订单已变; 未执行"
    assert bench.bodies(Paid) == []
    assert bench.order("out", "pay_free").ok


def test_whoever_tells_no_plate_is_told_what_stands_there() -> None:
    bench = Exit()
    answer = bench.order("out", "let_in", arrival_id="0" * 32, seen_plate=None)
    assert answer.zh == f"本命令针对 另一辆车, 现在停着的是 {FIRST}; 未执行"


def test_an_id_that_was_used_for_one_car_does_nothing_for_another() -> None:
    bench = Exit()
    assert bench.order("out", "let_in", command_id="c1").ok
    repeat = bench.order("out", "let_in", command_id="c1")
    assert (repeat.ok, repeat.zh) == (True, "正在抬杆")  # the first answer again
    assert bench.order("out", "let_in", command_id="c1", arrival_id="0" * 32).zh == "该命令编号已用于另一命令"


def test_a_car_that_is_admitted_is_not_let_in_again() -> None:
    bench = Exit()
    assert bench.order("out", "let_in").ok
    assert bench.order("out", "let_in").zh == "该车不在等待, 已放行"


def test_an_order_for_the_lane_needs_no_car_and_obeys_one_that_is_named() -> None:
    bench = Exit()
    assert not bench.order("out", "open", arrival_id="0" * 32).ok
    assert bench.order("out", "open").ok


def test_a_waived_fee_is_not_said_to_have_been_paid() -> None:
    bench = Exit()
    assert bench.order("out", "pay_free").zh == "免费放行, 正在抬杆"
    assert (bench.bodies(Decided)[-1].zh, bench.shown().why_zh) == ("免费放行, 请通行", "免费放行, 请通行")
    assert bench.bodies(Paid)[-1].discount_fen == bench.bodies(Paid)[-1].due_fen > 0
