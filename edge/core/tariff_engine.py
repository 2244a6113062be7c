"""What a visit costs by a `TariffPlan`: from the moment it began and the time parked to integer fen. Exact, no float.

The reading, where a board leaves room:
- Up to and including the free minutes a visit is free. One millisecond more and, by `free_mode`, everything counts
  from the entry, or only what follows them. They come once a visit.
- A day of the tariff is 24 h from where counting begins, or ends at midnight (China). Each day starts anew with its
  units and caps, and with its first period if that comes once a day. The last unit of a day ends with it.
- The first period costs its price as soon as it begins. One that comes once a visit runs on over midnight and belongs
  to the day in which it begins; one that comes once a day ends with it. After it every started unit costs its price
  whole, by the rate in which it begins, and runs on over the end of that rate.
- A rate's cap counts for all units of the day that begin in it; then the day's cap, then the visit's.

So the fee never falls with time: a longer stay begins no fewer units, every cap is a minimum of a rising sum, and a new
day begins at 0. Every whole day of a visit costs the same, which is why thirty days cost two or three to reckon.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from edge.core.facts_flow import Vehicle
from edge.core.tariff import TariffRule
from edge.core.tariff_plan import DAY_MIN, ClassPrice, Rate, TariffPlan

MINUTE_MS = 60_000
DAY_MS = DAY_MIN * MINUTE_MS

CHINA_MS = 8 * 3_600_000
"""UTC+8 all year (no summer time since 1991)."""


class Part(msgspec.Struct, frozen=True):
    """How a fee comes about, one part of it: all `fen` together are the fee, what a cap takes off is negative.

    `day` is the tariff's day, the first is 1; the part stands for `days` of them, one as the other. `count`: units, or
    the minutes of "free" and "first". `rate`: of "units" and "rate_cap".
    """

    kind: Literal["free", "first", "units", "rate_cap", "day_cap", "visit_cap"]
    fen: int
    count: int = 0
    rate: Rate | None = None
    day: int = 0
    days: int = 1


Tell = Callable[[Part], None]


def plan_of(rule: TariffRule) -> TariffPlan:
    """The configuration's simple tariff as a plan; both give the same fees."""
    return TariffPlan(
        price=ClassPrice(
            rates=(Rate(rule.unit_min, rule.unit_fen),), first_min=rule.first_period_min, first_fen=rule.first_fen,
            day_cap_fen=rule.daily_cap_fen,
        ),
        free_min=rule.free_min,
    )  # fmt: skip


def needs_clock(plan: TariffPlan) -> bool:
    """Does the fee depend on the time of day at which the visit began?"""
    prices = (plan.price, *plan.classes.values())
    return plan.day == "calendar" or any(len(price.rates) > 1 for price in prices)


def visit_fen(
    plan: TariffPlan, vehicle: Vehicle, began_ms: int, parked_ms: int, tell: Tell | None = None
) -> int:
    """The fee of a visit that began at `began_ms` (UTC) and has lasted `parked_ms`. `tell` gets every `Part` of it.

    Raises `ValueError` for a negative `parked_ms`.
    """
    if parked_ms < 0:
        raise ValueError(f"parked_ms: {parked_ms} is not allowed, a time parked is 0 or more")
    free_ms = plan.free_min * MINUTE_MS
    inside_free = parked_ms <= free_ms
    if tell is not None and plan.free_min and (inside_free or plan.free_mode == "rest"):
        tell(Part("free", 0, plan.free_min))
    if inside_free:
        return 0
    if plan.free_mode == "rest":
        began_ms, parked_ms = began_ms + free_ms, parked_ms - free_ms
    price = plan.of(vehicle)
    of_day_ms = (began_ms + CHINA_MS) % DAY_MS
    head_ms, next_ms = (0, of_day_ms) if plan.day == "entry" else (min(parked_ms, DAY_MS - of_day_ms), 0)
    fen = _day_fen(price, of_day_ms, head_ms, True, _of_day(tell, 1))
    day = 2 if head_ms else 1
    left_ms = parked_ms - head_ms
    first = plan.first_each == "day"
    over_ms = 0 if first or not head_ms else price.first_min * MINUTE_MS - head_ms
    if over_ms > 0 and left_ms:  # the visit's first period runs on over midnight
        second_ms = min(left_ms, DAY_MS)
        fen += _day_fen(price, over_ms, second_ms - over_ms, False, _of_day(tell, day))
        left_ms, day = left_ms - second_ms, day + 1
    whole_days, rest_ms = divmod(left_ms, DAY_MS)
    if not first and not head_ms and whole_days:  # the first day has the visit's first period
        fen += _day_fen(price, next_ms, DAY_MS, True, _of_day(tell, day))
        whole_days, day = whole_days - 1, day + 1
    elif not first and not head_ms:
        first = True
    if whole_days:
        fen += whole_days * _day_fen(price, next_ms, DAY_MS, first, _of_day(tell, day, whole_days))
    fen += _day_fen(price, next_ms, rest_ms, first, _of_day(tell, day + whole_days))
    if not price.visit_cap_fen or fen <= price.visit_cap_fen:
        return fen
    if tell is not None:
        tell(Part("visit_cap", price.visit_cap_fen - fen))
    return price.visit_cap_fen


def _of_day(tell: Tell | None, day: int, days: int = 1) -> Tell | None:
    """Parts of one day, told with the day they are of, and for as many days as cost the same."""
    if tell is None:
        return None
    told: Tell = tell
    return lambda part: told(msgspec.structs.replace(part, fen=part.fen * days, day=day, days=days))


def _day_fen(
    price: ClassPrice, of_day_ms: int, lasts_ms: int, first: bool, tell: Tell | None
) -> int:
    """The fee of `lasts_ms` (at most 24 h) of one day of the tariff that begin at `of_day_ms` of the clock's day."""
    if lasts_ms <= 0:
        return 0
    at_ms = first_fen = 0
    if first and price.first_min:
        at_ms, first_fen = price.first_min * MINUTE_MS, price.first_fen
        if tell is not None:
            tell(Part("first", first_fen, price.first_min))
    counts = [0] * len(price.rates)
    while at_ms < lasts_ms:
        index, rate, left_ms = rate_at(price.rates, (of_day_ms + at_ms) % DAY_MS)
        unit_ms = rate.unit_min * MINUTE_MS
        units = -(-min(left_ms, lasts_ms - at_ms) // unit_ms)  # those that begin in this rate
        counts[index] += units
        at_ms += units * unit_ms
    fen = first_fen
    for rate, units in zip(price.rates, counts, strict=True):
        spent_fen = units * rate.unit_fen
        if tell is not None and units:
            tell(Part("units", spent_fen, units, rate))
        if rate.cap_fen and spent_fen > rate.cap_fen:
            if tell is not None:
                tell(Part("rate_cap", rate.cap_fen - spent_fen, rate=rate))
            spent_fen = rate.cap_fen
        fen += spent_fen
    if not price.day_cap_fen or fen <= price.day_cap_fen:
        return fen
    if tell is not None:
        tell(Part("day_cap", price.day_cap_fen - fen))
    return price.day_cap_fen


def rate_at(rates: tuple[Rate, ...], of_day_ms: int) -> tuple[int, Rate, int]:
    """The rate at this time of the clock's day, and for how long it still holds."""
    for index, rate in enumerate(rates):
        from_ms = rate.from_min * MINUTE_MS
        length_ms = (rate.until_min - rate.from_min) % DAY_MIN * MINUTE_MS or DAY_MS
        since_ms = (of_day_ms - from_ms) % DAY_MS
        if since_ms < length_ms:
            # A rate of the whole day never ends.
            return index, rate, DAY_MS if length_ms == DAY_MS else length_ms - since_ms
    raise AssertionError("rates cover the whole day")  # `check_cover`
