"""One lane of the simulated site on a relay and input board, its sign on the same line: no header pin of the box.

    site's contacts (PinBank) ──► the board's inputs       the board's relays ──► the arm's contacts (PinBank)

The line takes the time of a real one (`hal_sim.rs485.bus`). A hurried site is six times as fast as a real one, and so
is its line. What does not hurry is the arm: polls and answers keep their milliseconds, and an arm that fell in a
quarter of a second would be down before any line could tell of a car.
"""

from __future__ import annotations

import threading
import time

from hal_sim.rs485.boards import RelayBoard
from hal_sim.site.lane import LanePins
from hal_sim.site.pins import PinBank

BAUD, HURRIED_BAUD = 9600, 57600
POLL_MS, HURRIED_POLL_MS = 50, 20
ANSWER_MS, HURRIED_ANSWER_MS = 100, 400
"""Of board and sign; they share their processor with everything else."""
REACTION_S = 0.6
"""A CLOSE this soon after the safety loop became occupied was given before the box could know: a look at the inputs, a
text of the sign on the wire, the order's two exchanges, with room for a busy machine."""
HEADWAY_MORE_S = 0.4
"""Drivers keep so much more distance here. A loop that is clear for 0.27 s between two cars can be missed by a line
that looks every 0.2 to 0.36 s while a sign is talking: to such a lane they are one long vehicle (docs/rs485.md)."""
ARM_TRAVEL_S = 1.0
"""The fastest arms of parking lots."""
LOOK_S = 0.005
ARRIVAL, SAFETY, LIMIT_UP, LIMIT_DOWN = range(4)
OPEN, CLOSE = range(2)
SECTION = """
[[board]]
id = "board-{lane}"
line = "rs485-{lane}"
model = "waveshare_relay_d"
poll_ms = {poll_ms}
answer_ms = {answer_ms}
"""
BARRIER = """driver = "board"
board = "board-{lane}"
open_relay = 0
close_relay = 1
limit_up_input = 2
limit_down_input = 3
"""
LOOPS = """driver = "board"
board = "board-{lane}"
arrival_input = 0
safety_input = 1
"""


class BoardRun:
    """`device` hangs on the lane's bus; `wire` joins it to the site."""

    def __init__(self, lane: str, *, hurried: bool) -> None:
        self.lane = lane
        self.baud = HURRIED_BAUD if hurried else BAUD
        self._poll_ms = HURRIED_POLL_MS if hurried else POLL_MS
        self.answer_ms = HURRIED_ANSWER_MS if hurried else ANSWER_MS
        self.device = RelayBoard()
        self._lock = threading.Lock()
        self._moved = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="board", daemon=True)

    def section(self) -> str:
        return SECTION.format(lane=self.lane, poll_ms=self._poll_ms, answer_ms=self.answer_ms)

    def barrier(self) -> str:
        return BARRIER.format(lane=self.lane)

    def loops(self) -> str:
        return LOOPS.format(lane=self.lane)

    def wire(self, bank: PinBank, pins: LanePins) -> None:
        """A contact of the site that is closed (low) reads on."""
        assert pins.close is not None
        assert pins.limit_up is not None
        assert pins.limit_down is not None
        self._bank = bank
        self._relays = {OPEN: pins.open, CLOSE: pins.close}
        self._inputs = {pins.arrival: ARRIVAL, pins.safety: SAFETY}
        self._inputs |= {pins.limit_up: LIMIT_UP, pins.limit_down: LIMIT_DOWN}
        for pin in self._inputs:
            self._input(pin, bank.level(pin))
        bank.input_watchers.append(self._input)
        self.device.on_write = self._written
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._moved.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _input(self, pin: int, level: int) -> None:
        """No lock: the site holds its own, and the board only ever reads."""
        if pin in self._inputs:
            self.device.inputs[self._inputs[pin]] = level == 0

    def _written(self) -> None:
        self._move()
        self._moved.set()

    def _watch(self) -> None:
        """The board ends its pulses by itself."""
        running = False
        while not self._stopping.is_set():
            self._moved.wait(LOOK_S if running else None)
            self._moved.clear()
            running = self._move()

    def _move(self) -> bool:
        """The contacts as the board has them, those that fall off first. True: one of them was told as closed."""
        with self._lock:
            found = {relay: self.device.on(relay) for relay in self._relays}
            for relay in sorted(found, key=lambda relay: found[relay]):
                self._bank.write(self._relays[relay], int(found[relay]), time.monotonic_ns())
            return any(found.values())
