"""Opening a database of ours: connection settings and numbered migrations, nothing about what is inside."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from edge.store.errors import StoreError

MIGRATIONS_DIR = Path(__file__).parent / "migrations"

BUSY_S = 1.0  # a person's tool may hold the lock this long; the lane gives a decision 2 s (Timing.store_s)
CACHE_KB = 128  # each connection's. Appending touches a handful of pages, readers see a page once: four times as much
# made neither 30,000 deliveries nor their bytes on the disk fewer or faster. SQLite's own default is 2 MB
AUTOCHECKPOINT_PAGES = 4000  # 16 MB of log, the net under a burst. When it is quiet, the owner does it

_STEP_NAME = re.compile(r"^(?P<database>[a-z]+)_(?P<number>\d{4})_[a-z_]+\.sql$")


class Step(NamedTuple):
    number: int
    sql: str


def connect(path: Path, read_only: bool = False, frozen: bool = False) -> sqlite3.Connection:
    """A connection that begins no transaction by itself. FULL: NORMAL loses all since the last checkpoint.

    `frozen`: nobody writes the file now, so it is read without its log, shared memory and locks.
    """
    mode = "ro" if read_only else "rwc"
    mode += "&immutable=1" if frozen else ""
    conn = sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_S,
    )
    conn.text_factory = _text
    try:
        conn.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        conn.execute("PRAGMA query_only = ON" if read_only else "PRAGMA synchronous = FULL")
    except BaseException:
        conn.close()
        raise
    return conn


def _text(raw: bytes) -> str | bytes:
    """A damaged text stays bytes: it must be one unreadable value and not the end of the whole query."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def use_wal(conn: sqlite3.Connection, path: Path) -> None:
    """Write-ahead log: readers never wait for the writer, and a commit is one fdatasync."""
    mode = conn.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError("io_error", path, f"journal_mode is {mode}, needed wal: no shared memory there?")
    conn.execute(f"PRAGMA wal_autocheckpoint = {AUTOCHECKPOINT_PAGES}")


def steps_of(database: str) -> list[Step]:
    """All migration steps of `database` in order: 1, 2, 3, ... without a gap."""
    steps = []
    for file in sorted(MIGRATIONS_DIR.glob(f"{database}_*.sql")):
        match = _STEP_NAME.match(file.name)
        if match is None:
            raise ValueError(f"{file.name}: a migration is named <database>_<4 digits>_<what>.sql")
        steps.append(Step(int(match["number"]), file.read_text(encoding="utf-8")))
    numbers = [step.number for step in steps]
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        raise ValueError(f"migrations of {database} are {numbers}, needed 1, 2, 3, ... without a gap")
    return steps


def version_of(conn: sqlite3.Connection) -> int:
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def refuse_newer(conn: sqlite3.Connection, path: Path, steps: Sequence[Step]) -> int:
    """The file's version; `StoreError("newer")` if this program does not know it. Writes nothing."""
    version, known = version_of(conn), steps[-1].number
    if version > known:
        detail = f"schema version is {version}, this program knows up to {known}: install the newer one"
        raise StoreError("newer", path, detail)
    return version


def migrate(conn: sqlite3.Connection, path: Path, steps: Sequence[Step]) -> None:
    """Apply what is missing, each step in a transaction of its own together with its number."""
    version = refuse_newer(conn, path, steps)
    for step in steps[version:]:
        conn.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(step.sql):
                conn.execute(statement)
            conn.execute(f"PRAGMA user_version = {step.number}")
            conn.execute("COMMIT")
        except BaseException:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise


def _statements(sql: str) -> list[str]:
    """Single statements: `executescript` would commit the transaction that holds a step together."""
    found, open_part = [], ""
    for line in sql.splitlines(keepends=True):
        open_part += line
        if sqlite3.complete_statement(open_part):
            found.append(open_part)
            open_part = ""
    if any(line.strip() and not line.lstrip().startswith("--") for line in open_part.splitlines()):
        raise ValueError(f"migration ends within a statement: {open_part.strip()[:60]!r}")
    return found
