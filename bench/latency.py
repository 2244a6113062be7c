"""From a camera's first byte to the OPEN relay, decision durable, against a bare threaded server (`bench.floor`).

Both take the same event, turn by turn. The paced rows send it as a 100 Mbit/s link would, with the plate before the
picture: there the box need not wait for the body, and the floor does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Row, percentile
from bench.process import Process, sim_gpio_environment
from bench.rig import QUIET_S, Rig, running
from bench.wire import send

FLOOR_PIN = 27
WARM_ROUNDS = 3
"""The first rounds give files their size and modules their code: not counted on either side."""


class Pair:
    """The box and the floor side by side."""

    def __init__(self, rig: Rig, floor_port: int) -> None:
        self._rig, self._floor_port = rig, floor_port
        self.ours_ms: list[float] = []
        self.floor_ms: list[float] = []

    def rounds(self, events: int, *, plate_first: bool, paced: bool) -> None:
        per_round = len(self._rig.bays)
        for number in range(WARM_ROUNDS + -(-events // per_round)):
            if number == WARM_ROUNDS:
                self.ours_ms.clear()
                self.floor_ms.clear()
            self._round(plate_first, paced)

    def _round(self, plate_first: bool, paced: bool) -> None:
        self._rig.arrive()
        for bay in self._rig.bays:
            request = bay.request(self._rig.plate(), plate_first=plate_first)
            time.sleep(QUIET_S)
            self.ours_ms.append(bay.push_and_raise(request, paced=paced))
            time.sleep(QUIET_S)
            self.floor_ms.append(self._floor(request, paced))
        self._rig.drive_through()

    def _floor(self, request: bytes, paced: bool) -> float:
        began_ns = send(self._floor_port, request, paced=paced)
        return (self._rig.wires.edge_ns(FLOOR_PIN) - began_ns) / 1e6


def _figure(ours_ms: list[float], floor_ms: list[float], share: float) -> tuple[float, str]:
    mine, theirs = percentile(ours_ms, share), percentile(floor_ms, share)
    return mine / theirs, f"{mine / theirs:.2f}x ({mine:.2f} ms against {theirs:.2f} ms, {len(ours_ms)} events)"


@contextmanager
def bare_server(folder: Path, rig: Rig) -> Iterator[int]:
    """`bench.floor` beside the box, on the same simulated pins; its port."""
    command = [sys.executable, "-m", "bench.floor", str(rig.site.config.with_name("floor.db")), str(FLOOR_PIN)]
    with Process(command, folder / "floor.log", sim_gpio_environment(rig.site.gpio_socket)) as floor:
        yield int(floor.line.split()[1])


def run(folder: Path, *, events: int, paced_events: int) -> list[Row]:
    rows: list[Row] = []
    with running(folder / "latency", ["in"] * 4) as rig:
        rig.wires.listen(FLOOR_PIN)
        with bare_server(folder, rig) as floor_port:
            pair = Pair(rig, floor_port)
            pair.rounds(events, plate_first=False, paced=False)
            for share, name, goal in ((0.5, "p50", 2.0), (0.99, "p99", 3.0)):
                ratio, text = _figure(pair.ours_ms, pair.floor_ms, share)
                rows.append(Row(
                    f"camera push (400 KB, picture first) to relay, decision durable, {name}", text,
                    f"<= {goal:g}x of the bare threaded server", ratio <= goal,
                ))
            pair.rounds(events // 2, plate_first=True, paced=False)
            for share, name in ((0.5, "p50"), (0.99, "p99")):
                rows.append(Row(
                    f"the same, plate before picture, {name}", _figure(pair.ours_ms, pair.floor_ms, share)[1]
                ))
            pair.rounds(paced_events, plate_first=True, paced=True)
            ratio, text = _figure(pair.ours_ms, pair.floor_ms, 0.5)
            rows.append(Row(
                "the same, sender paced to 100 Mbit/s, plate before picture, p50", text,
                "<= 0.1x of a server that waits for the body", ratio <= 0.1,
            ))
            rows.append(Row("the same, p99", _figure(pair.ours_ms, pair.floor_ms, 0.99)[1]))
    return rows
