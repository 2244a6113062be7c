"""A line on a pseudo terminal with simulated devices, for tests. Nothing sleeps: whoever waits has a deadline."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drivers.rs485.exchange import Exchange, Judge, Outcome, Urgency
from drivers.rs485.line import SerialLine
from edge.config.rs485 import Line
from edge.core.events import AnyEvent
from hal_sim.rs485.bus import Bus, Device

WITHIN_S = 10.0
VECTORS = Path(__file__).parent / "vectors" / "rs485"


def vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    return found


class LineBench:
    """Bus and line. `told` are the outcomes of `ask`, in order."""

    def __init__(self, folder: Path, *devices: Device, baud: int = 115200, echo: bool = False) -> None:
        self.bus = Bus(folder / "tty", devices)
        self.events: queue.Queue[AnyEvent] = queue.Queue()
        self.told: queue.Queue[tuple[str, Outcome, bytes]] = queue.Queue()
        settings = Line(id="bus", device=str(self.bus.path), baud=baud, gap_ms=0, echo=echo)  # type: ignore[arg-type]
        self.line = SerialLine(settings)

    def open(self) -> None:
        self.bus.plug()
        self.line.open(self.events.put)

    def close(self) -> None:
        self.bus.gate.set()
        self.line.close()
        self.bus.unplug()

    def exchange(  # noqa: PLR0917 - an exchange's own members
        self, device: str, request: bytes, judge: Judge | None, urgency: Urgency = Urgency.NOW, wait_s: float = 1.0,
        told: Callable[[Outcome, bytes], None] = lambda outcome, reply: None,
    ) -> Exchange:  # fmt: skip
        def done(outcome: Outcome, reply: bytes) -> None:
            self.told.put((device, outcome, reply))
            told(outcome, reply)

        return Exchange(device, request, judge, urgency, wait_s, done)

    def outcome(self) -> tuple[str, Outcome, bytes]:
        return self.told.get(timeout=WITHIN_S)
