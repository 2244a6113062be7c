"""The rules of decisions by name: what a person reads where a record names its rule. Chinese first.

The decision's own words have the numbers and the plate; these say which rule it was, the same for every car.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.core.faults import CATALOGUE

Words = tuple[str, str]

RULES: Mapping[str, Words] = {
    # entry (`admission`)
    "no_plate": ("无牌车须人工确认", "no plate: a person decides"),
    "deny_list": ("黑名单", "denied list"),
    "control_no_entry": ("管控名单禁止入场", "control list: no entry"),
    "allow_list": ("固定车", "allowed list"),
    "control_free": ("管控名单免费通行", "control list: free pass"),
    "not_on_list": ("仅限固定车", "listed cars only"),
    "card": ("月卡", "card"),
    "card_expired": ("月卡过期", "card expired"),
    "card_full": ("月卡车位已满", "places of the card taken"),
    "already_inside": ("有未出场记录, 按新入场", "was still recorded inside"),
    # entry (`flow_words`)
    "reserved": ("预约车入场", "reserved car"),
    "reserved_no_stall": ("预约车等待空位", "reserved car, no stall"),
    "lane_reserved": ("入口仅限预约车", "entrance for reserved cars"),
    "lane_waits": ("入口预约车优先", "entrance: reserved cars first"),
    "lane_asks": ("入口须人工确认", "entrance: a person decides"),
    "full": ("车位已满", "lot full"),
    "all_held": ("余位均已预约", "all free stalls are booked"),
    "count": ("有可进车位", "there is room"),
    "free": ("非饱和", "not saturated"),
    "after_reserved": ("饱和: 预约车之后放行", "saturated: after the reserved ones"),
    "idle": ("饱和: 久无预约车", "saturated: no reserved car for a while"),
    "reserved_first": ("饱和: 预约车优先", "saturated: reserved cars first"),
    "credit": ("满位: 出几进一", "full: one in after cars left"),
    "no_credit": ("满位: 等待出车", "full: waits until cars leave"),
    "vehicle": ("限制车型", "vehicle type not admitted"),
    # exit (`admission`)
    "exit_allow_list": ("固定车免费", "allowed list, free"),
    "control_no_exit": ("管控名单禁止出场", "control list: no exit"),
    "exit_control_free": ("管控名单免费通行", "control list: free pass"),
    "exit_no_clock": ("停车时长未知", "time parked unknown"),
    "exit_card_expired": ("月卡过期", "card expired"),
    "exit_card": ("月卡", "card"),
    "exit_paid": ("已缴费, 在离场时间内", "paid, within the time to leave"),
    "exit_free": ("免费时长内或无需缴费", "nothing to pay"),
    "exit_coupons": ("优惠抵扣全部", "coupons cover the fee"),
    "exit_seamless": ("无感支付, 先离场后扣款", "seamless, charged after the exit"),
    "exit_owed": ("平台离线, 先离场后补缴", "city away, to be paid later"),
    "exit_deducting": ("无感支付, 正在扣款", "seamless, being charged"),
    "exit_payment": ("须缴费", "to be paid"),
    "exit_no_plate": ("无牌车须人工确认", "no plate: a person decides"),
    "exit_several": ("相近入场记录不止一条", "several entries resemble it"),
    "exit_unknown": ("无入场记录", "no entry on record"),
    # at the arm (`lane_desk`, `lane_people`, `lane`)
    "paid": ("在闸前结清", "settled at the arm"),
    "operator": ("人工放行", "let in by a person"),
    "city": ("平台放行", "let in by the city"),
    "own_read": ("以本车识别为准", "its own read counts"),
    "closed": ("闸杆已人工关闭", "closed by a person"),
    "under_arm": ("未放行驶入闸杆下", "under the arm without admission"),
    "wait_payment_timeout": ("缴费等待超时", "waited too long for payment"),
    "wait_stall_timeout": ("车位等待超时", "waited too long for a stall"),
    "wait_confirm_timeout": ("人工确认超时", "waited too long for the attendant"),
}
"""Codes of `Decided.rule` and `Passed.rule`. "fault_" and a fault's code: the fault's own words."""


def rule_words(code: str) -> Words:
    """"" has no words; a code of a version that is not this one stands for itself."""
    fault = CATALOGUE.get(code.removeprefix("fault_")) if code.startswith("fault_") else None
    if fault is not None:
        return f"设备故障: {fault.cause_zh}", f"device fault: {fault.cause_en}"
    return RULES.get(code, (code, code))
