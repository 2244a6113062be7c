"""Orders of money over the line between the two programs: taken whole, bounded, and answered with the order to pay."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.agent.orders import OP_OF, LaneOrders, Told
from edge.core.commands import Answer
from edge.core.orders_money import MONEY_OPS, PaymentOrder, QuoteOrder
from edge.lane.socket import LaneSocket, Request
from tests.money_box import PLATE, MoneyBench

WHO: dict[str, Any] = {"command_id": "s1", "source": "city", "city": "qingdao", "who": "平台", "why": "缴费"}

LEAST: dict[str, dict[str, Any]] = {
    "card": {"operation": "open", "card_id": "k"},
    "card_cancel": {"card_id": "k"},
    "quote": {"plate": PLATE},
    "payment": {"order_id": "o"},
    "refund": {"order_id": "o", "amount_fen": 1},
    "seamless": {"plate": PLATE, "signed": True, "mode": "before"},
    "scan": {},
    "tariff": {"tariff_id": "t", "param": "{}", "leave_min": 15},
    "tariff_delete": {"tariff_id": "t"},
    "plan": {"plan_id": "p", "terms": {}},
    "plan_delete": {"plan_id": "p"},
    "list": {"entry_id": "l", "plate": PLATE, "kind": "grey", "from_ms": 0, "until_ms": 1},
    "list_delete": {"entry_id": "l"},
    "city_link": {"up": True},
}


@pytest.mark.parametrize("op", sorted(MONEY_OPS))
def test_every_operation_is_taken_and_a_member_too_many_is_not(op: str) -> None:
    def request(**more: Any) -> Request:
        return msgspec.json.decode(msgspec.json.encode({"op": op, "order": {**WHO, **LEAST[op], **more}}), type=Request)

    order = request().flow_order()
    assert order is not None
    assert OP_OF[type(order)] == op
    assert msgspec.json.decode(msgspec.json.encode(order), type=type(order)) == order
    with pytest.raises(msgspec.ValidationError, match="colur"):
        request(colur="blue").flow_order()


@pytest.mark.parametrize(
    ("op", "wrong"),
    [
        ("payment", {"amount_fen": -1}),
        ("payment", {"amount_fen": 5.5}),
        ("payment", {"order_id": ""}),
        ("refund", {"amount_fen": 0}),
        ("card", {"operation": "steal"}),
        ("card", {"cars": [{"plate": PLATE}] * 101}),
        ("tariff", {"param": "x" * 20_001}),
        ("list", {"kind": "pink"}),
        ("scan", {"coupons": [{"coupon_no": "", "coupon": "all"}]}),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_name(op: str, wrong: dict[str, Any]) -> None:
    line = msgspec.json.encode({"op": op, "order": {**WHO, **LEAST[op], **wrong}})
    (name,) = wrong
    with pytest.raises(msgspec.ValidationError, match=name):
        msgspec.json.decode(line, type=Request).flow_order()


class Runtime:
    """What the socket needs of the lane program, with a box behind it that is told event by event."""

    def __init__(self) -> None:
        self.bench = MoneyBench()
        self.on_change: list[Any] = []
        self.on_note: list[Any] = []
        self.waiting: dict[str, asyncio.Future[Answer]] = {}
        self.counters: dict[str, int] = {}

    def ask(self, command_id: str) -> asyncio.Future[Answer]:
        return self.waiting.setdefault(command_id, asyncio.get_running_loop().create_future())

    def feed(self, event: Any) -> None:
        for command in self.bench.tell(event):
            if isinstance(command, Answer):
                self.waiting.pop(command.command_id).set_result(command)


def test_from_the_agent_to_the_arm_and_back(tmp_path: Path) -> None:
    """A quote is asked for, answered with its order, paid, and the repeated notice is answered alike."""
    runtime = Runtime()
    runtime.bench.parked()
    path = tmp_path / "lane.sock"
    numbers = itertools.count()

    def talk() -> tuple[Told | None, Told | None, Told | None]:
        orders = LaneOrders(path)
        who = {**WHO, "why": "y"}
        try:
            quoted = orders.ask(QuoteOrder(**{**who, "command_id": f"q{next(numbers)}"}, plate=PLATE), 5.0)
            assert quoted is not None
            assert quoted.quote is not None
            paid = PaymentOrder(**who, order_id=quoted.quote.order_id, amount_fen=quoted.quote.pay_fen, paid_at_ms=1)
            return quoted, orders.ask(paid, 5.0), orders.ask(paid, 5.0)
        finally:
            orders.close()

    async def run() -> tuple[Told | None, Told | None, Told | None]:
        server = LaneSocket(path, runtime, lambda: None)  # type: ignore[arg-type,return-value]
        await server.start()
        try:
            return await asyncio.to_thread(talk)
        finally:
            await server.stop()

    quoted, paid, again = asyncio.run(run())
    assert quoted is not None
    assert quoted.quote is not None
    assert (quoted.ok, quoted.quote.plate, quoted.quote.pay_fen) == (True, PLATE, 500)
    assert "首60分钟5.00元" in quoted.quote.tariff_zh
    assert paid is not None
    assert (paid.ok, paid.reason) == (True, "")
    assert again == paid
    assert runtime.bench.come().rule == "exit_paid"
