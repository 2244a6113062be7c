"""Makes the next group of cars for a lane, with everything that will go wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hal_sim.virtual.car import ARRIVAL, LINE, SAFETY, Car
from hal_sim.virtual.site import Site

if TYPE_CHECKING:
    from hal_sim.virtual.world import World

SHORT_MS = (10, 140)
"""Shorter than any gap between two cars (200 ms)."""
LONG_MS = (200, 1_450)
"""Up to the hold time of 1.5 s."""
TURNS_RUNNING = 1
"""Cars running that may turn before the safety loop at one lane; with refused ones two never follow each other."""


def make_group(world: World, site: Site) -> None:
    random, mix = world.random, world.mix
    count = 1
    if random.random() < mix.second_car:
        count += 1 + (random.random() < mix.third_car)
    cars = []
    for number in range(count):
        if site.direction == "in":
            plate = world.fresh_plate()
        elif world.inside:
            plate = world.inside.pop(random.randrange(len(world.inside)))
        else:
            break
        truck = random.random() < mix.truck
        length = random.uniform(7, 12) if truck else random.uniform(2.7, 5.2)
        car = Car(plate, length, 0.0)
        car.in_group = count
        car.read = random.random() >= (mix.follower_unread if number else mix.unread)
        _plan(world, site, car, alone=count == 1)
        cars.append(car)
    if not cars:
        return
    if random.random() < mix.long_drop_out:
        car = random.choice(cars)
        if not car.turns:
            loop = random.choice(site.loops)
            car.long_drop_out = True
            car.drop_outs = [(loop, random.uniform(100, 4_000), random.uniform(*LONG_MS))]
            world.tally.drop_outs += 1
    site.start(cars)


def _plan(world: World, site: Site, car: Car, alone: bool) -> None:
    random, mix = world.random, world.mix
    stop_x = turn_x = None
    if random.random() < mix.stop:
        stop_x = random.uniform(-5.0, car.length_m + 1.0)
        car.pause_ms = random.uniform(*mix.stop_ms)
    if alone and random.random() < mix.turn:
        deep = car.length_m + ARRIVAL[1] - 0.1  # its tail is still on the arrival loop
        if mix.deep_turn and random.random() < 0.5 and deep > SAFETY[0] + 0.05:
            turn_x = random.uniform(SAFETY[0] + 0.05, deep)
            site.turned = 0
        elif site.turned < TURNS_RUNNING:
            turn_x = random.uniform(ARRIVAL[0] + 0.05, LINE - 0.02)
            site.turned += 1
    else:
        site.turned = 0
    if stop_x is not None and turn_x is not None and stop_x >= turn_x:
        stop_x = None
    seen_x = -3.5 if random.random() < mix.early_read else -2.5
    if turn_x is None and random.random() < mix.short_drop_out:
        for _ in range(random.randint(1, 3)):
            loop = random.choice(site.loops)
            car.drop_outs.append((loop, random.uniform(50, 3_000), random.uniform(*SHORT_MS)))
            world.tally.drop_outs += 1
    car.plan(stop_x, turn_x, seen_x)
