"""Tariff: from time parked to integer fen. Free minutes, first period, started units, cap per 24 h.

The reading, where a tariff board leaves room:
- Up to and including `free_min` a visit is free. One millisecond more and the whole time counts from entry,
  the free minutes too.
- The first period costs `first_fen` as soon as it begins. After it every started unit costs `unit_fen` whole.
  A first period of 0 minutes never begins and costs nothing.
- A day is 24 h from entry, not from midnight. It costs at most `daily_cap_fen` (0 = no cap). The next day
  starts anew with its own first period, units and cap; the free minutes do not come again.
"""

from __future__ import annotations

import msgspec

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


class TariffRule(msgspec.Struct, frozen=True):
    """One tariff. Minutes and fen are whole numbers; anything else is refused with the field's name."""

    free_min: int
    first_period_min: int
    first_fen: int
    unit_min: int
    unit_fen: int
    daily_cap_fen: int

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            least = 1 if name == "unit_min" else 0
            if type(value) is not int or value < least:  # neither a bool nor money in floats
                raise ValueError(f"tariff.{name}: {value!r} is not allowed, whole numbers from {least} are")


def fee_fen(rule: TariffRule, elapsed_ms: int) -> int:
    """What a visit of `elapsed_ms` costs."""
    if elapsed_ms < 0:
        raise ValueError(f"elapsed_ms: {elapsed_ms} is not allowed, a time parked is 0 or more")
    if elapsed_ms <= rule.free_min * MINUTE_MS:
        return 0
    whole_days, rest_ms = divmod(elapsed_ms, DAY_MS)
    return whole_days * _day_fen(rule, DAY_MS) + _day_fen(rule, rest_ms)


def yuan(fen: int) -> str:
    """Fen as a person reads them: 905 is "9.05"."""
    sign = "-" if fen < 0 else ""
    whole, cents = divmod(abs(fen), 100)
    return f"{sign}{whole}.{cents:02d}"


def _day_fen(rule: TariffRule, in_day_ms: int) -> int:
    """The fee of one day of which `in_day_ms` (at most 24 h) were parked, cap applied."""
    if in_day_ms == 0:
        return 0
    fen = rule.first_fen if rule.first_period_min else 0
    after_first_ms = in_day_ms - rule.first_period_min * MINUTE_MS
    if after_first_ms > 0:
        started_units = -(-after_first_ms // (rule.unit_min * MINUTE_MS))
        fen += started_units * rule.unit_fen
    return min(fen, rule.daily_cap_fen) if rule.daily_cap_fen else fen
