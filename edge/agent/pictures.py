"""Which picture belongs to which read: an index over the newest facts, pictures read from the spool on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from edge.core.facts import PictureKept
from edge.evidence.spool import read_picture
from edge.ports import LedgerReader

KEPT = 5000
"""Places remembered, 150 bytes each: some days of a lane."""

BATCH = 500


class PictureIndex:
    """Follows the ledger from where `begin` says at the first look; `get` may be called from any thread."""

    def __init__(self, ledger: LedgerReader, spool: Path, begin: Callable[[], int]) -> None:
        self._ledger, self._spool, self._begin = ledger, spool, begin
        self._seq: int | None = None
        self._places: dict[str, PictureKept] = {}
        self._lock = threading.Lock()

    def get(self, read_id: str) -> bytes | None:
        with self._lock:
            self._follow()
            place = self._places.get(read_id)
        if place is None:
            return None
        return read_picture(self._spool, place.spool, place.offset, place.length, place.crc32)

    def _follow(self) -> None:
        if self._seq is None:
            self._seq = self._begin()
        while facts := self._ledger.read_after(self._seq, BATCH):
            for fact in facts:
                if isinstance(fact.body, PictureKept):
                    self._places[fact.body.read_id] = fact.body
            self._seq = facts[-1].seq
        while len(self._places) > KEPT:
            del self._places[next(iter(self._places))]
