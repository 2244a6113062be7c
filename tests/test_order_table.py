"""The table of orders: whole, and true whatever comes in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.core.order_table import TABLE, Order, Turn

PAID = {Order.PAID, Order.GRACE, Order.OVERTIME, Order.CLOSED}


def test_every_state_answers_every_signal() -> None:
    assert set(TABLE) == set(Order)
    assert all(set(row) == set(Turn) for row in TABLE.values())
    assert all(bool(step.money) is (turn is Turn.PAY) for row in TABLE.values() for turn, step in row.items())


@given(st.lists(st.sampled_from(list(Turn)), max_size=30))
def test_an_order_is_settled_at_most_once_and_stays_so(turns: list[Turn]) -> None:
    state, settled = Order.QUOTED, 0
    for turn in turns:
        step = TABLE[state][turn]
        if step.money in {"settled", "late"}:
            settled += 1
            assert step.next in PAID
        if step.money == "again":
            assert settled == 1
        state = step.next
        assert (settled == 1) is (state in PAID or state is Order.REFUNDED)
    assert settled <= 1


@given(st.lists(st.sampled_from(list(Turn)), max_size=30))
def test_who_went_out_never_waits_at_the_arm_again(turns: list[Turn]) -> None:
    state, out = Order.QUOTED, False
    for turn in turns:
        out = out or turn is Turn.PASS
        state = TABLE[state][turn].next
        if out:
            assert state in {Order.OWED, Order.CLOSED, Order.REFUNDED}
