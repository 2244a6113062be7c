"""Keeping and deleting evidence pictures: by age, by disk, and what does not fit together is found and said.

A picture is kept its days (B.1 rule 4: a month) and longer while the city lacks its record. Only when the disk would
fill do others go: the oldest delivered first, then, with a fault, the oldest of all. The row is marked before the
file goes, so a crash leaves a file too many and never a row that promises one.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec

from edge.core.clock import CHINA
from edge.fault_view import fault_view
from edge.ports import FaultView
from edge.store.pictures import Pictures

log = logging.getLogger(__name__)

EVERY_S = 3600.0
BATCH = 200
ROWS_KEPT_TIMES = 3  # rows of deleted and missing pictures stay three times as long as pictures
_DAY = re.compile(r"^\d{8}$")


class Limits(msgspec.Struct, frozen=True):
    days: int
    bytes: int
    free_bytes: int


def free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class Upkeep:
    """For the evidence thread; `faults` for any."""

    def __init__(
        self,
        folder: Path,
        store: Pictures,
        limits: Limits,
        undelivered: Callable[[Sequence[str]], set[str]],
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._folder, self._store, self._limits = folder, store, limits
        self._undelivered, self._free = undelivered, free
        self._faults: dict[str, FaultView] = {}
        self._swept = ""

    def faults(self) -> list[FaultView]:
        return list(self._faults.values())

    def run(self, now_ms: int) -> None:
        """Raises `StoreError` and `OSError`."""
        if not self._folder.is_dir():
            return
        now = datetime.fromtimestamp(now_ms / 1000, CHINA)
        today = now.strftime("%Y%m%d")
        last_kept = (now - timedelta(days=self._limits.days)).strftime("%Y%m%d")
        self._by_age(last_kept)
        self._by_disk(today, now_ms)
        if self._swept != today:  # once a day, and at every start
            self._sweep(last_kept, now_ms)
            self._store.forget((now - timedelta(days=self._limits.days * ROWS_KEPT_TIMES)).strftime("%Y%m%d"))
            self._swept = today

    def _by_age(self, last_kept: str) -> None:
        """All before that day which the city has."""
        behind = 0
        while rows := self._store.oldest(BATCH, behind, before_day=last_kept):
            waiting = self._undelivered([row.record_id for row in rows])
            self._delete([(row.record_id, row.day) for row in rows if row.record_id not in waiting])
            behind += len(waiting)

    def _by_disk(self, today: str, now_ms: int) -> None:
        """Room on the disk is made of earlier days' pictures only: something else may be what fills it."""
        given_up = 0
        behind = 0  # undelivered ones, older than those that may go
        only_delivered = True
        while before := self._to_go(today):
            rows = self._store.oldest(BATCH, behind, before_day=before)
            if not rows:
                if not only_delivered:
                    break
                only_delivered, behind = False, 0
                continue
            waiting = self._undelivered([row.record_id for row in rows])
            # A few at a time: no more than must.
            going = [row for row in rows if not only_delivered or row.record_id not in waiting][:20]
            given_up += sum(row.record_id in waiting for row in going)
            self._delete([(row.record_id, row.day) for row in going])
            behind += len(waiting) if only_delivered and not going else 0
        if given_up:
            log.warning("%d pictures deleted that the city does not have: the disk was full", given_up)
            self._say("pictures_given_up", f"{given_up}", now_ms)

    def _to_go(self, today: str) -> str:
        """Pictures before this day must go; "" = none."""
        if self._store.kept_bytes() > self._limits.bytes:
            return "99999999"
        return today if self._free(self._folder) < self._limits.free_bytes else ""

    def _delete(self, pictures: Sequence[tuple[str, str]]) -> None:
        if not pictures:
            return
        self._store.mark_deleted([record_id for record_id, _ in pictures])
        for record_id, day in pictures:
            (self._folder / day / f"{record_id}.jpg").unlink(missing_ok=True)
        for day in {day for _, day in pictures}:
            folder = self._folder / day
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _sweep(self, last_kept: str, now_ms: int) -> None:
        """Files against rows, day by day."""
        days = {one.name for one in self._folder.iterdir() if _DAY.match(one.name) and one.is_dir()}
        orphans = lost = 0
        for day in sorted(days | self._store.days()):
            folder = self._folder / day
            there = 0
            for names in _names(folder) if day in days else ():
                states = self._store.states(day, [_record_of(name) for name in names])
                for name in names:
                    state, ending = states.get(_record_of(name)), name.rpartition(".")[2]
                    if ending == "jpg" and state == "made":
                        there += 1
                    elif ending == "new" or state == "deleted" or day < last_kept:
                        (folder / name).unlink()  # a crash left it, or nobody knows it and its time is over
                    else:
                        orphans += 1
            lost += self._store.made_of(day) - there
            if day in days and day < last_kept and not any(folder.iterdir()):
                folder.rmdir()
        if orphans or lost:
            self._say("pictures_unmatched", f"无记录 orphans {orphans}, 文件丢失 files gone {lost}", now_ms)
        else:
            self._faults.pop("pictures_unmatched", None)

    def _say(self, code: str, detail: str, now_ms: int) -> None:
        self._faults[code] = fault_view(code, "pictures", detail, now_ms)


def _names(folder: Path) -> Iterator[list[str]]:
    """Of all its files, some at a time: a day may hold ten thousand, which would be megabytes that stay."""
    with os.scandir(folder) as found:
        while names := [one.name for one in islice(found, BATCH)]:
            yield names


def _record_of(name: str) -> str:
    return name.rpartition(".")[0]
