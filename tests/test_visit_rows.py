"""The timeline of a visit: every kind of fact in its own words, in order, with the city's name and the rule's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from edge.agent.fact_words import paid_words
from edge.agent.visit import VisitReader
from edge.agent.visit_rows import row_of
from edge.core.facts import (
    AnyBody,
    BackedOut,
    BoxStarted,
    Decided,
    Fact,
    Ordered,
    Paid,
    Passed,
    PictureKept,
    ReadTaken,
    Stamp,
)
from edge.core.facts_flow import CouponUsed
from edge.core.facts_money import Quoted
from edge.core.flow_words import _WORDS as FLOW_RULES
from edge.core.rule_words import RULES, rule_words
from edge.core.tariff import TariffRule
from edge.core.tariff_engine import plan_of
from edge.core.tariff_plan import TariffPlan
from edge.ports import Delivery
from edge.web.api_views import TimelineRow

AT = Stamp("boot", 1_000, 1_790_000_000_000, synced=True)
OF_A_VISIT = {"arrival_id", "read_id", "visit_id", "order_id"}
CHINESE = re.compile("[\u4e00-\u9fff]")


class Clockwork:
    def at(self, stamp: Stamp) -> tuple[int, bool]:
        return stamp.wall_ms, True


class Ledger:
    """The part of `LedgerHistory` that a visit is read through, over facts in memory."""

    def __init__(self, *bodies: Any, ids: dict[int, str] | None = None) -> None:
        self.facts = [
            Fact((ids or {}).get(seq, f"{seq:032x}"), "out1", AT, body, seq) for seq, body in enumerate(bodies, 1)
        ]

    def between(self, low: int, high: int) -> list[Fact]:
        return [fact for fact in self.facts if low <= fact.seq <= high]

    def find(self, low: int, kind: str, *, fact_id: str = "", text: str = "") -> Fact | None:
        return next((
            fact for fact in self.facts
            if fact.seq >= low and type(fact.body).__name__ == kind and fact_id in {"", fact.id}
            and text in str(msgspec.to_builtins(fact.body))
        ), None)  # fmt: skip

    def boot_offsets(self) -> dict[str, int]:
        return {}

    def read_last(self, count: int) -> list[Fact]:
        return self.facts[-count:]

    def seq_at(self, ms: int) -> int:
        return 1


def timeline(ledger: Ledger, seq: int, *told: Delivery) -> list[TimelineRow]:
    reader = VisitReader(ledger, lambda _: list(told), lambda _: False, lambda: AT.wall_ms)  # type: ignore[arg-type]
    return list(reader.read(seq).rows)


def some(kind: Any) -> Any:
    """Any value of this type."""
    if kind is TariffPlan:
        return plan_of(TariffRule(15, 60, 500, 30, 200, 3000))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        needed = {one.name: some(one.type) for one in msgspec.structs.fields(kind) if one.required}
        return kind(**needed)
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if get_origin(kind) is tuple:
        return ()
    return {str: "x", int: 1, bool: True}[kind]


@pytest.mark.parametrize("kind", get_args(AnyBody))
def test_every_kind_of_fact_has_words_of_its_own(kind: type[Any]) -> None:
    row = row_of(Fact("f", "out1", AT, some(kind)), Clockwork(), lambda _: False)  # type: ignore[arg-type]
    if not OF_A_VISIT & {one.name for one in msgspec.structs.fields(kind)} and kind.__name__ not in {
        "ReadTaken", "Ordered", "ArmOrdered",
    }:  # fmt: skip
        assert row is None
        return
    assert row is not None
    assert ("倒车" in row.zh) == (kind is BackedOut), row.zh
    if kind not in {Decided, Ordered}:  # their words come with them
        assert CHINESE.search(row.zh)
    assert row.en


PLATE, ARRIVAL, READ, VISIT, ORDER = "粤BS7744", "a" * 32, "b" * 32, f"{1:032x}", "d" * 32
CAME = Passed(arrival_id="e" * 32, direction="in", plate=PLATE)
LEFT = Passed(arrival_id=ARRIVAL, direction="out", plate=PLATE, visit_id=VISIT, read_id=READ, rule="paid", entered=AT)
SEEN = ReadTaken(camera="cam-out1", event_id="1", plate=PLATE, plate_raw=PLATE, plate_width_px=150)
ASKED = Decided(
    arrival_id=ARRIVAL, read_id=READ, plate=PLATE, decision="wait", rule="exit_payment", zh="应缴 5.00 元", en="5 due",
    visit_id=VISIT, order_id=ORDER,
)  # fmt: skip
QUOTE = Quoted(
    order_id=ORDER, visit_id=VISIT, plate=PLATE, entered=AT, billed=AT, parked_ms=3_600_000, due_fen=500,
    discount_fen=0, pay_fen=500, at="arm",
)  # fmt: skip
WAIVED = Paid(
    order_id=ORDER, visit_id=VISIT, plate=PLATE, method="free", due_fen=500, paid_fen=0, discount_fen=500, who="tom",
)  # fmt: skip


def order(action: str, arrival_id: str, zh: str) -> Ordered:
    return Ordered("c", action, "operator", "tom", "岗亭", True, zh, "done", target=arrival_id)


def test_a_bill_is_a_bill_and_facts_of_one_moment_stand_in_their_order() -> None:
    """Entry and exit lie close together here, so each finds facts of the other."""
    kept = PictureKept(READ, "s", 0, 1, 1)
    ledger = Ledger(CAME, SEEN, QUOTE, ASKED, WAIVED, kept, LEFT, BoxStarted("1", "b"), ids={2: READ})
    rows = timeline(ledger, 7)
    assert [row.kind for row in rows] == ["passage", "read", "money", "decision", "money", "picture", "passage"]
    assert [row.zh for row in rows[1:5]] == [
        "识别 粤BS7744 (相机 cam-out1, 车牌宽 150 像素)", "闸前出账, 停 60 分钟 5.00 元", "应缴 5.00 元",
        "免费放行, 现场减免 5.00 元",
    ]  # fmt: skip
    assert [(row.rule_zh, row.rule_en) for row in rows if row.rule == "exit_payment"] == [("须缴费", "to be paid")]


def test_an_arrival_that_came_to_nothing_is_told_too() -> None:
    earlier = msgspec.structs.replace(ASKED, arrival_id="f" * 32, read_id="9" * 32)
    rows = timeline(Ledger(CAME, earlier, BackedOut("f" * 32, PLATE), BackedOut("8" * 32, "粤B00000"), ASKED, LEFT), 6)
    assert [row.kind for row in rows] == ["passage", "decision", "backed_out", "decision", "passage"]


def test_orders_for_another_car_are_not_this_ones() -> None:
    rows = timeline(Ledger(
        CAME, ASKED, order("pay_cash", "7" * 32, "另一辆"), order("pay_free", ARRIVAL, "这一辆"),
        order("open", "", "抬杆"), LEFT, order("let_in", ARRIVAL, "已走"), order("open", "", "之后"),
    ), 6)  # fmt: skip
    assert [row.zh for row in rows if row.kind == "order"] == ["这一辆", "抬杆", "已走"]


def test_two_cities_are_told_apart() -> None:
    told = [
        Delivery(number, city, kind, "x", VISIT, b"", PLATE, 1, state="accepted", answered_ms=AT.wall_ms)
        for number, (city, kind) in enumerate((("qingdao", "carIn"), ("shenzhen", "5004")))
    ]
    rows = timeline(Ledger(CAME), 1, *told)
    zh = [row.zh.partition(":")[0] for row in rows if row.kind == "delivery"]
    assert zh == ["青岛 入场", "深圳 入场"]


def test_money_that_was_waived_is_not_said_to_have_been_paid() -> None:
    assert paid_words(WAIVED) == ("免费放行, 现场减免 5.00 元", "let out free, let go at the arm 5.00 yuan")
    part = msgspec.structs.replace(WAIVED, method="cash", paid_fen=300, discount_fen=200)
    assert paid_words(part) == ("现金 3.00 元, 现场减免 2.00 元", "cash 3.00 yuan, let go at the arm 2.00 yuan")


def test_what_coupons_took_off_is_not_what_a_person_let_go() -> None:
    coupon = CouponUsed(coupon_no="c1", coupon="amount", saved_fen=150)
    paid = msgspec.structs.replace(WAIVED, method="cash", paid_fen=300, discount_fen=200, coupons=(coupon,))
    assert paid_words(paid)[0] == "现金 3.00 元, 优惠 1.50 元, 现场减免 0.50 元"
    assert paid_words(msgspec.structs.replace(paid, paid_fen=350, discount_fen=150))[0] == "现金 3.50 元, 优惠 1.50 元"
    online = msgspec.structs.replace(paid, method="online", paid_fen=350, discount_fen=150, coupons=())
    assert paid_words(online)[0] == "线上支付 3.50 元, 优惠 1.50 元"


def test_every_rule_of_the_core_has_a_name() -> None:
    """By the text of the core: a verdict's rule is its third value, or is called so."""
    text = "".join(path.read_text("utf-8") for path in sorted(Path("edge/core").glob("*.py")))
    found = set(re.findall(r'[vV]erdict\(\s*"\w+", "\w*", "(\w+)"', text))
    found |= set(re.findall(r'\brule ?= ?"(\w+)"', text))
    assert {"exit_payment", "deny_list", "exit_unknown", "under_arm", "own_read", "paid"} <= found
    named = found | set(FLOW_RULES) | {f"wait_{what}_timeout" for what in ("payment", "stall", "confirm")}
    assert named <= set(RULES)
    assert rule_words("fault_loop_stuck")[0].startswith("设备故障: ")
    assert rule_words("") == ("", "")
    assert rule_words("of_tomorrow") == ("of_tomorrow", "of_tomorrow")
