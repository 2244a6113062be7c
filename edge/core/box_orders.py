"""Orders of people and cities to the box: judged by id and age, done once, answered in words, kept for the audit.

What concerns one lane is done there (`lane_orders`); bookings, lists and switches in `box_flow`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from edge.core.commands import Answer, AnyCommand, Record
from edge.core.events import Commanded
from edge.core.facts import AnyBody, CountCorrected, Fact, FaultCleared, Ordered, Stamp
from edge.core.faults import CATALOGUE
from edge.core.lane import Lane
from edge.core.lane_types import LaneMemory
from edge.core.lot import LotState, corrected
from edge.core.plates import normalise

AGED_COMMAND_S = 10
"""An order that was under way longer is refused: the car it was meant for may be another one (invariant 5)."""

SURVIVES_START = frozenset({"safety_unproven"})
"""Ends by itself, but only when the loop is seen occupied: a start proves nothing."""


class FirstAnswer(msgspec.Struct, frozen=True, array_like=True):
    """What an order was answered the first time. `what`: action and lane, or action and object, of that order."""

    ok: bool
    zh: str
    en: str
    what: str
    reason: str = ""
    rest: int = -1


class BoxOrders:
    """The part of `Box` that orders go to."""

    lot: LotState
    out: list[AnyCommand]
    _lanes: dict[str, Lane]
    _answers: dict[str, FirstAnswer]
    _memories: dict[str, LaneMemory]
    memory: LaneMemory
    now: Stamp
    _new_id: Callable[[], str]
    apply: Callable[[Fact], None]
    """Fold one fact (`Box`)."""

    def record(self, lane: str, body: AnyBody, fact_id: str = "", token: int = 0, urgent: bool = False) -> str:
        """Keep a fact and fold it at once."""
        fact_id = fact_id or self._new_id()
        self.out.append(Record(lane=lane, id=fact_id, body=body, token=token, urgent=urgent))
        self.apply(Fact(fact_id, lane, self.now, body))
        return fact_id

    def _memory_of(self, lane_id: str) -> LaneMemory:
        if lane_id and lane_id not in self._memories:
            raise ValueError(f"event.lane: {lane_id!r} is not allowed, one of {sorted(self._memories)} or '' is")
        return self._memories[lane_id] if lane_id else self.memory

    def answer_again(self, command_id: str, lane: str, first: FirstAnswer, what: str) -> None:
        """A repeat gets the first answer; another order under the same id is told so."""
        ok, zh, en, reason, rest = first.ok, first.zh, first.en, first.reason, first.rest
        if what != first.what:
            ok, zh, reason, rest = False, "该命令编号已用于另一命令", "id_used", -1
            en = f"command_id: was used for another order ({first.what.strip()})"
        self.out.append(Answer(lane=lane, command_id=command_id, ok=ok, zh=zh, en=en, reason=reason, rest=rest))

    def _command(self, order: Commanded) -> set[str]:
        """Invariant 5: a command acts once by its id; a repeat gets the first answer; an aged one moves nothing."""
        lane = self._lanes.get(order.lane)
        first = self._answers.get(order.command_id)
        if first is not None:
            what = f"{order.action} {lane.id if lane else ''} {order.arrival_id}".rstrip()
            self.answer_again(order.command_id, order.lane, first, what)
            return set()
        token = 0
        if not order.command_id:
            ok, zh, en = False, "缺少命令编号", "command_id: must not be empty"
        elif not order.who.strip() or not order.why.strip():
            ok, zh, en = False, "缺少操作人或原因", "who, why: must not be empty"
        elif order.age_s > AGED_COMMAND_S:
            ok, zh = False, f"命令已过期 ({order.age_s:.0f} 秒)"
            en = f"age_s: {order.age_s:.0f} is too old, up to {AGED_COMMAND_S} is allowed"
        elif order.action in {"correct_count", "acknowledge_fault"} or (
            order.action == "correct_plate" and order.visit_id
        ):
            ok, zh, en = self._box_order(order)
        elif lane is None:
            there = ", ".join(sorted(self._lanes))
            ok, zh, en = False, f"没有车道 {order.lane}, 只有 {there}", f"lane: {order.lane!r} is not one of {there}"
        else:
            lane.hold_token = 0
            ok, zh, en = lane.do(order)
            token = lane.hold_token
        self.record(
            order.lane if lane is not None else "",
            Ordered(
                order.command_id, order.action, order.source, order.who, order.why, ok, zh, en,
                target=order.arrival_id,
            ),
            token=token,
            urgent=True,
        )
        self.out.append(Answer(lane=order.lane, command_id=order.command_id, ok=ok, zh=zh, en=en))
        return set(self._lanes)

    def _box_order(self, order: Commanded) -> tuple[bool, str, str]:
        if order.action == "correct_count":
            if not 0 <= order.count <= self.lot.total:
                zh = f"场内车辆数 {order.count} 不允许, 须为 0..{self.lot.total}"
                return False, zh, f"count: {order.count} is not allowed, 0..{self.lot.total} is"
            self.record("", CountCorrected(parked=order.count, who=order.who, why=order.why))
            return True, f"场内车辆数改为 {order.count}", f"{order.count} cars parked"
        if order.action == "correct_plate":
            visit, plate = self.lot.inside.get(order.visit_id), normalise(order.plate)
            if visit is None:
                return False, "没有该停车记录", f"visit_id: {order.visit_id!r} is not inside"
            if not plate:
                return False, f"车牌 {order.plate!r} 无效", f"plate: {order.plate!r} is no plate"
            self.record("", corrected(visit, visit.plate, plate, order.who))
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
