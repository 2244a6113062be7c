"""HTTP/1.x requests as cameras send them, read without IO: bytes go in, one request at a time comes out.

Small on purpose: a head of at most 16 KB, a body by Content-Length or chunked, nothing else. The body of known
length is received straight into its place (`room`), so a 400 KB picture is copied once, by the kernel.
"""

from __future__ import annotations

import re

import msgspec

from drivers.cameras.buffers import Buffers

HEAD_LIMIT_BYTES = 16_384
CHUNK_LINE_LIMIT_BYTES = 256
"""A chunk's size line: 16 hex digits and, at most, a short extension."""

REASONS = {
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 411: "Length Required", 413: "Content Too Large",
    431: "Request Header Fields Too Large", 501: "Not Implemented", 503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}  # fmt: skip
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]{1,8000}) HTTP/(\d)\.(\d)")
_START = re.compile(rb"[A-Z]{1,16}(?: |$)")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}):[ \t]*(.*?)[ \t]*")
_LENGTH = re.compile(r"\d{1,15}")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?")


class BadRequest(Exception):
    """Not a request we take: the status that says so, and the reason for the log."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Head(msgspec.Struct, frozen=True):
    """A request's head. `length` -1: chunked. Header names are lower case."""

    method: str
    path: str
    fields: dict[str, str]
    length: int
    keep_alive: bool
    expects: bool


def answer(status: int, body: bytes = b"", *, close: bool, content_type: str = "application/json") -> bytes:
    """A whole response. Content-Length always stands there: some cameras wait for the end of file without it."""
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: {'close' if close else 'keep-alive'}\r\n\r\n"
    )
    return head.encode("ascii") + body


class RequestReader:
    """Reads one request after another. `feed` and `wrote` raise `BadRequest`; after that the reader is of no use."""

    def __init__(self, body_limit_bytes: int, buffers: Buffers | None = None) -> None:
        self._limit = body_limit_bytes
        self._buffers = buffers or Buffers()
        self._rest = bytearray()  # received and not yet understood
        self._searched = 0
        self._reset()

    def _reset(self) -> None:
        self.head: Head | None = None
        self.body = bytearray()
        self.have = 0
        """Bytes of the body that are there; `body` may be longer, and what stands behind them means nothing."""
        self.complete = False
        self._chunk_left = -1  # -1: a size line comes next; 0: the line end after a chunk
        self._trailer = False

    @property
    def untouched(self) -> bool:
        """No byte of the next request is there."""
        return self.head is None and not self._rest

    def room(self) -> memoryview | None:
        """Where the rest of a body of known length belongs; None when bytes must go through `feed`."""
        if self.head is None or self.complete or self.head.length < 0:
            return None
        return memoryview(self.body)[self.have : self.head.length]

    def wrote(self, count: int) -> None:
        """`count` bytes were put into `room`."""
        assert self.head is not None
        self.have += count
        self.complete = self.have == self.head.length

    def feed(self, data: bytes | memoryview) -> None:
        self._rest += data
        self._advance()

    def next(self) -> None:
        """Forget the finished request and go on with what came after it."""
        self.release()
        self._reset()
        self._advance()

    def release(self) -> None:
        """The body's memory may be used for another one: nobody looks at it any more."""
        if self.head is not None and self.head.length > 0:
            self._buffers.give(self.body)
            self.body = bytearray()

    def _advance(self) -> None:
        if self.head is None and not self._read_head():
            return
        assert self.head is not None
        if self.head.length < 0:
            while not self.complete and self._read_chunked():
                pass
        elif not self.complete:
            taken = min(len(self._rest), self.head.length - self.have)
            with memoryview(self._rest) as rest:
                self.body[self.have : self.have + taken] = rest[:taken]
            del self._rest[:taken]
            self.wrote(taken)

    def _read_head(self) -> bool:
        while self._rest.startswith(b"\r\n"):  # RFC 9112 2.2: an empty line before the request line is ignored
            del self._rest[:2]
            self._searched = 0
        if self._rest and self._rest != b"\r" and not _START.match(self._rest[:17]):
            raise BadRequest(400, "not an HTTP request")
        end = self._rest.find(b"\r\n\r\n", max(0, self._searched - 3), HEAD_LIMIT_BYTES)
        if end < 0:
            self._searched = len(self._rest)
            if len(self._rest) >= HEAD_LIMIT_BYTES:
                raise BadRequest(431, f"request head over {HEAD_LIMIT_BYTES} bytes")
            return False
        head = parse_head(bytes(self._rest[:end]))
        if head.length > self._limit:
            raise BadRequest(413, f"body of {head.length} bytes, allowed are {self._limit}")
        del self._rest[: end + 4]
        self._searched = 0
        self.head = head
        self.body = self._buffers.take(head.length) if head.length > 0 else bytearray()
        return True

    def _read_chunked(self) -> bool:
        """One step; False when more bytes are needed."""
        if self._chunk_left > 0:
            taken = self._rest[: self._chunk_left]
            self.body += taken
            self.have += len(taken)
            self._chunk_left -= len(taken)
            del self._rest[: len(taken)]
            return bool(taken)
        end = self._rest.find(b"\r\n", 0, CHUNK_LINE_LIMIT_BYTES)
        if end < 0:
            if len(self._rest) >= CHUNK_LINE_LIMIT_BYTES:
                raise BadRequest(400, "chunk line too long")
            return False
        line = bytes(self._rest[:end])
        del self._rest[: end + 2]
        if self._trailer:
            self.complete = not line  # trailers are read and forgotten; the request deadline bounds them
        elif self._chunk_left == 0:
            if line:
                raise BadRequest(400, "chunk longer than its size")
            self._chunk_left = -1
        else:
            self._begin_chunk(line)
        return True

    def _begin_chunk(self, line: bytes) -> None:
        match = _CHUNK.fullmatch(line)
        if not match:
            raise BadRequest(400, "chunk size is not hexadecimal")
        size = int(match[1], 16)
        if self.have + size > self._limit:
            raise BadRequest(413, f"chunked body over {self._limit} bytes")
        self._trailer = size == 0
        self._chunk_left = size if size else -1


def parse_head(raw: bytes) -> Head:
    """Request line and fields, without the empty line. Raises `BadRequest`."""
    lines = raw.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(lines[0])
    if not match:
        raise BadRequest(400, "not an HTTP request line")
    method, target, major, minor = match.groups()
    if major != b"1":
        raise BadRequest(505, f"HTTP/{major.decode()}.{minor.decode()}, allowed is 1.x")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        field = _FIELD.fullmatch(line)
        if not field:
            raise BadRequest(400, "header line without name")
        name = field[1].decode("ascii").lower()
        value = field[2].decode("latin-1")
        if name in ("content-length", "transfer-encoding") and fields.get(name, value) != value:
            raise BadRequest(400, f"{name} twice with different values")
        fields[name] = value
    connection = fields.get("connection", "").lower()
    return Head(
        method=method.decode("ascii"),
        path=target.decode("ascii"),
        fields=fields,
        length=_body_length(method, fields),
        keep_alive="close" not in connection and (minor != b"0" or "keep-alive" in connection),
        expects=fields.get("expect", "").lower() == "100-continue",
    )


def _body_length(method: bytes, fields: dict[str, str]) -> int:
    """-1: chunked. Both ways of giving it at once is how requests are smuggled, and refused (RFC 9112 6.1)."""
    coding = fields.get("transfer-encoding")
    length = fields.get("content-length")
    if coding is not None:
        if length is not None:
            raise BadRequest(400, "content-length beside transfer-encoding")
        if coding.lower() != "chunked":
            raise BadRequest(501, "transfer-encoding other than chunked")
        return -1
    if length is None:
        if method in (b"POST", b"PUT"):
            raise BadRequest(411, "neither content-length nor chunked")
        return 0
    if not _LENGTH.fullmatch(length):
        raise BadRequest(400, "content-length is not a number")
    return int(length)
