"""Waveshare's relay and input board on the wire: relays that end their own pulses, inputs, control modes, faults.

`now_s` is the board's own clock. `stuck` relays do not close and `welded` ones do not open whatever is asked.

Older firmware is what the maker's wiki and users' reports tell of: boards before 2021-09 (`v1`) do not speak Modbus and
answer with text of their own; others `lack` functions or registers and answer these with exception 1 or 2.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hal_sim.rs485.checks import right, with_crc


class RelayBoard:
    def __init__(self, address: int = 1, now_s: Callable[[], float] = time.monotonic) -> None:
        self.address, self._now_s = address, now_s
        self._until_s = [0.0] * 8
        self._lock = threading.Lock()
        self.inputs = [False] * 8
        self.modes = [0] * 8
        self.stuck: set[int] = set()
        self.welded: set[int] = set()
        self.v1 = False
        self.lacks: set[str] = set()
        """Of "flash", "inputs", "modes"."""
        self.closed: list[int] = []
        """Every relay that was switched on, in order."""
        self.both = 0
        """Times that two relays were on together."""
        self.muted = False
        self.on_write: Callable[[], None] = lambda: None
        """Told after every order to a relay, on the bus' thread."""

    def on(self, relay: int) -> bool:
        return relay in self.welded or self._until_s[relay] > self._now_s()

    def hear(self, frame: bytes) -> bytes | None:
        if self.v1 and not self.muted and frame[:1] == bytes((self.address,)):
            return b"RELAY V1.0 ERR\r\n"
        if self.muted or len(frame) != 8 or frame[0] != self.address or not right(frame):
            return None
        function, first, value = frame[1], frame[2] << 8 | frame[3], frame[4] << 8 | frame[5]
        reply = self._answer(function, first, value, frame)
        if function == 5:
            self.on_write()  # without the lock: whoever is told may be driving an input just now
        return reply

    def _answer(self, function: int, first: int, value: int, frame: bytes) -> bytes:
        with self._lock:
            if function == 1:
                return self._bits(function, [self.on(relay) for relay in range(8)])
            if function == 2 and "inputs" in self.lacks:
                return self._refuses(function, 1)
            if function == 2:
                return self._bits(function, self.inputs)
            if function == 3 and first == 0x1000 and value == 8 and "modes" not in self.lacks:
                body = bytes((self.address, 3, 16)) + b"".join(mode.to_bytes(2, "big") for mode in self.modes)
                return with_crc(body)
            if function == 6 and 0x1000 <= first < 0x1008:
                self.modes[first - 0x1000] = value
                return frame
            if function == 5 and self._write(first, value):
                return frame
        return self._refuses(function, 2)

    def _refuses(self, function: int, code: int) -> bytes:
        return with_crc(bytes((self.address, function | 0x80, code)))

    def _bits(self, function: int, states: list[bool]) -> bytes:
        packed = sum(state << number for number, state in enumerate(states))
        return with_crc(bytes((self.address, function, 1, packed)))

    def _write(self, where: int, value: int) -> bool:
        if where == 0xFF and value == 0:
            self._until_s = [0.0] * 8
        elif where < 8 and value == 0:
            self._until_s[where] = 0.0
        elif 0x200 <= where < 0x208 and 1 <= value <= 0x7FFF and "flash" not in self.lacks:
            relay = where - 0x200
            if relay not in self.stuck:
                self.closed.append(relay)
                self._until_s[relay] = self._now_s() + value / 10
                self.both += sum(self.on(other) for other in range(8)) > 1
        else:
            return False
        return True
