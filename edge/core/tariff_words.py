"""A tariff in words, Chinese, as a board at the entrance would put it (charge_standard_desc of T/QME 0015, 18)."""

from __future__ import annotations

from edge.core.facts_flow import Vehicle
from edge.core.tariff import yuan
from edge.core.tariff_plan import ClassPrice, Rate, TariffPlan

_VEHICLE_ZH: dict[Vehicle, str] = {"large": "大型车", "medium": "中型车", "small": "小型车", "": "车辆"}


def plan_zh(plan: TariffPlan) -> str:
    """All that the plan says, one clause after the other."""
    if not plan.free_min:
        free = "无免费时间"
    elif plan.free_mode == "all":
        free = f"{plan.free_min}分钟以内(含)免费"
    else:
        free = f"前{plan.free_min}分钟不计费"
    parts = [free, *_price(plan, plan.price)]
    for vehicle, price in plan.classes.items():
        parts.append(f"{_VEHICLE_ZH[vehicle]}: {', '.join(_price(plan, price))}")
    return "; ".join(parts)


def _price(plan: TariffPlan, price: ClassPrice) -> list[str]:
    parts = []
    if price.first_min:
        each = "每日" if plan.first_each == "day" else ""
        parts.append(f"{each}首{price.first_min}分钟{yuan(price.first_fen)}元")
    parts += [_rate(rate) for rate in price.rates]
    if price.day_cap_fen:
        day = "每24小时" if plan.day == "entry" else "每个自然日"
        parts.append(f"{day}最高{yuan(price.day_cap_fen)}元")
    if price.visit_cap_fen:
        parts.append(f"单次最高{yuan(price.visit_cap_fen)}元")
    return parts


def _rate(rate: Rate) -> str:
    hours = "" if rate.from_min == rate.until_min else f"{_clock(rate.from_min)}-{_clock(rate.until_min)} "
    cap = f" (该时段最高{yuan(rate.cap_fen)}元)" if rate.cap_fen else ""
    return f"{hours}每{rate.unit_min}分钟{yuan(rate.unit_fen)}元, 不足按{rate.unit_min}分钟计{cap}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
