"""A tariff that is well formed and yet hardly meant: what a person is told before it goes in force. Pure.

The bounds are wide of paid car parks in Chinese cities, where an hour costs from 1 to some 20 yuan and a day's cap is
several hours. A city's tariff is not doubted: the city has decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from edge.core.facts_flow import Vehicle
from edge.core.tariff import yuan
from edge.core.tariff_plan import DAY_MIN, ClassPrice, TariffPlan

CAP_LEAST_FEN = 100
"""No lot caps below 1 yuan; who writes 30 into a field of fen meant 30 yuan."""
FIRST_HOUR_MOST_FEN = 10_000
"""100 yuan: five times the dearest hour of a city's centre."""

_OF: dict[Vehicle, tuple[str, str]] = {
    "": ("", ""),
    "small": ("小型车: ", "small: "),
    "medium": ("中型车: ", "medium: "),
    "large": ("大型车: ", "large: "),
}  # fmt: skip


class Doubt(NamedTuple):
    zh: str
    en: str


def doubts(plan: TariffPlan) -> tuple[Doubt, ...]:
    """() = nothing strange."""
    found = []
    if plan.free_min >= DAY_MIN:
        found.append(Doubt(f"免费 {plan.free_min} 分钟, 超过一天", f"{plan.free_min} free minutes are a day or more"))
    for vehicle, price in {"": plan.price, **plan.classes}.items():
        zh, en = _OF[vehicle]
        found += [Doubt(zh + one.zh, en + one.en) for one in _of(price)]
    return tuple(found)


def first_hour_fen(price: ClassPrice) -> int:
    """What the first hour costs at most, by the dearest rate of the day, before any cap."""
    first_fen = price.first_fen if price.first_min else 0
    rest_min = max(0, 60 - price.first_min)
    return first_fen + max(-(-rest_min // rate.unit_min) * rate.unit_fen for rate in price.rates)


def _of(price: ClassPrice) -> Iterator[Doubt]:
    hour_fen = first_hour_fen(price)
    if hour_fen > FIRST_HOUR_MOST_FEN:
        yield Doubt(f"第一小时 {yuan(hour_fen)} 元", f"the first hour costs {yuan(hour_fen)} yuan")
    caps = (
        ("每日封顶", "the cap of a day", price.day_cap_fen),
        ("单次封顶", "the cap of a visit", price.visit_cap_fen),
    )
    for zh, en, fen in caps:
        if 0 < fen < hour_fen:
            yield Doubt(
                f"{zh} {yuan(fen)} 元, 低于第一小时的 {yuan(hour_fen)} 元",
                f"{en}, {yuan(fen)} yuan, is below the first hour's {yuan(hour_fen)}",
            )
    for zh, en, fen in (*caps, *(("时段封顶", "the cap of a rate", rate.cap_fen) for rate in price.rates)):
        if 0 < fen < CAP_LEAST_FEN:
            yield Doubt(f"{zh}只有 {fen} 分 ({yuan(fen)} 元)", f"{en} is {fen} fen ({yuan(fen)} yuan)")
    if not (price.first_min and price.first_fen) and not any(rate.unit_fen for rate in price.rates):
        yield Doubt("价格全部为 0: 任何停车都不收费", "every price is 0: nobody ever pays")
