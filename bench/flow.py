"""One flow-control decision with many bookings and long control lists against the same with few, interleaved.

A decision is what an entrance asks when a car comes: control lists in force for the plate, then the judgement of the
whole rule set, and its words for the sign.
"""

from __future__ import annotations

import statistics
import time

from bench.figures import Row, spread
from edge.core.admission import LotRules, Newcomer, decide_entry
from edge.core.bookings import Terms
from edge.core.controls import Control, Controls
from edge.core.flow import Flow
from edge.core.flow_policy import Entrance, Policy
from edge.core.flow_run import Arrive, Entered, FlowRun, Left
from edge.core.lot import LotState

NOW_MS = 1_795_305_600_000
HOUR_MS = 3_600_000
STALLS = 100_000
BLOCK = 200
CARS = 20_000


class _Lot:
    """A saturated lot with so many bookings and list entries, and cars that ask: reserved, ordinary, barred."""

    def __init__(self, bookings: int, entries: int) -> None:
        self.lot = LotState(STALLS)
        policy = Policy(entrances={"in1": Entrance(), "in2": Entrance()})
        self.flow = Flow(policy, STALLS, STALLS * 8 // 10)
        for number in range(bookings):
            terms = Terms(f"粤B{number:05d}", NOW_MS - HOUR_MS, NOW_MS + HOUR_MS + number, 0)
            self.flow.bookings.lock(f"b{number}", terms, NOW_MS - HOUR_MS)
        self.controls = Controls()
        for number in range(entries):
            self.controls.put(Control(f"e{number}", f"粤C{number:05d}", "no_entry", 0, NOW_MS + HOUR_MS))
        self.flow.advance(0, NOW_MS)
        self.rules = LotRules()
        self.plates = [f"粤B{number % bookings:05d}" for number in range(BLOCK // 4)]
        self.plates += [f"粤C{number % entries:05d}" for number in range(BLOCK // 4)]
        self.plates += [f"粤A{number:05d}" for number in range(BLOCK // 2)]

    def ask(self) -> float:
        """Seconds for one block of decisions."""
        began = time.perf_counter()
        for plate in self.plates:
            decide_entry(self.lot, self.rules, self.flow, Newcomer("in2", plate), self.controls.of(plate, NOW_MS))
        return time.perf_counter() - began


def run(rounds: int) -> list[Row]:
    few, many = _Lot(10, 10), _Lot(10_000, 100_000)
    times: dict[str, list[float]] = {"few": [], "many": []}
    for _ in range(rounds):
        times["few"].append(few.ask())
        times["many"].append(many.ask())
    ratios = [a / b for a, b in zip(times["many"], times["few"], strict=True)]
    many_us = statistics.median(times["many"]) / BLOCK * 1e6
    few_us = statistics.median(times["few"]) / BLOCK * 1e6
    return [
        Row(
            "1 万预约、10 万名单, 对各 10 条 one decision, 10,000 bookings and 100,000 list entries, against 10 each",
            spread(ratios, "x"), "<= 1.3x", statistics.median(ratios) <= 1.3,
        ),
        Row("一次放行判断 one decision, many / few", f"{many_us:.1f} us / {few_us:.1f} us", "< 100 us", many_us < 100),
        _replay(),
    ]  # fmt: skip


def _replay() -> Row:
    """A day of `CARS` ordinary cars that come, enter and leave, with the queue gone through after every event."""
    run_ = FlowRun(Policy(entrances={"in1": Entrance()}), 500, 400)
    began = time.perf_counter()
    for number in range(CARS):
        t_ms = number * 3_000
        run_.feed(t_ms, Arrive("in1", f"粤B{number:05d}"))
        run_.feed(t_ms + 1_000, Entered("in1", f"粤B{number:05d}"))
        run_.feed(t_ms + 2_000, Left())
    took_s = time.perf_counter() - began
    return Row(f"{CARS:,} 辆车的规则 the rules alone for {CARS:,} cars", f"{took_s:.2f} s", "< 2 s", took_s < 2)
