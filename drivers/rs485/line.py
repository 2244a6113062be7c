"""One line, one owner, one thread: it alone writes and reads, asks one device at a time and keeps the gaps.

    wire  ___|question|____|reply|__gap__|question|____________(wait over)__gap__|question|…
                      '─ wait_s ─'                '── wait_s ──' silent

An adapter that is pulled out is a fault and not the end: the port is opened again every second, by its name. What
waits meanwhile is told "gone" at once, so that nobody acts on an order of a minute ago (DESIGN 5, invariant 5).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from drivers.rs485.agenda import Agenda, Poll
from drivers.rs485.exchange import Counts, Exchange, Outcome
from drivers.rs485.port import Port, SerialPort
from edge.config.rs485 import Line
from edge.core.events import DeviceDown, DeviceUp
from edge.ports import Emit

log = logging.getLogger("parkbox.rs485")

AGAIN_S = 1.0
"""Between two tries to open a port that is not there."""

QUIET_S = 0.03
"""Bytes came, no reply among them, and then none for so long: damaged. USB adapters hand bytes over every 16 ms."""
FRAME_BYTES = 4
"""Fewer are no frame of anybody: a glitch of the driver that turns round, and the reply may still come."""

CHARS_GAP = 3.5
"""Modbus over serial line 2.5.1.1: silence between frames; from 19200 baud on it is fixed."""
GAP_FAST_S = 0.00175


def char_s(line: Line) -> float:
    """Time of one character on the wire: start bit, 8 data bits, parity, stop bits."""
    return (9 + (line.parity != "N") + line.stop_bits) / line.baud


def gap_s(line: Line) -> float:
    return max(line.gap_ms / 1000, GAP_FAST_S if line.baud > 19200 else CHARS_GAP * char_s(line))


class SerialLine:
    """`submit` from any thread; what came of it is told on the line's own."""

    def __init__(
        self,
        line: Line,
        *,
        open_port: Callable[[Line], Port] | None = None,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = line.id
        self._line, self._mono_s = line, mono_s
        self._open_port = open_port or _open
        self._agenda = Agenda()
        self._counts: dict[str, Counts] = {}
        self._change = threading.Condition()
        self._stopping = False
        self._emit: Emit | None = None
        self._port: Port | None = None
        self._down = ""  # why the port is not there
        self._free_s = 0.0  # the wire is at rest long enough from here on
        self._thread = threading.Thread(target=self._run, name=f"line-{line.id}", daemon=True)

    # --- for whoever uses the line -----------------------------------------------------------------------------

    def submit(self, *exchanges: Exchange) -> None:
        """In this order, and for one urgency with nobody else's between them."""
        with self._change:
            stopped = self._stopping
            if not stopped:
                for exchange in exchanges:
                    self._agenda.put(exchange)
                self._change.notify()
        if stopped:
            for exchange in exchanges:
                exchange.done("gone", b"")

    def add_poll(self, poll: Poll) -> None:
        with self._change:
            self._agenda.add_poll(poll)
            self._change.notify()

    def counts(self) -> dict[str, Counts]:
        """Of every device that was asked."""
        with self._change:
            return {device: Counts(c.asked, c.answered, c.silent, c.damaged, c.sent)
                    for device, c in self._counts.items()}

    @property
    def alive(self) -> bool:
        """False when a mistake of ours has ended the line's thread: whoever owns the program ends it then."""
        return self._thread.is_alive()

    @property
    def down(self) -> str:
        """Why the port is not there, "" while it is."""
        return self._down

    def open(self, emit: Emit) -> None:
        """Never raises: a port that cannot be opened is a fault, and is tried again."""
        self._emit = emit
        self._thread.start()

    def close(self) -> None:
        """What is on the wire ends, what waits is told "gone"."""
        with self._change:
            self._stopping = True
            self._change.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    # --- the owner's thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            if self._port is None and not self._opened():
                self._refuse()
                with self._change:
                    if not self._stopping:
                        self._change.wait(AGAIN_S)
                continue
            try:
                exchange = self._next(self._port)
            except OSError as error:
                self._lost(error)
                continue
            if exchange is not None:
                self._carry_out(exchange)
        self._shut()
        self._refuse()

    def _opened(self) -> bool:
        try:
            self._port = self._open_port(self._line)
        except (OSError, ValueError) as error:  # ValueError: pyserial's word for a setting that the port cannot do
            self._tell_down(str(error))
            return False
        if self._down:
            log.warning("line %s: %s is back", self.id, self._line.device)
            self._down = ""
            if self._emit is not None:
                self._emit(DeviceUp(code="line_down", device=self.id))
        return True

    def _tell_down(self, why: str) -> None:
        if not self._down:
            log.error("line %s: %s: %s", self.id, self._line.device, why)
            if self._emit is not None:
                self._emit(DeviceDown(code="line_down", device=self.id, detail=why))
        self._down = why or "?"

    def _next(self, port: Port | None) -> Exchange | None:
        """What is most urgent, taken when the wire is free: an order that comes in the gap goes before a text."""
        assert port is not None
        self._wait_due()
        while not self._stopping and (rest_s := self._free_s - self._mono_s()) > 0:
            if port.read(rest_s):  # somebody still talks: late, or to nobody
                self._free_s = self._mono_s() + gap_s(self._line)
        with self._change:
            return None if self._stopping else self._agenda.take(self._mono_s())

    def _wait_due(self) -> None:
        with self._change:
            while not self._stopping:
                due_s, now_s = self._agenda.due_s(), self._mono_s()
                if due_s is not None and due_s <= now_s:
                    return
                self._change.wait(None if due_s is None else due_s - now_s)

    def _carry_out(self, exchange: Exchange) -> None:
        assert self._port is not None
        outcome: Outcome
        try:
            outcome, reply = self._ask(self._port, exchange)
        except OSError as error:
            self._lost(error)
            outcome, reply = "gone", b""
        with self._change:
            self._counts.setdefault(exchange.device, Counts()).add(outcome)
        exchange.done(outcome, reply)

    def _ask(self, port: Port, exchange: Exchange) -> tuple[Outcome, bytes]:
        port.discard()
        port.write(exchange.request)
        wire_s = len(exchange.request) * char_s(self._line)
        start_s = self._mono_s()
        got = b""
        outcome: Outcome = "sent"
        if exchange.judge is None:
            self._free_s = start_s + wire_s + gap_s(self._line)
            return outcome, got
        outcome, got = self._listen(port, exchange, start_s + wire_s + exchange.wait_s)
        self._free_s = self._mono_s() + gap_s(self._line)
        return outcome, got

    def _listen(self, port: Port, exchange: Exchange, until_s: float) -> tuple[Outcome, bytes]:
        assert exchange.judge is not None
        got = b""
        skip = len(exchange.request) if self._line.echo else 0
        quiet_from_s = until_s
        while (now_s := self._mono_s()) < min(until_s, quiet_from_s):
            more = port.read(min(until_s, quiet_from_s) - now_s)
            if not more:
                continue
            got += more
            quiet_from_s = self._mono_s() + QUIET_S if len(got) - skip >= FRAME_BYTES else until_s
            reply = exchange.judge(got[skip:])
            if reply is not None:
                return "answered", reply
        return ("damaged", got[skip:]) if len(got) > skip else ("silent", b"")

    def _lost(self, error: OSError) -> None:
        self._tell_down(str(error))
        self._shut()

    def _shut(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            try:
                port.close()
            except OSError as error:
                log.info("line %s: closing: %s", self.id, error)  # it was gone already

    def _refuse(self) -> None:
        """What waits, and whoever is asked again and again: an input whose line is not there is unknown."""
        with self._change:
            waiting, polls = self._agenda.drop(), self._agenda.polls()
        for exchange in (*waiting, *(poll.make() for poll in polls)):
            exchange.done("gone", b"")


def _open(line: Line) -> Port:
    return SerialPort(line.device, line.baud, line.parity, line.stop_bits)
