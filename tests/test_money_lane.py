"""Payment at the exit told event by event: quoted, noticed, paid twice, late, short, overtime, after a restart."""

from __future__ import annotations

import pytest

from edge.core.box_money import SILENT_MS
from edge.core.commands import RaiseArm
from edge.core.facts import Decided, Paid
from edge.core.facts_money import Owed, PaymentNoticed, Quoted, RefundDue
from edge.core.order_table import Order
from tests.money_box import MIN_MS, PLATE, MoneyBench


@pytest.fixture
def money() -> MoneyBench:
    return MoneyBench()


def test_a_notice_opens_the_arm_once_it_is_durable(money: MoneyBench) -> None:
    money.parked()
    decided = money.come()
    assert (decided.wait_for, decided.due_fen) == ("payment", 500)
    told = money.quote()
    assert (told.order_id, told.lane, told.pay_fen) == (decided.order_id, "out", 500)
    assert money.state_of(told.order_id) is Order.WAITING
    raised = money.count(RaiseArm)
    assert money.pay(told.order_id, 500).ok
    assert money.state_of(told.order_id) is Order.PAID
    assert money.bodies(Decided)[-1].rule == "exit_paid"
    assert money.count(RaiseArm) == raised
    passed = money.go()
    assert money.count(RaiseArm) == raised + 1
    assert (passed.due_fen, passed.paid_fen, passed.discount_fen) == (500, 500, 0)
    (paid,) = money.bodies(Paid)
    assert (paid.method, paid.pay_type, paid.paid_fen, paid.overtime) == ("online", "WX", 500, False)
    assert money.state_of(told.order_id) is Order.CLOSED


def test_paid_on_the_way_it_leaves_within_its_minutes_without_paying(money: MoneyBench) -> None:
    money.parked()
    told = money.quote()
    assert (told.pay_fen, told.leave_min, told.lane) == (500, 15, "")
    assert money.quote().order_id == told.order_id
    assert len(money.bodies(Quoted)) == 1  # asked again: the same order, nothing more on the card
    money.pay(told.order_id, 500)
    assert money.state_of(told.order_id) is Order.GRACE
    money.wait(14 * MIN_MS)
    again = money.ask("quote", plate=PLATE)
    assert (again.reason, again.quote.rest_min if again.quote else None) == ("in_grace", 1)
    assert money.come().rule == "exit_paid"
    assert money.go().paid_fen == 500


def test_after_its_minutes_it_owes_what_the_whole_stay_costs_more(money: MoneyBench) -> None:
    money.parked()
    first = money.quote()
    money.pay(first.order_id, 500)
    money.wait(15 * MIN_MS + 1)
    decided = money.come()  # 1 h 15 min: 5 + 2
    assert (decided.wait_for, decided.due_fen, decided.zh.endswith("超时补缴")) == ("payment", 200, True)
    assert decided.order_id != first.order_id
    assert money.state_of(first.order_id) is Order.OVERTIME
    told = money.quote()
    assert (told.overtime, told.settled_fen, told.pay_fen) == (True, 500, 200)
    money.pay(told.order_id, 200)
    assert money.go().paid_fen == 700
    assert [paid.overtime for paid in money.bodies(Paid)] == [False, True]


def test_paid_twice_the_second_is_to_be_given_back(money: MoneyBench) -> None:
    money.parked()
    told = money.quote()
    assert money.pay(told.order_id, 500, 1).reason == ""
    twice = money.pay(told.order_id, 500, 2)
    assert (twice.ok, twice.reason) == (True, "refund_due")
    (refund,) = money.bodies(RefundDue)
    assert (refund.amount_fen, refund.cause, refund.order_id) == (500, "again", told.order_id)
    assert len(money.bodies(Paid)) == 1


def test_what_is_given_back_is_no_more_than_was_taken(money: MoneyBench) -> None:
    money.parked()
    told = money.quote()
    money.pay(told.order_id, 500, 1)
    money.pay(told.order_id, 500, 2)
    assert money.ask("refund", order_id=told.order_id, amount_fen=500).ok
    assert money.state_of(told.order_id) is Order.GRACE  # the second payment: the first stands
    assert money.box.money.orders.by_id[told.order_id].refund_due_fen == 0
    refused = money.ask("refund", order_id=told.order_id, amount_fen=501)
    assert (refused.ok, "up to 500" in refused.en) == (False, True)
    assert money.ask("refund", order_id=told.order_id, amount_fen=500).ok
    assert money.state_of(told.order_id) is Order.REFUNDED
    assert money.quote().pay_fen == 500  # what was given back is owed again
    assert money.ask("refund", order_id="f" * 32, amount_fen=1).reason == "unknown_order"


def test_a_notice_repeated_is_answered_alike_and_taken_once(money: MoneyBench) -> None:
    money.parked()
    told = money.quote()
    first = money.pay(told.order_id, 500, 7, command_id="seq1")
    again = money.pay(told.order_id, 500, 7, command_id="seq1")  # the same message
    assert again == first
    other = money.pay(told.order_id, 500, 7, command_id="seq2")  # the same payment in another message
    assert (other.ok, other.reason) == (True, "")
    polled = money.pay(told.order_id, 500, 9, how="poll")  # 14 says so too, with another clock
    assert (polled.ok, polled.reason) == (True, "")
    assert (len(money.bodies(Paid)), len(money.bodies(RefundDue)), len(money.bodies(PaymentNoticed))) == (1, 0, 1)
    assert money.ask("payment", command_id="seq1", order_id="other").reason == "id_used"


@pytest.mark.parametrize("asked_at_ms", [7, 0])
def test_a_payment_that_was_asked_for_before_its_notice_came_is_one(money: MoneyBench, asked_at_ms: int) -> None:
    """14 tells it with its number, 19 has none: no refund may come of that, and the next second is another payment."""
    money.parked()
    told = money.quote()
    money.pay(told.order_id, 500, asked_at_ms, how="poll", transaction_id="tx-1")
    assert money.pay(told.order_id, 500, 7).reason == ""
    assert (len(money.bodies(Paid)), money.bodies(RefundDue)) == (1, [])
    if asked_at_ms:
        assert money.pay(told.order_id, 500, 1007).reason == "refund_due"


def test_a_payment_found_by_asking_after_cash_is_to_be_given_back_once(money: MoneyBench) -> None:
    """Its notice was lost, the attendant took cash meanwhile: the driver has paid twice."""
    money.parked()
    decided = money.come()
    money.quote()
    assert money.order("out", "pay_cash").ok
    for _ in range(2):
        polled = money.pay(decided.order_id, 500, 7, how="poll", transaction_id="tx-1")
        assert polled.ok
    (refund,) = money.bodies(RefundDue)
    assert (refund.amount_fen, refund.cause, refund.order_id) == (500, "again", decided.order_id)
    assert [paid.method for paid in money.bodies(Paid)] == ["cash"]


def test_too_little_too_much_and_for_nobody(money: MoneyBench) -> None:
    money.parked()
    told = money.quote()
    short = money.pay(told.order_id, 499)
    assert (short.ok, short.reason) == (False, "short")
    assert money.state_of(told.order_id) is Order.QUOTED
    assert money.pay(told.order_id, 650, 2).reason == "refund_due"
    unknown = money.pay("f" * 32, 100)
    assert (unknown.ok, unknown.reason) == (False, "unknown_order")
    assert money.pay("f" * 32, 100).reason == "unknown_order"
    assert [(due.amount_fen, due.cause) for due in money.bodies(RefundDue)] == [
        (499, "short"), (150, "over"), (100, "unknown"),
    ]  # fmt: skip


def test_an_older_quote_that_a_phone_still_shows_is_honoured(money: MoneyBench) -> None:
    money.parked()
    shown = money.quote()
    money.wait(2 * MIN_MS)
    assert money.quote().pay_fen == 700
    assert money.pay(shown.order_id, 500).ok
    assert money.come().rule == "exit_paid"


def test_money_that_comes_after_the_wait_was_over_still_opens(money: MoneyBench) -> None:
    money.parked()
    decided = money.come()
    money.wait(300_000)
    assert money.bodies(Decided)[-1].rule == "wait_payment_timeout"
    money.pay(decided.order_id, 500)
    assert money.bodies(Decided)[-1].rule == "exit_paid"
    assert money.go().paid_fen == 500


def test_only_the_lane_where_its_car_stands_opens(money: MoneyBench) -> None:
    money.parked()
    money.parked(plate="鲁B99999")
    elsewhere = money.quote(PLATE)
    money.come("鲁B99999")
    raised = money.count(RaiseArm)
    money.pay(elsewhere.order_id, elsewhere.pay_fen)
    money.wait(10_000)
    assert money.count(RaiseArm) == raised
    assert money.bodies(Decided)[-1].wait_for == "payment"


def test_a_car_that_backs_out_after_paying_has_its_minutes(money: MoneyBench) -> None:
    money.parked()
    decided = money.come()
    money.loops("out", arrival=False)
    money.wait(40_000)
    assert money.state_of(decided.order_id) is Order.QUOTED
    money.pay(decided.order_id, 500)
    assert money.come().rule == "exit_paid"


def test_a_car_that_waits_while_the_agent_falls_silent_goes_by_the_setting() -> None:
    money = MoneyBench(away="owe")
    money.parked()
    money.ask("city_link", up=True)
    money.wait(60_000)
    money.come()
    heard_ms = money.now_ms - 60_000
    money.wait(SILENT_MS - 60_000 - 1)  # told by the deadline alone: nobody does or says anything
    assert money.bodies(Decided)[-1].wait_for == "payment"
    assert money.box.deadline_ms is not None
    assert money.box.deadline_ms <= heard_ms + SILENT_MS + 1
    money.wait(2)
    assert money.bodies(Decided)[-1].rule == "exit_owed"
    money.go()
    assert money.bodies(Owed)[0].cause == "city_away"


def test_an_agent_that_speaks_in_time_leaves_the_car_waiting() -> None:
    money = MoneyBench(away="owe")
    money.parked()
    money.ask("city_link", up=True)
    money.come()
    money.wait(SILENT_MS - 1)
    money.ask("city_link", up=True)
    money.wait(60_000)
    assert money.bodies(Decided)[-1].wait_for == "payment"


def test_a_silent_agent_changes_nothing_where_the_operator_decides(money: MoneyBench) -> None:
    money.parked()
    money.ask("city_link", up=True)
    money.come()
    decisions = len(money.bodies(Decided))
    money.wait(SILENT_MS + 60_000)
    assert len(money.bodies(Decided)) == decisions


@pytest.mark.parametrize("how", ["facts", "snapshot"])
def test_a_restart_forgets_no_order(money: MoneyBench, how: str) -> None:
    money.parked()
    decided = money.come()
    money.again(how)
    money.wait(40_000)
    assert money.come().order_id == decided.order_id
    money.pay(decided.order_id, 500)
    assert money.bodies(Decided)[-1].rule == "exit_paid"
