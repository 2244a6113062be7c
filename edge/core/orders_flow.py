"""Orders that bookings, lists, coupons and switches come by: bounded here, decoded from the lane socket as they are.

An order acts once by its `command_id`; a repeat gets the first answer again. It is answered in words, with a stable
`reason` (see `REASONS`) that a city link turns into its own code (T/SZPIA table 44), after its facts are durable.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.core.facts_flow import Coupon, Role, Strategy, Vehicle

WallMs = Annotated[int, Meta(ge=0, le=4_102_444_800_000, description="ms since 1970 UTC, up to the year 2100")]
Plate = Annotated[str, Meta(max_length=20)]

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "": ("完成", "done"),
    "repeated": ("重复的相同预订, 已受理", "the same booking again, it stands"),
    "no_stall": ("没有可预订车位", "no stall can be booked"),
    "unknown_booking": ("预订订单不存在", "no such booking"),
    "booking_exists": ("预订编号已存在", "another booking has this code"),
    "expired": ("预订已过期", "the booking has expired"),
    "cancelled": ("预订已取消", "the booking was cancelled"),
    "used": ("预约车已入场", "the car has come on this booking"),
    "bad_time": ("预约时间有误", "the times of the booking are not possible"),
    "too_late": ("已超过可变更或取消的时限", "too late to change or cancel"),
    "bad_plate": ("车牌无效", "no valid plate"),
    "not_inside": ("车辆不在场内", "the car is not inside"),
    "vehicle_refused": ("该车型不允许入场", "this type of vehicle is not admitted"),
    "unknown_entry": ("名单不存在", "no such entry of a control list"),
    "bad_value": ("参数错误", "a value is not allowed"),
    "unknown_lane": ("没有该入口", "no such entrance"),
    "no_clock": ("盒子时钟未校准", "the box does not know the time yet"),
    "id_used": ("该命令编号已用于另一命令", "command_id was used for another order"),
})  # fmt: skip
"""What an answer's `reason` can be, in words. T/SZPIA table 44: no_stall 1501, unknown_booking 1104, booking_exists
1201, expired and used 1301, cancelled 1401, bad_time and too_late 5004, not_inside 4001, unknown_entry 1100, others
1007."""


class FlowOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: which order, who gives it and why. `city` names the city link it came by."""

    command_id: Annotated[str, Meta(min_length=1, max_length=64)]
    source: Literal["operator", "city"] = "operator"
    city: Annotated[str, Meta(max_length=20)] = ""
    who: Annotated[str, Meta(min_length=1, max_length=50)]
    why: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x20\x7f\u3000][^\x00-\x1f\x7f]*$")]
    lane: Annotated[str, Meta(max_length=20)] = ""


class BookOrder(FlowOrder, frozen=True, kw_only=True):
    """6001 (lock, change) and 6002 (confirm, cancel). The last two need `code` only.

    `keep_min` None: the box's own default (30 min late, T/SZPIA 6.3 example).
    """

    action: Literal["lock", "change", "confirm", "cancel"]
    code: Annotated[str, Meta(min_length=1, max_length=50)]
    plate: Plate = ""
    from_ms: WallMs = 0
    until_ms: WallMs = 0
    keep_min: Annotated[int, Meta(ge=0, le=10_080)] | None = None
    vehicle: Vehicle = ""


class ControlEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of a control list (table 10). To remove one, `entry_id` is enough."""

    entry_id: Annotated[str, Meta(min_length=1, max_length=64)]
    plate: Plate = ""
    strategy: Strategy = "warn"
    from_ms: WallMs = 0
    until_ms: WallMs = 0
    origin: Annotated[str, Meta(max_length=50)] = ""
    vehicle: Vehicle = ""


class ControlOrder(FlowOrder, frozen=True, kw_only=True):
    """4001: put (status 1) or remove (status 2) entries; all of an order or none."""

    action: Literal["put", "remove"]
    entries: Annotated[tuple[ControlEntry, ...], Meta(min_length=1, max_length=500)]


class CouponOrder(FlowOrder, frozen=True, kw_only=True):
    """4002: `coupon` says which of the three values counts."""

    coupon_no: Annotated[str, Meta(min_length=1, max_length=20)]
    plate: Plate
    coupon: Coupon
    given_ms: WallMs
    amount_fen: Annotated[int, Meta(ge=0, le=10_000_000)] = 0
    minutes: Annotated[int, Meta(ge=0, le=525_600)] = 0
    off_permille: Annotated[int, Meta(ge=0, le=1000)] = 0
    channel: Annotated[str, Meta(max_length=100)] = ""
    org_code: Annotated[str, Meta(max_length=18)] = ""


class PriorityOrder(FlowOrder, frozen=True, kw_only=True):
    """6.9: priority of reserved cars on or off; the schedule switches it again at its next turn."""

    on: bool


class RoleOrder(FlowOrder, frozen=True, kw_only=True):
    """6.6: another role for the entrance `lane`, until `until_ms` or, 0, until it is switched again."""

    role: Role
    until_ms: WallMs = 0


AnyFlowOrder = BookOrder | ControlOrder | CouponOrder | PriorityOrder | RoleOrder

OPS: Mapping[str, type[AnyFlowOrder]] = MappingProxyType({
    "book": BookOrder,
    "control": ControlOrder,
    "coupon": CouponOrder,
    "priority": PriorityOrder,
    "role": RoleOrder,
})  # fmt: skip
"""Operation of the lane socket -> its order."""
