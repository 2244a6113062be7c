"""The simulated `RPi.GPIO`: the same names, the same errors, but the pins live in the simulator's process.

Interface and error texts follow RPi.GPIO 0.7.1 (source/py_gpio.c, source/event_gpio.c) on a 40-pin board.
PWM and `wait_for_edge` are left out: the box uses neither, and asking for them is an AttributeError, not
a silence.

The module connects to the UNIX socket named by PARKBOX_SIM_GPIO at the first `setup`. Frames are 12 bytes
both ways, little endian: op, pin (BCM), value, 0, then the sender's CLOCK_MONOTONIC in ns (the same clock
in all processes of one machine, so the simulator knows when a pin was really written). To the simulator:
1 output with first level, 2 input with pull (0 off, 1 down, 2 up), 3 write, 4 release. From it: 1 level
of an input; every op 2 is answered by one. When this process ends, however it ends, the socket closes and
the simulator releases all its pins.
"""

from __future__ import annotations

import os
import queue
import socket
import struct
import threading
import time
import warnings
from collections.abc import Callable, Iterable

LOW, HIGH = 0, 1
OUT, IN = 0, 1
PUD_OFF, PUD_DOWN, PUD_UP = 20, 21, 22
RISING, FALLING, BOTH = 31, 32, 33
BOARD, BCM = 10, 11
UNKNOWN, SERIAL, SPI, I2C, HARD_PWM = -1, 40, 41, 42, 43
VERSION = "0.7.1"
RPI_REVISION = 3
RPI_INFO = {
    "P1_REVISION": 3,
    "REVISION": "simulated",
    "TYPE": "Simulated",
    "MANUFACTURER": "parkbox",
    "PROCESSOR": "none",
    "RAM": "0",
}

_FRAME = struct.Struct("<BBBxq")
_OP_OUT, _OP_IN, _OP_WRITE, _OP_RELEASE = 1, 2, 3, 4
_LEVEL = 1
_ANSWER_WITHIN_S = 5.0  # the simulator answers in microseconds; on a crowded machine it may wait its turn
_NO_BOUNCETIME = -666  # RPi.GPIO's own mark for "not given"

# Physical pin of the 40-pin header -> BCM number (Raspberry Pi documentation, GPIO pinout).
_BOARD_TO_BCM = {
    3: 2,
    5: 3,
    7: 4,
    8: 14,
    10: 15,
    11: 17,
    12: 18,
    13: 27,
    15: 22,
    16: 23,
    18: 24,
    19: 10,
    21: 9,
    22: 25,
    23: 11,
    24: 8,
    26: 7,
    29: 5,
    31: 6,
    32: 12,
    33: 13,
    35: 19,
    36: 16,
    37: 26,
    38: 20,
    40: 21,
}
_BCM_PINS = 54  # BCM2835: GPIO 0 to 53

Callback = Callable[[int], object]


class _Detect:
    """Edge detection of one pin: which edge, who is told, and RPi.GPIO's bounce rule."""

    def __init__(self, edge: int, bouncetime_ms: int) -> None:
        self.edge, self.bouncetime_ms = edge, bouncetime_ms
        self.callbacks: list[Callback] = []
        self.last_ns = 0
        self.occurred = False

    def due(self, level: int, now_ns: int) -> bool:
        if self.edge not in (BOTH, RISING if level else FALLING):
            return False
        quiet = self.bouncetime_ms == _NO_BOUNCETIME or self.last_ns == 0
        if not quiet and now_ns - self.last_ns <= self.bouncetime_ms * 1_000_000:
            return False
        self.last_ns = now_ns
        self.occurred = True
        return True


class _Chip:
    """The connection to the simulator and what this process knows of its pins."""

    def __init__(self) -> None:
        self.mode = UNKNOWN
        self.warnings = True
        self.direction: dict[int, int] = {}
        self.level: dict[int, int] = {}
        self.detect: dict[int, _Detect] = {}
        self.channel: dict[int, int] = {}  # pin -> the number the user calls it by
        self.answered: dict[int, threading.Event] = {}
        self.sock: socket.socket | None = None
        self.calls: queue.SimpleQueue[tuple[int, _Detect] | None] = queue.SimpleQueue()

    def send(self, op: int, pin: int, value: int) -> None:
        sock = self.sock or self._connect()
        try:
            sock.sendall(_FRAME.pack(op, pin, value, time.monotonic_ns()))
        except OSError as error:
            raise RuntimeError(f"simulated GPIO: the simulator is gone ({error})") from error

    def _connect(self) -> socket.socket:
        path = os.environ.get("PARKBOX_SIM_GPIO")
        if not path:
            raise RuntimeError("simulated GPIO: PARKBOX_SIM_GPIO must name the simulator's socket")
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(path)
        except OSError as error:
            sock.close()
            raise RuntimeError(f"simulated GPIO: no simulator at {path} ({error})") from error
        self.sock = sock
        threading.Thread(target=self._read, args=(sock,), name="sim-gpio-read", daemon=True).start()
        threading.Thread(target=self._call, name="sim-gpio-edges", daemon=True).start()
        return sock

    def _read(self, sock: socket.socket) -> None:
        data = b""
        while True:
            try:
                more = sock.recv(4096)
            except OSError:
                more = b""  # closed under us: the same end as the simulator's close
            if not more:
                self.calls.put(None)  # no more edges will come
                return
            data += more
            whole = len(data) - len(data) % _FRAME.size
            for op, pin, value, _t_ns in _FRAME.iter_unpack(data[:whole]):
                if op == _LEVEL:
                    self._on_level(pin, value)
            data = data[whole:]

    def _on_level(self, pin: int, value: int) -> None:
        before = self.level.get(pin)
        self.level[pin] = value
        waiting = self.answered.pop(pin, None)
        if waiting is not None:
            waiting.set()
            return
        detect = self.detect.get(pin)
        if detect is not None and before != value and detect.due(value, time.monotonic_ns()):
            self.calls.put((pin, detect))

    def _call(self) -> None:
        """One thread runs all callbacks one after the other, as RPi.GPIO's poll thread does."""
        while (call := self.calls.get()) is not None:
            pin, detect = call
            for callback in tuple(detect.callbacks):
                callback(self.channel.get(pin, pin))

    def make_input(self, pin: int, pull: int) -> None:
        answered = threading.Event()
        self.answered[pin] = answered
        self.send(_OP_IN, pin, pull)
        if not answered.wait(_ANSWER_WITHIN_S):
            raise RuntimeError(f"simulated GPIO: the simulator did not answer for pin {pin}")
        self.direction[pin] = IN

    def release(self, pin: int) -> None:
        self.detect.pop(pin, None)
        self.direction.pop(pin, None)
        self.send(_OP_RELEASE, pin, 0)


_chip = _Chip()


def _pin(channel: int) -> int:
    if _chip.mode == UNKNOWN:
        raise RuntimeError(
            "Please set pin numbering mode using GPIO.setmode(GPIO.BOARD) or GPIO.setmode(GPIO.BCM)"
        )
    pin = channel if _chip.mode == BCM else _BOARD_TO_BCM.get(channel, -1)
    if not 0 <= pin < _BCM_PINS:
        raise ValueError("The channel sent is invalid on a Raspberry Pi")
    return pin


def _channels(channel: int | Iterable[int]) -> list[int]:
    if isinstance(channel, int):
        return [channel]
    if not isinstance(channel, list | tuple):
        raise ValueError("Channel must be an integer or list/tuple of integers")  # noqa: TRY004 - as RPi.GPIO
    if not all(isinstance(one, int) for one in channel):
        raise ValueError("Channel must be an integer")
    return list(channel)


def _input_pin(channel: int) -> int:
    pin = _pin(channel)
    if _chip.direction.get(pin) != IN:
        raise RuntimeError("You must setup() the GPIO channel as an input first")
    return pin


def setmode(mode: int) -> None:
    if _chip.mode not in (UNKNOWN, mode):
        raise ValueError("A different mode has already been set!")
    if mode not in (BOARD, BCM):
        raise ValueError("An invalid mode was passed to setmode()")
    _chip.mode = mode


def getmode() -> int | None:
    return None if _chip.mode == UNKNOWN else _chip.mode


def setwarnings(flag: bool) -> None:
    _chip.warnings = bool(flag)


def setup(
    channel: int | Iterable[int], direction: int, pull_up_down: int = PUD_OFF, initial: int = -1
) -> None:
    """Set up one channel or several; an output gets its first level together with its direction."""
    channels = _channels(channel)
    if direction not in (IN, OUT):
        raise ValueError("An invalid direction was passed to setup()")
    if direction == OUT and pull_up_down != PUD_OFF:
        raise ValueError("pull_up_down parameter is not valid for outputs")
    if direction == IN and initial != -1:
        raise ValueError("initial parameter is not valid for inputs")
    if pull_up_down not in (PUD_OFF, PUD_DOWN, PUD_UP):
        raise ValueError("Invalid value for pull_up_down - should be either PUD_OFF, PUD_UP or PUD_DOWN")
    for one in channels:
        pin = _pin(one)
        if _chip.warnings and _chip.direction.get(pin) == OUT:
            warnings.warn(
                "This channel is already in use, continuing anyway.  Use GPIO.setwarnings(False) to disable warnings.",
                RuntimeWarning,
                stacklevel=2,
            )
        _chip.channel[pin] = one
        if direction == IN:
            _chip.make_input(pin, pull_up_down - PUD_OFF)
        else:
            # Without `initial` the real chip keeps its output latch: low unless written before.
            level = _chip.level.get(pin, LOW) if initial == -1 else int(bool(initial))
            _chip.send(_OP_OUT, pin, level)
            _chip.direction[pin], _chip.level[pin] = OUT, level


def output(channel: int | Iterable[int], value: int | Iterable[int]) -> None:
    channels = _channels(channel)
    if isinstance(value, int):
        values = [value] * len(channels)
    elif isinstance(value, list | tuple):
        values = list(value)
        if isinstance(channel, int) or len(values) != len(channels):
            raise RuntimeError("Number of channels != number of values")
    else:
        raise ValueError("Value must be an integer/boolean or a list/tuple of integers/booleans")  # noqa: TRY004
    for one, level in zip(channels, values, strict=True):
        pin = _pin(one)
        if _chip.direction.get(pin) != OUT:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        _chip.send(_OP_WRITE, pin, int(bool(level)))
        _chip.level[pin] = int(bool(level))


def input(channel: int) -> int:
    pin = _pin(channel)
    if pin not in _chip.direction:
        raise RuntimeError("You must setup() the GPIO channel first")
    return _chip.level[pin]


def gpio_function(channel: int) -> int:
    return _chip.direction.get(_pin(channel), IN)


def add_event_detect(
    gpio: int, edge: int, callback: Callback | None = None, bouncetime: int = _NO_BOUNCETIME
) -> None:
    """Watch an input for edges. `bouncetime` ms: further edges within it after a told one are not told."""
    if callback is not None and not callable(callback):
        raise TypeError("Parameter must be callable")
    pin = _input_pin(gpio)
    if edge not in (RISING, FALLING, BOTH):
        raise ValueError("The edge must be set to RISING, FALLING or BOTH")
    if bouncetime <= 0 and bouncetime != _NO_BOUNCETIME:
        raise ValueError("Bouncetime must be greater than 0")
    if pin in _chip.detect:
        raise RuntimeError("Conflicting edge detection already enabled for this GPIO channel")
    detect = _Detect(edge, bouncetime)
    if callback is not None:
        detect.callbacks.append(callback)
    _chip.detect[pin] = detect


def add_event_callback(gpio: int, callback: Callback) -> None:
    if not callable(callback):
        raise TypeError("Parameter must be callable")
    pin = _input_pin(gpio)
    if pin not in _chip.detect:
        raise RuntimeError("Add event detection using add_event_detect first before adding a callback")
    _chip.detect[pin].callbacks.append(callback)


def remove_event_detect(gpio: int) -> None:
    _chip.detect.pop(_pin(gpio), None)


def event_detected(gpio: int) -> bool:
    detect = _chip.detect.get(_pin(gpio))
    if detect is None or not detect.occurred:
        return False
    detect.occurred = False
    return True


def cleanup(channel: int | Iterable[int] | None = None) -> None:
    """Give channels back (all, and the numbering mode, when none is named)."""
    pins = list(_chip.direction) if channel is None else [_pin(one) for one in _channels(channel)]
    found = [pin for pin in pins if pin in _chip.direction]
    for pin in found:
        _chip.release(pin)
    if channel is None:
        _chip.mode = UNKNOWN
    if not found and _chip.warnings:
        warnings.warn(
            "No channels have been set up yet - nothing to clean up!  "
            "Try cleaning up at the end of your program instead!",
            RuntimeWarning,
            stacklevel=2,
        )
