"""Durable facts a second against bare SQLite (WAL, FULL, one commit each) with the same bytes."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from pathlib import Path

from bench.figures import Row, median, spread
from edge.core.facts import Decided, Fact, Stamp
from edge.store.ledger import Ledger, StoreResult
from edge.store.rows import INSERT, to_row

ROUNDS = 7
FACTS = 1000


def _fact(number: int) -> Fact:
    body = Decided(
        arrival_id=f"{number:032x}", read_id=f"{number:032x}", plate="鲁B12345", decision="admit",
        rule="count", zh="可进 12, 入场", en="room for 12, please enter",
    )
    return Fact(f"{number:032x}", "in1", Stamp("0" * 32, number, 1_700_000_000_000 + number, True), body)


def ours(folder: Path, writers: int) -> float:
    """Facts a second, each writer waiting for its fact to be durable before it offers the next."""
    ledger = Ledger(folder / f"ledger-{time.monotonic_ns()}.db")
    ledger.open()

    def write(start: int, count: int) -> None:
        stored = threading.Event()

        def done(result: StoreResult) -> None:
            assert result.ok, result
            stored.set()

        for number in range(start, start + count):
            stored.clear()
            ledger.submit([_fact(number)], True, done)
            stored.wait()

    rate = _timed(write, writers)
    ledger.close()
    return rate


def bare(folder: Path, writers: int) -> float:
    """The same rows by plain sqlite3: WAL, FULL, one commit each, a lock around the one connection."""
    path = folder / f"bare-{time.monotonic_ns()}.db"
    first = Ledger(path)  # the same schema, then nothing of ours
    first.open()
    first.close()
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode=WAL").fetchall()
    db.execute("PRAGMA synchronous=FULL")
    lock = threading.Lock()

    def write(start: int, count: int) -> None:
        for number in range(start, start + count):
            row = to_row(_fact(number), number + 1)
            with lock:
                db.execute(INSERT, row)

    rate = _timed(write, writers)
    db.close()
    return rate


def _timed(write: object, writers: int) -> float:
    assert callable(write)
    share = FACTS // writers
    threads = [threading.Thread(target=write, args=(n * share, share)) for n in range(writers)]
    began_s = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return writers * share / (time.perf_counter() - began_s)


def run(folder: Path) -> list[Row]:
    rows = []
    for writers, goal in ((1, 0.7), (16, 2.5)):
        pairs = [(ours(folder, writers), bare(folder, writers)) for _ in range(ROUNDS)]
        ratio = median([mine / theirs for mine, theirs in pairs])
        rows.append(Row(
            f"durable facts per second, {writers} writer(s)",
            f"{ratio:.2f}x ({spread([p[0] for p in pairs])} against {spread([p[1] for p in pairs])} a second)",
            f">= {goal}x of bare sqlite3 WAL FULL", ratio >= goal,
        ))
    return rows


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        for row in run(Path(temporary)):
            print(row)
