"""The ledger's writer: order, group commit, lingering, snapshots, the end, and two programs on one file."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.facts import Fact
from edge.store.commit import LOG_BYTES
from edge.store.errors import StoreError
from edge.store.ledger import Ledger, StoreResult
from tests.store_tools import DEADLINE_S, Answers, keep, passed

LONG_MS = 3_600_000  # nobody waits for it: what was not urgent stays until something urgent comes


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db", linger_ms=LONG_MS)
    opened.open()
    yield opened
    opened.close()


def stored(ledger: Ledger) -> list[Fact]:
    return ledger.read_after(0, 1_000_000)


def test_facts_come_back_as_they_were_submitted_numbered_in_order(ledger: Ledger) -> None:
    assert ledger.submit([passed(1), passed(2)], True, answers := Answers()) == 2
    assert answers.wait() == [StoreResult(True, 1)]
    assert keep(ledger, [passed(3)]) == StoreResult(True, 3)
    found = stored(ledger)
    assert [fact.seq for fact in found] == [1, 2, 3]
    assert [(f.id, f.lane, f.stamp, f.body) for f in found] == [
        (f.id, f.lane, f.stamp, f.body) for f in map(passed, (1, 2, 3))
    ]
    assert ledger.last_seq() == 3


def test_facts_that_are_not_urgent_ride_with_the_next_urgent_commit(ledger: Ledger) -> None:
    lazy = Answers()
    for n in range(1, 6):
        ledger.submit([passed(n)], False, lazy)
    assert stored(ledger) == []
    assert keep(ledger, [passed(6)]).ok
    assert [result.first_seq for result in lazy.wait(5)] == [1, 2, 3, 4, 5]
    assert ledger.counters["commits"] == 1


def test_a_fact_that_nothing_urgent_follows_is_committed_after_the_linger_time(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db", linger_ms=5)
    ledger.open()
    ledger.submit([passed(1)], False, answers := Answers())
    assert answers.wait() == [StoreResult(True, 1)]
    ledger.close()


def test_done_is_called_after_the_commit_and_not_before(tmp_path: Path) -> None:
    seen: list[int] = []
    ready = threading.Event()
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()

    def done(result: StoreResult) -> None:
        with sqlite3.connect(tmp_path / "ledger.db") as other:
            seen.append(other.execute("SELECT count(*) FROM facts").fetchone()[0])
        other.close()
        ready.set()

    ledger.submit([passed(1), passed(2)], True, done)
    assert ready.wait(DEADLINE_S)
    ledger.close()
    assert seen == [2]


def test_writers_that_come_while_a_commit_runs_share_the_next_one(ledger: Ledger) -> None:
    in_commit, go_on = threading.Event(), threading.Event()

    def hold_the_writer(result: StoreResult) -> None:
        in_commit.set()
        go_on.wait(DEADLINE_S)

    ledger.submit([passed(1)], True, hold_the_writer)
    assert in_commit.wait(DEADLINE_S)
    others = Answers()
    for n in range(2, 18):
        ledger.submit([passed(n)], True, others)
    go_on.set()
    assert [result.ok for result in others.wait(16)] == [True] * 16
    assert ledger.counters["commits"] == 2


def test_many_threads_every_fact_once_and_each_threads_own_order(ledger: Ledger) -> None:
    def write(worker: int) -> None:
        for n in range(50):
            keep(ledger, [passed(worker * 1000 + n)])

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [int(fact.id, 16) for fact in stored(ledger)]
    assert [fact.seq for fact in stored(ledger)] == list(range(1, 401))
    for worker in range(8):
        assert [n for n in numbers if n // 1000 == worker] == [worker * 1000 + n for n in range(50)]


def test_snapshot_goes_with_the_next_commit_and_only_the_newest_is_kept(ledger: Ledger) -> None:
    assert ledger.latest_snapshot() is None
    ledger.submit([passed(1)], False, Answers())
    ledger.snapshot(1, b"one")
    assert ledger.latest_snapshot() is None
    keep(ledger, [passed(2)])
    assert ledger.latest_snapshot() == (1, b"one")
    ledger.snapshot(2, b"two")
    keep(ledger, [passed(3)])
    assert ledger.latest_snapshot() == (2, b"two")


def test_a_snapshot_of_facts_that_were_never_submitted_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="seq is 1, needed 0 to 0"):
        ledger.snapshot(1, b"")


def test_close_commits_what_waits_and_the_next_start_goes_on_counting(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "ledger.db", linger_ms=LONG_MS)
    assert first.open().last_seq == 0
    first.submit([passed(1), passed(2)], False, answers := Answers())
    assert first.close() == 0
    assert answers.results == [StoreResult(True, 1)]
    second = Ledger(tmp_path / "ledger.db")
    opened = second.open()
    assert (opened.last_seq, opened.damage) == (2, "")
    assert keep(second, [passed(3)]) == StoreResult(True, 3)
    second.close()


def test_a_second_lane_program_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"locked.*another lane program"):
        Ledger(tmp_path / "ledger.db").open()
    assert keep(ledger, [passed(1)]).ok


def test_a_closed_ledger_and_an_empty_submit_are_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    with pytest.raises(StoreError, match="on a ledger that is new"):
        ledger.submit([passed(1)], True, Answers())
    ledger.open()
    with pytest.raises(ValueError, match="facts is empty"):
        ledger.submit([], True, Answers())
    ledger.close()
    with pytest.raises(StoreError, match="on a ledger that is closed"):
        ledger.submit([passed(1)], True, Answers())
    with pytest.raises(ValueError, match="linger_ms is -1"):
        Ledger(tmp_path / "ledger.db", linger_ms=-1)


def test_a_callback_that_raises_takes_nobody_elses_answer(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    def broken(result: StoreResult) -> None:
        raise RuntimeError("the caller's own mistake")

    ledger.submit([passed(1)], False, broken)
    assert keep(ledger, [passed(2)]).ok
    assert keep(ledger, [passed(3)]).ok
    assert "facts from 1 on raised" in caplog.text
    assert ledger.alive


def test_the_log_is_folded_in_when_nobody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folded = threading.Event()
    monkeypatch.setattr("edge.store.ledger.QUIET_S", 0.001)
    monkeypatch.setattr("edge.store.commit.CHECKPOINT_PAGES", 20)
    ledger = Ledger(tmp_path / "ledger.db")

    class Counting(dict[str, int]):
        def __missing__(self, key: str) -> int:
            return 0

        def __setitem__(self, key: str, value: int) -> None:
            super().__setitem__(key, value)
            if key == "checkpoints":
                folded.set()

    monkeypatch.setattr(ledger, "counters", Counting())
    ledger.open()
    for n in range(1, 31):
        keep(ledger, [passed(n)])
    assert folded.wait(DEADLINE_S)
    wal = (tmp_path / "ledger.db-wal").stat().st_size
    for n in range(31, 200):
        keep(ledger, [passed(n)])
    assert (tmp_path / "ledger.db-wal").stat().st_size == wal, "the log grew although it was folded in"
    ledger.close()


def test_the_log_gets_its_size_before_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that grows costs each commit a change of the file's size: what is written into it leaves its size alone."""
    monkeypatch.setattr("edge.store.ledger.QUIET_S", 0.001)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    log = tmp_path / "ledger.db-wal"
    until_s = time.monotonic() + DEADLINE_S
    while log.stat().st_size < LOG_BYTES:
        assert time.monotonic() < until_s
    for n in range(1, 300):
        keep(ledger, [passed(n)])
    assert log.stat().st_size == LOG_BYTES
    ledger.close()


@pytest.mark.parametrize("trouble", ["read only", "nearly full"])
def test_a_log_that_cannot_grow_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    monkeypatch.setattr("edge.store.ledger.QUIET_S", 0.001)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    asked = threading.Event()
    real_open, real_statvfs = os.open, os.fstatvfs

    def refused(file: object, flags: int, *rest: int, **options: int) -> int:
        if str(file).endswith("-wal") and flags & os.O_WRONLY:
            asked.set()
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real_open(file, flags, *rest, **options)  # type: ignore[arg-type]

    def no_room(fd: int) -> os.statvfs_result:
        asked.set()
        found = list(real_statvfs(fd))
        found[4] = 100  # f_bavail
        return os.statvfs_result(found)

    if trouble == "read only":
        monkeypatch.setattr(os, "open", refused)
    else:
        monkeypatch.setattr(os, "fstatvfs", no_room)
    assert asked.wait(DEADLINE_S)
    size = (tmp_path / "ledger.db-wal").stat().st_size
    assert keep(ledger, [passed(1)]).ok
    assert keep(ledger, [passed(2)]).ok
    assert (tmp_path / "ledger.db-wal").stat().st_size == size < LOG_BYTES
    assert ledger.alive
    monkeypatch.undo()
    ledger.close()
