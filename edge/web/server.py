"""The page's server: a thread and an event loop of its own, the static files, and the handlers behind the gate.

What can be asked stands in `routes`; the files of `static/` and /healthz need no login. An error of the source ends
the server and is handed to `on_failure`, whose duty is to take the program down (systemd restarts it): a page that
shows an old state as the present one is worse than none.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

from edge.config.model import Web
from edge.ports import PageSource
from edge.web.desk import Desk
from edge.web.door import Door
from edge.web.gate import Gate
from edge.web.handlers import Handlers
from edge.web.message import Request, Response
from edge.web.porter import Porter
from edge.web.static_files import answer as file_answer
from edge.web.static_files import static_files
from edge.web.stream import Broadcast
from edge.web.views import PictureShelf

STOP_S = 12.0
"""Closing 128 connections takes milliseconds, a step of a link check at most 5 s; what hangs for longer is a failure
worth naming."""


def system_wall_ms() -> int:
    return time.time_ns() // 1_000_000


class PageServer:
    """`start` binds and returns the port (the config may say 0), `stop` ends the streams and the thread."""

    def __init__(
        self,
        web: Web,
        source: PageSource,
        desk: Desk,
        door: Door,
        *,
        tls: ssl.SSLContext | None = None,
        on_failure: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._web, self._door, self._tls, self._on_failure = web, door, tls, on_failure
        shelf = PictureShelf(source)
        self._broadcast = Broadcast(source, shelf, door.wall_ms)
        self._handlers = Handlers(door, desk, source, shelf, self._broadcast)
        self._files = static_files()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = asyncio.Event()

    def start(self) -> int:
        """Raises `OSError` naming the setting if the port cannot be had. Not twice: a server starts once."""
        if self._thread is not None:
            raise RuntimeError("PageServer.start: already started; make a new PageServer")
        family = socket.AF_INET6 if ":" in self._web.host else socket.AF_INET
        try:
            listener = socket.create_server((self._web.host, self._web.port), family=family)
        except OSError as error:
            raise OSError(
                error.errno,
                f"web.host {self._web.host}, web.port {self._web.port}: {error.strerror}; "
                "allowed is a port of this computer that no other program uses, or 0 for any / 端口不可用",
            ) from error
        port = int(listener.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop, listener), name="page")
        self._thread.start()
        return port

    def stop(self) -> None:
        """Returns when the thread has ended. Harmless when it has ended already or never started."""
        if self._thread is None or self._loop is None or not self._thread.is_alive():
            return
        with contextlib.suppress(RuntimeError):  # the loop has closed: the thread is ending by itself
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            raise RuntimeError(f"page thread did not end within {STOP_S} s: its PageSource hangs")

    def _run(self, loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
        try:
            loop.run_until_complete(self._serve(listener))
        except Exception as failure:
            if self._on_failure is None:
                raise
            self._on_failure(failure)
        finally:
            listener.close()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            self._door.work.close()

    async def _serve(self, listener: socket.socket) -> None:
        gate = Gate(self._answer, self._web.names)
        porter = Porter(listener, gate, self._tls)
        watch = asyncio.create_task(self._broadcast.watch())
        letting_in = asyncio.create_task(porter.run())
        stopping = asyncio.create_task(self._stopping.wait())
        tasks = (watch, letting_in, stopping)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            listener.close()
            await porter.close()
            await gate.close()
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for failure in ended:
            if isinstance(failure, Exception):
                raise failure

    async def _answer(self, request: Request) -> Response:
        file = self._files.get(request.path)
        return await self._handlers.answer(request) if file is None else file_answer(file, request)
