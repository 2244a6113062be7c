"""The ledger for everybody who only reads it: own connection per thread, no write, survives a replaced file.

A fact of a kind that this program does not know (the lane program is newer) is left out and counted in
`unreadable`, not raised: one such fact must not stop every other message to the city. It stays in the ledger,
and whoever reads shows the count as a fault.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from pathlib import Path

from edge.core.facts import Fact
from edge.store.errors import StoreError, classify
from edge.store.rows import COLUMNS, Row, UnreadableFactError, to_fact
from edge.store.schema import connect, refuse_newer, steps_of, version_of

_AFTER = f"SELECT {COLUMNS} FROM facts WHERE seq > ? ORDER BY seq LIMIT ?"
_LAST = f"SELECT {COLUMNS} FROM facts ORDER BY seq DESC LIMIT ?"
_SNAPSHOT = "SELECT seq, data FROM snapshot WHERE one = 1"
_OFFSETS = (
    "SELECT boot_id, json_extract(body, '$.offset_ms') FROM facts INDEXED BY clock_sets "
    "WHERE kind = 'ClockSet' ORDER BY seq DESC"
)


class _Open:
    """One thread's connection, and which file it belongs to."""

    def __init__(self, conn: sqlite3.Connection, identity: tuple[int, int]) -> None:
        self.conn = conn
        self.identity = identity


class LedgerFile:
    """Implements `ports.LedgerReader`. Until the lane program has made the file, the ledger is empty."""

    def __init__(self, path: Path, or_frozen: bool = False) -> None:
        """`or_frozen`: nobody writes the file while it is read (the lane program's own start). Then it can be read
        on a disk on which SQLite cannot make its files beside it: full, or read-only."""
        self._path, self._or_frozen = path, or_frozen
        self._local = threading.local()
        self._lock = threading.Lock()
        self._all: list[sqlite3.Connection] = []
        self._steps = steps_of("ledger")
        self._unreadable: dict[int, str] = {}

    @property
    def unreadable(self) -> Counter[str]:
        """Facts left out, by kind."""
        with self._lock:
            return Counter(self._unreadable.values())

    def read_after(self, seq: int, limit: int) -> list[Fact]:
        """At most `limit` facts after `seq`, in order. Empty means that there are no newer ones."""
        if limit < 1:
            raise ValueError(f"limit is {limit}, needed 1 or more")
        while True:
            rows: list[Row] = self._query(_AFTER, (seq, limit))
            if not rows:
                self._refuse_cursor_ahead(seq)
                return []
            facts = self._facts(rows)
            if facts:
                return facts
            seq = rows[-1][0]  # a whole window of unreadable ones must not look like the end

    def read_last(self, limit: int) -> list[Fact]:
        """The newest facts, oldest of them first."""
        return self._facts(self._query(_LAST, (limit,))[::-1])

    def last_seq(self) -> int:
        rows: list[tuple[int | None]] = self._query("SELECT max(seq) FROM facts", ())
        return (rows[0][0] or 0) if rows else 0

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        """(seq, data): the fold of all facts up to `seq`."""
        rows: list[tuple[int, bytes]] = self._query(_SNAPSHOT, ())
        return rows[0] if rows else None

    def boot_offsets(self) -> dict[str, int]:
        """wall_ms - mono_ms of every boot whose clock was set; the first set of a boot counts."""
        return dict(self._query(_OFFSETS, ()))

    def close(self) -> None:
        with self._lock:
            for conn in self._all:
                conn.close()
            self._all.clear()
            self._local = threading.local()

    def _facts(self, rows: list[Row]) -> list[Fact]:
        facts = []
        for row in rows:
            try:
                facts.append(to_fact(row))
            except UnreadableFactError as error:
                with self._lock:
                    self._unreadable[error.seq] = error.kind
        return facts

    def _refuse_cursor_ahead(self, seq: int) -> None:
        """A reader past the end would wait for ever without a word. Only moved files bring it there."""
        last = self.last_seq()
        if 0 < last < seq:
            raise StoreError("cursor_ahead", self._path, f"asked for facts after {seq}, the last is {last}")

    def _query(self, sql: str, parameters: tuple[int | str, ...]) -> list[tuple]:  # type: ignore[type-arg]
        """All rows; none while there is no file or no table yet."""
        try:
            conn = self._connection()
            return [] if conn is None else conn.execute(sql, parameters).fetchall()
        except (sqlite3.Error, OSError) as error:
            self._drop()
            kind = classify(error, self._path)
            if self._or_frozen and kind in ("disk_full", "disk_read_only", "io_error") and not self._log_bytes():
                return self._query_frozen(sql, parameters)
            raise StoreError(kind, self._path, str(error)) from error

    def _query_frozen(self, sql: str, parameters: tuple[int | str, ...]) -> list[tuple]:  # type: ignore[type-arg]
        conn = None
        try:
            conn = connect(self._path, read_only=True, frozen=True)
            return conn.execute(sql, parameters).fetchall() if version_of(conn) == self._steps[-1].number else []
        except sqlite3.Error as error:
            raise StoreError(classify(error, self._path), self._path, str(error)) from error
        finally:
            if conn is not None:
                conn.close()

    def _log_bytes(self) -> int:
        """What stands in the write-ahead log: a frozen reader would not see it."""
        try:
            return self._path.with_name(self._path.name + "-wal").stat().st_size
        except OSError:
            return 0  # none, or no way to it: then there is none to the file either, which says so

    def _connection(self) -> sqlite3.Connection | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._drop()
            return None
        identity = (stat.st_dev, stat.st_ino)
        mine: _Open | None = getattr(self._local, "open", None)
        if mine is not None and mine.identity == identity:
            return mine.conn
        self._drop()
        conn = connect(self._path, read_only=True)
        try:
            refuse_newer(conn, self._path, self._steps)
            ready = version_of(conn) == self._steps[-1].number
        except BaseException:
            conn.close()
            raise
        if not ready:  # the lane program is still making or migrating it
            conn.close()
            return None
        self._local.open = _Open(conn, identity)
        with self._lock:
            self._all.append(conn)
        return conn

    def _drop(self) -> None:
        mine: _Open | None = getattr(self._local, "open", None)
        if mine is not None:
            del self._local.open
            mine.conn.close()
            with self._lock:
                if mine.conn in self._all:
                    self._all.remove(mine.conn)
