"""The desk: what is decided about the car on the arrival side and how its wait ends (DESIGN 5, 6, 8)."""

from __future__ import annotations

import msgspec

from edge.core.admission import EntryVerdict, ExitVerdict, Newcomer, Verdict, decide_entry, decide_exit
from edge.core.facts import Decided
from edge.core.facts_flow import VEHICLE_OF, ControlSeen
from edge.core.lane_money import MoneyActions
from edge.core.lane_table import Desk, Signal
from edge.core.lane_types import Arrival
from edge.core.lot import corrected

OWN_READ_MS = 1_000
"""The next car's head is 4.2 m behind (car and gap), 1.7 s at 2.5 m/s: a read sooner than this is of the car here."""

_NOT_FLOW = EntryVerdict("refuse", "", "", "", "")
"""Flow control had no say."""

WAIT_STATE = {"payment": Desk.WAIT_PAYMENT, "stall": Desk.WAIT_STALL, "confirmation": Desk.WAIT_CONFIRM}


class DeskActions(MoneyActions):
    # --- reads -------------------------------------------------------------------------------------------------

    def begin(self) -> Desk:
        """A new car on the arrival side. A read that came shortly before it is its own."""
        self.desk_due_ms = self.now_ms + self.settings.read_ms
        if self.preread is not None and self.now_ms - self.preread.at_ms <= self.settings.preread_ms:
            self._car().borrowed_until_ms = self.now_ms + OWN_READ_MS
            return self.take_read()
        self.preread = None
        return Desk.WAIT_READ

    def keep_read(self) -> None:
        """Not for the car that stands here: kept in `preread` for the next one (`on_read` put it there)."""

    def take_read(self) -> Desk:
        car, preread = self._car(), self.preread
        assert preread is not None
        if self._under_way():
            return self.desk
        if car.unsure and self._differs(car, preread.plate):
            return self._other_car(car)
        car.unsure = False
        if self._leftovers():
            car.borrowed_until_ms = max(car.borrowed_until_ms, self.arrival_since_ms + OWN_READ_MS)
        car.plate, car.colour, car.read_id = preread.plate, preread.read.colour, preread.read.read_id
        self.preread = None
        return self.decide()

    def better_read(self) -> Desk:
        """The standing car had no plate yet: this one is its own. Otherwise it belongs to the next car."""
        return self.read_while_waiting() if self._car().plate else self.take_read()

    def read_while_waiting(self) -> Desk:
        """Kept for the next car, unless the read that this one is judged by may be a leftover of one that has gone."""
        car, preread = self._car(), self.preread
        assert preread is not None
        leftover = self._leftovers() and self.now_ms < car.borrowed_until_ms
        if not leftover or self._under_way() or not self._differs(car, preread.plate):
            return self.desk
        car.visit_id = car.order_id = car.corrected_from = ""
        car.entered, car.due_fen = None, 0
        return self.take_read()

    def read_while_locked(self) -> None:
        car = self._car()
        if not car.plate and self.preread is not None:
            car.plate, car.colour = self.preread.plate, self.preread.read.colour
            car.read_id = self.preread.read.read_id
            self.preread = None

    def no_read(self) -> Desk:
        """read_ms is over: ask the camera once, then treat the car as one without plate."""
        car = self._car()
        if self.preread is not None and not self._under_way():
            return self.take_read()  # it came while the arrival loop had lost the car
        if not car.asked_camera:
            car.asked_camera = True
            self.desk_due_ms = self.now_ms + self.settings.read_ms
            self.ask_camera()
            return Desk.WAIT_READ
        return self.decide()

    # --- after a restart: is the car that stands here the one that was admitted? -----------------------------------

    def own_read(self) -> Desk:
        """STORING or ADMITTED on a read from before the car stood here, and now it is read as another car.

        The read before was of a car that went away again. This one's own read takes its place if it is admitted too;
        if it is not, the arm is on its way already and the first decision stands. So it does once the fee is settled:
        the money belongs to the car that was billed.
        """
        car, preread = self._car(), self.preread
        if car.paid_fen or car.discount_fen:
            return self.desk
        if preread is None or self.now_ms >= car.borrowed_until_ms or not self._differs(car, preread.plate):
            return self.desk
        if self._under_way():
            return self.desk
        before = (car.plate, car.colour, car.read_id)
        car.plate, car.colour, car.read_id = preread.plate, preread.read.colour, preread.read.read_id
        verdict = self.verdict(car)
        if verdict.decision != "admit":
            if not self._leftovers():
                car.plate, car.colour, car.read_id = before
                return self.desk
            # Let in for a car that has gone: it goes under its own name at least, or the next one would bear it.
            verdict = msgspec.structs.replace(
                verdict, decision="admit", wait_for="", rule="own_read",
                zh="已放行, 车牌以本车识别为准", en="admitted already, under the plate of its own read",
            )  # fmt: skip
        self.preread = None
        if not self._leftovers():
            car.borrowed_until_ms = 0
        if isinstance(verdict, ExitVerdict):
            self._take_visit(car, verdict)
        if self.desk is Desk.STORING:
            return self._store(car, verdict)
        car.rule = verdict.rule
        self.record(self._decided(car, verdict), urgent=True)
        return Desk.ADMITTED

    def read_while_admitted(self) -> Desk:
        car = self._car()
        if not car.unsure:
            return self.own_read()
        if self.reads_again(car):
            return self.assume_same()
        if self.preread is None or not self.preread.plate or self._under_way():
            return Desk.ADMITTED
        if self.desk_due_ms is None and car is self.traffic.front:
            return Desk.ADMITTED  # taken for the same one, and under the arm by now: the read is of the one behind it
        return self.assume_same()

    def assume_same(self) -> Desk:
        """Unless a camera says otherwise, a car that stands here just after a restart is the one of before."""
        car = self._car()
        seen = self.preread
        if seen is not None and (self.reads_again(car) or not self._under_way()):
            if self._differs(car, seen.plate):
                return self._other_car(car)
            self.preread = None
            car.unsure = bool(car.plate) and not seen.plate and self._leftovers()  # unread says nothing of it
        else:
            car.unsure = self._leftovers()  # a camera that is late may still say so
        self.desk_due_ms = None
        self._to_gate()
        return Desk.ADMITTED

    def _other_car(self, car: Arrival) -> Desk:
        """Another car stands here, so the one on record went on: through, or under the arm since the start."""
        covers = self.traffic.front is car
        if covers and self.woke_covered:
            # Which of the two covers the safety loop, the order of the ends will tell (`Traffic.safety_off`).
            car.fell_ms = car.safety_fell_ms = self.now_ms - self.settings.hold_ms
            car.unsure = False
            self.traffic.came()
        else:
            self.resolve(car)
            other = self.traffic.came()
            other.fell_ms = car.fell_ms  # the loop may have lost it, or it may be leaving, just now
            if covers:
                self.traffic.front = other
        return self.begin()

    # --- deciding ------------------------------------------------------------------------------------------------

    def verdict(self, car: Arrival) -> Verdict:
        if self.settings.direction == "in":
            flows, newcomer = self.box.flows, self.newcomer(car)
            found: Verdict = decide_entry(
                self.box.lot, self.rules, flows.flow, newcomer, flows.in_force(car.plate),
                self.box.money.cards.standing(car.plate, flows.flow.wall_ms),
            )  # fmt: skip
        else:
            controls = self.box.flows.in_force(car.plate)
            car.billed = car.billed or self.box.now
            claimed = self.box.lot.inside.get(car.claimed)
            found = decide_exit(
                self.box.lot, self.rules, self.box.bill, car.plate, car.billed, controls, claimed
            )
        code = self.fault_with("stops") or self.fault_with("asks")
        if code and found.decision == "admit":
            if isinstance(found, EntryVerdict):
                found = msgspec.structs.replace(found, counted_as="", booking="")
            return msgspec.structs.replace(
                found, decision="wait", wait_for="confirmation", rule=f"fault_{code}",
                zh=f"设备故障 {code}, 请等待人工确认", en=f"device fault {code}, please wait for the attendant",
            )  # fmt: skip
        return found

    def newcomer(self, car: Arrival) -> Newcomer:
        return Newcomer(self.id, car.plate, VEHICLE_OF.get(car.colour, ""))

    def decide(self) -> Desk:
        car = self._car()
        car.unsure = False  # its camera had its time to say otherwise
        if self.memory.locked:
            return self.shut_desk()
        verdict = self.verdict(car)
        self._tell_controls(car)
        if isinstance(verdict, ExitVerdict):
            self._take_visit(car, verdict)
        return self._settle_on(car, verdict)

    def _tell_controls(self, car: Arrival) -> None:
        """A car under control is here: whoever watches it is told, whatever is decided (4001, strategy 4)."""
        if car.plate and car.plate != car.controlled:
            car.controlled = car.plate
            for entry in self.box.flows.in_force(car.plate):
                self.record(ControlSeen(entry.entry_id, entry.plate, entry.strategy, car.id, entry.city))

    def _take_visit(self, car: Arrival, verdict: ExitVerdict) -> None:
        visit = verdict.visit
        car.due_fen, car.coupons, car.bill = verdict.due_fen, verdict.coupons, verdict.bill
        if visit is None:
            car.visit_id, car.entered, car.entry_lane, car.booking = "", None, "", ""
            return
        car.visit_id, car.entered = visit.visit_id, visit.entered
        car.entry_lane, car.booking = visit.lane, visit.booking
        if verdict.corrected_from:
            car.corrected_from, car.plate = verdict.corrected_from, visit.plate
            self.record(corrected(visit, verdict.corrected_from, visit.plate))

    def _settle_on(self, car: Arrival, verdict: Verdict) -> Desk:
        if verdict.decision == "admit":
            return self._store(car, verdict)
        if verdict.wait_for == "payment":
            self.make_out(car)
        self.record(self._decided(car, verdict))
        self.show(verdict.zh, verdict.en)
        if verdict.decision == "refuse":
            self.desk_due_ms = None
            return Desk.REFUSED
        waits = {
            "payment": self.settings.payment_ms,
            "stall": self.settings.stall_ms,
            "confirmation": self.settings.confirm_ms,
        }
        self.desk_due_ms = self.now_ms + waits[verdict.wait_for]
        return WAIT_STATE[verdict.wait_for]

    def _decided(self, car: Arrival, verdict: Verdict, who: str = "", why: str = "") -> Decided:
        part = verdict if isinstance(verdict, EntryVerdict) else _NOT_FLOW
        told = self.box.flow_told  # else its numbers explain nothing, and every byte goes to the card
        return Decided(
            arrival_id=car.id, read_id=car.read_id, plate=car.plate, decision=verdict.decision, rule=verdict.rule,
            zh=verdict.zh, en=verdict.en, wait_for=verdict.wait_for, visit_id=car.visit_id, order_id=car.order_id,
            due_fen=car.due_fen, who=who, why=why, counted_as=part.counted_as, booking=part.booking,
            state=part.state if told else "", reasons=part.reasons if told else None,
        )  # fmt: skip

    def _store(self, car: Arrival, admit: Verdict, who: str = "", why: str = "") -> Desk:
        """Decided: now it must become durable before the arm moves (invariant 8)."""
        if isinstance(admit, EntryVerdict):
            car.booking = admit.booking
        elif isinstance(admit, ExitVerdict) and admit.rule in {"exit_seamless", "exit_owed"}:
            self.let_owe(car)
        elif isinstance(admit, ExitVerdict) and admit.coupons and admit.decision == "admit":
            self.paid_by_coupons(car)
        car.rule = admit.rule
        car.deciding, car.unsure = True, False
        car.token = self.box.new_token()
        self.record(self._decided(car, admit, who, why), token=car.token, urgent=True)
        self.desk_due_ms = self.now_ms + self.settings.store_ms
        self.show(admit.zh, admit.en)
        return Desk.STORING

    def try_again(self) -> Desk:
        """Something changed in the lot. Only another verdict is a new decision; the sign says the numbers."""
        car = self._car()
        verdict = self.verdict(car)
        if isinstance(verdict, ExitVerdict):
            self._take_visit(car, verdict)
        if verdict.decision == "wait" and WAIT_STATE[verdict.wait_for] is self.desk:
            if verdict.wait_for == "payment":
                self.make_out(car)
            self.show(verdict.zh, verdict.en)
            return self.desk
        return self._settle_on(car, verdict)

    def give_up(self) -> None:
        """A wait has its defined end: the car is refused, and a person may still let it in."""
        car = self._car()
        zh, en = "等待超时, 请联系管理员", "waited too long, please call the attendant"
        self.record(self._decided(car, Verdict("refuse", "", f"{self.desk.value}_timeout", zh, en)))
        self.show(zh, en)
        self.desk_due_ms = None

    # --- admitted ------------------------------------------------------------------------------------------------

    def admit(self) -> None:
        car = self._car()
        car.admitted = True
        self.desk_due_ms = None
        self._to_gate()

    def admit_unstored(self) -> None:
        """store_ms is over: the ledger is failing, that is a fault, and the car passes all the same."""
        self.late_tokens.add(self._car().token)
        self.raise_fault("storage_failing", "ledger", f"decision not durable within {self.settings.store_ms} ms")
        self.admit()

    def admit_again(self) -> None:
        self._to_gate()

    def _to_gate(self) -> None:
        # The gate looks at the desk, so the desk is where it will be before the gate is asked.
        if self.desk is not Desk.ADMITTED:
            self.desk, self.desk_since_ms = Desk.ADMITTED, self.now_ms
        if self.possible(Signal.ADMITTED):
            self.fire(Signal.ADMITTED)

    def take_back(self) -> None:
        """A person closed the arm before an admitted car: its admission ends, and a person lets it in again."""
        car, order = self._car(), self.commanded
        car.deciding = car.admitted = car.unsure = False
        zh, en = "闸杆已人工关闭, 请等待", "closed by a person, please wait"
        verdict = Verdict("wait", "confirmation", "closed", zh, en)
        who, why = ("", "") if order is None else (order.who, order.why)
        self.record(self._decided(car, verdict, who, why), urgent=True)
        self.show(zh, en)
        self.desk_due_ms = self.now_ms + self.settings.confirm_ms

    # --- the car goes, the lane is locked ----------------------------------------------------------------------------

    def leave(self) -> None:
        self.desk_due_ms = None
        self.show("", "")

    def shut_desk(self) -> Desk:
        self.desk_due_ms = None
        self.show("车道已锁定", "lane locked")
        return Desk.LOCKED

    def open_desk(self) -> Desk:
        if self._car().read_id:
            return self.decide()
        self.desk_due_ms = self.now_ms + self.settings.read_ms
        return Desk.WAIT_READ

