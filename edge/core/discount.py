"""Discount: what coupons take off a fee (T/SZPIA 001-2020 7.1.3.7, 7.1.4.4.2). Pure.

The standard has four types and says nothing of several at once (SC47). Here they are taken off in this order, each from
what the one before has left, so that no order of arrival changes a fee and none falls below 0:

    1. time    减免时间: the minutes of all such coupons off the time parked; the fee of the rest by the tariff
    2. share   打折: the parts of it, one after the other (30 % then 20 % leave 56 %), rounded up to a whole fen to pay
    3. amount  减免金额: yuan off, at most what is left
    4. all     全免: the rest

Within a type by coupon number. `best` takes only the one that saves most (of equals the first of this order).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from edge.core.facts_flow import CouponGiven, CouponUsed
from edge.core.tariff import MINUTE_MS, TariffRule, fee_fen

Stack = Literal["all", "best"]

_ORDER = ("time", "share", "amount", "all")


class Charge(msgspec.Struct, frozen=True):
    """`due_fen` by the tariff = `discount_fen` + `pay_fen`. `coupons`: those that count, in their order; one that found
    nothing left saved 0 and is not among them."""

    due_fen: int
    discount_fen: int
    pay_fen: int
    coupons: tuple[CouponUsed, ...] = ()


def charge(rule: TariffRule, elapsed_ms: int, coupons: Iterable[CouponGiven], stack: Stack = "all") -> Charge:
    """The fee of a visit of `elapsed_ms` with these coupons of its plate."""
    return charge_by(lambda ms: fee_fen(rule, ms), elapsed_ms, coupons, stack)


def charge_by(
    fee_of: Callable[[int], int], elapsed_ms: int, coupons: Iterable[CouponGiven], stack: Stack = "all"
) -> Charge:
    """`charge` by any tariff: `fee_of` a time parked in ms, in fen."""
    given = sorted(
        (coupon for coupon in coupons if coupon.coupon != "none"),
        key=lambda coupon: (_ORDER.index(coupon.coupon), coupon.coupon_no),
    )
    if stack == "best" and len(given) > 1:
        alone = [_taken_off(fee_of, elapsed_ms, [coupon]) for coupon in given]
        return max(alone, key=lambda each: each.discount_fen)
    return _taken_off(fee_of, elapsed_ms, given)


def _taken_off(fee_of: Callable[[int], int], elapsed_ms: int, given: Sequence[CouponGiven]) -> Charge:
    due_fen = left_fen = fee_of(elapsed_ms)
    free_ms = 0
    used: list[CouponUsed] = []
    for coupon in given:
        before_fen = left_fen
        if coupon.coupon == "time":
            free_ms += coupon.minutes * MINUTE_MS
            # A tariff may cost less for longer (a cap, free minutes): a coupon never makes a visit dearer.
            left_fen = min(left_fen, fee_of(max(0, elapsed_ms - free_ms)))
        elif coupon.coupon == "share":
            left_fen = -(-left_fen * (1000 - coupon.off_permille) // 1000)
        elif coupon.coupon == "amount":
            left_fen -= min(left_fen, coupon.amount_fen)
        else:
            left_fen = 0
        if left_fen < before_fen:
            used.append(
                CouponUsed(
                    coupon_no=coupon.coupon_no,
                    coupon=coupon.coupon,
                    saved_fen=before_fen - left_fen,
                    amount_fen=coupon.amount_fen,
                    minutes=coupon.minutes,
                    off_permille=coupon.off_permille,
                    channel=coupon.channel,
                    org_code=coupon.org_code,
                )
            )
    return Charge(due_fen, due_fen - left_fen, left_fen, tuple(used))
