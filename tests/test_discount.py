"""Coupons and fees: the standard's own example, four types, several at once, and that no coupon costs anybody money."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.coupons import USED_MAX, Coupons
from edge.core.discount import charge
from edge.core.facts import Fact, Paid, Stamp
from edge.core.facts_flow import Coupon, CouponGiven, CouponUsed
from edge.core.tariff import TariffRule, fee_fen

HOUR_MS = 3_600_000
# 7.1.3.7, 江苏大厦: 15 yuan for the first hour, 3 for each from the second on.
JIANGSU = TariffRule(free_min=0, first_period_min=60, first_fen=1500, unit_min=60, unit_fen=300, daily_cap_fen=0)
NOW = Stamp("b", 1, 1_790_000_000_000, synced=True)


def coupon(number: str, kind: Coupon, value: int = 0, plate: str = "粤B88888", given_ms: int = 1) -> CouponGiven:
    name = {"amount": "amount_fen", "time": "minutes", "share": "off_permille"}.get(kind)
    return CouponGiven(number, plate, kind, given_ms, **({name: value} if name else {}))  # type: ignore[arg-type]


def test_the_example_of_7_1_3_7() -> None:
    """Three hours cost 21 yuan; the hospital 10; so the coupon is at least 11."""
    found = charge(JIANGSU, 3 * HOUR_MS, [coupon("1", "amount", 1100)])
    assert (found.due_fen, found.discount_fen, found.pay_fen) == (2100, 1100, 1000)
    assert found.coupons == (CouponUsed("1", "amount", 1100, amount_fen=1100),)


@pytest.mark.parametrize(
    ("kind", "value", "pay_fen"),
    [
        ("none", 0, 2100),
        ("amount", 300, 1800),
        ("amount", 9999, 0),
        ("time", 60, 1800),  # two hours: 15 + 3
        ("time", 1, 2100),  # a started hour counts whole
        ("time", 180, 0),
        ("share", 300, 1470),  # 0.3 takes 30 % off (tables 9, 37)
        ("share", 1000, 0),
        ("all", 0, 0),
    ],
)
def test_the_four_types(kind: Coupon, value: int, pay_fen: int) -> None:
    found = charge(JIANGSU, 3 * HOUR_MS, [coupon("1", kind, value)])
    assert found.pay_fen == pay_fen
    assert found.due_fen == 2100


def test_several_are_taken_off_in_the_stated_order_however_they_came() -> None:
    """One hour off leaves 18.00; 30 % then 20 % leave 10.08; 5 yuan leave 5.08."""
    several = [coupon("d", "amount", 500), coupon("b", "share", 300)]
    several += [coupon("a", "time", 60), coupon("c", "share", 200)]
    for order in itertools.permutations(several):
        found = charge(JIANGSU, 3 * HOUR_MS, order)
        assert found.pay_fen == 508
        assert [(each.coupon_no, each.saved_fen) for each in found.coupons] == [
            ("a", 300), ("b", 540), ("c", 252), ("d", 500),
        ]  # fmt: skip


def test_the_best_alone_by_setting() -> None:
    several = [coupon("a", "time", 60), coupon("b", "share", 300), coupon("c", "amount", 500)]
    found = charge(JIANGSU, 3 * HOUR_MS, several, "best")
    assert (found.pay_fen, [each.coupon_no for each in found.coupons]) == (1470, ["b"])


def test_a_coupon_that_finds_nothing_left_is_not_used() -> None:
    found = charge(JIANGSU, 3 * HOUR_MS, [coupon("a", "all"), coupon("b", "amount", 2100)])
    assert [each.coupon_no for each in found.coupons] == ["b"]


RULES = st.builds(
    TariffRule,
    free_min=st.integers(0, 60),
    first_period_min=st.integers(0, 120),
    first_fen=st.integers(0, 3000),
    unit_min=st.integers(1, 120),
    unit_fen=st.integers(0, 1000),
    daily_cap_fen=st.integers(0, 5000),
)
COUPONS = st.lists(
    st.builds(
        coupon,
        st.uuids().map(str),
        st.sampled_from(["none", "amount", "time", "share", "all"]),
        st.integers(0, 1000),
    ),
    max_size=5,
)


@given(RULES, st.integers(0, 50 * HOUR_MS), COUPONS, st.sampled_from(["all", "best"]))
def test_no_coupon_costs_money_and_every_fen_is_accounted_for(
    rule: TariffRule, elapsed_ms: int, given_: list[CouponGiven], stack: str
) -> None:
    found = charge(rule, elapsed_ms, given_, stack)  # type: ignore[arg-type]
    assert found.due_fen == fee_fen(rule, elapsed_ms)
    assert found.due_fen == found.discount_fen + found.pay_fen
    assert 0 <= found.pay_fen <= found.due_fen
    assert found.discount_fen == sum(each.saved_fen for each in found.coupons)
    assert all(each.saved_fen > 0 for each in found.coupons)


def folded(*bodies: CouponGiven | Paid) -> Coupons:
    coupons = Coupons()
    for number, body in enumerate(bodies):
        coupons.apply(Fact(f"{number:032x}", "", NOW, body))
    return coupons


def paid(*numbers: str) -> Paid:
    used = tuple(CouponUsed(number, "amount", 100) for number in numbers)
    return Paid("o", "v", "粤B88888", "cash", 2100, 2000, 100, coupons=used)


def numbers(coupons: Coupons, plate: str = "粤B88888") -> list[str]:
    return [each.coupon_no for each in coupons.of(plate)]


def test_a_coupon_waits_for_its_plate_until_it_is_used() -> None:
    first, second = coupon("1", "amount", 100), coupon("2", "share", 300)
    assert numbers(folded(first, second)) == ["1", "2"]
    assert numbers(folded(first, second), "粤B00000") == []
    assert numbers(folded(first, second, paid("1"))) == ["2"]


def test_the_same_number_replaces_and_type_0_cancels() -> None:
    changed = coupon("1", "amount", 500)
    assert folded(coupon("1", "amount", 100), changed).of("粤B88888") == [changed]
    moved = coupon("1", "amount", 100, plate="粤B00001")
    assert numbers(folded(coupon("1", "amount", 100), moved)) == []
    assert numbers(folded(coupon("1", "amount", 100), coupon("1", "none"))) == []


def test_a_late_repetition_of_a_used_coupon_gives_nothing() -> None:
    given_ = coupon("1", "amount", 100)
    assert numbers(folded(given_, paid("1"), given_)) == []
    assert numbers(folded(given_, paid("1"), coupon("1", "amount", 100, given_ms=2))) == ["1"]


def test_it_survives_the_snapshot() -> None:
    coupons = folded(coupon("1", "amount", 100), coupon("2", "all"), paid("1"))
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(coupons), type=Coupons)
    assert again == coupons
    again.apply(Fact("x", "", NOW, coupon("1", "amount", 100)))
    assert numbers(again) == ["2"]


def test_the_memory_of_used_ones_is_bounded() -> None:
    coupons = Coupons()
    for number in range(USED_MAX + 10):
        coupons.apply(Fact("x", "", NOW, coupon(str(number), "amount", 100)))
        coupons.apply(Fact("x", "", NOW, paid(str(number))))
    assert len(coupons.used) == USED_MAX
    assert (coupons.waiting, coupons.by_plate) == ({}, {})
