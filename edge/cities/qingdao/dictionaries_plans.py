"""Dictionaries of plans and cards: the enumerations of T/QME 0015-2024 B.6.1 that interfaces 10 to 17 use.

Transcribed whole, as `dictionaries`, of which this is the second half.
"""

from __future__ import annotations

from typing import Literal

# B.6.1.3 服务类型 (line 1615).
ServiceType = Literal["PARK", "DOOR", "FEE", "ATTEND", "VISIT", "PATROL"]
PARKING: ServiceType = "PARK"

# B.6.1.12 卡介质类型 (line 1789): of the credentials in an order that opens a card.
Medium = Literal[
    103,  # 捷顺通卡
    104,  # 银联卡
    105,  # 城市通卡
    163,  # 车牌号码
    251,  # 虚拟卡
    180,  # 无牌车虚拟凭证
    181,  # 出场码
]
BY_PLATE: Medium = 163

# B.6.1.18 服务操作类型 (line 1855). QC50: REFUND is printed 违规; it ends the card.
CardOperation = Literal[
    "OPEN",  # 开通
    "RECHARGE",  # 充值延期
    "REFUND",  # 违规
    "FREEZE",  # 冻结
    "UNFREEZE",  # 解冻
    "LOCK",  # 锁定
    "UNLOCK",  # 解锁
    "CLOSE",  # 注销
]

# B.6.1.20 卡状态 (line 1882).
CardState = Literal[
    "BLANK",  # 白卡
    "NORMAL",  # 正常
    "LOSSED",  # 挂失
    "SCRAPPED",  # 报废
    "BACKED",  # 已退卡
    "SUSPEND",  # 暂停
    "LOCK",  # 锁定 (JSDS)
    "FREEZE",  # 冻结 (JSDS)
    "OTHER",  # 其他
]

# B.6.1.22 车场卡类型 (line 1911).
CardType = Literal["STORE_CARD", "MONTH_CARD", "TEMP_CARD", "FREE_CARD", "SPECIAL_CARD"]

# B.6.1.31 套餐编号 (line 2014): in the order of the print.
PlanCode = Literal[
    50, 51, 59, 52, 60, 53, 61, 58, 64, 73, 63, 74, 68, 75, 47, 76,  # 月卡 A, 储值卡 A, ... 月卡 H, 储值卡 H
    54, 69, 55, 70, 56, 71, 57, 72,  # 临时卡 A, E, B, F, C, G, D, H
    65, 62, 66, 67,  # 免费卡 A to D
    46,  # 城市通
]  # fmt: skip
