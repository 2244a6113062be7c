"""Numbered steps: each from a database that the step before left, whole or not at all."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge.store import schema
from edge.store.deliveries import Deliveries
from edge.store.ledger import Ledger
from edge.store.schema import Step, migrate, steps_of, version_of
from tests.store_tools import keep, passed

ROW = (
    "INSERT INTO facts VALUES (1, 'id', 'e1', 'ClockSet', 'boot', 5, 6, 1, '{\"kind\":\"ClockSet\",\"offset_ms\":42}')"
)


@pytest.fixture
def conn(tmp_path: Path) -> sqlite3.Connection:
    return schema.connect(tmp_path / "ledger.db")


@pytest.mark.parametrize("database", ["ledger", "deliveries"])
def test_every_step_applies_to_what_the_step_before_left(tmp_path: Path, database: str) -> None:
    steps = steps_of(database)
    for upto in range(1, len(steps) + 1):
        path = tmp_path / f"{database}{upto}.db"
        for last in (upto, len(steps)):
            conn = schema.connect(path)
            migrate(conn, path, steps[:last])
            assert version_of(conn) == last
            assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            conn.close()


def test_facts_of_the_first_version_are_read_by_the_present_program(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    conn = schema.connect(path)
    migrate(conn, path, steps_of("ledger")[:1])
    conn.execute(ROW)
    conn.close()
    ledger = Ledger(path)
    assert ledger.open().last_seq == 1
    assert ledger.boot_offsets() == {"boot": 42}
    assert keep(ledger, [passed(2)]).first_seq == 2
    ledger.close()


def test_a_step_that_fails_leaves_nothing_of_itself(conn: sqlite3.Connection, tmp_path: Path) -> None:
    bad = [*steps_of("ledger"), Step(3, "CREATE TABLE half (a INTEGER);\nCREATE TABLE facts (a INTEGER);")]
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(conn, tmp_path / "ledger.db", bad)
    assert version_of(conn) == 2
    assert conn.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone() == (0,)
    conn.close()


def test_a_step_that_ends_within_a_statement_is_refused(conn: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ends within a statement: 'CREATE TABLE a"):
        migrate(conn, tmp_path / "ledger.db", [Step(1, "CREATE TABLE a (b INTEGER)")])
    assert version_of(conn) == 0
    conn.close()


def test_a_gap_in_the_numbers_or_a_wrong_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS_DIR", tmp_path)
    with pytest.raises(ValueError, match=r"migrations of ledger are \[\]"):
        steps_of("ledger")
    (tmp_path / "ledger_0002_b.sql").write_text("SELECT 1;")
    with pytest.raises(ValueError, match=r"migrations of ledger are \[2\], needed 1, 2, 3"):
        steps_of("ledger")
    (tmp_path / "ledger_one.sql").write_text("SELECT 1;")
    with pytest.raises(ValueError, match=r"ledger_one.sql: a migration is named"):
        steps_of("ledger")


def test_what_is_promised_about_the_file(tmp_path: Path) -> None:
    """WAL and FULL, and no index on text among the facts: each is a figure of DESIGN 9."""
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    connection = ledger._disk._conn
    assert connection is not None
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: sqlite.org/pragma.html
    indexes = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index'").fetchall()
    assert indexes == [("clock_sets",)]
    ledger.close()
    deliveries = Deliveries(tmp_path / "deliveries.db")
    deliveries.open()
    assert deliveries._conn is not None
    assert deliveries._conn.execute("PRAGMA synchronous").fetchone() == (2,)
    deliveries.close()
