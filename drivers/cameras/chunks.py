"""A chunked body while it arrives: sizes and line ends taken out (RFC 9112 7.1). Every HTTP/1.1 client must know it.

    size in hex [; extension] CR LF  data  CR LF  …  0 CR LF  (trailers)  CR LF
"""

from __future__ import annotations

import re

from drivers.cameras.reading import Damaged

LINE_BYTES = 256
"""A size line: 15 hex digits and, at most, a short extension."""
_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?")


class Chunks:
    """`ended`: the last chunk has come; what stands behind it is nobody's."""

    def __init__(self) -> None:
        self._have = bytearray()
        self._left = 0  # bytes of this chunk that have not come
        self._behind = False  # the line end after a chunk comes next
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """The content that is here now. Raises `Damaged`."""
        self._have += data
        content = bytearray()
        while not self.ended:
            if self._left:
                piece = self._have[: self._left]
                content += piece
                del self._have[: len(piece)]
                self._left -= len(piece)
                if self._left:
                    break
                self._behind = True
            line = self._line()
            if line is None:
                break
            if self._behind:
                if line:
                    raise Damaged("chunk longer than its size")
                self._behind = False
                continue
            size = _SIZE.fullmatch(line)
            if size is None:
                raise Damaged(f"chunk size {line[:20]!r}, allowed are 1 to 15 hex digits")
            self._left = int(size[1], 16)
            self.ended = not self._left
        return bytes(content)

    def _line(self) -> bytes | None:
        end = self._have.find(b"\r\n", 0, LINE_BYTES)
        if end < 0:
            if len(self._have) >= LINE_BYTES:
                raise Damaged(f"chunk line of over {LINE_BYTES} bytes")
            return None
        line = bytes(self._have[:end])
        del self._have[: end + 2]
        return line
