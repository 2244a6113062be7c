"""Orders of the platform: 4001, 4002, 6001, 6002 from JSON to orders of the lane program, and its answers back. Pure.

Each element of `data` is read alone and answered alone, in its order and under its own name (SC23): one that is wrong
does not stop the others, and has its own code of table 44. Only when none can even be named is the request as a whole
refused with resultCode 4 (SC21).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from edge.cities.shenzhen.codes import LENGTH, OK, RANGE
from edge.cities.shenzhen.reading import BadMember, Members
from edge.cities.shenzhen.sign import sorted_json
from edge.config.shenzhen import Shenzhen
from edge.core.facts_flow import Coupon, Strategy, Vehicle
from edge.core.orders_flow import AnyFlowOrder, BookOrder, ControlEntry, ControlOrder, CouponOrder
from edge.core.plates import normalise

CITY = "shenzhen"
WHO = "深圳预约停车平台"
LISTS, COUPONS, BOOK, CONFIRM = 4001, 4002, 6001, 6002

NAMES = {
    LISTS: "4001 车辆管控名单下发",
    COUPONS: "4002 优惠打折下发",
    BOOK: "6001 车位预订锁定",
    CONFIRM: "6002 车位预订确定",
}
"""The interfaces that the platform calls; also the `why` of their orders."""

STRATEGIES: dict[int, Strategy] = {1: "no_entry", 2: "no_exit", 3: "no_entry_no_exit", 4: "warn", 5: "free_pass"}
VEHICLES: dict[int, Vehicle] = {1: "large", 2: "medium", 3: "small"}
COUPON_TYPES: dict[int, Coupon] = {0: "none", 1: "amount", 2: "time", 3: "share", 4: "all"}

# A coupon's hours: a year, as the lane program bounds it.
HOURS_MAX = 8760


class Reading(msgspec.Struct, frozen=True):
    """One element: the order in it, or why there is none. `answer`: the members by which the platform knows it."""

    answer: dict[str, str]
    order: AnyFlowOrder | None = None
    code: int = OK
    words: str = ""


class LaneAnswer(msgspec.Struct, frozen=True):
    """What the lane program says to an order (`edge.core.orders_flow.REASONS`)."""

    ok: bool
    zh: str
    en: str
    reason: str = ""
    rest: int = -1


class OrderReader:
    """`new_id`: 32 hex digits for an order's command id."""

    def __init__(self, settings: Shenzhen, new_id: Callable[[], str]) -> None:
        self._settings, self._new_id = settings, new_id

    def read(self, command: int, element: object) -> Reading:
        """Never raises: what is wrong stands in the reading."""
        readers = {LISTS: self._list, COUPONS: self._coupon, BOOK: self._book, CONFIRM: self._confirm}
        answer: dict[str, str] = {}
        try:
            return readers[command](Members(element), answer)
        except BadMember as bad:
            return Reading(answer, None, bad.code, str(bad))

    def _base(self, command: int, command_id: str = "") -> dict[str, Any]:
        command_id = command_id or self._new_id()
        return {"command_id": command_id, "source": "city", "city": CITY, "who": WHO, "why": NAMES[command]}

    def _lot(self, members: Members) -> None:
        park_code = members.text("parkCode", 100)
        if park_code != self._settings.park_code:  # SC46
            raise BadMember(self._settings.codes.lot_unknown, "parkCode", park_code, "停车库(场)不存在 no such lot")

    def _list(self, members: Members, answer: dict[str, str]) -> Reading:
        """Tables 35, 10. SC45: wrapped with a status, or the entry itself."""
        entry = members.part("blackWhiteGraySheet") if members.has("blackWhiteGraySheet") else members
        entry_id = answer["id"] = entry.text("id", 64)
        removed = members.choice("status", (1, 2), default=1) == 2
        self._lot(entry)
        if removed:
            order = ControlOrder(action="remove", entries=(ControlEntry(entry_id=entry_id),), **self._base(LISTS))
            return Reading(answer, order)
        plate, vehicle = self._car(entry)
        made = ControlEntry(
            entry_id=entry_id,
            plate=plate,
            strategy=STRATEGIES[entry.choice("strategyType", STRATEGIES)],
            from_ms=self._instant(entry, "beginDate") if entry.has("beginDate") else 0,  # 不提供时, 立即生效
            until_ms=self._instant(entry, "endDate", end_of_day=True),
            origin=entry.text("strategyFrom", 50),
            vehicle=vehicle,
        )
        return Reading(answer, ControlOrder(action="put", entries=(made,), **self._base(LISTS)))

    def _coupon(self, members: Members, answer: dict[str, str]) -> Reading:
        """Table 37. A coupon is never meant twice: the same element has the same command id and acts once."""
        coupon_no = answer["couponNo"] = members.text("couponNo", 20)
        plate = self._plate(members.text("plateNo", 20), "plateNo")
        kind = COUPON_TYPES[members.choice("couponType", COUPON_TYPES)]
        value = members.number("couponValue")
        values: dict[str, int] = {}
        if kind == "amount":
            values["amount_fen"] = _exact(value, 100, self._settings.coupon_max_fen)
        elif kind == "time":
            values["minutes"] = (_exact(value, 1000, HOURS_MAX * 1000) * 60 + 500) // 1000
        elif kind == "share":
            part = _exact(value, 1000, 1000)
            values["off_permille"] = part if self._settings.coupon_percent == "off" else 1000 - part  # SC48
        given = {
            "coupon_no": coupon_no,
            "plate": plate,
            "coupon": kind,
            "given_ms": self._instant(members, "time"),
            "channel": members.text("discountChannel", 100, required=False),
            "org_code": members.text("channelOrgCode", 18, required=False),
            **values,
        }
        command_id = hashlib.blake2b(sorted_json(given), digest_size=16, person=b"shenzhen-coupon").hexdigest()
        return Reading(answer, CouponOrder(**given, **self._base(COUPONS, command_id)))  # type: ignore[arg-type]

    def _book(self, members: Members, answer: dict[str, str]) -> Reading:
        """Table 39. Whether it is a repetition, a change or too late, the lane program knows."""
        code = answer["bookCode"] = members.text("bookCode", 50)
        self._lot(members)
        plate, vehicle = self._car(members)
        changed = members.choice("operateType", (1, 2)) == 2
        order = BookOrder(
            action="change" if changed else "lock",
            code=code,
            plate=plate,
            from_ms=self._instant(members, "bookTime"),
            until_ms=self._instant(members, "overTime"),
            keep_min=members.whole("obligatTime", 0, 10_080) if members.has("obligatTime") else None,  # SC51
            vehicle=vehicle,
            **self._base(BOOK),
        )
        return Reading(answer, order)

    def _confirm(self, members: Members, answer: dict[str, str]) -> Reading:
        """Table 41."""
        code = answer["bookCode"] = members.text("bookCode", 50)
        self._lot(members)
        confirmed = members.choice("confirmStatus", (0, 1)) == 1
        return Reading(answer, BookOrder(action="confirm" if confirmed else "cancel", code=code, **self._base(CONFIRM)))

    def _car(self, members: Members) -> tuple[str, Vehicle]:
        car = members.part("carInfo")
        plate = self._plate(car.text("plateNo", 20), "carInfo.plateNo")
        return plate, VEHICLES[car.choice("carModel", VEHICLES)] if car.has("carModel") else ""

    def _plate(self, text: str, name: str) -> str:
        plate = normalise(text)
        if not plate:
            raise BadMember(RANGE, name, text, "不是车牌 is no plate")
        return plate

    def _instant(self, members: Members, name: str, *, end_of_day: bool = False) -> int:
        return members.instant_ms(name, self._settings.zone_h, end_of_day=end_of_day)


def answered(reading: Reading, lane: LaneAnswer | None, settings: Shenzhen) -> dict[str, object]:
    """The element of the answer. `lane` None: the order was not carried out, or the lane program did not answer."""
    codes = settings.codes
    if reading.order is None:
        return {**reading.answer, "code": _mapped(reading.code, settings), "message": reading.words[:255]}
    if lane is None:
        return {**reading.answer, "code": codes.not_now, "message": "车场控制程序暂时没有应答, 请稍后重试"}
    by_reason = {
        "": OK,
        "repeated": OK if settings.repeated == "same" else codes.order_exists,  # SC53
        "no_clock": codes.not_now,
        "no_stall": codes.lot_full,
        "unknown_booking": codes.order_unknown,
        "booking_exists": codes.order_exists,
        "expired": codes.order_expired,
        "used": codes.order_expired,
        "cancelled": codes.order_cancelled,
        "bad_time": codes.time_wrong,
        "too_late": codes.time_wrong,
        "unknown_entry": codes.entry_unknown,
        "not_inside": codes.car_not_inside,
        "bad_value": codes.out_of_range,
        "bad_plate": codes.out_of_range,
    }
    code = by_reason.get(lane.reason, codes.refused)
    if not lane.ok and code == OK:
        code = codes.refused
    found: dict[str, object] = {**reading.answer, "code": code, "message": "成功" if code == OK else lane.zh[:255]}
    booking = isinstance(reading.order, BookOrder) and reading.order.action in {"lock", "change"}
    if booking and code == OK and lane.reason != "repeated" and lane.rest >= 0:
        found["restReservedStalls"] = lane.rest  # 有效期内重复预订无此参数
    return found


def _mapped(code: int, settings: Shenzhen) -> int:
    codes = settings.codes
    return {LENGTH: codes.too_long, RANGE: codes.out_of_range, 1005: codes.wrong_type}.get(code, code)


def _exact(value: Decimal, units: int, high: int) -> int:
    """A coupon's value in whole units: fen, minutes, thousandths."""
    counted = value * units
    if counted != counted.to_integral_value() or not 0 <= counted <= high:
        allowed = f"须为 must be 0..{Decimal(high) / units:f}, 最小单位 in steps of 1/{units}"
        raise BadMember(RANGE, "couponValue", value, allowed)
    return int(counted)
