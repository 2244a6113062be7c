"""Which pictures the city's storage is still to get: the table `uploads` of `pictures.db`. Implements
`ports.UploadQueue`.

A row comes with its picture's in one transaction (`store.pictures`), so none is ever missing and there is no cursor.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from edge.ports import PictureStory, Upload
from edge.store.errors import StoreError, classify
from edge.store.pictures import Pictures
from edge.store.schema import connect, refuse_newer, steps_of, version_of

_COLUMNS = "u.id, u.record_id, p.direction, p.day, p.passed_ms, u.attempts"
_DUE = (
    f"SELECT {_COLUMNS} FROM uploads u INDEXED BY upload_waiting JOIN pictures p USING (record_id) "
    "WHERE u.state = 'waiting' AND u.due_ms <= ? AND u.passed_ms >= ? AND u.passed_ms < ? ORDER BY u.passed_ms LIMIT ?"
)
_FOR_EVER_MS = 1 << 62
_STORY = (
    "SELECT p.state, p.why, ifnull(u.state, ''), ifnull(u.attempts, 0), ifnull(u.due_ms, 0), "
    "ifnull(u.last_answer, ''), ifnull(u.answered_ms, 0) FROM pictures p LEFT JOIN uploads u USING (record_id) "
    "WHERE p.record_id = ?"
)


class Uploads:
    """For any thread. Every call is one transaction; none is held across the network."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    def due(self, now_ms: int, live_ms: int, limit: int) -> list[Upload]:
        """Those whose time has come: of passages since `live_ms` first, each group in the order of passing."""
        rows = self._pictures.rows(_DUE, (now_ms, live_ms, _FOR_EVER_MS, limit))
        if len(rows) < limit:
            rows += self._pictures.rows(_DUE, (now_ms, 0, live_ms, limit - len(rows)))
        return [Upload(*row) for row in rows]

    def next_due_ms(self) -> int | None:
        """When the next one is to be tried; None: none waits."""
        sql = "SELECT min(due_ms) FROM uploads INDEXED BY upload_waiting WHERE state = 'waiting'"
        found = self._pictures.rows(sql, ())[0][0]
        return None if found is None else int(found)

    def stored(self, ids: Sequence[int], answer: str, at_ms: int) -> None:
        """OSS has it, whatever became of the file meanwhile."""
        self._end(ids, "stored", answer, at_ms)

    def set_aside(self, ids: Sequence[int], answer: str, at_ms: int) -> None:
        """Refused, or tried often enough: it waits for a person."""
        self._end(ids, "set_aside", answer, at_ms)

    def gone(self, ids: Sequence[int], answer: str, at_ms: int) -> None:
        self._end(ids, "gone", answer, at_ms)

    def failed(self, ids: Sequence[int], due_ms: int, answer: str, at_ms: int) -> None:
        """Again at `due_ms`; counts one attempt."""
        self._pictures.change(
            "UPDATE uploads SET attempts = attempts + 1, due_ms = ?, last_answer = ?, answered_ms = ? "
            "WHERE id = ? AND state = 'waiting'",
            [(due_ms, answer, at_ms, each) for each in ids],
        )

    def counts(self) -> dict[str, int]:
        """Pictures that wait, and that were set aside."""
        asked = (("waiting", "upload_waiting"), ("set_aside", "upload_aside"))
        return {
            state: int(self._pictures.rows(
                f"SELECT count(*) FROM uploads INDEXED BY {index} WHERE state = '{state}'", ()
            )[0][0])
            for state, index in asked
        }  # fmt: skip

    def repeat(self) -> int:
        """Try all that were set aside again, now, with all their attempts. How many there were."""
        return self._pictures.change(
            "UPDATE uploads SET state = 'waiting', attempts = 0, due_ms = 0 WHERE state = 'set_aside'", [()]
        )

    def lacking(self, record_ids: Sequence[str]) -> set[str]:
        """Those of them whose picture the storage does not have."""
        marks = ", ".join("?" * len(record_ids))
        sql = f"SELECT record_id FROM uploads WHERE state IN ('waiting', 'set_aside') AND record_id IN ({marks})"
        return {str(row[0]) for row in self._pictures.rows(sql, tuple(record_ids))}

    def story(self, record_id: str) -> PictureStory | None:
        """None: nothing is known of this passage's picture (yet)."""
        rows = self._pictures.rows(_STORY, (record_id,))
        return PictureStory(*rows[0]) if rows else None

    def _end(self, ids: Sequence[int], state: str, answer: str, at_ms: int) -> None:
        self._pictures.change(
            "UPDATE uploads SET state = ?, last_answer = ?, answered_ms = ? WHERE id = ? AND state = 'waiting'",
            [(state, answer, at_ms, each) for each in ids],
        )


class PicturesFile:
    """`story` beside the agent that writes the file, or without one. Each call opens and closes it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def story(self, record_id: str) -> PictureStory | None:
        if not self._path.exists():
            return None
        steps = steps_of("pictures")
        conn = None
        try:
            conn = connect(self._path, read_only=True)
            refuse_newer(conn, self._path, steps)
            if version_of(conn) != steps[-1].number:
                raise StoreError("io_error", self._path, "made by an older version: start the agent once")
            row = conn.execute(_STORY, (record_id,)).fetchone()
        except sqlite3.Error as error:
            raise StoreError(classify(error, self._path), self._path, str(error)) from error
        finally:
            if conn is not None:
                conn.close()
        return PictureStory(*row) if row else None
