"""Facts of flow control: bookings, control lists, coupons, and the lot's switches (T/SZPIA 001-2020, 5 to 7).

Each is what an order of a city or a person left behind; `edge.core.orders_flow` has the orders. Instants of
bookings, lists and roles are wall-clock ms since 1970 (UTC): cities and people speak in them.
"""

from typing import Literal

import msgspec

from edge.core.fact_base import Body

Source = Literal["operator", "city"]
Vehicle = Literal["", "large", "medium", "small"]
"""Table 6, carModel: 1 large, 2 medium, 3 small; "" = not said."""

VEHICLE_OF: dict[str, Vehicle] = {"yellow": "large", "yellow_green": "large", "blue": "small", "green": "small"}
"""GA 36-2018, table 1: yellow plates are of large vehicles, yellow-green of large new-energy ones."""

Strategy = Literal["no_entry", "no_exit", "no_entry_no_exit", "warn", "free_pass"]
"""Table 10, strategyType 1 to 5: 禁止进, 允许进禁止出, 禁止进出, 给平台发送警告信息, 免费自动进出."""

Coupon = Literal["none", "amount", "time", "share", "all"]
"""Table 9, couponType 0 to 4: 无优惠, 减免金额, 减免时间, 打折, 全免."""

Role = Literal["reserved", "ordinary", "mixed"]
"""Of an entrance: reserved cars only, for ordinary cars (takes both), for both (5.3, 6.6)."""


class FlowReasons(msgspec.Struct, frozen=True, omit_defaults=True):
    """The numbers that a flow-control decision rests on, as they were just before it (-1: had no part in it)."""

    total: int  # T: stalls in all
    parked: int  # P: cars inside, and admitted ones that have not cleared the entrance
    held: int  # H: bookings that hold a stall
    reserved: int = -1  # reserved cars admitted since the last ordinary one
    reserved_needed: int = -1  # as many let an ordinary one go
    idle_ms: int = -1  # so long no reserved car has been at any entrance
    exits: int = -1  # exits since the last credit
    out: int = -1  # N of "N out, one in"
    credits: int = -1


# --- bookings: 6001, 6002 ----------------------------------------------------------------------------------------


class _Booking(Body, frozen=True):
    """A stall kept for a car, and who said so."""

    code: str
    plate: str
    from_ms: int
    until_ms: int
    keep_min: int
    vehicle: Vehicle = ""
    source: Source = "city"
    city: str = ""
    who: str = ""
    why: str = ""


class _BookingWord(Body, frozen=True):
    """What became of the booking `code`."""

    code: str
    plate: str
    source: Source = "city"
    city: str = ""
    who: str = ""
    why: str = ""


class BookingLocked(_Booking, frozen=True):
    """6001, operateType 1: a stall is held for `plate` from now on; entry in from_ms <= t <= until_ms + keep_min."""


class BookingChanged(_Booking, frozen=True):
    """6001, operateType 2: the booking `code` is now this one; confirmed stays confirmed."""


class BookingConfirmed(_BookingWord, frozen=True):
    """6002, confirmStatus 1."""


class BookingCancelled(_BookingWord, frozen=True):
    """6002, confirmStatus 0: the stall is free again."""


# --- control lists: 4001 -----------------------------------------------------------------------------------------


class ControlPut(Body, frozen=True):
    """4001, status 1: an entry of a control list, new or in place of the one with the same `entry_id`.

    Valid in from_ms <= t <= until_ms; `from_ms` 0: at once. `origin` is strategyFrom.
    """

    entry_id: str
    plate: str
    strategy: Strategy
    from_ms: int
    until_ms: int
    origin: str
    vehicle: Vehicle = ""
    source: Source = "city"
    city: str = ""


class ControlRemoved(Body, frozen=True):
    """4001, status 2."""

    entry_id: str
    plate: str
    source: Source = "city"
    city: str = ""


class ControlSeen(Body, frozen=True):
    """A car under control stood at a lane, and what was done by its entry. Strategy 4 is told to the platform."""

    entry_id: str
    plate: str
    strategy: Strategy
    arrival_id: str
    city: str = ""


# --- coupons: 4002 -----------------------------------------------------------------------------------------------


class CouponGiven(Body, frozen=True):
    """4002: a discount for a plate. One of the three values counts, by `coupon`; table 9's units made whole numbers."""

    coupon_no: str
    plate: str
    coupon: Coupon
    given_ms: int
    amount_fen: int = 0
    minutes: int = 0
    off_permille: int = 0  # 300 = 30 % off (couponValue 0.3)
    channel: str = ""
    org_code: str = ""
    source: Source = "city"
    city: str = ""


class CouponUsed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One coupon in a payment: what it said and what it took off (table 9, discountRecord)."""

    coupon_no: str
    coupon: Coupon
    saved_fen: int
    amount_fen: int = 0
    minutes: int = 0
    off_permille: int = 0
    channel: str = ""
    org_code: str = ""


# --- switches: 6.6, 6.9, 7001 ------------------------------------------------------------------------------------


class PrioritySwitched(Body, frozen=True):
    """Priority of reserved cars was switched, or told at a start (`cause` start). Each one is a 7001."""

    on: bool
    cause: Literal["operator", "schedule", "city", "start"]
    who: str = ""
    why: str = ""


class RoleSwitched(Body, frozen=True):
    """The entrance of the envelope's lane has another role (6.6) until `until_ms` (0: until switched again)."""

    role: Role
    until_ms: int = 0
    cause: Literal["operator", "schedule", "city"] = "operator"
    who: str = ""
    why: str = ""


FlowBody = (
    BookingLocked
    | BookingChanged
    | BookingConfirmed
    | BookingCancelled
    | ControlPut
    | ControlRemoved
    | ControlSeen
    | CouponGiven
    | PrioritySwitched
    | RoleSwitched
)
