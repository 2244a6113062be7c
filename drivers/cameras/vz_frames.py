"""VZ TCP 8131, the bytes: `V Z`, type, sequence, length (big endian), body. Read without IO, whole frames come out.

The body of a result is JSON in GBK, then one NUL, then the JPEGs one behind the other: `fullImgSize` bytes of the
scene and `clipImgSize` of the plate (published clients and the vendor's SDK agree on it).
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from drivers.cameras.reading import Damaged

HEAD = struct.Struct(">2sBBI")
DATA, HEARTBEAT = 0, 1


def frame(body: bytes, kind: int = DATA) -> bytes:
    """One frame; sequence 0 as every published client sends it."""
    return HEAD.pack(b"VZ", kind, 0, len(body)) + body


BEAT = frame(b"", HEARTBEAT)


def command(name: str, **fields: Any) -> bytes:
    """A command as a frame, `cmd` first. ASCII: nothing the box sends has another character."""
    return frame(msgspec.json.encode({"cmd": name, **fields}))


class Frames:
    """Bytes in, (type, body) out. After `Damaged` it is of no use: nobody knows where the next frame begins.

    `limit`: bytes of one body; a longer one means that this is no VZ camera.
    """

    def __init__(self, limit: int) -> None:
        self._rest, self._limit = bytearray(), limit

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames that are whole now. Raises `Damaged`."""
        self._rest += data
        found = []
        while len(self._rest) >= HEAD.size:
            mark, kind, _, length = HEAD.unpack_from(self._rest)
            if mark != b"VZ" or kind not in (DATA, HEARTBEAT):
                raise Damaged(f"frame begins with {bytes(self._rest[:3]).hex(' ')}, allowed is 56 5a 00 or 56 5a 01")
            if length > self._limit:
                raise Damaged(f"frame of {length} bytes, allowed are {self._limit}")
            end = HEAD.size + length
            if len(self._rest) < end:
                break
            found.append((kind, bytes(self._rest[HEAD.size : end])))
            del self._rest[:end]
        return found
