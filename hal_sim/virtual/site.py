"""One physical lane: a group of cars in motion, the arm, two loops and a camera. Reports only what hardware would."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Literal, Protocol

from edge.core.events import LimitChanged, LoopChanged, PlateRead
from hal_sim.virtual.car import ARM, BACK, GAP, LINE, SPEED, START, Arm, Car, misread
from hal_sim.virtual.mix import Mix

CAMERA_SEES = (-4.5, 0.5)
"""Where a head can be for the camera to read the front plate."""

PATIENCE_MS = (3_000, 10_000)
"""How long a driver waits at the line before a person looks."""


class World(Protocol):
    """What a lane's site asks of its world."""

    random: Random
    mix: Mix
    now_ms: float
    known_as: dict[str, str]

    def at(self, time_ms: float, what: Callable[[], None]) -> None: ...

    def tell(self, event: LoopChanged | LimitChanged | PlateRead) -> None: ...

    def passed(self, site: Site, car: Car) -> None: ...

    def turned_back(self, site: Site, car: Car) -> None: ...

    def struck(self, site: Site, car: Car) -> None: ...

    def look(self, site: Site, car: Car) -> None: ...

    def group_over(self, site: Site) -> None: ...

    def new_id(self) -> str: ...


Loop = Literal["arrival", "safety"]
End = Literal["up", "down"]
LOOPS: tuple[Loop, ...] = ("arrival", "safety")
ENDS: tuple[End, ...] = ("up", "down")


class Site:
    def __init__(self, world: World, lane: str, direction: Literal["in", "out"], limits: bool) -> None:
        self.world, self.lane, self.direction, self.limits = world, lane, direction, limits
        self.arm = Arm(world.random.uniform(1_500, 5_000))
        self.cars: list[Car] = []
        self.speed = 0.0
        self.moved_ms = 0.0
        self.turn = 0  # of the group: a planned next event of an older motion is void
        self.seen: dict[Loop, bool | None] = {"arrival": False, "safety": False}
        self.limit: dict[End, bool] = {"up": False, "down": True}
        self.lies: dict[End, bool] = {}
        self.loops = tuple(loop for loop in LOOPS if loop == "safety" or world.mix.arrival == "loop")
        self.turned = 0  # cars running that turned before the safety loop
        self.misled_ms = -1e9  # when one last left the way it came, or was first read on the safety loop
        self.ours = False  # the arm moves by a command of the program that is running now

    # --- cars in motion --------------------------------------------------------------------------------------

    def start(self, cars: list[Car]) -> None:
        x = START
        for car in cars:
            car.x = x
            x -= car.length_m + GAP + self.world.random.expovariate(2.0)
        self.cars = cars
        self.speed = self.world.random.uniform(*SPEED)
        self.moved_ms = self.world.now_ms
        self.plan()

    def advance(self) -> None:
        now_ms = self.world.now_ms
        way = self.speed * (now_ms - self.moved_ms) / 1000
        self.moved_ms = now_ms
        if way:
            for car in self.cars:
                if car.done:
                    continue
                if car.stopped:
                    break  # and all behind it
                car.x += -way if car.reversing else way

    def plan(self) -> None:
        """When the next of the moving cars reaches its next point."""
        self.turn += 1
        soonest: tuple[float, Car] | None = None
        for car in self.cars:
            if car.done:
                continue
            if car.stopped:
                break
            left = abs(car.points[car.at][0] - car.x) / self.speed * 1000
            if soonest is None or left < soonest[0]:
                soonest = (left, car)
        if soonest is not None:
            turn, car = self.turn, soonest[1]
            self.world.at(self.world.now_ms + soonest[0], lambda: self._reach(turn, car))

    def _reach(self, turn: int, car: Car) -> None:
        if turn != self.turn:
            return
        self.advance()
        x, what = car.points[car.at]
        car.x = x
        car.at += 1
        getattr(self, "_" + what)(car)
        if self.cars and turn == self.turn:
            self.plan()

    def go_on(self, car: Car) -> None:
        self.advance()
        car.stopped = ""
        self.plan()

    def turn_back(self, car: Car) -> None:
        self.advance()
        car.stopped = ""
        car.turn_back()
        self.speed = self.world.random.uniform(*BACK)
        self.plan()

    # --- points on the way ---------------------------------------------------------------------------------------

    def _seen(self, car: Car) -> None:
        if car.read:
            self.read(car, self.world.random.uniform(20, 400))

    def _line(self, car: Car) -> None:
        if not self.arm.inviting(self.world.now_ms):
            car.stopped = "line"
            car.held_ms = self.world.now_ms
            self.turn += 1
            self.plan()
            self._patience(car)

    def _patience(self, car: Car) -> None:
        world = self.world
        world.at(world.now_ms + world.random.uniform(*PATIENCE_MS), lambda: self._out_of_patience(car))

    def _out_of_patience(self, car: Car) -> None:
        if car.stopped == "line" and car in self.cars:
            self.world.look(self, car)
            if car.stopped == "line":
                self._patience(car)

    def _pause(self, car: Car) -> None:
        car.stopped = "pause"
        self.world.at(self.world.now_ms + car.pause_ms, lambda: self._pause_over(car))

    def _pause_over(self, car: Car) -> None:
        self.advance()
        self.speed = self.world.random.uniform(*SPEED)
        self.go_on(car)
        if LINE <= car.x < ARM:
            self._line(car)

    def _turn(self, car: Car) -> None:
        self.turn_back(car)

    def _under(self, car: Car) -> None:
        """Nobody drives into an arm that is down."""
        if not self.arm.inviting(self.world.now_ms) and self.arm.height_at(self.world.now_ms) < 0.8:
            self._line(car)
        if self.arm.way < 0 and self.arm.height_at(self.world.now_ms) > 0:
            if self.ours:
                self.world.struck(self, car)
            else:  # the program that asked for it is gone; the barrier's own controller has a loop wired to it
                self._drive_arm(1)

    def _clear(self, car: Car) -> None:
        pass

    def _arrival_on(self, car: Car) -> None:
        self._cover(car, "arrival", True)

    def _arrival_off(self, car: Car) -> None:
        self._cover(car, "arrival", False)

    def _safety_on(self, car: Car) -> None:
        self._cover(car, "safety", True)

    def _safety_off(self, car: Car) -> None:
        if not car.reversing:
            self.world.passed(self, car)
        self._cover(car, "safety", False)

    def _gone(self, car: Car) -> None:
        self._end(car)

    def _gone_back(self, car: Car) -> None:
        self.world.turned_back(self, car)
        self._end(car)

    def _end(self, car: Car) -> None:
        car.done = True
        if all(each.done for each in self.cars):
            self.cars = []
            self.turn += 1
            self.world.group_over(self)

    # --- loops ---------------------------------------------------------------------------------------------------

    def _cover(self, car: Car, loop: Loop, on: bool) -> None:
        car.on[loop] = on
        car.unseen[loop] = False
        if on:
            for which, after_ms, long_ms in car.drop_outs:
                if which == loop:
                    self.world.at(self.world.now_ms + after_ms, partial(self._drop, car, loop, long_ms))
        self.tell_loop(loop)

    def _drop(self, car: Car, loop: Loop, long_ms: float) -> None:
        if car.on[loop] and not car.done:
            car.unseen[loop] = True
            self.tell_loop(loop)
            self.world.at(self.world.now_ms + long_ms, lambda: self._drop_over(car, loop))

    def _drop_over(self, car: Car, loop: Loop) -> None:
        if car.on[loop] and car.unseen[loop]:
            car.unseen[loop] = False
            self.tell_loop(loop)

    def sees(self, loop: Loop) -> bool | None:
        """What the detector's output says."""
        faulty = self.world.mix.faulty_loop
        if faulty.startswith(loop):
            return {"stuck": True, "dead": False, "silent": None}[faulty.partition("_")[2]]
        return any(car.on[loop] and not car.unseen[loop] for car in self.cars)

    def tell_loop(self, loop: Loop) -> None:
        state = self.sees(loop)
        if loop in self.loops and state is not self.seen[loop]:
            self.seen[loop] = state
            self.world.tell(LoopChanged(lane=self.lane, loop=loop, occupied=state))

    # --- camera --------------------------------------------------------------------------------------------------

    def read(self, car: Car, delay_ms: float, sure: bool = False) -> None:
        random, mix = self.world.random, self.world.mix
        plate = car.plate
        if not sure and random.random() < mix.misread:
            plate = misread(plate, random)
            self.world.known_as[plate] = car.plate
        no_plate = not sure and random.random() < mix.no_plate
        event_id = self.world.new_id()
        event = PlateRead(
            lane=self.lane, read_id=self.world.new_id(), camera=f"cam-{self.lane}", event_id=event_id,
            plate_raw="_无_" if no_plate else plate, no_plate=no_plate,
        )  # fmt: skip
        self.world.at(self.world.now_ms + delay_ms, partial(self._tell_read, car, event))
        if random.random() < mix.read_twice:
            self.world.at(self.world.now_ms + delay_ms + random.uniform(50, 3_000), lambda: self.world.tell(event))

    def _tell_read(self, car: Car, event: PlateRead) -> None:
        if car.on["safety"] and not car.told:
            self.misled_ms = self.world.now_ms
        car.told = True
        self.world.tell(event)

    def triggered(self) -> None:
        """The program asks for a picture: the plate of the nearest head that the camera can see."""
        if not self.world.mix.asked:
            return
        self.advance()
        for car in self.cars:
            if not car.done and CAMERA_SEES[0] < car.x < CAMERA_SEES[1]:
                self.read(car, self.world.random.uniform(150, 400), sure=True)
                return
        if self.world.mix.arrival == "camera" and self.world.random.random() < 0.5:
            self._nobody()

    def _nobody(self) -> None:
        """Some cameras answer "no plate" to whoever asks for a picture of an empty lane."""
        world = self.world
        event = PlateRead(
            lane=self.lane, read_id=world.new_id(), camera=f"cam-{self.lane}", event_id=world.new_id(),
            plate_raw="_无_", no_plate=True,
        )  # fmt: skip
        world.at(world.now_ms + world.random.uniform(150, 400), lambda: world.tell(event))

    # --- arm -----------------------------------------------------------------------------------------------------

    def command(self, way: int) -> None:
        self.ours = True
        self._drive_arm(way)

    def _drive_arm(self, way: int) -> None:
        now_ms = self.world.now_ms
        end_ms = self.arm.move(way, now_ms)
        self.tell_limits()
        if way < 0:
            self.advance()
            for car in self.cars:
                if not car.done and car.under_arm() and self.arm.way < 0:
                    self.world.struck(self, car)
        if end_ms is not None:
            turn = self.arm.turn
            if way > 0:
                self.world.at(now_ms + max(0.0, (end_ms - now_ms) - 0.2 * self.arm.travel_ms) + 1, self.invite)
            self.world.at(end_ms, lambda: self._arrived(turn))

    def _arrived(self, turn: int) -> None:
        if turn == self.arm.turn:
            self.arm.stop(self.world.now_ms)
            self.tell_limits()
            self.invite()

    def invite(self) -> None:
        for car in self.cars:
            if car.stopped == "line" and self.arm.inviting(self.world.now_ms):
                self.world.at(self.world.now_ms + self.world.random.uniform(200, 1_500), partial(self._drive, car))

    def _drive(self, car: Car) -> None:
        if car.stopped == "line" and self.arm.inviting(self.world.now_ms):
            self.go_on(car)

    def tell_limits(self) -> None:
        if not self.limits:
            return
        height = self.arm.height_at(self.world.now_ms)
        for end in ENDS:
            state = self.lies.get(end, height >= 1.0 if end == "up" else height <= 0.0)
            if state is not self.limit[end]:
                self.limit[end] = state
                self.world.tell(LimitChanged(lane=self.lane, end=end, active=state))
