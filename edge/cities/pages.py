"""Pages: the backlog in pieces, the next one fetched by a thread of its own while this one is on the wire.

That thread then notes what was accepted of the page before: last, because nobody waits for that and its sync takes as
long as the disk likes. SQLite works outside of Python's lock, so neither waits for the other; nothing is locked across
the network. A short page is the last: then no
thread is started, and what is left is found by asking again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from edge.cities.clock import Clock
from edge.ports import DeliveryStore, Due

# Rows of a page: what a crash makes us send a second time, and a kilobyte each in memory, two pages of them.
PAGE = 500

# An accepted row waits at most so long for its note, while requests go on.
NOTE_S = 1.0

ACCEPTED = "已接收 / accepted"


class Pages:
    """For one thread; the one that fetches ahead is its own affair."""

    def __init__(self, city: str, store: DeliveryStore, clock: Clock, now_ms: Callable[[], int]) -> None:
        self._city, self._store, self._clock, self._now_ms = city, store, clock, now_ms
        self._accepted: list[int] = []
        self._being_noted: list[int] = []  # by the thread, after its fetch
        self._skip: set[int] = set()
        self._thread: ThreadPoolExecutor | None = None  # while a backlog is drained
        self._ahead: Future[list[Due]] | None = None
        self._noting: Future[None] | None = None
        self._noted_s = clock.mono_s()

    def next(self) -> list[Due]:
        """Due rows, none of those that were accepted or sent out of turn. Raises what the store raises."""
        if self._ahead is None:
            self.note()
            page = self._store.due(self._city, self._now_ms(), PAGE)
        else:
            page = self._ahead.result()
        if self._noting is not None:
            self._noting.result()
        if len(page) == PAGE:
            self._being_noted, self._accepted = self._accepted, []
            self._noted_s = self._clock.mono_s()
            busy = [*self._being_noted, *(row.id for row in page)]
            self._thread = self._thread or ThreadPoolExecutor(1, "delivery-page")
            self._ahead = self._thread.submit(self._store.due, self._city, self._now_ms(), PAGE, busy)
            self._noting = self._thread.submit(self._note, self._being_noted)
        else:
            self._ahead, self._noting, self._being_noted = None, None, []
        skip, self._skip = self._skip, set()
        return [row for row in page if row.id not in skip] if skip else page

    def out_of_turn(self, ids: Iterable[int]) -> None:
        """These are sent now, whichever page they stand in."""
        if self._ahead is not None:
            self._skip.update(ids)

    def accepted(self, ids: Iterable[int]) -> None:
        self._accepted += ids

    def unnoted(self) -> list[int]:
        """Accepted rows that may still stand in the queue."""
        return self._accepted + self._being_noted

    def note(self) -> None:
        """Bring to the disk what the city has accepted."""
        if self._accepted:
            accepted, self._accepted = self._accepted, []
            self._note(accepted)
        self._noted_s = self._clock.mono_s()

    def note_old(self) -> None:
        """`note`, when the last one was a while ago."""
        if self._clock.mono_s() - self._noted_s > NOTE_S:
            self.note()

    def reset(self) -> None:
        """What was fetched, and what was accepted and not noted, is forgotten. The thread has ended then."""
        self._accepted, self._being_noted, self._skip = [], [], set()
        self._ahead = self._noting = None
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()

    def _note(self, accepted: Sequence[int]) -> None:
        if accepted:
            self._store.accepted(accepted, ACCEPTED, self._clock.wall_ms())
