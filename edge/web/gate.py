"""The gate before the page: connections counted, heads and bodies read within bounds of size and time, answers sent.

What the page's own code sees is a complete, well-formed request that came in good time under a name of this computer.
Everything else gets one short answer and is hung up on. One connection, one request.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing
from http import HTTPStatus

import msgspec

from edge.web.message import BODY_LIMIT_BYTES, LOOPBACK_NAMES, RefusedRequest, Request, Response, parse_head

log = logging.getLogger("parkbox.page")

HEAD_S = 5.0
"""A sender that has not finished its head by then is cut off (slow-sender attack)."""
BODY_S = 15.0
"""A configuration over a slow mobile link."""
SEND_S = 20.0
"""A receiver that takes nothing for so long is gone: a 500 KB picture at 25 KB/s still arrives."""
LINGER_S = 1.0
"""Unread input at close makes the kernel send RST, which can destroy the answer: read it away first."""
LINGER_BYTES = 1_000_000
CONNECTIONS_MAX = 128
"""64 streams and as many short requests; a file descriptor and about 30 KB each."""
ADDRESS_MAX = 96
"""Of one address, so that one alone cannot keep all others out; several phones may stand behind one."""
LARGE_AT_ONCE = 4
"""So many large bodies are read at the same time; more wait for their turn within `BODY_S`."""

Answerer = Callable[[Request], Awaitable[Response]]


class Gate:
    """The connection callback of `asyncio.start_server(limit=HEAD_LIMIT_BYTES)`. `names`: further names of the box."""

    def __init__(self, answer: Answerer, names: Collection[str] = ()) -> None:
        self._answer = answer
        self._names = frozenset(name.lower() for name in names)
        self._connections: set[asyncio.Task[None]] = set()
        self._addresses: Counter[str] = Counter()
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

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
        address = _host_of(writer, "peername")
        self._addresses[address] += 1
        try:
            await self._serve(reader, writer, address)
            await _linger(reader, writer)
        except ConnectionError:
            pass  # the other side hung up: nobody is left to tell
        finally:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        with_body = True
        try:
            if len(self._connections) > CONNECTIONS_MAX or self._addresses[address] > ADDRESS_MAX:
                raise RefusedRequest(HTTPStatus.SERVICE_UNAVAILABLE)
            head = await _read_head(reader)
            if not head:
                return
            request = parse_head(head, self._names | own_names(_host_of(writer, "sockname")))
            with_body = request.method != "HEAD"
            body = await self._read_body(reader, request.length) if request.length else b""
            response = await self._answer(msgspec.structs.replace(request, body=body, address=address))
        except RefusedRequest as refused:
            response = refused.answer()
        except Exception:
            log.exception("a request failed")
            response = RefusedRequest(HTTPStatus.INTERNAL_SERVER_ERROR).answer()
        await _send(writer, response, with_body)

    async def _read_body(self, reader: asyncio.StreamReader, length: int) -> bytes:
        try:
            async with asyncio.timeout(BODY_S):
                if length <= BODY_LIMIT_BYTES:
                    return await reader.readexactly(length)
                async with self._large:
                    return await reader.readexactly(length)
        except TimeoutError:
            raise RefusedRequest(HTTPStatus.REQUEST_TIMEOUT) from None
        except asyncio.IncompleteReadError:
            raise RefusedRequest(HTTPStatus.BAD_REQUEST) from None


def own_names(mine: str) -> frozenset[str]:
    """What the box is called on a connection to its address `mine`."""
    return LOOPBACK_NAMES if mine in LOOPBACK_NAMES else frozenset({mine})


def _host_of(writer: asyncio.StreamWriter, end: str) -> str:
    """The address without a zone; IPv4 within IPv6 as IPv4."""
    name = writer.get_extra_info(end)
    return str(name[0]).partition("%")[0].lower().removeprefix("::ffff:") if name else ""


async def _send(writer: asyncio.StreamWriter, response: Response, with_body: bool) -> None:
    body = response.body
    if isinstance(body, bytes):
        await _write(writer, response.head() + (body if with_body else b""))
        return
    await _write(writer, response.head())
    async with aclosing(body):
        if with_body:
            async for piece in body:
                await _write(writer, piece)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Every write is drained within `SEND_S`."""
    writer.write(data)
    try:
        async with asyncio.timeout(SEND_S):
            await writer.drain()
    except TimeoutError:
        raise ConnectionResetError(errno.ECONNRESET, f"receiver took nothing for {SEND_S} s") from None


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    """Up to and with the empty line; b"" if the other side sent nothing at all."""
    try:
        async with asyncio.timeout(HEAD_S):
            return await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise RefusedRequest(HTTPStatus.REQUEST_TIMEOUT) from None
    except asyncio.LimitOverrunError:
        raise RefusedRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
    except asyncio.IncompleteReadError as short:
        if not short.partial:
            return b""
        raise RefusedRequest(HTTPStatus.BAD_REQUEST) from None


async def _linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say that no more comes, then read what the other side still sends, within bounds."""
    try:
        if writer.can_write_eof():  # TLS cannot
            writer.write_eof()
    except OSError:
        return  # ENOTCONN: the other side hung up first
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_S):
            while left > 0 and (data := await reader.read(left)):
                left -= len(data)
    except TimeoutError:
        pass  # it keeps its side open: closing now is our right
