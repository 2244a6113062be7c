"""What the city is asked while a car waits, and when: pure, on a clock that only the test moves."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from edge.cities.qingdao.payments import Call, Payments
from edge.cities.qingdao.reading import BadMember, Members
from edge.cities.times import Times
from edge.config.qingdao_calls import QingdaoCalls
from edge.core.facts import AnyBody, Fact, Paid, Passed
from edge.core.facts_money import DeductionAsked, Quoted, SeamlessSet
from edge.core.orders_money import MONEY_OPS, PaymentOrder, SeamlessOrder
from tests.city_fakes import stamp
from tests.qingdao_orders import SITE

VISIT, ORDER, PLATE = "07" * 16, "0f" * 16, "鲁B12345"
PAID = {"order_no": ORDER, "status": "100", "total_fee": 500, "pay_time": "2026-11-22 13:00:05", "transaction_id": "t1",
        "pay_type": "WX", "pay_from": "微信"}  # fmt: skip


class Arm:
    def __init__(self, **calls: Any) -> None:
        self.now_s = 0.0
        self.payments = Payments(QingdaoCalls(**calls), SITE, Times({}), {"out1": "out1"})
        self._number = 0

    def fact(self, body: AnyBody, fact_id: str = "", lane: str = "out1") -> None:
        self._number += 1
        given = fact_id or f"{self._number:032x}"
        self.payments.observe(Fact(given, lane, stamp(self._number), body, self._number), self.now_s)

    def came(self) -> None:
        self.fact(Passed("a", "in", PLATE, colour="blue"), VISIT, "in1")

    def quoted(self, **changed: Any) -> None:
        given: dict[str, Any] = {
            "order_id": ORDER, "visit_id": VISIT, "plate": PLATE, "entered": stamp(0), "billed": stamp(3600),
            "parked_ms": 3_600_000, "due_fen": 700, "discount_fen": 200, "pay_fen": 500, "leave_min": 15,
            "colour": "blue", "at": "arm",
        }  # fmt: skip
        self.fact(Quoted(**{**given, **changed}))

    def deduction(self, mode: Any = "before") -> None:
        self.fact(DeductionAsked(ORDER, VISIT, PLATE, mode, 500, "u-1"))

    def settle(self) -> None:
        self.fact(Paid(ORDER, VISIT, PLATE, "online", 700, 500, 200))

    def due(self) -> Call:
        call = self.payments.due(self.now_s)
        assert call is not None
        return call

    def asked_at(self, until_s: float, answer: Any) -> list[float]:
        """When it asked, of every second until then, each time answered alike."""
        found = []
        while self.now_s < until_s:
            while (call := self.payments.due(self.now_s)) is not None:
                found.append(self.now_s)
                self.payments.answered(call, Members(json.dumps(answer)), self.now_s)
            self.now_s += 1
        return found


def said(arm: Arm, answer: dict[str, Any]) -> Any:
    return arm.payments.answered(arm.due(), Members(json.dumps(answer, ensure_ascii=False)), arm.now_s)


def test_a_car_that_waits_is_asked_for_every_two_seconds_until_it_has_paid() -> None:
    arm = Arm()
    arm.quoted()
    assert arm.asked_at(9, {"order_no": ORDER, "status": -1}) == [2, 4, 6, 8]
    arm.settle()
    assert arm.asked_at(30, {}) == []


def test_a_phone_that_asks_what_is_due_is_not_waited_for() -> None:
    arm = Arm()
    arm.quoted(at="phone")
    assert arm.asked_at(30, {}) == []


def test_a_car_that_has_left_or_waits_too_long_is_asked_for_no_more() -> None:
    arm = Arm(wait_s=10)
    arm.quoted()
    assert arm.asked_at(60, {"order_no": ORDER, "status": -1}) == [2, 4, 6, 8, 10]
    arm.quoted()
    arm.fact(Passed("b", "out", PLATE, visit_id=VISIT))
    assert arm.asked_at(120, {}) == []


def test_a_payment_found_by_asking_is_an_order_that_acts_once() -> None:
    arm = Arm()
    arm.quoted()
    arm.now_s = 2.0
    call = arm.due()
    assert (call.message.kind, json.loads(call.message.encode())) == (
        "queryOrderStateRequest", {"order_no": ORDER, "park_code": "QD-1"},
    )  # fmt: skip
    first = said(arm, PAID)
    arm.now_s += 2
    again = said(arm, PAID)
    assert first == again
    assert isinstance(first, PaymentOrder)
    assert (first.order_id, first.how, first.amount_fen, first.pay_type) == (ORDER, "poll", 500, "WX")
    assert (first.paid_at_ms, first.transaction_id) == (1_795_323_605_000, "t1")
    assert msgspec.json.decode(msgspec.json.encode(first), type=MONEY_OPS["payment"]) == first
    arm.payments.settled(call)
    assert arm.asked_at(20, {}) == []


def test_an_answer_for_another_order_opens_nothing() -> None:
    arm = Arm()
    arm.quoted()
    arm.now_s = 2.0
    with pytest.raises(BadMember, match="order_no"):
        said(arm, {**PAID, "order_no": "another"})


def test_a_deduction_says_what_the_order_says_and_its_payment_is_seamless() -> None:
    arm = Arm()
    arm.quoted()
    arm.deduction()
    call = arm.due()
    assert json.loads(call.message.encode()) == {
        "order_no": ORDER, "park_code": "QD-1", "car_no": "鲁-B12345",
        "vehicle_info": {"plate_no": "鲁-B12345", "plate_color": "BLUE"}, "service_stime": "2026-11-22 12:00:00",
        "service_etime": "2026-11-22 13:00:00", "service_fee_time": 3600, "service_fee": 700, "discount_fee": 200,
        "total_fee": 500, "create_time": "2026-11-22 13:00:00", "free_minute": "15", "charge_type": 0,
        "serial_no": VISIT, "out_equip_code": "out1",
    }  # fmt: skip
    order = said(arm, {"order_no": ORDER, "status": "0", "pay_time": "2026-11-22 13:00:05", "pay_type": "YDK"})
    assert isinstance(order, PaymentOrder)
    assert (order.result, order.how, order.amount_fen) == ("paid", "deduction", 500)


def test_a_deduction_that_is_refused_lets_the_car_pay_another_way_at_once() -> None:
    arm = Arm()
    arm.quoted()
    arm.deduction()
    order = said(arm, {"order_no": ORDER, "status": "1"})
    assert isinstance(order, PaymentOrder)
    assert (order.result, order.detail) == ("failed", "status 1")
    arm.now_s = 1.0
    assert arm.payments.due(arm.now_s) is None
    arm.deduction()
    refused = arm.payments.failed(arm.due(), "119 no", arm.now_s, refused=True)
    assert isinstance(refused, PaymentOrder)
    assert refused.command_id != order.command_id  # another deed


def test_a_deduction_without_answer_is_tried_two_seconds_apart_and_given_up_in_time() -> None:
    arm = Arm(deduct_s=8)
    arm.quoted()
    arm.deduction()
    tried, order = [], None
    while order is None:
        while order is None and (call := arm.payments.due(arm.now_s)) is not None:
            tried += [arm.now_s] if call.topic == "deduct" else []
            order = arm.payments.failed(call, "lost", arm.now_s)
        arm.now_s += 1
    assert tried == [0, 2, 4, 6, 8]
    assert isinstance(order, PaymentOrder)
    assert order.result == "failed"


def test_a_deduction_that_cannot_even_be_asked_for_is_given_up_in_time() -> None:
    arm = Arm(deduct_s=8)
    arm.deduction()  # its order was made out before what the agent remembers
    assert arm.payments.due(0.0) is None
    assert arm.payments.given_up(8.0) is None
    order = arm.payments.given_up(8.1)
    assert order is not None
    assert (order.order_id, order.result) == (ORDER, "failed")
    assert arm.payments.given_up(9.0) is None


def test_a_deduction_of_a_car_that_is_out_is_repeated_by_rule_5() -> None:
    arm = Arm(later_times=3)
    arm.quoted(at="phone")
    arm.deduction("after")
    arm.fact(Passed("b", "out", PLATE, visit_id=VISIT))
    tried, order = [], None
    while order is None:
        if (call := arm.payments.due(arm.now_s)) is not None:
            tried.append(arm.now_s)
            order = arm.payments.failed(call, "lost", arm.now_s)
        arm.now_s += 10
    assert tried == [0, 300, 600, 900]
    assert isinstance(order, PaymentOrder)


def test_a_plate_without_notice_is_asked_about_when_its_free_time_is_over() -> None:
    arm = Arm(signatory_after_min=15)
    arm.came()
    arm.now_s = 899.0
    assert arm.payments.due(arm.now_s) is None
    arm.now_s = 900.0
    sent = json.loads(arm.due().message.encode())
    assert sent == {
        "car_no": "鲁-B12345", "vehicle_info": '{"plate_no":"鲁-B12345","plate_color":"BLUE"}',
        "in_time": "2026-11-22 12:00:01", "in_recordid": VISIT,
    }  # fmt: skip
    order = said(arm, {"car_no": "鲁-B12345", "in_recordid": VISIT, "is_signatory": 1, "withhold_mode": 1,
                       "user_id": "u", "signatory_code": 1000})  # fmt: skip
    assert isinstance(order, SeamlessOrder)
    assert (order.visit_id, order.signed, order.mode, order.how) == (VISIT, True, "before", "query")


def test_it_is_asked_at_the_arm_at_the_latest_and_not_at_all_after_a_notice() -> None:
    arm = Arm()
    arm.came()
    arm.now_s = 5.0
    arm.quoted()
    assert arm.due().topic == "signatory"
    noticed = Arm()
    noticed.came()
    noticed.fact(SeamlessSet(VISIT, PLATE, True, "before"))
    assert noticed.asked_at(1000, {}) == []


def test_nothing_is_asked_with_a_time_that_nobody_knows() -> None:
    arm = Arm()
    body = Passed("a", "in", PLATE)
    arm.payments.observe(Fact(VISIT, "in1", stamp(1, boot="boot-0", synced=False), body, 1), 0.0)
    arm.now_s = 900.0
    assert arm.payments.due(arm.now_s) is None
