"""A line with devices on it: a pseudo terminal whose other end the box opens like any serial port.

A frame ends when the wire is quiet. Every device hears every frame; whoever feels addressed answers. The weather of a
line is a function from the reply to what really comes over the wire.
"""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

QUIET_S = 0.002

Weather = Callable[[bytes], bytes]


class Device(Protocol):
    def hear(self, frame: bytes) -> bytes | None:
        """The reply to a frame that is for this device, b"" when it takes it without a word, else None."""


class Bus:
    """`path` is what the box's configuration names; `unplug` and `plug` are the USB adapter's."""

    def __init__(self, path: Path, devices: Sequence[Device]) -> None:
        self.path, self.devices = path, list(devices)
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
        frame = b""
        while not self._stop.is_set():
            ready, _, _ = select.select([master], [], [], QUIET_S if frame else 0.05)
            if ready:
                frame += os.read(master, 4096)
            elif frame:
                self._pass_on(master, frame)
                frame = b""

    def _pass_on(self, master: int, frame: bytes) -> None:
        self.heard.append(frame)
        self.arrived.release()
        self.gate.wait()
        for device in self.devices:
            reply = device.hear(frame)
            if reply is not None:
                changed = self.weather(reply)
                if changed:
                    os.write(master, changed)
                return
