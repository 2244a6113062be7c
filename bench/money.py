"""Price of a long visit by a tariff with day and night, and one plate among many cards and lists (processor time)."""

from __future__ import annotations

import statistics
import time

from bench.figures import Row, spread
from edge.core.admission import LotRules, Newcomer, decide_entry
from edge.core.cards import Cards
from edge.core.controls import Control, Controls
from edge.core.facts import Fact, Stamp
from edge.core.facts_money import CardCar, CardSet, CardTerms
from edge.core.flow import Flow
from edge.core.flow_policy import Entrance, Policy
from edge.core.lot import LotState
from edge.core.tariff_engine import DAY_MS, visit_fen
from edge.core.tariff_plan import ClassPrice, Rate, TariffPlan

BLOCK = 500
BEGAN_MS = 1_795_395_600_000


def run(rounds: int) -> list[Row]:
    return [_price(rounds), _plates(rounds)]


class _Books:
    """A lot with so many cards and as many entries of lists, and cars that ask: on a card, on a list, on neither."""

    def __init__(self, size: int) -> None:
        self.lot, self.rules = LotState(1_000), LotRules()
        self.flow = Flow(Policy(entrances={"in": Entrance()}), 1_000, 0)
        self.cards, self.controls = Cards(), Controls()
        stamp = Stamp("boot", 0, BEGAN_MS, synced=True)
        for number in range(size):
            card = CardSet(
                card_id=f"k{number}", operation="open", cars=(CardCar(f"鲁B{number:06d}"),), places=1, from_ms=0,
                until_ms=BEGAN_MS * 2, terms=CardTerms(),
            )  # fmt: skip
            self.cards.apply(Fact(f"{number:032x}", "", stamp, card))
            self.controls.put(Control(f"e{number}", f"鲁C{number:06d}", "no_entry", 0, BEGAN_MS * 2))
        self.plates = [f"鲁B{number * 7919 % size:06d}" for number in range(BLOCK // 4)]
        self.plates += [f"鲁C{number * 7919 % size:06d}" for number in range(BLOCK // 4)]
        self.plates += [f"鲁A{number:06d}" for number in range(BLOCK // 2)]

    def ask(self) -> float:
        began = time.thread_time()
        for plate in self.plates:
            decide_entry(
                self.lot, self.rules, self.flow, Newcomer("in", plate), self.controls.of(plate, BEGAN_MS),
                self.cards.standing(plate, BEGAN_MS),
            )  # fmt: skip
        return time.thread_time() - began


def _plates(rounds: int) -> Row:
    few, many = _Books(100), _Books(100_000)
    ratios = []
    for _ in range(rounds):
        many_s = many.ask()
        ratios.append(many_s / few.ask())
    median = statistics.median(ratios)
    name = "20 万月卡与名单中查一个车牌, 对 200 a plate among 200,000 cards and list entries, against 200"
    return Row(name, spread(ratios, "x"), "<= 1.3x", median <= 1.3)


def _price(rounds: int) -> Row:
    """30 days by calendar days with two rates, a night's cap and a day's: the dearest form to reckon."""
    rates = (Rate(30, 200, 480, 1200), Rate(60, 100, 1200, 480, 500))
    plan = TariffPlan(ClassPrice(rates, 60, 500, 3000), free_min=15, day="calendar")
    times = []
    for _ in range(rounds):
        began = time.thread_time()
        for number in range(BLOCK):
            visit_fen(plan, "small", BEGAN_MS, 30 * DAY_MS + number * 61_000)
        times.append((time.thread_time() - began) / BLOCK * 1e6)
    price_us = statistics.median(times)
    return Row("30 天停车计费 price of a 30-day visit", f"{price_us:.1f} us", "< 50 us", price_us < 50)
