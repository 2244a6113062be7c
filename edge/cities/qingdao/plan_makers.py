"""Plan makers: interfaces 10 and 11 of the plans in the config. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from edge.cities.city import Maker, Things
from edge.cities.qingdao.dictionaries_plans import PARKING
from edge.cities.qingdao.plans import CardTypeInfo, MonthStandardInfo, PlanAttach, Week
from edge.cities.qingdao.site import device_id
from edge.config.qingdao_plans import QingdaoPlan

# day0 is Sunday (B.6.1.21).
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def plan_makers(park_id: str, plans: Sequence[QingdaoPlan]) -> dict[str, Maker]:
    """None for a lot without plans: then nothing is told."""
    if not plans:
        return {}
    return {
        "cardtypeinfo": lambda wall_ms: [_card_type(park_id, plan, wall_ms) for plan in plans],
        "monthstandardinfo": lambda wall_ms: _prices(park_id, plans, wall_ms),
    }


def plan_id(park_id: str, plan: QingdaoPlan) -> str:
    return device_id(park_id, "plan", str(plan.code))


def _card_type(park_id: str, plan: QingdaoPlan, wall_ms: int) -> tuple[str, CardTypeInfo]:
    week = Week(**{f"day{number}": day in plan.days for number, day in enumerate(DAYS)}) if plan.days else None
    message = CardTypeInfo(
        item_id=plan_id(park_id, plan),
        tc_code=plan.code,  # type: ignore[arg-type]  # the message judges it
        tc_name=plan.name,
        seal_type=plan.seal_type,
        service_type=PARKING,
        tc_type=plan.tc_type,
        start_period=plan.start,
        end_period=plan.end,
        week=week,
        attach=PlanAttach(count=plan.times) if plan.times is not None else None,
        timestamp=wall_ms,
    )
    return message.item_id, message


def _prices(park_id: str, plans: Sequence[QingdaoPlan], wall_ms: int) -> Things:
    found = []
    for plan in plans:
        for price in plan.prices:
            price_id = device_id(park_id, "price", f"{plan.code} {price.months}")
            message = MonthStandardInfo(
                item_id=price_id,
                month_period=price.months,
                month_period_money=price.fen,
                tc_id=plan_id(park_id, plan),
                timestamp=wall_ms,
            )
            found.append((price_id, message))
    return found
