"""The porter: takes connections from the listening socket and hands them to the gate, TLS handshake done.

asyncio's own server takes every connection and lets any number of them sit in a handshake: with some hundred the agent
would have no file numbers left for its databases. Here those on their way are counted; one too many is closed at once.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl

from edge.web.gate import Gate
from edge.web.message import HEAD_LIMIT_BYTES

log = logging.getLogger("parkbox.page")

ARRIVING_MAX = 48
"""Handshakes at the same time; 50 phones that come back after the box was started anew need a second for them."""
HANDSHAKE_S = 8.0
"""TLS over a slow mobile link; a sender that is slower is cut off."""
REST_S = 0.5
"""After the system had no file number left."""


class Porter:
    """`run` until it is cancelled; `close` ends the handshakes under way."""

    def __init__(self, listener: socket.socket, gate: Gate, tls: ssl.SSLContext | None) -> None:
        self._listener, self._gate, self._tls = listener, gate, tls
        self._arriving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        while True:
            try:
                line, _ = await loop.sock_accept(self._listener)
            except OSError as error:
                log.warning("a connection could not be taken: %s", error)
                await asyncio.sleep(REST_S)
                continue
            if len(self._arriving) >= ARRIVING_MAX:
                line.close()
                continue
            task = loop.create_task(self._let_in(line))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    async def close(self) -> None:
        tasks = list(self._arriving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _let_in(self, line: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=HEAD_LIMIT_BYTES, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, self._gate, loop=loop)
        handshake_s = None if self._tls is None else HANDSHAKE_S
        try:
            await loop.connect_accepted_socket(
                lambda: protocol, line, ssl=self._tls, ssl_handshake_timeout=handshake_s
            )
        except (OSError, ssl.SSLError) as error:  # plain HTTP, old TLS, a scanner, or too slow
            log.debug("no handshake: %s", error)
            line.close()
        except BaseException:
            line.close()
            raise
