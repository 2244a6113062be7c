"""A tariff as a board states it: free minutes, first period, units by time of day, caps, vehicle classes. Data only.

`edge.core.tariff_engine` prices a visit by it, `edge.core.tariff_param` reads it from a city's `param` (T/QME 0015 B.4,
interface 23). Minutes are whole, money is integer fen; a wrong value is refused with the field's name.
"""

from typing import Literal

import msgspec

from edge.core.facts_flow import Vehicle
from edge.core.tariff_error import TariffError

DAY_MIN = 24 * 60

FEN_MAX = 10_000_000
"""100,000 yuan: more than any parking fee, less than what a slip of the pen with a few zeros gives."""

MONTH_MIN = 31 * DAY_MIN
"""No free time, unit or first period is longer than this."""

RANGES = {
    "unit_min": (1, MONTH_MIN), "unit_fen": (0, FEN_MAX), "cap_fen": (0, FEN_MAX), "first_min": (0, DAY_MIN),
    "first_fen": (0, FEN_MAX), "day_cap_fen": (0, FEN_MAX), "visit_cap_fen": (0, FEN_MAX), "free_min": (0, MONTH_MIN),
}  # fmt: skip
"""Of each member that is a whole number: the least and the most."""


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a started unit costs while it begins between `from_min` and `until_min` of the day (China time).

    `from_min` == `until_min`: the whole day. `from_min` > `until_min`: over midnight. `cap_fen`: what all units that
    begin in this rate cost at most within one day of the tariff, 0 = no cap.
    """

    unit_min: int
    unit_fen: int
    from_min: int = 0
    until_min: int = 0
    cap_fen: int = 0

    def __post_init__(self) -> None:
        for name, most in (("from_min", DAY_MIN - 1), ("until_min", DAY_MIN - 1)):
            whole(name, getattr(self, name), 0, most)
        for name in ("unit_min", "unit_fen", "cap_fen"):
            whole(name, getattr(self, name), *RANGES[name])


class ClassPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The prices of one vehicle class. `first_min` 0: there is no first period. `visit_cap_fen` 0: no cap."""

    rates: tuple[Rate, ...]
    first_min: int = 0
    first_fen: int = 0
    day_cap_fen: int = 0
    visit_cap_fen: int = 0

    def __post_init__(self) -> None:
        for name in ("first_min", "first_fen", "day_cap_fen", "visit_cap_fen"):
            whole(name, getattr(self, name), *RANGES[name])
        check_cover(self.rates)


class TariffPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One tariff. `price` is for every vehicle that `classes` does not name.

    `day`: a day of the tariff begins at the entry ("entry": every 24 h from it) or at midnight ("calendar").
    `free_mode`: after the free minutes everything counts from the entry ("all"), or only what follows them ("rest").
    `first_each`: the first period comes once a day of the tariff, or once a visit.
    """

    price: ClassPrice
    free_min: int = 0
    free_mode: Literal["all", "rest"] = "all"
    day: Literal["entry", "calendar"] = "entry"
    first_each: Literal["day", "visit"] = "day"
    classes: dict[Vehicle, ClassPrice] = {}

    def __post_init__(self) -> None:
        whole("free_min", self.free_min, *RANGES["free_min"])
        if "" in self.classes:
            zh = "'' 不是车型, 须为 large, medium 或 small"
            raise TariffError("classes", zh, "'' is no vehicle class, large, medium and small are")

    def of(self, vehicle: Vehicle) -> ClassPrice:
        return self.classes.get(vehicle, self.price)


def whole(name: str, value: object, least: int, most: int) -> None:
    """Raises `TariffError` unless `value` is a whole number from `least` to `most`: neither a bool nor a float."""
    if type(value) is not int or not least <= value <= most:
        zh = f"{value!r} 不允许, 须为整数 {least}..{most}"
        raise TariffError(name, zh, f"{value!r} is not allowed, whole numbers from {least} to {most} are")


def check_cover(rates: tuple[Rate, ...]) -> None:
    """Every minute of the day must have exactly one rate. Raises `TariffError` with the minute that has none or two."""
    if not rates:
        raise TariffError("rates", "没有费率, 至少须有一条", "none is given, at least one is needed")
    if len(rates) == 1 and rates[0].from_min == rates[0].until_min:
        return
    owners = [0] * DAY_MIN
    for rate in rates:
        length = (rate.until_min - rate.from_min) % DAY_MIN or DAY_MIN
        for minute in range(rate.from_min, rate.from_min + length):
            owners[minute % DAY_MIN] += 1
    for minute, count in enumerate(owners):
        if count != 1:
            clock = f"{minute // 60:02d}:{minute % 60:02d}"
            zh = f"{clock} 有 {count} 条费率, 一天的每一分钟须恰有一条"
            en = f"{count} rates at {clock}, exactly one is allowed at every minute of the day"
            raise TariffError("rates", zh, en)
