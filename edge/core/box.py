"""The box: all lanes and the lot, pure. Events in, commands out, and the moment at which it wants to be asked again.

Whoever runs it carries out a step's commands in their order. Every fact the box records is folded at once into the lot
and the lane's memory, so that the next decision sees the admissions on the way; the same fold (`apply`) over the
ledger makes the box after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from edge.core.admission import LotRules
from edge.core.box_money import BoxMoney
from edge.core.box_orders import AGED_COMMAND_S, SURVIVES_START, FirstAnswer
from edge.core.commands import Answer, AnyCommand, RaiseArm
from edge.core.coupons import Coupons
from edge.core.events import (
    AnyEvent,
    ClockChanged,
    Commanded,
    DeviceDown,
    DeviceUp,
    Emergency,
    LimitChanged,
    LoopChanged,
    PictureSpooled,
    PlateRead,
    Stored,
    Tick,
)
from edge.core.facts import (
    AnyBody,
    BoxStarted,
    ClockSet,
    ClockStepped,
    Fact,
    FaultCleared,
    FaultRaised,
    Ordered,
    PictureKept,
    Stamp,
)
from edge.core.faults import CATALOGUE
from edge.core.flow_policy import Entrance, Policy
from edge.core.lane import Lane
from edge.core.lane_status import LaneStatus
from edge.core.lane_table import Desk, Gate
from edge.core.lane_types import ActiveFault, LaneMemory, LaneSettings, fault_key
from edge.core.lot import LotState, Visit
from edge.core.lot_flow import FlowKept, LotFlow
from edge.core.money import Bill, Money, Terms
from edge.core.orders_flow import FlowOrder
from edge.core.orders_money import MoneyOrder
from edge.core.tariff import TariffRule
from edge.core.tariff_engine import plan_of

__all__ = ["AGED_COMMAND_S", "Box", "LaneSettings", "LaneStatus"]

ANSWERS_KEPT = 500
"""Command ids whose first answer is remembered; more than a city repeats within its own time-outs."""

SNAPSHOT_VERSION = 7


class _Snapshot(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    version: int
    lot: bytes
    box: LaneMemory
    lanes: dict[str, LaneMemory]
    answers: dict[str, FirstAnswer]
    flow: FlowKept
    coupons: Coupons
    money: Money


class Box(BoxMoney):
    """See the module. `lot`, `faults()` and `lane_states()` may be read at any time."""

    def __init__(  # noqa: PLR0917 - the composition root gives all of it at once
        self,
        lanes: Sequence[LaneSettings],
        rules: LotRules,
        tariff: TariffRule,
        lot: LotState,
        new_id: Callable[[], str],
        version: str,
        box_id: str,
        policy: Policy | None = None,
        terms: Terms | None = None,
    ) -> None:
        """`policy` None: no flow control, every car while a stall is free that no booking holds. `terms` None: what
        `tariff` and `rules` say."""
        ids = [settings.id for settings in lanes]
        if not ids or "" in ids or len(set(ids)) != len(ids):
            raise ValueError(f"lanes: ids {ids} are not allowed, at least one and each once and not empty are")
        self.lot, self.tariff = lot, tariff
        self.terms = terms or Terms(plan=plan_of(tariff), stack=rules.coupon_stack)
        self.money = Money()
        self.out: list[AnyCommand] = []
        self.now = Stamp("", 0, 0, synced=False)
        self.deadline_ms: int | None = None
        self.memory = LaneMemory()
        self.flow_told = policy is not None
        if policy is None:
            policy = Policy(priority=False)
        ways_in = {lane.id: policy.entrances.get(lane.id, Entrance()) for lane in lanes if lane.direction == "in"}
        self.flows = LotFlow(msgspec.structs.replace(policy, entrances=ways_in), lot.total)
        self.coupons = Coupons()
        self._settings, self._rules = tuple(lanes), rules
        self._new_id, self._version, self._box_id = new_id, version, box_id
        self._token = 0
        self._answers: dict[str, FirstAnswer] = {}
        self._asked: dict[str, Answer] = {}
        self._memories = {lane_id: LaneMemory() for lane_id in ids}
        self._lanes: dict[str, Lane] = {}
        self._due: dict[str, int | None] = {}
        self._make_lanes()

    def _make_lanes(self) -> None:
        for settings in self._settings:
            rules = msgspec.structs.replace(self._rules, no_plate=settings.no_plate)
            self._lanes[settings.id] = Lane(settings, rules, self, self._memories[settings.id])

    # --- fold ----------------------------------------------------------------------------------------------------

    def apply(self, fact: Fact) -> None:
        """Fold one fact: those of the ledger before `start`, and each one recorded after it."""
        self.lot.apply(fact)
        self.flows.apply(fact)
        self.coupons.apply(fact)
        self.money.apply(fact)
        memory = self._memories.get(fact.lane) if fact.lane else self.memory
        if memory is not None:  # facts of a lane that is no longer configured still count for the lot
            memory.apply(fact)
        body = fact.body
        if isinstance(body, Ordered):
            what = f"{body.action} {fact.lane} {body.target}".rstrip()
            self._answers[body.command_id] = FirstAnswer(
                body.ok, body.answer_zh, body.answer_en, what, body.reason, body.rest
            )
            while len(self._answers) > ANSWERS_KEPT:
                del self._answers[next(iter(self._answers))]

    def encode(self) -> bytes:
        """The fold of all facts so far, for the ledger's snapshot."""
        return msgspec.msgpack.encode(
            _Snapshot(SNAPSHOT_VERSION, self.lot.encode(), self.memory, self._memories, self._answers,
                      self.flows.keep(), self.coupons, self.money)
        )  # fmt: skip

    def restore(self, data: bytes) -> None:
        """The fold from `encode`, before any `apply`. Raises `ValueError` when it is damaged or of another version."""
        try:
            snapshot = msgspec.msgpack.decode(data, type=_Snapshot)
        except msgspec.DecodeError as error:
            raise ValueError(f"snapshot of {len(data)} bytes is damaged: {error}") from error
        if snapshot.version != SNAPSHOT_VERSION:
            raise ValueError(f"snapshot: version {snapshot.version} is not allowed, {SNAPSHOT_VERSION} is")
        self.lot = LotState.decode(snapshot.lot, self.lot.total)
        self.flows.restore(snapshot.flow, self.lot.parked)
        self.memory, self._answers, self.coupons = snapshot.box, snapshot.answers, snapshot.coupons
        self.money = snapshot.money
        self._memories = {lane_id: snapshot.lanes.get(lane_id, LaneMemory()) for lane_id in self._memories}
        self._make_lanes()

    # --- time and events -----------------------------------------------------------------------------------------

    def start(self, now: Stamp) -> list[AnyCommand]:
        """The program started: nothing is known of the world, nothing is moved."""
        self._begin(now)
        self.record("", BoxStarted(version=self._version, box_id=self._box_id))
        self.tell_tariff()
        for lane_id, memory in (("", self.memory), *self._memories.items()):
            for fault in tuple(memory.faults.values()):
                if CATALOGUE[fault.code].clears == "itself" and fault.code not in SURVIVES_START:
                    self.record(lane_id, FaultCleared(code=fault.code, device=fault.device))
        for lane in self._lanes.values():
            lane.gate_since_ms = lane.now_ms
        self.tell_priority()
        return self._end(set(self._lanes))

    def step(self, event: AnyEvent, now: Stamp) -> list[AnyCommand]:
        """One event. The commands are to be carried out in their order."""
        self._begin(now)
        if self.flow_due_ms is not None and self.flow_due_ms <= now.mono_ms:
            self.flow_turn()  # whoever waits for this moment comes before whoever comes now
        return self._end(self._dispatch(event))

    def _begin(self, now: Stamp) -> None:
        self.out = []
        self.now = now
        for lane in self._lanes.values():
            lane.now_ms = now.mono_ms
        self.flows.advance(now)

    def _end(self, touched: set[str]) -> list[AnyCommand]:
        now_ms = self.now.mono_ms
        for lane_id, lane in self._lanes.items():
            due_ms = self._due.get(lane_id)
            if lane_id in touched or (due_ms is not None and due_ms <= now_ms):
                self._due[lane_id] = lane.settle()
                lane.check_step()
        silence_due_ms = self.silence_turn()
        self.flow_turn()
        self.deadline_ms = self.flow_due_ms
        for due_ms in (silence_due_ms, *self._due.values()):
            if due_ms is not None and (self.deadline_ms is None or due_ms < self.deadline_ms):
                self.deadline_ms = due_ms
        return self.out

    def _dispatch(self, event: AnyEvent) -> set[str]:
        match event:
            case Tick():
                return set()
            case Stored(token=token):
                return {lane.id for lane in self._lanes.values() if lane.on_stored(token)}
            case Emergency(active=active):
                return self._emergency(active)
            case Commanded() as order:
                return self._command(order)
            case MoneyOrder() as order:
                self.money_order(order)
                return set()
            case FlowOrder() as order:
                self.flow_order(order)
                return set()
            case DeviceDown() as down:
                self._device_down(down)
                return set(self._lanes)
            case DeviceUp() as up:
                if fault_key(up.code, up.device) in self._memory_of(up.lane).faults:
                    self.record(up.lane, FaultCleared(code=up.code, device=up.device))
                if up.code == "barrier_down" and up.lane in self._lanes:
                    self._lanes[up.lane].arm_again()
                return set(self._lanes)
            case ClockChanged() as change:
                body: AnyBody = ClockSet(change.offset_ms) if change.first else ClockStepped(change.step_ms)
                self.record("", body, urgent=change.first)
                return set()
            case PictureSpooled() as picture:
                self.record(
                    event.lane,
                    PictureKept(picture.read_id, picture.spool, picture.offset, picture.length, picture.crc32),
                )
                return set()
        at = self._lanes.get(event.lane)
        if at is None:
            raise ValueError(f"event.lane: {event.lane!r} is not allowed, one of {sorted(self._lanes)} is")
        match event:
            case LoopChanged():
                at.on_loop(event)
            case LimitChanged():
                at.on_limit(event)
            case PlateRead():
                at.on_read(event)
        return {at.id}

    def _emergency(self, active: bool) -> set[str]:
        """All arms first, then the facts."""
        known = fault_key("emergency", "input") in self.memory.faults
        for lane in self._lanes.values():
            if active or "emergency" in lane.holds:
                lane.on_emergency(active)
        self.out.sort(key=lambda command: not isinstance(command, RaiseArm))
        if active and not known:
            self.record("", FaultRaised(code="emergency", device="input"), urgent=True)
        elif known and not active:
            self.record("", FaultCleared(code="emergency", device="input"))
        return set(self._lanes)

    # --- faults that devices report --------------------------------------------------------------------------------

    def _device_down(self, down: DeviceDown) -> None:
        if down.code not in CATALOGUE:
            raise ValueError(f"event.code: {down.code!r} is not allowed, a code of the fault catalogue is")
        if fault_key(down.code, down.device) not in self._memory_of(down.lane).faults:
            self.record(down.lane, FaultRaised(code=down.code, device=down.device, detail=down.detail), urgent=True)
        if down.code == "barrier_down" and down.lane in self._lanes:
            self._lanes[down.lane].arm_unknown()

    # --- what lanes ask of the box -----------------------------------------------------------------------------------

    def new_id(self) -> str:
        return self._new_id()

    def bill(self, visit: Visit, now: Stamp) -> Bill:
        """What `visit` owes at `now`. A car without plate has its coupons under its credential."""
        coupons = self.coupons.of(visit.plate or self.money.credential_of(visit.visit_id))
        return self.money.bill(self.lot, self.terms, visit, now, coupons, self.silent())

    def new_token(self) -> int:
        self._token += 1
        return self._token

    def in_use(self) -> list[str]:
        """Lanes at which a car passes or the arm moves: no moment to end the program."""
        still = {Gate.DOWN, Gate.HELD_OPEN, Gate.STARTING}
        return [
            lane.id
            for lane in self._lanes.values()
            if lane.gate not in still or lane.safety or lane.desk in {Desk.STORING, Desk.ADMITTED}
        ]

    # --- what the page asks ------------------------------------------------------------------------------------

    @property
    def rules(self) -> LotRules:
        return self._rules

    def exits(self) -> list[Lane]:
        return [lane for lane in self._lanes.values() if lane.settings.direction == "out"]

    def lane_states(self) -> list[LaneStatus]:
        return [lane.status() for lane in self._lanes.values()]

    def faults(self) -> list[tuple[str, str, str, int]]:
        """Active faults: code, device (with its lane), detail, wall ms since when."""
        found = [("", fault) for fault in self.memory.faults.values()]
        found += [(lane_id, fault) for lane_id, memory in self._memories.items() for fault in memory.faults.values()]
        return [(f.code, _place(lane_id, f), f.detail, f.since.wall_ms) for lane_id, f in found]


def _place(lane_id: str, fault: ActiveFault) -> str:
    return f"{lane_id}/{fault.device}" if lane_id and fault.device != lane_id else fault.device
