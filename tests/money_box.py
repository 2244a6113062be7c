"""A box that charges, told event by event: quotes, payments, cards and lists of a city."""

from __future__ import annotations

from typing import Any

from edge.core.admission import LotRules
from edge.core.box import Box
from edge.core.commands import Answer
from edge.core.facts import Decided, Passed
from edge.core.lot import LotState
from edge.core.money import Terms
from edge.core.order_table import Order
from edge.core.orders_money import MONEY_OPS, QuoteTold
from edge.core.tariff import TariffRule
from edge.core.tariff_engine import plan_of
from tests.lane_bench import HOUR_MS, LANES, Bench

PLATE = "鲁B12345"
MIN_MS = 60_000
RULE = TariffRule(15, 60, 500, 30, 200, 3000)
BOARD = '{"form": "parkbox-1", "rates": [{"unit_min": 60, "unit_fen": 1000}]}'


class MoneyBench(Bench):
    """15 min free, 5 yuan the first hour, 2 each half hour, 30 a day; 15 minutes to leave."""

    def __init__(self, **terms: Any) -> None:
        self.terms = Terms(plan=plan_of(RULE), **terms)
        super().__init__()

    def make(self) -> Box:
        return Box(
            LANES, LotRules(allow=self.allow), RULE, LotState(20), lambda: next(self.ids), "test", "box", None,
            self.terms,
        )  # fmt: skip

    def ask(self, op: str, command_id: str = "", **given: Any) -> Answer:
        given = {"source": "city", "city": "qingdao", "who": "w", "why": "y", **given}
        order = MONEY_OPS[op](command_id=command_id or next(self.ids), **given)
        return next(out for out in self.tell(order) if isinstance(out, Answer))

    def quote(self, plate: str = PLATE) -> QuoteTold:
        told = self.ask("quote", plate=plate)
        assert told.ok, told
        assert told.quote is not None
        return told.quote

    def pay(self, order_id: str, fen: int, paid_at_ms: int = 1, **more: Any) -> Answer:
        return self.ask("payment", order_id=order_id, amount_fen=fen, paid_at_ms=paid_at_ms, pay_type="WX", **more)

    def parked(self, ms: int = HOUR_MS, plate: str = PLATE) -> None:
        self.enter(plate)
        self.wait(ms - 22_700)  # `enter` took these after the safety loop was reached

    def come(self, plate: str = PLATE) -> Decided:
        self.read("out", plate)
        self.loops("out", arrival=True)
        return self.bodies(Decided)[-1]

    def go(self) -> Passed:
        self.store()
        self.drive("out")
        self.wait(20_000)
        return self.bodies(Passed)[-1]

    def state_of(self, order_id: str) -> Order:
        return self.box.money.orders.by_id[order_id].state

    def again(self, how: str, same: bool = True) -> None:
        """The box after a restart, made from the ledger's facts or the snapshot."""
        fresh = self.make()
        if how == "facts":
            for fact in self.facts:
                fresh.apply(fact)
            if same:
                assert fresh.money == self.box.money
        else:
            fresh.restore(self.box.encode())
        self.box = fresh
        self.begin()
