"""The gate before the page: bounds and refuses a request before the web framework sees a byte of it.

What reaches the framework is a complete, well-formed GET or HEAD without a body, sent in good time, under a
name of this computer. Everything else gets one short answer and is hung up on. One connection, one request.
"""

from __future__ import annotations

import asyncio
import errno
import re
from http import HTTPStatus
from typing import Any, Protocol, cast

HEAD_LIMIT_BYTES = 8192
"""Request line and headers. Apache's limit of one line; browsers send under 1 KB to this page."""
PATH_LIMIT_CHARS = 200
"""The longest path of the page has 45 characters."""
HEADERS_MAX = 64
HEAD_S = 5.0
"""A sender that has not finished its head by then is cut off (slow-sender attack)."""
SEND_S = 20.0
"""A receiver that takes nothing for so long is gone: a 500 KB picture at 25 KB/s still arrives."""
LINGER_S = 1.0
"""Unread input at close makes the kernel send RST, which can destroy the answer: read it away first."""
LINGER_BYTES = 1_000_000
CONNECTIONS_MAX = 128
"""64 streams and as many short requests; a file descriptor and about 30 KB each."""

EVERY_ANSWER = {
    # 'self' alone, no inline script or style, no framing, and no string ever becomes markup (Trusted Types).
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # plates and pictures must not stay on a borrowed phone
}

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([\x21-\x7e]+) HTTP/1\.[01]")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*)")
# A foreign name that resolves to 127.0.0.1 (DNS rebinding) would let its page read plates: own names only.
_OWN_NAME = re.compile(rb"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)

_TEXT = {
    HTTPStatus.BAD_REQUEST: "请求无效 / not a valid HTTP request without a body",
    HTTPStatus.NOT_FOUND: "没有此页 / no such page",
    HTTPStatus.METHOD_NOT_ALLOWED: "只读页面, 只接受 GET 和 HEAD / read-only page: GET and HEAD only",
    HTTPStatus.REQUEST_TIMEOUT: f"请求未在 {HEAD_S:.0f} 秒内发完 / request not finished in time",
    HTTPStatus.REQUEST_URI_TOO_LONG: f"路径超过 {PATH_LIMIT_CHARS} 字符 / path too long",
    HTTPStatus.MISDIRECTED_REQUEST: "请用 127.0.0.1 或 localhost 打开 / open it as 127.0.0.1 or localhost",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: f"请求头超过 {HEAD_LIMIT_BYTES} 字节 / head too large",
    HTTPStatus.INTERNAL_SERVER_ERROR: "页面程序出错, 见日志 / the page failed, see the journal",
    HTTPStatus.SERVICE_UNAVAILABLE: "连接过多, 请稍后再试 / too many connections, try again later",
}


def refusal_text(status: int) -> str:
    """The one line that a refused request gets, Chinese first."""
    return f"{int(status)} {_TEXT[HTTPStatus(status)]}\n"


class App(Protocol):
    """What the gate needs of the web framework."""

    async def handle_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...


class Refused(Exception):
    """This request goes no further."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class BoundedWriter:
    """The writer the framework gets: every write is drained within `SEND_S`; closing is the gate's."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def get_extra_info(self, name: str) -> Any:
        return self._writer.get_extra_info(name)

    async def awrite(self, data: bytes) -> None:
        self._writer.write(data)
        try:
            async with asyncio.timeout(SEND_S):
                await self._writer.drain()
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, f"receiver took nothing for {SEND_S} s") from None

    async def aclose(self) -> None:
        """Nothing: the gate closes after it has read the rest of the input away."""


class Gate:
    """The connection callback of `asyncio.start_server(limit=HEAD_LIMIT_BYTES)`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._connections: set[asyncio.Task[None]] = set()

    def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: asyncio's own one reports a cancelled connection as an error (Python 3.11).
        task = asyncio.create_task(self._connection(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def close(self) -> None:
        """End every connection and wait until they have ended."""
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except ConnectionError:
            pass  # the other side hung up: nobody is left to tell
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bounded = BoundedWriter(writer)
        try:
            if len(self._connections) > CONNECTIONS_MAX:
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE)
            head = await _read_head(reader)
            if not head:
                return
            judge_head(head)
        except Refused as refused:
            await bounded.awrite(_refusal(refused.status))
        else:
            request = asyncio.StreamReader()
            request.feed_data(head)
            request.feed_eof()
            await self._app.handle_request(request, cast(asyncio.StreamWriter, bounded))
        await _linger(reader, writer)


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    """Up to and with the empty line; b"" if the other side sent nothing at all."""
    try:
        async with asyncio.timeout(HEAD_S):
            return await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT) from None
    except asyncio.LimitOverrunError:
        raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
    except asyncio.IncompleteReadError as short:
        if not short.partial:
            return b""
        raise Refused(HTTPStatus.BAD_REQUEST) from None


def judge_head(head: bytes) -> None:
    """Raise `Refused` unless `head` (with its empty line) is a GET or HEAD that the page may see."""
    request_line, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    request = _REQUEST_LINE.fullmatch(request_line)
    headers = [_HEADER.fullmatch(line) for line in lines]
    if request is None or None in headers:
        raise Refused(HTTPStatus.BAD_REQUEST)
    method, target = request.groups()
    if method not in {b"GET", b"HEAD"}:
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED)
    if len(target) > PATH_LIMIT_CHARS:
        raise Refused(HTTPStatus.REQUEST_URI_TOO_LONG)
    if not target.startswith(b"/"):
        raise Refused(HTTPStatus.BAD_REQUEST)
    if len(headers) > HEADERS_MAX:
        raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    for header in headers:
        assert header is not None  # refused above
        name, value = header[1].lower(), header[2].strip()
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            raise Refused(HTTPStatus.BAD_REQUEST)
        if name == b"host" and _OWN_NAME.fullmatch(value) is None:
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST)


def _refusal(status: HTTPStatus) -> bytes:
    body = refusal_text(status).encode()
    headers = EVERY_ANSWER | {"Content-Type": "text/plain; charset=UTF-8", "Content-Length": str(len(body))}
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = "GET, HEAD"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.0 {status.value} {status.phrase}\r\n{lines}\r\n".encode() + body


async def _linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say that no more comes, then read what the other side still sends, within bounds."""
    if not writer.can_write_eof():
        return
    writer.write_eof()
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_S):
            while left > 0 and (data := await reader.read(left)):
                left -= len(data)
    except TimeoutError:
        pass  # it keeps its side open: closing now is our right
