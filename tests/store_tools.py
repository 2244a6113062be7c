"""For the tests and benches of the store: facts by number, somebody who waits for `done`, a big ledger in seconds."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from edge.core.facts import Fact, Passed, ReadTaken, Stamp
from edge.store.ledger import Ledger, StoreResult

DEADLINE_S = 20.0  # for what happens within milliseconds unless it is broken
BOOT = "7c0c1f0e-5d0b-4b57-9a51-0a4d8a3f4c11"


def passed(n: int) -> Fact:
    """The n-th fact: everything in it follows from n, so a reader can tell a changed one."""
    body = Passed(
        arrival_id=f"{n:032x}", direction="in", plate=f"粤B{n % 100000:05d}", rule="count", read_id=f"{n + 7:032x}"
    )
    return Fact(f"{n:032x}", f"lane{n % 4}", Stamp(BOOT, n * 10, 1_790_000_000_000 + n, True), body)


def read_taken(n: int) -> Fact:
    body = ReadTaken(camera="cam1", event_id=str(n), plate="粤B12345", plate_raw="粤B12345")
    return Fact(f"{n:032x}", "lane0", Stamp(BOOT, n * 10, 1_790_000_000_000 + n, True), body)


class Answers:
    """A `done` that keeps every result and can be waited for."""

    def __init__(self) -> None:
        self.results: list[StoreResult] = []
        self._changed = threading.Condition()

    def __call__(self, result: StoreResult) -> None:
        with self._changed:
            self.results.append(result)
            self._changed.notify_all()

    def wait(self, count: int = 1) -> list[StoreResult]:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.results) >= count, DEADLINE_S):
                raise TimeoutError(f"{len(self.results)} answers, needed {count}: {self.results}")
            return list(self.results)


def keep(ledger: Ledger, facts: Sequence[Fact]) -> StoreResult:
    """Submit as urgent and wait for the first answer."""
    answers = Answers()
    ledger.submit(facts, True, answers)
    return answers.wait()[0]


def build_ledger(path: Path, facts: int, snapshot_every: int = 256, snapshot: bytes = b"snapshot") -> int:
    """A ledger of `facts` facts as the lane program would have left it: the snapshot's sequence number.

    SQLite makes the rows itself: a million in a few seconds.
    """
    ledger = Ledger(path)
    ledger.open()
    ledger.close()
    conn = sqlite3.connect(path, isolation_level=None)
    try:
        conn.execute("PRAGMA synchronous = OFF")
        conn.execute("BEGIN")
        conn.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
            "INSERT INTO facts SELECT i, printf('%032x', i), 'lane' || (i % 4), 'Passed', ?2, i * 10, "
            '1790000000000 + i, 1, printf(\'{"kind":"Passed","arrival_id":"%032x","direction":"in",'
            '"plate":"粤B%05d","rule":"count","read_id":"%032x"}\', i, i % 100000, i + 7) FROM n',
            (facts, BOOT),
        )
        seq = facts - facts % snapshot_every
        conn.execute("INSERT INTO snapshot (one, seq, data) VALUES (1, ?, ?)", (seq, snapshot))
        conn.execute("COMMIT")
    finally:
        conn.close()
    return seq
