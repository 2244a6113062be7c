"""A multipart stream without end, part by part while it arrives.

    --boundary  head  (empty line)  Content-Length bytes  --boundary …

With a length the part is whole at its last byte, if it looks so: the next boundary comes with the next event, seconds
later. A wrong length, as none, means that the part ends at the next boundary.

Published captures differ: lines and contents end with CR LF or with LF alone, the length counts the last line end, and
some firmware writes a boundary twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from drivers.cameras.reading import Damaged

HEAD_BYTES = 4096
_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,9})[ \t]*(?:\r\n|$)", re.IGNORECASE)
_NAMES = re.compile(rb'(?:file)?name\s*=\s*"?([^";\r\n]{1,200})', re.IGNORECASE)


class Part(msgspec.Struct, frozen=True):
    """`names`: name and file name, as the camera wrote them."""

    names: tuple[str, ...]
    content: bytes

    def named(self, start: str) -> bool:
        return any(name.startswith(start) for name in self.names)


class Parts:
    """`limit`: bytes of one part. `complete`: whether a content may end so; asked when nothing follows it yet."""

    def __init__(self, boundary: bytes, limit: int, complete: Callable[[bytes], bool]) -> None:
        self._mark, self._limit, self._complete = b"--" + boundary, limit, complete
        self._have = bytearray()

    def feed(self, data: bytes) -> Iterator[Part]:
        """Parts that are whole now. Raises `Damaged` for one beyond the limit and for what is no multipart."""
        self._have += data
        while (part := self._next()) is not None:
            yield part
        if len(self._have) > self._limit + HEAD_BYTES:
            raise Damaged(f"part of over {self._limit} bytes")

    def _next(self) -> Part | None:
        begin = self._have.find(self._mark)
        if begin < 0:
            if len(self._have) > self._limit:
                raise Damaged("stream without its boundary")
            return None
        start = begin + len(self._mark)
        if self._have.startswith(b"--", start):  # the end, of a stream that should have none
            del self._have[: start + 2]
            return self._next()
        head_end = self._have.find(b"\r\n\r\n", start)
        if head_end < 0:
            if len(self._have) - start > HEAD_BYTES:
                raise Damaged(f"head of a part of over {HEAD_BYTES} bytes")
            return None
        head = bytes(self._have[start:head_end])
        content = head_end + 4
        end = self._end(head, content)
        if end is None:
            return None
        if end - content > self._limit:
            raise Damaged(f"part of {end - content} bytes, allowed are {self._limit}")
        part = Part(tuple(name.decode("utf-8", "replace").strip() for name in _NAMES.findall(head)),
                    bytes(self._have[content:end]))
        del self._have[:end]
        return part

    def _end(self, head: bytes, content: int) -> int | None:
        """Where the part ends; None: not here yet."""
        found = _LENGTH.search(head)
        if found is not None:
            end = content + int(found[1])
            if int(found[1]) > self._limit:
                raise Damaged(f"part of {int(found[1])} bytes, allowed are {self._limit}")
            if len(self._have) < end:
                return self._boundary(content)
            after = bytes(self._have[end : end + 2 + len(self._mark)])
            if after.startswith((b"\r\n" + self._mark, b"\n" + self._mark, self._mark)):
                return end
            begun = (b"\r\n" + self._mark).startswith(after) or (b"\n" + self._mark).startswith(after)
            if begun and self._complete(bytes(self._have[content:end])):
                return end
        return self._boundary(content)

    def _boundary(self, content: int) -> int | None:
        """Where the content ends that the next boundary ends; None: no boundary yet."""
        found = self._have.find(b"\n" + self._mark, content)
        if found < 0:
            return None
        return found - 1 if found > content and self._have[found - 1] == 0x0D else found
