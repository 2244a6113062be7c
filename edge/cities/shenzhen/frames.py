"""Frames: bytes of the TCP link and back (T/SZPIA 001-2020 7.1.4.1.3, table 14). Pure.

    headFlag 4 'SZTC' | version 2 | packetNo 4 | length 4 | direction 1 | command 2 | data N | crc16 2      big endian

`FrameReader.feed` takes bytes as they come and returns the frames that are whole; what is missing waits for the next
call. A damaged frame is dropped and the next 'SZTC' is searched right behind its flag, because a length that lied may
have covered a good frame (SC65). A length over the limit, or too many bad frames in a row, ends the line.
"""

from __future__ import annotations

import struct
from binascii import crc_hqx
from typing import Final, Literal

import msgspec

MAGIC: Final = b"SZTC"
HEADER: Final = struct.Struct(">4sBBIIBH")
CRC_BYTES: Final = 2

# 7.1.4.1.1 g) at most 10M bytes a sending; SC74 accepts the larger reading.
DATA_MAX_BYTES: Final = 10_485_760

PACKET_MAX: Final = 2_147_483_647
"""packetNo goes round 1..int.Max (SC64)."""

REQUEST: Final = 0
RESPONSE: Final = 1

CrcOrder = Literal["big", "little"]


class Frame(msgspec.Struct, frozen=True, gc=False):
    command: int
    packet_no: int
    direction: int
    data: bytes
    version: tuple[int, int] = (1, 0)


class FrameError(ValueError):
    """The peer's bytes cannot be followed any more: the line must be closed."""


def encode(frame: Frame, crc_order: CrcOrder = "big") -> bytes:
    """The bytes of one frame. Raises `ValueError` for what does not fit the table."""
    if len(frame.data) > DATA_MAX_BYTES:
        raise ValueError(f"data: {len(frame.data)} bytes are too many, up to {DATA_MAX_BYTES} are allowed")
    if frame.direction not in (REQUEST, RESPONSE):
        raise ValueError(f"direction: {frame.direction} is not allowed, 0 or 1 is")
    try:
        head = HEADER.pack(
            MAGIC, *frame.version, frame.packet_no, len(frame.data), frame.direction, frame.command
        )
    except struct.error as error:
        raise ValueError(f"frame {frame.command} {frame.packet_no} {frame.version}: {error}") from None
    body = head + frame.data
    # CRC-16/XMODEM: polynomial 0x1021, start 0, not reflected, which is what crc_hqx computes.
    return body + crc_hqx(body, 0).to_bytes(CRC_BYTES, crc_order)


class FrameReader:
    """For one line. `bad` counts dropped frames and stretches of noise."""

    def __init__(
        self, *, data_max: int = DATA_MAX_BYTES, bad_max: int = 3, crc_order: CrcOrder = "big"
    ) -> None:
        """`bad_max` bad frames in a row are followed, one less than ends the line."""
        self._data_max, self._bad_max, self._crc_order = data_max, bad_max, crc_order
        self._rest = bytearray()
        self._need = HEADER.size + CRC_BYTES
        self._in_a_row = 0
        self._in_noise = False
        self.bad = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Whole frames, in their order. Raises `FrameError`; the reader is of no use after that."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._need:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        frames: list[Frame] = []
        at, size = 0, len(data)
        view = memoryview(data)
        order = self._crc_order
        need = HEADER.size + CRC_BYTES
        while size - at >= HEADER.size:
            magic, major, minor, packet_no, length, direction, command = HEADER.unpack_from(data, at)
            if magic != MAGIC:
                at = self._to_next(data, at)
                continue
            self._in_noise = False
            if length > self._data_max:
                raise FrameError(f"length: {length} bytes announced, up to {self._data_max} are allowed")
            end = at + HEADER.size + length
            if end + CRC_BYTES > size:
                need = end + CRC_BYTES - at
                break
            if int.from_bytes(data[end : end + CRC_BYTES], order) != crc_hqx(view[at:end], 0) or direction > RESPONSE:
                self._count_bad("crc16 or direction does not fit")
                at += len(MAGIC)
                self._in_noise = True  # what follows is the same damage
                continue
            frames.append(Frame(command, packet_no, direction, data[at + HEADER.size : end], (major, minor)))
            self._in_a_row = 0
            at = end + CRC_BYTES
        if at < size:
            self._rest += view[at:]
        self._need = need
        return frames

    def _to_next(self, data: bytes, at: int) -> int:
        """Where the next flag begins or may begin: noise goes."""
        if not self._in_noise:
            self._count_bad("no SZTC where a frame should begin")
            self._in_noise = True
        found = data.find(MAGIC, at)
        if found >= 0:
            return found
        for length in range(len(MAGIC) - 1, 0, -1):
            if data.endswith(MAGIC[:length]):
                return len(data) - length
        return len(data)

    def _count_bad(self, why: str) -> None:
        self.bad += 1
        self._in_a_row += 1
        if self._in_a_row >= self._bad_max:
            raise FrameError(f"{self._in_a_row} bad frames in a row, the last: {why}")


def next_packet_no(packet_no: int) -> int:
    return packet_no % PACKET_MAX + 1
