"""What a person is told beside an order of money that is well formed and yet strange, and what the exported
configuration says of a tariff that stands in the ledger and not in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from edge.agent.money_orders import CHINA, lane_members
from edge.core.money_seen import ROWS_MAX, CardRows, ListRows, TariffRow
from edge.core.plates import normalise
from edge.core.tariff_doubts import doubts
from edge.core.tariff_param import read_param
from edge.web import api_money
from edge.web.api import Order
from edge.web.desk import RefusedError

NOTE = "# parkbox:"
"""The export's own lines begin so; those of an earlier export are left out of the next."""


class Hint(NamedTuple):
    """Words behind the answer, with what parts them from it; "" = nothing. `ask`: nothing is done before he has
    confirmed."""

    zh: str = ""
    en: str = ""
    ask: bool = False


class MoneyBooks(Protocol):
    """What is asked of `edge.agent.money.AgentMoney`. Each raises `RefusedError` while the lane program is silent."""

    def cards(self, plate: str, limit: int) -> CardRows: ...

    def lists(self, plate: str, limit: int) -> ListRows: ...

    def own_tariff(self) -> tuple[TariffRow, int] | None: ...


def of(order: Order, money: MoneyBooks, now_ms: int) -> Hint:
    """Raises `RefusedError` for a day or plate that is none, as the order itself would."""
    match order:
        case api_money.TariffVersion():
            return Hint() if order.confirmed else _tariff(order.param)
        case api_money.CardAdd() | api_money.CardExtend() | api_money.ListAdd():
            given = lane_members(order)
            assert given is not None
            found = _ended(order.until_day, given["until_ms"], now_ms)
            if isinstance(order, api_money.CardAdd):
                found += [words for car in given["cars"] for words in _cards(car["plate"], given, money)]
            elif isinstance(order, api_money.ListAdd):
                found += _entries(given["plate"], given, money)
            zh, en = ("".join(part) for part in zip(*found, strict=True)) if found else ("", "")
            return Hint(zh, en)
    return Hint()


def _tariff(param: str) -> Hint:
    try:
        found = doubts(read_param(param))
    except ValueError:
        return Hint()  # the lane refuses it in its own words
    if not found:
        return Hint()
    zh, en = "; ".join(one.zh for one in found), "; ".join(one.en for one in found)
    return Hint(
        f"请核对: {zh}。尚未启用, 再按一次启用", f"please check: {en}. Not in force yet; press again for it", ask=True
    )


def _ended(day: str, until_ms: int, now_ms: int) -> list[tuple[str, str]]:
    return [(f"; 注意: {day} 已过, 不起作用", f"; note: {day} is over, it has no effect")] if until_ms < now_ms else []


def _cards(plate: str, given: dict[str, Any], money: MoneyBooks) -> list[tuple[str, str]]:
    plate = normalise(plate) or plate
    return [
        (f"; 注意: {plate} 已有月卡, 至 {_day(card.until_ms)}", f"; note: {plate} has one to {_day(card.until_ms)}")
        for card in money.cards(plate, ROWS_MAX).rows
        if card.card_id != given["card_id"] and plate in card.plates and _meet(card.from_ms, card.until_ms, given)
    ]


def _entries(plate: str, given: dict[str, Any], money: MoneyBooks) -> list[tuple[str, str]]:
    plate = normalise(plate) or plate
    return [
        (f"; 注意: {plate} 同期已在名单 ({entry.strategy})", f"; note: {plate} is on a list already ({entry.strategy})")
        for entry in money.lists(plate, ROWS_MAX).rows
        if entry.entry_id != given["entry_id"] and entry.plate == plate and _meet(entry.from_ms, entry.until_ms, given)
    ]


def _meet(from_ms: int, until_ms: int, given: dict[str, Any]) -> bool:
    """`until_ms` 0: for ever."""
    return from_ms <= given["until_ms"] and (not until_ms or until_ms >= given["from_ms"])


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, CHINA):%Y-%m-%d}"


def export(text: str, money: MoneyBooks) -> str:
    """The configuration `text` with a line in front about the tariff in force, when that was set at the page."""
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(NOTE))
    try:
        own = money.own_tariff()
    except RefusedError as silent:
        zh, en = "不知执行的收费标准是否在此文件中", "nobody knows whether the tariff in force is in this file"
        return _comments(f"{zh}: {silent.zh}", f"{en}: {silent.en}") + kept
    if own is None:
        return kept
    tariff, at_ms = own
    when = f"{datetime.fromtimestamp(at_ms / 1000, CHINA):%Y-%m-%d %H:%M}" if at_ms else "?"
    zh = f"执行的收费标准由 {tariff.who} 于 {when} 在网页设置 (版本 {tariff.version}), 不在此文件中, 随备份保存"
    en = f"the tariff in force was set at the page by {tariff.who}, {when} (version {tariff.version})"
    return _comments(zh, f"{en}; it is not in this file but in the backup", tariff.zh) + kept


def _comments(*lines: str) -> str:
    return "".join(f"{NOTE} {' '.join(line.split())}\n" for line in lines)
