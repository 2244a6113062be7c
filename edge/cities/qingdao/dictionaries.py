"""Dictionaries: the enumerations of T/QME 0015-2024 B.6.1 that our messages use, and the result codes.

Transcribed whole, misprints included (UNKNOW): what the city prints is what it compares with.
"""

from __future__ import annotations

from typing import Literal

# B.6.1.1 平台设备类型 (line 1589). QC43: no value for a camera.
DeviceType = Literal[
    "0",  # 项目
    "0201",  # 车场道闸
    "0202",  # 通道闸/交通闸
    "0204",  # 车场手持机
    "0207",  # 车场控制机
    "03",  # 收费终端
    "0701",  # 车场盒子
    "0301",  # 服务器
    "0302",  # 缴费机
]

# B.6.1.2 设备状态 (line 1606).
DeviceState = Literal["01", "02"]
ONLINE: DeviceState = "01"
OFFLINE: DeviceState = "02"

# B.6.1.7 车场事件类型 (line 1674). QC41: one list for entries and exits.
EventType = Literal[
    "BRUSHCARD",  # 一般正常记录
    "FIXTOTEMP",  # 固定车过期转临时车
    "LOSECARD",  # 遗失卡出场
    "OVERTIME",  # 超时收费记录
    "MANWORK",  # 人工开闸
    "HANDWORK",  # 手动开闸
    "ENGLUT",  # 超时吞卡
    "NOTTHESYS",  # 非本系统 IC 卡
    "NOCARD",  # 无卡出场
    "CANCELBRAK",  # 取消开闸
    "EXPERROR",  # 消费写卡出错
    "GULPERROR",  # 吞卡写卡出错
    "MONOVERTM",  # 月卡超时收费
    "VIPCAR",  # 访客贵宾车
    "CHECKCARNO",  # 车牌校正
    "PRIVILEGE",  # 特权车
    "NOCARCARD",  # 固定车忘带卡
    "NOMOTOR",  # 非机动车放行
    "EXCEPTION",  # 卡异常 (仅作兼容)
    "OFFLINE",  # 脱机记录 (仅作兼容)
    "FIXCHARGE",  # 固定收费
    "SHARENORMAL",  # 车位分享时段内
    "SHAREOVERTIME",  # 车位分享超时
    "MONTH_CARD_OVERTIME2",  # 捷顺通月卡过期
    "WRITE_CARD_ERROR_PREREAD_RECORD",  # 预读记录吞卡时写卡失败记录
    "ASK_FOR_RECORD_IN",  # 索要银联卡入场记录
    "POS_ERR_RECORD",  # POS 机通知故障单记录
    "MULTI_MONTH_OVER_TEMP",  # 多位多车转临时卡
    "OVER_TIMEOUT_TICKET",  # 超时吞票记录
    "OPEN_ON_COIL",  # 压地感不识别开闸入场
    "BLACK_SHEET",  # 黑名单出入口
    "GRAY_SHEET",  # 灰名单出入口
    "LOCKED_CAR_ENTRANCE",  # 锁定状态车辆入场
    "INSUFFICIENT_BALANCE_TO_TEMP",  # 储值用户余额不足转临时
    "APPBRAK",  # APP 开闸
    "CENTER_WAIT_INCARD",  # 云支付, 中央收费出口等待吞卡
]

# B.6.1.9 付款方式 (line 1734).
PayType = Literal[
    "ZFB", "WX", "YL", "JST", "JSTK", "BOC", "CNB", "ICBC", "CBC", "CMBC", "YLK", "JWGXJ",
    "XJ",  # 现金
    "SZT", "SUZT", "JYT", "NJK", "YCT", "ZST", "DGT",
    "OTHER",  # 其它
    "JSJK", "YZF", "YFB", "ZCB", "YLPOS", "YDK",
    "YHJM",  # 优惠减免
    "PREPAYCARD",
]  # fmt: skip

# B.6.1.26 车牌颜色 (line 1951). QC40: 未知 is printed without its last N.
PlateColour = Literal["UNKNOW", "WHITE", "BLACK", "BLUE", "YELLOW", "GREEN"]

# B.6.1.27 车辆收费类型 (line 1965).
ChargeType = Literal["NORMAL", "FREETIME", "FREE", "HIGHFEE", "DISCNTFREE", "OTHER"]

# B.6.1.30 车场出入口类型 (line 2001). QC42: 1 entrance, 2 exit; 5 is cut off in the print.
IoType = Literal[0, 1, 2, 3, 4, 5, 6]
ENTRANCE: IoType = 1
EXIT: IoType = 2

# B.1.1.4 异常列表 (line 410) and B.2 返回码说明 (line 520). QC24: the union of both; where they differ, the
# words of the first table stand.
RESULT_CODES: dict[int, tuple[str, str]] = {
    0: ("成功", "success"),
    1: ("处理失败", "processing failed"),
    100: ("请求参数为空", "request empty"),
    101: ("客户号为空", "customer number missing"),
    102: ("账号为空", "account missing"),
    103: ("密码为空", "password missing"),
    104: ("签名为空", "signature missing"),
    105: ("令牌为空", "token missing"),
    106: ("parameter 为空", "parameter missing"),
    107: ("data_items 为空", "data_items missing"),
    110: ("用户不存在", "no such user"),
    111: ("密码错误", "wrong password"),
    112: ("无效的数据签名", "signature does not match"),
    113: ("无效的令牌或令牌过期", "token invalid or expired"),
    114: ("parameter 格式错误", "parameter malformed"),
    115: ("客户号不存在", "no such customer number"),
    116: ("IP 未绑定", "address not registered"),
    117: ("账号不存在", "no such account"),
    118: ("客户号或 IP 不正确或登录已超时", "customer number or address wrong, or login expired"),
    119: ("参数长度超过限制或格式不正确", "parameter too long or malformed"),
}
