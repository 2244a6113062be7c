"""The table of everything that a person can order from the page: name, role, members, words.

A row is all that a new order needs here: its route, its place in the OpenAPI document, the role check, the audit
and the sheet that the page draws are made from it. What it does is the desk's business (`edge.web.desk`);
`lane_action` is its name on the lane program's socket, "" for what the agent does itself.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import inspect

from edge.web import api, api_money
from edge.web.api import ActionView, FieldView
from edge.web.roles import Role, may

Group = Literal["lane", "car", "lot", "fault", "delivery", "test", "program", "users", "commission", "money"]
FieldKind = Literal["lane", "text", "plate", "fen", "count", "choice", "ids", "hex", "bool", "day", "known"]


class Action(msgspec.Struct, frozen=True):
    name: str
    group: Group
    role: Role
    body: type[api.Body]
    zh: str
    en: str
    warn_zh: str = ""
    warn_en: str = ""
    lane_action: str = ""
    lane_op: str = "command"
    """The operation on the lane's socket: flow control has operations of its own."""


_OPEN_ZH, _OPEN_EN = "确认闸杆下无人无车", "make sure that nobody is under the arm"

ACTIONS: tuple[Action, ...] = (
    Action("open", "lane", "technician", api.LaneOrder, "抬杆", "Raise arm", lane_action="open"),
    Action("close", "lane", "technician", api.LaneOrder, "落杆", "Lower arm", _OPEN_ZH, _OPEN_EN, "close"),
    Action("hold_open", "lane", "technician", api.LaneOrder, "常开", "Hold open",
           "车辆将不经判断通过", "cars will pass without a decision", "hold_open"),
    Action("release", "lane", "technician", api.LaneOrder, "取消常开", "End holding open", lane_action="release"),
    Action("lock", "lane", "technician", api.LaneOrder, "锁定车道", "Lock the lane",
           "之后到达的车不放行", "cars that come after will not be admitted", "lock"),
    Action("unlock", "lane", "technician", api.LaneOrder, "解锁车道", "Unlock the lane", lane_action="unlock"),
    Action("let_in", "car", "technician", api.CarOrder, "放行等待的车", "Let the waiting car pass",
           lane_action="let_in"),
    Action("pay_cash", "car", "technician", api.PayCash, "现金收费", "Paid in cash", lane_action="pay_cash"),
    Action("pay_free", "car", "technician", api.PayFree, "免费放行", "Free of charge", lane_action="pay_free"),
    Action("correct_plate", "car", "technician", api.CorrectPlate, "更正车牌", "Correct a plate",
           lane_action="correct_plate"),
    Action("correct_count", "lot", "technician", api.CorrectCount, "更正场内车辆数", "Correct the count",
           lane_action="correct_count"),
    Action("acknowledge_fault", "fault", "technician", api.AcknowledgeFault, "确认故障", "Acknowledge a fault",
           lane_action="acknowledge_fault"),
    Action("priority", "lot", "technician", api.SetPriority, "预约优先", "Priority of reserved cars",
           lane_action="priority", lane_op="priority"),
    Action("lane_role", "lot", "technician", api.SetLaneRole, "入口角色", "Role of an entrance",
           lane_action="role", lane_op="role"),
    Action("repeat_delivery", "delivery", "technician", api.RepeatDelivery, "重新上传", "Send again"),
    Action("test_relay", "test", "technician", api.TestRelay, "测试继电器", "Test a relay",
           "车道须已锁定且无车; 闸杆可能动作", "the lane must be locked and empty; the arm may move", "test_relay"),
    Action("test_sign", "test", "technician", api.LaneOrder, "试显示屏", "Test a sign",
           "显示屏显示测试文字约十秒", "the sign shows a test text for about ten seconds", "test_sign", "test_sign"),
    Action("check_link", "test", "technician", api.CheckLink, "检查平台连接", "Check a city link"),
    Action("restart", "program", "technician", api.RestartProgram, "重启程序", "Restart a program",
           "车道程序重启约一秒, 期间不抬杆", "the lane program is away for about a second and opens for nobody"),
    Action("user_add", "users", "admin", api.UserAdd, "新增用户", "Add a user"),
    Action("user_role", "users", "admin", api.UserRole, "更改角色", "Change a role"),
    Action("user_reset", "users", "admin", api.UserNamed, "重置密码", "Reset a password"),
    Action("user_remove", "users", "admin", api.UserNamed, "删除用户", "Remove a user"),
    Action("commission_mark", "commission", "technician", api.CommissionMark, "调试项目", "Commissioning item"),
    Action("commission_form", "commission", "technician", api.CommissionForm, "接入申请表", "Application form"),
    Action("card_add", "money", "admin", api_money.CardAdd, "新增月卡", "Add a card",
           lane_action="card", lane_op="card"),
    Action("card_extend", "money", "admin", api_money.CardExtend, "延期", "Extend a card",
           lane_action="card", lane_op="card"),
    Action("card_cancel", "money", "admin", api_money.CardCancel, "注销月卡", "Cancel a card",
           "其车辆从现在起按临时车收费", "its cars pay as any other from now on", "card_cancel", "card_cancel"),
    Action("list_add", "money", "admin", api_money.ListAdd, "加入名单", "Put a plate on a list",
           lane_action="list", lane_op="list"),
    Action("list_remove", "money", "admin", api_money.ListRemove, "移出名单", "Take a plate off its list",
           lane_action="list_delete", lane_op="list_delete"),
    Action("tariff_version", "money", "admin", api_money.TariffVersion, "启用新标准", "Put a tariff in force",
           "对之后入场的车辆生效, 场内车辆仍按原标准", "for cars that come from now on; cars inside keep theirs",
           "tariff", "tariff"),
    Action("refund", "money", "admin", api_money.Refund, "登记退款", "Money given back",
           "盒子不退钱: 请先把钱退给车主", "the box moves no money: give it back first", "refund", "refund"),
)  # fmt: skip

BY_NAME = {action.name: action for action in ACTIONS}

FIELD_WORDS: dict[str, tuple[FieldKind, str, str]] = {
    "lane": ("lane", "车道", "Lane"),
    "why": ("text", "原因", "Reason"),
    "plate": ("plate", "车牌", "Plate"),
    "arrival_id": ("known", "车辆", "Car"),
    "seen_plate": ("known", "所见车牌", "Plate as shown"),
    "visit_id": ("hex", "停车记录", "Visit"),
    "amount_fen": ("fen", "金额", "Amount"),
    "count": ("count", "场内车辆数", "Cars parked"),
    "fault": ("text", "故障代码", "Fault"),
    "device": ("text", "设备", "Device"),
    "relay": ("choice", "继电器", "Relay"),
    "on": ("bool", "开启", "On"),
    "lane_role": ("choice", "入口角色", "Role of the entrance"),
    "ids": ("ids", "上传记录", "Deliveries"),
    "city": ("choice", "平台", "City"),
    "program": ("choice", "程序", "Program"),
    "name": ("text", "用户名", "User"),
    "role": ("choice", "角色", "Role"),
    "item": ("text", "项目", "Item"),
    "done": ("bool", "完成", "Done"),
    "note": ("text", "备注", "Note"),
    "address": ("text", "项目地址", "Address"),
    "gaode": ("text", "项目高德坐标", "Gaode coordinates"),
    "building": ("choice", "建筑类型", "Building type"),
    "district": ("choice", "所在区", "District"),
    "owner": ("text", "建设/产权/运营单位", "Builder, owner, operator"),
    "brand": ("text", "设备品牌", "Device brand"),
    "contact": ("text", "联系人及电话", "Contact and phone"),
    "government_price": ("choice", "是否政府定价", "Price set by government"),
    "filed": ("choice", "是否备案", "Filed"),
    "filed_on": ("text", "备案日期", "Filed on"),
    "remarks": ("text", "备注", "Remarks"),
    "filled_by": ("text", "填表人", "Filled in by"),
    "plates": ("text", "车牌 (可多个)", "Plates (several allowed)"),
    "places": ("count", "车位数", "Places"),
    "from_day": ("day", "开始日期", "First day"),
    "until_day": ("day", "结束日期", "Last day"),
    "list_kind": ("choice", "名单", "List"),
    "card_id": ("known", "月卡", "Card"),
    "entry_id": ("known", "名单记录", "Entry"),
    "order_id": ("known", "订单", "Order"),
    "param": ("known", "收费标准", "Tariff"),
    "confirmed": ("known", "已确认", "Confirmed"),
    "leave_min": ("count", "缴费后离场分钟", "Minutes to leave after paying"),
}
"""Of every member but `command_id`, which no person fills in."""


def views(role: Role) -> list[ActionView]:
    """The table for somebody of this role."""
    return [
        ActionView(
            name=action.name,
            group=action.group,
            role=action.role,
            allowed=may(role, action.role),
            zh=action.zh,
            en=action.en,
            warn_zh=action.warn_zh,
            warn_en=action.warn_en,
            fields=tuple(_fields(action.body)),
        )
        for action in ACTIONS
    ]


def _fields(body: type[api.Body]) -> list[FieldView]:
    kind = inspect.type_info(body)
    assert isinstance(kind, inspect.StructType)
    return [_field(field) for field in kind.fields if field.encode_name != "command_id"]


def _field(field: inspect.Field) -> FieldView:
    shape, zh, en = FIELD_WORDS[field.encode_name]
    inner: inspect.Type = field.type
    if isinstance(inner, inspect.UnionType):
        inner = next(option for option in inner.types if not isinstance(option, inspect.NoneType))
    if isinstance(inner, inspect.Metadata):
        inner = inner.type
    choices: tuple[str, ...] = ()
    if isinstance(inner, inspect.LiteralType):
        choices = tuple(map(str, inner.values))
    longest = inner.max_length if isinstance(inner, inspect.StrType) and inner.max_length else 0
    return FieldView(field.encode_name, shape, field.required, zh, en, choices, longest)
