"""The value lists of T/QME 0015-2024 that uplink records use (annex B.6.1), and both result-code tables.

Spelt as printed, misprints included (UNKNOW). Written from the print alone, shared with nothing in the box.
"""

from __future__ import annotations


def _words(printed: str) -> frozenset[str]:
    return frozenset(printed.split())


# B.6.1.1 平台设备类型
DEVICE_TYPES = frozenset({"0", "0201", "0202", "0204", "0207", "03", "0701", "0301", "0302"})
# B.6.1.2 设备状态
DEVICE_STATES = frozenset({"01", "02"})
# B.6.1.3 服务类型
SERVICES = frozenset({"PARK", "DOOR", "FEE", "ATTEND", "VISIT", "PATROL"})
# B.6.1.7 车场事件类型
EVENTS = _words(
    """BRUSHCARD FIXTOTEMP LOSECARD OVERTIME MANWORK HANDWORK ENGLUT NOTTHESYS NOCARD CANCELBRAK EXPERROR
    GULPERROR MONOVERTM VIPCAR CHECKCARNO PRIVILEGE NOCARCARD NOMOTOR EXCEPTION OFFLINE FIXCHARGE SHARENORMAL
    SHAREOVERTIME MONTH_CARD_OVERTIME2 WRITE_CARD_ERROR_PREREAD_RECORD ASK_FOR_RECORD_IN POS_ERR_RECORD
    MULTI_MONTH_OVER_TEMP OVER_TIMEOUT_TICKET OPEN_ON_COIL BLACK_SHEET GRAY_SHEET LOCKED_CAR_ENTRANCE
    INSUFFICIENT_BALANCE_TO_TEMP APPBRAK CENTER_WAIT_INCARD"""
)
# B.6.1.9 付款方式
PAY_TYPES = _words(
    """ZFB WX YL JST JSTK BOC CNB ICBC CBC CMBC YLK JWGXJ XJ SZT SUZT JYT NJK YCT ZST DGT OTHER JSJK YZF YFB
    ZCB YLPOS YDK YHJM PREPAYCARD"""
)
# B.6.1.22 车场卡类型
CARD_TYPES = frozenset({"STORE_CARD", "MONTH_CARD", "TEMP_CARD", "FREE_CARD", "SPECIAL_CARD"})
# B.6.1.26 车牌颜色
PLATE_COLOURS = frozenset({"UNKNOW", "WHITE", "BLACK", "BLUE", "YELLOW", "GREEN"})
# B.6.1.27 车辆收费类型
CHARGE_TYPES = frozenset({"NORMAL", "FREETIME", "FREE", "HIGHFEE", "DISCNTFREE", "OTHER"})
# B.6.1.30 出入口类型
LANE_TYPES = frozenset(range(7))
# B.6.1.31 套餐编号: all from 46 to 76 but 48 and 49
PLAN_CODES = frozenset({46, 47} | set(range(50, 77)))

# The abbreviations of the 34 provinces, which begin a civil plate: B.2 特别说明 2 wants a
# hyphen after the "省".
PROVINCES = frozenset("京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新港澳台")

# B.1.1.4 异常列表 (line 410)
RESULT_CODES = {
    0: "成功",
    1: "处理失败（接口报错）",
    100: "请求参数为空",
    101: "客户号为空",
    102: "账号为空",
    103: "密码为空",
    104: "sign 为空",
    105: "token 为空",
    106: "parameter 为空",
    107: "data_items 为空",
    110: "用户不存在",
    111: "密码错误",
    112: "无效的数据签名",
    113: "无效的令牌或令牌过期",
    114: "parameter 格式错误",
    115: "客户号不存在",
    116: "IP 未绑定",
    117: "账号不存在",
    118: "客户号或 IP 不正确或登录已超时",
    119: "参数长度超过限制或格式不正确",
}
# B.2 返回码说明 (lines 523 to 529): fewer codes, and 102 also means that the project does not exist (QC24)
RESULT_CODES_B2 = {
    0: "请求成功",
    1: "请求失败",
    100: "请求参数为空",
    101: "cno 为空",
    102: "cno 对应的项目不存在 /usr 为空",
    103: "psw 为空",
    104: "sign 为空",
    105: "token 为空",
    111: "密码错误",
    112: "sign 不匹配",
    113: "token 无效或过期",
    115: "cno 不存在",
    117: "Usr 不存在",
    119: "登录账号超过 20 位长度限制",
}


def meaning(code: int) -> str:
    """What the standard says of a result code; 102 and 119 mean two things, one in each table."""
    general, repeated = RESULT_CODES[code], RESULT_CODES_B2.get(code)
    if code in (102, 119) and repeated is not None:
        return f"{general}；{repeated}"
    return general
