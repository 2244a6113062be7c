"""What the lane socket takes for an order: nothing is guessed, everything is bounded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edge.core.commands import RaiseArm
from edge.lane.socket import Order, Request
from tests.lane_bench import Bench

GOOD: dict[str, Any] = {"command_id": "a1", "lane": "out1", "action": "open", "who": "王师傅", "why": "访客"}


def decode(**changes: Any) -> Order:
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    return msgspec.json.decode(msgspec.json.encode(fields), type=Order)


def test_a_whole_order_is_the_event() -> None:
    event = decode(amount_fen=500, age_s=1.5).event()
    assert (event.command_id, event.lane, event.action, event.who, event.amount_fen) == (
        "a1", "out1", "open", "王师傅", 500,
    )  # fmt: skip
    assert (event.count, event.age_s) == (-1, 1.5)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"action": ...}, "action"),
        ({"action": ..., "acton": "close"}, "acton"),
        ({"action": "opne"}, "action"),
        ({"who": ...}, "who"),
        ({"who": ""}, "who"),
        ({"why": ""}, "why"),
        ({"why": "   "}, "why"),
        ({"why": "\x00\x1b[31m"}, "why"),
        ({"command_id": ""}, "command_id"),
        ({"command_id": "x" * 60_000}, "command_id"),
        ({"age_s": -5}, "age_s"),
        ({"age_s": 1e300}, "age_s"),
        ({"amount_fen": -7}, "amount_fen"),
        ({"amount_fen": 7.5}, "amount_fen"),
        ({"count": -1}, "count"),
    ],
)
def test_what_is_not_a_whole_order_is_refused_by_name(changes: dict[str, Any], names: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=names):
        decode(**changes)


def test_nobody_opens_without_a_name_and_a_reason() -> None:
    bench = Bench()
    bench.commands.clear()
    assert not bench.order("in", "open", who="").ok
    assert not bench.order("in", "open", why="").ok
    assert bench.count(RaiseArm) == 0


def test_an_id_used_for_another_order_is_refused() -> None:
    bench = Bench()
    assert bench.order("in", "hold_open", command_id="d1").ok
    other = bench.order("in", "close", command_id="d1")
    assert not other.ok
    assert "d1" not in other.zh
    assert "another order" in other.en
    assert bench.order("in", "hold_open", command_id="d1").ok


WHO: dict[str, Any] = {"command_id": "c1", "source": "city", "city": "shenzhen", "who": "预约平台", "why": "6001"}


@pytest.mark.parametrize(
    ("op", "order"),
    [
        ("book", {"action": "lock", "code": "b1", "plate": "粤B12345", "from_ms": 1, "until_ms": 2, "keep_min": 30}),
        ("book", {"action": "cancel", "code": "b1"}),
        ("control", {"action": "put", "entries": [{
            "entry_id": "e", "plate": "粤B1", "strategy": "no_exit", "from_ms": 1, "until_ms": 2, "origin": "交警",
            "vehicle": "small",
        }]}),
        ("coupon", {"coupon_no": "k", "plate": "粤B12345", "coupon": "all", "given_ms": 1}),
        ("priority", {"on": False}),
        ("role", {"lane": "in1", "role": "ordinary"}),
    ],
)
def test_each_order_of_flow_control_comes_over_the_line(op: str, order: dict[str, Any]) -> None:
    line = msgspec.json.encode({"op": op, "order": WHO | order})
    found = msgspec.json.decode(line, type=Request).flow_order()
    assert found is not None
    told = msgspec.json.decode(msgspec.json.encode(found))
    assert told | WHO | order == told


@pytest.mark.parametrize(
    ("op", "order", "names"),
    [
        ("book", {"action": "lock"}, "code"),
        ("book", {"action": "sell", "code": "b1"}, "sell"),
        ("book", {"action": "lock", "code": "b1", "kepp_min": 3}, "kepp_min"),
        ("control", {"action": "put", "entries": []}, "entries"),
        ("coupon", {"coupon_no": "k", "plate": "粤B12345", "coupon": "half", "given_ms": 1}, "half"),
        ("priority", {}, "on"),
        ("role", {"lane": "in1", "role": "vip"}, "vip"),
    ],
)
def test_a_bad_order_is_refused_by_name(op: str, order: dict[str, Any], names: str) -> None:
    request = msgspec.json.decode(msgspec.json.encode({"op": op, "order": WHO | order}), type=Request)
    with pytest.raises(msgspec.ValidationError, match=names):
        request.flow_order()
