"""`parkbox plan`: how fast a day passes. 20,000 cars at four entrances under one rule set, and what a second does."""

from __future__ import annotations

import time

from bench.figures import Row, spread
from hal_sim.plan.cars import draw
from hal_sim.plan.day import Day
from hal_sim.plan.flow_rules import FlowRules
from hal_sim.plan.scenario import Arrivals, Entrance, Lot, RuleSet, Scenario

CARS = 20_000
GOAL_S = 2.0
POINTS = (("00:00", 520), ("12:00", 1200), ("23:59", 520))


def scenario() -> Scenario:
    """A day and night at a lot of 4,000 stalls, 833 cars an hour on average: saturated for most of it."""
    return Scenario(
        name_zh="两万辆车", name_en="20,000 cars", open="00:00", close="23:59", lot=Lot(total=4000, parked=500),
        entrance=tuple(Entrance(id=name, name=name, pass_s=6, gap_s=2) for name in "abcd"),
        arrivals=tuple(Arrivals(at=at, per_hour=cars) for at, cars in POINTS),
        rules=(RuleSet(name_zh="标准", name_en="the standard"),),
    )  # fmt: skip


def run(rounds: int) -> list[Row]:
    day = scenario()
    cars = draw(day)[:CARS]
    took_s = []
    admitted = 0
    for _ in range(rounds):
        begin_s = time.process_time()  # one thread that waits for nothing: what others do here is not its time
        log = Day(day, day.rules[0], cars, FlowRules(day, day.rules[0])).run()
        took_s.append(time.process_time() - begin_s)
        admitted = log.reserved.admitted + log.ordinary.admitted
    best_s = min(took_s)
    return [
        Row(
            f"plan: {len(cars)} cars under one rule set, processor time",
            f"{spread(took_s)} s",
            f"< {GOAL_S:g} s",
            best_s < GOAL_S,
        ),
        Row("plan: cars a second", f"{len(cars) / best_s:,.0f} ({admitted} admitted)"),
    ]
