"""A sign at one end of a line and its driver at the other, for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from drivers.rs485.exchange import Outcome
from drivers.signs.sign import Face, LaneSign
from edge.config.rs485 import Sign
from hal_sim.rs485.signs import SimSign
from tests.rs485_bench import WITHIN_S, LineBench


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class SignBench(LineBench):
    def __init__(self, folder: Path, settings: Sign, device: SimSign) -> None:
        super().__init__(folder, device)  # type: ignore[arg-type]
        self.device, self.clock = device, Clock()
        self.sign = LaneSign("in1", settings, self.line, mono_s=self.clock)
        self.open()
        self.sign.open(self.events.put)

    def show(self, *rows: str, say: str = "") -> Outcome:
        told: list[Outcome] = []
        done = threading.Event()

        def tell(outcome: Outcome) -> None:
            told.append(outcome)
            done.set()

        self.sign.show(Face(rows, say), tell)
        assert done.wait(WITHIN_S)
        return told[0]

    def until(self, look: Callable[[], bool]) -> None:
        pause, ends_s = threading.Event(), time.monotonic() + WITHIN_S
        while not look():
            assert time.monotonic() < ends_s
            pause.wait(0.005)
