"""Facts of money: quotes, payments' notices, refunds, tariffs, cards, seamless payment (T/QME 0015-2024, B.3 and B.4).

Each is what an order of a city or a person, or the box itself, left behind; `edge.core.orders_money` has the orders.
Lists (27, 28) become `ControlPut` and `ControlRemoved`, coupons of 22 `CouponGiven`, and money that was taken `Paid`.
Money is integer fen. `city_ms` is the city's own time of the change: an older one never undoes a newer one (QC87).
"""

from typing import Literal

import msgspec

from edge.core.fact_base import Body, Stamp
from edge.core.facts_flow import CouponUsed, Source
from edge.core.tariff_plan import TariffPlan

# --- orders and payment: 13, 14, 18, 19, 22 ------------------------------------------------------------------------


class Quoted(Body, frozen=True):
    """18 请求获取订单信息, 22 扫描静态码, or the exit's arm: an order with its fee up to `billed`.

    The same `order_id` again, unpaid: it is made out anew. `due_fen` = `discount_fen` + `pay_fen`, of this order
    alone: what earlier orders of the visit settled is in `settled_fen`.
    """

    order_id: str
    visit_id: str
    plate: str
    entered: Stamp
    billed: Stamp
    parked_ms: int
    due_fen: int
    discount_fen: int
    pay_fen: int
    settled_fen: int = 0
    leave_min: int = 0  # minutes to leave after payment, free_minute (QC76)
    overtime: bool = False  # after a payment whose minutes to leave are over
    tariff: str = ""  # id of the `TariffSet` it was priced by, "" = the box's own
    colour: str = "unknown"
    entry_lane: str = ""
    booking: str = ""
    credential: str = ""  # of a car without plate
    coupons: tuple[CouponUsed, ...] = ()
    at: Literal["phone", "arm"] = "phone"


class PaymentNoticed(Body, frozen=True):
    """19 支付成功通知, or the answer to 13 or 14: a platform took money for an order. What came of it is `outcome`.

    settled: a `Paid` with this order follows; what is over its fee is to be given back. late: its car has gone unpaid,
    a `Paid` follows as well. again, short, unknown: no `Paid`; all of it is to be given back (`RefundDue` follows).
    """

    order_id: str
    amount_fen: int
    how: Literal["notice", "poll", "deduction"]
    outcome: Literal["settled", "late", "again", "short", "unknown"]
    pay_type: str = ""  # B.6.1.9
    pay_from: str = ""
    paid_at_ms: int = 0
    transaction_id: str = ""
    visit_id: str = ""
    plate: str = ""
    city: str = ""


class DeductionAsked(Body, frozen=True):
    """13 发起主动扣款请求 is to be sent (QC73). before 先扣后出: the car waits; after 先出后扣: it was let out."""

    order_id: str
    visit_id: str
    plate: str
    mode: Literal["before", "after"]
    pay_fen: int
    user_id: str = ""
    channel: str = ""


class DeductionFailed(Body, frozen=True):
    """13 was refused or not answered in time: the car pays as any other, or what it owes stays owed."""

    order_id: str
    plate: str
    detail: str = ""


class Owed(Body, frozen=True):
    """The car was let out unpaid, and `pay_fen` is to be had later: the city is away, or it pays after the exit."""

    order_id: str
    visit_id: str
    plate: str
    pay_fen: int
    cause: Literal["city_away", "seamless_after"]


class RefundDue(Body, frozen=True):
    """Money taken without a debt for it; a person or the city gives it back."""

    order_id: str
    plate: str
    amount_fen: int
    cause: Literal["again", "short", "over", "unknown"]
    pay_type: str = ""
    pay_from: str = ""
    paid_at_ms: int = 0


class Refunded(Body, frozen=True):
    """`amount_fen` of an order was given back. pay_status 2 of carcharge (QC71)."""

    order_id: str
    plate: str
    amount_fen: int
    who: str = ""
    why: str = ""


# --- seamless payment: 12, 20, 21 -----------------------------------------------------------------------------------


class SeamlessSet(Body, frozen=True):
    """20 无感车牌通知, 21 状态变更, or the answer to 12: whether and how the visit pays by itself (QC109).

    `limit_fen`, `balance_fen` -1: not said.
    """

    visit_id: str
    plate: str
    signed: bool
    mode: Literal["before", "after"]  # withhold_mode 1 先扣后出, 0 先出后扣
    user_id: str = ""
    channel: str = ""
    limit_fen: int = -1
    balance_fen: int = -1
    code: int = 0  # signatory_code; 1000 and 1012 are success (QC52)
    how: Literal["notice", "change", "query"] = "notice"
    city_ms: int = 0
    city: str = ""


# --- car without plate: 22 -------------------------------------------------------------------------------------------


class CredentialBound(Body, frozen=True):
    """22, at an entrance: the car without plate of this arrival goes by a virtual credential (B.6.1.12, 180)."""

    credential: str
    arrival_id: str
    city: str = ""


# --- tariffs: 23, 24 --------------------------------------------------------------------------------------------------


class TariffSet(Body, frozen=True):
    """23, or the box's own at a start or by a person (`tariff_id` "local"). The envelope's id is the version: cars that
    come under it are priced by it to their end (QC94)."""

    tariff_id: str
    plan: TariffPlan
    leave_min: int  # absolve_minute 允许滞留时间
    code: str = ""
    name: str = ""
    car_type: str = ""
    place_type: str = ""
    remark: str = ""
    city_ms: int = 0
    city: str = ""
    who: str = ""  # the person who made this version of the box's own, "" = the configuration, or a city


class TariffDeleted(Body, frozen=True):
    """24: no car comes under it any more."""

    tariff_id: str
    city_ms: int = 0
    city: str = ""


# --- monthly plans and cards: 16, 17, 25, 26 -----------------------------------------------------------------------


class CardTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happens to a card's cars where the card does not cover them, as the plan said when the card was issued."""

    expired: Literal["temporary", "refuse", "keep_in"] = "temporary"  # expired_mode 0, 1, 2
    full: Literal["temporary", "refuse"] = "temporary"  # multiPlace_full_mode 0, 1
    temp_tariff: str = ""  # temp_seal_id: the tariff that an expired card's car pays by, "" = as everybody


class PlanPrice(msgspec.Struct, frozen=True):
    months: int
    fen: int


class PlanSet(Body, frozen=True):
    """25 月收费标准."""

    plan_id: str
    code: str
    name: str
    terms: CardTerms
    prices: tuple[PlanPrice, ...] = ()
    refundable: bool = False
    car_type: str = ""
    place_type: str = ""
    remark: str = ""
    city_ms: int = 0
    city: str = ""


class PlanDeleted(Body, frozen=True):
    """26: no card is issued by it any more; issued ones keep their terms."""

    plan_id: str
    city_ms: int = 0
    city: str = ""


class CardCar(msgspec.Struct, frozen=True, omit_defaults=True):
    plate: str
    colour: str = "unknown"
    credential_id: str = ""  # card_id of the credential


class ShareHours(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hours of a shared stall, minutes of the day in China time; `from_min` >= `until_min`: over midnight.

    `days`: weekdays on which they begin, 0 = Monday; empty = every day.
    """

    from_min: int
    until_min: int
    days: tuple[int, ...] = ()


class CardSet(Body, frozen=True):
    """16 月卡开通、延期、变更: the whole card as it is from now on; `operation` says what made it so (B.6.1.18).

    Valid from_ms <= t <= until_ms (UTC ms). `places`: as many of its cars stand on it at once.
    """

    card_id: str  # service_id
    operation: Literal["open", "extend", "change", "freeze", "unfreeze", "lock", "unlock"]
    cars: tuple[CardCar, ...]
    places: int
    from_ms: int
    until_ms: int
    terms: CardTerms
    suspended: bool = False  # frozen or locked: covers nothing
    hours: tuple[ShareHours, ...] = ()
    plan_id: str = ""
    regions: tuple[str, ...] = ()
    person_id: str = ""
    person_name: str = ""
    phone: str = ""
    months: int = 0
    due_fen: int = 0
    paid_fen: int = 0
    pay_type: str = ""
    city_ms: int = 0
    city: str = ""


class CardCancelled(Body, frozen=True):
    """17 月卡注销, or 16 with CLOSE or REFUND (QC50)."""

    card_id: str
    refund_due_fen: int = 0
    refunded_fen: int = 0
    city_ms: int = 0
    city: str = ""


# --- the line to the city ---------------------------------------------------------------------------------------------


class CityLink(Body, frozen=True):
    """Payments of this city can come (`up`) or cannot. Told by the agent on change."""

    city: str
    up: bool
    source: Source = "city"


MoneyBody = (
    Quoted
    | PaymentNoticed
    | DeductionAsked
    | DeductionFailed
    | Owed
    | RefundDue
    | Refunded
    | SeamlessSet
    | CredentialBound
    | TariffSet
    | TariffDeleted
    | PlanSet
    | PlanDeleted
    | CardSet
    | CardCancelled
    | CityLink
)
