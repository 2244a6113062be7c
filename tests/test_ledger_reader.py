"""Reading the ledger beside its writer: a file that is not there yet, was replaced, is newer, or is in use."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from edge.core.facts import ClockSet, Fact, Stamp
from edge.store.errors import StoreError
from edge.store.ledger import Ledger
from edge.store.reader import LedgerFile
from tests.store_tools import build_ledger, keep, passed


def put(path: Path, seq: int, kind: str, body: str) -> None:
    conn = sqlite3.connect(path)
    conn.execute("INSERT INTO facts VALUES (?, 'x', '', ?, 'boot', 1, 1, 1, ?)", (seq, kind, body))
    conn.commit()
    conn.close()


def test_before_the_lane_program_has_made_the_file_there_are_no_facts(tmp_path: Path) -> None:
    reader = LedgerFile(tmp_path / "ledger.db")
    assert (reader.read_after(0, 10), reader.last_seq(), reader.latest_snapshot()) == ([], 0, None)
    assert not (tmp_path / "ledger.db").exists(), "a reader made the file"
    (tmp_path / "ledger.db").touch()  # as it is for a moment while the writer begins
    assert reader.read_after(0, 10) == []
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.open().damage == ""
    keep(ledger, [passed(1)])
    assert [f.seq for f in reader.read_after(0, 10)] == [1]
    ledger.close()
    reader.close()


def test_limit_and_cursor_walk_over_all_facts_once(tmp_path: Path) -> None:
    build_ledger(tmp_path / "ledger.db", 1000)
    reader = LedgerFile(tmp_path / "ledger.db")
    seen: list[int] = []
    while facts := reader.read_after(seen[-1] if seen else 0, 64):
        assert len(facts) <= 64
        seen += [fact.seq for fact in facts]
    assert seen == list(range(1, 1001))
    assert [f.seq for f in reader.read_last(3)] == [998, 999, 1000]
    assert reader.read_last(1)[0].body == passed(1000).body
    with pytest.raises(ValueError, match="limit is 0"):
        reader.read_after(0, 0)
    reader.close()


def test_a_kind_of_a_newer_program_is_left_out_and_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    build_ledger(path, 2)
    put(path, 3, "DroneSeen", '{"kind":"DroneSeen","height_m":3}')
    put(path, 4, "Passed", '{"kind":"Passed","arrival_id":7}')
    put(path, 5, "BackedOut", '{"kind":"BackedOut","arrival_id":"a","plate":"","new_member":1}')
    reader = LedgerFile(path)
    assert [f.seq for f in reader.read_after(0, 10)] == [1, 2, 5]
    assert [f.seq for f in reader.read_after(2, 1)] == [5], "an unreadable window looked like the end"
    assert reader.unreadable == {"DroneSeen": 1, "Passed": 1}
    reader.close()


def test_a_reader_past_the_end_is_told_so(tmp_path: Path) -> None:
    build_ledger(tmp_path / "ledger.db", 10)
    reader = LedgerFile(tmp_path / "ledger.db")
    assert reader.read_after(10, 5) == []
    with pytest.raises(StoreError, match="cursor_ahead: asked for facts after 11, the last is 10"):
        reader.read_after(11, 5)
    reader.close()


def test_a_replaced_file_is_read_from_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    build_ledger(path, 10)
    reader = LedgerFile(path)
    assert reader.last_seq() == 10
    build_ledger(tmp_path / "other.db", 20)
    (tmp_path / "other.db").rename(path)
    assert [f.seq for f in reader.read_after(10, 100)] == list(range(11, 21))
    reader.close()


def test_damage_that_a_reader_meets_is_an_error_value_and_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    build_ledger(path, 1000)
    with path.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xff" * 4096)
    reader = LedgerFile(path)
    with pytest.raises(StoreError) as caught:
        reader.read_after(0, 1000)
    assert caught.value.kind == "damaged"
    reader.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    build_ledger(tmp_path / "ledger.db", 1)
    reader = LedgerFile(tmp_path / "ledger.db")
    with pytest.raises(StoreError) as caught:
        reader._query("DELETE FROM facts", ())
    assert caught.value.kind == "disk_read_only"
    reader.close()


def test_readers_of_several_threads_follow_a_writer_without_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    ledger.open()
    reader = LedgerFile(path)
    seen: list[list[int]] = [[], [], []]
    total = 300

    def follow(mine: list[int]) -> None:
        while not mine or mine[-1] < total:
            mine += [fact.seq for fact in reader.read_after(mine[-1] if mine else 0, 50)]

    threads = [threading.Thread(target=follow, args=(mine,)) for mine in seen]
    for thread in threads:
        thread.start()
    for n in range(1, total + 1):
        keep(ledger, [passed(n)])
    for thread in threads:
        thread.join(20)
    assert seen == [list(range(1, total + 1))] * 3
    ledger.close()
    reader.close()


def test_the_first_clock_set_of_each_boot_counts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    assert ledger.boot_offsets() == {}
    for boot, offset in (("a", 100), ("b", 200), ("a", 999)):
        keep(ledger, [Fact("0" * 32, "", Stamp(boot, 1, 1, False), ClockSet(offset))])
    keep(ledger, [passed(4)])
    assert ledger.boot_offsets() == {"a": 100, "b": 200}
    ledger.close()
