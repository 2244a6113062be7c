"""The city and the exit: away, seamless payment, the static code, tariffs it sends, told event by event."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.commands import Answer
from edge.core.facts import Decided, Paid
from edge.core.facts_money import DeductionAsked, Owed, PaymentNoticed, TariffSet
from edge.core.money import Terms
from edge.core.order_table import Order
from edge.core.orders_money import ScanCoupon
from edge.core.tariff_plan import ClassPrice, Rate, TariffPlan
from tests.lane_bench import HOUR_MS
from tests.money_box import BOARD, MIN_MS, PLATE, MoneyBench


@pytest.fixture
def money() -> MoneyBench:
    return MoneyBench()


# --- the city is away ------------------------------------------------------------------------------------------------


def test_while_the_city_is_away_it_is_let_out_and_pays_later_by_setting() -> None:
    money = MoneyBench(away="owe")
    money.parked()
    assert money.ask("city_link", up=True).ok
    decided = money.come()
    assert decided.wait_for == "payment"
    money.ask("city_link", up=False)
    assert money.bodies(Decided)[-1].rule == "exit_owed"
    money.go()
    assert money.bodies(Owed)[0].pay_fen == 500
    assert money.state_of(decided.order_id) is Order.OWED
    assert money.box.money.owed() == [decided.order_id]
    late = money.pay(decided.order_id, 500)
    assert (late.ok, money.bodies(PaymentNoticed)[-1].outcome) == (True, "late")
    assert money.bodies(Paid)[-1].paid_fen == 500
    assert money.state_of(decided.order_id) is Order.CLOSED
    assert money.pay(decided.order_id, 500, 2).reason == "refund_due"


def test_an_agent_that_has_fallen_silent_is_a_city_that_is_away() -> None:
    money = MoneyBench(away="owe")
    money.ask("city_link", up=True)
    money.parked()
    assert money.come().rule == "exit_owed"  # nobody spoke for an hour
    money.go()
    money.ask("city_link", up=True)
    money.parked()
    money.ask("city_link", up=True)
    assert money.come().rule == "exit_payment"


def test_while_the_city_is_away_it_waits_for_the_operator_by_default(money: MoneyBench) -> None:
    money.parked()
    money.ask("city_link", up=False)
    assert money.come().wait_for == "payment"
    assert money.order("out", "pay_cash").ok
    assert money.go().paid_fen == 500
    assert money.bodies(Owed) == []


# --- seamless payment ------------------------------------------------------------------------------------------


def sign(money: MoneyBench, mode: str, **more: Any) -> Answer:
    return money.ask("seamless", plate=PLATE, signed=True, mode=mode, user_id="u1", **more)


def test_deducted_before_the_exit(money: MoneyBench) -> None:
    money.parked()
    assert sign(money, "before").ok
    decided = money.come()
    assert (decided.wait_for, decided.rule) == ("payment", "exit_deducting")
    (asked,) = money.bodies(DeductionAsked)
    assert (asked.mode, asked.pay_fen, asked.user_id, asked.order_id) == ("before", 500, "u1", decided.order_id)
    money.pay(decided.order_id, 500, how="deduction")
    assert money.go().paid_fen == 500
    (paid,) = money.bodies(Paid)
    assert (paid.method, paid.user_id) == ("seamless", "u1")


def test_a_deduction_that_fails_leaves_the_code_to_pay_by(money: MoneyBench) -> None:
    money.parked()
    sign(money, "before")
    decided = money.come()
    assert money.ask("payment", order_id=decided.order_id, result="failed", how="deduction", detail="余额不足").ok
    lane = next(status for status in money.box.lane_states() if status.id == "out")
    assert lane.state == "wait_payment"
    assert "正在扣款" not in lane.why_zh
    money.pay(decided.order_id, 500)
    assert money.go().paid_fen == 500
    assert len(money.bodies(DeductionAsked)) == 1


def test_deducted_after_the_exit_it_goes_and_its_order_is_owed(money: MoneyBench) -> None:
    money.parked()
    sign(money, "after")
    decided = money.come()
    assert (decided.decision, decided.rule) == ("admit", "exit_seamless")
    money.go()
    asked, owed = money.bodies(DeductionAsked)[0], money.bodies(Owed)[0]
    assert (asked.mode, owed.cause, owed.pay_fen) == ("after", "seamless_after", 500)
    assert money.pay(owed.order_id, 500, how="deduction").ok
    assert money.bodies(PaymentNoticed)[-1].outcome == "late"


@pytest.mark.parametrize(
    ("mode", "limits"),
    [("before", {"limit_fen": 499}), ("after", {"limit_fen": 499}), ("before", {"balance_fen": 499})],
)
def test_over_its_limit_it_pays_as_any_other(money: MoneyBench, mode: str, limits: dict[str, int]) -> None:
    money.parked()
    sign(money, mode, **limits)
    assert money.come().rule == "exit_payment"
    assert money.bodies(DeductionAsked) == []


def test_signing_off_while_inside_and_an_older_word(money: MoneyBench) -> None:
    """21: the change counts at the exit; QC87: an older one does not come back."""
    money.parked()
    sign(money, "before", city_ms=1_000)
    money.ask("seamless", plate=PLATE, signed=False, mode="before", how="change", city_ms=2_000)
    assert sign(money, "before", city_ms=1_000).reason == "older"
    assert money.come().rule == "exit_payment"
    gone = money.ask("seamless", plate="鲁B00000", signed=True, mode="before")
    assert (gone.ok, gone.reason) == (False, "not_inside")


# --- 22: the static code ---------------------------------------------------------------------------------------


def test_the_code_at_the_exit_is_answered_with_the_order_of_the_car_there(money: MoneyBench) -> None:
    money.parked()
    assert money.ask("scan", lane="out").reason == "no_car"
    decided = money.come()
    told = money.ask("scan", lane="out")
    assert told.quote is not None
    assert (told.quote.order_id, told.quote.pay_fen, told.quote.plate) == (decided.order_id, 500, PLATE)
    assert money.ask("scan", lane="nowhere").reason == "unknown_lane"


def test_a_coupon_of_the_code_is_taken_off(money: MoneyBench) -> None:
    money.parked()
    money.come()
    coupon = ScanCoupon(coupon_no="c1", coupon="amount", amount_fen=200)
    told = money.ask("scan", lane="out", coupons=(coupon,))
    assert told.quote is not None
    assert (told.quote.due_fen, told.quote.discount_fen, told.quote.pay_fen) == (500, 200, 300)
    money.pay(told.quote.order_id, 300)
    passed = money.go()
    assert (passed.due_fen, passed.paid_fen, passed.discount_fen) == (500, 300, 200)
    assert money.box.coupons.waiting == {}


def test_a_car_without_plate_goes_in_and_out_by_its_credential(money: MoneyBench) -> None:
    money.read("in", "")
    money.loops("in", arrival=True)
    assert money.bodies(Decided)[-1].rule == "no_plate"
    assert money.ask("scan", lane="in").reason == "bad_value"
    assert money.ask("scan", lane="in", credential="V1").reason == "admitted"
    money.store()
    money.drive("in")
    money.wait(HOUR_MS - 22_700 + 20_000)
    by_phone = money.ask("scan", credential="V1")
    assert by_phone.quote is not None
    assert by_phone.quote.pay_fen == 500
    money.come("")
    assert money.bodies(Decided)[-1].rule == "exit_no_plate"
    told = money.ask("scan", lane="out", credential="V1")
    assert told.quote is not None
    assert (told.quote.lane, told.quote.pay_fen, told.quote.credential) == ("out", 500, "V1")
    money.pay(told.quote.order_id, 500)
    passed = money.go()
    assert (passed.paid_fen, passed.plate) == (500, "")
    assert (money.box.lot.inside, money.box.money.credentials) == ({}, {})


# --- 23, 24: tariffs -------------------------------------------------------------------------------------------


def test_a_tariff_deleted_in_use_prices_the_cars_that_came_under_it(money: MoneyBench) -> None:
    money.enter("鲁B00001")  # under the box's own
    assert money.ask("tariff", tariff_id="t1", param=BOARD, leave_min=20, city_ms=5).ok
    money.enter(PLATE)
    assert money.ask("tariff_delete", tariff_id="t1", city_ms=6).ok
    assert money.ask("tariff_delete", tariff_id="t1", city_ms=6).ok  # again
    money.enter("鲁B00003")
    money.wait(30 * MIN_MS)
    told = money.quote(PLATE)
    assert (told.pay_fen, told.leave_min) == (1000, 20)
    assert money.quote("鲁B00001").pay_fen == 500
    assert money.quote("鲁B00003").pay_fen == 500
    money.pay(told.order_id, 1000)
    money.come(PLATE)
    money.go()
    assert [kept.tariff_id for kept in money.box.money.tariffs.versions.values()] == ["local"]


def test_the_boxes_own_tariff_changed_in_the_config_prices_who_comes_from_then_on(money: MoneyBench) -> None:
    money.parked(10 * MIN_MS)
    money.terms = Terms(plan=TariffPlan(ClassPrice((Rate(60, 900),))))
    money.again("facts", same=False)
    money.wait(60_000)
    money.enter("鲁B22222")
    money.wait(20 * MIN_MS)
    assert money.quote(PLATE).pay_fen == 500
    assert money.quote("鲁B22222").pay_fen == 900
    assert len(money.bodies(TariffSet)) == 2


def test_a_foreign_tariff_is_refused_with_what_is_wrong_and_changes_nothing(money: MoneyBench) -> None:
    bad = money.ask("tariff", tariff_id="t1", param='{"type": 3}', leave_min=20)
    assert (bad.ok, bad.reason) == (False, "bad_value")
    assert "param.form" in bad.en
    assert [tariff.tariff_id for tariff in money.bodies(TariffSet)] == ["local"]
    assert money.ask("tariff_delete", tariff_id="t9").reason == "unknown_tariff"
    money.ask("tariff", tariff_id="t1", param=BOARD, leave_min=20, city_ms=9)
    assert money.ask("tariff", tariff_id="t1", param=BOARD, leave_min=1, city_ms=8).reason == "older"


def test_a_step_of_the_clock_changes_no_fee(money: MoneyBench) -> None:
    money.ask("tariff", tariff_id="t1", leave_min=20, param=BOARD.replace("1000}", '1000, "cap_fen": 5000}'))
    money.parked(3 * HOUR_MS)
    before = money.quote().pay_fen
    stamp = money.stamp
    money.stamp = lambda: stamp().__class__("boot", money.now_ms, stamp().wall_ms + 7 * HOUR_MS, True)  # type: ignore[method-assign]
    assert money.quote().pay_fen == before == 3000
