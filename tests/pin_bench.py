"""The outside of a box's pins for tests: what drives its inputs and sees its outputs."""

from __future__ import annotations

import contextlib
import importlib.util
import queue
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import hal_sim
from hal_sim.site.gpio_server import GpioServer
from hal_sim.site.pins import PinBank

MODULE = Path(hal_sim.__file__).parent / "rpi" / "RPi" / "GPIO.py"
WITHIN_S = 5.0


class PinBench:
    """The outside of the pins: `drive` an input; `changes` of outputs as (pin, level), a released one is 0."""

    def __init__(self, drive: Callable[[int, int], None]) -> None:
        self.drive = drive
        self.changes: queue.Queue[tuple[int, int]] = queue.Queue()

    def until(self, pin: int, level: int) -> list[tuple[int, int]]:
        """Everything seen up to and including this change."""
        seen = []
        while (pin, level) not in seen:
            seen.append(self.changes.get(timeout=WITHIN_S))
        return seen


@contextlib.contextmanager
def simulated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[PinBench]:
    """The simulator's module as `RPi.GPIO`, its pins behind a socket."""
    pins = PinBank()
    bench = PinBench(pins.drive)
    pins.output_watchers.append(lambda pin, level, _ns: bench.changes.put((pin, level or 0)))
    server = GpioServer(tmp_path / "gpio.sock", pins)
    server.start()
    monkeypatch.setenv("PARKBOX_SIM_GPIO", str(tmp_path / "gpio.sock"))
    spec = importlib.util.spec_from_file_location("RPi.GPIO", MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "RPi.GPIO", module)
    spec.loader.exec_module(module)
    yield bench
    server.stop()
    if module._chip.sock is not None:
        module._chip.sock.close()  # as the end of the process does
