"""Check sums of the simulated devices, bit by bit as their documents describe them."""

from __future__ import annotations


def crc16(data: bytes, value: int = 0xFFFF) -> int:
    for byte in data:
        value ^= byte
        for _ in range(8):
            carry = value & 1
            value >>= 1
            if carry:
                value ^= 0xA001
    return value


def with_crc(data: bytes, start: int = 0xFFFF) -> bytes:
    value = crc16(data, start)
    return data + bytes((value & 0xFF, value >> 8))


def right(frame: bytes, start: int = 0xFFFF) -> bool:
    return len(frame) > 3 and with_crc(frame[:-2], start) == frame
