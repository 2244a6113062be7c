"""The whole site in real time: lanes, cars between entry and exit, cameras, and the clock that moves them.

One thread ticks every lane each 10 ms under one lock; pin writes of the box take the same lock, so a lane
never sees half a change. What happened is kept as truth for the summary.
"""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from hal_sim.cameras.sender import SimCamera
from hal_sim.site.lane import Passage, SimLane
from hal_sim.site.pins import PinBank
from hal_sim.site.relays import Relays
from hal_sim.site.traffic import CarPlan, Traffic
from hal_sim.site.vehicle import Vehicle

TICK_S = 0.01

ORDER_FRESH_S = 12.0
"""An operator's order explains an opening for so long (the box refuses orders older than 10 s)."""

FELT_BEFORE_READ_S = 0.05
"""The arrival loop must have been occupied for so long (debounce and more) for a read to be the last thing missing."""

ABANDON_S = 60.0
"""A car that stands at the arm for so long is told in the summary: somebody would have called by now."""


@dataclass
class Pace:
    """How dense the traffic is. `arrival_s` mean time between cars at one entry, 0 = as fast as there is room."""

    arrival_s: float
    read_delay_s: tuple[float, float]
    queue: int = 3
    inside_max: int = 10**9


@dataclass
class _Waiting:
    car_id: int
    needed_ns: int


@dataclass
class Truth:
    """What really happened, in order of time."""

    entered: int = 0
    left: int = 0
    backed_out: int = 0
    backed_out_unseen: set[tuple[str, str]] = field(default_factory=set)  # lane, plate as read: the box was down
    spawned: int = 0
    read_to_relay_ms: list[float] = field(default_factory=list)
    stood_long: int = 0


class World:
    """`lanes` with their cameras, fed by `traffic`, until `cars` have come (None: endless)."""

    def __init__(
        self,
        bank: PinBank,
        lanes: Sequence[SimLane],
        cameras: dict[str, SimCamera],
        traffic: Traffic,
        pace: Pace,
        *,
        cars: int | None,
        seed: int,
    ) -> None:
        self.lanes = {lane.id: lane for lane in lanes}
        self.truth = Truth()
        self.lock = threading.RLock()
        self.box_up: Callable[[], bool] = lambda: True
        self.sign: Callable[[str], str | None] = lambda lane_id: None
        self.sets_out: Callable[[str, str], bool] = lambda lane_id, plate: True
        self._cameras, self._traffic, self._pace, self._cars = cameras, traffic, pace, cars
        self._dice = random.Random(f"world {seed}")
        self._parked: list[tuple[float, int, CarPlan]] = []
        self._stays: set[int] = set()
        self._plans: dict[int, CarPlan] = {}
        self._next_arrival_s: dict[str, float] = {}
        self._next_plan: dict[str, CarPlan] = {}
        self._ordered_s: dict[str, float] = {}
        self.order_on_record: Callable[[str, float], bool] = lambda lane_id, within_s: False
        """Whether the box's ledger holds an order for this lane of the last so many seconds."""
        self._reads: dict[str, _Waiting] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.failure: BaseException | None = None
        self._done = threading.Event()
        self._long: set[tuple[str, int]] = set()
        self._relays: list[Relays] = []
        for lane in lanes:
            lane.on_trigger = self._trigger
            lane.on_passage = self._passed
            lane.box_up = self._box_is_up
            lane.sign_says_go = partial(self._sign_says_go, lane.id)
            relays = Relays(lane, self._was_ordered)
            relays.on_open = self._opened
            self._relays.append(relays)
        bank.output_watchers.append(self._on_pin)

    def _box_is_up(self) -> bool:
        return self.box_up()

    def _sign_says_go(self, lane_id: str, vehicle: Vehicle) -> bool:
        """A driver reads his own plate on the sign (its digits: a misread one he takes for his)."""
        shown = self.sign(lane_id)
        return shown is not None and shown in {vehicle.plate, vehicle.read.plate}

    # --- life ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="world", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def wait_done(self, timeout_s: float) -> bool:
        """All cars have come, and whoever leaves has left."""
        return self._done.wait(timeout_s)

    def _run(self) -> None:
        next_s = time.monotonic()
        try:
            while not self._stop.is_set():
                with self.lock:
                    self.step(time.monotonic())
                next_s = max(next_s + TICK_S, time.monotonic() + 0.002)
                self._stop.wait(next_s - time.monotonic())
        except BaseException as error:
            self.failure = error  # a world that stands still must not look like a quiet lot
            raise

    # --- one tick ------------------------------------------------------------------------------------------

    def step(self, now_s: float) -> None:
        for lane in self.lanes.values():
            if lane.direction == "in":
                self._arrive(lane, now_s)
        self._depart(now_s)
        for lane in self.lanes.values():
            lane.step(now_s)
            for vehicle in lane.backed_out:
                self.truth.backed_out += 1
                if vehicle.unseen:
                    self.truth.backed_out_unseen.add((lane.id, vehicle.read.plate))
                self._plans.pop(vehicle.car_id, None)
            lane.backed_out.clear()
            self._watch(lane, now_s)
        for relays in self._relays:
            relays.check(now_s)
        # Without an exit lane everybody stays.
        leaving = bool(self._parked) and any(lane.direction == "out" for lane in self.lanes.values())
        all_came = self._cars is not None and self.truth.spawned >= self._cars and not leaving
        if all_came and not any(lane.vehicles for lane in self.lanes.values()):
            self._done.set()

    def _arrive(self, lane: SimLane, now_s: float) -> None:
        if self._cars is not None and self.truth.spawned >= self._cars:
            return
        due_s = self._next_arrival_s.setdefault(lane.id, now_s)
        if now_s < due_s or not lane.room() or len(lane.vehicles) >= self._pace.queue:
            return
        if len(self._parked) >= self._pace.inside_max:
            return
        plan = self._next_plan.pop(lane.id, None) or self._traffic.next()
        if not self.sets_out(lane.id, plan.plate):
            self._next_plan[lane.id] = plan
            return
        vehicle = plan.entering()
        if vehicle.kind == "back_out":
            if lane.vehicles:
                self._next_plan[lane.id] = plan  # he comes when there is nobody to back into
                return
            vehicle.dwell_s = 1.0 / lane.speed + self._dice.uniform(0, 1.0)
        mean_s = self._pace.arrival_s
        self._next_arrival_s[lane.id] = now_s + (self._dice.expovariate(1 / mean_s) if mean_s > 0 else 0.0)
        self._plans[plan.car_id] = plan
        self.truth.spawned += 1
        lane.add(vehicle)

    def _depart(self, now_s: float) -> None:
        exits = [lane for lane in self.lanes.values() if lane.direction == "out"]
        while self._parked and self._parked[0][0] <= now_s and exits:
            free = [lane for lane in exits if lane.room() and len(lane.vehicles) < self._pace.queue]
            if not free:
                return
            _, _, plan = heapq.heappop(self._parked)
            min(free, key=lambda lane: len(lane.vehicles)).add(plan.leaving())

    def _watch(self, lane: SimLane, now_s: float) -> None:
        for vehicle in lane.vehicles:
            since_s = vehicle.first_since_s
            key = (lane.id, vehicle.car_id)
            if (
                since_s is not None
                and now_s - since_s > ABANDON_S
                and not vehicle.passed
                and key not in self._long
            ):
                self._long.add(key)
                self.truth.stood_long += 1

    # --- what lanes tell -----------------------------------------------------------------------------------

    def _passed(self, lane: SimLane, passage: Passage) -> None:
        plan = self._plans[passage.car_id]
        if lane.direction == "in":
            self.truth.entered += 1
            if plan.stay_s is None:
                self._stays.add(plan.car_id)
            else:
                heapq.heappush(self._parked, (passage.at_s + plan.stay_s, plan.car_id, plan))
        else:
            self.truth.left += 1
            del self._plans[passage.car_id]

    def _trigger(self, lane: SimLane, vehicle: Vehicle) -> None:
        camera = self._cameras.get(lane.id)
        if camera is None:
            return
        read = vehicle.read
        low_s, high_s = self._pace.read_delay_s

        def told(t_ns: int) -> None:
            # No lock: the camera is about to send, and waiting here would count as the box's time.
            self._reads[lane.id] = _Waiting(vehicle.car_id, t_ns)

        camera.see(
            read.plate,
            read.colour,
            variant=vehicle.car_id,
            delay_s=0.0 if read.early else self._dice.uniform(low_s, high_s),
            again=read.repeats,
            resent=read.resent,
            told=told,
        )

    # --- openings ------------------------------------------------------------------------------------------

    def ordered(self, lane_id: str) -> None:
        """A person or the city ordered something at this lane now."""
        with self.lock:
            self._ordered_s[lane_id] = time.monotonic()

    def _on_pin(self, pin: int, level: int | None, t_ns: int) -> None:
        with self.lock:
            for relays in self._relays:
                relays.on_pin(pin, level, t_ns)

    def rings(self, lane_id: str) -> bool:
        """A driver there asks for help."""
        return self.lanes[lane_id].ringing

    def _was_ordered(self, lane_id: str, now_s: float) -> bool:
        """By the site's own people, or by somebody at the page: that order is on record before the arm moves."""
        if now_s - self._ordered_s.get(lane_id, float("-inf")) < ORDER_FRESH_S:
            return True
        return not self.lanes[lane_id].occupied and self.order_on_record(lane_id, ORDER_FRESH_S)

    def _opened(self, lane: SimLane, t_ns: int) -> None:
        """OPEN went on: if the read was the last thing missing, its time to the relay is a sample."""
        read = self._reads.pop(lane.id, None)
        first = next((v for v in lane.vehicles if not v.passed), None)
        since_s = lane.arrival_since_s
        if read is None or first is None or since_s is None or first.car_id != read.car_id:
            return
        needed_s = read.needed_ns / 1e9
        felt = needed_s - since_s >= FELT_BEFORE_READ_S
        alone = (
            self._ordered_s.get(lane.id, float("-inf")) < needed_s
            and lane.arm.limit_down
            and not first.unseen
        )
        if felt and alone and t_ns > read.needed_ns:
            self.truth.read_to_relay_ms.append((t_ns - read.needed_ns) / 1e6)

    # --- for the summary -----------------------------------------------------------------------------------

    @property
    def inside(self) -> int:
        return self.truth.entered - self.truth.left

    @property
    def staying(self) -> int:
        return len(self._stays)
