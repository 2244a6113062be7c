"""One lane of the site: vehicles, arm, loops and the relays of the box, stepped by a clock that is passed
in.

The lane knows nothing of the box's program. It drives the loop and limit contacts, feels the relays, and
keeps the truth: who went through, in which order, and what must never happen (`Violations`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hal_sim.site.arm import STRIKES_BELOW, Arm
from hal_sim.site.pins import PinBank
from hal_sim.site.vehicle import (
    APPEAR_M,
    ARRIVAL_FROM_M,
    ARRIVAL_TO_M,
    COMMITTED_M,
    DRIVE_M_S,
    GONE_M,
    PREREAD_FROM_M,
    REVERSE_M_S,
    SAFETY_TO_M,
    STOP_LINE_M,
    Vehicle,
)

SAFETY_REACTION_S = 0.05
"""A CLOSE order this soon after the safety loop became occupied was given before the box could know."""

RINGS_AFTER_S = 4.0
"""A driver for whom nothing happens rings the bell."""
HEADWAY_S = 0.27
"""A loop 1 m wide is clear for so long between two cars 1.5 m apart at 2 m/s, less the driver's inattention."""

NEAR_M = -9.0
"""From here on a car is "at the lane": an opening may be meant for it."""

LEFT_M = 3.0
"""A car whose rear is beyond this has left: an opening is not meant for it any more."""


@dataclass(frozen=True)
class LanePins:
    open: int
    close: int | None
    limit_up: int | None
    limit_down: int | None
    arrival: int
    safety: int
    relay_on_level: int = 1
    occupied_level: int = 0
    limit_on_level: int = 0


@dataclass
class Passage:
    """One vehicle through the arm: the truth that the ledger is compared with."""

    lane: str
    direction: str
    car_id: int
    plate: str
    read_plate: str
    at_s: float
    kind: str
    unseen: bool


@dataclass
class Violations:
    """What must never happen, counted by the site itself (DESIGN 5)."""

    arm_strikes: int = 0
    close_on_car: int = 0  # CLOSE ordered while the safety loop was occupied
    open_and_close: int = 0
    relay_too_long: int = 0
    opened_without_cause: int = 0
    notes: list[str] = field(default_factory=list)

    def total(self) -> int:
        return (
            self.arm_strikes
            + self.close_on_car
            + self.open_and_close
            + self.relay_too_long
            + self.opened_without_cause
        )


class SimLane:
    """`step(now_s)` moves everything on; `on_trigger` is told when the camera would read a vehicle."""

    def __init__(
        self,
        lane_id: str,
        direction: str,
        pins: LanePins,
        bank: PinBank,
        arm: Arm,
        *,
        speed: float = 1.0,
        patience_s: float = 1.5,
        bounce: Callable[[], int] = lambda: 0,
        reaction_s: float = SAFETY_REACTION_S,
        headway_s: float = HEADWAY_S,
        by_camera: bool = False,
    ) -> None:
        """`by_camera`: nothing asks the arrival loop, and the safety loop's detector ends its output so late
        that no gap in a vehicle shows."""
        self.id, self.direction, self.pins, self.arm = lane_id, direction, pins, arm
        self.vehicles: list[Vehicle] = []  # first = nearest to the exit side
        self.passages: list[Passage] = []
        self.backed_out: list[Vehicle] = []
        self.violations = Violations()
        self.speed = speed
        self.patience_s = patience_s
        """How long a driver waits at an arm that stays up behind the car before him, until he goes."""
        self.on_trigger: Callable[[SimLane, Vehicle], None] = lambda lane, vehicle: None
        self.on_passage: Callable[[SimLane, Passage], None] = lambda lane, passage: None
        self.box_up: Callable[[], bool] = lambda: True
        self.sign_says_go: Callable[[Vehicle], bool] = lambda vehicle: False
        # Loops must see a gap between cars for as long as at walking pace, however fast the site runs.
        self.headway_m = ARRIVAL_TO_M - ARRIVAL_FROM_M + headway_s * DRIVE_M_S * speed
        self._bank = bank
        self._bounce = bounce
        self._reaction_s = reaction_s
        self._by_camera = by_camera
        self.ringing = False
        """A driver stands at the arm of a lane that nothing but its camera could have told."""
        self._last_s: float | None = None
        self._safety_since_s: float | None = None
        self._arrival = False
        self.arrival_since_s: float | None = None
        self._cleared_at_s = float("-inf")
        self._struck: set[int] = set()
        self.drive_contacts(False, False)

    @property
    def occupied(self) -> bool:
        """A vehicle is at the lane, from the camera's picture to behind the safety loop."""
        return any(v.front_m > NEAR_M and v.rear_m < LEFT_M for v in self.vehicles)

    # --- the box's relays ----------------------------------------------------------------------------------

    def relay(self, name: str, closed: bool, now_s: float, ordered: bool) -> None:
        """A relay contact changed. `ordered`: a person or city ordered an opening here just now."""
        since_s = self._safety_since_s
        if closed and name == "close" and since_s is not None and now_s - since_s > self._reaction_s:
            self.violated("close_on_car", f"CLOSE while the safety loop is occupied at {now_s:.2f}")
        if closed and name == "open" and not ordered and not self.occupied:
            self.violated("opened_without_cause", f"OPEN with no car at the lane at {now_s:.2f}")
        self.arm.contact(name, closed, now_s)

    def violated(self, what: str, note: str) -> None:
        setattr(self.violations, what, getattr(self.violations, what) + 1)
        self.violations.notes.append(f"{self.id}: {note}")

    # --- vehicles ------------------------------------------------------------------------------------------

    def room(self) -> bool:
        """A further vehicle may appear: the last one has left the place, and nobody is about to reverse."""
        if any(v.kind == "back_out" for v in self.vehicles):
            return False
        return not self.vehicles or self.vehicles[-1].rear_m > APPEAR_M + self.headway_m

    def add(self, vehicle: Vehicle) -> None:
        vehicle.front_m = APPEAR_M
        self.vehicles.append(vehicle)

    def step(self, now_s: float) -> None:
        last_s, self._last_s = self._last_s, now_s
        if last_s is None:
            return
        # A late tick moves the world less, not farther: a busy laptop must not make cars jump over loops.
        dt_s = min(now_s - last_s, 0.02)
        self.arm.step(now_s, dt_s)
        leader: Vehicle | None = None
        for vehicle in list(self.vehicles):
            self._drive(vehicle, leader, now_s, dt_s * self.speed)
            leader = vehicle
        self._look(now_s)
        self._leave(now_s)
        self.ringing = self._by_camera and any(self._is_helpless(vehicle, now_s) for vehicle in self.vehicles[:1])

    def _drive(self, vehicle: Vehicle, leader: Vehicle | None, now_s: float, dt_s: float) -> None:
        if vehicle.reversing:
            vehicle.front_m -= REVERSE_M_S * dt_s
            return
        first = leader is None or leader.rear_m > SAFETY_TO_M or leader.passed
        if first and vehicle.first_since_s is None:
            vehicle.first_since_s = now_s
        if vehicle.going and vehicle.front_m <= COMMITTED_M and self.arm.direction < 0:
            vehicle.going = False  # it comes down: the driver stops
        if not vehicle.going and self._may_go(vehicle, leader, now_s):
            vehicle.going = True
        target_m = GONE_M * 4 if vehicle.going else STOP_LINE_M
        if leader is not None and not leader.reversing:
            target_m = min(target_m, leader.rear_m - max(vehicle.gap_m, self.headway_m))
        move_m = min(DRIVE_M_S * vehicle.speed * dt_s, max(0.0, target_m - vehicle.front_m))
        vehicle.front_m += move_m
        if vehicle.front_m >= STOP_LINE_M - 0.01 and vehicle.standing_since_s is None:
            vehicle.standing_since_s = now_s
        if vehicle.kind == "back_out" and vehicle.standing_since_s is not None:
            vehicle.reversing = now_s - vehicle.standing_since_s >= vehicle.dwell_s

    def _is_helpless(self, vehicle: Vehicle, now_s: float) -> bool:
        since_s = vehicle.standing_since_s
        stands = since_s is not None and now_s - since_s > RINGS_AFTER_S
        return stands and not (vehicle.going or vehicle.passed or vehicle.reversing or self.arm.passable)

    def _may_go(self, vehicle: Vehicle, leader: Vehicle | None, now_s: float) -> bool:
        if not self.arm.passable or vehicle.kind == "back_out":
            return False
        if vehicle.kind == "tailgater" and leader is not None:
            return leader.going  # on the bumper of the one before him, whatever the sign says
        if vehicle.first_since_s is None:
            return False
        for_him = self.arm.opened_at_s > vehicle.first_since_s - 0.02
        since_s = max(vehicle.first_since_s, self._cleared_at_s)
        return for_him or self.sign_says_go(vehicle) or (vehicle.read_sent and now_s - since_s > self.patience_s)

    # --- what the site feels and keeps ---------------------------------------------------------------------

    def _look(self, now_s: float) -> None:
        up = self.box_up()
        arrival = safety = False
        for vehicle in self.vehicles:
            arrival = arrival or vehicle.covers(ARRIVAL_FROM_M, ARRIVAL_TO_M)
            safety = safety or vehicle.felt_by_safety(bridged=self._by_camera)
            under = vehicle.rear_m < 0 < vehicle.front_m
            if not up and vehicle.front_m > ARRIVAL_FROM_M and not vehicle.passed:
                vehicle.unseen = True
            hit = self.arm.direction < 0 and self.arm.position < STRIKES_BELOW
            if under and hit and vehicle.car_id not in self._struck:
                self._struck.add(vehicle.car_id)
                self.violated(
                    "arm_strikes", f"the arm came down on {vehicle.plate or 'a car'} at {now_s:.2f}"
                )
            trigger_m = PREREAD_FROM_M if vehicle.read.early else ARRIVAL_FROM_M + 0.1
            if not vehicle.read_sent and vehicle.front_m >= trigger_m and not vehicle.reversing:
                vehicle.read_sent = True
                if vehicle.read.kind != "none":
                    self.on_trigger(self, vehicle)
        if safety and self._safety_since_s is None:
            self._safety_since_s = now_s
        elif not safety and self._safety_since_s is not None:
            self._safety_since_s = None
            self._cleared_at_s = now_s
        if arrival != self._arrival:
            self.arrival_since_s = now_s if arrival else None
        self._arrival = arrival
        self.drive_contacts(arrival, safety)

    def _leave(self, now_s: float) -> None:
        for vehicle in list(self.vehicles):
            if not vehicle.passed and vehicle.rear_m > SAFETY_TO_M:
                vehicle.passed = True
                passage = Passage(
                    self.id,
                    self.direction,
                    vehicle.car_id,
                    vehicle.plate,
                    vehicle.read.plate if vehicle.read.kind == "plate" else "",
                    now_s,
                    vehicle.kind,
                    vehicle.unseen,
                )
                self.passages.append(passage)
                self.on_passage(self, passage)
            if vehicle.rear_m > GONE_M:
                self.vehicles.remove(vehicle)
            elif vehicle.reversing and vehicle.front_m < APPEAR_M / 2:
                self.vehicles.remove(vehicle)
                self.backed_out.append(vehicle)

    def drive_contacts(self, arrival: bool, safety: bool) -> None:
        """Loop and limit contacts as levels on the box's inputs; a loop's relay bounces when it changes."""
        pins, bank = self.pins, self._bank
        for pin, occupied in ((pins.arrival, arrival), (pins.safety, safety)):
            level = pins.occupied_level if occupied else 1 - pins.occupied_level
            if bank.level(pin) != level:
                for _ in range(self._bounce()):
                    bank.drive(pin, level)
                    bank.drive(pin, 1 - level)
            bank.drive(pin, level)
        for limit, active in ((pins.limit_up, self.arm.limit_up), (pins.limit_down, self.arm.limit_down)):
            if limit is not None:
                bank.drive(limit, pins.limit_on_level if active else 1 - pins.limit_on_level)
