"""What became of each passage's picture: `pictures.db`, written by the agent alone.

The files are the evidence; this is the index over them, the head of each lane's chain and the cursor, advanced in
one transaction with the rows. A damaged one is moved aside and made again from the ledger, as far as the spool
still holds the cameras' pictures. The evidence thread writes `pictures`, the upload thread `uploads` (`store.uploads`),
under one lock.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from edge.store.errors import StoreError, classify
from edge.store.recovery import Recovery, open_or_begin
from edge.store.schema import steps_of

PictureState = Literal["made", "missing", "failed", "deleted"]


class PictureRow(msgspec.Struct, frozen=True):
    """In the order of the columns."""

    record_id: str
    read_id: str
    lane: str
    direction: str
    camera: str
    plate: str
    day: str  # yyyymmdd, Asia/Shanghai: the folder
    passed_ms: int
    state: PictureState
    why: str = ""  # no_read, no_picture, gone, or what was wrong with it
    bytes: int = 0
    width: int = 0
    plate_width: int = -1
    flags: str = ""
    chain: int = 0
    digest: str = ""


_COLUMNS = ", ".join(PictureRow.__struct_fields__)
# A picture that came late settles a passage for the second time; whatever was made stays.
_PUT = (
    f"INSERT INTO pictures ({_COLUMNS}) VALUES ({', '.join('?' * len(PictureRow.__struct_fields__))}) "
    "ON CONFLICT (record_id) DO UPDATE SET state = excluded.state, why = excluded.why, bytes = excluded.bytes, "
    "camera = excluded.camera, width = excluded.width, plate_width = excluded.plate_width, flags = excluded.flags, "
    "chain = excluded.chain, digest = excluded.digest WHERE pictures.state IN ('missing', 'failed')"
)


# A picture is to be uploaded as soon as it is made, and once.
_TO_UPLOAD = (
    "INSERT INTO uploads (record_id, passed_ms) SELECT record_id, passed_ms FROM pictures "
    "WHERE {where} AND state = 'made' ON CONFLICT (record_id) DO NOTHING"
)
_GIVEN_UP = (
    "UPDATE uploads SET state = 'gone', last_answer = '未上传即删除 / deleted before it was uploaded' "
    "WHERE record_id = ? AND state IN ('waiting', 'set_aside')"
)


class Pictures:
    """`uploading`: pictures are queued for the upload, at `open` also those that were made before."""

    def __init__(self, path: Path, uploading: bool = False) -> None:
        self._path, self._uploading = path, uploading
        self._lock = threading.Lock()
        self._conn: sqlite3.Connection | None = None

    def open(self) -> Recovery | None:
        with self._lock:
            self._conn, moved = open_or_begin(self._path, steps_of("pictures"), _probe)
        if self._uploading:
            self.change(_TO_UPLOAD.format(where="record_id NOT IN (SELECT record_id FROM uploads)"), [()])
        return moved

    def close(self) -> None:
        with self._lock:
            if self._conn is not None:
                self._conn.close()
            self._conn = None

    def cursor(self) -> int:
        return int(self.rows("SELECT seq FROM cursor", ())[0][0])

    def settle(self, cursor: int, rows: Sequence[PictureRow]) -> None:
        """Rows and cursor in one transaction. The cursor never goes back."""
        with self._lock:
            conn = self._opened()
            try:
                conn.execute("BEGIN IMMEDIATE")
                conn.executemany(_PUT, [msgspec.structs.astuple(row) for row in rows])
                if self._uploading:
                    conn.executemany(_TO_UPLOAD.format(where="record_id = ?"), [(row.record_id,) for row in rows])
                conn.execute("UPDATE cursor SET seq = max(seq, ?)", (cursor,))
                conn.execute("COMMIT")
            except sqlite3.Error as error:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise self._trouble(error) from error

    def of_record(self, record_id: str) -> PictureRow | None:
        return self._one("WHERE record_id = ?", record_id)

    def of_read(self, read_id: str) -> PictureRow | None:
        """The passage's that this read led to."""
        return self._one("WHERE read_id = ? ORDER BY state <> 'made'", read_id)

    def heads(self) -> dict[str, tuple[int, str]]:
        """Of each lane the newest seal: number and digest."""
        sql = "SELECT lane, max(chain), digest FROM pictures WHERE chain > 0 GROUP BY lane"
        return {str(lane): (int(chain), str(digest)) for lane, chain, digest in self.rows(sql, ())}

    def recent(self, limit: int) -> list[PictureRow]:
        """The newest, oldest of them first."""
        sql = f"SELECT {_COLUMNS} FROM pictures ORDER BY id DESC LIMIT ?"
        return [_row(row) for row in self.rows(sql, (limit,))][::-1]

    # --- upkeep ------------------------------------------------------------------------------------------------

    def oldest(self, limit: int, skip: int = 0, before_day: str = "99999999") -> list[PictureRow]:
        """Pictures that are there, of days before that one, oldest first."""
        sql = (
            f"SELECT {_COLUMNS} FROM pictures WHERE state = 'made' AND day < ? "
            "ORDER BY day, id LIMIT ? OFFSET ?"
        )
        return [_row(row) for row in self.rows(sql, (before_day, limit, skip))]

    def kept_bytes(self) -> int:
        return int(self.rows("SELECT ifnull(sum(bytes), 0) FROM pictures WHERE state = 'made'", ())[0][0])

    def days(self) -> set[str]:
        """Days of which pictures should be there."""
        return {str(day) for (day,) in self.rows("SELECT DISTINCT day FROM pictures WHERE state = 'made'", ())}

    def made_of(self, day: str) -> int:
        """How many pictures of that day should be there."""
        return int(self.rows("SELECT count(*) FROM pictures WHERE day = ? AND state = 'made'", (day,))[0][0])

    def states(self, day: str, record_ids: Sequence[str]) -> dict[str, str]:
        """State by record, of those that have a row of that day."""
        sql = "SELECT record_id, state FROM pictures WHERE day = ? AND record_id IN (SELECT value FROM json_each(?))"
        return dict(self.rows(sql, (day, json.dumps(record_ids))))

    def mark_deleted(self, record_ids: Sequence[str]) -> None:
        values = [(one,) for one in record_ids]
        self.change("UPDATE pictures SET state = 'deleted' WHERE record_id = ? AND state = 'made'", values, _GIVEN_UP)

    def forget(self, before_day: str) -> None:
        """Rows without a picture, of days before that one; never the head of a chain."""
        self.change(
            "DELETE FROM pictures WHERE state <> 'made' AND day < ? AND id NOT IN "
            "(SELECT id FROM (SELECT id, max(chain) FROM pictures WHERE chain > 0 GROUP BY lane))",
            [(before_day,)],
        )
        self.change("DELETE FROM uploads WHERE record_id NOT IN (SELECT record_id FROM pictures)", [()])

    def change(self, sql: str, values: Sequence[tuple[Any, ...]], *more: str) -> int:
        """One transaction: `sql`, and `more` after it, for each of `values`. How many rows `sql` changed."""
        with self._lock:
            conn = self._opened()
            try:
                conn.execute("BEGIN IMMEDIATE")
                changed = conn.executemany(sql, values).rowcount
                for other in more:
                    conn.executemany(other, values)
                conn.execute("COMMIT")
            except sqlite3.Error as error:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise self._trouble(error) from error
        return max(changed, 0)

    def _one(self, where: str, value: str) -> PictureRow | None:
        rows = self.rows(f"SELECT {_COLUMNS} FROM pictures {where} LIMIT 1", (value,))
        return _row(rows[0]) if rows else None

    def rows(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._opened().execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise self._trouble(error) from error

    def _opened(self) -> sqlite3.Connection:
        if self._conn is None:
            raise StoreError("closed", self._path, "used before open() or after close()")
        return self._conn

    def _trouble(self, error: sqlite3.Error) -> StoreError:
        """A damaged file is given up: whoever opens it again finds a new one."""
        kind = classify(error, self._path)
        if kind == "damaged" and self._conn is not None:
            self._conn.close()
            self._conn = None
        return StoreError(kind, self._path, str(error))


def _row(values: tuple[Any, ...]) -> PictureRow:
    return PictureRow(*values)


def _probe(conn: sqlite3.Connection) -> None:
    """What a start reads: the cursor, the heads of the chains, the newest rows."""
    if conn.execute("SELECT seq FROM cursor WHERE one = 1").fetchone() is None:
        raise sqlite3.OperationalError("no cursor row")
    conn.execute("SELECT lane, max(chain), digest FROM pictures WHERE chain > 0 GROUP BY lane").fetchall()
    conn.execute("SELECT * FROM pictures ORDER BY id DESC LIMIT 100").fetchall()
