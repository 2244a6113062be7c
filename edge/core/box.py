"""The box: all lanes and the lot, pure. Events in, commands out, and the moment at which it wants to be asked again.

Whoever runs it carries out a step's commands in their order. Every fact the box records is folded at once into the lot
and the lane's memory, so that the next decision sees the admissions on the way; the same fold (`apply`) over the
ledger makes the box after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from edge.core.admission import LotRules
from edge.core.commands import Answer, AnyCommand, RaiseArm, Record
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
    CountCorrected,
    Fact,
    FaultCleared,
    FaultRaised,
    Ordered,
    PictureKept,
    PlateCorrected,
    Stamp,
)
from edge.core.faults import CATALOGUE
from edge.core.lane import Lane
from edge.core.lane_table import Desk, Gate, Signal
from edge.core.lane_types import ActiveFault, LaneMemory, LaneSettings, LaneStatus, fault_key
from edge.core.lot import LotState
from edge.core.plates import normalise
from edge.core.tariff import TariffRule

__all__ = ["AGED_COMMAND_S", "Box", "LaneSettings", "LaneStatus"]

AGED_COMMAND_S = 10
"""An order that was under way longer is refused: the car it was meant for may be another one (invariant 5)."""

ANSWERS_KEPT = 500
"""Command ids whose first answer is remembered; more than a city repeats within its own time-outs."""

SNAPSHOT_VERSION = 2

SURVIVES_START = frozenset({"safety_unproven"})
"""Ends by itself, but only when the loop is seen occupied: a start proves nothing."""


class _Snapshot(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    version: int
    lot: bytes
    box: LaneMemory
    lanes: dict[str, LaneMemory]
    answers: dict[str, tuple[bool, str, str, str]]


class Box:
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
    ) -> None:
        ids = [settings.id for settings in lanes]
        if not ids or "" in ids or len(set(ids)) != len(ids):
            raise ValueError(f"lanes: ids {ids} are not allowed, at least one and each once and not empty are")
        self.lot, self.tariff = lot, tariff
        self.out: list[AnyCommand] = []
        self.now = Stamp("", 0, 0, synced=False)
        self.deadline_ms: int | None = None
        self.memory = LaneMemory()
        self._settings, self._rules = tuple(lanes), rules
        self._new_id, self._version, self._box_id = new_id, version, box_id
        self._token = 0
        self._answers: dict[str, tuple[bool, str, str, str]] = {}
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
        memory = self._memories.get(fact.lane) if fact.lane else self.memory
        if memory is not None:  # facts of a lane that is no longer configured still count for the lot
            memory.apply(fact)
        body = fact.body
        if isinstance(body, Ordered):
            what = f"{body.action} {fact.lane}"
            self._answers[body.command_id] = (body.ok, body.answer_zh, body.answer_en, what)
            while len(self._answers) > ANSWERS_KEPT:
                del self._answers[next(iter(self._answers))]

    def encode(self) -> bytes:
        """The fold of all facts so far, for the ledger's snapshot."""
        return msgspec.msgpack.encode(
            _Snapshot(SNAPSHOT_VERSION, self.lot.encode(), self.memory, self._memories, self._answers)
        )

    def restore(self, data: bytes) -> None:
        """The fold from `encode`, before any `apply`. Raises `ValueError` when it is damaged or of another version."""
        try:
            snapshot = msgspec.msgpack.decode(data, type=_Snapshot)
        except msgspec.DecodeError as error:
            raise ValueError(f"snapshot of {len(data)} bytes is damaged: {error}") from error
        if snapshot.version != SNAPSHOT_VERSION:
            raise ValueError(f"snapshot: version {snapshot.version} is not allowed, {SNAPSHOT_VERSION} is")
        self.lot = LotState.decode(snapshot.lot, self.lot.total)
        self.memory, self._answers = snapshot.box, snapshot.answers
        self._memories = {lane_id: snapshot.lanes.get(lane_id, LaneMemory()) for lane_id in self._memories}
        self._make_lanes()

    # --- time and events -----------------------------------------------------------------------------------------

    def start(self, now: Stamp) -> list[AnyCommand]:
        """The program started: nothing is known of the world, nothing is moved."""
        self._begin(now)
        self.record("", BoxStarted(version=self._version, box_id=self._box_id))
        for lane_id, memory in (("", self.memory), *self._memories.items()):
            for fault in tuple(memory.faults.values()):
                if CATALOGUE[fault.code].clears == "itself" and fault.code not in SURVIVES_START:
                    self.record(lane_id, FaultCleared(code=fault.code, device=fault.device))
        for lane in self._lanes.values():
            lane.gate_since_ms = lane.now_ms
        return self._end(set(self._lanes))

    def step(self, event: AnyEvent, now: Stamp) -> list[AnyCommand]:
        """One event. The commands are to be carried out in their order."""
        self._begin(now)
        return self._end(self._dispatch(event))

    def _begin(self, now: Stamp) -> None:
        self.out = []
        self.now = now
        for lane in self._lanes.values():
            lane.now_ms = now.mono_ms

    def _end(self, touched: set[str]) -> list[AnyCommand]:
        now_ms = self.now.mono_ms
        for lane_id, lane in self._lanes.items():
            due_ms = self._due.get(lane_id)
            if lane_id in touched or (due_ms is not None and due_ms <= now_ms):
                self._due[lane_id] = lane.settle()
                lane.check_step()
        for lane_id, lane in self._lanes.items():
            if lane.desk is Desk.WAIT_STALL and self.lot.total - self.lot.parked > self.on_the_way():
                lane.fire(Signal.FREED)
                self._due[lane_id] = lane.settle()
                lane.check_step()
        self.deadline_ms = None
        for due_ms in self._due.values():
            if due_ms is not None and (self.deadline_ms is None or due_ms < self.deadline_ms):
                self.deadline_ms = due_ms
        return self.out

    def _dispatch(self, event: AnyEvent) -> set[str]:
        match event:
            case Tick():
                return set()
            case Stored(token=token):
                for lane in self._lanes.values():
                    lane.on_stored(token)
                return set(self._lanes)
            case Emergency(active=active):
                return self._emergency(active)
            case Commanded() as order:
                return self._command(order)
            case DeviceDown() as down:
                self._device_down(down)
                return set(self._lanes)
            case DeviceUp() as up:
                if fault_key(up.code, up.device) in self._memory_of(up.lane).faults:
                    self.record(up.lane, FaultCleared(code=up.code, device=up.device))
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

    def _memory_of(self, lane_id: str) -> LaneMemory:
        if lane_id and lane_id not in self._memories:
            raise ValueError(f"event.lane: {lane_id!r} is not allowed, one of {sorted(self._memories)} or '' is")
        return self._memories[lane_id] if lane_id else self.memory

    def _device_down(self, down: DeviceDown) -> None:
        if down.code not in CATALOGUE:
            raise ValueError(f"event.code: {down.code!r} is not allowed, a code of the fault catalogue is")
        if fault_key(down.code, down.device) not in self._memory_of(down.lane).faults:
            self.record(down.lane, FaultRaised(code=down.code, device=down.device, detail=down.detail), urgent=True)

    # --- orders ----------------------------------------------------------------------------------------------------

    def _command(self, order: Commanded) -> set[str]:
        """Invariant 5: a command acts once by its id; a repeat gets the first answer; an aged one moves nothing."""
        lane = self._lanes.get(order.lane)
        first = self._answers.get(order.command_id)
        if first is not None:
            ok, zh, en, what = first
            if what != f"{order.action} {order.lane if lane is not None else ''}":
                ok, zh = False, "该命令编号已用于另一命令"
                en = f"command_id: was used for another order ({what.strip()})"
            self.out.append(Answer(lane=order.lane, command_id=order.command_id, ok=ok, zh=zh, en=en))
            return set()
        token = 0
        if not order.command_id:
            ok, zh, en = False, "缺少命令编号", "command_id: must not be empty"
        elif not order.who or not order.why:
            ok, zh, en = False, "缺少操作人或原因", "who, why: must not be empty"
        elif order.age_s > AGED_COMMAND_S:
            ok, zh = False, f"命令已过期 ({order.age_s:.0f} 秒)"
            en = f"age_s: {order.age_s:.0f} is too old, up to {AGED_COMMAND_S} is allowed"
        elif order.action in {"correct_count", "acknowledge_fault"} or (
            order.action == "correct_plate" and order.visit_id
        ):
            ok, zh, en = self._box_order(order)
        elif lane is None:
            ok, zh, en = False, f"没有车道 {order.lane}", f"lane: {order.lane!r} is not one of {sorted(self._lanes)}"
        else:
            lane.hold_token = 0
            ok, zh, en = lane.do(order)
            token = lane.hold_token
        self.record(
            order.lane if lane is not None else "",
            Ordered(order.command_id, order.action, order.source, order.who, order.why, ok, zh, en),
            token=token,
            urgent=True,
        )
        self.out.append(Answer(lane=order.lane, command_id=order.command_id, ok=ok, zh=zh, en=en))
        return set(self._lanes)

    def _box_order(self, order: Commanded) -> tuple[bool, str, str]:
        if order.action == "correct_count":
            if not 0 <= order.count <= self.lot.total:
                return False, f"数量 {order.count} 无效", f"count: {order.count} is not allowed, 0..{self.lot.total} is"
            self.record("", CountCorrected(parked=order.count, who=order.who, why=order.why))
            return True, f"场内车辆数改为 {order.count}", f"{order.count} cars parked"
        if order.action == "correct_plate":
            visit, plate = self.lot.inside.get(order.visit_id), normalise(order.plate)
            if visit is None:
                return False, "没有该停车记录", f"visit_id: {order.visit_id!r} is not inside"
            if not plate:
                return False, f"车牌 {order.plate!r} 无效", f"plate: {order.plate!r} is no plate"
            self.record("", PlateCorrected(visit_id=visit.visit_id, old=visit.plate, new=plate, who=order.who))
            return True, f"车牌改为 {plate}", f"plate is now {plate}"
        return self._acknowledge(order)

    def _acknowledge(self, order: Commanded) -> tuple[bool, str, str]:
        spec = CATALOGUE.get(order.fault)
        lane_id = order.lane if order.lane in self._memories else ""
        found = [fault for fault in self._memory_of(lane_id).faults.values() if fault.code == order.fault]
        if spec is None or not found:
            return False, f"没有故障 {order.fault}", f"fault: {order.fault!r} is not present"
        if spec.clears == "itself" and order.fault not in SURVIVES_START:
            return False, "该故障在原因消除后自动恢复", f"fault: {order.fault} ends when its cause is gone"
        for fault in found:
            self.record(lane_id, FaultCleared(code=fault.code, device=fault.device))
        if lane_id:
            self._lanes[lane_id].acknowledged(order.fault)
        return True, "故障已确认", "fault acknowledged"

    # --- what lanes ask of the box -----------------------------------------------------------------------------------

    def new_id(self) -> str:
        return self._new_id()

    def new_token(self) -> int:
        self._token += 1
        return self._token

    def record(self, lane: str, body: AnyBody, fact_id: str = "", token: int = 0, urgent: bool = False) -> str:
        """Keep a fact and fold it at once."""
        fact_id = fact_id or self._new_id()
        self.out.append(Record(lane=lane, id=fact_id, body=body, token=token, urgent=urgent))
        self.apply(Fact(fact_id, lane, self.now, body))
        return fact_id

    def on_the_way(self) -> int:
        """Cars admitted at the entries that have not passed yet: they hold a stall."""
        count = 0
        for lane in self._lanes.values():
            if lane.settings.direction == "in":
                front, standing = lane.traffic.front, lane.traffic.standing
                count += front is not None and front.deciding
                count += standing is not None and standing is not front and standing.deciding
        return count

    def in_use(self) -> list[str]:
        """Lanes at which a car passes or the arm moves: no moment to end the program."""
        still = {Gate.DOWN, Gate.HELD_OPEN, Gate.STARTING}
        return [
            lane.id
            for lane in self._lanes.values()
            if lane.gate not in still or lane.safety or lane.desk in {Desk.STORING, Desk.ADMITTED}
        ]

    # --- what the page asks ------------------------------------------------------------------------------------

    def lane_states(self) -> list[LaneStatus]:
        return [lane.status() for lane in self._lanes.values()]

    def faults(self) -> list[tuple[str, str, str, int]]:
        """Active faults: code, device (with its lane), detail, wall ms since when."""
        found = [("", fault) for fault in self.memory.faults.values()]
        found += [(lane_id, fault) for lane_id, memory in self._memories.items() for fault in memory.faults.values()]
        return [(f.code, _place(lane_id, f), f.detail, f.since.wall_ms) for lane_id, f in found]


def _place(lane_id: str, fault: ActiveFault) -> str:
    return f"{lane_id}/{fault.device}" if lane_id and fault.device != lane_id else fault.device
