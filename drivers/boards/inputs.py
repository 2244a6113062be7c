"""Loops and limit switches on the inputs of a board: polled, debounced, and unknown as soon as the board is silent.

    poll ──► occupied at the first look that says so; clear when it has rested for debounce_ms
    MISSES polls without a whole answer ──► nobody knows (the lane takes it for occupied), fault loops_down

A line that is not there is that at once. The board's control modes are looked at when it is first heard: in any but 0
an edge of a loop would move a relay without the lane's word; such a mode is set right, and the log says so. A board
that refuses the question has no modes.

After a miss the first answer may be the late one to the question before it: "clear" is believed from the second on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from drivers.boards import waveshare
from drivers.debounce import Contact
from drivers.rs485 import modbus
from drivers.rs485.agenda import Poll
from drivers.rs485.exchange import Exchange, Outcome, Urgency
from drivers.rs485.line import SerialLine
from edge.config.rs485 import Board
from edge.core.events import AnyEvent, DeviceDown, DeviceUp
from edge.ports import Emit

log = logging.getLogger("parkbox.boards")

MISSES = 3
"""One damaged answer on a long cable is no reason to keep an arm up; three in a row are."""


class Wire(NamedTuple):
    """One input: what it means when it is on, off or unknown."""

    number: int
    active_on: bool
    debounce_ms: int
    event: Callable[[bool | None], AnyEvent]


class BoardInputs:
    """All inputs of one board that lanes use."""

    def __init__(
        self, board: Board, line: SerialLine, wires: Sequence[Wire], *,
        mono_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:  # fmt: skip
        self._board, self._line, self._mono_ms = board, line, mono_ms
        self._wires = [(wire, Contact(wire.debounce_ms)) for wire in wires]
        self._emit: Emit | None = None
        self._missed = 0
        self._told_down = False
        self._heard = False
        self._request = waveshare.read_inputs(board.address)
        self._judge = modbus.judge_of(self._request)

    def open(self, emit: Emit) -> None:
        """The first look reports the present state of every input."""
        self._emit = emit
        self._line.add_poll(Poll(self._make, self._board.poll_ms / 1000))

    def close(self) -> None:
        """Nothing is told any more: the end of the line is no fault of its inputs."""
        self._emit = None

    def _make(self) -> Exchange:
        return Exchange(
            device=f"{self._board.id}.inputs", request=self._request, judge=self._judge, urgency=Urgency.POLL,
            wait_s=self._board.answer_ms / 1000, done=self.told,
        )  # fmt: skip

    def told(self, outcome: Outcome, reply: bytes) -> None:
        """One look, on the line's thread."""
        if outcome != "answered" or modbus.refused(reply):
            self._missed = MISSES if outcome == "gone" else self._missed + 1
            if self._missed >= MISSES:
                self._down(outcome)
            return
        late, self._missed = self._missed > 0, 0
        states = modbus.bits(reply, waveshare.COUNT)
        self._up()
        if not self._heard:
            self._heard = True
            self._line.submit(self._exchange(waveshare.read_modes(self._board.address), self._modes))
        for wire, contact in self._wires:
            active = states[wire.number] == wire.active_on
            if active or not late:
                self._see(wire, contact, active)

    def _exchange(self, request: bytes, done: Callable[[Outcome, bytes], None]) -> Exchange:
        return Exchange(
            device=self._board.id, request=request, judge=modbus.judge_of(request), urgency=Urgency.NOW,
            wait_s=self._board.answer_ms / 1000, done=done,
        )  # fmt: skip

    def _modes(self, outcome: Outcome, reply: bytes) -> None:
        if outcome == "answered" and modbus.refused(reply) in modbus.NEVER:
            log.info("board %s: no control modes (exception %d)", self._board.id, modbus.refused(reply))
            return
        if outcome != "answered" or modbus.refused(reply):
            self._heard = False  # asked again after the next look
            return
        for relay, mode in enumerate(modbus.words(reply)):
            if mode:
                log.warning("board %s: relay %d was in control mode %d, set to 0", self._board.id, relay, mode)
                request = waveshare.set_mode(self._board.address, relay)
                self._line.submit(self._exchange(request, lambda outcome, reply: None))
                self._heard = False  # and looked at again

    def _down(self, outcome: Outcome) -> None:
        self._heard = False  # another board may be plugged in
        if not self._told_down and (emit := self._emit) is not None:
            self._told_down = True
            detail = f"{self._line.id}: {outcome}"
            emit(DeviceDown(code="loops_down", device=self._board.id, detail=detail))
        for wire, contact in self._wires:
            self._see(wire, contact, None)

    def _up(self) -> None:
        if self._told_down and (emit := self._emit) is not None:
            self._told_down = False
            emit(DeviceUp(code="loops_down", device=self._board.id))

    def _see(self, wire: Wire, contact: Contact, active: bool | None) -> None:
        emit = self._emit
        if contact.see(active, self._mono_ms()) and emit is not None:
            emit(wire.event(contact.reported))
