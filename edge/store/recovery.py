"""Opening a database that may be damaged: what cannot be used is moved aside and a new one begins.

Cars must pass, so a damaged file is no reason to stand still, and nothing is deleted. Nothing is checked that
takes longer the more facts there are (a full check of a million rows does not fit into a start): only the
header, the schema, and every row that this start is going to read. Damage further back shows when it is read.

A sequence number is never used twice, not even by the ledger that follows a damaged or deleted one: readers
keep a cursor, and a number that came back would hide new facts behind it. So every ledger begun in a folder
gets a range of its own; how many were begun stands in `<name>.generation`.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge.config.durable import sync_folder
from edge.store.errors import StoreError, classify
from edge.store.rows import COLUMNS, INSERT, TYPES, Row, UnreadableFactError, to_fact
from edge.store.schema import Step, connect, migrate, refuse_newer, steps_of, use_wal

log = logging.getLogger(__name__)

SEQ_RANGE = 1_000_000_000  # facts of one ledger file: a fact every second for 31 years
GENERATION_UNKNOWN = 1000
SALVAGE_FACTS = 10_000  # newest facts carried over from a damaged ledger: days of a lane, a second of work

_MAGIC = b"SQLite format 3\0"  # sqlite.org/fileformat2.html 1.3.1
_BESIDE = ("-wal", "-shm")
_LAST_SEQ = "SELECT max(ifnull((SELECT max(seq) FROM facts), 0), ifnull((SELECT max(seq) FROM snapshot), 0))"


class Recovery(msgspec.Struct, frozen=True):
    """What happened to a damaged file, and what was carried over. `str()` is the text of the fault."""

    moved_to: Path
    why: str
    facts_kept: int = 0
    snapshot_kept: bool = False

    def __str__(self) -> str:
        kept = f"{self.facts_kept} facts kept, snapshot {'kept' if self.snapshot_kept else 'lost'}"
        return f"{self.why}; moved to {self.moved_to.name}; {kept}"


class OpenedLedger(msgspec.Struct, frozen=True):
    conn: sqlite3.Connection
    next_seq: int
    recovery: Recovery | None


def open_ledger(path: Path, damage: str = "") -> OpenedLedger:
    """The ledger at `path`, ready to write. `damage`: it is known to be damaged (a commit said so)."""
    damage = damage or _lost_contents(path)
    conn, moved = open_or_begin(
        path, steps_of("ledger"), _read_what_a_start_reads, lambda: _begin_generation(path), damage
    )
    recovery = None
    try:
        if moved is not None:
            recovery = _carry_over(moved, conn)
        last = conn.execute(_LAST_SEQ).fetchone()[0]
        next_seq = max(int(last), (_finish_generation(path) - 1) * SEQ_RANGE) + 1
    except BaseException as error:
        conn.close()
        if isinstance(error, OSError | sqlite3.Error):
            raise StoreError(classify(error, path), path, str(error)) from error
        raise
    return OpenedLedger(conn, next_seq, recovery)


def open_or_begin(
    path: Path,
    steps: Sequence[Step],
    probe: Callable[[sqlite3.Connection], None],
    begin: Callable[[], None] = lambda: None,
    damage: str = "",
) -> tuple[sqlite3.Connection, Recovery | None]:
    """A migrated connection, and what was moved aside for it. `StoreError` for all else than damage.

    `probe` reads what must be readable; `begin` runs before a new file is made.
    """
    try:
        moved = None
        why = damage or _header_damage(path)
        if not why and path.exists() and path.stat().st_size:
            try:
                return _open(path, steps, probe), None
            except StoreError as error:
                if error.kind != "damaged":
                    raise
                why = error.detail
        if why:
            moved = Recovery(_move_aside(path), why)
        path.parent.mkdir(parents=True, exist_ok=True)
        begin()
        conn = _open(path, steps, probe)
        try:
            sync_folder(path.parent)
            sync_folder(path.parent.parent)  # the data folder itself may be as new as the file
        except OSError:
            conn.close()
            raise
    except OSError as error:
        raise StoreError(classify(error, path), path, str(error)) from error
    return conn, moved


def _open(path: Path, steps: Sequence[Step], probe: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    conn = None
    try:
        conn = connect(path)
        tables = conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if refuse_newer(conn, path, steps) == 0 and tables > 0:
            raise StoreError("damaged", path, "a database of somebody else: tables, but no version of ours")
        use_wal(conn, path)
        migrate(conn, path, steps)
        probe(conn)
    except BaseException as error:
        if conn is not None:
            conn.close()
        if not isinstance(error, sqlite3.Error):
            raise
        kind = classify(error, path)
        # A plain SQL error can only mean that the tables are not the ones that its version promises.
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) == sqlite3.SQLITE_ERROR:
            kind = "damaged"
        raise StoreError(kind, path, str(error)) from error
    return conn


def _read_what_a_start_reads(conn: sqlite3.Connection) -> None:
    snapshot = conn.execute("SELECT seq, data FROM snapshot WHERE one = 1").fetchone()
    after = snapshot[0] if snapshot else 0
    for row in conn.execute(f"SELECT {COLUMNS} FROM facts WHERE seq > ? ORDER BY seq", (after,)):
        if tuple(map(type, row)) != TYPES:
            raise sqlite3.OperationalError(f"fact {row[0]} is damaged: {row!r}")
    conn.execute(f"SELECT {COLUMNS} FROM facts ORDER BY seq DESC LIMIT 1").fetchone()


def _header_damage(path: Path) -> str:
    """Why the first bytes cannot be a database's; "" if they can, or if there is no file."""
    if path.is_dir():
        return "not a database: a folder"
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        return ""
    if not head:
        return ""  # made, and cut off before the first byte: SQLite itself begins anew
    if len(head) < 100 or not head.startswith(_MAGIC):
        return f"not a database: {path.stat().st_size} bytes that begin with {head[:16].hex(' ')}"
    return ""


def _lost_contents(path: Path) -> str:
    """An empty ledger is a new one, unless it was finished before: then facts stood in it."""
    try:
        lost = path.stat().st_size == 0 and _generation(path)[1]
    except OSError:
        return ""  # no file, or no disk: opening it says which
    return "empty, though it was in use" if lost else ""


def _move_aside(path: Path) -> Path:
    """Rename to `<stem>.damaged-<n>`. The log first: left beside a new file it would be replayed into it."""
    n = 1
    while any(_aside(path, n, end).exists() for end in ("", *_BESIDE)):
        n += 1
    for end in (*_BESIDE, ""):
        source = path.with_name(path.name + end)
        if source.exists():
            source.rename(_aside(path, n, end))
    sync_folder(path.parent)
    return _aside(path, n, "")


def _aside(path: Path, n: int, end: str) -> Path:
    return path.with_name(f"{path.stem}.damaged-{n}{end}")


def _generation_file(path: Path) -> Path:
    return path.with_suffix(".generation")


def _generation(path: Path) -> tuple[int, bool]:
    """How many databases were begun under this name, the present one included; whether it was finished."""
    file = _generation_file(path)
    try:
        number, _, made = file.read_text(errors="replace").partition(" ")
        return int(number), made == "made"
    except FileNotFoundError:
        return 1, False
    except ValueError:
        # Only a failing card writes something else here. Cars must pass; the numbers go on far from all used ones.
        log.warning("%s does not hold a number: going on with %d", file, GENERATION_UNKNOWN)
        return GENERATION_UNKNOWN, True


def _begin_generation(path: Path) -> None:
    """A new number, unless the last one was cut off before a fact could use it."""
    number, made = _generation(path)
    _write_generation(path, f"{number + 1 if made else number}")


def _finish_generation(path: Path) -> int:
    number, made = _generation(path)
    if not made:
        _write_generation(path, f"{number} made")
    return number


def _write_generation(path: Path, text: str) -> None:
    file = _generation_file(path)
    new = file.with_suffix(".generation-new")
    with new.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.rename(file)
    sync_folder(file.parent)


def _carry_over(moved: Recovery, conn: sqlite3.Connection) -> Recovery:
    """Copy the snapshot and the newest readable facts, numbers unchanged: the city may not have them yet."""
    snapshot, rows = _salvage(moved.moved_to)
    conn.execute("BEGIN IMMEDIATE")
    conn.executemany(INSERT, rows)
    if snapshot is not None:
        conn.execute("INSERT INTO snapshot (one, seq, data) VALUES (1, ?, ?)", snapshot)
    conn.execute("COMMIT")
    return msgspec.structs.replace(moved, facts_kept=len(rows), snapshot_kept=snapshot is not None)


def _salvage(damaged: Path) -> tuple[tuple[int, bytes] | None, list[Row]]:
    """What can still be read: newest facts first, until the first that cannot."""
    snapshot: tuple[int, bytes] | None = None
    rows: list[Row] = []
    try:
        conn = connect(damaged)
    except sqlite3.Error:
        return snapshot, rows  # nothing can be read; the file stays for a person
    try:
        found = conn.execute("SELECT seq, data FROM snapshot WHERE one = 1").fetchone()
        if found is not None and isinstance(found[0], int) and isinstance(found[1], bytes):
            snapshot = found
    except sqlite3.Error:
        pass  # its page is among the damaged ones; the facts may not be
    try:
        last = 0
        for row in conn.execute(f"SELECT {COLUMNS} FROM facts ORDER BY seq DESC LIMIT {SALVAGE_FACTS}"):
            to_fact(row)
            if last and row[0] >= last:
                break  # out of order: these pages are not what they were
            last = row[0]
            rows.append(row)
    except (sqlite3.Error, UnreadableFactError):
        pass  # the rest is lost; what was read before is good
    finally:
        conn.close()
    return snapshot, rows[::-1]
