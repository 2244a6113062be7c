"""Orders of the city: the thirteen interfaces of B.4 (16 to 28) by name, and how each one is known. Pure.

`cmd_type` says which it is by the config's table; one that stands nowhere is known by members that no other order has
(QC84). 24 and 26 have none of their own and are known by `cmd_type` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from edge.cities.qingdao.reading import Members
from edge.config.qingdao_mqtt import QingdaoCmdTypes
from edge.core.orders_money import AnyMoneyOrder

CITY = "qingdao"
WHO = "青岛智慧停车一体化平台"

Kind = Literal[
    "card", "card_cancel", "quote", "payment", "seamless", "seamless_change", "scan", "tariff", "tariff_delete",
    "plan", "plan_delete", "list", "list_delete",
]  # fmt: skip
"""As in `QingdaoCmdTypes`, in the order of interfaces 16 to 28."""

KINDS: tuple[Kind, ...] = get_args(Kind)

TITLES: Mapping[Kind, str] = {
    "card": "16 月卡开通、延期、变更下发",
    "card_cancel": "17 月卡注销",
    "quote": "18 请求获取订单信息",
    "payment": "19 线上支付成功通知下发",
    "seamless": "20 无感车牌通知下发",
    "seamless_change": "21 场内无感车牌状态变更",
    "scan": "22 扫描静态码获取订单请求",
    "tariff": "23 临时车收费标准信息下发",
    "tariff_delete": "24 删除临时车收费标准信息下发",
    "plan": "25 车场月收费标准信息下发",
    "plan_delete": "26 删除车场月收费标准信息下发",
    "list": "27 车场黑白名单新增/修改下发",
    "list_delete": "28 车场黑白名单删除下发",
}
"""Also the `why` of their orders."""


class Base(msgspec.Struct, frozen=True):
    """What every order of one message has."""

    command_id: str
    why: str

    def members(self, city_ms: int = 0) -> dict[str, Any]:
        return {
            "command_id": self.command_id,
            "source": "city",
            "city": CITY,
            "who": WHO,
            "why": self.why,
            "city_ms": city_ms,
        }


class Site(msgspec.Struct, frozen=True):
    """What orders are judged by: the lot, and the lanes by the numbers their devices have at the city."""

    park_id: str
    park_code: str
    park_name: str
    projects: frozenset[str]
    """Ours: `sub_code` and the further ones of the account."""
    sub_code: str
    lanes: Mapping[str, str]
    """equip_code or item_id of a device -> lane."""


class Reading(msgspec.Struct, frozen=True):
    """One entry of data_items. `order` None: there is nothing to carry out, `words` say why; `taken` then says whether
    it is a success all the same. `answer`: the members by which the city knows the entry."""

    answer: dict[str, object] = {}
    order: AnyMoneyOrder | None = None
    words: str = ""
    taken: bool = False


def names_of(types: QingdaoCmdTypes) -> dict[str, Kind]:
    """cmd_type -> kind; that no name means two is a rule of the config."""
    return {name: kind for kind in KINDS for name in getattr(types, kind)}


def recognised(entry: Members) -> Kind | None:
    """QC84: by members that only one order has."""
    has = entry.has
    if has("blacklist_id"):
        return "list" if has("car_no") else "list_delete"
    if has("service_id"):
        return "card" if has("operate_type") else "card_cancel"
    if has("out_trade_no") and (has("trad_state") or has("trade_state")):
        return "payment"
    if has("is_signatory"):
        return "seamless" if has("signatory_code") else "seamless_change"
    if has("basic_seal_info"):
        return "plan" if has("expired_mode") else "tariff"
    if has("partner"):
        return "quote"
    if has("credential_no") or has("equip_code"):
        return "scan"
    return None


def stamp_ms(entry: Members) -> int:
    """`timestamp` 记录操作时间, 13 digits or 10 (QC14); 0 when it is not said."""
    return entry.instant_ms("timestamp") if entry.has("timestamp") else 0
