"""The HTTP request reader alone: heads, bodies, chunks, limits, however the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cameras.http import HEAD_LIMIT_BYTES, BadRequest, RequestReader

CHUNKED = (
    b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\nWiki\r\n6;x=1\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\n"
)
"""The body of the example in Wikipedia's "Chunked transfer encoding", with an extension and a trailer."""


def read(raw: bytes, sizes: list[int], limit: int = 1000) -> list[tuple[str, bytes]]:
    """All requests of `raw` given in pieces of `sizes`, the rest at once."""
    reader = RequestReader(limit)
    found = []
    at = 0
    for size in [*sizes, len(raw)]:
        piece = raw[at : at + size]
        at += size
        while piece:
            room = reader.room()
            if room is None:
                reader.feed(piece)
                piece = b""
            else:
                count = min(len(room), len(piece))
                room[:count] = piece[:count]
                del room
                reader.wrote(count)
                piece = piece[count:]
            while reader.complete:
                assert reader.head is not None
                found.append((reader.head.path, bytes(reader.body[: reader.have])))
                reader.next()
    return found


@given(st.lists(st.integers(1, 40), max_size=60))
def test_pipelined_requests_are_read_however_they_are_cut(sizes: list[int]) -> None:
    raw = CHUNKED + b"\r\nPOST /b HTTP/1.1\r\ncontent-length:3\r\n\r\nabcPUT /c HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
    expected = [("/a", b"Wikipedia in \r\n\r\nchunks."), ("/b", b"abc"), ("/c", b"")]
    assert read(raw, sizes) == expected
    assert read(raw, [1] * len(raw)) == expected


@pytest.mark.parametrize(
    ("head", "keep"),
    [
        ("HTTP/1.1\r\n", True),
        ("HTTP/1.1\r\nConnection: close\r\n", False),
        ("HTTP/1.1\r\nConnection: Keep-Alive\r\n", True),
        ("HTTP/1.0\r\n", False),
        ("HTTP/1.0\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_connection_is_kept_as_the_version_says(head: str, keep: bool) -> None:
    reader = RequestReader(10)
    reader.feed(f"GET / {head}\r\n".encode())
    assert reader.head is not None
    assert reader.head.keep_alive is keep


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01\x02\x00", 400),  # a TLS hello
        (b"VZ\x01\x00\x00\x00\x00\x00", 400),
        (b"post / HTTP/1.1\r\n\r\n", 400),
        (b"POST /\r\n\r\n", 400),
        (b"POST / HTTP/2.0\r\n\r\n", 505),
        (b"POST / HTTP/1.1\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1_0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n200\r\n" + bytes(512) + b"\r\n200\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 300, 400),
        (b"POST / HTTP/1.1\r\n folded: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nNo colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nX: " + b"a" * HEAD_LIMIT_BYTES, 431),
        (b"A" * 17, 400),
    ],
)
def test_what_is_no_request_gets_its_status(raw: bytes, status: int) -> None:
    for sizes in ([], [1] * min(len(raw), 2000)):
        with pytest.raises(BadRequest) as caught:
            read(raw, sizes)
        assert caught.value.status == status


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    raw = b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + bytes(1000)
    assert read(raw, [50, 200]) == [("/", bytes(1000))]


@given(st.binary(max_size=400), st.lists(st.integers(1, 50), max_size=20))
def test_random_bytes_give_requests_or_bad_request(raw: bytes, sizes: list[int]) -> None:
    status = 0
    try:
        found = read(raw, sizes)
    except BadRequest as error:
        found, status = [], error.status
    assert status == 0 or 400 <= status <= 505
    assert found == []  # no random bytes make a whole request
