"""Mapping: facts to deliveries of the Shenzhen platform. Pure, and the same fact always gives byte-equal rows.

    Passed in          -> 5004
    Passed out         -> 5005; of an unknown entry a 5004 made up afterwards goes first
    PlateCorrected     -> 5006, the whole record under the id of its stay (SC43)
    Paid               -> 5008 with its coupons; nothing for a zero charge
    PrioritySwitched   -> 7001 (SC81: at a start too, by setting)

The id of a stay is the id of its entry's fact; 5004, 5005 and 5006 carry it. Times are Beijing time of the TRUE wall
time (DESIGN 4): a fact of a boot that has no clock yet is held, as for Qingdao.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Literal, TypeVar

import msgspec

from edge.cities.shenzhen.fields import Message, settle_lengths, yuan
from edge.cities.shenzhen.messages import (
    CHARGED,
    CORRECTED,
    ENTERED,
    LEFT,
    PRIORITY,
    CarInfo,
    ChargeRecord,
    Discount,
    ParkRecord,
    PriorityEvent,
)
from edge.cities.shenzhen.orders import CITY, COUPON_TYPES
from edge.cities.shenzhen.reading import date_time
from edge.cities.times import Times
from edge.config.model import Lane
from edge.config.shenzhen import Shenzhen
from edge.core.facts import Decided, Fact, Paid, Passed, PlateCorrected
from edge.core.facts_flow import CouponUsed, PrioritySwitched
from edge.ports import Delivery

_COUPON_CODES = {coupon: code for code, coupon in COUPON_TYPES.items()}

CAUSES = {
    "operator": "人工切换",
    "schedule": "按时段切换",
    "city": "平台指令",
    "start": "系统启动",
}

# Charges, bookings and made-up entries of stays that have not ended: bounded, the oldest forgotten.
_OPEN_MAX = 5000


Key = TypeVar("Key")
Value = TypeVar("Value")


class _Entry(msgspec.Struct):
    """An entry made up when its car paid. `taken_by`: the exit that ended it, "" so far none."""

    stay: str
    in_ms: int
    taken_by: str = ""


class Mapper:
    """`make` for facts in the ledger's order. Making a fact again (its rows were not stored) changes nothing."""

    def __init__(self, settings: Shenzhen, lanes: Sequence[Lane]) -> None:
        self._settings = settings
        self._devices = {lane.id: lane.equipment_id or device_id(settings.park_code, lane.id) for lane in lanes}
        self._charges: dict[str, list[str]] = {}  # stay -> ids of its payments
        self._booked: dict[str, str] = {}  # arrival -> code of its booking
        self._paid_unknown: dict[tuple[str, str], _Entry] = {}  # by lane and plate

    def make(self, fact: Fact, times: Times) -> list[Delivery] | None:
        """The rows of one fact; None: held, a time it needs is not known yet."""
        body = fact.body
        if isinstance(body, Decided) and body.booking:
            _remember(self._booked, body.arrival_id, body.booking)
        if not isinstance(body, Passed | Paid | PlateCorrected | PrioritySwitched):
            return []
        at_ms = times.true_ms(fact.stamp)
        entered = None if isinstance(body, PrioritySwitched) else body.entered
        in_ms = at_ms if entered is None else times.true_ms(entered)
        if at_ms is None or in_ms is None:
            return None
        in_ms = min(in_ms, at_ms)
        if isinstance(body, PrioritySwitched):
            return self._switched(fact, body, at_ms)
        if self._settings.report == "reserved" and not (body.booking or self._came_on_a_booking(body)):
            return []  # SC82
        if isinstance(body, PlateCorrected):
            return self._corrected(fact, body, at_ms, in_ms)
        if isinstance(body, Paid):
            return self._paid(fact, body, at_ms, in_ms)
        return self._entered(fact, body, at_ms) if body.direction == "in" else self._left(fact, body, at_ms, in_ms)

    def _came_on_a_booking(self, body: Passed | Paid | PlateCorrected) -> bool:
        return isinstance(body, Passed) and body.direction == "in" and body.arrival_id in self._booked

    def _entered(self, fact: Fact, body: Passed, at_ms: int) -> list[Delivery]:
        def build() -> Message:
            return self._record(fact.id, body.plate, body.colour, at_ms, self._devices.get(fact.lane))

        return [self._row(ENTERED, fact.id, fact.id, body.plate, at_ms, build, body.read_id)]

    def _left(self, fact: Fact, body: Passed, at_ms: int, in_ms: int) -> list[Delivery]:
        rows = []
        stay = body.visit_id
        if not stay:
            paid = self._paid_unknown.get((fact.lane, body.plate))
            if paid is not None and paid.taken_by in {"", fact.id}:
                paid.taken_by = fact.id
                stay, in_ms = paid.stay, min(paid.in_ms, at_ms)
            else:
                stay = made_up_id(fact.id)
                rows.append(self._made_up(stay, body.plate, body.colour, in_ms))
        due_fen = max(body.due_fen, body.paid_fen + body.discount_fen)
        charges = tuple(self._charges.get(stay, ()))

        def build() -> Message:
            return self._record(
                stay,
                body.plate,
                body.colour,
                in_ms,
                self._devices.get(body.entry_lane),
                left_ms=at_ms,
                out_device=self._devices.get(fact.lane),
                charges=charges,
                fees=(due_fen, body.paid_fen),
            )

        rows.append(self._row(LEFT, fact.id, stay, body.plate, at_ms, build, body.read_id))
        return rows

    def _corrected(self, fact: Fact, body: PlateCorrected, at_ms: int, in_ms: int) -> list[Delivery]:
        """SC40: a stay that has not ended has no fees yet."""

        def build() -> Message:
            if body.entered is None:
                raise ValueError("入场时间未知 its entry's time is not known")
            return self._record(body.visit_id, body.new, body.colour, in_ms, self._devices.get(body.entry_lane))

        return [self._row(CORRECTED, fact.id, body.visit_id, body.new, at_ms, build)]

    def _paid(self, fact: Fact, body: Paid, at_ms: int, in_ms: int) -> list[Delivery]:
        due_fen = max(body.due_fen, body.paid_fen + body.discount_fen)
        if due_fen == 0:
            return []
        rows = []
        stay = body.visit_id
        if not stay:
            stay = made_up_id(fact.id)
            _remember(self._paid_unknown, (fact.lane, body.plate), _Entry(stay, in_ms))
            rows.append(self._made_up(stay, body.plate, body.colour, in_ms))
        known = self._charges.get(stay, [])
        if fact.id not in known:
            _remember(self._charges, stay, [*known, fact.id])

        def build() -> Message:
            return ChargeRecord(
                id=fact.id,
                order_no=body.order_id or None,
                record_id=stay,
                car_info=self._car(body.plate, body.colour),
                pay_time=self._time(at_ms),
                receivables=yuan(due_fen),
                discount=yuan(due_fen - body.paid_fen),
                received=yuan(body.paid_fen),
                pay_type=_pay_type(body),
                pay_from=_pay_from(body),
                discounts=tuple(_discount(fact.id, each) for each in body.coupons) or None,
            )

        rows.append(self._row(CHARGED, fact.id, stay, body.plate, at_ms, build))
        return rows

    def _switched(self, fact: Fact, body: PrioritySwitched, at_ms: int) -> list[Delivery]:
        if body.cause == "start" and not self._settings.priority_at_start:
            return []
        remark = " ".join(word for word in (CAUSES[body.cause], body.who, body.why) if word)[:200]

        def build() -> Message:
            return PriorityEvent(
                id=fact.id,
                park_code=self._settings.park_code,
                time=self._time(at_ms),
                operate_type=1 if body.on else 0,
                remark=remark,
            )

        # One line for all: were the first to go again after the second, the platform would believe the older one.
        return [self._row(PRIORITY, fact.id, "priority", "", at_ms, build)]

    def _made_up(self, stay: str, plate: str, colour: str, in_ms: int) -> Delivery:
        """The entry that nobody saw, at the best known time; no lane saw it, so no device is named."""
        return self._row(
            ENTERED, stay, stay, plate, in_ms, lambda: self._record(stay, plate, colour, in_ms, None)
        )

    def _record(
        self,
        stay: str,
        plate: str,
        colour: str,
        in_ms: int,
        in_device: str | None,
        *,
        left_ms: int | None = None,
        out_device: str | None = None,
        charges: tuple[str, ...] | None = None,
        fees: tuple[int, int] = (0, 0),
    ) -> ParkRecord:
        """Table 7. `fees`: due and paid in fen; 0.00 at the entry (SC40). SC41: an exit always has its own members."""
        due_fen, paid_fen = fees
        return ParkRecord(
            id=stay,
            park_code=self._settings.park_code,
            car_info=self._car(plate, colour),
            enter_time=self._time(in_ms),
            in_equipment_id=in_device,
            leave_time=None if left_ms is None else self._time(left_ms),
            out_equipment_id=out_device,
            charge_ids=charges,
            receivables=yuan(due_fen),
            discount=yuan(due_fen - paid_fen),
            received=yuan(paid_fen),
        )

    def _car(self, plate: str, colour: str) -> CarInfo:
        colours = self._settings.colours
        return CarInfo(plate_no=plate or self._settings.no_plate, plate_color=getattr(colours, colour, None) or None)

    def _time(self, wall_ms: int) -> str:
        return date_time(wall_ms, self._settings.zone_h)

    def _row(  # noqa: PLR0917 - a row's columns in their order
        self,
        kind: str,
        item_id: str,
        stay: str,
        plate: str,
        at_ms: int,
        build: Callable[[], Message],
        read_id: str = "",
    ) -> Delivery:
        """A waiting row. For what the standard forbids its body is the reason instead of a JSON object: whoever sends
        sets it aside with that reason, and it blocks nothing."""
        try:
            body = settle_lengths(build(), self._settings.too_long).encode()
        except ValueError as error:
            body = f"无法生成 / cannot be made: {error}".encode()
        return Delivery(0, CITY, kind, item_id, stay, body, plate, made_ms=at_ms, read_id=read_id)


def _remember(memory: dict[Key, Value], key: Key, value: Value) -> None:
    memory.pop(key, None)
    memory[key] = value
    while len(memory) > _OPEN_MAX:
        del memory[next(iter(memory))]


def made_up_id(fact_id: str) -> str:
    """The id of a stay whose entry no camera saw: always the same for the fact that needs it."""
    return hashlib.blake2b(fact_id.encode(), digest_size=16, person=b"shenzhen-entry").hexdigest()


def device_id(park_code: str, name: str) -> str:
    """Uuid of an entrance or device that the config names without one: always the same."""
    return hashlib.blake2b(f"{park_code} {name}".encode(), digest_size=16, person=b"shenzhen-device").hexdigest()


_ONLINE: dict[str, Literal[2, 3, 4]] = {"WX": 2, "ZFB": 3, "YL": 4, "YLK": 4, "YLPOS": 4}
"""Means of the other city's B.6.1.9 that table 9 knows too: 微信, 支付宝, 银联."""


def _pay_type(body: Paid) -> Literal[1, 2, 3, 4, 5, 6]:
    """1 现金; 6 其它 where nothing was paid or the means is not in the table."""
    if not body.paid_fen:
        return 6
    return 1 if body.method == "cash" else _ONLINE.get(body.pay_type, 6)


def _pay_from(body: Paid) -> str:
    """Free text, 10 characters."""
    if not body.paid_fen:
        return "优惠减免"
    return "线下缴费" if body.method == "cash" else body.pay_from[:10] or "线上缴费"


def _discount(fact_id: str, used: CouponUsed) -> Discount:
    """Table 9. SC28: a number with two decimals."""
    values = {
        "amount": yuan(used.amount_fen),
        "time": Decimal(used.minutes) / 60,
        "share": Decimal(used.off_permille) / 1000,
        "all": Decimal(1),
    }
    digest = hashlib.blake2b(f"{fact_id} {used.coupon_no}".encode(), digest_size=16, person=b"shenzhen-coupon")
    return Discount(
        id=digest.hexdigest(),
        coupon_no=used.coupon_no,
        coupon_type=_COUPON_CODES[used.coupon],  # type: ignore[arg-type]  # 0 to 4 by the table above
        coupon_value=values[used.coupon].quantize(Decimal("0.01")),
        discount_channel=used.channel or None,
        channel_org_code=used.org_code or None,
    )
