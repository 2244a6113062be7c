"""Coupons at the exit: before the car comes, while it waits to pay, when they cover all, over a restart (7.1.3.7)."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.admission import LotRules
from edge.core.box import Box
from edge.core.commands import Answer, RaiseArm
from edge.core.facts import Decided, Paid, Passed, PlateCorrected
from edge.core.facts_flow import CouponGiven
from edge.core.lot import LotState
from edge.core.orders_flow import CouponOrder
from edge.core.tariff import TariffRule
from tests.lane_bench import HOUR_MS, LANES, Bench

PLATE = "粤B88888"


class CouponBench(Bench):
    """A lot that charges like 江苏大厦 of 7.1.3.7: 15 yuan, then 3 an hour; its car has parked for three hours."""

    def __init__(self, **rules: Any) -> None:
        self.lot_rules = LotRules(**rules)
        super().__init__()

    def make(self) -> Box:
        return Box(
            LANES, self.lot_rules, TariffRule(0, 60, 1500, 60, 300, 0), LotState(20), lambda: next(self.ids), "test",
            "box",
        )  # fmt: skip

    def parked(self, ms: int = 3 * HOUR_MS - 10_000) -> None:
        self.read("in", PLATE)
        self.loops("in", arrival=True)
        self.store()
        self.drive("in")
        self.wait(ms)

    def coupon(self, number: str = "C1", plate: str = PLATE, command_id: str = "", **value: Any) -> Answer:
        order = CouponOrder(
            command_id=command_id or next(self.ids), source="city", city="shenzhen", who="w", why="y",
            coupon_no=number, plate=plate, given_ms=self.stamp().wall_ms, **value,
        )  # fmt: skip
        return next(out for out in self.tell(order) if isinstance(out, Answer))

    def at_the_exit(self, plate: str = PLATE) -> Decided:
        self.read("out", plate)
        self.loops("out", arrival=True)
        return self.bodies(Decided)[-1]

    def due_fen(self) -> int:
        return next(status.due_fen for status in self.box.lane_states() if status.id == "out")


def test_the_example_of_the_standard_at_the_arm() -> None:
    """21 yuan less a coupon of 11 are the hospital's 10."""
    bench = CouponBench()
    bench.parked()
    assert bench.coupon(coupon="amount", amount_fen=1100).ok
    decided = bench.at_the_exit()
    assert (decided.decision, decided.wait_for) == ("wait", "payment")
    assert decided.zh == f"{PLATE} 停车 2小时59分, 应缴 10.00 元 (停车费 21.00 元, 优惠 11.00 元)"
    assert bench.due_fen() == 1000
    assert bench.order("out", "pay_cash").ok
    bench.store()
    bench.drive("out")
    (paid,) = bench.bodies(Paid)
    assert (paid.due_fen, paid.paid_fen, paid.discount_fen) == (2100, 1000, 1100)
    assert [(used.coupon_no, used.saved_fen) for used in paid.coupons] == [("C1", 1100)]
    leaving = bench.bodies(Passed)[-1]
    assert (leaving.due_fen, leaving.paid_fen, leaving.discount_fen) == (2100, 1000, 1100)
    assert leaving.entry_lane == "in"


def test_a_coupon_that_comes_while_the_car_waits_changes_what_it_pays() -> None:
    """Annex A d): the discount comes when the car pays. Waiting costs nothing more meanwhile."""
    bench = CouponBench()
    bench.parked()
    bench.at_the_exit()
    assert bench.due_fen() == 2100
    bench.wait(120_000)
    bench.coupon(coupon="share", off_permille=300)
    assert bench.due_fen() == 1470
    bench.coupon("C2", coupon="amount", amount_fen=470)
    assert bench.due_fen() == 1000
    bench.coupon("C3", plate="粤B00000", coupon="all")
    assert bench.due_fen() == 1000


def test_coupons_that_cover_all_open_the_arm_and_are_told_as_a_payment() -> None:
    bench = CouponBench()
    bench.parked()
    bench.at_the_exit()
    raised = bench.count(RaiseArm)
    bench.coupon(coupon="all")
    (paid,) = bench.bodies(Paid)
    assert (paid.method, paid.due_fen, paid.paid_fen, paid.discount_fen) == ("coupon", 2100, 0, 2100)
    assert bench.bodies(Decided)[-1].rule == "exit_coupons"
    assert bench.count(RaiseArm) == raised  # durable first
    bench.store()
    assert bench.count(RaiseArm) == raised + 1
    bench.drive("out")
    assert bench.bodies(Passed)[-1].discount_fen == 2100
    assert bench.box.coupons.waiting == {}


def test_a_coupon_is_used_once() -> None:
    bench = CouponBench()
    bench.parked()
    bench.coupon(coupon="amount", amount_fen=1100, command_id="same")
    bench.at_the_exit()
    bench.order("out", "pay_cash")
    bench.store()
    bench.drive("out")
    assert bench.coupon(coupon="amount", amount_fen=1100, command_id="same").ok  # a late repetition
    assert len(bench.bodies(CouponGiven)) == 1
    bench.parked()
    bench.at_the_exit()
    assert bench.due_fen() == 2100


def test_a_coupon_before_the_car_has_come_is_kept_or_refused_by_setting() -> None:
    """SC47."""
    bench = CouponBench()
    assert bench.coupon(coupon="amount", amount_fen=1100).ok
    bench.parked()
    bench.at_the_exit()
    assert bench.due_fen() == 1000
    strict = CouponBench(coupon_hold=False)
    refused = strict.coupon(coupon="amount", amount_fen=1100)
    assert (refused.ok, refused.reason) == (False, "not_inside")
    strict.parked()
    assert strict.coupon(coupon="amount", amount_fen=1100).ok


def test_the_best_alone_by_setting() -> None:
    bench = CouponBench(coupon_stack="best")
    bench.parked()
    bench.coupon("C1", coupon="amount", amount_fen=1100)
    bench.coupon("C2", coupon="share", off_permille=300)
    bench.at_the_exit()
    assert bench.due_fen() == 1000


def test_it_survives_a_restart_from_facts_and_from_the_snapshot() -> None:
    bench = CouponBench()
    bench.parked()
    bench.coupon(coupon="amount", amount_fen=1100)
    again = bench.make()
    for fact in bench.facts:
        again.apply(fact)
    assert again.coupons == bench.box.coupons
    kept = bench.make()
    kept.restore(bench.box.encode())
    assert [each.coupon_no for each in kept.coupons.of(PLATE)] == ["C1"]


def test_a_person_takes_no_more_than_is_to_be_paid() -> None:
    bench = CouponBench()
    bench.parked()
    bench.coupon(coupon="amount", amount_fen=1100)
    bench.at_the_exit()
    refused = bench.order("out", "pay_cash", amount_fen=1001)
    assert not refused.ok
    assert "1000" in refused.en
    assert bench.order("out", "pay_free").ok
    (paid,) = bench.bodies(Paid)
    assert (paid.paid_fen, paid.discount_fen) == (0, 2100)


@pytest.mark.parametrize("read", ["粤B8888B", "粤BB8888"])
def test_a_corrected_plate_keeps_its_coupon_and_its_record_is_whole(read: str) -> None:
    bench = CouponBench()
    bench.parked()
    bench.coupon(coupon="amount", amount_fen=1100)
    bench.at_the_exit(read)
    assert bench.due_fen() == 1000
    (correction,) = bench.bodies(PlateCorrected)
    assert (correction.new, correction.entry_lane, correction.colour) == (PLATE, "in", "unknown")
    assert correction.entered is not None
