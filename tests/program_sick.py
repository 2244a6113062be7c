"""Entry of a program on a sick machine: `python -m tests.program_sick SICK lane|agent CONFIG`, SICK as JSON.

    {"die_at": 7, "when": "before" | "after", "file": "ledger.db"}   kill -9 at the 7th statement that writes
    {"count": "/path", "file": "ledger.db"}                          a line there for every such statement
    {"disk": "/path"}        while that file says "disk_full" or "disk_read_only", every write fails so
    {"trial": "/path"}       a new system is on trial while there is that file
    {"clock": "/path"}       that file holds "true 0" or "false -86400000": synchronised, and by how many ms wrong

The program itself is the real one; only what it asks of SQLite, the kernel's clock and the disk is bent.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

READS = ("SELECT", "WITH", "PRAGMA", "EXPLAIN", "ROLLBACK")
WRITING_PRAGMAS = ("PRAGMA USER_VERSION =", "PRAGMA JOURNAL_MODE", "PRAGMA WAL_CHECKPOINT")

_SQLITE = {
    "disk_full": (sqlite3.SQLITE_FULL, "database or disk is full"),
    "disk_read_only": (sqlite3.SQLITE_READONLY, "attempt to write a readonly database"),
}
_ERRNO = {"disk_full": errno.ENOSPC, "disk_read_only": errno.EROFS}

Doing = Callable[[str, Callable[[], Any]], Any]
"""Called for each statement that writes: its text, and how to carry it out."""


def writes(sql: str) -> bool:
    text = sql.lstrip().upper()
    return not text.startswith(READS) or text.startswith(WRITING_PRAGMAS)


def watch_sqlite(file: str, doing: Doing) -> None:
    """Connections to a database of that name ("" = any) tell `doing` of every statement that writes."""

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            if not writes(sql):
                return super().execute(sql, parameters)
            found: sqlite3.Cursor = doing(sql, lambda: super(Watched, self).execute(sql, parameters))
            return found

        def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
            found: sqlite3.Cursor = doing(sql, lambda: super(Watched, self).executemany(sql, parameters))
            return found

    real = sqlite3.connect

    def connect(database: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
        if file in str(database) and "mode=ro" not in str(database):
            options["factory"] = Watched
        conn: sqlite3.Connection = real(database, *arguments, **options)
        return conn

    sqlite3.connect = connect  # type: ignore[assignment]


def die_at(number: int, when: str, file: str) -> None:
    seen = 0

    def doing(sql: str, carry_out: Callable[[], Any]) -> Any:
        nonlocal seen
        seen += 1
        if seen == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = carry_out()
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    watch_sqlite(file, doing)


def count_into(path: str, file: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def doing(sql: str, carry_out: Callable[[], Any]) -> Any:
        os.write(fd, (" ".join(sql.split())[:60] + "\n").encode())
        return carry_out()

    watch_sqlite(file, doing)


def sick_disk(path: Path) -> None:
    """SQLite's writes, opening for writing and writing at an offset (the spool) fail while the file says so."""

    def illness() -> str:
        return path.read_text(encoding="ascii").strip() if path.exists() else ""

    def doing(sql: str, carry_out: Callable[[], Any]) -> Any:
        if kind := illness():
            code, text = _SQLITE[kind]
            error = sqlite3.OperationalError(text)
            error.sqlite_errorcode = code
            raise error
        return carry_out()

    watch_sqlite("", doing)
    real_open, real_pwritev, real_allocate = os.open, os.pwritev, os.posix_fallocate

    def refuse(what: Any) -> None:
        if kind := illness():
            raise OSError(_ERRNO[kind], os.strerror(_ERRNO[kind]), str(what))

    def sick_open(file: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            refuse(file)
        return real_open(file, flags, *arguments, **options)

    def sick_pwritev(fd: int, *arguments: Any) -> int:
        refuse(fd)
        return real_pwritev(fd, *arguments)

    def sick_allocate(fd: int, *arguments: Any) -> None:
        refuse(fd)
        real_allocate(fd, *arguments)

    os.open, os.pwritev, os.posix_fallocate = sick_open, sick_pwritev, sick_allocate  # type: ignore[assignment]


def wrong_clock(path: Path) -> None:
    """Both looks at the wall clock go through the file; the monotonic clock stays what it is."""
    real_ns = time.time_ns

    def state() -> tuple[bool, int]:
        synchronised, wrong_ms = path.read_text(encoding="ascii").split()
        return synchronised == "true", int(wrong_ms)

    # Before any module of ours is loaded: some keep the function.
    time.time_ns = lambda: real_ns() + state()[1] * 1_000_000
    from edge import wall_clock  # noqa: PLC0415
    from edge.agent import cities as agent_cities  # noqa: PLC0415

    def synchronised() -> bool:
        return state()[0]

    agent_cities.kernel_synchronised = synchronised  # type: ignore[attr-defined]
    defaults = wall_clock.LaneClock.__init__.__kwdefaults__
    assert defaults is not None
    defaults["synchronised"] = synchronised


def main() -> int:
    sick = json.loads(sys.argv[1])
    if "die_at" in sick:
        die_at(sick["die_at"], sick["when"], sick["file"])
    if "count" in sick:
        count_into(sick["count"], sick["file"])
    if "disk" in sick:
        sick_disk(Path(sick["disk"]))
    if "trial" in sick:
        from edge.box import trial  # noqa: PLC0415 - before whoever takes its word

        trial.TRIAL = Path(sick["trial"])
    if "clock" in sick:
        wrong_clock(Path(sick["clock"]))
    from edge.cli import main as program  # noqa: PLC0415

    return program(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
