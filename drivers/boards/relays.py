"""A barrier on three relays of a board: `edge.ports.BarrierPort`, never blocking, and never OPEN with CLOSE.

    raise_arm  ──► CLOSE off ──► OPEN flash-on ──► read back: is OPEN closed, and nothing else?
                    └─ no answer: the whole order again, at most TRIES times, then the fault barrier_down

A contact whose pulse may still run is switched off first, and only a board that says so gets the other pulse: while
nobody knows whether CLOSE is off, OPEN stays off. A pulse that the board has surely ended costs no such question: the
arm goes up after one exchange. An order replaces one that is under way. The fault ends with the next order
that is carried out, or with the look that the board is asked for every second while it lasts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from drivers.boards import waveshare
from drivers.rs485 import modbus
from drivers.rs485.agenda import Poll
from drivers.rs485.exchange import Exchange, Outcome, Urgency
from drivers.rs485.line import SerialLine
from edge.config.rs485 import Board
from edge.core.events import DeviceDown, DeviceUp
from edge.ports import DeviceError, Emit

log = logging.getLogger("parkbox.boards")

TRIES = 3
LOOK_S = 1.0
SLACK_S = 0.5
"""The board counts its pulses by its own clock."""
ORDER_LIVES_S = 2.0
"""An order that could not be carried out by then is dropped: nobody waits for an arm any more (invariant 5)."""


class _Step(NamedTuple):
    request: bytes
    check: Callable[[bytes], bool]


class BoardBarrier:
    """`open_relay` and the others count from 0; None: not wired."""

    def __init__(  # noqa: PLR0917 - one barrier's wiring
        self, lane_id: str, board: Board, line: SerialLine, open_relay: int, close_relay: int | None,
        stop_relay: int | None, pulse_ms: int, *, mono_s: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._lane_id, self._board, self._line, self._mono_s = lane_id, board, line, mono_s
        self._open, self._close, self._stop = open_relay, close_relay, stop_relay
        self._relays = [relay for relay in (open_relay, close_relay, stop_relay) if relay is not None]
        self._pulse_ms = pulse_ms
        self._emit: Emit | None = None
        self._lock = threading.Lock()
        self._order = 0  # the newest; what belongs to an older one is not gone on with
        self._down = ""
        self._on_until_s = dict.fromkeys(self._relays, float("inf"))  # may be closed until then, as far as we know

    def open(self, emit: Emit) -> None:
        """Every relay of this barrier off. A board that does not answer is the fault barrier_down, told when known."""
        self._emit = emit
        self._line.add_poll(Poll(self._look, LOOK_S))
        self._begin(None)

    def close(self) -> None:
        """Every relay of this barrier off, before the line is closed. Nothing is told any more: it is no fault."""
        self._emit = None
        with self._lock:
            self._order += 1
        done = threading.Event()
        steps = [waveshare.off(self._board.address, relay) for relay in self._relays]
        left = len(steps)

        def told(outcome: Outcome, _reply: bytes) -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set()

        self._line.submit(*(self._exchange(step, told) for step in steps))
        if not done.wait(ORDER_LIVES_S):
            log.warning("board %s: nobody knows whether its relays are off", self._board.id)

    def raise_arm(self) -> None:
        self._begin(self._open)

    def lower_arm(self) -> None:
        if self._close is not None:  # two-wire barriers close by themselves
            self._begin(self._close)

    def stop_arm(self) -> None:
        if self._stop is not None:
            self._begin(self._stop)

    # --- one order -------------------------------------------------------------------------------------------------

    def _begin(self, relay: int | None, after: int | None = None) -> None:
        """`after`: only if no order came behind this one."""
        if relay is not None and (down := self._line.down):
            self._tell(down)
            raise DeviceError(self._board.id, f"line {self._line.id}: {down}")
        with self._lock:
            if after is not None and after != self._order:
                return
            self._order += 1
            order, steps = self._order, self._steps(relay)
        self._go(order, steps, 0, 1, self._mono_s())

    def _steps(self, relay: int | None) -> list[_Step]:
        address = self._board.address
        now_s = self._mono_s()
        made = [
            _Step(waveshare.off(address, other), lambda reply, other=other: self._ended(reply, other))  # type: ignore[misc]
            for other in self._relays
            if other != relay and (relay is None or self._on_until_s[other] > now_s)
        ]
        wanted: set[int] = set()
        if relay is not None:
            self._on_until_s[relay] = now_s + ORDER_LIVES_S + self._pulse_ms / 1000 + SLACK_S
            made.append(_Step(waveshare.flash_on(address, relay, self._pulse_ms), _accepted))
            wanted = {relay}
        made.append(_Step(waveshare.read_relays(address), lambda reply: self._reads(reply, wanted)))
        return made

    def _ended(self, reply: bytes, relay: int) -> bool:
        if modbus.refused(reply):
            return False
        self._on_until_s[relay] = 0.0
        return True

    def _reads(self, reply: bytes, wanted: set[int]) -> bool:
        """What the board says of this barrier's relays."""
        if modbus.refused(reply):
            return False
        states = modbus.bits(reply, waveshare.COUNT)
        return {relay for relay in self._relays if states[relay]} == wanted

    def _go(self, order: int, steps: list[_Step], number: int, tries: int, since_s: float) -> None:
        def told(outcome: Outcome, reply: bytes) -> None:
            with self._lock:
                if order != self._order:
                    return
                done = outcome == "answered" and steps[number].check(reply)
            if done:
                if number + 1 < len(steps):
                    self._go(order, steps, number + 1, tries, since_s)
                else:
                    self._tell("")
                return
            detail = outcome if outcome != "answered" else f"answered {reply.hex(' ')}"
            if tries < TRIES and outcome != "gone" and self._mono_s() - since_s < ORDER_LIVES_S:
                log.warning("board %s: %s, once more", self._board.id, detail)
                self._go(order, steps, 0, tries + 1, since_s)
            else:
                self._tell(detail)

        self._line.submit(self._exchange(steps[number].request, told))

    def _exchange(self, request: bytes, told: Callable[[Outcome, bytes], None], now: bool = True) -> Exchange:
        return Exchange(
            device=self._board.id, request=request, judge=modbus.judge_of(request),
            urgency=Urgency.NOW if now else Urgency.POLL, wait_s=self._board.answer_ms / 1000, done=told,
        )  # fmt: skip

    def _look(self) -> Exchange:
        """Every second: a board that comes back ends the fault, with every relay off, if no order came meanwhile."""
        with self._lock:
            order = self._order

        def told(outcome: Outcome, _reply: bytes) -> None:
            if outcome == "answered" and self._down:
                self._begin(None, after=order)
            elif outcome in {"silent", "gone"} and not self._down:
                self._tell(outcome)

        return self._exchange(waveshare.read_relays(self._board.address), told, now=False)

    def _tell(self, down: str) -> None:
        emit = self._emit
        before, self._down = self._down, down
        if emit is None or bool(before) == bool(down):
            return
        if down:
            log.error("board %s: %s", self._board.id, down)
            emit(DeviceDown(lane=self._lane_id, code="barrier_down", device=self._board.id, detail=down))
        else:
            emit(DeviceUp(lane=self._lane_id, code="barrier_down", device=self._board.id))


def _accepted(reply: bytes) -> bool:
    return not modbus.refused(reply)
