"""A car that waits to pay while the lane program dies and starts again: the same car, or not surely the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.core.commands import RaiseArm
from edge.core.events import LimitChanged
from edge.core.facts import ArmOrdered, BackedOut, Decided, Fact, Paid, Passed, Stamp
from edge.core.facts_money import Quoted
from edge.core.order_table import Order
from tests.money_box import PLATE, MoneyBench

OTHER = "鲁B99999"
READ_MS = 6_000
"""Twice `read_ms`: the camera is asked at the start and once more."""

PAYMENT_MS = 300_000


@pytest.fixture
def money() -> MoneyBench:
    """A car that owes 5 yuan at the exit, asked to pay."""
    bench = MoneyBench()
    bench.parked()
    assert bench.come().wait_for == "payment"
    return bench


def dies(money: MoneyBench, how: str = "facts") -> None:
    """kill -9; what it had kept is there again, and nobody knows yet what the loops see."""
    fresh = money.make()
    if how == "facts":
        for fact in money.facts:
            fresh.apply(fact)
    else:
        fresh.restore(money.box.encode())
    money.box = fresh
    money.now_ms += 2_000
    money.take(fresh.start(money.stamp()))


def starts(money: MoneyBench, how: str = "facts", *, here: bool = True) -> None:
    dies(money, how)
    money.loops("in", arrival=False, safety=False)
    money.loops("out", arrival=here, safety=False)


def state(money: MoneyBench) -> str:
    return next(lane.state for lane in money.box.lane_states() if lane.id == "out")


@pytest.mark.parametrize("how", ["facts", "snapshot"])
def test_it_is_there_again_and_its_payment_lets_it_out_once(money: MoneyBench, how: str) -> None:
    asked = money.bodies(Decided)[-1]
    starts(money, how)
    money.wait(READ_MS)
    again = money.bodies(Decided)[-1]
    assert (again.arrival_id, again.plate, again.read_id) == (asked.arrival_id, PLATE, asked.read_id)
    assert (again.wait_for, again.order_id, again.due_fen) == ("payment", asked.order_id, 500)
    assert (len(money.bodies(Quoted)), money.bodies(BackedOut)) == (1, [])
    money.wait(200_000)
    raised = money.count(RaiseArm)
    assert money.pay(asked.order_id, 500).ok
    passed = money.go()
    assert money.count(RaiseArm) == raised + 1
    assert (passed.plate, passed.admitted, passed.paid_fen, passed.rule) == (PLATE, True, 500, "exit_paid")
    assert (len(money.bodies(Paid)), len(money.bodies(Passed))) == (1, 2)  # it had come in as well


def test_paid_before_its_camera_had_its_time_it_goes_out_after_that(money: MoneyBench) -> None:
    order_id = money.bodies(Decided)[-1].order_id
    starts(money)
    raised, decided = money.count(RaiseArm), len(money.bodies(Decided))
    money.wait(100)
    assert money.pay(order_id, 500).ok
    assert money.state_of(order_id) is Order.PAID
    money.wait(READ_MS - 101)
    assert (money.count(RaiseArm), len(money.bodies(Decided))) == (raised, decided)
    money.wait(1)
    assert money.bodies(Decided)[-1].rule == "exit_paid"
    assert money.go().paid_fen == 500
    assert money.count(RaiseArm) == raised + 1


def test_read_again_it_is_judged_at_once(money: MoneyBench) -> None:
    asked = money.bodies(Decided)[-1]
    starts(money)
    money.wait(500)
    money.read("out", PLATE)
    again = money.bodies(Decided)[-1]
    assert (again.arrival_id, again.order_id, again.wait_for) == (asked.arrival_id, asked.order_id, "payment")
    assert again.read_id != asked.read_id
    assert money.bodies(BackedOut) == []


def test_read_as_another_one_it_has_gone_and_its_money_opens_for_nobody() -> None:
    money = MoneyBench()
    money.parked(plate=OTHER)
    money.parked()
    asked = money.come()
    starts(money)
    raised = money.count(RaiseArm)
    money.wait(500)
    money.read("out", OTHER)
    other = money.bodies(Decided)[-1]
    assert (other.plate, other.wait_for) == (OTHER, "payment")
    assert other.arrival_id != asked.arrival_id
    assert [gone.arrival_id for gone in money.bodies(BackedOut)] == [asked.arrival_id]
    assert money.pay(asked.order_id, 500).ok
    money.wait(20_000)
    assert (money.count(RaiseArm), state(money)) == (raised, "wait_payment")


def test_where_the_loop_is_clear_it_has_gone(money: MoneyBench) -> None:
    asked = money.bodies(Decided)[-1]
    starts(money, here=False)
    money.wait(1_000)
    assert money.bodies(BackedOut) == []  # as long as a drop-out of the loop may last
    money.wait(1_000)
    assert [gone.arrival_id for gone in money.bodies(BackedOut)] == [asked.arrival_id]
    assert money.state_of(asked.order_id) is Order.QUOTED
    raised = money.count(RaiseArm)
    money.pay(asked.order_id, 500)
    money.wait(20_000)
    assert (money.count(RaiseArm), state(money)) == (raised, "down")
    money.wait(20_000)
    assert money.come().rule == "exit_paid"


def test_a_drop_out_of_the_loop_at_the_start_is_not_its_end(money: MoneyBench) -> None:
    asked = money.bodies(Decided)[-1]
    starts(money, here=False)
    money.wait(1_000)
    money.loops("out", arrival=True)
    money.wait(READ_MS)
    assert money.bodies(Decided)[-1].arrival_id == asked.arrival_id
    assert (state(money), money.bodies(BackedOut)) == ("wait_payment", [])


def aged(money: MoneyBench) -> None:
    money.now_ms += PAYMENT_MS
    starts(money)


def without_power(money: MoneyBench) -> None:
    money.stamp = lambda: Stamp("another boot", money.now_ms, 1_700_000_000_000 + money.now_ms, synced=True)  # type: ignore[method-assign]
    starts(money)


def another_was_read(money: MoneyBench) -> None:
    money.read("out", OTHER)
    starts(money)


def someone_under_the_arm(money: MoneyBench) -> None:
    dies(money)
    money.loops("in", arrival=False, safety=False)
    money.loops("out", arrival=True, safety=True)


def it_may_be_under_the_arm_itself(money: MoneyBench) -> None:
    dies(money)
    money.loops("in", arrival=False, safety=False)
    money.loops("out", arrival=False, safety=True)


def held_open(money: MoneyBench) -> None:
    assert money.order("out", "hold_open").ok
    starts(money)


def opened_by_a_person(money: MoneyBench) -> None:
    assert money.order("in", "open").ok  # no car there; the same at the exit, as its ledger would say it
    opened = money.facts.pop()
    while not isinstance(opened.body, ArmOrdered):
        opened = money.facts.pop()
    money.facts.append(Fact(opened.id, "out", opened.stamp, opened.body))
    starts(money)


def it_may_have_followed_one_ahead(money: MoneyBench) -> None:
    admitted_one_ahead(money, here=False)


def admitted_one_ahead(money: MoneyBench, *, here: bool = True) -> None:
    """Its passage was not durable yet."""
    body = Decided(arrival_id="a" * 32, read_id="b" * 32, plate=OTHER, decision="admit", rule="exit_free", zh="", en="")
    waiting = money.facts.pop()
    while not isinstance(waiting.body, Decided):
        waiting = money.facts.pop()
    money.facts += [Fact("c" * 32, "out", waiting.stamp, body), waiting]
    starts(money, here=here)


@pytest.mark.parametrize(
    "happens",
    [
        aged, without_power, another_was_read, someone_under_the_arm, it_may_be_under_the_arm_itself, held_open,
        opened_by_a_person, admitted_one_ahead, it_may_have_followed_one_ahead,
    ],
)  # fmt: skip
def test_not_surely_the_same_its_money_opens_nothing(money: MoneyBench, happens: Callable[[MoneyBench], None]) -> None:
    order_id = money.bodies(Decided)[-1].order_id
    happens(money)
    admits = [body for body in money.bodies(Decided) if body.decision == "admit"]
    money.pay(order_id, 500)
    money.wait(20_000)
    assert [body for body in money.bodies(Decided) if body.decision == "admit"] == admits
    assert all(body.plate != PLATE for body in money.bodies(BackedOut))


def test_an_arm_that_is_seen_up_says_that_it_may_have_gone() -> None:
    money = MoneyBench()
    money.parked()
    asked = money.come()
    dies(money)
    money.tell(LimitChanged(lane="out", end="up", active=True))
    money.loops("out", arrival=True, safety=False)
    money.wait(READ_MS)
    assert money.bodies(Decided)[-1].arrival_id != asked.arrival_id
    assert state(money) == "wait_confirm"


def test_each_start_in_the_wait_leaves_its_end_where_it_was(money: MoneyBench) -> None:
    """However often the program starts, the first question to pay counts: a read from then says less and less."""
    asked = money.bodies(Decided)[-1]
    for _ in range(2):
        money.wait(PAYMENT_MS // 2 - 10_000)
        starts(money)
        money.wait(READ_MS)
        assert money.bodies(Decided)[-1].arrival_id == asked.arrival_id
    money.wait(20_000)
    starts(money)
    money.wait(READ_MS)
    assert state(money) == "wait_confirm"


def test_a_car_ahead_that_goes_under_the_arm_unasked_does_not_end_the_wait_behind_it(money: MoneyBench) -> None:
    asked = money.bodies(Decided)[-1]
    under = Decided(arrival_id="a" * 32, read_id="", plate="", decision="refuse", rule="under_arm", zh="", en="")
    money.facts.append(Fact("c" * 32, "out", money.stamp(), under))
    passed = Passed(arrival_id="a" * 32, direction="out", plate="", admitted=False, how="tailgate")
    money.facts.append(Fact("d" * 32, "out", money.stamp(), passed))
    starts(money)
    money.wait(READ_MS)
    assert money.bodies(Decided)[-1].arrival_id == asked.arrival_id


def test_refused_meanwhile_a_person_is_asked(money: MoneyBench) -> None:
    money.wait(PAYMENT_MS)
    assert money.bodies(Decided)[-1].rule == "wait_payment_timeout"
    starts(money)
    money.wait(READ_MS)
    assert state(money) == "wait_confirm"
