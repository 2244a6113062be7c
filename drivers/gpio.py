"""Barrier, loops and limit switches on the header pins, through the RPi.GPIO interface (rpi-lgpio has the same).

Wiring of one lane (BCM numbers stand in the config):

    open_pin  ──relay──  OPEN  of the barrier's controller      arrival_pin ──  触发地感 presence output to GND
    close_pin ──relay──  CLOSE                                  safety_pin  ──  防砸地感 presence output to GND
    stop_pin  ──relay──  STOP                                   limit_*_pin ──  limit switches to GND

Outputs get direction and safe level in one call, so that no relay blips. Inputs have the pull-up on for low-active
contacts. Every input is read again five times a second: a lost edge is found, a pin that cannot be read is
"nobody knows", which the lane treats as occupied.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from drivers.debounce import Contact
from drivers.pulse import PulseGroup, PulseTimer, thread_timer
from edge.config.model import Gpio, Lane
from edge.core.events import AnyEvent, DeviceDown, DeviceUp, Emergency, LimitChanged, LoopChanged
from edge.ports import BarrierPort, DeviceError, Emit

log = logging.getLogger("parkbox.gpio")

LOOK_EVERY_S = 0.2
"""Longest that a lost edge stays unknown."""

LIMIT_DEBOUNCE_MS = 20
"""A mechanical switch bounces for a few milliseconds."""

DEVICE = "gpio"

PLAIN_ERRORS: tuple[type[Exception], ...] = (RuntimeError, ValueError, OSError)
"""What RPi.GPIO raises. rpi-lgpio lets lgpio's own error through, which is neither of them (seen with 0.6)."""


def lgpio_errors() -> tuple[type[Exception], ...]:
    """Empty where rpi-lgpio is not what was imported."""
    lgpio = sys.modules.get("lgpio")
    return () if lgpio is None else (lgpio.error,)


_ToEvent = Callable[[bool | None], AnyEvent | None]


class _Input:
    """One input pin: its contact, and the event that its state is."""

    def __init__(self, pin: int, active_high: bool, debounce_ms: int, event: _ToEvent) -> None:
        self.pin, self.active_high, self.event = pin, active_high, event
        self.contact = Contact(debounce_ms)


class GpioBarrier:
    """`edge.ports.BarrierPort` on three relays."""

    def __init__(self, lane: Lane, board: GpioBoard, after: PulseTimer) -> None:
        self._barrier, self._board = lane.barrier, board
        self._pulses = PulseGroup(self._write, lane.barrier.pulse_ms, after)

    def open(self, emit: Emit) -> None:
        """The board opens its barriers."""

    def close(self) -> None:
        self._pulses.release()

    def raise_arm(self) -> None:
        assert self._barrier.open_pin is not None, "judged by the configuration's rules"
        self._pulse(self._barrier.open_pin)

    def lower_arm(self) -> None:
        if self._barrier.close_pin is not None:  # two-wire barriers close by themselves
            self._pulse(self._barrier.close_pin)

    def stop_arm(self) -> None:
        if self._barrier.stop_pin is not None:
            self._pulse(self._barrier.stop_pin)

    def _pulse(self, pin: int) -> None:
        try:
            self._pulses.pulse(pin)
        except self._board.errors as error:
            raise DeviceError(DEVICE, f"pin {pin}: {error}") from error

    def _write(self, pin: int, on: bool) -> None:
        self._board.write(pin, on == (self._barrier.active == "high"))


class GpioBoard:
    """All pins of the box. One owner: a pin used twice is refused here too, whatever the config's check said."""

    def __init__(
        self,
        gpio: Gpio,
        lanes: Sequence[Lane],
        *,
        after: PulseTimer = thread_timer,
        mono_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        self._gpio, self._mono_ms = gpio, mono_ms
        self._module: Any = None
        self.errors: tuple[type[Exception], ...] = PLAIN_ERRORS
        """What the library that drives the pins may raise."""
        self._emit: Emit | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._looker: threading.Thread | None = None
        self._unreadable: set[int] = set()
        self._taken: list[tuple[int, bool]] = []
        """Outputs that are ours: only those are there to be switched off."""
        self._heard: list[int] = []
        self.edges: Counter[int] = Counter()
        """Edges that the library told, by pin: a bouncing contact shows here, its events do not."""
        self._barriers = {lane.id: GpioBarrier(lane, self, after) for lane in lanes}
        self._outputs = [(pin, lane.barrier.active == "high") for lane in lanes for pin in _outputs(lane)]
        self._inputs = {item.pin: item for lane in lanes for item in _inputs(lane)}
        if gpio.emergency_pin is not None:
            self._inputs[gpio.emergency_pin] = _Input(
                gpio.emergency_pin, gpio.emergency_active == "high", LIMIT_DEBOUNCE_MS,
                # An input that cannot be read neither begins nor ends an emergency; the fault says so.
                lambda active: None if active is None else Emergency(active=active),
            )
        pins = [pin for pin, _ in self._outputs] + [item.pin for lane in lanes for item in _inputs(lane)]
        pins += [gpio.emergency_pin] if gpio.emergency_pin is not None else []
        twice = sorted({pin for pin in pins if pins.count(pin) > 1})
        if twice:
            raise DeviceError(DEVICE, f"pins used twice: {', '.join(map(str, twice))}")

    def barrier(self, lane_id: str) -> BarrierPort:
        return self._barriers[lane_id]

    def open(self, emit: Emit) -> None:
        """Outputs off first, then the inputs; every input's present state is reported before this returns."""
        try:
            self._module = importlib.import_module(self._gpio.module)
        except (ImportError, RuntimeError, OSError) as error:  # RPi.GPIO raises RuntimeError off a Pi
            hint = "install python3-rpi-lgpio (Pi 5, kernel >= 6.6) or python3-rpi.gpio"
            raise DeviceError(DEVICE, f"{self._gpio.module}: {error}; {hint}") from error
        self.errors = (*PLAIN_ERRORS, *lgpio_errors())
        self._emit = emit
        atexit.register(self.close)
        module = self._module
        try:
            module.setwarnings(False)
            module.setmode(module.BCM)
            for pin, active_high in self._outputs:
                module.setup(pin, module.OUT, initial=module.LOW if active_high else module.HIGH)
                self._taken.append((pin, active_high))
            for item in self._inputs.values():
                module.setup(item.pin, module.IN, pull_up_down=module.PUD_DOWN if item.active_high else module.PUD_UP)
                module.add_event_detect(item.pin, module.BOTH, callback=self._edge)
                self._heard.append(item.pin)
        except self.errors as error:
            self.close()
            raise DeviceError(DEVICE, str(error)) from error
        self._look_at_all(first=True)
        self._looker = threading.Thread(target=self._look, name="gpio", daemon=True)
        self._looker.start()

    def close(self) -> None:
        """Every relay off, pins given back. Safe to call twice and from any state; what fails is a line in the log."""
        self._stopping.set()
        self._wake.set()
        if self.edges:
            log.info("edges by pin: %s", ", ".join(f"{pin}: {count}" for pin, count in sorted(self.edges.items())))
        if self._looker is not None and self._looker is not threading.current_thread():
            self._looker.join()
        if self._module is not None:
            for lane_id, barrier in self._barriers.items():
                self._try(f"lane {lane_id}: a running pulse could not be ended", barrier.close)
        module, self._module = self._module, None
        if module is None:
            return
        atexit.unregister(self.close)
        for pin, active_high in self._taken:
            off = module.LOW if active_high else module.HIGH
            self._try(f"pin {pin} could not be switched off", partial(module.output, pin, off))
        for pin in self._heard:
            self._try(f"pin {pin}: edge detection could not be ended", partial(module.remove_event_detect, pin))
        self._try("pins could not be given back", module.cleanup)
        self._taken, self._heard = [], []

    def _try(self, what: str, do: Callable[[], object]) -> None:
        """One step of giving back; the next ones are made whatever became of it."""
        try:
            do()
        except self.errors as error:
            log.error("%s: %s", what, error)  # noqa: TRY400 - the library's word is the reason, where it was said is not

    def write(self, pin: int, high: bool) -> None:
        module = self._module
        if module is None:
            raise DeviceError(DEVICE, f"pin {pin}: not open")
        module.output(pin, module.HIGH if high else module.LOW)

    # --- inputs ------------------------------------------------------------------------------------------------

    def _edge(self, pin: int) -> None:
        """On the library's thread."""
        with self._lock:
            self.edges[pin] += 1
        self._look_at(self._inputs[pin])
        self._wake.set()

    def _look(self) -> None:
        """Poll for lost edges; more often while a clear is resting."""
        while not self._stopping.is_set():
            resting = any(item.contact.resting for item in self._inputs.values())
            self._wake.wait(0.005 if resting else LOOK_EVERY_S)
            self._wake.clear()
            if not self._stopping.is_set():
                self._look_at_all()

    def _look_at_all(self, first: bool = False) -> None:
        for item in self._inputs.values():
            self._look_at(item, first)

    def _look_at(self, item: _Input, first: bool = False) -> None:
        with self._lock:  # edges come on another thread than the polls: order of reports = order of looks
            module, emit = self._module, self._emit
            if module is None or emit is None:
                return
            try:
                level: bool | None = bool(module.input(item.pin)) == item.active_high
                if item.pin in self._unreadable:
                    self._unreadable.discard(item.pin)
                    emit(DeviceUp(code="loops_down", device=f"{DEVICE}:{item.pin}"))
            except self.errors as error:
                level = None
                if item.pin not in self._unreadable:
                    self._unreadable.add(item.pin)
                    emit(DeviceDown(code="loops_down", device=f"{DEVICE}:{item.pin}", detail=str(error)))
            if item.contact.see(level, self._mono_ms()) or first:
                event = item.event(item.contact.reported)
                if event is not None:
                    emit(event)


def _outputs(lane: Lane) -> list[int]:
    pins = (lane.barrier.open_pin, lane.barrier.close_pin, lane.barrier.stop_pin)
    return [pin for pin in pins if pin is not None]


def _inputs(lane: Lane) -> list[_Input]:
    high = lane.loops.active == "high"
    limit_high = lane.barrier.limit_active == "high"
    loops = [
        _Input(pin, high, lane.loops.debounce_ms, event)
        for pin, event in (
            (lane.loops.arrival_pin, lambda on: LoopChanged(lane=lane.id, loop="arrival", occupied=on)),
            (lane.loops.safety_pin, lambda on: LoopChanged(lane=lane.id, loop="safety", occupied=on)),
        )
        if pin is not None
    ]
    limits = []
    if lane.barrier.limit_up_pin is not None:
        limits.append(_Input(lane.barrier.limit_up_pin, limit_high, LIMIT_DEBOUNCE_MS,
                             lambda on: LimitChanged(lane=lane.id, end="up", active=on)))
    if lane.barrier.limit_down_pin is not None:
        limits.append(_Input(lane.barrier.limit_down_pin, limit_high, LIMIT_DEBOUNCE_MS,
                             lambda on: LimitChanged(lane=lane.id, end="down", active=on)))
    return loops + limits
