"""Server-sent events: one look a change, shared by all streams, and a beat that proves the line alive.

    source.version()  --0.1 s-->  changed? one look, one JSON text  -->  every stream: event "state"
                                  nothing for 1 s?                  -->  every stream: event "beat"

A stream is told the newest state when it has taken the one before; it never gets a queue. A slow phone
therefore skips states instead of falling behind, and costs no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import msgspec

from edge.ports import PageSource
from edge.web.views import PageState, PictureShelf, look, missing_pictures

POLL_S = 0.1
"""At most 10 states a second (ports.BoxView)."""
BEAT_S = 1.0
"""The page calls a stream broken after 2.2 s of silence, so that it says so within 3 s."""
STREAMS_MAX = 64
RETRY_MS = 1000
"""How soon the browser itself comes back after the line broke."""


class StreamsFull(Exception):
    """`STREAMS_MAX` pages are open already."""


class Broadcast:
    """Looks at the source while somebody listens. All methods run on the page's event loop."""

    def __init__(self, source: PageSource, shelf: PictureShelf, wall_ms: Callable[[], int]) -> None:
        self._source = source
        self._shelf = shelf
        self._wall_ms = wall_ms
        self._streams: set[asyncio.Task[object]] = set()
        self._listening = asyncio.Event()
        self._news = asyncio.Event()
        self._version: int | None = None
        self._state: PageState | None = None
        self._frame = b""
        self._frame_no = 0
        self._beat_at_s = 0.0

    def open(self) -> AsyncGenerator[bytes, None]:
        """A new stream for the calling task's connection; its place is free again when that task ends."""
        if len(self._streams) >= STREAMS_MAX:
            raise StreamsFull
        task = asyncio.current_task()
        assert task is not None  # a connection always runs in a task
        if not self._streams:
            self._look_if_changed()  # nobody looked while nobody listened
        self._streams.add(task)
        self._listening.set()
        task.add_done_callback(self._left)
        return self._frames()

    def state_json(self) -> bytes:
        """The document once, for /api/state."""
        return msgspec.json.encode(look(self._source, self._shelf, self._wall_ms()))

    async def watch(self) -> None:
        """Runs for ever; an error of the source ends it, and with it the page server."""
        while True:
            await self._listening.wait()
            self._step(asyncio.get_running_loop().time())
            await asyncio.sleep(POLL_S)

    def _step(self, now_s: float) -> None:
        beat_due = now_s >= self._beat_at_s
        changed = self._look_if_changed() or (beat_due and self._look_if_picture_came())
        if changed or beat_due:
            self._beat_at_s = now_s + BEAT_S
            self._news.set()
            self._news = asyncio.Event()

    def _look_if_changed(self) -> bool:
        version = self._source.version()  # before the look: a change in between is looked at once more
        if version == self._version:
            return False
        self._look()
        self._version = version
        return True

    def _look_if_picture_came(self) -> bool:
        missing = missing_pictures(self._state) if self._state else []
        if not any(self._shelf.get(read_id) for read_id in missing):
            return False
        self._look()
        return True

    def _look(self) -> None:
        self._state = look(self._source, self._shelf, self._wall_ms())
        self._frame = b"event: state\ndata: " + msgspec.json.encode(self._state) + b"\n\n"
        self._frame_no += 1

    async def _frames(self) -> AsyncGenerator[bytes, None]:
        yield b"retry: %d\n\n" % RETRY_MS
        told = 0
        while True:
            news = self._news  # before the yield: what comes while the client takes its frame is not lost
            if told != self._frame_no:
                told = self._frame_no
                yield self._frame
            else:
                yield b'event: beat\ndata: {"now_ms":%d}\n\n' % self._wall_ms()
            await news.wait()

    def _left(self, task: asyncio.Task[object]) -> None:
        self._streams.discard(task)
        if not self._streams:
            self._listening.clear()
