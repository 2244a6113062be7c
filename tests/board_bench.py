"""A relay board on a simulated line, with time under the hand of a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from drivers.boards.relays import BoardBarrier
from drivers.boards.waveshare import read_relays
from drivers.rs485.modbus import judge_of
from edge.config.rs485 import Board
from edge.core.events import AnyEvent, DeviceDown, DeviceUp
from hal_sim.rs485.boards import RelayBoard
from tests.rs485_bench import WITHIN_S, LineBench

OPEN, CLOSE, STOP = 0, 1, 2
BOARD = Board(id="board", line="bus", model="waveshare_relay_d", poll_ms=20, answer_ms=400)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class BoardBench(LineBench):
    def __init__(self, folder: Path) -> None:
        self.board_clock, self.clock = Clock(), Clock()
        self.board = RelayBoard(1, self.board_clock)
        super().__init__(folder, self.board)
        self.barrier = BoardBarrier("in1", BOARD, self.line, OPEN, CLOSE, STOP, 500, mono_s=self.clock)

    def until(self, look: Callable[[], bool]) -> None:
        pause, ends_s = threading.Event(), time.monotonic() + WITHIN_S
        while not look():
            assert time.monotonic() < ends_s
            pause.wait(0.002)

    def fault(self, code: str = "barrier_down") -> AnyEvent:
        """The next that is told of this one."""
        while True:
            event = self.events.get(timeout=WITHIN_S)
            if isinstance(event, DeviceDown | DeviceUp) and event.code == code:
                return event

    def settle(self) -> None:
        """All that was asked until now is done."""
        done = threading.Event()
        question = read_relays(1)
        self.line.submit(self.exchange("x", question, judge_of(question), told=lambda *_: done.set()))
        assert done.wait(WITHIN_S)

    def start(self) -> None:
        """Board, line and barrier, all relays found off."""
        self.open()
        self.barrier.open(self.events.put)
        self.until(lambda: not self.line.down and self.barrier._on_until_s[CLOSE] == 0.0)
        self.until(lambda: sum(frame[1:2] == b"\x01" for frame in self.bus.heard) > 0)  # read back
        self.settle()
        self.until(lambda: not self.barrier._down)
        while not self.events.empty():
            self.events.get_nowait()
