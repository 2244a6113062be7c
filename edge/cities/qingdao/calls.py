"""Calls: what the box asks the city while a car waits, and the city's answers (interfaces 12, 13 and 14).

Unlike records these are questions: the answer is the point, and it is read generously (QC18, QC20: its members at the
top or in data_items, numbers as text). Money is fen here on both sides, as these tables print it (QC70), but for the
two yuan members of interface 12. Line numbers are those of the transcribed text of T/QME 0015-2024.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from edge.cities.qingdao.dictionaries import PlateColour
from edge.cities.qingdao.fields import ChinaTime, Count, Guid, Message, Text
from edge.cities.qingdao.reading import Members

# Int, unit 分.
Fen = Annotated[int, Meta(ge=0, le=2_147_483_647, description="0..2147483647 fen")]

# A count of minutes that the table types String.
MinutesText = Annotated[str, Meta(pattern=r"^[0-9]{1,10}$", description="a count of minutes in digits")]

# QC52: 业务验签编码 1000 and 1012 are the good ones; is_signatory decides.
SIGNATORY_CODES = range(1000, 1013)

# QC75: 0 and 100 mean paid, as number or text.
PAID = frozenset({0, 100})
ORDER_STATES = (-1, 0, 1, 100, 300, 500)


class VehicleInfo(Message, frozen=True, kw_only=True):
    """车辆基础信息, B.6.1.29 (line 1993). QC105: both, equal to car_no and its colour."""

    kind: ClassVar[str] = "vehicle_info"
    path: ClassVar[str] = ""

    plate_no: Text
    plate_color: PlateColour

    def as_text(self) -> str:
        """QC54: interface 12 prints String."""
        return self.encode().decode()


class QuerySignatory(Message, frozen=True, kw_only=True):
    """无感车牌反查, interface 12, B.3.1.11 (line 959): before the exit when no notice (20) has come."""

    kind: ClassVar[str] = "querySignatoryResult"
    path: ClassVar[str] = "/thirdAPI/cloud/querySignatoryResult"

    car_no: Text
    vehicle_info: Text  # QC54: `VehicleInfo.as_text`
    in_time: ChinaTime
    in_recordid: Guid  # QC36: text, though Long 32 is printed


class Deduct(Message, frozen=True, kw_only=True):
    """发起主动扣款请求, interface 13, B.3.1.12 (line 997): the city is asked to take the money of a signed plate."""

    kind: ClassVar[str] = "dkOrderRequest"
    path: ClassVar[str] = "/thirdAPI/cloud/dkOrderRequest"

    order_no: Text  # 订单号
    park_code: Text  # 车场编号
    car_no: Text  # 物理卡号, 车牌号, 虚拟凭证号码
    vehicle_info: VehicleInfo  # QC54: an object here
    service_stime: ChinaTime  # 计费开始时间
    service_etime: ChinaTime  # 计费结束时间
    service_fee_time: Count  # 计费总时间, 秒
    service_fee: Fen  # 原始计费总金额
    deduct_fee: Fen | None = None  # 扣减金额
    discount_fee: Fen | None = None  # 优惠金额
    transport_fee: Fen | None = None  # 物流金额
    other_fee: Fen | None = None  # 其他金额
    total_fee: Fen  # 实际需要支付的金额
    create_time: ChinaTime  # 订单生成时间
    free_minute: MinutesText  # 超时允许滞留分钟数
    surplus_minute: MinutesText | None = None  # 剩余免费分钟数
    policy_minute: Count | None = None  # 打折减免时间, 分钟
    charge_type: Literal[0, 1, 2]  # 0 正常收费, 1 超时收费, 2 其他类型
    desc: Text | None = None  # 交易备注
    serial_no: Text | None = None  # 流水编号
    out_equip_code: Text  # 出口设备编号; QC58: printed "out equip_code"


class QueryOrder(Message, frozen=True, kw_only=True):
    """订单支付结果反查, interface 14, B.3.1.13 (line 1046): has it been paid, when no notice (19) came."""

    kind: ClassVar[str] = "queryOrderStateRequest"
    path: ClassVar[str] = "/thirdAPI/cloud/queryOrderStateRequest"

    order_no: Text
    park_code: Text


class Signatory(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a plate pays seamlessly: the answer of 12, and the content of the notices 20 and 21."""

    car_no: str
    in_record_id: str
    signed: bool
    mode: Literal["leave_first", "pay_first"]
    """withhold_mode: 0 先出后扣, 1 先扣后出."""
    user_id: str = ""
    channel: str = ""
    limit_fen: int | None = None
    balance_fen: int | None = None
    code: int | None = None
    """signatory_code; 21 has none."""


class OrderState(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of an order: the answers of 13 and 14."""

    order_no: str
    status: int
    pay_time: str = ""
    transaction_id: str = ""
    pay_type: str = ""
    pay_from: str = ""
    total_fen: int | None = None

    @property
    def paid(self) -> bool:
        """QC75."""
        return self.status in PAID


def read_signatory(members: Members, *, with_code: bool) -> Signatory:
    """Of the answer of 12 and the notices 20 and 21 (`with_code` False). Raises `BadMember`. QC109: user_id and
    in_recordid may be missing."""
    signed = members.choice("is_signatory", (0, 1)) == 1
    return Signatory(
        car_no=members.plate("car_no"),
        in_record_id=members.text("in_recordid", 32, required=False),
        signed=signed,
        mode="pay_first" if members.choice("withhold_mode", (0, 1), default=None if signed else 0) else "leave_first",
        user_id=members.text("user_id", 64, required=False),
        channel=members.text("withhold_channel", 64, required=False),
        limit_fen=members.yuan_fen("withhold_limit") if members.has("withhold_limit") else None,
        balance_fen=members.yuan_fen("withhold_balance", signed=True) if members.has("withhold_balance") else None,
        code=members.choice("signatory_code", SIGNATORY_CODES) if with_code else None,
    )


def read_order_state(members: Members) -> OrderState:
    """Of the answers of 13 and 14. Raises `BadMember`. QC74: what belongs to a payment is missing without one."""
    return OrderState(
        order_no=members.text("order_no", 64),
        status=members.choice("status", ORDER_STATES),
        pay_time=members.text("pay_time", 30, required=False),
        transaction_id=members.text("transaction_id", 64, required=False),
        pay_type=members.text("pay_type", 50, required=False),
        pay_from=members.text("pay_from", 50, required=False),
        total_fen=members.whole("total_fee", 0, 2_147_483_647) if members.has("total_fee") else None,
    )
