"""After a start: from facts and present values of the inputs to a lane that goes on (DESIGN 2: re-read, then act).

A start moves nothing. An admission that no `Passed` or `BackedOut` ended belongs to a car that is still here, went
through, or went away while nobody looked:

- A car on a loop: it is that car, and it goes on without a second admission. If the camera then reads another plate,
  the admitted car has gone on and this is the next one.
- Both loops clear, lower limit switch active and never otherwise since the start: the arm closes only after its car
  was recorded (hold, travel time and no program to ask for it), so an arm that is down with the admission still open
  never went up: `BackedOut`.
- Both loops clear otherwise: `Passed(how="restart")`. Of the ways to get here nearly all are passages (the car drove
  on during the seconds of the restart, or its `Passed` was not yet durable); a car that had the arm up and
  then reversed out in just these seconds is counted wrongly, and two loops cannot tell.

A car that waited to pay is there again, with its plate and its order, when nothing speaks against it (`_payer`): then
its camera has the time of a read to say that another one stands here, and until then a payment is kept and opens
nothing. Where the arrival loop is clear it has gone.

A vehicle on the safety loop without an open admission is one that nobody has recorded: it is counted when it has
passed, as not admitted. Whether the arm is up is known from limit switches only; without them it is taken for up and
closed by the long hold.
"""

from __future__ import annotations

from edge.core.facts import BackedOut
from edge.core.lane_people import PeopleActions
from edge.core.lane_table import Desk, Gate, Signal
from edge.core.lane_types import Admission, Arrival

START_MS = 1_000
"""Drivers report every input when they open; an input that is not told by then is unknown."""

SETTLED_MS = 200
"""Nobody seen for so long: longer than a short drop-out (`lane_traffic.MERGE_MS`), and an arm that is on its way
has left its lower end."""

JUST_PASSED_MS = 5_000
"""A drop-out (hold_ms at most) and the seconds of a restart. A vehicle that covers the safety loop by itself is on
record from that moment on (`under_arm`), so what is not on record is the end of the one before."""


class RestartActions(PeopleActions):
    def all_told(self) -> bool:
        wanted = {"safety"}
        if self.settings.arrival == "loop":
            wanted.add("arrival")
        if self.settings.has_limit_up:
            wanted.add("up")
        if self.settings.has_limit_down:
            wanted.add("down")
        return wanted <= self.told

    def wake_due_ms(self) -> int:
        """When the world is known: at once with a car on a loop, so that none of its edges is missed.

        Clear loops must stay clear for longer than a drop-out lasts: "nobody here" ends an admission for good.
        """
        if not self.all_told():
            return self.gate_since_ms + START_MS
        if self.arrival or self.safety:
            return self.now_ms
        expected = self.memory.admissions or self.memory.waiting is not None
        return self.gate_since_ms + (self.settings.hold_ms if expected else SETTLED_MS)

    def wake(self) -> Gate:
        self.woke_ms = self.now_ms
        cars = [self._again(arrival_id, admission) for arrival_id, admission in self.memory.admissions.items()]
        here = self.arrival is True
        self.woke_down = self.limit_down is True and not self.started_up
        payer = None
        if self.settings.arrival == "camera":
            self.place_without_loop(cars)
        else:
            payer = self._payer()
            self._place(cars, here)
        if self.memory.held:
            self.holds.add("order")
            self.opening = self.memory.held
        self.proven = self.woke_covered = self.safety is True
        self.raised_ms = self.now_ms
        if here and self.traffic.standing is None:
            self.traffic.standing = payer or self.traffic.came()
            self.stands(self.traffic.standing)
        elif payer is not None and self.arrival is False:
            self.resolve(payer)
        if self.holds:
            return Gate.HELD_OPEN
        if self.limit_down:
            return Gate.DOWN
        return Gate.PASSING if self.safety else Gate.CLEARING

    def _place(self, cars: list[Arrival], here: bool) -> None:
        """The newest cars on record stand where something is seen; all others are resolved."""
        traffic = self.traffic
        if here and cars:
            car = cars.pop()
            car.unsure = True
            traffic.standing = car
            self.stands(car)
        if self.safety:
            if not cars and here:
                traffic.safety_lost()
                if traffic.standing is None:
                    self.stands(traffic.came())
                traffic.front = traffic.standing
            else:
                self.front_of_before(cars)
        for car in cars:
            self.resolve(car)

    def _payer(self) -> Arrival | None:
        """The car that waited to pay when the program ended, unless something says that it may have gone on.

        Its wait is younger than such a wait may last, by a clock that has not stopped since (a box without power knows
        no durations); nobody was admitted, nobody is under the arm, the arm is not known to be up, and no other car
        was read after it.
        """
        waiting, now = self.memory.waiting, self.box.now
        if waiting is None or waiting.stamp.boot_id != now.boot_id or self.safety is not False:
            return None
        if now.mono_ms - waiting.stamp.mono_ms > self.settings.payment_ms:
            return None
        arm_up = self.limit_up or self.started_up or self.holds or self.memory.held or self.memory.opened
        if arm_up or self.memory.admissions:
            return None
        car = self._again(waiting.decided.arrival_id, waiting)
        for past in reversed(self.memory.reads):
            if past.read_id == car.read_id:
                break
            if self._differs(car, past.plate):
                return None
        order = self.box.money.orders.unpaid(car.visit_id)
        if order is not None and order.quotes:
            car.billed = order.quotes[-1].billed  # the wait costs nothing more
        car.controlled = car.plate
        car.unsure = True
        return car

    def front_of_before(self, cars: list[Arrival]) -> None:
        """Who is on the safety loop: the newest of `cars`, which is taken from them, or one that nobody knows."""
        traffic = self.traffic
        traffic.safety_lost()  # occupied, without a pulse of its own
        if cars or not self.just_passed():
            traffic.front = cars.pop() if cars else Arrival(self.box.new_id())
            # Its own pulse, or already that of the one behind it: the order of the ends will tell.
            traffic.front.fell_ms = traffic.front.safety_fell_ms = self.now_ms - self.settings.hold_ms

    def just_passed(self) -> bool:
        """The vehicle on the safety loop is on record as through: a drop-out had ended it early."""
        last, now = self.memory.last_passed, self.box.now
        return last is not None and last.boot_id == now.boot_id and now.mono_ms - last.mono_ms < JUST_PASSED_MS

    def stands_on_both(self) -> bool:
        """Just after the start: the car on the safety loop covers the arrival loop too, that one had dropped out."""
        if not self.safety or self.now_ms - self.woke_ms >= SETTLED_MS or not self.traffic.front_again():
            return False
        assert self.traffic.standing is not None
        self.stands(self.traffic.standing)
        return True

    def stands(self, car: Arrival) -> None:
        """A car on the arrival loop, seen for the first time by this program: whose it is, the camera may tell."""
        self.ask_camera()
        if not car.admitted:
            self.fire(Signal.ARRIVED)
            return
        self.desk, self.desk_since_ms = Desk.ADMITTED, self.now_ms
        told = self.preread is not None and bool(self.preread.plate or not car.plate)
        self.desk_due_ms = self.now_ms if told else self.now_ms + self.settings.read_ms
        if self.settings.arrival == "camera" and self.settings.can_ask and self.preread is None:
            self.desk_due_ms = None  # no loop says that anybody is here: the camera has to

    def _again(self, arrival_id: str, admission: Admission) -> Arrival:
        decided = admission.decided
        car = Arrival(arrival_id)
        car.plate, car.read_id, car.rule = decided.plate, decided.read_id, decided.rule
        car.colour = next((r.colour for r in self.memory.reads if r.read_id == decided.read_id), "unknown")
        car.visit_id, car.order_id, car.due_fen = decided.visit_id, decided.order_id, decided.due_fen
        car.paid_fen, car.discount_fen = self.memory.settled.get(decided.order_id, (0, 0))
        car.corrected_from = self.memory.corrected.get(decided.visit_id, "")
        visit = self.box.lot.inside.get(decided.visit_id)
        if visit is not None:
            car.entered, car.entry_lane = visit.entered, visit.lane
        car.booking = decided.booking or (visit.booking if visit is not None else "")
        car.how = decided.rule if decided.rule in {"operator", "city"} else "admitted"  # type: ignore[assignment]
        car.deciding = car.admitted = decided.decision == "admit"
        return car

    def resolve(self, car: Arrival) -> None:
        was_let_go = car.admitted or car.rule == "under_arm"
        if not was_let_go or (self.limit_down and not self.started_up):
            self.record(BackedOut(arrival_id=car.id, plate=car.plate), urgent=True)
            return
        self.opening = "restart"
        if car.admitted:
            car.how = "restart"
        self.record_passed(car)
