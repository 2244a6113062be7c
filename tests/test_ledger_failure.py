"""A disk that is full, read-only or broken: facts wait in order, each caller is told once, nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.store import recovery
from edge.store.errors import StoreError, classify
from edge.store.ledger import Ledger, StoreResult
from edge.store.schema import connect
from tests.store_tools import Answers, keep, passed, read_taken


class SickDisk:
    """New connections of the ledger get `pragma` while it is set: SQLite then answers as on such a disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pragma = ""
        self._conns: list[sqlite3.Connection] = []
        monkeypatch.setattr(recovery, "connect", self._connect)
        monkeypatch.setattr("edge.store.ledger.RETRY_S", 0.005)

    def _connect(self, path: Path, read_only: bool = False) -> sqlite3.Connection:
        conn = connect(path, read_only)
        try:
            if self.pragma:
                conn.execute(self.pragma)
        except BaseException:
            conn.close()
            raise
        self._conns.append(conn)
        return conn

    def fall_ill(self, pragma: str) -> None:
        self.pragma = pragma
        self._conns[-1].execute(pragma)

    def recover(self) -> None:
        self.pragma = ""


@pytest.fixture
def sick(monkeypatch: pytest.MonkeyPatch) -> SickDisk:
    return SickDisk(monkeypatch)


@pytest.mark.parametrize(
    ("pragma", "kind"),
    [("PRAGMA max_page_count = 1", "disk_full"), ("PRAGMA query_only = ON", "disk_read_only")],
)
def test_failure_is_told_once_then_ok_when_the_disk_works_again(
    tmp_path: Path, sick: SickDisk, pragma: str, kind: str
) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    assert keep(ledger, [passed(1)]).ok
    sick.fall_ill(pragma)
    big = [passed(n) for n in range(2, 300)]  # more than fits into the pages that there are
    first, second = Answers(), Answers()
    ledger.submit(big, True, first)
    assert first.wait()[0].error == kind
    ledger.submit([passed(300)], True, second)
    assert second.wait()[0] == StoreResult(False, 300, first.results[0].error, first.results[0].detail)
    sick.recover()
    assert first.wait(2)[1] == StoreResult(True, 2)
    assert second.wait(2)[1] == StoreResult(True, 300)
    assert [int(f.id, 16) for f in ledger.read_after(0, 1000)] == list(range(1, 301))
    assert ledger.close() == 0
    assert (len(first.results), len(second.results)) == (2, 2)


def test_close_on_a_dead_disk_ends_and_says_how_many_were_lost(tmp_path: Path, sick: SickDisk) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    sick.fall_ill("PRAGMA query_only = ON")
    assert keep(ledger, [passed(1), passed(2)]).error == "disk_read_only"
    assert ledger.close() == 2
    sick.recover()
    again = Ledger(tmp_path / "ledger.db")
    assert again.open().last_seq == 0
    again.close()


def test_when_too_many_wait_the_oldest_reads_go_first_and_are_counted(
    tmp_path: Path, sick: SickDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.store.ledger.WAITING_MAX", 20)
    monkeypatch.setattr("edge.store.ledger.SHED_STEP", 5)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    sick.fall_ill("PRAGMA query_only = ON")
    reads, passages = Answers(), Answers()
    for n in range(1, 11):
        ledger.submit([passed(2 * n - 1)], True, passages)
        ledger.submit([read_taken(2 * n)], True, reads)
        reads.wait(n)
    ledger.submit([passed(21)], True, passages)
    dropped = [r for r in reads.wait(10 + 6) if r.error == "dropped"]
    assert [r.first_seq for r in dropped] == [2, 4, 6, 8, 10, 12]  # 21 wait, 15 may stay
    sick.recover()
    passages.wait(22)
    left = [f.seq for f in ledger.read_after(0, 100)]
    assert left == [1, 3, 5, 7, 9, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21]
    assert ledger.counters["dropped"] == 6
    ledger.close()


def test_when_only_decisions_wait_even_they_are_bounded(
    tmp_path: Path, sick: SickDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.store.ledger.WAITING_MAX", 20)
    monkeypatch.setattr("edge.store.ledger.SHED_STEP", 5)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    sick.fall_ill("PRAGMA query_only = ON")
    ledger.submit([passed(n) for n in range(1, 31)], True, answers := Answers())
    answers.wait()
    sick.recover()
    assert answers.wait(2)[1].ok
    assert [f.seq for f in ledger.read_after(0, 100)] == list(range(16, 31))
    ledger.close()


def test_a_lock_held_by_a_persons_tool_is_named_and_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.store.schema.BUSY_S", 0.01)
    monkeypatch.setattr("edge.store.ledger.RETRY_S", 0.005)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger.submit([passed(1)], True, answers := Answers())
    assert answers.wait()[0].error == "locked"
    other.execute("ROLLBACK")
    other.close()
    assert answers.wait(2)[1].ok
    ledger.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 6 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"mounting a small disk is not allowed here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_really_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.store.ledger.RETRY_S", 0.005)
    ledger = Ledger(small_disk / "ledger.db")
    ledger.open()
    kept: list[int] = []
    told: dict[int, Answers] = {}
    seq = 0
    filler = small_disk / "filler"
    filler.write_bytes(bytes(3_000_000))
    while True:
        answers = Answers()
        facts = [passed(seq + n) for n in range(1, 401)]
        seq = ledger.submit(facts, True, answers)
        told[seq] = answers
        result = answers.wait()[0]
        if not result.ok:
            assert result.error == "disk_full", result
            break
        kept.append(seq)
        assert len(kept) < 100, "6 MB took more than 40,000 facts"
    assert kept, "nothing was kept before the disk was full"
    filler.unlink()
    assert told[seq].wait(2)[1].ok
    assert [f.seq for f in ledger.read_after(0, 100_000)] == list(range(1, seq + 1))
    ledger.close()


def test_every_kind_of_trouble_has_a_name(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    assert classify(OSError(28, "No space left on device"), path) == "disk_full"
    assert classify(OSError(30, "Read-only file system"), path) == "disk_read_only"
    assert classify(OSError(5, "Input/output error"), path) == "io_error"
    assert classify(StoreError("newer", path, ""), path) == "newer"
    with pytest.raises(sqlite3.OperationalError) as caught:
        connect(tmp_path / "no such folder" / "ledger.db")
    assert classify(caught.value, path) == "io_error"
    with pytest.raises(TypeError, match="not an error of the disk"):
        classify(KeyError("x"), path)


def test_a_mistake_that_is_no_disk_trouble_ends_the_writer_and_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    reported: list[str] = []

    def report(args: threading.ExceptHookArgs) -> None:
        reported.append(str(args.exc_value))
        ended.set()

    def broken(*_: object) -> None:
        raise AssertionError("a mistake in the program")

    monkeypatch.setattr(threading, "excepthook", report)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    monkeypatch.setattr("edge.store.commit.Committer.write", broken)
    ledger.submit([passed(1)], True, Answers())
    assert ended.wait(20)
    ledger.close()
    assert not ledger.alive
    assert reported == ["a mistake in the program"]
