"""One contract over every driver that reads loops: pins (over two modules) and a board's inputs.

The lane takes "unknown" for occupied; what it must never hear is a clear that is none.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.boards.inputs import BoardInputs, Wire
from drivers.gpio import GpioBoard
from edge.config.model import Barrier, Camera, Gpio, Lane, Loops
from edge.core.events import AnyEvent, DeviceDown, DeviceUp, LoopChanged
from hal_sim.rs485.boards import RelayBoard
from tests.board_bench import BOARD
from tests.gpio_fake import FakeGpio
from tests.pin_bench import simulated
from tests.rs485_bench import LineBench

WITHIN_S = 10.0
ARRIVAL, SAFETY = 23, 24
REST_MS = 60
INPUTS = {ARRIVAL: 2, SAFETY: 3}


class LoopRig:
    """Loops of a lane: `drive` their contacts, `fail` and `mend` what reads them, `told` is what the lane hears."""

    def __init__(self, drive: Callable[[int, bool], None], fail: Callable[[], None] | None, mend: Callable[[], None]):
        self.drive, self.fail, self.mend = drive, fail, mend
        self.events: queue.Queue[AnyEvent] = queue.Queue()
        self.now_ms = 0
        self.faults: list[AnyEvent] = []

    def told(self) -> tuple[str, bool | None]:
        while True:
            event = self.events.get(timeout=WITHIN_S)
            if isinstance(event, LoopChanged):
                assert event.lane == "in1"
                return event.loop, event.occupied
            self.faults.append(event)

    def until_fault(self, kind: type[DeviceDown | DeviceUp]) -> None:
        pause, ends_s = threading.Event(), time.monotonic() + WITHIN_S
        while not any(isinstance(event, kind) for event in self.faults):
            assert time.monotonic() < ends_s
            with contextlib.suppress(queue.Empty):
                self.faults.append(self.events.get_nowait())
            pause.wait(0.002)

    def rested(self) -> None:
        self.now_ms += REST_MS


@contextlib.contextmanager
def pins(module: str, patch: pytest.MonkeyPatch, folder: Path) -> Iterator[LoopRig]:
    lane = Lane(
        id="in1", name="入口", number=1, direction="in", barrier=Barrier(open_pin=17),
        loops=Loops(arrival_pin=ARRIVAL, safety_pin=SAFETY, debounce_ms=REST_MS),
        camera=(Camera(id="c", vendor="vz", addresses=("127.0.0.1",)),),
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        if module == "fake":
            fake = FakeGpio()
            patch.setitem(sys.modules, "RPi.GPIO", fake)
            drive: Callable[[int, int], None] = fake.drive
            rig = LoopRig(lambda pin, on: drive(pin, not on), lambda: fake.broken.add(SAFETY), fake.broken.clear)
        else:
            drive = stack.enter_context(simulated(patch, folder)).drive
            rig = LoopRig(lambda pin, on: drive(pin, not on), None, lambda: None)
        for pin in (ARRIVAL, SAFETY):
            drive(pin, 1)
        board = GpioBoard(Gpio(), [lane], mono_ms=lambda: rig.now_ms)
        board.open(rig.events.put)
        try:
            yield rig
        finally:
            board.close()


@contextlib.contextmanager
def inputs(folder: Path) -> Iterator[LoopRig]:
    board = RelayBoard(1)
    bench = LineBench(folder, board)

    def drive(pin: int, on: bool) -> None:
        board.inputs[INPUTS[pin]] = on

    def mute(on: bool) -> None:
        board.muted = on

    rig = LoopRig(drive, lambda: mute(True), lambda: mute(False))
    wires = [
        Wire(INPUTS[pin], True, REST_MS, lambda on, loop=loop: LoopChanged(lane="in1", loop=loop, occupied=on))  # type: ignore[misc]
        for pin, loop in ((ARRIVAL, "arrival"), (SAFETY, "safety"))
    ]
    driver = BoardInputs(BOARD, bench.line, wires, mono_ms=lambda: rig.now_ms)
    bench.open()
    driver.open(rig.events.put)
    try:
        yield rig
    finally:
        driver.close()
        bench.close()


@pytest.fixture(params=["fake", "simulated", "board"])
def loops(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopRig]:
    made = inputs(tmp_path) if request.param == "board" else pins(request.param, monkeypatch, tmp_path)
    with made as rig:
        assert {rig.told(), rig.told()} == {("arrival", False), ("safety", False)}  # the present state comes first
        yield rig


def test_occupied_is_told_at_once_and_clear_after_a_rest(loops: LoopRig) -> None:
    for pin, loop in ((SAFETY, "safety"), (ARRIVAL, "arrival")):
        loops.drive(pin, True)
        assert loops.told() == (loop, True)
        loops.drive(pin, False)
        loops.drive(pin, True)
        loops.rested()
        loops.drive(pin, False)  # the rest begins now
        ends_s = time.monotonic() + WITHIN_S
        while loops.events.empty():
            assert time.monotonic() < ends_s
            threading.Event().wait(0.002)
            loops.now_ms += 1
        assert loops.told() == (loop, False)


def test_a_clear_that_does_not_rest_is_never_told(loops: LoopRig) -> None:
    """Time stands still: whatever the contact does, it has not rested."""
    loops.drive(SAFETY, True)
    assert loops.told() == ("safety", True)
    for _ in range(50):
        loops.drive(SAFETY, False)
        loops.drive(SAFETY, True)
    loops.drive(SAFETY, False)
    loops.drive(ARRIVAL, True)  # a sign that it is looked at
    assert loops.told() == ("arrival", True)
    assert loops.events.empty()


def test_what_cannot_be_read_is_unknown_with_its_fault_and_comes_back(loops: LoopRig) -> None:
    if loops.fail is None:
        pytest.skip("this module cannot be made to fail")
    loops.drive(SAFETY, True)
    assert loops.told() == ("safety", True)
    loops.fail()
    told = loops.told()
    while told[0] != "safety":
        told = loops.told()
    assert told == ("safety", None)
    loops.until_fault(DeviceDown)
    loops.mend()
    told = loops.told()
    while told[0] != "safety":
        told = loops.told()
    assert told == ("safety", True)
    loops.until_fault(DeviceUp)
    faults = [event for event in loops.faults if isinstance(event, DeviceDown | DeviceUp)]
    assert {event.code for event in faults} == {"loops_down"}
