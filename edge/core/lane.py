"""One lane: events in, signals to the table, deadlines out. The order inside a step is the point of this file.

1. The safety reaction comes before everything: an occupied or unknown safety loop reaches the gate before any car is
   counted and any fact is made, so RaiseArm is the first output of its step.
2. Then what the event means for cars (`lane_traffic`), then the table, then every deadline that is due.
"""

from __future__ import annotations

from edge.core.commands import LowerArm, RaiseArm
from edge.core.events import LimitChanged, LoopChanged
from edge.core.facts import BackedOut, Decided, Passed
from edge.core.lane_orders import OrderActions
from edge.core.lane_restart import SETTLED_MS
from edge.core.lane_status import LaneStatus
from edge.core.lane_table import Desk, Gate, Signal
from edge.core.lane_traffic import Outcome
from edge.core.lane_types import Arrival, How
from edge.core.lane_words import WORDS

SETTLE_MAX = 64
"""Deadlines that can be due in one step. More means that one re-arms itself without end: a bug, found at once."""

UNPROVEN_MAX = 2
"""One car that backs out is common; two in a row with the safety loop never occupied look like a dead loop."""


class Lane(OrderActions):
    # --- events ------------------------------------------------------------------------------------------------

    def on_loop(self, event: LoopChanged) -> None:
        known = event.loop in self.told
        self.told.add(event.loop)
        if event.loop == "safety":
            if not known or event.occupied is not self.safety:
                self._safety(event.occupied)
        elif self.settings.arrival == "loop" and (not known or event.occupied is not self.arrival):
            self._arrival(event.occupied)

    def _safety(self, occupied: bool | None) -> None:
        self.clear_ms = self.now_ms - self.safety_since_ms if self.safety is False else 0
        self.safety = occupied
        self.safety_since_ms = self.now_ms
        if occupied is None:
            self.fire(Signal.UNSURE)
            self.traffic.safety_lost()
            self.raise_fault("loop_silent", "safety")
            return
        if occupied:
            self.fire(Signal.COVERED)
            self.proven = True
            self.unproven_openings = 0
            self.clear_fault("loop_silent", "safety")
            self.clear_fault("safety_unproven", "safety")
            if self.gate is not Gate.STARTING:
                if self.now_ms - self.woke_ms < SETTLED_MS:
                    self.woke_covered = True  # it was only a short drop-out at the moment of the start
                self.traffic.safety_on(self.now_ms)
                self._under_arm()
                if self.settings.arrival == "camera":
                    self.front_covers()
            return
        self.clear_fault("loop_silent", "safety")
        self.clear_fault("loop_stuck", "safety")
        if self.gate is not Gate.STARTING:
            self.traffic.safety_off(self.now_ms)
        self.fire(Signal.CLEARED)

    def _under_arm(self) -> None:
        """A car without admission reached the safety loop of an arm that is up: durable now, for it may be gone later.

        Were the program to die before it is through, nothing else on record would say that it was ever here.
        """
        car = self.traffic.front
        if car is None or car.deciding or car.rule == "under_arm" or self.gate in {Gate.DOWN, Gate.LOWERING}:
            return
        car.rule = "under_arm"
        self.record(
            Decided(
                arrival_id=car.id, read_id=car.read_id, plate=car.plate, decision="refuse", rule="under_arm",
                zh="未放行车辆驶入闸杆下", en="under the arm without admission", order_id=car.order_id,
                visit_id=car.visit_id, due_fen=car.due_fen,
            ),
            urgent=True,
        )  # fmt: skip

    def _arrival(self, occupied: bool | None) -> None:
        self.arrival = occupied
        self.arrival_since_ms = self.now_ms
        if occupied is None:
            self.raise_fault("loop_silent", "arrival")
            return
        self.clear_fault("loop_silent", "arrival")
        if self.gate is Gate.STARTING:
            return
        if not occupied:
            self.clear_fault("loop_stuck", "arrival")
            self.traffic.arrival_trusted = True
            self.traffic.arrival_off(self.now_ms)
        elif self.stands_on_both():
            return
        elif self.traffic.arrival_on(self.now_ms, arm_up=self.may_be_up()):
            self.fire(Signal.ARRIVED)

    def on_limit(self, event: LimitChanged) -> None:
        self.told.add(event.end)
        before = self.limit_up if event.end == "up" else self.limit_down
        if event.end == "up":
            self.limit_up = event.active
        else:
            self.limit_down = event.active
        if self.gate is Gate.STARTING and event.active is (event.end == "up"):
            self.started_up = True
        if event.active is before:
            return
        if event.active:
            self.clear_fault("arm_no_up" if event.end == "up" else "arm_no_down", "arm")
            self.fire(Signal.UP_SEEN if event.end == "up" else Signal.DOWN_SEEN)
        elif event.end == "down" and before:
            self.fire(Signal.DOWN_LEFT)

    def on_stored(self, token: int) -> bool:
        """A decision or order is durable; False: none of this lane's.

        A token of before a restart, or one that came too late, moves nothing.
        """
        car, front = self.traffic.standing, self.traffic.front
        if car is not None and self.desk is Desk.STORING and car.token == token:
            self.fire(Signal.STORED)
        elif front is not None and front is not car and front.token == token and front.deciding:
            front.admitted = True
        elif self.order is not None and self.order.token == token:
            self.carry_out_order()
        elif token in self.late_tokens:
            self.late_tokens.discard(token)
            if not self.late_tokens:
                self.clear_fault("storage_failing", "ledger")
        else:
            return False
        return True

    def on_emergency(self, active: bool) -> None:
        if active:
            self.fire(Signal.EMERGENCY)
        else:
            self.holds.discard("emergency")
            self.fire(Signal.CALM)

    # --- cars end ------------------------------------------------------------------------------------------------

    def ended(self, outcome: Outcome) -> None:
        self._end_of(outcome)
        if self.settings.arrival == "camera" and self.desk is Desk.VACANT:
            self.kept_is_next(outcome.arrival)

    def _end_of(self, outcome: Outcome) -> None:
        car, what = outcome
        held_desk = self.desk is not Desk.VACANT and self.traffic.standing is None
        if what == "passed" or self._blind_passage(car):
            self.record_passed(car)
            if held_desk:
                self.fire(Signal.PASSED)
            self.fire(Signal.ENDED)
            return
        self.departed_ms = self.now_ms
        self.forget_read_of(car)
        if car.plate or car.deciding or car.rule == "under_arm":
            # Urgent when an admission ends: lost, a restart would take the car for one that went through.
            self.record(BackedOut(arrival_id=car.id, plate=car.plate), urgent=car.admitted)
        car.deciding = False
        if held_desk:
            self.fire(Signal.GONE)
        # Up for a car that left the arrival loop and never reached the safety loop: backed out, or a dead loop.
        if car.admitted and not self.proven and self.asked == "up":
            self.unproven_openings += 1
            if self.unproven_openings >= UNPROVEN_MAX:
                self.raise_fault("safety_unproven", "safety")
        self.fire(Signal.ENDED)

    def _blind_passage(self, car: Arrival) -> bool:
        """With a safety loop known to see nothing, an admitted car that leaves the arrival loop has driven on."""
        return car.admitted and self.has_fault("safety_unproven", "safety")

    def record_passed(self, car: Arrival) -> None:
        self.forget_read_of(car)
        how: How
        if car.admitted:
            admitted, how = True, car.how
            if self.settings.arrival == "camera":
                self.credit = ""  # whom a person opened for was read by the picture of that order, and admitted
        elif self.credit:
            admitted, how = True, self.credit
            self.credit = ""
        else:
            admitted, how = False, self.opening_word()
        car.deciding = False
        sums = self.box.money.orders.settled(car.visit_id)  # of all its orders, paid on the way or here
        self.record(
            Passed(
                arrival_id=car.id, direction=self.settings.direction, plate=car.plate, colour=car.colour,
                admitted=admitted, how=how, rule=car.rule, read_id=car.read_id, visit_id=car.visit_id,
                plate_corrected_from=car.corrected_from, entered=car.entered,
                due_fen=max(car.due_fen, sums.due_fen), paid_fen=max(car.paid_fen, sums.paid_fen),
                discount_fen=max(car.discount_fen, sums.discount_fen), booking=car.booking, entry_lane=car.entry_lane,
            ),
            # Nothing else on record says that it was here, or (without a plate) that the next read is not of it.
            urgent=not (admitted and car.plate),
        )  # fmt: skip
        self.note(f"{car.plate or '无牌'} {self.settings.direction} {how}", "info" if admitted else "warning")

    def opening_word(self) -> How:
        """How a vehicle without admission of its own went through: what the arm is up for says it."""
        if "emergency" in self.holds:
            return "emergency"
        if self.gate is Gate.DOWN:
            return "uncommanded"
        words: dict[str, How] = {
            "operator": "operator", "city": "city", "emergency": "emergency",
            "uncommanded": "uncommanded", "restart": "restart",
        }  # fmt: skip
        return words.get(self.opening, "tailgate")

    # --- deadlines -----------------------------------------------------------------------------------------------

    def gate_due_ms(self) -> int | None:
        match self.gate:
            case Gate.STARTING:
                return self.wake_due_ms()
            case Gate.RAISING | Gate.LOWERING:
                return self.gate_since_ms + self.settings.move_ms
            case Gate.OPEN:
                return None if self.nagged else self.gate_since_ms + self.settings.pass_ms
            case Gate.CLEARING:
                return self.interlock().at_ms
        return None

    def next_due_ms(self) -> int | None:
        found = None
        for due_ms in (
            self.desk_due_ms,
            self.gate_due_ms(),
            self.traffic.due_ms(),
            self.move_due_ms,
            None if self.order is None else self.order.due_ms,
            self.stuck_due_ms(),
            self.loopless_due_ms(),
            self.fuse_due_ms(),
        ):
            if due_ms is not None and (found is None or due_ms < found):
                found = due_ms
        return found

    def settle(self) -> int | None:
        """Do all that is due, one thing a turn so that the next sees its result. Returns when more is due."""
        for _ in range(SETTLE_MAX):
            due_ms = self.next_due_ms()
            if due_ms is None or due_ms > self.now_ms:
                return due_ms
            self._one_due()
        raise AssertionError(f"lane {self.id}: deadlines do not settle in {self.desk.name}/{self.gate.name}")

    def _one_due(self) -> None:
        now_ms = self.now_ms
        traffic_ms = self.traffic.due_ms()
        if traffic_ms is not None and traffic_ms <= now_ms and self.gate is not Gate.STARTING:
            for outcome in self.traffic.judge(now_ms):
                self.ended(outcome)
        elif self.order is not None and self.order.due_ms <= now_ms:
            self.order_unstored()
        elif (fuse_ms := self.fuse_due_ms()) is not None and fuse_ms <= now_ms:
            self.fuse_over()
        elif self.desk_due_ms is not None and self.desk_due_ms <= now_ms:
            self.desk_due_ms = None
            self.fire(Signal.DESK_TIMER)
        elif (gate_due_ms := self.gate_due_ms()) is not None and gate_due_ms <= now_ms:
            if self.gate is Gate.STARTING:
                self.missing_inputs()
            self.fire(Signal.GATE_TIMER)
        elif self.move_due_ms is not None and self.move_due_ms <= now_ms:
            self.moved()
        elif (stuck_ms := self.stuck_due_ms()) is not None and stuck_ms <= now_ms:
            self.stuck()
        elif (car_ms := self.loopless_due_ms()) is not None and car_ms <= now_ms:
            self.loopless_due()

    # --- the page --------------------------------------------------------------------------------------------------

    def status(self) -> LaneStatus:
        region = self.gate if self.desk is Desk.VACANT else self.desk
        last = self.memory.reads[-1] if self.memory.reads else None
        car = self.traffic.standing or self.traffic.front
        standing = self.traffic.standing
        zh, en = self.sign
        if self.gate is Gate.CLEARING and not zh:
            lock = self.interlock()
            zh, en = lock.zh, lock.en
        arm = "unknown"
        if self.limit_up or self.limit_down:
            arm = "up" if self.limit_up else "down"
        elif self.move_due_ms is not None and (self.settings.has_limit_up or self.settings.has_limit_down):
            arm = "moving"
        return LaneStatus(
            id=self.id, direction=self.settings.direction, state=region.value,
            state_zh=WORDS[region][0], state_en=WORDS[region][1],
            arm=arm, arm_asked=self.asked,  # type: ignore[arg-type]
            arrival=self.arrival, safety=self.safety, plate="" if car is None else car.plate,
            last_read_id="" if last is None else last.read_id, last_plate="" if last is None else last.plate,
            last_read_wall_ms=0 if last is None else last.stamp.wall_ms,
            why_zh=zh, why_en=en, due_fen=0 if car is None else car.owed_fen, passed=self.memory.passed,
            locked=self.memory.locked, arrival_id="" if standing is None else standing.id,
            order_id="" if standing is None else self.order_shown(standing),
        )  # fmt: skip

    def check_step(self) -> None:
        """Invariant 4 at the core's side: one step never asks up and down."""
        mine = [type(out) for out in self.box.out if out.lane == self.id]
        if RaiseArm in mine and LowerArm in mine:
            raise AssertionError(f"lane {self.id}: one step asks up and down")
