"""Messages that the box sends: each table of T/SZPIA 001-2020 once, with wire name, type and range of every member.

Members in the order of the tables. "clause table" stands above each class. What the standard prints twice is
declared once and used twice.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from edge.cities.shenzhen.fields import (
    CarModel,
    ColourText,
    Count,
    DateTime,
    Image,
    Latitude,
    Longitude,
    Message,
    Money,
    PlateText,
    Status,
    Text5,
    Text6,
    Text10,
    Text18,
    Text20,
    Text28,
    Text50,
    Text100,
    Text200,
    Text255,
    Text500,
    Uuid,
)


class CarInfo(Message, frozen=True, kw_only=True):
    """7.1.3.4 table 6, parkCarInfo."""

    plate_no: PlateText = field(name="plateNo")
    plate_color: ColourText | None = field(name="plateColor", default=None)
    car_color: ColourText | None = field(name="carColor", default=None)
    car_model: CarModel | None = field(name="carModel", default=None)
    """1 大型车 2 中型车 3 小型车."""


class ChargeItem(Message, frozen=True, kw_only=True):
    """7.1.3.2 table 4; SC37: object and member have one name."""

    charge_item: Text20 = field(name="chargeItem")
    charge_desc: Text100 = field(name="chargeDesc")


class Charging(Message, frozen=True, kw_only=True):
    """7.1.3.2 table 3, chargingStandard; the whole of 3005."""

    park_code: Text20 = field(name="parkCode")
    permit_no: Text6 = field(name="permitNo")
    charger: Text100
    pricing: Literal[1, 2, 3]
    region: Literal[1, 2, 3]
    complaint_tel: Text5 = field(name="complaintTel")
    remark: Text500 | None = None
    price_sign: Image | None = field(name="pricingSign", default=None)
    items: tuple[ChargeItem, ...]


class ParkInfo(Message, frozen=True, kw_only=True):
    """7.1.3.1 table 2."""

    park_code: Text20 = field(name="parkCode")
    park_name: Text255 = field(name="parkName")
    charging: Charging
    road_name: Text10 | None = field(name="roadName", default=None)
    address: Text255 | None = None
    reservable_stalls: Count = field(name="reservableStalls")
    total_stalls: Count | None = field(name="totalStalls", default=None)
    """SC35: in the example and in no table."""
    longitude: Longitude
    latitude: Latitude
    shenzhen_x: float | None = field(name="shenzhenX", default=None)
    shenzhen_y: float | None = field(name="shenzhenY", default=None)
    shenzhen_h: float | None = field(name="shenzhenH", default=None)
    operator_id: Text10 = field(name="operatorId")
    service_type: Literal[1, 2, 3, 4, 5, 6, 7, 8] = field(name="serviceType")
    committee: Text50 | None = field(name="industAuthorInfo", default=None)
    public_info: Text200 = field(name="publicInfo")
    map_image: Image | None = field(name="mapImage", default=None)


class ParkReport(Message, frozen=True, kw_only=True):
    """3001: 7.1.4.3.1 table 23."""

    park_info: ParkInfo = field(name="parkInfo")
    status: Status
    """1 正常 2 删除."""


class Entrance(Message, frozen=True, kw_only=True):
    """7.1.3.3 table 5."""

    id: Uuid
    name: Text10
    park_code: Text20 = field(name="parkCode")
    road_name: Text10 | None = field(name="roadName", default=None)
    type: Literal[1, 2, 3]
    """1 入口 2 出口 3 出入口."""
    longitude: Longitude
    latitude: Latitude


class EntranceReport(Message, frozen=True, kw_only=True):
    """3002: 7.1.4.3.2 table 25; SC34: the member is entranceExitInfo."""

    entrance: Entrance = field(name="entranceExitInfo")
    status: Status


class Stalls(Message, frozen=True, kw_only=True):
    """5003: 7.1.3.9 table 11."""

    park_code: Text20 = field(name="parkCode")
    used: Count = field(name="usedStalls")
    unused: Count = field(name="unusedStalls")
    reserved: Count | None = field(name="reservedStalls", default=None)


class ParkRecord(Message, frozen=True, kw_only=True):
    """5004, 5005, 5006: 7.1.3.5 table 7. All three carry the id of the stay (SC43)."""

    id: Uuid
    park_code: Text20 = field(name="parkCode")
    """SC39: always sent."""
    stall_no: Text28 | None = field(name="stallNo", default=None)
    car_info: CarInfo = field(name="carInfo")
    enter_time: DateTime = field(name="enterTime")
    in_equipment_id: Uuid | None = field(name="inEquipmentId", default=None)
    leave_time: DateTime | None = field(name="leaveTime", default=None)
    out_equipment_id: Uuid | None = field(name="outEquipmentId", default=None)
    charge_ids: tuple[Uuid, ...] | None = field(name="chargeIdList", default=None)
    receivables: Money
    discount: Money
    received: Money


class Discount(Message, frozen=True, kw_only=True):
    """7.1.3.7 table 9, discountRecord."""

    id: Uuid
    coupon_no: Text20 | None = field(name="couponNo", default=None)
    coupon_type: Literal[0, 1, 2, 3, 4] = field(name="couponType")
    """0 无优惠 1 减免金额 (元) 2 减免时间 (小时) 3 打折 (0.3 减免 30%) 4 全免 (值为 1)."""
    coupon_value: Money = field(name="couponValue")
    discount_channel: Text100 | None = field(name="discountChannel", default=None)
    channel_org_code: Text18 | None = field(name="channelOrgCode", default=None)


class ChargeRecord(Message, frozen=True, kw_only=True):
    """5008: 7.1.3.6 table 8."""

    id: Uuid
    order_no: Text50 | None = field(name="orderNo", default=None)
    record_id: Uuid = field(name="recordId")
    car_info: CarInfo = field(name="carInfo")
    pay_time: DateTime = field(name="payTime")
    receivables: Money
    discount: Money
    received: Money
    pay_type: Literal[1, 2, 3, 4, 5, 6] = field(name="payType")
    """1 现金 2 微信 3 支付宝 4 银联 5 ETC 6 其它."""
    pay_from: Text10 = field(name="payFrom")
    discounts: tuple[Discount, ...] | None = field(name="listDiscounts", default=None)


class PriorityEvent(Message, frozen=True, kw_only=True):
    """7001: 7.1.4.3.9 table 33."""

    id: Uuid
    park_code: Text20 = field(name="parkCode")
    time: DateTime
    operate_type: Literal[0, 1] = field(name="operateType")
    """0 关闭 1 开启."""
    remark: Text200 | None = None


class Login(Message, frozen=True, kw_only=True):
    """1001, 1002, 1003, 1004: tables 15, 17, 19, 21. Which members each carries is the conversation's."""

    user_id: str | None = field(name="userId", default=None)
    password: str | None = None
    callback_server: str | None = field(name="callbackServer", default=None)
    online_order_url: str | None = field(name="onlineOrderUrl", default=None)
    access_token: str | None = field(name="accessToken", default=None)
    refresh_token: str | None = field(name="refreshToken", default=None)


PARK, ENTRANCE, TARIFF = "3001", "3002", "3005"
STALLS, ENTERED, LEFT, CORRECTED, CHARGED, PRIORITY = "5003", "5004", "5005", "5006", "5008", "7001"

REPORTED: dict[str, type[Message]] = {
    PARK: ParkReport,
    ENTRANCE: EntranceReport,
    TARIFF: Charging,
    STALLS: Stalls,
    ENTERED: ParkRecord,
    LEFT: ParkRecord,
    CORRECTED: ParkRecord,
    CHARGED: ChargeRecord,
    PRIORITY: PriorityEvent,
}
"""Interfaces of 7.1.4.3 that the box calls."""
