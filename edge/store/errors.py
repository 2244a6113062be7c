"""What can go wrong with a file of ours, in words that a lane can act on."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Literal

ErrorKind = Literal[
    "disk_full",
    "disk_read_only",
    "io_error",
    "locked",  # somebody else holds the file's write lock (a person with a database tool)
    "damaged",  # not a database, malformed, or not ours
    "newer",  # written by a newer program: refused, untouched
    "cursor_ahead",  # the reader is past the end: the file was replaced by hand
    "dropped",  # given up from the waiting line while the disk failed
    "closed",
]

ROOM_BYTES = 64 * 1024  # a database's shared memory takes 32 KB, its first pages some more

# Primary result codes of sqlite.org/rescode.html; extended codes carry them in the low byte.
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}


class StoreError(Exception):
    """A file of the store cannot be used: what kind of trouble, which file, what happened."""

    def __init__(self, kind: ErrorKind, path: Path, detail: str) -> None:
        super().__init__(f"{path}: {kind}: {detail}")
        self.kind: ErrorKind = kind
        self.path = path
        self.detail = detail


def classify(error: Exception, path: Path) -> ErrorKind:
    """Which kind an exception of sqlite3 or of the file system is, for the file at `path`."""
    if isinstance(error, StoreError):
        return error.kind
    if isinstance(error, OSError):
        return _of_errno(error.errno or 0)
    if not isinstance(error, sqlite3.Error):
        raise TypeError(f"not an error of the disk or of SQLite: {error!r}") from error
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _DAMAGED:
        return "damaged"
    if code in _LOCKED:
        return "locked"
    if code == sqlite3.SQLITE_FULL:
        return "disk_full"
    # A card that turned read-only first answers with I/O errors, and a folder in which nothing can be created
    # answers "unable to open": the mount flag tells which of them it really is.
    if code in _READ_ONLY or _mounted_read_only(path):
        return "disk_read_only"
    # A full disk in which SQLite cannot make its shared memory answers with I/O errors too.
    return "disk_full" if _room_bytes(path) < ROOM_BYTES else "io_error"


def _of_errno(number: int) -> ErrorKind:
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "disk_full"
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "disk_read_only"
    return "io_error"


def _room_bytes(path: Path) -> int:
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return ROOM_BYTES  # the folder is gone: whatever it is, the disk is not full
    return found.f_bavail * found.f_frsize


def _mounted_read_only(path: Path) -> bool:
    try:
        return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
    except OSError:
        return False  # the folder itself is gone or unreadable: that is an I/O error, not a read-only mount
