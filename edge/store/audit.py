"""The audit: `audit.db`, append only, written by the agent alone. Implements `ports.AuditLog`.

Each line's hash covers the hash of the line before it: whoever changes, takes out or puts in a line with a database
tool must change all that follow, and the newest hash stands in every export and, once a day, in the journal. What
cannot be written waits in memory (the act itself is done) and is written before the next line when the disk works.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from edge.core.audit import AuditEntry, AuditLine
from edge.store.errors import StoreError, classify
from edge.store.recovery import Recovery, open_or_begin
from edge.store.schema import connect, steps_of

log = logging.getLogger(__name__)

KEPT_MIN_DAYS = 184
"""Six months: Cybersecurity Law of the PRC (article 21 (3) of its text of 2017); 184 is the longest half year."""
WAITING_MAX = 1000
DAY_MS = 86_400_000
PRUNE_EVERY = 200  # lines
BATCH = 500

_FIELDS = ("at_ms", "clock_true", "who", "role", "address", "action", "target", "why", "ok", "zh", "en")
_COLUMNS = f"seq, {', '.join(_FIELDS)}, hash"
_INSERT = f"INSERT INTO audit ({_COLUMNS}) VALUES ({', '.join('?' * (len(_FIELDS) + 2))})"


class Audit:
    def __init__(self, path: Path, kept_days: int, changed: Callable[[], None] = lambda: None) -> None:
        """`changed` is told when `trouble` is another one."""
        if kept_days < KEPT_MIN_DAYS:
            raise ValueError(f"kept_days is {kept_days}, allowed is {KEPT_MIN_DAYS} or more")
        self.kept_days = kept_days
        self.recovery: Recovery | None = None
        self.trouble = ""
        """Why lines wait in memory, "" while none do."""
        self._path, self._changed = path, changed
        self._lock = threading.Lock()
        self._conn: sqlite3.Connection | None = None
        self._head = (0, "")
        self._waiting: deque[AuditEntry] = deque()
        self._lost = 0
        self._told_day = 0
        self._since_prune = PRUNE_EVERY

    def close(self) -> None:
        with self._lock:
            self._write()
            if self._conn is not None:
                self._conn.close()
            self._conn = None

    # --- ports.AuditLog ----------------------------------------------------------------------------------------

    def add(self, entry: AuditEntry) -> bool:
        with self._lock:
            if len(self._waiting) >= WAITING_MAX:
                self._lost += 1  # the newest: what was there first may not be pushed out
            else:
                self._waiting.append(entry)
            before = self.trouble
            done = self._write()
        if self.trouble != before:
            self._changed()
        return done

    def read(
        self, limit: int, before_seq: int, *, who: str = "", action: str = "", from_ms: int = 0, to_ms: int = 1 << 62
    ) -> list[AuditLine]:
        sql = (
            f"SELECT {_COLUMNS} FROM audit WHERE (:before = 0 OR seq < :before) AND (:who = '' OR who = :who) "
            "AND (:action = '' OR action = :action) AND at_ms >= :from_ms AND at_ms < :to_ms "
            "ORDER BY seq DESC LIMIT :limit"
        )
        values = {"limit": limit, "before": before_seq, "who": who, "action": action, "from_ms": from_ms,
                  "to_ms": to_ms}  # fmt: skip
        return [_line(row) for row in self._rows(sql, values)]

    def after(self, seq: int, limit: int) -> list[AuditLine]:
        sql = f"SELECT {_COLUMNS} FROM audit WHERE seq > :seq ORDER BY seq LIMIT :limit"
        return [_line(row) for row in self._rows(sql, {"seq": seq, "limit": limit})]

    def broken_seq(self) -> int:
        seq, known = self._rows("SELECT seq, hash FROM anchor", {})[0]
        while lines := self.after(seq, BATCH):
            for line in lines:
                known = chained(known, line.seq, line)
                if line.seq != seq + 1 or line.hash != known:
                    return line.seq
                seq = line.seq
        with self._lock:  # lines taken off the end: what this program itself wrote last is known
            head = self._head[0]
        return seq + 1 if seq < head else 0

    # --- inside ------------------------------------------------------------------------------------------------

    def _write(self) -> bool:
        """All that waits, in one transaction. Holds the lock."""
        if not self._waiting and not self._lost:
            return True
        try:
            conn = self._opened()
            entries = list(self._waiting)
            seq, known = self._head
            rows = []
            for entry in entries:
                seq += 1
                known = chained(known, seq, entry)
                rows.append((seq, *(getattr(entry, name) for name in _FIELDS), known))
            conn.execute("BEGIN IMMEDIATE")
            conn.executemany(_INSERT, rows)
            conn.execute("COMMIT")
            self._waiting.clear()
            self._head = (seq, known)
            day = entries[-1].at_ms // DAY_MS if entries else self._told_day
            if day != self._told_day:
                self._told_day = day
                log.info("audit: line %d, hash %s", *self._head)
            self._since_prune += len(rows)
            if self._since_prune >= PRUNE_EVERY:
                self._since_prune = 0
                self._prune(conn, entries[-1].at_ms if entries and entries[-1].clock_true else 0)
        except (sqlite3.Error, StoreError) as error:
            self._failed(error)
            return False
        self.trouble = f"{self._lost} 条未能保存 entries lost" if self._lost else ""
        return True

    def _failed(self, error: sqlite3.Error | StoreError) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()  # what is open in it is undone; the next line opens the file anew
        if not self.trouble:
            log.error("the audit waits in memory: %s", error)
        self.trouble = f"{classify(error, self._path)}: {error}"

    def _prune(self, conn: sqlite3.Connection, now_ms: int) -> None:
        """By a clock that is true alone. The chain goes on from the last line that goes."""
        oldest_ms = now_ms - self.kept_days * DAY_MS
        found = conn.execute(
            "SELECT seq, hash FROM audit WHERE seq < ifnull((SELECT min(seq) FROM audit WHERE at_ms >= ?), 0) "
            "ORDER BY seq DESC LIMIT 1",
            (oldest_ms,),
        ).fetchone()
        if found is None:
            return
        conn.execute("BEGIN IMMEDIATE")
        conn.execute("UPDATE anchor SET seq = ?, hash = ?", found)
        conn.execute("DELETE FROM audit WHERE seq <= ?", (found[0],))
        conn.execute("COMMIT")

    def _opened(self) -> sqlite3.Connection:
        if self._conn is None:
            self._conn, moved = open_or_begin(self._path, steps_of("audit"), _probe)
            self.recovery = moved or self.recovery
            newest = (
                "SELECT seq, hash FROM audit UNION ALL SELECT seq, hash FROM anchor ORDER BY seq DESC LIMIT 1"
            )
            seq, digest = self._conn.execute(newest).fetchone()
            self._head = (int(seq), str(digest))
            log.info("audit: line %d, hash %s", *self._head)
        return self._conn

    def _rows(self, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._opened().execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise StoreError(classify(error, self._path), self._path, str(error)) from error


def last_lines(path: Path, limit: int) -> list[AuditLine]:
    """The newest, oldest first, read beside the agent that writes the file; none when there is no file. Raises
    `StoreError`."""
    if not path.exists():
        return []
    conn = None
    try:
        conn = connect(path, read_only=True)
        rows = conn.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY seq DESC LIMIT ?", (limit,)).fetchall()
        return [_line(row) for row in reversed(rows)]
    except sqlite3.Error as error:
        raise StoreError(classify(error, path), path, str(error)) from error
    finally:
        if conn is not None:
            conn.close()


def chained(before: str, seq: int, entry: AuditEntry) -> str:
    """SHA-256 over the hash before, the number and the entry's members in the order of the columns."""
    text = msgspec.json.encode([before, seq, *(getattr(entry, name) for name in _FIELDS)])
    return hashlib.sha256(text).hexdigest()


def _line(row: tuple[Any, ...]) -> AuditLine:
    seq, *values, digest = row
    members = dict(zip(_FIELDS, values, strict=True))
    members["clock_true"], members["ok"] = bool(members["clock_true"]), bool(members["ok"])
    return AuditLine(seq=seq, hash=digest, **members)


def _probe(conn: sqlite3.Connection) -> None:
    if conn.execute("SELECT seq FROM anchor WHERE one = 1").fetchone() is None:
        raise sqlite3.OperationalError("no anchor row")
    conn.execute("SELECT * FROM audit ORDER BY seq DESC LIMIT 100").fetchall()
