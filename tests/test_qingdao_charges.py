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
