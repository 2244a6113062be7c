"""The technician's page: a read-only web server on a thread and an event loop of its own.

    GET /                       the page (with its style and scripts, all from this box)
    GET /events                 the live state as server-sent events
    GET /api/state              the same document once
    GET /api/deliveries         ?plate=&from_ms=&to_ms= what became of the deliveries of a car, newest first
    GET /picture/<read_id>.jpg  the picture of a read

Nothing here changes anything. An error of the source ends the server and is handed to `on_failure`, whose
duty is to take the program down (systemd restarts it): a page that shows an old state as the present one is
worse than none.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Any, cast

import msgspec
from microdot import Microdot, Request, Response

from edge.config.model import Web
from edge.ports import PageSource
from edge.web.gate import EVERY_ANSWER, HEAD_LIMIT_BYTES, Gate, refusal_text
from edge.web.stream import Broadcast, StreamsFull
from edge.web.views import PictureShelf, found_row

KIND = {
    ".html": "text/html; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
    ".js": "text/javascript; charset=UTF-8",
    ".svg": "image/svg+xml",
}
PLATE_MAX_CHARS = 20
"""As at the city (T/QME 0015-2024: car_no, String 20)."""
FOR_EVER_MS = 10**15
STOP_S = 5.0
"""Closing 128 connections takes milliseconds; a source that hangs for longer is a failure worth naming."""


def system_wall_ms() -> int:
    return time.time_ns() // 1_000_000


class PageServer:
    """`start` binds and returns the port (the config may say 0), `stop` ends the streams and the thread."""

    def __init__(
        self,
        web: Web,
        source: PageSource,
        wall_ms: Callable[[], int] = system_wall_ms,
        on_failure: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._web, self._source = web, source
        self._shelf = PictureShelf(source)
        self._broadcast = Broadcast(source, self._shelf, wall_ms)
        self._gate = Gate(self._app())
        self._on_failure = on_failure
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

    async def _serve(self, listener: socket.socket) -> None:
        server = await asyncio.start_server(self._gate, sock=listener, limit=HEAD_LIMIT_BYTES)
        watch = asyncio.create_task(self._broadcast.watch())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({watch, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server.close()
            await self._gate.close()
            for task in (watch, stopping):
                task.cancel()
            ended = await asyncio.gather(watch, stopping, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise ended[0]

    def _app(self) -> Microdot:
        app = Microdot()

        async def events(request: Request) -> Response:
            try:
                frames = self._broadcast.open()
            except StreamsFull:
                return _refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return _answer(frames, "text/event-stream; charset=UTF-8")

        async def state(request: Request) -> Response:
            return _answer(self._broadcast.state_json(), "application/json; charset=UTF-8")

        async def deliveries(request: Request) -> Response:
            try:
                plate, from_ms, to_ms = _asked(request.args)
            except ValueError:
                return _refuse(HTTPStatus.BAD_REQUEST)
            found = await asyncio.to_thread(self._source.search, plate, from_ms, to_ms)  # it may scan the whole table
            return _answer(msgspec.json.encode([found_row(one) for one in found]), "application/json; charset=UTF-8")

        async def picture(request: Request, file: str) -> Response:
            jpeg = self._shelf.get(file.removesuffix(".jpg"))
            return _refuse(HTTPStatus.NOT_FOUND) if jpeg is None else _answer(jpeg, "image/jpeg")

        route = cast(Any, app.get)  # microdot's stubs leave its decorators untyped
        route("/events")(events)
        route("/api/state")(state)
        route("/api/deliveries")(deliveries)
        route(r"/picture/<re:[0-9a-f]{32}\.jpg:file>")(picture)
        for file in (files("edge.web") / "static").iterdir():
            path = "/" if file.name == "index.html" else f"/{file.name}"
            route(path)(_fixed(file.read_bytes(), KIND["." + file.name.rpartition(".")[2]]))
        for status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.INTERNAL_SERVER_ERROR):
            cast(Any, app.errorhandler)(status.value)(_refuser(status))
        app.after_request(_dress)
        app.after_error_request(_dress)
        return app


def _asked(arguments: Mapping[str, str]) -> tuple[str, int, int]:
    """`ValueError` for a plate longer than any, or a time that is no number of ms."""
    plate = arguments.get("plate", "")
    if len(plate) > PLATE_MAX_CHARS:
        raise ValueError(plate)
    times = [arguments.get(name, "") for name in ("from_ms", "to_ms")]
    if any(text and not (text.isascii() and text.isdecimal() and len(text) <= 15) for text in times):
        raise ValueError(times)
    return plate, int(times[0] or 0), int(times[1] or FOR_EVER_MS)


def _fixed(content: bytes, kind: str) -> Callable[[Request], Response]:
    return lambda request: _answer(content, kind)


def _refuser(status: HTTPStatus) -> Callable[[Request], Response]:
    return lambda request: _refuse(status)


def _refuse(status: HTTPStatus) -> Response:
    return _answer(refusal_text(status).encode(), "text/plain; charset=UTF-8", status)


def _answer(
    body: bytes | AsyncGenerator[bytes, None], kind: str, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    # The stubs know only text bodies; microdot itself sends an async generator piece by piece.
    return Response(cast(bytes, body), status.value, {"Content-Type": kind})


def _dress(request: Request | None, response: Response) -> Response:
    response.headers.update(EVERY_ANSWER)
    response.reason = HTTPStatus(response.status_code).phrase
    return response
