"""What an order of `orders_flow` does: judged against the lot as it stands, answered with facts to keep or a reason.

T/SZPIA 7.1.4.4: 4001 control lists, 4002 coupons, 6001 and 6002 bookings. Readings where the standard is open: a lock
takes one stall of those that nobody has and nobody holds, at once (1501 if there is none); the same booking again
stands as it is (SC53); cancelling twice is a success, confirming what has ended is not (SC54); changes and cancels are
possible until `change_ms` before the booking begins (6.3 b, c).
"""

from __future__ import annotations

from typing import NamedTuple

from edge.core.bookings import MINUTE_MS, Booking, Terms
from edge.core.controls import Controls
from edge.core.facts import AnyBody
from edge.core.facts_flow import (
    BookingCancelled,
    BookingChanged,
    BookingConfirmed,
    BookingLocked,
    ControlPut,
    ControlRemoved,
    CouponGiven,
    PrioritySwitched,
    RoleSwitched,
)
from edge.core.flow import Flow
from edge.core.orders_flow import (
    REASONS,
    AnyFlowOrder,
    BookOrder,
    ControlEntry,
    ControlOrder,
    CouponOrder,
    PriorityOrder,
    RoleOrder,
)
from edge.core.plates import normalise


class Outcome(NamedTuple):
    """`bodies` are facts to keep, each with the lane that it concerns; `detail` says what exactly."""

    ok: bool
    reason: str
    bodies: tuple[tuple[str, AnyBody], ...] = ()
    detail: str = ""
    rest: int = -1

    def words(self) -> tuple[str, str]:
        zh, en = REASONS[self.reason]
        return (f"{zh} ({self.detail})", f"{en} ({self.detail})") if self.detail else (zh, en)


def name_of(order: AnyFlowOrder) -> str:
    """The action's name on the audit: book_lock, control_put, coupon, priority_on, role_mixed."""
    match order:
        case BookOrder(action=action):
            return f"book_{action}"
        case ControlOrder(action=action):
            return f"control_{action}"
        case CouponOrder():
            return "coupon"
        case PriorityOrder(on=on):
            return "priority_on" if on else "priority_off"
        case RoleOrder(role=role):
            return f"role_{role}"


def carry_out(order: AnyFlowOrder, flow: Flow, controls: Controls) -> Outcome:
    """Judge `order`; `flow` must have been advanced to now. Changes nothing: the facts do."""
    match order:
        case BookOrder():
            if flow.wall_ms is None:
                return Outcome(False, "no_clock")
            return _book(order, flow, flow.wall_ms)
        case ControlOrder():
            return _control(order, controls)
        case CouponOrder():
            return _coupon(order)
        case PriorityOrder():
            body = PrioritySwitched(on=order.on, cause=order.source, who=order.who, why=order.why)
            return Outcome(True, "", (("", body),))
        case RoleOrder():
            return _role(order, flow)


# --- bookings ------------------------------------------------------------------------------------------------------


def _book(order: BookOrder, flow: Flow, wall_ms: int) -> Outcome:
    booking = flow.bookings.by_code.get(order.code)
    if order.action == "lock":
        return _lock(order, flow, booking, wall_ms)
    if booking is None:
        return _ended(order, flow)
    if booking.state == "taken" and order.action != "confirm":
        return Outcome(False, "used", detail=order.code)
    if order.action == "confirm":
        confirmed = BookingConfirmed(
            order.code, booking.terms.plate, order.source, order.city, order.who, order.why
        )
        return Outcome(True, "", () if booking.confirmed else (("", confirmed),))
    change_ms = flow.policy.change_ms
    if change_ms is not None and wall_ms > booking.terms.from_ms - change_ms:
        return Outcome(False, "too_late", detail=order.code)
    if order.action == "cancel":
        cancelled = BookingCancelled(
            order.code, booking.terms.plate, order.source, order.city, order.who, order.why
        )
        return Outcome(True, "", (("", cancelled),), rest=_rest(flow, 1))
    terms = _terms(order, flow)
    wrong = _wrong(terms, flow, wall_ms)
    if wrong is not None:
        return wrong
    changed = BookingChanged(
        order.code, terms.plate, terms.from_ms, terms.until_ms, terms.keep_ms // MINUTE_MS, terms.vehicle,
        order.source, order.city, order.who, order.why,
    )  # fmt: skip
    return Outcome(True, "", (("", changed),), rest=_rest(flow, 0))


def _lock(order: BookOrder, flow: Flow, booking: Booking | None, wall_ms: int) -> Outcome:
    terms = _terms(order, flow)
    if booking is not None:
        same = booking.terms == terms
        return Outcome(same, "repeated" if same else "booking_exists", detail="" if same else order.code)
    if flow.bookings.how_ended(order.code) is not None:
        return Outcome(False, "booking_exists", detail=order.code)
    wrong = _wrong(terms, flow, wall_ms)
    if wrong is not None:
        return wrong
    if flow.room <= 0:
        return Outcome(False, "no_stall", rest=0)
    locked = BookingLocked(
        order.code, terms.plate, terms.from_ms, terms.until_ms, terms.keep_ms // MINUTE_MS, terms.vehicle,
        order.source, order.city, order.who, order.why,
    )  # fmt: skip
    return Outcome(True, "", (("", locked),), rest=_rest(flow, -1))


def _ended(order: BookOrder, flow: Flow) -> Outcome:
    how = flow.bookings.how_ended(order.code)
    if how is None:
        return Outcome(False, "unknown_booking", detail=order.code)
    if how == "cancelled" and order.action == "cancel":
        return Outcome(True, "", rest=_rest(flow, 0))
    reason = {"cancelled": "cancelled", "lapsed": "expired", "used": "used"}[how]
    return Outcome(False, reason, detail=order.code)


def _terms(order: BookOrder, flow: Flow) -> Terms:
    keep_min = flow.policy.keep_min if order.keep_min is None else order.keep_min
    return Terms(normalise(order.plate), order.from_ms, order.until_ms, keep_min * MINUTE_MS, order.vehicle)


def _wrong(terms: Terms, flow: Flow, wall_ms: int) -> Outcome | None:
    if not terms.plate:
        return Outcome(False, "bad_plate", detail="plate")
    if terms.vehicle and terms.vehicle in flow.policy.refused:
        return Outcome(False, "vehicle_refused", detail=terms.vehicle)
    if terms.until_ms < terms.from_ms:
        return Outcome(False, "bad_time", detail=f"until_ms {terms.until_ms} < from_ms {terms.from_ms}")
    if terms.until_ms + terms.keep_ms < wall_ms:
        return Outcome(False, "bad_time", detail=f"until_ms {terms.until_ms} < {wall_ms}")
    return None


def _rest(flow: Flow, more: int) -> int:
    return max(0, flow.room + more)


# --- lists, coupons, roles -------------------------------------------------------------------------------------------


def _control(order: ControlOrder, controls: Controls) -> Outcome:
    bodies: list[tuple[str, AnyBody]] = []
    for entry in order.entries:
        if order.action == "remove":
            known = controls.find(entry.entry_id)
            if known is None and entry.entry_id in controls.gone:
                continue  # the same removal again
            if known is None:
                return Outcome(False, "unknown_entry", detail=entry.entry_id)
            bodies.append(("", ControlRemoved(entry.entry_id, known.plate, order.source, order.city)))
            continue
        plate = normalise(entry.plate)
        if not plate:
            return Outcome(False, "bad_plate", detail=f"{entry.entry_id}: {entry.plate!r}")
        if entry.until_ms < entry.from_ms:
            return Outcome(False, "bad_value", detail=f"until_ms {entry.until_ms} < from_ms {entry.from_ms}")
        bodies.append(("", _put(order, entry, plate)))
    return Outcome(True, "", tuple(bodies))


def _put(order: ControlOrder, entry: ControlEntry, plate: str) -> ControlPut:
    return ControlPut(
        entry.entry_id, plate, entry.strategy, entry.from_ms, entry.until_ms, entry.origin, entry.vehicle,
        order.source, order.city,
    )  # fmt: skip


def _coupon(order: CouponOrder) -> Outcome:
    plate = normalise(order.plate)
    if not plate:
        return Outcome(False, "bad_plate", detail=f"plate {order.plate!r}")
    needed = {"amount": "amount_fen", "time": "minutes", "share": "off_permille"}.get(order.coupon, "")
    if needed and not getattr(order, needed):
        return Outcome(False, "bad_value", detail=f"{needed} 0, 1 or more for {order.coupon}")
    body = CouponGiven(
        order.coupon_no, plate, order.coupon, order.given_ms, order.amount_fen, order.minutes, order.off_permille,
        order.channel, order.org_code, order.source, order.city,
    )  # fmt: skip
    return Outcome(True, "", (("", body),))


def _role(order: RoleOrder, flow: Flow) -> Outcome:
    if order.lane not in flow.policy.entrances:
        return Outcome(False, "unknown_lane", detail=f"{order.lane}: {', '.join(flow.policy.entrances)}")
    if order.until_ms and flow.wall_ms is not None and order.until_ms <= flow.wall_ms:
        return Outcome(False, "bad_time", detail=f"until_ms {order.until_ms} <= {flow.wall_ms}")
    body = RoleSwitched(order.role, order.until_ms, order.source, order.who, order.why)
    return Outcome(True, "", ((order.lane, body),))
