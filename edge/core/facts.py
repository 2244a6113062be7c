"""Facts: what happened, kept once, never changed. Everything else is derived from them (DESIGN 1).

A fact is a body (what) in an envelope (when, where, which). Bodies are declared here and nowhere else; a new
member gets a default so that a ledger written by an older version still reads. Money is integer fen, durations
and instants are integer milliseconds. The fact's `id` (32 hex digits) is the `item_id` of every city message
made from it. Bookings, lists and switches are in `edge.core.facts_flow`, tariffs and cards in `facts_money`.
"""

from typing import Literal

import msgspec

from edge.core.fact_base import Body, Stamp
from edge.core.facts_flow import CouponUsed, FlowBody, FlowReasons
from edge.core.facts_money import MoneyBody

__all__ = ["AnyBody", "Body", "CouponUsed", "Fact", "FlowReasons", "Stamp"]


# --- box and clock -------------------------------------------------------------------------------------------


class BoxStarted(Body, frozen=True):
    """The lane program started. Everything on the lanes is unknown until re-read."""

    version: str
    box_id: str


class ClockSet(Body, frozen=True):
    """First time after boot that the wall clock is true: wall_ms = mono_ms + offset_ms for the whole boot."""

    offset_ms: int


class ClockStepped(Body, frozen=True):
    """A later step of a clock that was already true. Changes no duration and no fee."""

    by_ms: int


# --- reads and arrivals --------------------------------------------------------------------------------------


class ReadTaken(Body, frozen=True):
    """One camera event that counts (repeats are dropped before). `plate` is normalised, "" = no plate read."""

    camera: str
    event_id: str
    plate: str
    plate_raw: str
    colour: str = "unknown"
    confidence_pct: int = -1
    plate_width_px: int = -1
    camera_time_ms: int = -1
    picture: bool = False  # a picture belongs to it (may arrive after the read)
    replay: bool = False  # recorded by the camera while we were away: history, never an arrival


class PictureKept(Body, frozen=True):
    """The picture of a read is durable in the spool: file name, byte offset and length of the JPEG."""

    read_id: str
    spool: str
    offset: int
    length: int
    crc32: int


class Decided(Body, frozen=True):
    """What the box decided about the car at the arm, by which rule (words for sign, page and city record)."""

    arrival_id: str
    read_id: str
    plate: str
    decision: Literal["admit", "wait", "refuse"]
    rule: str
    zh: str
    en: str
    wait_for: str = ""  # payment | stall | confirmation
    visit_id: str = ""  # exits: the visit that this car ends, "" if none is known
    order_id: str = ""
    due_fen: int = 0
    who: str = ""  # operator or city, when a person decided
    why: str = ""
    counted_as: Literal["", "reserved", "ordinary"] = ""  # for flow control; "": flow control had no say in it
    booking: str = ""  # code of the booking that it came on
    state: Literal["", "free", "saturated", "full"] = ""  # of the lot, before this admission (6.7)
    reasons: FlowReasons | None = None  # the numbers behind `rule`


class ArmOrdered(Body, frozen=True):
    """The arm is asked up without an admitted car: operator, city, emergency, safety. Commanded, not seen."""

    direction: Literal["up", "down", "stop"]
    cause: Literal["operator", "city", "emergency", "safety", "restart"]
    who: str = ""
    why: str = ""


class Passed(Body, frozen=True):
    """One vehicle went through the arm. The envelope's id is the city's `item_id` (carIn / carOut)."""

    arrival_id: str
    direction: Literal["in", "out"]
    plate: str
    colour: str = "unknown"
    admitted: bool = True  # False: it went through without an admission of its own
    how: Literal["admitted", "tailgate", "operator", "city", "emergency", "uncommanded", "restart"] = "admitted"
    rule: str = ""
    read_id: str = ""
    visit_id: str = ""  # out: id of the `Passed` fact of the entry, "" = unknown entry
    plate_corrected_from: str = ""
    entered: Stamp | None = None  # out: the entry's stamp
    due_fen: int = 0
    paid_fen: int = 0
    discount_fen: int = 0
    booking: str = ""  # code of the booking that the visit came on
    entry_lane: str = ""  # out: lane of the entry


class BackedOut(Body, frozen=True):
    """The car left the arrival loop without reaching the safety loop (倒车): no passage, admission ended."""

    arrival_id: str
    plate: str


class PlateCorrected(Body, frozen=True):
    """车牌校正: the plate of a visit was read differently at entry and exit, or a person corrected it."""

    visit_id: str
    old: str
    new: str
    who: str = ""
    colour: str = "unknown"
    entered: Stamp | None = None  # the entry's stamp, lane and booking: the record that is put right is told whole
    entry_lane: str = ""
    booking: str = ""


# --- money ---------------------------------------------------------------------------------------------------


class Paid(Body, frozen=True):
    """A visit's charge was settled. `due = paid + discount`. Envelope id = `item_id` of carcharge."""

    order_id: str
    visit_id: str
    plate: str
    method: Literal["cash", "free", "coupon", "online", "seamless"]
    due_fen: int
    paid_fen: int
    discount_fen: int
    entered: Stamp | None = None
    who: str = ""
    why: str = ""
    colour: str = "unknown"
    entry_lane: str = ""
    booking: str = ""
    coupons: tuple[CouponUsed, ...] = ()  # in the order in which they were taken off
    billed: Stamp | None = None  # up to when the fee was made out; None: an older version's fact
    overtime: bool = False  # what came due after an earlier payment of the visit
    pay_type: str = ""  # online, seamless: B.6.1.9 of T/QME 0015
    pay_from: str = ""
    paid_at_ms: int = 0  # by the platform's clock, UTC ms
    user_id: str = ""  # seamless: app_userid
    transaction_id: str = ""

    @property
    def let_go_fen(self) -> int:
        """Of `discount_fen`: what the person named by `who` did not take; the rest is coupons."""
        if self.method not in {"cash", "free"}:
            return 0
        return max(0, self.discount_fen - sum(coupon.saved_fen for coupon in self.coupons))


# --- people, faults, counts ----------------------------------------------------------------------------------


class Ordered(Body, frozen=True):
    """A command of an operator or the city was received, judged, and done or refused. Kept for the audit."""

    command_id: str
    action: str
    source: Literal["operator", "city"]
    who: str
    why: str
    ok: bool
    answer_zh: str
    answer_en: str
    reason: str = ""  # why not, or what of it was known already: a stable word (`edge.core.orders_flow`)
    rest: int = -1  # booking orders: stalls that can still be booked
    target: str = ""  # what it was about: arrival of the car, code of a booking, number of a coupon, entry of a list


class FaultRaised(Body, frozen=True):
    """A fault of the catalogue (`core.faults`) began at `device`."""

    code: str
    device: str
    detail: str = ""


class FaultCleared(Body, frozen=True):
    code: str
    device: str


class CountCorrected(Body, frozen=True):
    """A person counted the lot."""

    parked: int
    who: str
    why: str


AnyBody = (
    BoxStarted
    | ClockSet
    | ClockStepped
    | ReadTaken
    | PictureKept
    | Decided
    | ArmOrdered
    | Passed
    | BackedOut
    | PlateCorrected
    | Paid
    | Ordered
    | FaultRaised
    | FaultCleared
    | CountCorrected
    | FlowBody
    | MoneyBody
)


class Fact(msgspec.Struct, frozen=True):
    """A body in its envelope. `lane` is "" for what concerns the whole box. `seq` is 0 until it is stored."""

    id: str
    lane: str
    stamp: Stamp
    body: AnyBody
    seq: int = 0
