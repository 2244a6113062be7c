"""The ledger's write connection: a group of rows in one durable commit; the log folded in when it is quiet.

No thread, no queue: `edge.store.ledger` decides what is written when, and calls all of this from one thread.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from pathlib import Path

from edge.store.errors import StoreError, classify
from edge.store.recovery import Recovery, open_ledger
from edge.store.rows import INSERT, Row

log = logging.getLogger(__name__)

CHECKPOINT_PAGES = 1_000  # estimated pages in the log (4 MB, some 200 passages) before a quiet moment folds them in:
# each time costs three syncs (log, file, the log's new head) and writes every changed page once more
LOG_BYTES = 4 << 20  # the log's size, given to it beforehand: growing costs every commit a change of file size
LOG_AT_ONCE_BYTES = 1 << 20  # of these at the start; the rest follows in quiet moments,
LOG_STEP_BYTES = 1 << 18  # so much each time: 25 ms of a slow card, should a car come just then,
LOG_ROOM_BYTES = 64 << 20  # and only while so much is free: what is left of a full disk is for facts and pictures
_ROW_BYTES = 400  # a usual row, for the estimate only
_PAGE_BYTES = 4096
_SNAPSHOT = "INSERT OR REPLACE INTO snapshot (one, seq, data) VALUES (1, ?, ?)"


class Committer:
    """Holds the folder's `<name>.lock`: two writers would hand out the same sequence numbers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._conn: sqlite3.Connection | None = None
        self._lock_fd = -1
        self._pages = 0
        self._log_bytes = LOG_BYTES  # what the log is to have before its next step; LOG_BYTES: it has all

    @property
    def upkeep_due(self) -> bool:
        """A quiet moment should be used for `upkeep`."""
        return self._conn is not None and (self._log_bytes < LOG_BYTES or self._pages >= CHECKPOINT_PAGES)

    def open(self, damage: str = "") -> tuple[int, Recovery | None]:
        """The next free sequence number, and what was moved aside. `damage`: what a commit found wrong."""
        self._hold_lock()
        opened = open_ledger(self._path, damage)
        self._conn = opened.conn
        self._pages = 0
        self._log_bytes = LOG_AT_ONCE_BYTES if _lengthen_log(self._path, LOG_AT_ONCE_BYTES) else LOG_BYTES
        return opened.next_seq, opened.recovery

    @property
    def is_open(self) -> bool:
        return self._conn is not None

    def write(self, rows: list[Row], snapshot: tuple[int, bytes] | None) -> None:
        """All of it durable when it returns, none of it if it raises `sqlite3.Error`."""
        if self._conn is None:
            raise StoreError("closed", self._path, "write() without open()")
        if len(rows) == 1 and snapshot is None:
            self._conn.execute(INSERT, rows[0])  # one statement is a transaction of its own
        else:
            self._conn.execute("BEGIN IMMEDIATE")
            self._conn.executemany(INSERT, rows)
            if snapshot is not None:
                self._conn.execute(_SNAPSHOT, snapshot)
            self._conn.execute("COMMIT")
        self._pages += 2 + (len(rows) * _ROW_BYTES + (len(snapshot[1]) if snapshot else 0)) // _PAGE_BYTES

    def upkeep(self) -> bool:
        """One piece of what is due; whether it was a checkpoint."""
        if self._log_bytes < LOG_BYTES:
            self._log_bytes += LOG_STEP_BYTES
            if not _lengthen_log(self._path, self._log_bytes):
                self._log_bytes = LOG_BYTES
            return False
        self.checkpoint()
        return True

    def checkpoint(self) -> None:
        """Fold the log into the file. Waits for no reader; what cannot be folded now stays for the next."""
        self._pages = 0
        if self._conn is not None:
            self._conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def let_go(self) -> None:
        """Give the connection up, what is open in it is undone. The lock stays."""
        conn, self._conn = self._conn, None
        if conn is None:
            return
        try:
            conn.close()
        except sqlite3.Error as error:
            log.warning("ledger: closing %s: %s", self._path, error)

    def close(self) -> None:
        self.let_go()
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _hold_lock(self) -> None:
        if self._lock_fd >= 0:
            return
        path = self._path.with_suffix(".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        except OSError as error:
            raise StoreError(classify(error, path), path, str(error)) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise StoreError("locked", path, "another lane program writes this ledger: stop it") from error
        self._lock_fd = fd


def _lengthen_log(path: Path, length: int) -> bool:
    """Give the write-ahead log this size. SQLite stops reading it at the first frame with a wrong salt.

    False: not possible, no use to ask for more. Slower, not wrong.
    """
    log_path = path.with_name(path.name + "-wal")
    try:
        fd = os.open(log_path, os.O_WRONLY)
    except FileNotFoundError:
        return False  # made by the first commit; then it grows by itself
    except OSError as error:
        log.warning("ledger: %s cannot be opened to be given its size: %s", log_path, error)
        return False
    try:
        size = os.fstat(fd).st_size
        free = os.fstatvfs(fd)
        if length > LOG_AT_ONCE_BYTES and free.f_bavail * free.f_frsize < LOG_ROOM_BYTES:
            return False
        if size < length:
            os.pwrite(fd, bytes(length - size), size)
            os.fdatasync(fd)
    except OSError as error:
        log.warning("ledger: %s could not be given its size: %s", log_path, error)
        return False
    finally:
        os.close(fd)
    return True
