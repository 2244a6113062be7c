"""What kind of traffic and weather: every likelihood in one place, per car or per group of cars unless it says so.

The limits are the sharpest that two loops can answer (`edge.core.lane_traffic` says what they cannot):
- Short drop-outs come often on both loops. Long ones, up to the hold time, on one loop of one car of a group: with two
  of them under one arm at once the pulses are the very same as those of one car more or fewer.
- A car reverses only while it still covers the arrival loop, and not three times running at one lane before the safety
  loop: that is what a dead loop looks like, and the box then says so.
- No crash while a car with a long drop-out is in the lane: what the drop-out ended early is on record as through, and
  after a restart nothing tells the car that stands there from another one.
- A camera that is asked for a picture reads the plate right: after a crash with a car on each loop nothing else tells
  whether they are two.
- A crash in a group of several cars has no missing seconds. A crash with two or more cars between the loops, with a
  car that reverses, with a dead disk, or with a limit switch that lies just then may leave the count off by one: a loop
  says "occupied" and not by whom. Such differences are not hidden, they are counted apart (`lost_in_crash`).

Without arrival loop (`CAMERA`) one safety loop and a camera answer less (`edge.core.lane_loopless`), and in that world:
- No drop-out of the safety loop is longer than a short one: each pulse is a vehicle, so a longer gap in a truck counts
  it twice. Nothing tells it from a car on its tail that was not read, which must not be lost.
- No car reverses from the safety loop: its pulse is that of one that went through.
- A car that reverses out before it is on record for up to 33 s (`pass_ms`, and asking the camera). A crash meanwhile
  is one of those of which nobody can know, and an unread car that goes through meanwhile has its plate (`misnamed`).
  So is a second crash within 40 s: the car that the camera was asked for at the start may have been under the arm.
  So is one within 40 s of the first read of a car on the safety loop: it is taken for the car behind it.
- Cameras answer when they are asked. `PUSH_ONLY` ones do not: strikes are counted there and no differences of counts
  (after a crash one unread car can be taken for the one before it).
- With a dead safety loop nothing at all sees a car that was not read, so in that world the program does not crash: its
  start is the one time when it closes an arm that it has not raised.
`GAPS` is the world with such drop-outs and cars, where nobody may be struck.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Mix:
    """Likelihoods in 0..1; times in ms."""

    arrival: Literal["loop", "camera"] = "loop"  # what tells of arrivals, at every lane
    asked: bool = True  # cameras answer when they are asked for a picture
    second_car: float = 0.22
    third_car: float = 0.25  # given a second one
    stop: float = 0.10
    stop_ms: tuple[float, float] = (300, 45_000)
    turn: float = 0.04
    deep_turn: bool = True  # also from the safety loop
    truck: float = 0.08
    short_drop_out: float = 0.25
    long_drop_out: float = 0.06
    unread: float = 0.04
    follower_unread: float = 0.4
    read_twice: float = 0.05
    misread: float = 0.02
    no_plate: float = 0.02
    early_read: float = 0.5
    crash: float = 0.03
    down_ms: float = 2_000
    slow_disk: float = 0.01
    dead_disk: float = 0.002
    emergency: float = 0.002
    order: float = 0.02
    lying_limit: float = 0.0
    faulty_loop: str = ""  # safety_stuck, safety_dead, safety_silent, arrival_stuck: counting is then impossible
    counts: bool = True


CALM = Mix(stop=0, turn=0, short_drop_out=0, long_drop_out=0, crash=0, slow_disk=0, dead_disk=0, emergency=0, order=0)
USUAL = Mix()
CAMERA = Mix(arrival="camera", deep_turn=False, long_drop_out=0)
PUSH_ONLY = replace(CAMERA, asked=False, counts=False)
GAPS = Mix(arrival="camera", counts=False)
LYING = Mix(lying_limit=0.3)
# Whoever stands under an arm whose safety loop is dead has the long hold and no more: nobody can know of it.
DEAD = Mix(faulty_loop="safety_dead", stop_ms=(300, 6_000), long_drop_out=0, short_drop_out=0, turn=0.02, counts=False)
STUCK = Mix(faulty_loop="safety_stuck", counts=False)
SILENT = Mix(faulty_loop="safety_silent", counts=False)
ARRIVAL_STUCK = Mix(faulty_loop="arrival_stuck", counts=False, stop_ms=(300, 6_000))
FAULTY = {"lying limit": LYING, "dead safety loop": DEAD, "stuck safety loop": STUCK, "silent safety loop": SILENT,
          "stuck arrival loop": ARRIVAL_STUCK}  # fmt: skip
FAULTY_CAMERA = {
    "cameras that only push": PUSH_ONLY,
    "what a safety loop alone cannot tell": GAPS,
    **{name: replace(mix, arrival="camera", deep_turn=False, long_drop_out=0)
       for name, mix in FAULTY.items() if mix is not ARRIVAL_STUCK},
    "dead safety loop": replace(DEAD, arrival="camera", deep_turn=False, crash=0),
}  # fmt: skip
