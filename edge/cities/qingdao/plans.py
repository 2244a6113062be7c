"""Plans and places: what the city is told of the lot's cards, their prices and its stalls (interfaces 10, 11 and 15).

Line numbers are those of the transcribed text of T/QME 0015-2024.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from edge.cities.qingdao.dictionaries_plans import CardType, PlanCode, ServiceType
from edge.cities.qingdao.fields import (
    ChinaTime,
    Count,
    Guid,
    Message,
    StampMs,
    Text10,
    Text30,
    Text50,
    YuanFen,
)

# QC68: HH:mm; the print has blanks in its examples ("07: 20").
ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:mm")]

# QC81: String 10, required, and "" on a free stall.
PlateOrNone = Annotated[str, Meta(max_length=10, description="at most 10 characters")]


class Week(Message, frozen=True, kw_only=True):
    """星期信息, B.6.1.21 (line 1898): day0 is Sunday. QC55: an object."""

    kind: ClassVar[str] = "cardtypeinfo.week"
    path: ClassVar[str] = ""

    day0: bool
    day1: bool
    day2: bool
    day3: bool
    day4: bool
    day5: bool
    day6: bool


class PlanAttach(Message, frozen=True, kw_only=True):
    """附加信息 of interface 10 (line 913): 允许通行次数."""

    kind: ClassVar[str] = "cardtypeinfo.attach"
    path: ClassVar[str] = ""

    count: Count


class CardTypeInfo(Message, frozen=True, kw_only=True):
    """套餐信息上传, interface 10, B.3.1.9 (line 882). All plans at start, on change, every 24 h; repeated (QC30)."""

    kind: ClassVar[str] = "cardtypeinfo"
    path: ClassVar[str] = "/thirdAPI/cardtypeinfo"

    item_id: Guid  # 套餐 ID
    tc_code: PlanCode  # 套餐编号, B.6.1.31
    tc_name: Text50  # 套餐名称
    seal_type: Literal[1, 2, 3, 4]  # 1 月租车, 2 临时车, 3 免费车, 4 预付费车
    service_type: ServiceType  # B.6.1.3
    tc_type: CardType  # B.6.1.22
    delete_flag: bool = False
    start_period: ClockTime | None = None  # shared parking: from
    end_period: ClockTime | None = None  # shared parking: until
    week: Week | None = None  # shared parking: on these days
    attach: PlanAttach | None = None  # shared parking: so many times
    timestamp: StampMs


class MonthStandardInfo(Message, frozen=True, kw_only=True):
    """车场月收费标准上传, interface 11, B.3.1.10 (line 926). At start, on change, every 24 h; repeated (QC30)."""

    kind: ClassVar[str] = "monthstandardinfo"
    path: ClassVar[str] = "/thirdAPI/monthstandardinfo"

    item_id: Guid  # 车场月卡收费标准 ID
    month_period: Count  # 月: 3 for a quarter, 6 for half a year
    month_period_money: YuanFen  # 收费金额
    tc_id: Guid  # 套餐 ID: item_id of interface 10
    delete_flag: bool = False
    timestamp: StampMs


class PlaceStatus(Message, frozen=True, kw_only=True):
    """车位状态信息上传, interface 15, B.3.1.14 (line 1079). When a stall's state has changed; repeated (QC26).

    QC33: park_name and park_code are the project's by its notes. QC15: no timestamp.
    """

    kind: ClassVar[str] = "place/status"
    path: ClassVar[str] = "/thirdAPI/cloud/place/status"

    item_id: Guid  # 车位 id
    code: Text30  # 车位编号
    area: Text30 | None = None  # 车位所在区域
    park_name: Text30  # 停车场名称 (项目名称)
    park_code: Text30  # 停车场编号 (项目编号)
    floor: Text10 | None = None  # 车位所在楼层
    book_flag: Literal["0", "1"] | None = None  # 0 不可预定, 1 可预订
    car_no: PlateOrNone  # 车牌号码
    reco_time: ChinaTime  # 识别时间
    place_type: Literal["0", "1", "2"]  # 0 临时, 1 长租, 2 已售
    place_status: Literal["0", "1", "2"]  # 0 空闲, 1 已预定, 2 已占用
    status: Literal["NORMAL", "DELETED"] = "NORMAL"
    park_id: Guid  # 车场 ID; QC37: all 32 characters, though 30 are printed
