"""A relay and input board on a line: pulses that the board ends, read-back, inputs, and what silence means."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.boards.inputs import MISSES, BoardInputs, Wire
from drivers.boards.waveshare import steps
from edge.core.events import AnyEvent, DeviceDown, DeviceUp, LoopChanged
from edge.ports import BarrierPort, DeviceError
from hal_sim.rs485.boards import RelayBoard
from tests.board_bench import BOARD, CLOSE, OPEN, BoardBench
from tests.rs485_bench import WITHIN_S, LineBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[BoardBench]:
    bench = BoardBench(tmp_path)
    bench.start()
    yield bench
    bench.close()


def test_it_is_a_barrier_port(bench: BoardBench) -> None:
    port: BarrierPort = bench.barrier
    port.raise_arm()
    bench.until(lambda: bench.board.on(OPEN))
    assert bench.board.closed == [OPEN]


def test_the_board_ends_the_pulse_by_itself(bench: BoardBench) -> None:
    """Nothing is sent to end it: the box may be dead by then."""
    bench.barrier.raise_arm()
    bench.until(lambda: bench.board.on(OPEN))
    bench.line.close()
    bench.board_clock.now_s += 0.499
    assert bench.board.on(OPEN)
    bench.board_clock.now_s += 0.002
    assert not bench.board.on(OPEN)


def test_open_right_after_close_is_never_both(bench: BoardBench) -> None:
    bench.barrier.lower_arm()
    bench.until(lambda: bench.board.on(CLOSE))
    bench.barrier.raise_arm()
    bench.until(lambda: bench.board.on(OPEN))
    assert not bench.board.on(CLOSE)
    assert bench.board.both == 0
    assert bench.board.closed == [CLOSE, OPEN]


def test_open_waits_until_the_board_says_that_close_is_off(bench: BoardBench) -> None:
    bench.barrier.lower_arm()
    bench.until(lambda: bench.board.on(CLOSE))
    bench.bus.weather = lambda reply: b""  # it obeys, and nobody hears it
    bench.barrier.raise_arm()
    down = bench.fault()
    assert isinstance(down, DeviceDown)
    assert (down.lane, down.device, down.detail) == ("in1", "board", "silent")
    assert bench.board.closed == [CLOSE]


def test_a_pulse_that_is_surely_over_costs_no_question(bench: BoardBench) -> None:
    """One exchange from the order to the contact."""
    before = len(bench.bus.heard)
    bench.barrier.raise_arm()
    bench.until(lambda: bench.board.on(OPEN))
    flash = next(n for n, frame in enumerate(bench.bus.heard[before:]) if frame[1:4] == b"\x05\x02\x00")
    assert all(frame[1] != 5 for frame in bench.bus.heard[before : before + flash])


def test_a_lost_reply_is_asked_again(bench: BoardBench) -> None:
    lost: list[bytes] = []

    def weather(reply: bytes) -> bytes:
        if reply[1] != 5 or lost:  # the answer to the pulse, and not to a look
            return reply
        lost.append(reply)
        return b""

    bench.bus.weather = weather
    bench.barrier.raise_arm()
    bench.until(lambda: bench.board.closed == [OPEN, OPEN])
    bench.settle()
    assert bench.events.empty()


def test_a_relay_that_does_not_move_is_a_fault_until_it_does(bench: BoardBench) -> None:
    """The echo says "accepted"; only the read-back says "closed"."""
    bench.board.stuck = {OPEN}
    bench.barrier.raise_arm()
    down = bench.fault()
    assert isinstance(down, DeviceDown)
    assert down.detail.startswith("answered 01 01 01 00")
    bench.board.stuck = set()
    bench.barrier.raise_arm()
    assert bench.fault() == DeviceUp(lane="in1", code="barrier_down", device="board")


def test_an_order_into_a_dead_line_is_told_at_once(bench: BoardBench) -> None:
    bench.bus.unplug()
    bench.until(lambda: bool(bench.line.down))
    with pytest.raises(DeviceError, match="bus"):
        bench.barrier.raise_arm()
    bench.bus.plug()
    assert isinstance(bench.fault(), DeviceDown)
    assert isinstance(bench.fault(), DeviceUp)
    assert bench.board.closed == []  # the old order is not carried out


def test_closing_leaves_every_relay_off(bench: BoardBench) -> None:
    bench.barrier.raise_arm()
    bench.until(lambda: bench.board.on(OPEN))
    bench.barrier.close()
    assert not any(bench.board.on(relay) for relay in range(8))


@pytest.mark.parametrize(("pulse_ms", "count"), [(100, 1), (500, 5), (700, 7), (3000, 30), (501, 6)])
def test_a_pulse_is_never_shorter_than_asked(pulse_ms: int, count: int) -> None:
    assert steps(pulse_ms) == count


# --- inputs ----------------------------------------------------------------------------------------------------------


def loop(active: bool | None) -> LoopChanged:
    return LoopChanged(lane="in1", loop="safety", occupied=active)


class InputBench(LineBench):
    def __init__(self, folder: Path) -> None:
        self.board = RelayBoard(1)
        super().__init__(folder, self.board)
        self.inputs = BoardInputs(BOARD, self.line, [Wire(3, True, 0, loop)])
        self.inputs.open(self.events.put)

    def next(self) -> AnyEvent:
        return self.events.get(timeout=WITHIN_S)


@pytest.fixture
def inputs(tmp_path: Path) -> Iterator[InputBench]:
    bench = InputBench(tmp_path)
    bench.open()
    yield bench
    bench.close()


def test_the_present_state_is_told_first_and_then_every_change(inputs: InputBench) -> None:
    assert inputs.next() == loop(False)
    inputs.board.inputs[3] = True
    assert inputs.next() == loop(True)
    inputs.board.inputs[3] = False
    assert inputs.next() == loop(False)


def test_a_silent_board_is_nobody_knows_and_comes_back(inputs: InputBench) -> None:
    assert inputs.next() == loop(False)
    inputs.board.muted = True
    down = inputs.next()
    assert isinstance(down, DeviceDown)
    assert (down.code, down.device, down.detail) == ("loops_down", "board", "bus: silent")
    assert inputs.next() == loop(None)
    inputs.board.muted = False
    assert inputs.next() == DeviceUp(code="loops_down", device="board")
    assert inputs.next() == loop(False)


def test_an_adapter_pulled_out_is_nobody_knows(inputs: InputBench) -> None:
    assert inputs.next() == loop(False)
    inputs.bus.unplug()
    seen = [inputs.next() for _ in range(3)]
    assert loop(None) in seen
    assert {event.code for event in seen if isinstance(event, DeviceDown)} == {"line_down", "loops_down"}
    inputs.bus.plug()
    while inputs.next() != loop(False):
        pass


def test_damage_is_borne_a_few_times_only(tmp_path: Path) -> None:
    """Fed by hand: no line."""
    bench = InputBench(tmp_path)
    reply = bench.board.hear(bytes.fromhex("01 02 00 00 00 08 79 CC"))
    assert reply is not None
    bench.inputs.told("answered", reply)
    assert bench.events.get_nowait() == loop(False)
    for _ in range(MISSES - 1):
        bench.inputs.told("damaged", b"?")
    assert bench.events.empty()
    bench.inputs.told("damaged", b"?")
    assert isinstance(bench.events.get_nowait(), DeviceDown)
    assert bench.events.get_nowait() == loop(None)


def test_after_a_miss_clear_is_believed_from_the_second_answer_on(tmp_path: Path) -> None:
    """The first one may be the late answer to the question before it; "occupied" is believed at once."""
    bench = InputBench(tmp_path)
    question = bytes.fromhex("01 02 00 00 00 08 79 CC")
    clear = bench.board.hear(question)
    bench.board.inputs[3] = True
    occupied = bench.board.hear(question)
    assert clear is not None
    assert occupied is not None
    for outcome, reply, told in (
        ("answered", occupied, [loop(True)]),
        ("silent", b"", []),
        ("answered", clear, []),
        ("answered", clear, [loop(False)]),
        ("silent", b"", []),
        ("answered", occupied, [loop(True)]),
    ):
        bench.inputs.told(outcome, reply)  # type: ignore[arg-type]
        assert [bench.events.get_nowait() for _ in range(bench.events.qsize())] == told


def test_a_control_mode_that_would_move_relays_is_set_right(tmp_path: Path) -> None:
    bench = InputBench(tmp_path)
    bench.board.modes = [0, 1, 0, 0, 0, 0, 0, 2]
    bench.open()
    try:
        pause, ends_s = threading.Event(), time.monotonic() + WITHIN_S
        while any(bench.board.modes):
            assert time.monotonic() < ends_s
            pause.wait(0.005)
    finally:
        bench.close()
