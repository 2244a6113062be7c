"""The price of a long visit by a tariff with day and night."""

from __future__ import annotations

import statistics
import time

from bench.figures import Row
from edge.core.tariff_engine import DAY_MS, visit_fen
from edge.core.tariff_plan import ClassPrice, Rate, TariffPlan

BLOCK = 500
BEGAN_MS = 1_795_395_600_000


def run(rounds: int) -> list[Row]:
    return [_price(rounds)]


def _price(rounds: int) -> Row:
    """30 days by calendar days with two rates, a night's cap and a day's: the dearest form to reckon."""
    rates = (Rate(30, 200, 480, 1200), Rate(60, 100, 1200, 480, 500))
    plan = TariffPlan(ClassPrice(rates, 60, 500, 3000), free_min=15, day="calendar")
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        for number in range(BLOCK):
            visit_fen(plan, "small", BEGAN_MS, 30 * DAY_MS + number * 61_000)
        times.append((time.perf_counter() - began) / BLOCK * 1e6)
    price_us = statistics.median(times)
    return Row("30 天停车计费 price of a 30-day visit", f"{price_us:.1f} us", "< 50 us", price_us < 50)
