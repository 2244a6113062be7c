"""The gate: when the arm is asked up, and the interlock that stands before every asking down (DESIGN 5, 1, 2, 7, 8)."""

from __future__ import annotations

from typing import NamedTuple

from edge.core.commands import LowerArm, RaiseArm
from edge.core.facts import ArmOrdered, FaultCleared, FaultRaised
from edge.core.lane_base import LaneBase, OrderRefused
from edge.core.lane_table import Desk, Gate, Signal


class Interlock(NamedTuple):
    """`at_ms`: from when on the arm may go down if nothing changes; None: something else must change first."""

    at_ms: int | None
    zh: str
    en: str


class GateActions(LaneBase):
    # --- interlock: invariant 1 --------------------------------------------------------------------------------

    def interlock(self, ordered: bool = False) -> Interlock:
        """When the arm may go down. A person's order goes past the rules of comfort, never past those of safety.

        A safety loop that was not seen occupied in this opening proves nothing (a dead loop looks clear): then the
        longer hold counts, from the last thing that could have been a car, and the arrival loop must be clear too,
        since a long car may stand on both.
        """
        if self.safety is None:
            return Interlock(None, "防砸地感无信号", "the safety loop is silent")
        if self.safety:
            return Interlock(None, "防砸地感有车", "the safety loop is occupied")
        if "emergency" in self.holds:
            return Interlock(None, "消防联动, 保持抬杆", "emergency input is active")
        if self.traffic.front is not None:
            return Interlock(None, "车辆可能仍在闸杆下", "the car may still stand on both loops")
        loop = self.settings.arrival == "loop"
        if not self.proven and loop and self.arrival is not False:
            return Interlock(None, "触发地感有车, 防砸地感未动作", "arrival loop occupied, safety loop not proven")
        if not self.proven and not loop and self.traffic.standing is not None:
            return Interlock(None, "相机识别到车, 防砸地感未动作", "a car was read, safety loop not proven")
        if not ordered:
            if self.holds:
                return Interlock(None, "常开", "held open")
            if self.desk in {Desk.STORING, Desk.ADMITTED}:
                return Interlock(None, "下一辆车已放行", "the next car is admitted")
            code = self.fault_with("no_auto_close") or self.fault_with("stops")
            if code:
                return Interlock(None, f"故障 {code}, 不自动落杆", f"fault {code}: no automatic closing")
        if self.proven:
            return Interlock(self.safety_since_ms + self.settings.hold_ms, "等待落杆", "hold time")
        base_ms = max(self.safety_since_ms, self.raised_ms, self.departed_ms)
        if loop:
            base_ms = max(base_ms, self.arrival_since_ms)
        return Interlock(base_ms + self.settings.unproven_hold_ms, "等待落杆 (未见车辆)", "hold time, no car seen")

    def lower(self) -> None:
        """The only automatic LowerArm. The timer fired it because the interlock said so; it is asked again here."""
        at_ms = self.interlock().at_ms
        if at_ms is None or at_ms > self.now_ms:
            raise AssertionError("asked to lower against the interlock")
        self._go_down()

    def lower_ordered(self) -> None:
        lock = self.interlock(ordered=True)
        if lock.at_ms is None or lock.at_ms > self.now_ms:
            raise OrderRefused(f"不能落杆: {lock.zh}", f"cannot close: {lock.en}")
        self._go_down()

    def close_held(self) -> None:
        self.lower_ordered()
        self.holds.clear()

    def _go_down(self) -> None:
        if self.settings.has_close:
            self.box.out.append(LowerArm(lane=self.id))
        self.asked = "down"
        self.move_due_ms = self.now_ms + self.settings.move_ms
        self.show("", "")

    def may_be_up(self) -> bool:
        """Whether a car on the safety loop may drive on: always, unless this program has asked the arm down.

        A lower limit switch alone is not believed here: one that lies would make two cars one.
        """
        return self.asked != "down"

    # --- up: invariants 2 and 8 --------------------------------------------------------------------------------

    def _pulse_up(self) -> None:
        self.box.out.append(RaiseArm(lane=self.id))
        self.asked = "up"
        self.raised_ms = self.now_ms
        self.move_due_ms = self.now_ms + self.settings.move_ms

    def lift(self) -> Gate:
        """For a car that is admitted and durable, or a durable order of a person."""
        if self.gate in {Gate.DOWN, Gate.LOWERING}:
            self.proven = self.safety is True
            self.opening = "admitted"
        self._pulse_up()
        self.nagged = False
        return Gate.PASSING if self.safety else Gate.RAISING

    def lift_held(self) -> Gate:
        """Held by a person or the fire alarm the arm is up already; lifted by nobody knows whom it is asked again."""
        if self.holds - {"uncommanded"}:
            if self.asked != "up" and not self.limit_up:
                self._pulse_up()  # held by an order from before a restart, which may have come before the arm moved
            return Gate.HELD_OPEN
        self.holds.clear()
        return self.lift()

    def hold(self) -> None:
        if self.gate in {Gate.DOWN, Gate.LOWERING}:
            self.proven = self.safety is True
        self.holds.add("order")
        self.opening = self.memory.held or "operator"
        self._pulse_up()

    def emergency(self) -> Gate:
        """Always wins (invariant 2) and waits for nothing (invariant 8): up first, recorded after.

        While STARTING the arm goes up like everywhere, and the lane goes on reading the world.
        """
        if self.gate in {Gate.DOWN, Gate.LOWERING}:
            self.proven = self.safety is True
        self._pulse_up()
        self.holds.add("emergency")
        self.opening = "emergency"
        self.show("紧急放行", "emergency: drive out")
        self.record(ArmOrdered(direction="up", cause="emergency"), urgent=True)
        return Gate.STARTING if self.gate is Gate.STARTING else Gate.HELD_OPEN

    def reraise(self) -> None:
        """Safety reaction: something is under the arm while it comes down. RaiseArm is the first output of the step."""
        self._pulse_up()
        self.proven = self.safety is True
        self.record(ArmOrdered(direction="up", cause="safety"))

    def arm_unknown(self) -> None:
        """The barrier did not take an order, or may have lost it: from here on nobody knows where the arm is."""
        self.asked = ""
        self.move_due_ms = None

    def arm_again(self) -> None:
        """The barrier takes orders again. Where the arm has to be up for a car or a person it is asked up once more:
        what was asked meanwhile is lost, and the car would stand before an arm that the box takes for up."""
        self.arm_unknown()
        if self.gate in {Gate.RAISING, Gate.OPEN, Gate.PASSING} or (
            self.gate is Gate.HELD_OPEN and self.holds - {"uncommanded"}
        ):
            self.fire(Signal.OPEN)  # the rows of an order to open: nobody new is let in by it

    # --- after: up, passing, clear -----------------------------------------------------------------------------

    def expected(self) -> bool:
        """Somebody may still drive through on an admission or an order."""
        return self.desk is Desk.ADMITTED or bool(self.credit)

    def up(self) -> Gate:
        return Gate.OPEN if self.expected() else Gate.CLEARING

    expect = up

    def raise_unseen(self) -> Gate:
        """Somebody is on the safety loop, and this program has not asked the arm up: it may be down all the same."""
        if self.limit_down or (self.asked == "" and not self.limit_up):
            self._pulse_up()
        return Gate.PASSING

    def expect_again(self) -> Gate:
        """The next car is admitted while the arm is up as asked: no second pulse, unless nobody knows that it is up."""
        self.nagged = False
        if self.limit_down or (self.asked == "" and not self.limit_up):
            return self.lift()
        return Gate.OPEN

    def nobody_drove(self) -> Gate:
        """pass_ms is over. An order without a car ends; an admitted car keeps the arm, since it may be under it."""
        if self.desk is Desk.ADMITTED:
            self.nagged = True
            self.show("请通行", "please drive on")
            self.note("admitted car does not move; the arm stays up until it passes or leaves", "warning")
            return Gate.OPEN
        self.credit = ""
        return Gate.CLEARING

    # --- what limit switches say: invariant 7 --------------------------------------------------------------------

    def uncommanded(self) -> Gate:
        """The arm left its lower end and nobody asked. It is not closed by itself: somebody may be at the crank."""
        self.proven = self.safety is True
        self.raised_ms = self.now_ms
        if self.asked == "" and self.now_ms - self.woke_ms < self.settings.move_ms:
            return self.up()  # the end of what was asked before the restart
        self.holds.add("uncommanded")
        self.opening = "uncommanded"
        self.raise_fault("arm_uncommanded", "arm")
        return Gate.HELD_OPEN

    def came_down(self) -> Gate:
        """The lower switch says down, and the box had not asked."""
        self.raise_fault("arm_uncommanded", "arm", "down")
        if self.desk is Desk.ADMITTED:
            return self.lift()
        self.asked = ""
        return Gate.DOWN

    def came_down_on(self) -> None:
        """Down on a car that is under it: either the switch lies or the arm lies on the car. Nothing to ask for."""
        self.raise_fault("arm_uncommanded", "arm", "down while the safety loop is occupied")

    def came_down_held(self) -> Gate:
        if self.holds == {"uncommanded"}:
            self.holds.clear()
            return Gate.DOWN
        self.raise_fault("arm_uncommanded", "arm", "down while held open")
        self._pulse_up()
        return Gate.HELD_OPEN

    def let_go(self) -> Gate:
        """One reason to hold has ended; the caller has taken it out of `holds`. Then the normal rules of closing."""
        if self.holds:
            return Gate.HELD_OPEN
        if self.safety:
            return Gate.PASSING
        return self.up()

    # --- facts about faults --------------------------------------------------------------------------------------

    def raise_fault(self, code: str, device: str, detail: str = "") -> None:
        if not self.has_fault(code, device):
            self.record(FaultRaised(code=code, device=device, detail=detail))

    def clear_fault(self, code: str, device: str) -> None:
        if self.has_fault(code, device):
            self.record(FaultCleared(code=code, device=device))
