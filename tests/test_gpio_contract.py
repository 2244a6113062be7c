"""One contract, two modules under the driver: the tests' fake and the simulator's `RPi.GPIO` over its socket.

On a bench the same contract would run over the real module; nothing here knows which one it is.
"""

from __future__ import annotations

import contextlib
import importlib.util
import queue
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import hal_sim
from drivers.gpio import GpioBoard
from edge.config.model import Barrier, Camera, Gpio, Lane, Loops
from edge.core.events import AnyEvent, LoopChanged
from hal_sim.site.gpio_server import GpioServer
from hal_sim.site.pins import PinBank
from tests.gpio_fake import FakeGpio

MODULE = Path(hal_sim.__file__).parent / "rpi" / "RPi" / "GPIO.py"
WITHIN_S = 5.0
OPEN, CLOSE, ARRIVAL, SAFETY = 17, 27, 23, 24
LANE = Lane(
    id="in1", name="入口", number=1, direction="in",
    barrier=Barrier(open_pin=OPEN, close_pin=CLOSE, active="high"),
    loops=Loops(arrival_pin=ARRIVAL, safety_pin=SAFETY, debounce_ms=5),
    camera=(Camera(id="c", vendor="vz", addresses=("127.0.0.1",)),),
)  # fmt: skip


class Bench:
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


@pytest.fixture(params=["fake", "simulated"])
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "fake":
        fake = FakeGpio()
        bench = Bench(fake.drive)
        fake.watch = lambda pin, level: bench.changes.put((pin, level))
        monkeypatch.setitem(sys.modules, "RPi.GPIO", fake)
        yield bench
        return
    with simulated(monkeypatch, tmp_path) as bench:
        yield bench


@contextlib.contextmanager
def simulated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bench]:
    """The simulator's module as `RPi.GPIO`, its pins behind a socket."""
    pins = PinBank()
    bench = Bench(pins.drive)
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


@pytest.fixture
def board(bench: Bench) -> Iterator[tuple[GpioBoard, queue.Queue[AnyEvent]]]:
    for pin in (ARRIVAL, SAFETY):
        bench.drive(pin, 1)
    events: queue.Queue[AnyEvent] = queue.Queue()
    board = GpioBoard(Gpio(), [LANE])
    board.open(events.put)
    yield board, events
    board.close()


def test_opening_leaves_every_relay_off(bench: Bench, board: tuple[GpioBoard, queue.Queue[AnyEvent]]) -> None:
    seen = [bench.changes.get(timeout=WITHIN_S) for _ in range(2)]
    assert sorted(seen) == [(OPEN, 0), (CLOSE, 0)]
    assert bench.changes.empty()


def test_a_pulse_ends_by_itself(bench: Bench, board: tuple[GpioBoard, queue.Queue[AnyEvent]]) -> None:
    board[0].barrier("in1").raise_arm()
    bench.until(OPEN, 1)
    bench.until(OPEN, 0)


def test_open_after_close_is_never_both(bench: Bench, board: tuple[GpioBoard, queue.Queue[AnyEvent]]) -> None:
    barrier = board[0].barrier("in1")
    barrier.lower_arm()
    bench.until(CLOSE, 1)
    barrier.raise_arm()
    assert bench.until(OPEN, 1) == [(CLOSE, 0), (OPEN, 1)]


def test_loops_are_told(bench: Bench, board: tuple[GpioBoard, queue.Queue[AnyEvent]]) -> None:
    events = board[1]
    first = [events.get(timeout=WITHIN_S) for _ in range(2)]
    assert LoopChanged(lane="in1", loop="safety", occupied=False) in first
    bench.drive(SAFETY, 0)
    assert events.get(timeout=WITHIN_S) == LoopChanged(lane="in1", loop="safety", occupied=True)
    bench.drive(SAFETY, 1)
    assert events.get(timeout=WITHIN_S) == LoopChanged(lane="in1", loop="safety", occupied=False)


def test_closing_cuts_a_running_pulse(bench: Bench, board: tuple[GpioBoard, queue.Queue[AnyEvent]]) -> None:
    board[0].barrier("in1").raise_arm()
    bench.until(OPEN, 1)
    board[0].close()
    bench.until(OPEN, 0)
