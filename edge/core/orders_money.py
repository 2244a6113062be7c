"""Orders of money from a city or a person, in the core's words: T/QME 0015-2024 B.4, interfaces 16 to 28.

Decoded from the lane socket as they are and bounded here, like `edge.core.orders_flow`. An order acts once by its
`command_id` (the city's seq_id); a repeat gets the first answer. `quote` and `scan` ask for an order to pay and are
answered with it (`QuoteTold`); they may be asked as often as somebody likes. Instants are UTC ms, money is fen.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.core.facts_money import CardCar, CardTerms, PlanPrice, ShareHours
from edge.core.orders_flow import FlowOrder, Plate, WallMs

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Word = Annotated[str, Meta(max_length=200)]
Colour = Annotated[str, Meta(max_length=20)]
Fen = Annotated[int, Meta(ge=0, le=1_000_000_000, description="Decimal(12,2) yuan less the last two digits")]
FenMaybe = Annotated[int, Meta(ge=-1, le=1_000_000_000, description="-1: not said")]


class MoneyOrder(FlowOrder, frozen=True, kw_only=True):
    """Base of all orders of this file. `city_ms`: `timestamp`, 0 = not said."""

    city_ms: WallMs = 0


class CardOrder(MoneyOrder, frozen=True, kw_only=True):
    """16 月卡开通、延期、变更. `operation` by B.6.1.18: OPEN open, RECHARGE extend, REFUND and CLOSE cancel (QC50).

    `cars` empty: those the card has (QC91). The times are not checked against now (QR119). `places` 0, `hours` None,
    `plan_id` "": as the card has them.
    """

    operation: Literal["open", "extend", "change", "freeze", "unfreeze", "lock", "unlock", "cancel"]
    card_id: Id
    cars: Annotated[tuple[CardCar, ...], Meta(max_length=100)] = ()
    places: Annotated[int, Meta(ge=0, le=10_000)] = 0
    from_ms: WallMs = 0
    until_ms: WallMs = 0
    plan_id: Word = ""
    hours: tuple[ShareHours, ...] | None = None
    regions: Annotated[tuple[Word, ...], Meta(max_length=200)] = ()
    person_id: Word = ""
    person_name: Word = ""
    phone: Word = ""
    months: Annotated[int, Meta(ge=0, le=1200)] = 0
    due_fen: Fen = 0
    paid_fen: Fen = 0
    refund_due_fen: Fen = 0
    refunded_fen: Fen = 0
    pay_type: Word = ""


class CardCancelOrder(MoneyOrder, frozen=True, kw_only=True):
    """17 月卡注销: by `service_id` alone (QC92); one that is not known is refused."""

    card_id: Id


class QuoteOrder(MoneyOrder, frozen=True, kw_only=True):
    """18 请求获取订单信息: the order of the car with this plate that is inside (QC104, QC105)."""

    plate: Plate
    colour: Colour = ""


class PaymentOrder(MoneyOrder, frozen=True, kw_only=True):
    """19 线上支付成功通知, and what 13 or 14 answered. `result` failed: of 13 alone, the car pays another way.

    The arm opens only where this car waits with this order (QC108). Money that came twice is told by its
    `transaction_id`, or by amount and `paid_at_ms` where there is none.
    """

    order_id: Id
    result: Literal["paid", "failed"] = "paid"
    how: Literal["notice", "poll", "deduction"] = "notice"
    amount_fen: Fen = 0
    pay_type: Word = ""
    pay_from: Word = ""
    paid_at_ms: WallMs = 0
    transaction_id: Word = ""
    detail: Word = ""


class RefundOrder(MoneyOrder, frozen=True, kw_only=True):
    """Money of an order was given back, by a person or, status 300 of 13 and 14, by the platform."""

    order_id: Id
    amount_fen: Annotated[int, Meta(ge=1, le=1_000_000_000)]


class SeamlessOrder(MoneyOrder, frozen=True, kw_only=True):
    """20 无感车牌通知, 21 场内状态变更, and what 12 answered.

    By `visit_id` (in_recordid), else the newest car inside with this plate (QC109).
    """

    plate: Plate
    signed: bool
    mode: Literal["before", "after"]
    visit_id: Annotated[str, Meta(max_length=64)] = ""
    user_id: Word = ""
    channel: Word = ""
    limit_fen: FenMaybe = -1
    balance_fen: FenMaybe = -1
    code: Annotated[int, Meta(ge=0, le=99_999)] = 0
    how: Literal["notice", "change", "query"] = "notice"


class ScanCoupon(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """B.6.1.5 卡券信息; tacticsWay 0 amount (yuan), 1 time (hours), 2 all (QC51), made whole numbers."""

    coupon_no: Annotated[str, Meta(min_length=1, max_length=64)]
    coupon: Literal["amount", "time", "all"]
    amount_fen: Fen = 0
    minutes: Annotated[int, Meta(ge=0, le=525_600)] = 0
    channel: Annotated[str, Meta(max_length=100)] = ""


class ScanOrder(MoneyOrder, frozen=True, kw_only=True):
    """22 扫描静态码: `lane` is the one of equip_code and decides; `credential` or `plate` decides the car (QC78).

    At an exit: the order of the car that stands there. At an entrance, a car without plate waiting: it goes in by its
    `credential`. Without `lane`: the order of the car inside with this credential or plate.
    """

    credential: Annotated[str, Meta(max_length=64)] = ""
    plate: Plate = ""
    coupons: Annotated[tuple[ScanCoupon, ...], Meta(max_length=20)] = ()


class TariffOrder(MoneyOrder, frozen=True, kw_only=True):
    """23 临时车收费标准. `param` is the JSON text; `edge.core.tariff_param` says its form, another one is refused. A
    person's can be a version of the box's own ("local") alone."""

    tariff_id: Id
    param: Annotated[str, Meta(max_length=20_000)]
    leave_min: Annotated[int, Meta(ge=0, le=1440)]
    code: Word = ""
    name: Word = ""
    car_type: Word = ""
    place_type: Word = ""
    remark: Word = ""


class TariffDeleteOrder(MoneyOrder, frozen=True, kw_only=True):
    """24. Cars inside keep it (QC94)."""

    tariff_id: Id


class PlanOrder(MoneyOrder, frozen=True, kw_only=True):
    """25 月收费标准."""

    plan_id: Id
    terms: CardTerms
    code: Word = ""
    name: Word = ""
    prices: Annotated[tuple[PlanPrice, ...], Meta(max_length=100)] = ()
    refundable: bool = False
    car_type: Word = ""
    place_type: Word = ""
    remark: Word = ""


class PlanDeleteOrder(MoneyOrder, frozen=True, kw_only=True):
    """26."""

    plan_id: Id


class ListOrder(MoneyOrder, frozen=True, kw_only=True):
    """27 黑白名单: black is not let in, grey is told of, white passes free (QC93). Both days included (QC89)."""

    entry_id: Id
    plate: Plate
    kind: Literal["black", "grey", "white"]
    from_ms: WallMs
    until_ms: WallMs
    colour: Colour = ""
    remark: Word = ""


class ListDeleteOrder(MoneyOrder, frozen=True, kw_only=True):
    """28."""

    entry_id: Id


class LinkOrder(MoneyOrder, frozen=True, kw_only=True):
    """The agent's word on whether payments of `city` can come; said on change and at least every minute."""

    up: bool


AnyMoneyOrder = (
    CardOrder
    | CardCancelOrder
    | QuoteOrder
    | PaymentOrder
    | RefundOrder
    | SeamlessOrder
    | ScanOrder
    | TariffOrder
    | TariffDeleteOrder
    | PlanOrder
    | PlanDeleteOrder
    | ListOrder
    | ListDeleteOrder
    | LinkOrder
)

MONEY_OPS: Mapping[str, type[AnyMoneyOrder]] = MappingProxyType({
    "card": CardOrder,
    "card_cancel": CardCancelOrder,
    "quote": QuoteOrder,
    "payment": PaymentOrder,
    "refund": RefundOrder,
    "seamless": SeamlessOrder,
    "scan": ScanOrder,
    "tariff": TariffOrder,
    "tariff_delete": TariffDeleteOrder,
    "plan": PlanOrder,
    "plan_delete": PlanDeleteOrder,
    "list": ListOrder,
    "list_delete": ListDeleteOrder,
    "city_link": LinkOrder,
})  # fmt: skip
"""Operation of the lane socket -> its order."""


class QuoteTold(msgspec.Struct, frozen=True, kw_only=True):
    """What `quote` and `scan` are answered: the order to pay, or, `order_id` "", why there is none (the answer's
    `reason`) with what is known. `entered_ms`, `billed_ms` 0: the clock was never set."""

    order_id: str = ""
    visit_id: str = ""
    plate: str = ""
    colour: str = "unknown"
    credential: str = ""
    lane: str = ""  # the exit at which it stands, "" = elsewhere
    entered_ms: int = 0
    billed_ms: int = 0
    parked_ms: int = 0
    due_fen: int = 0  # service_fee of this order
    discount_fen: int = 0
    pay_fen: int = 0  # total_fee
    settled_fen: int = 0  # `paid`: taken before, in this visit
    leave_min: int = 0  # free_minute
    rest_min: int = 0  # surplus_minute: left of the free time, or of the time to leave
    overtime: bool = False
    card: bool = False  # is_month
    tariff_zh: str = ""  # charge_standard_desc


MONEY_REASONS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "": ("完成", "done"),
    "not_inside": ("车辆不在场内", "the car is not inside"),
    "several_inside": ("有多条相近入场记录", "several cars inside fit"),
    "free_time": ("免费时间内", "within the free minutes"),
    "in_grace": ("已缴费, 滞留时间内", "paid, within the minutes to leave"),
    "nothing_due": ("无需缴费", "nothing is due"),
    "coupons_cover": ("优惠后免费", "free after its coupons"),
    "card": ("月卡车, 无需缴费", "covered by its card"),
    "free_car": ("免费车", "the car passes free"),
    "barred": ("黑名单车辆, 请联系管理员", "on a black list"),
    "card_frozen": ("月卡已冻结", "its card is frozen"),
    "card_expired": ("月卡已过期, 请联系管理员", "its card has expired"),
    "no_car": ("该车道没有车辆", "no car stands at this lane"),
    "no_plate": ("未识别到车牌", "no plate was read"),
    "lot_full": ("车位已满", "the lot is full"),
    "admitted": ("已入场, 无需缴费", "let in, nothing to pay"),
    "no_clock": ("盒子时钟未校准", "the box does not know the time yet"),
    "unknown_lane": ("没有该车道", "no such lane"),
    "unknown_order": ("订单不存在", "no such order"),
    "unknown_card": ("月卡不存在", "no such card"),
    "unknown_plan": ("套餐不存在", "no such plan"),
    "unknown_tariff": ("收费标准不存在", "no such tariff"),
    "unknown_entry": ("名单不存在", "no such entry of a list"),
    "bad_plate": ("车牌无效", "no valid plate"),
    "bad_value": ("参数错误", "a value is not allowed"),
    "of_city": ("属于市平台, 请在平台上更改", "it is the city's: change it there"),
    "older": ("已有更新的记录", "a newer change is known, this one is kept out"),
    "refund_due": ("重复或多余的支付, 待退款", "paid without a debt, to be refunded"),
    "short": ("支付金额不足, 待退款", "less was paid than is due, to be refunded"),
    "id_used": ("该命令编号已用于另一命令", "command_id was used for another order"),
})  # fmt: skip
"""What an answer's `reason` can be, in words. Of these `older`, `refund_due` and `admitted` come with `ok` true, and so
does every reason why `quote` and `scan` have no order."""
