"""The uplink record tables of annex B.3, field by field: name, JSON type, length, required, value list.

Transcribed from the print of T/QME 0015-2024; `B.3.1.n` is the clause number printed, which counts without
the picture interface (`number` is that of table 1). A length counts characters (Unicode code points), because
the standard does not say bytes; the value lists alone are "最多 20 个字节", and they are plain ASCII.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from hal_sim.qingdao import lists

Form = Literal["text", "guid", "plate", "datetime", "hhmm", "int", "count", "stamp", "flag", "money", "object"]


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a printed table."""

    name: str
    form: Form
    max_chars: int | None = None
    one_of: frozenset[str] | frozenset[int] | None = None
    required: bool = True
    may_be_empty: bool = False
    may_be_null: bool = False
    children: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Interface:
    """One uplink record interface."""

    number: int  # table 1
    kind: str
    path: str
    zh: str
    fields: tuple[Field, ...]
    key: str = "item_id"
    once: bool = False  # a record that never changes once sent (a passage, a payment)
    repeated: bool = True  # B.3: 2 and 9 上传失败无须重传
    reply_key: str = "item_id"  # how the reply names the record
    reply_code: str = "error_code"  # 15 prints `code`


def text(name: str, max_chars: int | None = None, one_of: frozenset[str] | None = None) -> Field:
    return Field(name, "text", max_chars, one_of)


def guid(name: str) -> Field:
    """String 32, 全球唯一标识 32 位 Guid, 不带分隔符."""
    return Field(name, "guid", 32)


def integer(name: str, one_of: frozenset[int] | None = None) -> Field:
    return Field(name, "int", one_of=one_of)


def count(name: str) -> Field:
    return Field(name, "count")


def money(name: str) -> Field:
    """Decimal(12,2), yuan."""
    return Field(name, "money")


def when(name: str) -> Field:
    return Field(name, "datetime")


def flag(name: str) -> Field:
    return Field(name, "flag")


def optional(field: Field) -> Field:
    return replace(field, required=False)


STAMP = Field("timestamp", "stamp")  # Long 13: milliseconds
LANE_TYPE = integer("io_type", lists.LANE_TYPES)
WEEK = Field("week", "object", children=tuple(flag(f"day{day}") for day in range(7)))  # B.6.1.21
ATTACH = Field("attach", "object", children=(integer("count"),))
YES_NO = frozenset({0, 1})

# fmt: off
INTERFACES = (
    Interface(1, "parkininfo", "/thirdAPI/parkininfo", "车场信息", (  # B.3.1.1
        guid("item_id"), text("park_code", 20), text("park_name", 50), count("total_count"),
        optional(count("total_order_count")), flag("delete_flag"), integer("lock_flag", YES_NO), STAMP,
    )),
    Interface(2, "parkspace", "/thirdAPI/parkspace", "场内车辆数", (  # B.3.1.2
        guid("park_id"), count("in_space_count"), count("book_space_count"), count("remain_space_count"),
        STAMP,
    ), key="park_id", repeated=False, reply_key="parkId"),
    Interface(3, "carIn", "/thirdAPI/carIn", "车辆入场", (  # B.3.1.3
        guid("item_id"), text("event_type", 50, lists.EVENTS), Field("car_no", "plate", 20),
        text("car_color", None, lists.PLATE_COLOURS), when("in_time"), optional(guid("in_equipment_id")),
        guid("park_id"), LANE_TYPE, STAMP,
    ), once=True),
    Interface(4, "carOut", "/thirdAPI/carOut", "车辆出场", (  # B.3.1.4
        guid("item_id"), guid("park_id"), text("event_type", 50, lists.EVENTS), Field("car_no", "plate", 20),
        text("car_color", 20, lists.PLATE_COLOURS), when("out_time"), optional(guid("out_equipment_id")),
        money("ys_money"), money("ss_money"), optional(money("yh_money")), guid("park_in_id"),
        when("in_time"), replace(text("remark", 500), required=False, may_be_empty=True), LANE_TYPE, STAMP,
    ), once=True),
    Interface(6, "carcharge", "/thirdAPI/carcharge", "车辆收费", (  # B.3.1.5
        guid("item_id"), guid("park_id"), Field("car_no", "plate", 50), when("in_time"), when("charge_time"),
        guid("park_in_id"), money("ys_money"), money("ss_money"), optional(money("yh_money")),
        optional(text("charge_type", 20, lists.CHARGE_TYPES)), text("pay_type", 50, lists.PAY_TYPES),
        text("pay_from", 30), STAMP, integer("replace_deduct", YES_NO), optional(text("app_userid")),
        optional(money("calc_money")), optional(text("person_name")),
        optional(integer("pay_status", frozenset({1, 2}))), optional(money("paid")),
        optional(text("orderId", 32)), optional(when("order_create_time")),
    ), once=True),
    Interface(7, "standardinfo", "/thirdAPI/standardinfo", "临时车收费标准", (  # B.3.1.6
        guid("item_id"), guid("park_id"), text("charge_standard_name", 200), text("charge_standard_content"),
        STAMP,
    )),
    Interface(8, "equipinfo", "/thirdAPI/equipinfo", "设备信息", (  # B.3.1.7
        guid("item_id"), text("equip_code", 20), text("equip_name", 20),
        text("type_class", 20, lists.DEVICE_TYPES),
        replace(guid("father_id"), may_be_null=True),  # 若无父则使用 NULL
        flag("delete_flag"), guid("park_id"), STAMP, count("channel_no"), LANE_TYPE,
    )),
    Interface(9, "equipstatus", "/thirdAPI/equipstatus", "设备状态", (  # B.3.1.8
        guid("equipment_id"), text("equipment_state", 10, lists.DEVICE_STATES), STAMP,
    ), key="equipment_id", repeated=False, reply_key="equipment_id"),
    Interface(10, "cardtypeinfo", "/thirdAPI/cardtypeinfo", "套餐信息", (  # B.3.1.9
        guid("item_id"), integer("tc_code", lists.PLAN_CODES), text("tc_name", 50),
        integer("seal_type", frozenset({1, 2, 3, 4})), text("service_type", 20, lists.SERVICES),
        text("tc_type", 20, lists.CARD_TYPES), flag("delete_flag"), optional(Field("start_period", "hhmm")),
        optional(Field("end_period", "hhmm")), optional(WEEK), optional(ATTACH), STAMP,
    )),
    Interface(11, "monthstandardinfo", "/thirdAPI/monthstandardinfo", "车场月收费标准", (  # B.3.1.10
        guid("item_id"), count("month_period"), money("month_period_money"), guid("tc_id"),
        flag("delete_flag"), STAMP,
    )),
    Interface(15, "place/status", "/thirdAPI/cloud/place/status", "车位状态", (  # B.3.1.14
        guid("item_id"), text("code", 30), optional(text("area", 30)), text("park_name", 30),
        text("park_code", 30),
        optional(text("floor", 10)), optional(text("book_flag", 10, frozenset({"0", "1"}))),
        Field("car_no", "plate", 10, may_be_empty=True),  # required, yet a free space has no car
        when("reco_time"), text("place_type", 10, frozenset({"0", "1", "2"})),
        text("place_status", None, frozenset({"0", "1", "2"})),
        text("status", 50, frozenset({"NORMAL", "DELETED"})),
        guid("park_id"),  # printed String 30, but a GUID has 32
    ), reply_code="code"),
)
# fmt: on

BY_PATH = {interface.path: interface for interface in INTERFACES}
BY_KIND = {interface.kind: interface for interface in INTERFACES}

# 12 to 14 are questions, not records: B.3.1.11 to B.3.1.13. vehicle_info of 12 is typed String, of 13 Object.
_VEHICLE = (text("plate_no"), text("plate_color", None, lists.PLATE_COLOURS))
CALLS = (
    Interface(12, "querySignatoryResult", "/thirdAPI/cloud/querySignatoryResult", "无感车牌反查", (
        Field("car_no", "plate"), text("vehicle_info"), when("in_time"), guid("in_recordid"),
    ), key="in_recordid"),
    Interface(13, "dkOrderRequest", "/thirdAPI/cloud/dkOrderRequest", "发起主动扣款请求", (
        text("order_no"), text("park_code"), Field("car_no", "plate"),
        Field("vehicle_info", "object", children=_VEHICLE), when("service_stime"), when("service_etime"),
        count("service_fee_time"), count("service_fee"), optional(count("deduct_fee")),
        optional(count("discount_fee")), optional(count("transport_fee")), optional(count("other_fee")),
        count("total_fee"), when("create_time"), text("free_minute"), optional(text("surplus_minute")),
        optional(count("policy_minute")), integer("charge_type", frozenset({0, 1, 2})), optional(text("desc")),
        optional(text("serial_no")), text("out_equip_code"),
    ), key="order_no"),
    Interface(14, "queryOrderStateRequest", "/thirdAPI/cloud/queryOrderStateRequest", "订单支付结果反查", (
        text("order_no"), text("park_code"),
    ), key="order_no"),
)
CALL_BY_PATH = {call.path: call for call in CALLS}
