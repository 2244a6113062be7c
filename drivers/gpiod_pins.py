"""The header's pins over the kernel's GPIO character device, by libgpiod's own Python package, with RPi.GPIO's names.

The image installs it as `RPi.GPIO`: RPi.GPIO itself finds no edges on kernels from 6.6 on and no pins on a Pi 5, and
rpi-lgpio needs a library that nobody ships for this Python. Only what `drivers.gpio` uses is here. Pins are BCM
numbers, which are the line numbers of the header's chip on every Pi.

A line belongs to who asked for it until that program ends; then the kernel gives it back. Errors: RuntimeError for what
RPi.GPIO calls one (no such chip, a pin that was not set up), OSError from the kernel (a pin in use, a chip gone).
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

log = logging.getLogger("parkbox.gpio")

BCM = 11
OUT, IN = 0, 1
LOW, HIGH = 0, 1
PUD_OFF, PUD_DOWN, PUD_UP = 20, 21, 22
BOTH = 33

LABELS = ("pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835")
"""Chips that are the 40-pin header, by the kernel's own labels: Pi 5, Pi 4, Pi 3. There is one of them on a board."""

CONSUMER = "parkbox"
"""What `gpioinfo` shows beside our lines."""

PULLS = {PUD_OFF: Bias.AS_IS, PUD_DOWN: Bias.PULL_DOWN, PUD_UP: Bias.PULL_UP}


def header_chip(folder: Path = Path("/dev")) -> str:
    """Path of the header's chip. RuntimeError: none is here, or none may be opened."""
    seen = []
    for path in sorted(folder.glob("gpiochip*")):
        try:
            with gpiod.Chip(str(path)) as chip:
                label = chip.get_info().label
        except OSError as error:
            seen.append(f"{path.name}: {error.strerror}")
            continue
        if label in LABELS:
            return str(path)
        seen.append(f"{path.name}: {label}")
    raise RuntimeError(f"no header chip ({', '.join(LABELS)}); seen: {'; '.join(seen) or 'none'}")


class Pins:
    """All lines of one chip that this program holds, and the thread that hears their edges."""

    def __init__(self, find: Callable[[], str] = header_chip) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._lines: dict[int, gpiod.LineRequest] = {}
        self._inputs: dict[int, gpiod.LineSettings] = {}
        self._heard: dict[int, Callable[[int], None]] = {}
        self._thread: threading.Thread | None = None
        self._wake: tuple[int, int] | None = None

    def setup(self, pin: int, direction: int, pull_up_down: int = PUD_OFF, initial: int | None = None) -> None:
        """Direction and first level in one request, so that no relay blips."""
        if direction == OUT:
            level = Value.ACTIVE if initial else Value.INACTIVE
            settings = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=level)
        else:
            settings = gpiod.LineSettings(direction=Direction.INPUT, bias=PULLS[pull_up_down])
            self._inputs[pin] = settings
        self._release(pin)
        with self._lock:
            self._lines[pin] = gpiod.request_lines(self._find(), consumer=CONSUMER, config={pin: settings})

    def output(self, pin: int, level: int) -> None:
        self._line(pin).set_value(pin, Value.ACTIVE if level else Value.INACTIVE)

    def input(self, pin: int) -> int:
        return HIGH if self._line(pin).get_value(pin) is Value.ACTIVE else LOW

    def add_event_detect(self, pin: int, edge: int, callback: Callable[[int], None]) -> None:
        """`callback(pin)` on a thread of ours, once an edge."""
        if edge != BOTH:
            raise ValueError(f"edge: {edge}, allowed: BOTH")
        settings = self._inputs.get(pin)
        if settings is None:
            raise RuntimeError(f"pin {pin} is not set up as an input")
        settings.edge_detection = Edge.BOTH
        self._line(pin).reconfigure_lines({pin: settings})
        with self._lock:
            self._heard[pin] = callback
        if self._thread is None:
            self._wake = os.pipe()
            self._thread = threading.Thread(target=self._hear, args=(self._wake[0],), name="gpio-edges", daemon=True)
            self._thread.start()
        self._nudge()

    def remove_event_detect(self, pin: int) -> None:
        with self._lock:
            self._heard.pop(pin, None)
        self._nudge()

    def cleanup(self) -> None:
        """Every line given back; the thread ends."""
        with self._lock:
            self._heard.clear()
            thread, self._thread = self._thread, None
        if thread is not None and self._wake is not None:
            os.close(self._wake[1])
            if thread is not threading.current_thread():
                thread.join()
            os.close(self._wake[0])
            self._wake = None
        for pin in list(self._lines):
            self._release(pin)
        self._inputs.clear()

    # --- inside ------------------------------------------------------------------------------------------------

    def _line(self, pin: int) -> gpiod.LineRequest:
        line = self._lines.get(pin)
        if line is None:
            raise RuntimeError(f"pin {pin} is not set up")
        return line

    def _release(self, pin: int) -> None:
        with self._lock:
            line = self._lines.pop(pin, None)
        if line is not None:
            line.release()

    def _nudge(self) -> None:
        if self._wake is not None:
            os.write(self._wake[1], b".")

    def _hear(self, wake: int) -> None:
        """Ends when the other end of `wake` is closed."""
        while True:
            with self._lock:
                fds = {line.fd: pin for pin, line in self._lines.items() if pin in self._heard}
            ready = _readable([wake, *fds])
            if wake in ready and not os.read(wake, 512):
                return
            for fd in ready:
                if fd in fds:
                    self._tell(fds[fd])

    def _tell(self, pin: int) -> None:
        with self._lock:
            line, callback = self._lines.get(pin), self._heard.get(pin)
        if line is None or callback is None:
            return
        try:
            edges = line.read_edge_events()
        except OSError as error:  # the driver's polls tell that the pin cannot be read
            log.warning("pin %d: edges: %s", pin, error)
            self.remove_event_detect(pin)
            return
        for _ in edges:
            callback(pin)


def _readable(fds: Sequence[int]) -> list[int]:
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll()]


_pins = Pins()
setup, output, input, cleanup = _pins.setup, _pins.output, _pins.input, _pins.cleanup
add_event_detect, remove_event_detect = _pins.add_event_detect, _pins.remove_event_detect


def setmode(mode: int) -> None:
    if mode != BCM:
        raise ValueError(f"mode: {mode}, allowed: BCM")


def setwarnings(on: bool) -> None:
    """RPi.GPIO warns of pins in use; the kernel refuses them."""
