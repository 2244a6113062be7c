"""carcharge whole: what a platform took, by code or seamlessly, and refunds as records of their own (QC71)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.cities.qingdao.mapping import Mapper
from edge.cities.times import Times
from edge.core.facts import AnyBody, Fact, Paid
from edge.core.facts_money import RefundDue, Refunded
from tests.city_fakes import LANES, LOT, stamp
from tests.money_box import MIN_MS, PLATE, MoneyBench

VISIT, ORDER = "07" * 16, "0f" * 16


def fact(number: int, body: AnyBody) -> Fact:
    return Fact(f"{number:032x}", "out1", stamp(3600 + number), body, number)


class Desk:
    def __init__(self) -> None:
        self._mapper, self._times = Mapper(LOT, LANES), Times({})

    def made(self, number: int, body: AnyBody) -> list[dict[str, Any]]:
        rows = self._mapper.make(fact(number, body), self._times)
        assert rows is not None
        again = self._mapper.make(fact(number, body), self._times)
        assert again == rows  # a retry repeats the same bytes
        return [json.loads(row.body) for row in rows]


def paid(**changed: Any) -> Paid:
    given: dict[str, Any] = {
        "order_id": ORDER, "visit_id": VISIT, "plate": "鲁B12345", "method": "online", "due_fen": 700, "paid_fen": 500,
        "discount_fen": 200, "entered": stamp(0), "billed": stamp(3600), "pay_type": "WX", "pay_from": "微信",
        "paid_at_ms": 1, "transaction_id": "x",
    }  # fmt: skip
    return Paid(**{**given, **changed})


def test_a_payment_by_phone_names_its_means_and_its_order() -> None:
    (sent,) = Desk().made(1, paid())
    assert (sent["charge_type"], sent["pay_type"], sent["pay_from"], sent["pay_status"]) == ("NORMAL", "WX", "微信", 1)
    assert (sent["ys_money"], sent["ss_money"], sent["yh_money"]) == (7.0, 5.0, 2.0)
    assert (sent["orderId"], sent["order_create_time"]) == (ORDER, "2026-11-22 13:00:00")
    assert (sent["replace_deduct"], "app_userid" in sent) == (0, False)


def test_a_seamless_payment_names_its_user() -> None:
    (sent,) = Desk().made(1, paid(method="seamless", user_id="u-7", pay_type="YDK", pay_from=""))
    assert (sent["replace_deduct"], sent["app_userid"], sent["pay_type"]) == (1, "u-7", "YDK")
    assert sent["pay_from"] == "第三方"


@pytest.mark.parametrize(
    ("pay_type", "pay_from", "sent_type", "sent_from"),
    [("ZFB", "", "ZFB", "支付宝"), ("WX", "", "WX", "微信"), ("GOLD", "", "OTHER", "第三方"),
     ("", "钱包", "OTHER", "钱包"), ("WX", "长" * 40, "WX", "长" * 30)],
)  # fmt: skip
def test_what_a_platform_says_of_the_means_becomes_a_printed_word(
    pay_type: str, pay_from: str, sent_type: str, sent_from: str
) -> None:
    (sent,) = Desk().made(1, paid(pay_type=pay_type, pay_from=pay_from))
    assert (sent["pay_type"], sent["pay_from"]) == (sent_type, sent_from)


def test_cash_has_no_online_order() -> None:
    (sent,) = Desk().made(1, paid(method="cash", pay_type="", pay_from=""))
    assert (sent["pay_type"], "orderId" in sent) == ("XJ", False)


def test_a_refund_is_a_new_record_with_pay_status_2() -> None:
    desk = Desk()
    (charge,) = desk.made(1, paid())
    (refund,) = desk.made(2, Refunded(ORDER, "鲁B12345", 300))
    assert refund["item_id"] != charge["item_id"]
    assert (refund["pay_status"], refund["ys_money"], refund["ss_money"], refund["yh_money"]) == (2, 3.0, 3.0, 0.0)
    assert (refund["park_in_id"], refund["orderId"], refund["in_time"]) == (VISIT, ORDER, charge["in_time"])


def test_money_without_a_debt_was_no_charge_and_its_return_is_none() -> None:
    desk = Desk()
    desk.made(1, paid())
    assert desk.made(2, RefundDue(ORDER, "鲁B12345", 500, "again")) == []
    assert desk.made(3, Refunded(ORDER, "鲁B12345", 500)) == []
    (refund,) = desk.made(4, Refunded(ORDER, "鲁B12345", 200))
    assert refund["ss_money"] == 2.0
    assert desk.made(5, Refunded("ee" * 16, "鲁B12345", 200)) == []


def told(money: MoneyBench) -> list[dict[str, Any]]:
    """All charges that the city hears of this box."""
    mapper, times = Mapper(LOT, LANES), Times({})
    rows = []
    for each in money.facts:
        times.observe(each)
        made = mapper.make(each, times)
        assert made is not None
        rows += [json.loads(row.body) for row in made if row.kind == "carcharge"]
    return rows


def test_from_the_phone_to_the_record_two_payments_of_one_stay() -> None:
    money = MoneyBench()
    money.parked()
    first = money.quote()
    money.pay(first.order_id, 500, transaction_id="t1")
    money.wait(15 * MIN_MS + 1)
    over = money.come()
    money.ask("payment", order_id=over.order_id, amount_fen=200, pay_type="ZFB", pay_from="支付宝", paid_at_ms=9)
    money.go()
    by_phone, at_arm = told(money)
    assert (by_phone["pay_type"], by_phone["pay_from"], by_phone["orderId"]) == ("WX", "微信", first.order_id)
    assert (by_phone["ss_money"], by_phone["calc_money"], by_phone["paid"]) == (5.0, 5.0, 0.0)
    assert (at_arm["pay_type"], at_arm["pay_from"], at_arm["orderId"]) == ("ZFB", "支付宝", over.order_id)
    assert (at_arm["ss_money"], at_arm["calc_money"], at_arm["paid"]) == (2.0, 7.0, 5.0)


def test_from_the_signed_plate_to_the_record_it_pays_seamlessly() -> None:
    money = MoneyBench()
    money.parked()
    money.ask("seamless", plate=PLATE, signed=True, mode="before", user_id="u1")
    order_id = money.come().order_id
    assert money.ask("payment", order_id=order_id, amount_fen=500, how="deduction", pay_type="YDK").ok
    (charge,) = told(money)
    assert (charge["pay_type"], charge["replace_deduct"], charge["app_userid"]) == ("YDK", 1, "u1")
    assert charge["orderId"] == order_id


def test_cash_at_the_arm_stays_cash_and_has_no_order_of_a_platform() -> None:
    money = MoneyBench()
    money.parked()
    money.come()
    assert money.order("out", "pay_cash").ok
    (charge,) = told(money)
    assert (charge["pay_type"], charge["calc_money"], charge["paid"]) == ("XJ", 5.0, 0.0)
    assert "orderId" not in charge


def test_a_sum_whose_earlier_payments_are_forgotten_is_not_told() -> None:
    (sent,) = Desk().made(1, paid(overtime=True))
    assert "calc_money" not in sent
    assert "paid" not in sent
