"""A tariff in words, as a board at the entrance would put it (charge_standard_desc of T/QME 0015, 18), and the parts of
a fee."""

from __future__ import annotations

from edge.core.facts_flow import Vehicle
from edge.core.tariff import yuan
from edge.core.tariff_engine import Part
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


def plan_en(plan: TariffPlan) -> str:
    """All that the plan says, in English."""
    if not plan.free_min:
        free = "no free time"
    elif plan.free_mode == "all":
        free = f"free up to {plan.free_min} min"
    else:
        free = f"the first {plan.free_min} min are free"
    parts = [free, *_price_en(plan, plan.price)]
    for vehicle, price in plan.classes.items():
        parts.append(f"{vehicle} vehicles: {', '.join(_price_en(plan, price))}")
    return "; ".join(parts)


def _price_en(plan: TariffPlan, price: ClassPrice) -> list[str]:
    parts = []
    if price.first_min:
        each = " of each day" if plan.first_each == "day" else ""
        parts.append(f"first {price.first_min} min{each} {yuan(price.first_fen)} yuan")
    parts += [_rate_en(rate) for rate in price.rates]
    if price.day_cap_fen:
        day = "in 24 h" if plan.day == "entry" else "a calendar day"
        parts.append(f"at most {yuan(price.day_cap_fen)} yuan {day}")
    if price.visit_cap_fen:
        parts.append(f"at most {yuan(price.visit_cap_fen)} yuan a visit")
    return parts


def _rate_en(rate: Rate) -> str:
    cap = f" (at most {yuan(rate.cap_fen)} yuan in these hours)" if rate.cap_fen else ""
    return f"{_hours(rate)}{yuan(rate.unit_fen)} yuan for each {rate.unit_min} min begun{cap}"


def _hours(rate: Rate) -> str:
    return "" if rate.from_min == rate.until_min else f"{_clock(rate.from_min)}-{_clock(rate.until_min)} "


def part_words(part: Part, plan: TariffPlan) -> tuple[str, str]:
    """One part of a fee in Chinese and English; its sum stands beside the words."""
    zh, en = _part(part, plan)
    if not part.day:
        return zh, en
    if part.days == 1:
        return f"第{part.day}日 {zh}", f"day {part.day}: {en}"
    last = part.day + part.days - 1
    return f"第{part.day}-{last}日 {zh}, 共{part.days}日", f"days {part.day} to {last}: {en}, {part.days} days"


def _part(part: Part, plan: TariffPlan) -> tuple[str, str]:
    rate = part.rate
    match part.kind:
        case "free" if plan.free_mode == "all":
            return f"{part.count}分钟以内(含)免费", f"free up to {part.count} min"
        case "free":
            return f"前{part.count}分钟不计费", f"the first {part.count} min are free"
        case "first":
            return f"首{part.count}分钟", f"first {part.count} min"
        case "units" if rate is not None:
            each = yuan(rate.unit_fen)
            return (
                f"{_hours(rate)}{part.count} × {rate.unit_min}分钟, 每{rate.unit_min}分钟{each}元",
                f"{_hours(rate)}{part.count} × {rate.unit_min} min at {each} yuan",
            )
        case "rate_cap" if rate is not None:
            cap = yuan(rate.cap_fen)
            return f"{_hours(rate)}该时段最高{cap}元", f"{_hours(rate)}at most {cap} yuan in these hours"
        case "day_cap":
            return ("每24小时封顶", "cap of 24 h") if plan.day == "entry" else ("自然日封顶", "cap of a calendar day")
        case _:
            return "单次封顶", "cap of a visit"
