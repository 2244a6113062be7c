"""Frames of the TCP link (table 14), bytes in and out: big endian, no padding, CRC-16/XMODEM over all before it.

headFlag 4 'SZTC' | version 2 | packetNo 4 | length 4 | direction 1 | command 2 | data N | crc16 2
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

FLAG = b"SZTC"
_HEADER = struct.Struct(">4sBBIIBH")
_CRC = struct.Struct(">H")
HEADER_BYTES = _HEADER.size  # 17
VERSION = (1, 0)  # no value is printed (SC63)
PACKET_MAX = 2**31 - 1  # 1-int.Max 之间循环
REQUEST, ANSWER = 0, 1
DATA_MAX = 10_000_000  # 7.1.4.1.1 g): 10M, the stricter reading (SC74)


def _crc_table() -> tuple[int, ...]:
    table = []
    for high in range(256):
        value = high << 8
        for _ in range(8):
            value = (value << 1) ^ 0x1021 if value & 0x8000 else value << 1
        table.append(value & 0xFFFF)
    return tuple(table)


_TABLE = _crc_table()


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM: polynomial 0x1021, start 0, nothing reflected. crc16(b"123456789") == 0x31c3."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ _TABLE[(value >> 8) ^ byte]
    return value


@dataclass(frozen=True, slots=True)
class Frame:
    packet_no: int
    direction: int
    command: int
    data: bytes
    version: tuple[int, int] = VERSION

    def packed(self) -> bytes:
        """The frame on the wire."""
        head = _HEADER.pack(FLAG, *self.version, self.packet_no, len(self.data), self.direction, self.command)
        return head + self.data + _CRC.pack(crc16(head + self.data))


@dataclass(frozen=True, slots=True)
class BadFrame:
    """Bytes that are no frame: what is wrong, and whether the rest of the stream is lost with it."""

    field: str
    value: str
    allowed: str
    lost: bool = False


class Splitter:
    """Finds frames in a stream, however it is cut."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame | BadFrame]:
        """Every whole frame and every fault of what came so far, in order."""
        self._held += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Frame | BadFrame | None:
        held = self._held
        if not FLAG.startswith(bytes(held[:4])):
            at = held.find(FLAG, 1)
            rubbish = bytes(held[:at]) if at > 0 else bytes(held[:-3])
            if not rubbish:
                return None
            del held[: len(rubbish)]
            return BadFrame("headFlag", rubbish[:8].hex(), "须为 must be 'SZTC'")
        if len(held) < HEADER_BYTES:
            return None
        _, major, minor, packet_no, length, direction, command = _HEADER.unpack_from(held)
        if length > DATA_MAX:
            held.clear()
            return BadFrame("length", str(length), f"超过 is over {DATA_MAX}", lost=True)
        end = HEADER_BYTES + length + _CRC.size
        if len(held) < end:
            return None
        whole = bytes(held[:end])
        del held[:end]
        told, right = _CRC.unpack(whole[-_CRC.size :])[0], crc16(whole[: -_CRC.size])
        if told != right:
            return BadFrame("crc16", f"{told:04x}", f"须为 must be {right:04x}")
        if (major, minor) != VERSION:
            return BadFrame("version", f"{major}.{minor}", "须为 must be 1.0")
        if direction not in (REQUEST, ANSWER):
            return BadFrame("direction", str(direction), "须为 0 或 1, must be 0 or 1")
        if not 1 <= packet_no <= PACKET_MAX:
            return BadFrame("packetNo", str(packet_no), f"须为 must be 1 to {PACKET_MAX}")
        return Frame(packet_no, direction, command, whole[HEADER_BYTES : -_CRC.size])
