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
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mix:
    """Likelihoods in 0..1; times in ms."""

    second_car: float = 0.22
    third_car: float = 0.25  # given a second one
    stop: float = 0.10
    stop_ms: tuple[float, float] = (300, 45_000)
    turn: float = 0.04
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
LYING = Mix(lying_limit=0.3)
# Whoever stands under an arm whose safety loop is dead has the long hold and no more: nobody can know of it.
DEAD = Mix(faulty_loop="safety_dead", stop_ms=(300, 6_000), long_drop_out=0, short_drop_out=0, turn=0.02, counts=False)
STUCK = Mix(faulty_loop="safety_stuck", counts=False)
SILENT = Mix(faulty_loop="safety_silent", counts=False)
ARRIVAL_STUCK = Mix(faulty_loop="arrival_stuck", counts=False, stop_ms=(300, 6_000))
FAULTY = {"lying limit": LYING, "dead safety loop": DEAD, "stuck safety loop": STUCK, "silent safety loop": SILENT,
          "stuck arrival loop": ARRIVAL_STUCK}  # fmt: skip
