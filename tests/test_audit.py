"""The audit's file: chained, append only, kept its days, and patient with a disk that fails."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.core.audit import AuditEntry
from edge.store.audit import DAY_MS, KEPT_MIN_DAYS, Audit, last_lines

NOW_MS = 1_795_233_600_000


def entry(**changes: Any) -> AuditEntry:
    made = AuditEntry(
        at_ms=NOW_MS, clock_true=True, who="tom", role="technician", address="10.0.0.9", action="open",
        target="lane=in1", why="访客", ok=True, zh="正在抬杆", en="raising the arm",
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


def with_tool(path: Path, sql: str) -> None:
    """Somebody with a database tool, who knows how to take the triggers away."""
    with closing(sqlite3.connect(path)) as conn:
        for name in ("audit_is_not_changed", "audit_is_kept", "anchor_only_advances"):
            conn.execute(f"DROP TRIGGER {name}")
        conn.execute(sql)
        conn.commit()


def test_lines_come_back_newest_first_and_chosen(path: Path) -> None:
    audit = Audit(path, 400)
    for number in range(5):
        assert audit.add(entry(at_ms=NOW_MS + number, who="tom" if number % 2 else "ann"))
    assert [line.seq for line in audit.read(10, 0)] == [5, 4, 3, 2, 1]
    assert [line.seq for line in audit.read(2, 4)] == [3, 2]
    assert [line.seq for line in audit.read(10, 0, who="tom")] == [4, 2]
    assert [line.seq for line in audit.read(10, 0, from_ms=NOW_MS + 1, to_ms=NOW_MS + 3)] == [3, 2]
    assert audit.read(10, 0, action="close") == []
    audit.close()


def test_the_chain_is_what_its_description_says(path: Path) -> None:
    """SHA-256 over JSON of [hash before, number, members in the order of the columns]: computed here apart."""
    audit = Audit(path, 400)
    audit.add(entry())
    audit.add(entry(ok=False))
    known = ""
    for line in audit.after(0, 10):
        members = [line.at_ms, line.clock_true, line.who, line.role, line.address, line.action, line.target, line.why,
                   line.ok, line.zh, line.en]  # fmt: skip
        text = json.dumps([known, line.seq, *members], ensure_ascii=False, separators=(",", ":"))
        known = hashlib.sha256(text.encode()).hexdigest()
        assert line.hash == known
    assert audit.broken_seq() == 0
    audit.close()


@pytest.mark.parametrize("sql", ["UPDATE audit SET who = 'x' WHERE seq = 2", "DELETE FROM audit WHERE seq = 2",
                                 "UPDATE anchor SET seq = 0"])  # fmt: skip
def test_the_file_itself_refuses_a_change(path: Path, sql: str) -> None:
    audit = Audit(path, 400)
    for _ in range(3):
        audit.add(entry())
    audit.close()
    with closing(sqlite3.connect(path)) as conn, pytest.raises(sqlite3.IntegrityError, match="append only"):
        conn.execute(sql)


@pytest.mark.parametrize(
    ("sql", "broken"),
    [
        ("UPDATE audit SET who = 'somebody' WHERE seq = 2", 2),
        ("UPDATE audit SET ok = 0 WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 3", 4),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("UPDATE audit SET hash = 'f' WHERE seq = 1", 1),
    ],
)
def test_a_change_with_a_tool_shows(path: Path, sql: str, broken: int) -> None:
    audit = Audit(path, 400)
    for number in range(5):
        audit.add(entry(why=str(number)))
    with_tool(path, sql)
    assert audit.broken_seq() == broken
    audit.close()


def test_old_lines_go_after_their_days_and_the_chain_stays_whole(path: Path) -> None:
    audit = Audit(path, KEPT_MIN_DAYS)
    old_ms = NOW_MS - (KEPT_MIN_DAYS + 1) * DAY_MS
    for number in range(150):
        audit.add(entry(at_ms=old_ms + number))
    kept_ms = NOW_MS - (KEPT_MIN_DAYS - 1) * DAY_MS
    for number in range(250):
        audit.add(entry(at_ms=kept_ms + number))
    for _ in range(210):
        audit.add(entry(at_ms=NOW_MS))
    oldest = audit.after(0, 1)[0]
    assert oldest.at_ms == kept_ms
    assert audit.broken_seq() == 0
    audit.close()
    again = Audit(path, KEPT_MIN_DAYS)
    assert again.broken_seq() == 0
    again.add(entry())
    assert again.broken_seq() == 0
    again.close()


def test_a_clock_that_is_not_true_deletes_nothing(path: Path) -> None:
    audit = Audit(path, KEPT_MIN_DAYS)
    for _ in range(10):
        audit.add(entry())
    for _ in range(400):
        audit.add(entry(at_ms=NOW_MS + 1000 * DAY_MS, clock_true=False))
    assert len(audit.after(0, 1000)) == 410
    audit.close()


def test_fewer_days_than_the_law_asks_are_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="184"):
        Audit(path, 183)


def test_what_the_disk_refuses_waits_in_memory_and_is_kept_later(tmp_path: Path) -> None:
    told: list[bool] = []
    place = tmp_path / "place"
    place.write_text("a file where the folder should be")
    audit = Audit(place / "audit.db", 400, lambda: told.append(True))
    assert audit.add(entry(why="first")) is False
    assert audit.add(entry(why="second")) is False
    assert audit.trouble
    assert told == [True]
    place.unlink()
    assert audit.add(entry(why="third")) is True
    assert (audit.trouble, told) == ("", [True, True])
    assert [line.why for line in audit.after(0, 10)] == ["first", "second", "third"]
    assert audit.broken_seq() == 0
    audit.close()


def test_a_damaged_file_is_moved_aside_and_said(path: Path) -> None:
    path.write_bytes(b"no database at all" * 400)
    audit = Audit(path, 400)
    assert audit.add(entry()) is True
    assert audit.recovery is not None
    assert audit.recovery.moved_to.exists()
    audit.close()


def test_the_newest_lines_can_be_read_beside_the_writer(path: Path) -> None:
    assert last_lines(path, 5) == []
    audit = Audit(path, 400)
    for number in range(7):
        audit.add(entry(why=str(number)))
    assert [line.why for line in last_lines(path, 3)] == ["4", "5", "6"]
    audit.close()
