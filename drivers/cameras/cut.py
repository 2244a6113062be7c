"""Takes base64 pictures out of a JSON text while it arrives, so that only a small document is ever parsed.

A push is 2 KB of facts around 400 KB of base64. The pictures are found by their keys and skipped with one fast
search for the closing quote; each leaves a mark `@0`, `@1`, ... in the document, which says where it stood. The same
cut makes early reading possible: when the first picture begins, what stands before it is closed and parsed.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence

import msgspec

from drivers.cameras.reading import DOC_LIMIT_BYTES, Damaged, decode_text

_OVERLAP_BYTES = 64
"""A key may be split between two arrivals: search again from so far back (longest key, colon, some blanks)."""

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r"[{}\[\]]")
_MARK = re.compile(r"@(\d{1,3})")

JPEG_START = b"\xff\xd8"
JPEG_END = b"\xff\xd9"


class Cutter:
    """Follows one body. Each byte is looked at once, however the body is cut into arrivals."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._key = re.compile(b'"(?:%b)"\\s*:\\s*"' % b"|".join(re.escape(key.encode()) for key in keys))
        self._seek = 0
        self._open = -1  # start of the picture that has begun and not ended
        self._spans: list[tuple[int, int]] = []  # base64 of each picture, without quotes

    @property
    def begun(self) -> int:
        """Number of the picture that has begun and not ended, counted from 1; 0 if there is none."""
        return len(self._spans) + 1 if self._open >= 0 else 0

    def advance(self, body: bytearray, have: int) -> None:
        """Look at what has arrived since the last time."""
        while True:
            if self._open >= 0:
                end = body.find(b'"', self._seek, have)
                if end < 0:
                    self._seek = have
                    return
                self._spans.append((self._open, end))
                self._open = -1
                self._seek = end + 1
            else:
                match = self._key.search(body, self._seek, have)
                if match is None:
                    self._seek = max(self._seek, have - _OVERLAP_BYTES)
                    return
                self._open = self._seek = match.end()

    def text(self, body: bytearray, have: int) -> str:
        """What has arrived without the pictures, decoded; up to the picture that has not ended. Raises `Damaged`."""
        pieces: list[bytes] = []
        at = 0
        for number, (start, end) in enumerate(self._spans):
            pieces += (bytes(body[at:start]), b"@%d" % number)
            at = end
        pieces.append(bytes(body[at : self._open if self.begun else have]))
        if self.begun:
            pieces.append(b"@%d" % len(self._spans))
        size = sum(map(len, pieces))
        if size > DOC_LIMIT_BYTES:
            raise Damaged(f"{size} bytes beside the pictures, allowed are {DOC_LIMIT_BYTES}")
        return decode_text(b"".join(pieces))

    def span(self, mark: str, have: int) -> tuple[int, int] | None:
        """Where the picture stands whose value in the document is `mark`; None if it is empty or no mark."""
        match = _MARK.fullmatch(mark)
        if match is None:
            return None
        number = int(match[1])
        if number < len(self._spans):
            start, end = self._spans[number]
        elif number == len(self._spans) and self.begun:
            start, end = self._open, have
        else:
            return None
        return (start, end) if end > start else None


def closed(text: str) -> str:
    """A JSON text that was cut off, with its missing quote and brackets appended. Nothing else is repaired."""
    bare, quote, _ = _STRING.sub("", text).partition('"')
    stack: list[str] = []
    for bracket in _BRACKET.findall(bare):
        if bracket in "{[":
            stack.append("}" if bracket == "{" else "]")
        elif stack:
            stack.pop()
    return text + quote + "".join(reversed(stack))


def jpeg(body: bytearray, span: tuple[int, int], *, whole: bool = True) -> bytes:
    """The picture of a span. `whole` False: the push was cut off, so the picture must prove its end.

    msgspec decodes base64 in C in half of binascii's time, but strictly; a base64 with line breaks or without
    padding takes the slower way. Raises `Damaged`.
    """
    start, end = span
    try:
        picture = msgspec.json.decode(memoryview(body)[start - 1 : end + 1], type=bytes)
    except msgspec.MsgspecError:
        picture = _lenient(bytes(body[start:end]))
    return checked_jpeg(picture, whole=whole)


def checked_jpeg(picture: bytes, *, whole: bool = True) -> bytes:
    if not picture.startswith(JPEG_START):
        raise Damaged(f"picture of {len(picture)} bytes is not a JPEG")
    if not whole and not picture.endswith(JPEG_END):
        raise Damaged(f"picture of {len(picture)} bytes is cut off")
    return picture


def _lenient(text: bytes) -> bytes:
    compact = re.sub(rb"\\[nrt]|\\(?=/)|\s+|=+$", b"", text)
    try:
        return binascii.a2b_base64(compact + b"=" * (-len(compact) % 4), strict_mode=True)
    except binascii.Error as error:
        raise Damaged(f"picture is not base64: {error}") from None
