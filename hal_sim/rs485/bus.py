"""A line with devices on it: a pseudo terminal whose other end the box opens like any serial port.

A frame ends when the wire is quiet. Every device hears every frame; whoever feels addressed answers. The weather of a
line is a function from the reply to what really comes over the wire.

With `baud` the line takes a wire's time: a frame is heard when its last character would have come and 3.5 more were
silent, as a Modbus device finds its end (fixed to 1.75 ms above 19200 baud, Modbus over serial line 2.5.1.1), and a
reply is handed over when its last character would have come. A pty alone would take no time at all.
"""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

QUIET_S = 0.002
BITS = 10
"""8N1: start bit, eight, stop bit."""
FAST_BAUD, FAST_SILENCE_S = 19200, 0.00175

Weather = Callable[[bytes], bytes]


class Device(Protocol):
    def hear(self, frame: bytes) -> bytes | None:
        """The reply to a frame that is for this device, b"" when it takes it without a word, else None."""


class Bus:
    """`path` is what the box's configuration names; `unplug` and `plug` are the USB adapter's."""

    def __init__(self, path: Path, devices: Sequence[Device], baud: int | None = None) -> None:
        """`baud` None: frames take no time."""
        self.path, self.devices = path, list(devices)
        self._char_s = BITS / baud if baud else 0.0
        slow = baud is not None and baud <= FAST_BAUD
        self._silence_s = 3.5 * self._char_s if slow else FAST_SILENCE_S if baud else QUIET_S
        self.on_frame: Callable[[bytes, float], None] = lambda frame, began_s: None
        """Told of each frame and when its first character went onto the wire (`time.monotonic`), before it is heard."""
        self.heard: list[bytes] = []
        self.weather: Weather = lambda reply: reply
        self.gate = threading.Event()
        """While it is clear nobody answers."""
        self.gate.set()
        self.arrived = threading.Semaphore(0)
        self._ends: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def plug(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        self._ends = (master, slave)
        self._stop.clear()
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        self._thread = threading.Thread(target=self._serve, args=(master,), name="bus", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        self._stop.set()
        self.gate.set()
        if self._thread is not None:
            self._thread.join()
        self.path.unlink(missing_ok=True)
        ends, self._ends = self._ends, None
        for end in ends or ():
            os.close(end)

    def _serve(self, master: int) -> None:
        frame, began_s, last_s = b"", 0.0, 0.0
        while not self._stop.is_set():
            rest_s = self._end_s(frame, began_s, last_s) - time.monotonic() if frame else 0.05
            ready, _, _ = select.select([master], [], [], max(0.0, rest_s))
            if ready:
                last_s = time.monotonic()
                began_s = began_s if frame else last_s
                frame += os.read(master, 4096)
            elif frame and time.monotonic() >= self._end_s(frame, began_s, last_s):
                self.on_frame(frame, began_s)
                self._pass_on(master, frame)
                frame = b""

    def _end_s(self, frame: bytes, began_s: float, last_s: float) -> float:
        """When the wire has been quiet behind this frame."""
        return max(began_s + len(frame) * self._char_s, last_s) + self._silence_s

    def _pass_on(self, master: int, frame: bytes) -> None:
        self.heard.append(frame)
        self.arrived.release()
        self.gate.wait()
        for device in self.devices:
            reply = device.hear(frame)
            if reply is not None:
                changed = self.weather(reply)
                if changed:
                    if self._char_s:
                        self._stop.wait(len(changed) * self._char_s)
                    os.write(master, changed)
                return
