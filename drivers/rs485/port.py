"""The serial port itself, through pyserial. Everything that can fail raises `OSError` (pyserial's error is one)."""

from __future__ import annotations

import select
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import serial

WRITE_WITHIN_S = 1.0
"""A port that takes no bytes for so long is broken: the longest text takes 0.3 s at 9600 baud."""


class Port(Protocol):
    """What a line needs of a port."""

    def write(self, data: bytes) -> None: ...

    def read(self, within_s: float) -> bytes:
        """What is there, at the latest after `within_s`; b"" when nothing came."""

    def discard(self) -> bytes:
        """What came since the last read and nobody waits for."""

    def close(self) -> None: ...


@contextmanager
def _as_os_error() -> Iterator[None]:
    """An adapter that is pulled out shows as termios.error, which is no OSError, when its settings are touched."""
    try:
        yield
    except termios.error as error:
        raise OSError(*error.args) from error


class SerialPort:
    """`device` as the config names it, best below /dev/serial/by-id. Nobody else may open it meanwhile."""

    def __init__(self, device: str, baud: int, parity: str, stop_bits: int) -> None:
        with _as_os_error():
            self._port = serial.Serial(
                device, baud, bytesize=8, parity=parity, stopbits=stop_bits, timeout=0, write_timeout=WRITE_WITHIN_S,
                exclusive=True,
            )  # fmt: skip

    def write(self, data: bytes) -> None:
        with _as_os_error():
            self._port.write(data)

    def read(self, within_s: float) -> bytes:
        with _as_os_error():
            ready, _, _ = select.select([self._port.fileno()], [], [], max(0.0, within_s))
            return bytes(self._port.read(max(1, self._port.in_waiting))) if ready else b""

    def discard(self) -> bytes:
        return self.read(0)

    def close(self) -> None:
        with _as_os_error():
            self._port.close()
