"""Orders of a person or the city at one lane: what each does, and why it is refused (DESIGN 5, invariants 2, 5, 8).

`Box` has judged id and age before. Every order ends in words; the box records them (`Ordered`) and answers.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.core.commands import StopArm
from edge.core.events import CAR_ORDERS, Commanded
from edge.core.facts import ArmOrdered
from edge.core.lane_base import OrderRefused, PendingOrder
from edge.core.lane_loopless import LooplessActions
from edge.core.lane_table import Desk, Gate, IllegalSignal, Signal
from edge.core.lane_words import WORDS

Words = tuple[str, str]

WAITS = frozenset({Desk.WAIT_READ, Desk.WAIT_PAYMENT, Desk.WAIT_STALL, Desk.WAIT_CONFIRM, Desk.REFUSED})
"""A car stands at the arm and is not admitted."""


class OrderActions(LooplessActions):
    def do(self, order: Commanded) -> tuple[bool, str, str]:
        """Carry out one order: (done, Chinese, English)."""
        doers: dict[str, Callable[[Commanded], Words]] = {
            "open": self._open,
            "close": self._close,
            "hold_open": self._hold_open,
            "release": self._release,
            "lock": self._lock,
            "unlock": self._unlock,
            "let_in": self._let_in,
            "pay_cash": self._pay,
            "pay_free": self._pay,
            "correct_plate": self._correct_plate,
            "test_relay": self._test_relay,
        }
        doer = doers.get(order.action)
        if doer is None:
            return False, f"车道不支持 {order.action}", f"action: {order.action} is not an order to a lane"
        self.commanded = order
        try:
            if order.action in CAR_ORDERS or order.arrival_id:
                self.must_be_meant(order)
            zh, en = doer(order)
        except OrderRefused as refused:
            return False, refused.zh, refused.en
        except IllegalSignal as illegal:
            zh, en = WORDS[illegal.state]
            return False, f"当前状态 ({zh}) 不能执行", f"not possible now ({en})"
        finally:
            self.commanded = None
        return True, zh, en

    def _open(self, order: Commanded) -> Words:
        self._not_stopped()
        if self.memory.locked:
            raise OrderRefused("车道已锁定, 请先解锁", "the lane is locked: unlock it first")
        if self.desk is not Desk.VACANT:
            if self.gate is Gate.STARTING:
                raise IllegalSignal(self.gate, Signal.OPEN)
            self.fire(Signal.LET_IN)
        else:
            self._when_durable(order, Signal.OPEN)
            self._picture_of(order)
        return "正在抬杆", "raising the arm"

    def _let_in(self, order: Commanded) -> Words:
        self._not_stopped()
        if self.memory.locked:
            raise OrderRefused("车道已锁定, 请先解锁", "the lane is locked: unlock it first")
        if self.desk not in WAITS:
            raise OrderRefused("该车不在等待, 已放行", "this car does not wait: it is admitted already")
        self.fire(Signal.LET_IN)
        return "正在抬杆", "raising the arm"

    def _hold_open(self, order: Commanded) -> Words:
        self._not_stopped()
        self._when_durable(order, Signal.HOLD)
        self._picture_of(order)
        return "闸杆将保持抬起", "the arm will be held open"

    def _picture_of(self, order: Commanded) -> None:
        """A person opens without a car that was read: a camera that can be asked takes a picture of it."""
        if order.source == "operator":
            self.ask_camera("order")

    def _test_relay(self, order: Commanded) -> Words:
        """One relay, once, at a lane that is locked and empty. The arm moves by the rows of the table and no other way:
        OPEN lifts it and the gate lowers it again by the interlock; CLOSE goes through the interlock."""
        self._not_stopped()
        if not self.memory.locked:
            raise OrderRefused("先锁定车道, 再测试继电器", "lock the lane first, then test a relay")
        if self.desk is not Desk.VACANT or self.traffic.front is not None or self.safety is not False:
            raise OrderRefused("车道有车或防砸地感无信号, 不能测试", "a car is there or the safety loop is not clear")
        if self.gate is not Gate.DOWN and order.relay != "close":
            zh, en = WORDS[self.gate]
            raise OrderRefused(f"闸杆须先落下 ({zh})", f"the arm must be down first ({en})")
        if order.relay == "open":
            self._when_durable(order, Signal.OPEN)
            return "抬杆继电器吸合, 闸杆抬起后自动落下", "OPEN relay pulsed; the arm goes up and comes down by itself"
        if order.relay == "close" and self.settings.has_close:
            self.fire(Signal.CLOSE)
            return "落杆继电器吸合", "CLOSE relay pulsed"
        if order.relay == "stop" and self.settings.has_stop:
            self.record(ArmOrdered(direction="stop", cause=order.source, who=order.who, why=order.why))
            self.box.out.append(StopArm(lane=self.id))
            return "停止继电器吸合", "STOP relay pulsed"
        raise OrderRefused(f"没有继电器 {order.relay!r}", f"relay: {order.relay!r} is not wired at this lane")

    def _when_durable(self, order: Commanded, signal: Signal) -> None:
        """Opening without a car: durable first, like every decision (invariant 8)."""
        if not self.possible(signal):
            raise IllegalSignal(self.gate, signal)
        if self.order is not None:
            raise OrderRefused("上一条命令正在执行", "the order before is still being carried out")
        token = self.box.new_token()
        if signal is Signal.OPEN:
            body = ArmOrdered(direction="up", cause=order.source, who=order.who, why=order.why)
            self.record(body, token=token, urgent=True)
        else:
            self.hold_token = token  # its `Ordered` fact says all; the box gives it this token
        self.order = PendingOrder(token, self.now_ms + self.settings.store_ms, signal, order.source)

    def carry_out_order(self) -> None:
        order, self.order = self.order, None
        assert order is not None
        if not self.possible(order.signal):
            self.note(f"{order.signal.value}: not possible any more in {self.gate.name}", "warning")
            return
        if order.signal is Signal.OPEN and not self.memory.locked:  # locked: a relay's test, no car is meant by it
            self.credit = order.source
        self.fire(order.signal)

    def order_unstored(self) -> None:
        assert self.order is not None
        self.late_tokens.add(self.order.token)
        self.raise_fault("storage_failing", "ledger", f"order not durable within {self.settings.store_ms} ms")
        self.carry_out_order()

    def _overrule(self) -> bool:
        """A later word ends an order to open that is not durable yet and has moved nothing. Whether there was one."""
        pending, self.order = self.order, None
        if pending is None:
            return False
        self.note(f"{pending.signal.value}: overruled before it was durable", "info")
        return True

    def _close(self, order: Commanded) -> Words:
        self._not_stopped()
        if self._overrule() and not self.possible(Signal.CLOSE):
            return "抬杆命令已撤销", "the order to open is withdrawn"
        self.fire(Signal.CLOSE)
        self.credit = ""
        if self.desk in {Desk.STORING, Desk.ADMITTED}:
            self.fire(Signal.CLOSED)
        return "正在落杆", "lowering the arm"

    def _release(self, order: Commanded) -> Words:
        overruled = self._overrule()
        if overruled and not self.holds & {"order", "uncommanded"}:
            return "抬杆命令已撤销", "the order to open is withdrawn"
        if not self.holds & {"order", "uncommanded"}:
            raise OrderRefused("闸杆未被保持", "the arm is not held open by an order")
        self.holds -= {"order", "uncommanded"}
        self.fire(Signal.RELEASE)
        return "已恢复自动落杆", "automatic closing is on again"

    def acknowledged(self, code: str) -> None:
        """A person has seen to a fault: an arm that somebody had lifted may close again by the normal rules; a safety
        loop that seemed dead is believed again, until two openings in a row say otherwise."""
        if code == "safety_unproven":
            self.unproven_openings = 0
        if code == "arm_uncommanded" and "uncommanded" in self.holds:
            self.holds.discard("uncommanded")
            self.fire(Signal.RELEASE)

    def _lock(self, order: Commanded) -> Words:
        self._overrule()
        self.fire(Signal.LOCK)
        return "车道已锁定", "the lane is locked"

    def _unlock(self, order: Commanded) -> Words:
        if not self.memory.locked:
            raise OrderRefused("车道未锁定", "the lane is not locked")
        self.memory.locked = False
        self.fire(Signal.UNLOCK)
        return "车道已解锁", "the lane is unlocked"

    def _pay(self, order: Commanded) -> Words:
        self.fire(Signal.PAY)
        if order.action == "pay_free":
            return "免费放行, 正在抬杆", "free of charge, raising the arm"
        return "已缴费, 正在抬杆", "paid, raising the arm"

    def _correct_plate(self, order: Commanded) -> Words:
        self.fire(Signal.CORRECT)
        return "车牌已更正", "plate corrected"

    def _not_stopped(self) -> None:
        code = self.fault_with("stops")
        if code:
            raise OrderRefused(f"故障 {code}, 请现场手动操作", f"fault {code}: work the barrier by hand")
