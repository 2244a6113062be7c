"""Codes: tables 43 and 44 of T/SZPIA 001-2020, and what each means for the record that was sent."""

from __future__ import annotations

from typing import Final

OK: Final = 0
BAD_JSON: Final = 2
BAD_ENVELOPE: Final = 3
"""接口通用格式错误: members of table 12 missing or wrong, sign that does not fit (SC21)."""
BAD_MEMBER: Final = 4
OTHER: Final = 5

COMMON: Final = {  # table 43
    OK: ("成功", "success"),
    BAD_JSON: ("JSON格式错误", "bad JSON"),
    BAD_ENVELOPE: ("接口通用格式错误", "bad envelope"),
    BAD_MEMBER: ("参数错误", "bad member"),
    OTHER: ("其它错误", "other error"),
}

LENGTH: Final = 1004
TYPE: Final = 1005
RANGE: Final = 1007
BAD_LOGIN: Final = 3001
BAD_TOKEN: Final = 3002

BUSINESS: Final = {  # table 44
    OK: ("成功", "success"),
    1000: ("编码/命名错误", "bad code or name"),
    1001: ("停车库(场)编号编码错误", "bad lot code"),
    1002: ("车位编号编码错误", "bad stall code"),
    1003: ("行政区编码错误", "bad district code"),
    LENGTH: ("超出规定长度", "too long"),
    TYPE: ("字段类型错误", "wrong type"),
    RANGE: ("超出规定值范围", "out of range"),
    1100: ("对象不存在", "no such object"),
    1101: ("停车库(场)不存在", "no such lot"),
    1102: ("车位不存在", "no such stall"),
    1103: ("车辆不存在", "no such car"),
    1104: ("预订订单不存在", "no such booking"),
    1107: ("指定页码不存在", "no such page"),
    1200: ("对象已存在", "object exists"),
    1201: ("预订编号已存在", "booking exists"),
    1300: ("对象已失效", "object expired"),
    1301: ("预订已过期", "booking expired"),
    1400: ("对象已删除", "object deleted"),
    1401: ("预订已取消", "booking cancelled"),
    1500: ("没有空余对象", "none free"),
    1501: ("没有可预订车位", "no stall to book"),
    BAD_LOGIN: ("用户名或密码错误", "wrong user or password"),
    BAD_TOKEN: ("访问令牌错误", "wrong access token"),
    4001: ("车辆不在场内", "car is not inside"),
    5004: ("预约时间有误", "wrong booking time"),
}

# The record itself is wrong and no repetition mends it: set aside with the reason.
RECORD_CODES: Final = frozenset({1000, 1001, 1002, 1003, LENGTH, TYPE, RANGE, 1101, 1102})

# The platform has the record already (its id is the same): that is what a repetition is for.
KNOWN_CODES: Final = frozenset({1200})


def words(code: int) -> tuple[str, str]:
    """Chinese and English of a code of either table."""
    return BUSINESS.get(code) or COMMON.get(code) or ("未知返回码", "unknown code")
