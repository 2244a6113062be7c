"""One contract, two modules under the driver: the tests' fake and the simulator's `RPi.GPIO` over its socket.

On a bench the same contract would run over the real module; nothing here knows which one it is.
"""

from __future__ import annotations

import queue
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.gpio import GpioBoard
from edge.config.model import Barrier, Camera, Gpio, Lane, Loops
from edge.core.events import AnyEvent, LoopChanged
from tests.gpio_fake import FakeGpio
from tests.pin_bench import WITHIN_S, PinBench, simulated

OPEN, CLOSE, ARRIVAL, SAFETY = 17, 27, 23, 24
LANE = Lane(
    id="in1", name="入口", number=1, direction="in",
    barrier=Barrier(open_pin=OPEN, close_pin=CLOSE, active="high"),
    loops=Loops(arrival_pin=ARRIVAL, safety_pin=SAFETY, debounce_ms=5),
    camera=(Camera(id="c", vendor="vz", addresses=("127.0.0.1",)),),
)  # fmt: skip


@pytest.fixture(params=["fake", "simulated"])
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[PinBench]:
    if request.param == "fake":
        fake = FakeGpio()
        bench = PinBench(fake.drive)
        fake.watch = lambda pin, level: bench.changes.put((pin, level))
        monkeypatch.setitem(sys.modules, "RPi.GPIO", fake)
        yield bench
        return
    with simulated(monkeypatch, tmp_path) as bench:
        yield bench


@pytest.fixture
def board(bench: PinBench) -> Iterator[tuple[GpioBoard, queue.Queue[AnyEvent]]]:
    for pin in (ARRIVAL, SAFETY):
        bench.drive(pin, 1)
    events: queue.Queue[AnyEvent] = queue.Queue()
    board = GpioBoard(Gpio(), [LANE])
    board.open(events.put)
    yield board, events
    board.close()


def test_opening_leaves_every_relay_off(bench: PinBench, board: tuple[GpioBoard, queue.Queue[AnyEvent]]) -> None:
    seen = [bench.changes.get(timeout=WITHIN_S) for _ in range(2)]
    assert sorted(seen) == [(OPEN, 0), (CLOSE, 0)]
    assert bench.changes.empty()


def test_a_pulse_ends_by_itself(bench: PinBench, board: tuple[GpioBoard, queue.Queue[AnyEvent]]) -> None:
    board[0].barrier("in1").raise_arm()
    bench.until(OPEN, 1)
    bench.until(OPEN, 0)


def test_open_after_close_is_never_both(bench: PinBench, board: tuple[GpioBoard, queue.Queue[AnyEvent]]) -> None:
    barrier = board[0].barrier("in1")
    barrier.lower_arm()
    bench.until(CLOSE, 1)
    barrier.raise_arm()
    assert bench.until(OPEN, 1) == [(CLOSE, 0), (OPEN, 1)]


def test_loops_are_told(bench: PinBench, board: tuple[GpioBoard, queue.Queue[AnyEvent]]) -> None:
    events = board[1]
    first = [events.get(timeout=WITHIN_S) for _ in range(2)]
    assert LoopChanged(lane="in1", loop="safety", occupied=False) in first
    bench.drive(SAFETY, 0)
    assert events.get(timeout=WITHIN_S) == LoopChanged(lane="in1", loop="safety", occupied=True)
    bench.drive(SAFETY, 1)
    assert events.get(timeout=WITHIN_S) == LoopChanged(lane="in1", loop="safety", occupied=False)


def test_closing_cuts_a_running_pulse(bench: PinBench, board: tuple[GpioBoard, queue.Queue[AnyEvent]]) -> None:
    board[0].barrier("in1").raise_arm()
    bench.until(OPEN, 1)
    board[0].close()
    bench.until(OPEN, 0)
