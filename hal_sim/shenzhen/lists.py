"""The value lists and the two code tables of T/SZPIA 001-2020, written from the print alone."""

from __future__ import annotations

VERSION = "1.0"  # 7.1.4.1.2 b): base URL / version / interface code

# 7.1.5.1, table 43: resultCode, the whole request. 0 stands there, 1 does not.
RESULT_CODES = {0: "成功", 2: "JSON 格式错误", 3: "接口通用格式错误", 4: "参数错误", 5: "其它错误"}
BAD_JSON, BAD_ENVELOPE, BAD_PARAMETER, OTHER = 2, 3, 4, 5

# 7.1.5.2, table 44: code, one element. 0 is in no table, but in every example of annex B (SC19).
CODES = {
    0: "成功",
    1000: "编码/命名错误",
    1001: "停车库（场）编号编码错误",
    1002: "车位编号编码错误",
    1003: "行政区编码错误",
    1004: "超出规定长度",
    1005: "字段类型错误",
    1007: "超出规定值范围",
    1100: "对象不存在",
    1101: "停车库（场）不存在",
    1102: "车位不存在",
    1103: "车辆不存在",
    1104: "预订订单不存在",
    1107: "指定页码不存在",
    1200: "对象已存在",
    1201: "预订编号已存在",
    1300: "对象已失效",
    1301: "预订已过期",
    1400: "对象已删除",
    1401: "预订已取消",
    1500: "没有空余对象",
    1501: "没有可预订车位",
    3001: "用户名或密码错误",
    3002: "访问令牌错误",
    4001: "车辆不在场内",
    5004: "预约时间有误",
}
OK = 0
BAD_NAME, BAD_LOT, BAD_STALL, TOO_LONG, BAD_TYPE, OUT_OF_RANGE = 1000, 1001, 1002, 1004, 1005, 1007
UNKNOWN_OBJECT, UNKNOWN_LOT, EXISTS_ALREADY = 1100, 1101, 1200
BAD_LOGIN, BAD_TOKEN = 3001, 3002
OWN_CODES_FROM = 5000  # 7.1.5.2: extensions start here
WEATHER_CODE = 5900  # our own extension code: refused by the weather

# 7.1.3.4, tables 6 and following: free text of three characters; the usual words (SC33), with or without 色
PLATE_COLOURS = frozenset(
    word + end for word in ("蓝", "黄", "绿", "白", "黑", "黄绿") for end in ("", "色") if len(word + end) <= 3
)
YES_OR_DELETED = frozenset({1, 2})  # status: 1 正常 2 删除
SERVICE_TYPES = frozenset(range(1, 9))  # table 2
PRICING = REGIONS = ENTRANCE_TYPES = CAR_MODELS = frozenset({1, 2, 3})  # tables 3, 5, 6
PAY_TYPES = frozenset(range(1, 7))  # table 8
COUPON_TYPES = frozenset(range(5))  # tables 9 and 37
OFF_ON = frozenset({0, 1})  # table 33

# Interfaces by direction: up and login at the platform, down at the box.
LOGIN, REFRESH, LOGOUT = 1001, 1002, 1003
LINK_LOGIN, LINK_LOGOUT, HEARTBEAT = 1004, 1005, 1006
ORDERS = {4001: "车辆管控名单下发", 4002: "优惠打折下发", 6001: "车位预订锁定", 6002: "车位预订确定"}


def meaning(code: int) -> str:
    """What table 44 says of a code."""
    return CODES.get(code, "扩展编码 extension code")
