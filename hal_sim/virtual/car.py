"""Cars as geometry. x is metres along the lane, 0 is the arm, cars drive towards +x; a car is its head and its length.

    -------------[== arrival ==]--------|line|--[== safety ==]-----------> x
                -3            -2       -0.8    -0.5   arm   0.5
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

ARRIVAL = (-3.0, -2.0)
SAFETY = (-0.5, 0.5)
LINE = -0.8
"""Where a driver stops before an arm that is not up."""
ARM = -0.1
"""A head beyond this is under the arm until its tail is 0.1 m behind it."""
START = -7.0
SPEED = (0.7, 2.5)
"""m/s: 9 km/h is fast for a lane with an arm."""
BACK = (0.5, 1.5)
"""m/s in reverse, out of a lane: walking pace."""
GAP = 1.5
"""m bumper to bumper, the closest anybody follows."""


class Car:
    """`points` are the head positions at which something happens, in driving order; `at` is the next of them."""

    def __init__(self, plate: str, length_m: float, x: float) -> None:
        self.plate = plate
        self.length_m = length_m
        self.x = x
        self.points: list[tuple[float, str]] = []
        self.at = 0
        self.stopped = ""  # "line": waits for the arm; "pause": stands for its own reasons
        self.done = False
        self.reversing = False
        self.on = {"arrival": False, "safety": False}
        self.unseen = {"arrival": False, "safety": False}
        self.drop_outs: list[tuple[str, float, float]] = []  # loop, ms after it was covered, ms long
        self.pause_ms = 0.0
        self.turns = False
        self.long_drop_out = False
        self.read = True
        self.told = False  # one read of it at least was told
        self.in_group = 1
        self.held_ms = 0.0
        self.passed_ms = -1e9

    def plan(self, stop_x: float | None, turn_x: float | None, seen_x: float) -> None:
        length = self.length_m
        points = [
            (seen_x, "seen"), (ARRIVAL[0], "arrival_on"), (LINE, "line"), (SAFETY[0], "safety_on"), (ARM, "under"),
            (ARRIVAL[1] + length, "arrival_off"), (-ARM + length, "clear"), (SAFETY[1] + length, "safety_off"),
            (SAFETY[1] + length + 0.5, "gone"),
        ]  # fmt: skip
        if stop_x is not None:
            points.append((stop_x, "pause"))
        if turn_x is not None:
            points = [point for point in points if point[0] < turn_x]
            points.append((turn_x, "turn"))
            self.turns = True
        self.points = sorted(points)

    def turn_back(self) -> None:
        """From here on backwards, the way it came."""
        self.reversing = True
        ends = [(ARM, "clear"), (SAFETY[0], "safety_off"), (ARRIVAL[0], "arrival_off"), (START - 1, "gone_back")]
        self.points = [point for point in ends if point[0] < self.x]
        self.at = 0

    def under_arm(self) -> bool:
        return self.x > ARM and self.x - self.length_m < -ARM


class Arm:
    """The arm and its limit switches. `height` 0 is down, 1 is up; `way` is what it does now."""

    def __init__(self, travel_ms: float, down: bool = True) -> None:
        self.travel_ms = travel_ms
        self.height = 0.0 if down else 1.0
        self.way = 0
        self.since_ms = 0.0
        self.turn = 0  # grows with every command: a planned end of an older movement is void

    def move(self, way: int, now_ms: float) -> float | None:
        """Start moving; the time of its end, None if it is there already."""
        self.height = self.height_at(now_ms)
        self.since_ms = now_ms
        self.turn += 1
        left = 1.0 - self.height if way > 0 else self.height
        self.way = way if left > 0 else 0
        return now_ms + left * self.travel_ms if left > 0 else None

    def stop(self, now_ms: float) -> None:
        self.height = 1.0 if self.way > 0 else 0.0
        self.way = 0
        self.since_ms = now_ms

    def height_at(self, now_ms: float) -> float:
        return min(1.0, max(0.0, self.height + self.way * (now_ms - self.since_ms) / self.travel_ms))

    def inviting(self, now_ms: float) -> bool:
        """A driver goes."""
        return self.way >= 0 and self.height_at(now_ms) > 0.8


LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
ALIKE = {"0": "D", "D": "0", "8": "B", "B": "8", "5": "S", "S": "5", "2": "Z", "Z": "2"}


def plates(random: Random) -> Callable[[], str]:
    """A source of plates, none twice."""
    used: set[str] = set()

    def fresh() -> str:
        while True:
            number = random.randrange(100_000)
            plate = f"{random.choice('鲁京沪粤')}{random.choice(LETTERS)}{number:05d}"
            if plate not in used:
                used.add(plate)
                return plate

    return fresh


def misread(plate: str, random: Random) -> str:
    """One look-alike character taken for the other, if the plate has one."""
    places = [i for i, char in enumerate(plate) if char in ALIKE]
    if not places:
        return plate
    i = random.choice(places)
    return plate[:i] + ALIKE[plate[i]] + plate[i + 1 :]
