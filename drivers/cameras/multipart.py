"""multipart/form-data as cameras write it, split by hand: Python's own parser fails on some of them.

Known deviations: a boundary named "boundary", one that begins with dashes, quoted or not, no blank after `;` in
Content-Disposition, part lengths that are wrong, no end boundary, a file name without ".jpg", octet-stream for JPEG.
So only three things are believed: the boundary, the empty line after a part's head, and the parts' names.
"""

from __future__ import annotations

import re

import msgspec

from drivers.cameras.reading import Damaged

MAX_PARTS = 20
MAX_PART_HEAD_BYTES = 4096

_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;,"]{1,200}))', re.IGNORECASE)
_NAME = re.compile(rb'[;\s]name\s*=\s*(?:"([^"]{0,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_FILE = re.compile(rb'[;\s]filename\s*=\s*(?:"([^"]{0,200})"|([^\s;"]{1,200}))', re.IGNORECASE)


class Part(msgspec.Struct, frozen=True):
    """One part: its names and where its content stands in the body."""

    name: str
    filename: str
    start: int
    end: int

    def content(self, body: bytearray) -> bytes:
        return bytes(body[self.start : self.end])


def boundary_of(content_type: str) -> bytes:
    """Raises `Damaged`."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise Damaged("multipart without boundary")
    return (match[1] or match[2]).encode("latin-1")


def split(body: bytearray, have: int, content_type: str) -> list[Part]:
    """All parts, the last one also when its end boundary is missing. Raises `Damaged`."""
    delimiter = b"--" + boundary_of(content_type)
    at = body.find(delimiter, 0, have)
    if at < 0:
        raise Damaged("multipart body without its boundary")
    parts: list[Part] = []
    while at >= 0 and not body.startswith(b"--", at + len(delimiter)):
        if len(parts) == MAX_PARTS:
            raise Damaged(f"multipart body with over {MAX_PARTS} parts")
        begin = at + len(delimiter)
        at = body.find(b"\r\n" + delimiter, begin, have)
        part = _part(body, begin, have if at < 0 else at)
        if part is not None:
            parts.append(part)
        at += 2 if at >= 0 else 0
    return parts


def _part(body: bytearray, begin: int, end: int) -> Part | None:
    """None: nothing stands between two boundaries."""
    head_end = body.find(b"\r\n\r\n", begin, min(end, begin + MAX_PART_HEAD_BYTES))
    if head_end < 0:
        return None
    head = bytes(body[begin:head_end])
    return Part(_value(_NAME, head), _value(_FILE, head), head_end + 4, end)


def _value(pattern: re.Pattern[bytes], head: bytes) -> str:
    match = pattern.search(head)
    return (match[1] or match[2] or b"").decode("utf-8", "replace") if match else ""
