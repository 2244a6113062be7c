"""The AA 55 display board: one text at a time.

    AA 55  05 64 00 27 00 0C 01 00 01 00  text…  crc crc  AF

The two published frames agree in everything but text and check sum. The check sum is CRC-16/Modbus over byte 2 to the
end of the text and two 00 bytes behind it, HIGH byte first: found by trying, and right for both. Both texts have eight
bytes, so whether one of the head's bytes is a length is not known (none of them is 8): other lengths are not proven.
No answer is published: any byte that comes is one.
"""

from __future__ import annotations

from drivers.rs485.crc import crc16

START, END = b"\xaa\x55", b"\xaf"
HEAD = bytes.fromhex("05 64 00 27 00 0C 01 00 01 00")


def show(text: bytes) -> bytes:
    """`text` in GBK."""
    check = crc16(HEAD + text + bytes(2))
    return START + HEAD + text + check.to_bytes(2, "big") + END


def judge(got: bytes) -> bytes | None:
    return got or None
