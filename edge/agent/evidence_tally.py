"""How well each lane's pictures do over its last thousand passages: capture rate, missing ones, width of plates.

Qingdao B.1 rule 1 asks for 99 % of the vehicles, rule 9 for plates of 100 px.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from sys import intern
from typing import NamedTuple

from edge.fault_view import fault_view
from edge.ports import EvidenceView, FaultView
from edge.store.pictures import PictureRow

WINDOW = 1000
JUDGED_FROM = 100  # passages: before, one missing picture would be more than a hundredth
CAPTURE_MIN_PCT = 99  # B.1 rule 1
PLATE_MIN_PX = 100  # B.1 rule 9
NARROW_FROM = 3  # pictures, and a twentieth of all: single cars stand far off


class Mark(NamedTuple):
    """What is counted of one passage, small: thousands of them are kept."""

    state: str
    camera: str
    plate_width: int
    small: bool
    record_id: str  # "" unless its picture may still come


class Tally:
    """`add` and `load` from one thread, `views` and `faults` from any."""

    LOAD = 4 * WINDOW

    def __init__(self, lanes: Sequence[str]) -> None:
        self._lanes = lanes
        self._rows: dict[str, deque[Mark]] = {}
        self._lock = threading.Lock()
        self._since: dict[tuple[str, str], FaultView] = {}

    def load(self, rows: Sequence[PictureRow]) -> None:
        with self._lock:
            self._rows.clear()
            for row in rows:
                self._rows.setdefault(row.lane, deque(maxlen=WINDOW)).append(_mark(row))

    def add(self, row: PictureRow, again: bool = False) -> None:
        """`again`: the picture came late, its passage has been counted as missing."""
        with self._lock:
            rows = self._rows.setdefault(row.lane, deque(maxlen=WINDOW))
            if again:
                kept = [one for one in rows if one.record_id != row.record_id]
                rows.clear()
                rows.extend(kept)
            rows.append(_mark(row))

    def views(self) -> list[EvidenceView]:
        with self._lock:
            return [_view(lane, tuple(self._rows.get(lane, ()))) for lane in self._lanes]

    def faults(self) -> list[FaultView]:
        found: dict[tuple[str, str], str] = {}
        for view in self.views():
            if view.passages >= JUDGED_FROM and view.pictures * 100 < view.passages * CAPTURE_MIN_PCT:
                found["capture_low", view.lane] = f"{view.pictures}/{view.passages}"
            if view.narrow >= NARROW_FROM and view.narrow * 20 > view.plates:
                found["plate_narrow", view.lane] = f"{view.narrow}/{view.plates} < {PLATE_MIN_PX} px"
        with self._lock:
            last = {mark.camera: mark for marks in self._rows.values() for mark in marks if mark.state == "made"}
        for camera, mark in last.items():
            if mark.small:
                found["picture_small", camera] = ""
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            self._since = {
                key: self._since.get(key) or fault_view(key[0], key[1], detail, now_ms)
                for key, detail in found.items()
            }
            return list(self._since.values())


def _mark(row: PictureRow) -> Mark:
    waits = row.record_id if row.state == "missing" else ""
    small = "scaled_up" in row.flags.split()
    return Mark(intern(row.state), intern(row.camera), row.plate_width, small, waits)


def _view(lane: str, rows: Sequence[Mark]) -> EvidenceView:
    made = [row for row in rows if row.state in ("made", "deleted")]
    plates = [row.plate_width for row in made if row.plate_width > 0]
    return EvidenceView(
        lane=lane,
        passages=len(rows),
        pictures=len(made),
        missing=sum(row.state == "missing" for row in rows),
        failed=sum(row.state == "failed" for row in rows),
        plates=len(plates),
        narrow=sum(width < PLATE_MIN_PX for width in plates),
        small=sum(mark.small for mark in made),
    )
