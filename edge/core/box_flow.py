"""The box's side of flow control: its orders, its switches, and the turn of the queue after every step.

Several lanes share one queue. After every step whoever waits is judged again in the queue's order, and the lane of a
car with another judgement is told that something came free; the lane decides, records it, and the fold of that fact
is what the next judgement sees.
"""

from __future__ import annotations

from edge.core.admission import LotRules
from edge.core.box_orders import BoxOrders, FirstAnswer
from edge.core.commands import Answer
from edge.core.facts import Ordered, Stamp
from edge.core.facts_flow import PrioritySwitched, RoleSwitched
from edge.core.flow_orders import Outcome, carry_out, name_of
from edge.core.flow_policy import last_turn_ms, next_turn_ms, scheduled
from edge.core.lane_table import Desk, Signal
from edge.core.lot_flow import LotFlow
from edge.core.orders_flow import AnyFlowOrder, BookOrder, ControlOrder, CouponOrder
from edge.core.plates import normalise

WAITING = frozenset({Desk.WAIT_STALL, Desk.WAIT_CONFIRM})

Numbers = tuple[object, ...]


class BoxFlow(BoxOrders):
    """The part of `Box` that knows flow control."""

    flows: LotFlow
    now: Stamp
    flow_told: bool
    _rules: LotRules
    _due: dict[str, int | None]
    flow_due_ms: int | None = None
    _shown: Numbers = ()

    # --- orders --------------------------------------------------------------------------------------------------

    def flow_order(self, order: AnyFlowOrder) -> None:
        """Done once by its id; the answer comes after its facts are durable."""
        lane = order.lane if order.lane in self._lanes else ""
        action = name_of(order)
        first: FirstAnswer | None = self._answers.get(order.command_id)
        if first is not None:
            self.answer_again(order.command_id, order.lane, first, f"{action} {lane} {_target(order)}".rstrip())
            return
        done = carry_out(order, self.flows.flow, self.flows.controls)
        if isinstance(order, CouponOrder) and done.ok and not self._may_hold(order):
            done = Outcome(False, "not_inside", detail=order.plate)
        zh, en = done.words()
        for of_lane, body in done.bodies:
            self.record(of_lane, body)
        self.record(
            lane,
            Ordered(
                order.command_id, action, order.source, order.who, order.why, done.ok, zh, en, done.reason, done.rest,
                _target(order),
            ),
            urgent=True,
        )  # fmt: skip
        self.out.append(
            Answer(lane=order.lane, command_id=order.command_id, ok=done.ok, zh=zh, en=en, reason=done.reason,
                   rest=done.rest)
        )  # fmt: skip
        if isinstance(order, CouponOrder) and done.ok:
            self.coupon_turn()

    def _may_hold(self, order: CouponOrder) -> bool:
        """SC47: by setting a coupon is only for a car that is inside."""
        plate = normalise(order.plate)
        return self._rules.coupon_hold or any(visit.plate == plate for visit in self.lot.find(plate))

    def coupon_turn(self) -> None:
        """A coupon for a car that waits to pay: its fee is made out anew (T/SZPIA annex A d)."""
        for lane_id, lane in self._lanes.items():
            if lane.desk is Desk.WAIT_PAYMENT:
                lane.fire(Signal.FREED)
                self._due[lane_id] = lane.settle()
                lane.check_step()

    # --- switches ------------------------------------------------------------------------------------------------

    def tell_priority(self) -> None:
        """7001 at a start (SC81): priority as it is now, by the schedule, by hand or by the configuration."""
        if not self.flow_told:
            return
        flows = self.flows
        schedule = flows.policy.schedule_min
        on = flows.policy.priority if flows.switched is None else flows.switched
        if schedule is not None and self.now.synced:
            fresh = flows.by_hand_ms(self.now) >= last_turn_ms(schedule, self.now.wall_ms)
            on = flows.flow.priority if fresh else scheduled(schedule, self.now.wall_ms)
        self.record("", PrioritySwitched(on=on, cause="start", why="程序启动 program start"))

    def _switch_due(self) -> int | None:
        """Switch what is due by time; returns when the next switch is (wall ms)."""
        flows, wall_ms = self.flows, self.now.wall_ms
        schedule = flows.policy.schedule_min
        due = []
        if schedule is not None:
            on = scheduled(schedule, wall_ms)
            if flows.flow.priority is not on and flows.by_hand_ms(self.now) < last_turn_ms(schedule, wall_ms):
                self.record("", PrioritySwitched(on=on, cause="schedule", why="时段 schedule"))
            due.append(next_turn_ms(schedule, wall_ms))
        for lane, (_, until_ms) in tuple(flows.flow.roles.items()):
            if until_ms and until_ms <= wall_ms:
                role = flows.flow.entrance(lane).role
                self.record(lane, RoleSwitched(role=role, cause="schedule", why="临时角色到期 temporary role over"))
            elif until_ms:
                due.append(until_ms)
        return min(due, default=None)

    # --- the queue -----------------------------------------------------------------------------------------------

    def flow_turn(self) -> None:
        """Switches that are due, then the queue until nothing changes, then the signs of those who still wait."""
        flows = self.flows
        flow = flows.flow
        due_ms = None
        if self.now.synced and (flows.policy.schedule_min is not None or flow.roles):
            due_ms = self._switch_due()
        if due_ms is not None:
            due_ms += self.now.mono_ms - self.now.wall_ms
        if flow.waiting:
            self._release()
            self._retell()
            change = flow.next_change_ms()
            if change is not None:
                at_ms = change[0] + change[1]
                due_ms = at_ms if due_ms is None or at_ms < due_ms else due_ms
        self.flow_due_ms = due_ms

    def _release(self) -> None:
        flows, fixed = self.flows, set[str]()
        while (car := flows.next_change(fixed)) is not None:
            before = car.decision
            self._again(car.lane, car.id)
            if flows.flow.cars.get(car.id) is car and car.decision == before and not car.admitted:
                fixed.add(car.id)  # locked, or nobody answers there: it keeps its place

    def _retell(self) -> None:
        """The same wait with other numbers: the sign says them."""
        flow = self.flows.flow
        numbers = (flow.occupied, flow.bookings.held, flow.reserved_since, flow.exits, flow.credits, flow.band,
                   flow.priority, tuple(flow.roles.items()))  # fmt: skip
        if numbers != self._shown:
            self._shown = numbers
            for car in flow.queue():
                self._again(car.lane, car.id)

    def _again(self, lane_id: str, car_id: str) -> None:
        lane = self._lanes.get(lane_id)
        if lane is None or lane.desk not in WAITING:
            return
        standing = lane.traffic.standing
        if standing is not None and standing.id == car_id:
            lane.fire(Signal.FREED)
            self._due[lane_id] = lane.settle()
            lane.check_step()


def _target(order: AnyFlowOrder) -> str:
    """What the order is about, for the audit."""
    match order:
        case BookOrder(code=code):
            return code
        case CouponOrder(coupon_no=number):
            return number
        case ControlOrder(entries=entries):
            return entries[0].entry_id if len(entries) == 1 else f"{len(entries)} entries"
    return order.lane
