"""The check sum of nearly every RS485 device at a gate: CRC-16 with the polynomial A001, low byte first."""

from __future__ import annotations

MODBUS = 0xFFFF
"""Start value of Modbus, of the OLM signs and of the AA55 board."""
ONBON = 0x0000
"""Start value of Onbon's BX signs."""


def _row(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ 0xA001 if byte & 1 else byte >> 1
    return byte


_TABLE = tuple(_row(byte) for byte in range(256))


def crc16(data: bytes, start: int = MODBUS) -> int:
    value = start
    for byte in data:
        value = (value >> 8) ^ _TABLE[(value ^ byte) & 0xFF]
    return value


def sealed(body: bytes, start: int = MODBUS) -> bytes:
    """`body` with its check sum behind it, low byte first."""
    return body + crc16(body, start).to_bytes(2, "little")


def fits(frame: bytes, start: int = MODBUS) -> bool:
    """Whether the last two bytes are the check sum of those before them."""
    return len(frame) > 2 and sealed(frame[:-2], start) == frame
