"""The day's cars: who comes when, booked or not, how long it stays and waits. Drawn once for all rule sets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import NamedTuple

from hal_sim.plan.scenario import Scenario, seconds


class Booking(NamedTuple):
    """All in seconds since midnight; `made_s` may be before it."""

    made_s: float
    from_s: float
    until_s: float
    keep_min: float


class Car(NamedTuple):
    """`number` names it; `choice` in 0..1 picks its entrance among those that take it, whatever the rule set."""

    number: int
    arrives_s: float
    choice: float
    booking: Booking | None
    comes: bool
    astray: bool
    stay_s: float
    patience_s: float


def draw(scenario: Scenario) -> list[Car]:
    """All cars of the day by the moment they come (or would have come), the earliest first."""
    random = Random(scenario.seed)
    closes_s = seconds(scenario.close)
    cars = []
    for number, wished_s in enumerate(_moments(scenario, random), 1):
        reserved = random.random() < scenario.reserved.share
        make = _reserved if reserved else _ordinary
        car = make(scenario, random, number, wished_s)
        if car.arrives_s < closes_s or car.booking is not None:
            cars.append(car)
    return sorted(cars, key=lambda car: car.arrives_s)


def _moments(scenario: Scenario, random: Random) -> Iterator[float]:
    """A Poisson process along the arrival curve: at the highest rate, thinned down to the curve."""
    points = [(seconds(point.at), point.per_hour / 3600) for point in scenario.arrivals]
    for (begin_s, begin_rate), (end_s, end_rate) in pairwise(points):
        highest = max(begin_rate, end_rate)
        at_s = begin_s
        while highest > 0:
            at_s += random.expovariate(highest)
            if at_s >= end_s:
                break
            rate = begin_rate + (end_rate - begin_rate) * (at_s - begin_s) / (end_s - begin_s)
            if random.random() * highest < rate:
                yield at_s


def _reserved(scenario: Scenario, random: Random, number: int, wished_s: float) -> Car:
    rules = scenario.reserved
    window_s = rules.window_min * 60
    from_s = wished_s // window_s * window_s
    made_s = from_s - random.random() * rules.ahead_min * 60
    late_s = random.gauss(rules.late_mean_min, rules.late_sd_min) * 60
    comes = random.random() >= rules.no_show
    return Car(
        number,
        max(seconds(scenario.open), made_s, wished_s + late_s),  # nobody comes before booking
        random.random(),
        Booking(made_s, from_s, from_s + window_s, rules.keep_min),
        comes,
        False,
        _stay_s(random, rules.stay_median_min, rules.stay_spread),
        rules.patience_min * 60,
    )


def _ordinary(scenario: Scenario, random: Random, number: int, wished_s: float) -> Car:
    rules = scenario.ordinary
    astray = random.random() < rules.astray
    stay_s = _stay_s(random, rules.stay_median_min, rules.stay_spread)
    return Car(number, wished_s, random.random(), None, True, astray, stay_s, rules.patience_min * 60)


def _stay_s(random: Random, median_min: float, spread: float) -> float:
    """Log-normal, as stays in public car parks roughly are; a minute at least."""
    return max(60.0, 60 * median_min * math.exp(random.gauss(0, spread)))
