"""Coupons: which discounts wait for which plate, as a fold over facts (T/SZPIA 001-2020 7.1.4.4.2).

The standard gives no expiry (SC47): a coupon is kept for its plate until it is used. The same couponNo replaces what
was there before, for another plate too; couponType 0 with it cancels it (SC49). A number that was used is remembered,
so that a late repetition of its order does not give it a second time.
"""

from __future__ import annotations

import msgspec

from edge.core.facts import Fact, Paid
from edge.core.facts_flow import CouponGiven

# Used numbers remembered, the oldest forgotten first: more than a platform repeats, less than a page of memory.
USED_MAX = 2000

# Coupons that wait; a platform that floods the box loses its oldest ones, not the box.
WAITING_MAX = 20_000


class Coupons(msgspec.Struct, array_like=True):
    """Part of the box's snapshot. Only `apply` changes it."""

    waiting: dict[str, CouponGiven] = {}
    """By couponNo."""
    by_plate: dict[str, list[str]] = {}
    used: dict[str, int] = {}
    """couponNo -> `given_ms` of what was used."""

    def apply(self, fact: Fact) -> None:
        body = fact.body
        if isinstance(body, CouponGiven):
            self._drop(body.coupon_no)
            if body.coupon != "none" and self.used.get(body.coupon_no) != body.given_ms:
                self.waiting[body.coupon_no] = body
                self.by_plate.setdefault(body.plate, []).append(body.coupon_no)
                while len(self.waiting) > WAITING_MAX:
                    self._drop(next(iter(self.waiting)))
        elif isinstance(body, Paid):
            for coupon in body.coupons:
                given = self.waiting.get(coupon.coupon_no)
                if given is not None:
                    self.used[coupon.coupon_no] = given.given_ms
                    self._drop(coupon.coupon_no)
            while len(self.used) > USED_MAX:
                del self.used[next(iter(self.used))]

    def of(self, plate: str) -> list[CouponGiven]:
        """Those that wait for exactly this plate."""
        return [self.waiting[number] for number in self.by_plate.get(plate, ())]

    def _drop(self, number: str) -> None:
        given = self.waiting.pop(number, None)
        if given is None:
            return
        numbers = self.by_plate[given.plate]
        numbers.remove(number)
        if not numbers:
            del self.by_plate[given.plate]
