"""A damaged ledger is moved aside and a new one begins: what is carried over, and that no number comes twice."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from edge.core.facts import Fact
from edge.store import recovery
from edge.store.errors import StoreError
from edge.store.ledger import Ledger
from edge.store.reader import LedgerFile
from edge.store.recovery import SEQ_RANGE
from tests.store_tools import Answers, build_ledger, keep, passed

PAGE = 4096


def numbers(facts: list[Fact]) -> list[int]:
    return [int(fact.id, 16) for fact in facts]


def opened_after_damage(path: Path) -> tuple[Ledger, str]:
    ledger = Ledger(path)
    return ledger, ledger.open().damage


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_something_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"<html>captive portal</html>" * 100)
    ledger, damage = opened_after_damage(path)
    assert "not a database: 2700 bytes that begin with 3c 68 74 6d 6c" in damage
    assert "moved to ledger.damaged-1; 0 facts kept, snapshot lost" in damage
    assert (tmp_path / "ledger.damaged-1").read_bytes() == b"<html>captive portal</html>" * 100
    assert keep(ledger, [passed(1)]).ok
    ledger.close()


def test_an_empty_file_is_a_beginning_and_no_damage(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    ledger, damage = opened_after_damage(tmp_path / "ledger.db")
    assert damage == ""
    ledger.close()


def test_cut_off_in_the_middle_keeps_the_snapshot_and_no_wrong_fact(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    build_ledger(path, 5000)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // PAGE * PAGE)
    ledger, damage = opened_after_damage(path)
    assert "malformed" in damage
    assert keep(ledger, [passed(1)]).first_seq == SEQ_RANGE + 1
    ledger.close()


def test_a_damaged_page_behind_the_newest_facts_keeps_the_newest_with_their_numbers(tmp_path: Path) -> None:
    """The tail is readable, a commit finds the damage: what can be read goes over, the new facts too."""
    path = tmp_path / "ledger.db"
    build_ledger(path, 5000, snapshot=b"who is inside")
    ledger = Ledger(path)
    ledger.open()
    pages = path.stat().st_size // PAGE
    overwrite(path, pages // 2 * PAGE, random.Random(1).randbytes(PAGE))
    answers = Answers()

    def malformed_once(self: object, rows: object, snapshot: object) -> None:
        monkey.undo()
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    with pytest.MonkeyPatch.context() as monkey:
        monkey.setattr("edge.store.commit.Committer.write", malformed_once)
        last = ledger.submit([passed(5001), passed(5002)], True, answers)
        told, kept = answers.wait(2)
    assert (told.error, told.detail) == ("damaged", "database disk image is malformed")
    assert (kept.ok, kept.first_seq, last) == (True, 5001, 5002)
    assert ledger.recovery is not None
    assert ledger.recovery.snapshot_kept
    assert 1000 < ledger.recovery.facts_kept < 4000
    found = ledger.read_after(0, 10_000)
    first = 5001 - ledger.recovery.facts_kept
    assert [fact.seq for fact in found] == list(range(first, 5003))
    assert numbers(found) == list(range(first, 5003))
    assert ledger.latest_snapshot() == (4864, b"who is inside")
    ledger.close()


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_never_stops_the_lane(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "ledger.db"
    build_ledger(path, 1500)
    rng = random.Random(seed)
    size = path.stat().st_size
    for _ in range(rng.randint(1, 20)):
        overwrite(path, rng.randrange(size), rng.randbytes(rng.choice([1, 8, 512, PAGE])))
    ledger = Ledger(path)
    ledger.open()
    answers = Answers()
    ledger.submit([passed(9001)], True, answers)
    if not answers.wait(1)[0].ok:
        assert answers.results[0].error == "damaged"
        assert answers.wait(2)[1].ok
    ledger.close()
    reader = LedgerFile(path)
    assert numbers(reader.read_last(1)) == [9001]
    reader.close()


def test_the_log_of_the_damaged_file_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    first = Ledger(path)
    first.open()
    reader = LedgerFile(path)
    keep(first, [passed(1)])
    assert numbers(reader.read_after(0, 10)) == [1]
    first.close()  # the reader is still there, so the log stays
    assert (tmp_path / "ledger.db-wal").exists()
    overwrite(path, 0, b"not a database any more")
    second, damage = opened_after_damage(path)
    assert "not a database" in damage
    assert (tmp_path / "ledger.damaged-1-wal").exists()
    assert "1 facts kept" in damage, "the log still had the fact"
    assert keep(second, [passed(2)]).ok
    assert numbers(reader.read_after(0, 10)) == [1, 2]
    reader.close()
    second.close()


def test_a_number_never_comes_twice_even_when_the_file_was_deleted(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    seen = []
    for n in range(1, 4):
        ledger = Ledger(path)
        ledger.open()
        seen.append(keep(ledger, [passed(n)]).first_seq)
        ledger.close()
        path.unlink()
    assert seen == [1, SEQ_RANGE + 1, 2 * SEQ_RANGE + 1]


def test_damaged_again_and_again_every_file_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for n in range(1, 4):
        path.write_bytes(b"rubbish %d" % n)
        ledger, damage = opened_after_damage(path)
        assert f"ledger.damaged-{n}" in damage
        ledger.close()
    assert [(tmp_path / f"ledger.damaged-{n}").read_bytes() for n in (1, 2, 3)] == [
        b"rubbish 1",
        b"rubbish 2",
        b"rubbish 3",
    ]


def test_a_database_of_somebody_else_is_moved_aside_whole(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE accounts (id INTEGER)")
    other.commit()
    other.close()
    ledger, damage = opened_after_damage(path)
    assert "a database of somebody else" in damage
    ledger.close()
    moved = sqlite3.connect(tmp_path / "ledger.damaged-1")
    assert moved.execute("SELECT name FROM sqlite_schema").fetchall() == [("accounts",)]
    moved.close()


def test_a_newer_ledger_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    build_ledger(path, 10)
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer: schema version is 99, this program knows up to 2") as caught:
        Ledger(path).open()
    assert caught.value.kind == "newer"
    assert path.read_bytes() == before
    assert not (tmp_path / "ledger.damaged-1").exists()
    with pytest.raises(StoreError, match="newer"):
        LedgerFile(path).read_after(0, 10)


@pytest.mark.parametrize("rubbish", [b"", b"many", b"\xff\x00\xfe"])
def test_a_generation_file_with_rubbish_is_named_and_numbers_go_on_far_away(
    tmp_path: Path, rubbish: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ledger.generation").write_bytes(rubbish)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    assert keep(ledger, [passed(1)]).first_seq > 500 * SEQ_RANGE
    ledger.close()
    assert "ledger.generation does not hold a number" in caplog.text


def test_a_beginning_that_was_cut_off_uses_up_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "ledger.generation").write_text("1")
    (tmp_path / "ledger.db").touch()
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    assert keep(ledger, [passed(1)]).first_seq == 1
    ledger.close()


def test_salvage_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "SALVAGE_FACTS", 100)
    path = tmp_path / "ledger.db"
    build_ledger(path, 1000)
    opened = recovery.open_ledger(path, damage="a commit said so")
    try:
        assert opened.recovery is not None
        assert (opened.recovery.facts_kept, opened.recovery.why) == (100, "a commit said so")
        rows = opened.conn.execute("SELECT min(seq), max(seq), count(*) FROM facts").fetchone()
        assert rows == (901, 1000, 100)
        assert opened.next_seq == SEQ_RANGE + 1
    finally:
        opened.conn.close()
