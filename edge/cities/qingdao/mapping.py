"""Mapping: facts to deliveries. Pure, and the same fact always gives byte-equal rows (a retry repeats the id).

    Passed in   -> carIn
    Passed out  -> carOut; of an unknown entry a carIn made up afterwards goes first (QC110)
    Paid        -> carcharge; nothing for a zero charge (QC71)
    Refunded    -> carcharge with pay_status 2, of what was a charge (`charges`)

All times are Beijing time of the TRUE wall time (DESIGN 4). A fact of a boot that has no clock yet cannot be told
to the city: it is held (`make` gives None) until the boot's `ClockSet`, or until a later boot has begun; then its
recorded wall time is used as it is, because Linux keeps it from running back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import msgspec

from edge.cities.qingdao.charges import KEPT_MAX, Refunds, Totals, online_members, settled
from edge.cities.qingdao.dictionaries import ENTRANCE, EXIT, EventType, PlateColour
from edge.cities.qingdao.fields import Message, yuan
from edge.cities.qingdao.messages import CarCharge, CarIn, CarOut
from edge.cities.times import Times
from edge.config.model import Lane, Lot
from edge.core.clock import china_datetime
from edge.core.facts import Fact, Paid, Passed
from edge.core.facts_money import Quoted, RefundDue, Refunded
from edge.core.plates import city_form
from edge.ports import Delivery

CITY = "qingdao"

# A car without plate: car_no is required, and the standard gives no text (QC39: "text for an unlicensed car").
# B.6.1.12 calls the vehicle 无牌车; which of several it is, item_id and park_in_id say.
NO_PLATE = "无牌车"

# QC40: two-coloured new-energy plates are GREEN; what the camera does not know is the city's 未知.
COLOURS: dict[str, PlateColour] = {
    "blue": "BLUE",
    "yellow": "YELLOW",
    "white": "WHITE",
    "black": "BLACK",
    "green": "GREEN",
    "yellow_green": "GREEN",
}

# QC41: BRUSHCARD unless something else applies. 人工开闸 is a person's order, 手动开闸 an arm that somebody or the
# fire alarm lifted; a car on another's tail comes in unread over the coil, or leaves without a card of its own.
EVENTS_IN: dict[str, EventType] = {
    "admitted": "BRUSHCARD",
    "restart": "BRUSHCARD",
    "operator": "MANWORK",
    "city": "MANWORK",
    "emergency": "HANDWORK",
    "uncommanded": "HANDWORK",
    "tailgate": "OPEN_ON_COIL",
}
EVENTS_OUT: dict[str, EventType] = {**EVENTS_IN, "tailgate": "NOCARD"}

# Unknown entries already told to the city whose exit has not come yet: bounded, oldest forgotten.
_OPEN_MAX = 500


class _Entry(msgspec.Struct):
    """An entry as the city knows it. `taken_by`: the exit fact that ended it, "" so far none."""

    entry_id: str
    in_ms: int
    taken_by: str = ""


class Mapper:
    """`make` for facts in the ledger's order. Making a fact again (its rows were not stored) changes nothing."""

    def __init__(self, lot: Lot, lanes: Iterable[Lane]) -> None:
        self._park_id = lot.park_id
        self._equipment = {lane.id: lane.equipment_id for lane in lanes}
        self._paid_unknown: dict[tuple[str, str], _Entry] = {}
        self._refunds, self._totals = Refunds(), Totals()
        self._orders: dict[str, CarCharge] = {}

    def make(self, fact: Fact, times: Times) -> list[Delivery] | None:
        """The rows of one fact; None: held, a time it needs is not known yet."""
        body = fact.body
        at_ms = times.true_ms(fact.stamp)
        if isinstance(body, Passed):
            in_ms = at_ms if body.entered is None else times.true_ms(body.entered)
            if at_ms is None or in_ms is None:
                return None
            if body.direction == "in":
                return [self._car_in(fact, body, at_ms)]
            return self._car_out(fact, body, at_ms, min(in_ms, at_ms))
        if isinstance(body, Paid):
            in_ms = at_ms if body.entered is None else times.true_ms(body.entered)
            if at_ms is None or in_ms is None:
                return None
            billed_ms = None if body.billed is None else times.true_ms(body.billed)
            return self._charge(fact, body, at_ms, min(in_ms, at_ms), billed_ms)
        if isinstance(body, Quoted):
            self._totals.quoted(body)
        if isinstance(body, RefundDue):
            self._refunds.due(fact.id, body)
        if isinstance(body, Refunded):
            return None if at_ms is None else self._refund(fact, body, at_ms)
        return []

    def _car_in(self, fact: Fact, body: Passed, at_ms: int) -> Delivery:
        return _row(
            "carIn",
            fact.id,
            fact.id,
            body.plate,
            at_ms=at_ms,
            read_id=body.read_id,
            build=lambda: CarIn(
                item_id=fact.id,
                event_type=_event(EVENTS_IN, body),
                car_no=_car_no(body.plate),
                car_color=_colour(body.colour),
                in_time=china_datetime(at_ms),
                in_equipment_id=self._equipment.get(fact.lane),
                park_id=self._park_id,
                io_type=ENTRANCE,
                timestamp=at_ms,
            ),
        )

    def _car_out(self, fact: Fact, body: Passed, at_ms: int, in_ms: int) -> list[Delivery]:
        rows = []
        entry_id = body.visit_id
        if not entry_id:
            paid = self._paid_unknown.get((fact.lane, body.plate))
            if paid is not None and paid.taken_by in ("", fact.id):
                paid.taken_by = fact.id  # its entry was made up when it paid
                entry_id, in_ms = paid.entry_id, min(paid.in_ms, at_ms)
            else:
                entry_id = made_up_entry_id(fact.id)
                rows.append(self._made_up(entry_id, body.plate, body.colour, in_ms))
        # QC71: ys = ss + yh. What was due and neither paid nor discounted was let go: the remark says so.
        due_fen = max(body.due_fen, body.paid_fen + body.discount_fen)
        let_go_fen = due_fen - body.paid_fen - body.discount_fen
        rows.append(
            _row(
                "carOut",
                fact.id,
                entry_id,
                body.plate,
                at_ms=at_ms,
                read_id=body.read_id,
                build=lambda: CarOut(
                    item_id=fact.id,
                    park_id=self._park_id,
                    event_type=_event(EVENTS_OUT, body),
                    car_no=_car_no(body.plate),
                    car_color=_colour(body.colour),
                    out_time=china_datetime(at_ms),
                    out_equipment_id=self._equipment.get(fact.lane),
                    ys_money=due_fen,
                    ss_money=body.paid_fen,
                    yh_money=due_fen - body.paid_fen,
                    park_in_id=entry_id,
                    in_time=china_datetime(in_ms),
                    remark=f"未收费放行 {yuan(let_go_fen)} 元" if let_go_fen else None,
                    io_type=EXIT,
                    timestamp=at_ms,
                ),
            )
        )
        return rows

    def _charge(self, fact: Fact, body: Paid, at_ms: int, in_ms: int, billed_ms: int | None) -> list[Delivery]:
        due_fen = max(body.due_fen, body.paid_fen + body.discount_fen)
        if due_fen == 0:
            return []
        rows = []
        entry_id = body.visit_id
        if not entry_id:
            entry_id = made_up_entry_id(fact.id)
            self._remember(fact.lane, body.plate, _Entry(entry_id, in_ms))
            rows.append(self._made_up(entry_id, body.plate, "unknown", in_ms))
        charge_type, pay_type, pay_from = settled(body)
        totals = self._totals.members(fact.id, body)

        def build() -> CarCharge:
            made = CarCharge(
                item_id=fact.id,
                park_id=self._park_id,
                car_no=_car_no(body.plate),
                in_time=china_datetime(in_ms),
                charge_time=china_datetime(at_ms),
                park_in_id=entry_id,
                ys_money=due_fen,
                ss_money=body.paid_fen,
                yh_money=due_fen - body.paid_fen,
                charge_type=charge_type,
                pay_type=pay_type,
                pay_from=pay_from,
                timestamp=at_ms,
                pay_status=1,
                **online_members(body, billed_ms),
                **totals,
            )
            self._orders.pop(body.order_id, None)
            self._orders[body.order_id] = made
            while len(self._orders) > KEPT_MAX:
                del self._orders[next(iter(self._orders))]
            return made

        rows.append(_row("carcharge", fact.id, entry_id, body.plate, at_ms=at_ms, build=build))
        return rows

    def _refund(self, fact: Fact, body: Refunded, at_ms: int) -> list[Delivery]:
        """A new record (QC71). Of a payment that is forgotten or was none nothing can be said."""
        fen, charge = self._refunds.charged_fen(fact.id, body), self._orders.get(body.order_id)
        if fen == 0 or charge is None:
            return []
        return [
            _row(
                "carcharge",
                fact.id,
                charge.park_in_id,
                body.plate,
                at_ms=at_ms,
                build=lambda: msgspec.structs.replace(
                    charge,
                    item_id=fact.id,
                    charge_time=china_datetime(at_ms),
                    ys_money=fen,
                    ss_money=fen,
                    yh_money=0,
                    calc_money=None,
                    paid=None,
                    timestamp=at_ms,
                    pay_status=2,
                ),
            )
        ]

    def _made_up(self, entry_id: str, plate: str, colour: str, in_ms: int) -> Delivery:
        """QC110: event_type MANWORK, in_time = best known time; no lane saw it, so no device is named."""
        return _row(
            "carIn",
            entry_id,
            entry_id,
            plate,
            at_ms=in_ms,
            build=lambda: CarIn(
                item_id=entry_id,
                event_type="MANWORK",
                car_no=_car_no(plate),
                car_color=_colour(colour),
                in_time=china_datetime(in_ms),
                park_id=self._park_id,
                io_type=ENTRANCE,
                timestamp=in_ms,
            ),
        )

    def _remember(self, lane: str, plate: str, entry: _Entry) -> None:
        self._paid_unknown.pop((lane, plate), None)
        self._paid_unknown[lane, plate] = entry
        while len(self._paid_unknown) > _OPEN_MAX:
            del self._paid_unknown[next(iter(self._paid_unknown))]


def made_up_entry_id(fact_id: str) -> str:
    """The GUID of an entry that no camera saw: always the same for the fact that needs it."""
    return hashlib.blake2b(fact_id.encode(), digest_size=16, person=b"qingdao-entry").hexdigest()


def _event(events: dict[str, EventType], body: Passed) -> EventType:
    if body.plate_corrected_from and body.how == "admitted":
        return "CHECKCARNO"
    if not body.admitted and events[body.how] == "BRUSHCARD":
        return "HANDWORK"
    return events[body.how]


def _car_no(plate: str) -> str:
    return city_form(plate) or NO_PLATE


def _colour(colour: str) -> PlateColour:
    return COLOURS.get(colour, "UNKNOW")


def _row(
    kind: str,
    item_id: str,
    visit_id: str,
    plate: str,
    *,
    at_ms: int,
    build: Callable[[], Message],
    read_id: str = "",
) -> Delivery:
    """A waiting row. For what the standard forbids its body is the reason instead of a JSON object: whoever sends
    sets it aside with that reason, and it blocks nothing."""
    try:
        body = build().encode()
    except ValueError as error:
        body = f"无法生成 / cannot be made: {error}".encode()
    return Delivery(0, CITY, kind, item_id, visit_id, body, plate, made_ms=at_ms, read_id=read_id)
