"""The tables of clause 7.1, field by field: name, type, length, required, values, and the code of a wrong value.

Transcribed from the print of T/SZPIA 001-2020. A length counts characters (SC30). What stands in no table but in
an example of annex B (SC35) is `example_only`: accepted, noted, and never asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from hal_sim.shenzhen import lists

Form = Literal[
    "text", "uuid", "lot", "stall", "plate", "colour", "datetime", "int", "count", "double", "money", "value",
    "base64", "https", "object", "objects", "uuids",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a printed table."""

    name: str
    form: Form
    max_chars: int | None = None
    one_of: frozenset[int] | None = None
    required: bool = True
    children: tuple[Field, ...] = ()
    example_only: bool = False


@dataclass(frozen=True, slots=True)
class Interface:
    """One up interface. `key` is where the id of its record stands, `reply_key` how the reply names it."""

    code: int
    zh: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ("id",)
    reply_key: str = "id"
    once: bool = False  # never changes once sent: a passage, a payment, a switch


def text(name: str, max_chars: int | None = None) -> Field:
    return Field(name, "text", max_chars)


def integer(name: str, one_of: frozenset[int] | None = None) -> Field:
    return Field(name, "int", one_of=one_of)


def of(name: str, form: Form) -> Field:
    return Field(name, form)


def optional(field: Field) -> Field:
    return replace(field, required=False)


def only_in_example(name: str, form: Form) -> Field:
    return Field(name, form, required=False, example_only=True)


LOT = Field("parkCode", "lot", 20)
ID = Field("id", "uuid", 32)
MONEY = (of("receivables", "money"), of("discount", "money"), of("received", "money"))

# fmt: off
CHARGE_ITEM = (text("chargeItem", 20), text("chargeDesc", 100))  # table 4
CHARGING = (  # table 3
    LOT,
    text("permitNo"),  # printed 6, but the example has 10 characters: any length (SC29)
    text("charger", 100), integer("pricing", lists.PRICING), integer("region", lists.REGIONS),
    text("complaintTel"),  # printed 5, the example has 8 (SC29)
    optional(text("remark", 500)), optional(of("pricingSign", "base64")),
    Field("items", "objects", children=CHARGE_ITEM),
)
PARK_INFO = (  # table 2
    LOT, text("parkName", 255), Field("charging", "object", children=CHARGING), optional(text("roadName", 10)),
    optional(text("address", 255)), of("reservableStalls", "count"), of("longitude", "double"),
    of("latitude", "double"), optional(of("shenzhenX", "double")), optional(of("shenzhenY", "double")),
    optional(of("shenzhenH", "double")),
    text("operatorId"),  # printed 10, the example has 32 (SC29)
    integer("serviceType", lists.SERVICE_TYPES), optional(text("industAuthorInfo", 50)), text("publicInfo", 200),
    optional(of("mapImage", "base64")), only_in_example("totalStalls", "count"),
    only_in_example("staggerStalls", "count"),
)
ENTRANCE = (  # table 5
    ID, text("name", 10), LOT, optional(text("roadName", 10)), integer("type", lists.ENTRANCE_TYPES),
    of("longitude", "double"), of("latitude", "double"), only_in_example("garageCode", "text"),
)
CAR = Field("carInfo", "object", children=(  # table 6
    Field("plateNo", "plate", 10), optional(Field("plateColor", "colour", 3)), optional(text("carColor", 3)),
    optional(integer("carModel", lists.CAR_MODELS)),
))
ENTERED = (  # table 7 as far as an entry knows it; parkCode always (SC39)
    ID, LOT, optional(Field("stallNo", "stall", 28)), CAR, of("enterTime", "datetime"),
    optional(Field("inEquipmentId", "uuid", 32)),
)
# Table 7 leaves these optional because an entry has none; an exit always knows them (SC41).
LEFT = (of("leaveTime", "datetime"), Field("outEquipmentId", "uuid", 32), of("chargeIdList", "uuids"))
DISCOUNT = (  # table 9
    ID, optional(text("couponNo", 20)), integer("couponType", lists.COUPON_TYPES), of("couponValue", "value"),
    optional(text("discountChannel", 100)), optional(text("channelOrgCode", 18)),
)

INTERFACES = (
    Interface(3001, "车场信息上报", (  # table 23
        Field("parkInfo", "object", children=PARK_INFO), integer("status", lists.YES_OR_DELETED),
    ), key=("parkInfo", "parkCode"), reply_key="parkCode"),
    Interface(3002, "出入口信息上报", (  # table 25
        Field("entranceExitInfo", "object", children=ENTRANCE), integer("status", lists.YES_OR_DELETED),
    ), key=("entranceExitInfo", "id")),
    Interface(3005, "车场收费标准信息上报", CHARGING, key=("permitNo",), reply_key="permitNo"),  # table 3
    Interface(5003, "场内车位数上报", (  # table 11
        LOT, of("usedStalls", "count"), of("unusedStalls", "count"), optional(of("reservedStalls", "count")),
    ), key=("parkCode",), reply_key="parkCode"),
    Interface(5004, "车辆驶入信息上报", (*ENTERED, *MONEY), once=True),
    Interface(5005, "车辆驶离信息上报", (*ENTERED, *LEFT, *MONEY), once=True),
    Interface(5006, "记录校正信息上报", (*ENTERED, *map(optional, LEFT), *MONEY)),
    Interface(5008, "车辆收费记录上报", (  # table 8
        ID, optional(text("orderNo", 50)), Field("recordId", "uuid", 32), CAR, of("payTime", "datetime"), *MONEY,
        integer("payType", lists.PAY_TYPES), text("payFrom", 10),
        optional(Field("listDiscounts", "objects", children=DISCOUNT)),
    ), once=True),
    Interface(7001, "开启或关闭预约车优先通行上报", (  # table 33
        ID, LOT, of("time", "datetime"), integer("operateType", lists.OFF_ON), optional(text("remark", 200)),
    ), once=True),
)

CREDENTIALS = (text("userId", 32), Field("password", "base64", 64))
SESSION_FIELDS: Mapping[int, tuple[Field, ...]] = {
    lists.LOGIN: (  # table 15
        *CREDENTIALS, optional(Field("callbackServer", "https", 200)), optional(Field("onlineOrderUrl", "https", 512)),
    ),
    lists.REFRESH: (*CREDENTIALS, text("accessToken")),  # table 17
    lists.LOGOUT: (text("accessToken"),),  # table 19
    lists.LINK_LOGIN: CREDENTIALS,  # table 21
}

# Tables 36, 38, 40, 42: what the box answers. The id and the message always (SC56, SC57).
REPLY = (integer("code"), text("message", 255))
REPLIES: Mapping[int, tuple[Field, ...]] = {
    4001: (ID, *REPLY),
    4002: (text("couponNo", 20), *REPLY),
    6001: (
        text("bookCode", 50), *REPLY, optional(Field("stallNo", "stall", 28)),
        optional(of("restReservedStalls", "count")),
    ),
    6002: (text("bookCode", 50), *REPLY),
}
# fmt: on

BY_CODE = {interface.code: interface for interface in INTERFACES}
