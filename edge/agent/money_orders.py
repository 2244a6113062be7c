"""Money orders of the page in the words of the lane's socket (`core.orders_money`): days become instants, a new card or
entry gets its id."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

from edge.core.plates import normalise, plausible
from edge.core.tariff_book import LOCAL
from edge.web import api_money
from edge.web.api import Order
from edge.web.desk import RefusedError

CHINA = timezone(timedelta(hours=8))
DAY_MS = 86_400_000
YEARS = (2000, 2099)
"""As far as the lane takes instants; an earlier year is a slip of the pen."""


def lane_members(order: Order) -> dict[str, Any] | None:
    """The members beside who, why and `command_id`; None: not an order of money. Raises `RefusedError` bad_request
    naming the member."""
    match order:
        case api_money.CardAdd():
            from_ms, until_ms = _span(order.from_day, order.until_day)
            return {
                "operation": "open", "card_id": _new_id(order), "cars": _cars(order.plates), "places": order.places,
                "from_ms": from_ms, "until_ms": until_ms,
            }  # fmt: skip
        case api_money.CardExtend():
            until_ms = _begin_ms("until_day", order.until_day) + DAY_MS - 1
            return {"operation": "extend", "card_id": order.card_id, "until_ms": until_ms}
        case api_money.CardCancel():
            return {"card_id": order.card_id}
        case api_money.ListAdd():
            from_ms, until_ms = _span(order.from_day, order.until_day)
            return {
                "entry_id": _new_id(order), "plate": _plate("plate", order.plate), "kind": order.list_kind,
                "from_ms": from_ms, "until_ms": until_ms,
            }  # fmt: skip
        case api_money.ListRemove():
            return {"entry_id": order.entry_id}
        case api_money.TariffVersion():
            return {"tariff_id": LOCAL, "param": order.param, "leave_min": order.leave_min}
        case api_money.Refund():
            return {"order_id": order.order_id, "amount_fen": order.amount_fen}
    return None


def _new_id(order: Order) -> str:
    """The same for the same order sent again."""
    return order.command_id or uuid.uuid4().hex


def _cars(plates: str) -> list[dict[str, str]]:
    found = plates.replace(",", " ").replace("，", " ").replace("、", " ").split()
    for plate in found:
        _plate("plates", plate)
    if not found:
        raise RefusedError("bad_request", "plates: 至少一个车牌", "plates: at least one plate is needed")
    if twice := [plate for at, plate in enumerate(map(normalise, found)) if plate in map(normalise, found[:at])]:
        raise RefusedError("bad_request", f"plates: {twice[0]} 重复", f"plates: {twice[0]} stands twice")
    return [{"plate": plate} for plate in found]


def _plate(name: str, plate: str) -> str:
    if not plausible(plate):
        raise RefusedError("bad_request", f"{name}: {plate} 不是车牌", f"{name}: {plate} is no plate")
    return plate


def _span(from_day: str, until_day: str) -> tuple[int, int]:
    from_ms, until_ms = _begin_ms("from_day", from_day), _begin_ms("until_day", until_day)
    if until_ms < from_ms:
        zh, en = f"until_day: {until_day} 早于 {from_day}", f"until_day: {until_day} is before {from_day}"
        raise RefusedError("bad_request", zh, en)
    return from_ms, until_ms + DAY_MS - 1


def _begin_ms(name: str, day: str) -> int:
    try:
        at = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=CHINA)
    except ValueError:
        raise RefusedError("bad_request", f"{name}: {day} 不是日期", f"{name}: {day} is no date") from None
    least, most = YEARS
    if not least <= at.year <= most:
        zh, en = f"{name}: {day}, 允许 {least} 到 {most} 年", f"{name}: {day}, years {least} to {most} are allowed"
        raise RefusedError("bad_request", zh, en)
    return round(at.timestamp() * 1000)
