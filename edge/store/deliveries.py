"""What the cities must accept: `deliveries.db`, written by the agent alone. Implements `ports.DeliveryStore`.

Every call is one transaction under one lock, and none is held across the network. A damaged file is moved aside:
the cursor begins again at 0 and every delivery is made once more, with the same item ids, by which the city knows
those it has.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.ports import Delivery
from edge.store.delivery_rows import COLUMNS, SEARCH, search_values
from edge.store.errors import StoreError, classify
from edge.store.recovery import Recovery, open_or_begin
from edge.store.schema import steps_of

LIVE_MS = 60_000  # a message made within the last minute goes before the backlog (DESIGN 8: real-time first)
STATES = ("waiting", "accepted", "set_aside")

_INSERT = (
    "INSERT INTO deliveries (city, kind, item_id, visit_id, body, plate, made_ms, due_ms, read_id) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (city, kind, item_id) DO NOTHING"
)
_ADVANCE = (
    "INSERT INTO cursors (city, seq) VALUES (?, ?) ON CONFLICT (city) DO UPDATE SET seq = excluded.seq "
    "WHERE seq <= excluded.seq"
)
# The oldest waiting row of each visit (SQLite takes `due_ms` and `made_ms` from the row that has the minimum:
# sqlite.org/lang_select.html "bare columns"); rows without a visit stand alone. A visit with a live message comes
# forward with all it has, so that an exit pulls its own entry along.
_DUE = f"""
WITH head AS (
    SELECT min(id) AS id, visit_id, due_ms, made_ms FROM deliveries INDEXED BY waiting
        WHERE state = 'waiting' AND city = :city AND visit_id <> '' GROUP BY visit_id
    UNION ALL
    SELECT id, visit_id, due_ms, made_ms FROM deliveries INDEXED BY waiting
        WHERE state = 'waiting' AND city = :city AND visit_id = ''
), live AS (
    SELECT visit_id FROM deliveries INDEXED BY waiting
        WHERE state = 'waiting' AND city = :city AND visit_id <> '' AND made_ms >= :live_ms
), chosen AS (
    SELECT id, (made_ms >= :live_ms OR visit_id IN live) AS is_live FROM head
        WHERE due_ms <= :now_ms ORDER BY is_live DESC, id LIMIT :limit
)
SELECT {COLUMNS} FROM chosen JOIN deliveries USING (id) ORDER BY is_live DESC, id
"""


class Deliveries:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._conn: sqlite3.Connection | None = None
        self._counts: Counter[str] = Counter()
        self.recovery: Recovery | None = None  # what was moved aside: the fault `deliveries_damaged`

    def open(self) -> Recovery | None:
        with self._lock:
            self._open("")
        return self.recovery

    def close(self) -> None:
        with self._lock:
            if self._conn is not None:
                self._conn.close()
            self._conn = None

    # --- ports.DeliveryStore ---------------------------------------------------------------------------------

    def begin(self, cities: Sequence[str]) -> None:
        """These are configured. One that was not before begins where the furthest of the others is: what happened
        before it was known is none of its business. With a new queue all begin at the ledger's first fact."""
        with self._change() as conn:
            furthest = conn.execute("SELECT ifnull(max(seq), 0) FROM cursors").fetchone()[0]
            rows = [(city, furthest) for city in cities]
            conn.executemany("INSERT INTO cursors (city, seq) VALUES (?, ?) ON CONFLICT DO NOTHING", rows)

    def cursor(self, city: str = "qingdao") -> int:
        rows = self._read("SELECT seq FROM cursors WHERE city = :city", {"city": city})
        return int(rows[0][0]) if rows else 0

    def add(self, cursor: int, new: Sequence[Delivery], city: str = "qingdao") -> None:
        rows = [
            (d.city, d.kind, d.item_id, d.visit_id, d.body, d.plate, d.made_ms, d.due_ms, d.read_id) for d in new
        ]  # fmt: skip
        with self._change() as conn:
            moved = conn.execute(_ADVANCE, (city, cursor)).rowcount
            if moved != 1:
                now = conn.execute("SELECT seq FROM cursors WHERE city = ?", (city,)).fetchone()[0]
                raise ValueError(f"cursor is {cursor}, needed {now} or more: it never goes back")
            made = conn.executemany(_INSERT, rows).rowcount if rows else 0
            self._counts["waiting"] += made

    def due(self, city: str, now_ms: int, limit: int) -> list[Delivery]:
        """Live visits first, each group in the order of making."""
        values = {"city": city, "now_ms": now_ms, "live_ms": now_ms - LIVE_MS, "limit": limit}
        return [Delivery(*row) for row in self._read(_DUE, values)]

    def accepted(self, ids: Sequence[int], answer: str, at_ms: int = 0) -> None:
        """The city has it, whatever we thought before: also one that was set aside."""
        self._move(ids, ("waiting", "set_aside"), "accepted", answer, at_ms)

    def failed(self, ids: Sequence[int], due_ms: int, answer: str, at_ms: int = 0) -> None:
        with self._change() as conn:
            conn.executemany(
                "UPDATE deliveries SET attempts = attempts + 1, due_ms = ?, last_answer = ?, answered_ms = ? "
                "WHERE id = ? AND state = 'waiting'",
                [(due_ms, answer, at_ms, each) for each in ids],
            )

    def set_aside(self, ids: Sequence[int], answer: str, at_ms: int = 0) -> None:
        """Refused, or tried often enough: it blocks nothing any more and waits for a person."""
        self._move(ids, ("waiting",), "set_aside", answer, at_ms)

    def counts(self) -> dict[str, int]:
        with self._lock:
            return {state: self._counts[state] for state in STATES}

    def recent(self, limit: int) -> list[Delivery]:
        """Newest first."""
        sql = f"SELECT {COLUMNS} FROM deliveries ORDER BY id DESC LIMIT :limit"
        return [Delivery(*row) for row in self._read(sql, {"limit": limit})]

    # --- for a person, and for upkeep ------------------------------------------------------------------------

    def search(self, plate: str, limit: int, from_ms: int = 0, to_ms: int = 1 << 62) -> list[Delivery]:
        """Deliveries whose plate contains `plate` ("" = any), made from `from_ms` to before `to_ms`, newest first."""
        values = search_values(plate, limit, from_ms, to_ms)
        return [Delivery(*row) for row in self._read(SEARCH, values)]

    def repeat(self, ids: Sequence[int]) -> int:
        """Send these set-aside ones again, now, with all their attempts. How many there were."""
        with self._change() as conn:
            moved = conn.executemany(
                "UPDATE deliveries SET state = 'waiting', attempts = 0, due_ms = 0 "
                "WHERE id = ? AND state = 'set_aside'",
                [(each,) for each in ids],
            ).rowcount
            moved = max(moved, 0)
            self._counts.update(waiting=moved, set_aside=-moved)
        return moved

    def undelivered(self, item_ids: Sequence[str]) -> set[str]:
        """Those of them that a city is still to get. Reads the whole table: for upkeep, not for cars."""
        marks = ", ".join("?" * len(item_ids))
        sql = f"SELECT DISTINCT item_id FROM deliveries WHERE state = 'waiting' AND item_id IN ({marks})"
        with self._lock:
            try:
                return {str(row[0]) for row in self._opened().execute(sql, tuple(item_ids))}
            except sqlite3.Error as error:
                raise self._trouble(error) from error

    def prune(self, made_before_ms: int, limit: int = 1000) -> int:
        """Delete accepted ones made before then, at most `limit`, oldest first. How many went."""
        with self._change() as conn:
            gone = conn.execute(
                "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries "
                "WHERE state = 'accepted' AND made_ms < ? ORDER BY id LIMIT ?)",
                (made_before_ms, limit),
            ).rowcount
            self._counts["accepted"] -= gone
        return gone

    # --- inside ----------------------------------------------------------------------------------------------

    def _move(self, ids: Sequence[int], olds: Sequence[str], new: str, answer: str, at_ms: int) -> None:
        with self._change() as conn:
            for old in olds:
                moved = conn.executemany(
                    "UPDATE deliveries SET state = ?, last_answer = ?, answered_ms = ? WHERE id = ? AND state = ?",
                    [(new, answer, at_ms, each, old) for each in ids],
                ).rowcount
                moved = max(moved, 0)
                self._counts.update({new: moved, old: -moved})

    def _read(self, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._opened().execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise self._trouble(error) from error

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction; on any exception nothing of it happened."""
        with self._lock:
            counts = self._counts.copy()
            conn = self._opened()
            try:
                conn.execute("BEGIN IMMEDIATE")
                yield conn
                conn.execute("COMMIT")
            except BaseException as error:
                self._counts = counts
                if not isinstance(error, sqlite3.Error):
                    conn.execute("ROLLBACK")
                    raise
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise self._trouble(error) from error

    def _trouble(self, error: sqlite3.Error) -> StoreError:
        """The error to raise. A damaged file is replaced at once: whoever calls next finds the cursor at 0."""
        kind = classify(error, self._path)
        if kind == "damaged" and self._conn is not None:
            self._conn.close()
            self._open(str(error))
        return StoreError(kind, self._path, str(error))

    def _open(self, damage: str) -> None:
        self._conn, moved = open_or_begin(self._path, steps_of("deliveries"), _probe, damage=damage)
        self.recovery = moved or self.recovery
        rows = self._conn.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall()
        self._counts = Counter(dict(rows))

    def _opened(self) -> sqlite3.Connection:
        if self._conn is None:
            raise StoreError("closed", self._path, "used before open() or after close()")
        return self._conn


def _probe(conn: sqlite3.Connection) -> None:
    """What the first minute will read: the cursor and every state (the table is kept small by `prune`)."""
    conn.execute("SELECT city, seq FROM cursors").fetchall()
    conn.execute("SELECT count(*) FROM deliveries WHERE state = 'waiting'").fetchone()
