"""What every part of a lane stands on: the table's engine, the outputs of a step, the state that the parts share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from edge.core.admission import LotRules
from edge.core.commands import AnyCommand, Note, Show, TriggerCamera
from edge.core.coupons import Coupons
from edge.core.events import Commanded, PlateRead
from edge.core.facts import AnyBody, Stamp
from edge.core.faults import CATALOGUE
from edge.core.lane_table import DESK_SIGNALS, Desk, Gate, IllegalSignal, Row, Signal, look_up
from edge.core.lane_traffic import Traffic
from edge.core.lane_types import Arrival, LaneMemory, LaneSettings, fault_key
from edge.core.lot import LotState, Visit
from edge.core.lot_flow import LotFlow
from edge.core.money import Bill, Money, Terms

# A read that comes speaks for its camera: a second, silent camera or a listener that is back need no person.
READS_SPEAK = frozenset({"camera_silent", "listener_down"})


class Services(Protocol):
    """What a lane asks of its box."""

    lot: LotState
    out: list[AnyCommand]
    now: Stamp
    flows: LotFlow
    coupons: Coupons
    money: Money
    terms: Terms
    flow_told: bool  # flow control is configured
    memory: LaneMemory  # the box's own, with the faults that concern all lanes

    def bill(self, visit: Visit, now: Stamp) -> Bill: ...

    def new_id(self) -> str: ...

    def new_token(self) -> int: ...

    def record(self, lane: str, body: AnyBody, fact_id: str = "", token: int = 0, urgent: bool = False) -> str: ...


class OrderRefused(Exception):
    """A person's order is possible in this state and still not done; says why. Nothing was changed."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class PendingOrder(NamedTuple):
    """An opening order without a car, waiting to be durable (invariant 8)."""

    token: int
    due_ms: int
    signal: Signal
    source: Literal["operator", "city"]


class Preread(NamedTuple):
    read: PlateRead
    plate: str
    at_ms: int


class LaneBase:
    """Shared state. `memory` is the fold of the lane's facts and is changed by `Services.record` alone."""

    resolve: Callable[[Arrival], None]
    """End of an admission that nobody saw end (`lane_restart`)."""
    record_passed: Callable[[Arrival], None]
    """One vehicle is through (`lane.Lane`: traffic ends there)."""
    read_without_loop: Callable[[Preread], None]
    """A read where cameras tell of arrivals (`lane_loopless`, like the next three)."""
    read_again: Callable[[str], None]
    """... and one of a plate that is known already."""
    place_without_loop: Callable[[list[Arrival]], None]
    """... and where the cars of before a start are."""
    next_car: Callable[[], None]
    """The car of the read that is kept stands here now."""

    def __init__(self, settings: LaneSettings, rules: LotRules, box: Services, memory: LaneMemory) -> None:
        self.settings, self.rules, self.box, self.memory = settings, rules, box, memory
        self.id = settings.id
        self.traffic = Traffic(box.new_id, settings.hold_ms, arrival_loop=settings.arrival == "loop")
        self.now_ms = 0
        # what the world says
        self.arrival: bool | None = None
        self.safety: bool | None = None
        self.limit_up: bool | None = None
        self.limit_down: bool | None = None
        self.told: set[str] = set()
        self.arrival_since_ms = self.safety_since_ms = 0
        # desk
        self.desk = Desk.VACANT
        self.desk_since_ms = 0
        self.desk_due_ms: int | None = None
        self.preread: Preread | None = None
        self.fused: Preread | None = None  # of a lane with two cameras: waits for the other one's read
        self.doubted = False  # of a lane without arrival loop: the kept read may say that the car in front has gone
        self.seen_ms = -1_000_000  # ... and when the camera last said that it stands there still
        self.camera_asked_ms = -1_000_000
        self.newest_shot_ms: dict[str, int] = {}  # camera -> its own time of the newest read just after the start
        self.sign = ("", "")
        # gate
        self.gate = Gate.STARTING
        self.gate_since_ms = 0
        self.raised_ms = 0
        self.departed_ms = 0
        self.proven = False
        self.woke_ms = 0
        self.started_up = False  # a limit switch told during the start that the arm is not down
        self.clear_ms = 0  # how long the safety loop had been clear, of what was seen, before it was occupied last
        self.woke_down = False  # the arm was down at the start, and had been down since whatever was asked before
        self.woke_covered = False  # the safety loop was occupied at the start
        self.unproven_openings = 0
        self.opening: str = "restart"  # what the arm is up for: how a car without admission is recorded
        self.holds: set[str] = set()
        self.credit: Literal["", "operator", "city"] = ""  # raised by an order: the next car may go on it
        self.move_due_ms: int | None = None
        self.asked: Literal["up", "down", ""] = ""
        self.nagged = False
        self.order: PendingOrder | None = None
        self.hold_token = 0  # the `Ordered` fact of a hold is what must be durable
        self.late_tokens: set[int] = set()
        self.commanded: Commanded | None = None  # the order that is being carried out

    # --- the table's engine ----------------------------------------------------------------------------------

    def fire(self, signal: Signal) -> None:
        """One signal to the region it belongs to. Raises `IllegalSignal` and `OrderRefused` before any change."""
        region: Desk | Gate = self.desk if signal in DESK else self.gate
        chosen: Row = look_up(region, signal)
        result = None if chosen.action == "note" else getattr(self, chosen.action)()
        after = chosen.next[0] if result is None else result
        if after not in chosen.next:
            raise AssertionError(f"{region.name} + {signal.value}: {chosen.action} led to {after.name}")
        if isinstance(after, Desk):
            if after is not self.desk:
                self.desk_since_ms = self.now_ms
            self.desk = after
        elif after is not self.gate:
            self.gate = after
            self.gate_since_ms = self.now_ms

    def possible(self, signal: Signal) -> bool:
        try:
            look_up(self.desk if signal in DESK else self.gate, signal)
        except IllegalSignal:
            return False
        return True

    # --- outputs ---------------------------------------------------------------------------------------------

    def record(self, body: AnyBody, fact_id: str = "", token: int = 0, urgent: bool = False) -> str:
        return self.box.record(self.id, body, fact_id, token, urgent)

    def show(self, zh: str, en: str) -> None:
        if (zh, en) != self.sign:
            self.sign = (zh, en)
            self.box.out.append(Show(lane=self.id, zh=zh, en=en))

    def ask_camera(self, why: Literal["no_read", "order"] = "no_read") -> None:
        self.camera_asked_ms = self.now_ms
        self.box.out.append(TriggerCamera(lane=self.id, why=why))

    def note(self, text: str, level: Literal["info", "warning"] = "info") -> None:
        self.box.out.append(Note(lane=self.id, level=level, text=text))

    # --- faults as they bind this lane -------------------------------------------------------------------------

    def has_fault(self, code: str, device: str) -> bool:
        return fault_key(code, device) in self.memory.faults

    def fault_with(self, effect: str) -> str:
        """The code of a fault of the lane or the whole box that has this effect on the lane, "" if there is none."""
        for faults in (self.memory.faults, self.box.memory.faults):
            for fault in faults.values():
                if CATALOGUE[fault.code].effect == effect and fault.code not in READS_SPEAK:
                    return fault.code
        return ""


DESK = frozenset(DESK_SIGNALS)
