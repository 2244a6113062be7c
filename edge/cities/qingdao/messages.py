"""Messages: what the box tells the Qingdao platform, one struct each, in the order of the standard's table.

T/QME 0015-2024: login and logout (B.2) and the interfaces 1 to 4 and 6 to 9 of table 1. Members that the standard makes
optional and that this box does not know yet default to None and stay off the wire. Line numbers are those of
the transcribed text.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from edge.cities.qingdao.dictionaries import (
    ChargeType,
    DeviceState,
    DeviceType,
    EventType,
    IoType,
    PayType,
    PlateColour,
)
from edge.cities.qingdao.fields import (
    ChinaTime,
    Count,
    Guid,
    Message,
    Secret20,
    StampMs,
    Text,
    Text20,
    Text30,
    Text50,
    Text200,
    Text500,
    YuanFen,
)


class Login(Message, frozen=True, kw_only=True):
    """登录, B.2 上行安全接入 (line 473). Flat members, no envelope (QC08); psw as configured (QC11)."""

    kind: ClassVar[str] = "login"
    path: ClassVar[str] = "/login"

    cno: Text20  # 客户号
    usr: Text20  # 账号
    psw: Secret20  # 密码


class Logout(Message, frozen=True, kw_only=True):
    """注销, B.2 (line 494). Flat members as the login."""

    kind: ClassVar[str] = "logout"
    path: ClassVar[str] = "/logout"  # QC02: without the printed blank

    cno: Text20  # 客户号
    tn: Text  # Token, String 32; whatever the city gave


class ParkInfo(Message, frozen=True, kw_only=True):
    """车场信息上传, interface 1, B.3.1.1 (line 597). At start, on change, every 24 h; repeated (QC30)."""

    kind: ClassVar[str] = "parkininfo"
    path: ClassVar[str] = "/thirdAPI/parkininfo"  # QC01: as the interface prints it

    item_id: Guid  # 车场 ID
    park_code: Text20  # 车场编号
    park_name: Text50  # 车场名称
    total_count: Count  # 总车位数
    total_order_count: Count | None = None  # 可预订总车位数
    delete_flag: bool = False  # true 已删除, false 未删除
    lock_flag: Literal[0, 1] = 0  # 是否支持锁车; QC53: no lock interface exists, so 0
    timestamp: StampMs


class ParkSpace(Message, frozen=True, kw_only=True):
    """场内车辆数上传, interface 2, B.3.1.2 (line 626). Every minute; never repeated (QC26)."""

    kind: ClassVar[str] = "parkspace"
    path: ClassVar[str] = "/thirdAPI/parkspace"

    park_id: Guid  # 车场 ID; QC34: park_id here, parkId in the answer
    in_space_count: Count  # 车场已占车位数量
    book_space_count: Count  # 预定车辆数, 0 without bookings
    remain_space_count: Count  # 剩余车位数; QC80: max(0, total - in - book)
    timestamp: StampMs


class CarIn(Message, frozen=True, kw_only=True):
    """车辆入场信息上传, interface 3, B.3.1.3 (line 657). Repeated by rule 5 until accepted."""

    kind: ClassVar[str] = "carIn"
    path: ClassVar[str] = "/thirdAPI/carIn"

    item_id: Guid  # 车辆入场记录 ID
    event_type: EventType  # B.6.1.7, String 50
    car_no: Text20  # 车牌号码, QC39: 省-号码
    car_color: PlateColour  # B.6.1.26
    in_time: ChinaTime  # 车辆入场时间
    in_equipment_id: Guid | None = None  # 入场设备 ID: item_id of interface 8
    park_id: Guid  # 车场 ID: item_id of interface 1
    io_type: IoType  # B.6.1.30
    timestamp: StampMs


class CarOut(Message, frozen=True, kw_only=True):
    """车辆出场信息上传, interface 4, B.3.1.4 (line 690). Sums over the visit, ys = ss + yh (QC71)."""

    kind: ClassVar[str] = "carOut"
    path: ClassVar[str] = "/thirdAPI/carOut"

    item_id: Guid  # 车辆出场记录 ID
    park_id: Guid  # 车场 ID
    event_type: EventType  # B.6.1.7, String 50
    car_no: Text20  # 车牌号码
    car_color: PlateColour  # B.6.1.26, String 20
    out_time: ChinaTime  # 出场时间
    out_equipment_id: Guid | None = None  # 设备 ID
    ys_money: YuanFen  # 应收金额
    ss_money: YuanFen  # 实收金额
    yh_money: YuanFen | None = None  # 优惠打折金额
    park_in_id: Guid  # 车辆入场记录 ID: item_id of carIn
    in_time: ChinaTime  # 入场时间
    remark: Text500 | None = None  # 备注
    io_type: IoType  # B.6.1.30
    timestamp: StampMs


class CarCharge(Message, frozen=True, kw_only=True):
    """车辆收费记录上传, interface 6, B.3.1.5 (line 742). One a payment; none for a zero charge (QC71)."""

    kind: ClassVar[str] = "carcharge"
    path: ClassVar[str] = "/thirdAPI/carcharge"

    item_id: Guid  # 车辆收费记录 ID
    park_id: Guid  # 车场 ID
    car_no: Text50  # 车牌号码
    in_time: ChinaTime  # 入场时间
    charge_time: ChinaTime  # 计费时间
    park_in_id: Guid  # 车辆入场 ID
    ys_money: YuanFen  # 应收金额
    ss_money: YuanFen  # 实收金额
    yh_money: YuanFen | None = None  # 优惠打折金额
    charge_type: ChargeType | None = None  # B.6.1.27, String 20
    pay_type: PayType  # B.6.1.9, String 50
    pay_from: Text30  # 支付来源, 如 支付宝, 微信, 钱包, 第三方
    timestamp: StampMs
    replace_deduct: Literal[0, 1] = 0  # 无感标识, 0 未开通
    app_userid: str | None = None  # 无感用户 ID
    calc_money: YuanFen | None = None  # 计费金额
    person_name: str | None = None  # 用户名称
    pay_status: Literal[1, 2] | None = None  # 1 已付款, 2 已退款
    paid: YuanFen | None = None  # 已支付金额
    orderId: Guid | None = None  # 线上订单 ID, String 32 (the wire's own spelling)
    order_create_time: ChinaTime | None = None  # 线上订单生成时间


class StandardInfo(Message, frozen=True, kw_only=True):
    """车场临时车收费标准上传, interface 7, B.3.1.6 (line 787). At start, on change, every 24 h (QC30)."""

    kind: ClassVar[str] = "standardinfo"
    path: ClassVar[str] = "/thirdAPI/standardinfo"

    item_id: Guid  # 车场临时收费标准 ID
    park_id: Guid  # 车场 ID
    charge_standard_name: Text200  # 收费标准名称
    charge_standard_content: Text  # 标准内容; QC79: readable Chinese text, the print lost its example
    timestamp: StampMs


class EquipInfo(Message, frozen=True, kw_only=True):
    """设备信息上传, interface 8, B.3.1.7 (line 819). At start, on change, every 24 h (QC30)."""

    kind: ClassVar[str] = "equipinfo"
    path: ClassVar[str] = "/thirdAPI/equipinfo"
    nullable: ClassVar[frozenset[str]] = frozenset({"father_id"})

    item_id: Guid  # 设备 ID
    equip_code: Text20  # 设备编号或机号, unique in the lot
    equip_name: Text20  # 设备名称
    type_class: DeviceType  # B.6.1.1
    father_id: Guid | None  # 父级设备 ID, 若无父则使用 NULL; QC44: JSON null
    delete_flag: bool = False  # true 已删除, false 未删除
    park_id: Guid  # 关联车场 ID
    timestamp: StampMs
    channel_no: Count  # 通道号; QC45: lane number from 1, 0 for a device without lane
    io_type: IoType  # B.6.1.30


class EquipStatus(Message, frozen=True, kw_only=True):
    """设备状态信息上传, interface 9, B.3.1.8 (line 854). Every minute; never repeated (QC26)."""

    kind: ClassVar[str] = "equipstatus"
    path: ClassVar[str] = "/thirdAPI/equipstatus"

    equipment_id: Guid  # 设备 ID
    equipment_state: DeviceState  # B.6.1.2
    timestamp: StampMs
