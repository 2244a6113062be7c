"""What a lane is made of: its settings, the car at its arm, what it must remember over a restart.

`LaneMemory` is a fold over facts and nothing else: what is not in a fact is gone after a restart and is read from
the world again (DESIGN 2).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from edge.core.facts import (
    ArmOrdered,
    BackedOut,
    CouponUsed,
    Decided,
    Fact,
    FaultCleared,
    FaultRaised,
    Ordered,
    Paid,
    Passed,
    PlateCorrected,
    ReadTaken,
    Stamp,
)
from edge.core.money import Bill

RECENT = 16
"""Reads, payments and corrections a lane remembers: more than can belong to the cars between its two loops."""

How = Literal["admitted", "tailgate", "operator", "city", "emergency", "uncommanded", "restart"]
WaitFor = Literal["", "payment", "stall", "confirmation"]


class LaneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One lane as the composition root configures it; every duration on the monotonic clock."""

    id: str
    direction: Literal["in", "out"]
    number: int = 1
    arrival: Literal["loop", "camera"] = "loop"
    no_plate: Literal["ask", "admit"] = "ask"
    can_ask: bool = False  # a camera reads when it is asked to
    has_close: bool = True
    has_stop: bool = False
    has_limit_up: bool = False
    has_limit_down: bool = False
    cameras: tuple[str, ...] = ()
    move_ms: int = 6_000
    read_ms: int = 3_000
    store_ms: int = 2_000
    pass_ms: int = 30_000
    hold_ms: int = 1_500
    unproven_hold_ms: int = 10_000
    payment_ms: int = 300_000
    stall_ms: int = 600_000
    confirm_ms: int = 300_000
    same_plate_ms: int = 30_000
    preread_ms: int = 20_000
    fuse_ms: int = 500
    loop_stuck_ms: int = 300_000


class Arrival:
    """One car from its first word (loop or camera) until it passed or left."""

    __slots__ = (
        "admitted", "asked_camera", "bill", "billed", "booking", "borrowed_until_ms", "claimed", "colour", "controlled",
        "corrected_from", "coupons", "deciding", "discount_fen", "due_fen", "entered", "entry_lane", "fell_ms", "how",
        "id", "order_id", "paid_fen", "plate", "read_id", "rule", "safety_fell_ms", "token", "unsure", "visit_id",
    )  # fmt: skip

    def __init__(self, arrival_id: str) -> None:
        self.id = arrival_id
        self.plate = ""
        self.colour = "unknown"
        self.read_id = ""
        self.rule = ""
        self.deciding = False  # decided "admit", durable or not: it counts as on the way
        self.admitted = False  # ... and durable
        self.how: How = "admitted"
        self.token = 0
        self.visit_id = ""
        self.order_id = ""
        self.entered: Stamp | None = None
        self.due_fen = self.paid_fen = self.discount_fen = 0
        self.coupons: tuple[CouponUsed, ...] = ()  # what would be taken off its fee
        self.billed: Stamp | None = None  # when its fee was made out: waiting at the arm costs nothing more
        self.bill: Bill | None = None  # what it owes, as last made out
        self.claimed = ""  # visit that its driver's credential names
        self.booking = self.entry_lane = ""
        self.corrected_from = ""
        self.controlled = ""  # its entries on control lists were told under this plate
        self.asked_camera = False
        self.borrowed_until_ms = 0  # its read came before it stood here; until then one of its own would be better
        self.fell_ms: int | None = None  # the arrival loop cleared behind it
        self.safety_fell_ms: int | None = None  # the safety loop cleared while it still stood on the arrival loop
        self.unsure = False  # carried over a restart: not yet known to be the car that stands there


    @property
    def to_pay_fen(self) -> int:
        """What is due less what its coupons take off."""
        return self.due_fen - sum(coupon.saved_fen for coupon in self.coupons)

    @property
    def owed_fen(self) -> int:
        """What is still to pay: nothing once it was paid or let go."""
        return max(0, self.to_pay_fen - self.paid_fen - self.discount_fen)


class PastRead(msgspec.Struct, frozen=True, array_like=True):
    read_id: str
    camera: str
    event_id: str
    plate: str
    colour: str
    stamp: Stamp


class Admission(msgspec.Struct, frozen=True, array_like=True):
    """A `Decided` of a car that no `Passed` or `BackedOut` has ended: admitted, under the arm without admission, or
    waiting to pay (`stamp`: since when)."""

    decided: Decided
    stamp: Stamp


class ActiveFault(msgspec.Struct, frozen=True, array_like=True):
    code: str
    device: str
    detail: str
    since: Stamp


class LaneMemory(msgspec.Struct):
    """The fold of one lane's facts (the box's own, lane "", uses `faults` only)."""

    admissions: dict[str, Admission] = {}
    waiting: Admission | None = None  # the car that was last asked to pay at the arm, while nothing has ended that
    reads: list[PastRead] = []
    settled: dict[str, tuple[int, int]] = {}  # order id -> paid, discount
    corrected: dict[str, str] = {}  # visit id -> plate as read at the exit
    faults: dict[str, ActiveFault] = {}
    held: Literal["", "operator", "city"] = ""
    locked: bool = False
    opened: Literal["", "operator", "city"] = ""  # raised by an order without a car, nobody has passed yet
    passed: int = 0
    last_passed: Stamp | None = None

    def apply(self, fact: Fact) -> None:
        self._wait(fact)
        match fact.body:
            case ReadTaken() as read if not read.replay:
                self.reads.append(
                    PastRead(fact.id, read.camera, read.event_id, read.plate, read.colour, fact.stamp)
                )
                del self.reads[:-RECENT]
            case Decided(decision="admit") | Decided(rule="under_arm") as decided:
                self.admissions[decided.arrival_id] = Admission(decided, fact.stamp)
            case Decided(arrival_id=arrival_id):
                known = self.admissions.get(arrival_id)
                if known is not None and known.decided.rule != "under_arm":  # under the arm it stays
                    del self.admissions[arrival_id]
            case BackedOut(arrival_id=arrival_id):
                self.admissions.pop(arrival_id, None)
            case Passed() as passed:
                self.passed += 1
                self.last_passed = fact.stamp
                known = self.admissions.pop(passed.arrival_id, None)
                if passed.admitted and (known is None or known.decided.decision != "admit"):
                    self.opened = ""
            case Paid() as paid:
                self.settled[paid.order_id] = (paid.paid_fen, paid.discount_fen)
                _trim(self.settled)
            case PlateCorrected() as correction if not correction.who:
                self.corrected[correction.visit_id] = correction.old
                _trim(self.corrected)
            case ArmOrdered(direction="up", cause="operator" | "city" as cause):
                self.opened = "" if self.locked else cause  # locked: a relay's test, no car is meant by it
            case FaultRaised() as fault:
                self.faults[fault_key(fault.code, fault.device)] = ActiveFault(
                    fault.code, fault.device, fault.detail, fact.stamp
                )
            case FaultCleared() as fault:
                self.faults.pop(fault_key(fault.code, fault.device), None)
            case Ordered(ok=True) as order:
                self._order(order)

    def _wait(self, fact: Fact) -> None:
        """Whoever is decided about at the arm stands there, so the one who waited before has gone or drives."""
        known = self.waiting
        match fact.body:
            case Decided(decision="wait", wait_for="payment") as decided if decided.plate:
                if known is not None and known.decided.arrival_id == decided.arrival_id:
                    self.waiting = Admission(decided, known.stamp)
                else:
                    self.waiting = Admission(decided, fact.stamp)
            case Decided(rule="under_arm", arrival_id=arrival_id):  # of the car ahead, as a rule
                self._waits_no_more(arrival_id)
            case Decided():
                self.waiting = None
            case BackedOut(arrival_id=arrival_id) | Passed(arrival_id=arrival_id):
                self._waits_no_more(arrival_id)

    def _waits_no_more(self, arrival_id: str) -> None:
        if self.waiting is not None and self.waiting.decided.arrival_id == arrival_id:
            self.waiting = None

    def _order(self, order: Ordered) -> None:
        if order.action == "hold_open":
            self.held = order.source
        elif order.action in {"release", "close"}:
            self.held = ""
            self.opened = ""
        elif order.action in {"lock", "unlock"}:
            self.locked = order.action == "lock"


def fault_key(code: str, device: str) -> str:
    return f"{code} {device}"


def _trim(table: dict[str, tuple[int, int]] | dict[str, str]) -> None:
    while len(table) > RECENT:
        del table[next(iter(table))]
