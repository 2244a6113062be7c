"""What the cities must accept: `deliveries.db`, written by the agent alone. Implements `ports.DeliveryStore`.

Every call is one transaction under one lock, and none is held across the network. A damaged file is moved aside:
the cursor begins again at 0 and every delivery is made once more, with the same item ids, by which the city knows
those it has.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.ports import Delivery, Due
from edge.store import delivery_queries as sql
from edge.store.delivery_rows import COLUMNS, SEARCH, search_values
from edge.store.errors import StoreError, classify
from edge.store.recovery import Recovery, open_or_begin
from edge.store.schema import steps_of

LIVE_MS = 60_000  # a message made within the last minute goes before the backlog (DESIGN 8: real-time first)
STATES = ("waiting", "accepted", "set_aside")

_ADVANCE = (
    "INSERT INTO cursors (city, seq) VALUES (?, ?) ON CONFLICT (city) DO UPDATE SET seq = excluded.seq "
    "WHERE seq <= excluded.seq"
)


class Deliveries:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._conn: sqlite3.Connection | None = None
        self._counts: Counter[str] = Counter()
        self._cities: tuple[str, ...] = ("qingdao",)
        # A file has replaced a damaged one, and these have not asked where to begin. Until then row ids and a cursor
        # that one of them still holds are those of the file that is gone.
        self._unbegun: set[str] = set()
        # Cities of which nothing waits: else each look of an idle one would read all that another has waiting.
        self._nothing_waits: set[str] = set()
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
        self._cities = tuple(cities)
        with self._change() as conn:
            furthest = conn.execute("SELECT ifnull(max(seq), 0) FROM cursors").fetchone()[0]
            rows = [(city, furthest) for city in cities]
            conn.executemany("INSERT INTO cursors (city, seq) VALUES (?, ?) ON CONFLICT DO NOTHING", rows)

    def cursor(self, city: str = "qingdao") -> int:
        rows = self._read("SELECT seq FROM cursors WHERE city = :city", {"city": city})
        with self._lock:
            self._unbegun.discard(city)
        return int(rows[0][0]) if rows else 0

    def add(self, cursor: int, new: Sequence[Delivery], city: str = "qingdao") -> None:
        rows = [
            (
                d.city, d.kind, d.item_id, d.visit_id, d.body, d.plate, d.made_ms, d.read_id,
                (d.visit_id or d.item_id)[-sql.KEY_DIGITS :],
            )
            for d in new
        ]  # fmt: skip
        with self._change() as conn:
            moved = conn.execute(_ADVANCE, (city, cursor)).rowcount
            if moved != 1:
                now = conn.execute("SELECT seq FROM cursors WHERE city = ?", (city,)).fetchone()[0]
                raise ValueError(f"cursor is {cursor}, needed {now} or more: it never goes back")
            if rows:
                before = conn.execute("SELECT ifnull(max(id), 0) FROM messages").fetchone()
                conn.executemany(sql.INSERT, rows)
                self._counts["waiting"] += conn.execute(sql.ENQUEUE, before).rowcount
            self._nothing_waits -= {d.city for d in new}

    def due(self, city: str, now_ms: int, limit: int, busy: Sequence[int] = ()) -> list[Due]:
        """Live visits first, each group in the order of making. With `busy` (a page is on the wire) none of those, and
        no other order than the queue's: what is live is asked for apart then."""
        self._refuse_unbegun(city)
        found = [] if busy else self.live(city, now_ms, limit)
        if city in self._nothing_waits:
            return found
        if len(found) < limit:
            values = {"city": city, "now_ms": now_ms, "busy": json.dumps([*busy, *(row.id for row in found)])}
            found += self._due(sql.BACKLOG, {**values, "limit": limit - len(found)})
        if not found and not busy:
            self._look_whether_any_waits(city)
        return found

    def _look_whether_any_waits(self, city: str) -> None:
        with self._lock:
            try:
                if self._opened().execute(sql.ANY_WAITING, {"city": city}).fetchone() is None:
                    self._nothing_waits.add(city)
            except sqlite3.Error as error:
                raise self._trouble(error) from error

    def live(self, city: str, now_ms: int, limit: int, busy: Sequence[int] = ()) -> list[Due]:
        values = {"city": city, "now_ms": now_ms, "live_ms": now_ms - LIVE_MS, "limit": limit}
        self._refuse_unbegun(city)
        if city in self._nothing_waits:
            return []
        return self._due(sql.LIVE, {**values, "busy": json.dumps(busy)})

    def accepted(self, ids: Sequence[int], answer: str, at_ms: int = 0) -> None:
        """The city has it, whatever we thought before: also one that was set aside."""
        self._end(ids, "accepted", answer, at_ms)

    def failed(self, ids: Sequence[int], due_ms: int, answer: str, at_ms: int = 0) -> None:
        with self._change() as conn:
            conn.execute(sql.FAIL, {"ids": json.dumps(ids), "due_ms": due_ms, "answer": answer, "at_ms": at_ms})

    def set_aside(self, ids: Sequence[int], answer: str, at_ms: int = 0) -> None:
        """Refused, or tried often enough: it blocks nothing any more and waits for a person."""
        self._end(ids, "set_aside", answer, at_ms)

    def counts(self) -> dict[str, int]:
        with self._lock:
            return {state: self._counts[state] for state in STATES}

    def recent(self, limit: int) -> list[Delivery]:
        """Newest first."""
        return self._deliveries(f"SELECT {COLUMNS} FROM deliveries ORDER BY id DESC LIMIT :limit", {"limit": limit})

    # --- for a person, and for upkeep ------------------------------------------------------------------------

    def search(self, plate: str, limit: int, from_ms: int = 0, to_ms: int = 1 << 62) -> list[Delivery]:
        """Deliveries whose plate contains `plate` ("" = any), made from `from_ms` to before `to_ms`, newest first."""
        return self._deliveries(SEARCH, search_values(plate, limit, from_ms, to_ms))

    def repeat(self, ids: Sequence[int]) -> int:
        """Send these set-aside ones again, now, with all their attempts. How many there were."""
        with self._change() as conn:
            moved, *_ = [conn.execute(each, {"ids": json.dumps(ids)}).rowcount for each in sql.REPEAT]
            self._counts.update(waiting=moved, set_aside=-moved)
            self._nothing_waits.clear()
        return moved

    def undelivered(self, item_ids: Sequence[str]) -> set[str]:
        """Those of them that a city is still to get. Reads all that waits: for upkeep, not for cars."""
        sql_text = (
            "SELECT DISTINCT m.item_id FROM waiting AS w CROSS JOIN messages AS m ON m.id = w.id "
            "WHERE m.item_id IN (SELECT value FROM json_each(:ids))"
        )
        return {str(row[0]) for row in self._read(sql_text, {"ids": json.dumps(list(item_ids))})}

    def prune(self, made_before_ms: int, limit: int = 1000) -> int:
        """Delete accepted ones made before then, at most `limit`, oldest first. How many went."""
        with self._change() as conn:
            ids = [row[0] for row in conn.execute(sql.OLD, (made_before_ms, limit))]
            for each in sql.PRUNE:
                conn.execute(each, {"ids": json.dumps(ids)})
            self._counts["accepted"] -= len(ids)
        return len(ids)

    # --- inside ----------------------------------------------------------------------------------------------

    def _end(self, ids: Sequence[int], state: str, answer: str, at_ms: int) -> None:
        values = {"ids": json.dumps(ids), "state": state, "answer": answer, "at_ms": at_ms}
        with self._change() as conn:
            if state == "accepted" and self._counts["set_aside"]:
                late = conn.execute(sql.ACCEPT_LATE, values).rowcount
                self._counts.update(accepted=late, set_aside=-late)
            moved, _ = (conn.execute(each, values).rowcount for each in sql.END)
            self._counts.update({state: moved, "waiting": -moved})

    def _due(self, query: str, values: dict[str, Any]) -> list[Due]:
        ids, kinds, items, bodies, made, attempts = self._read(query, values)[0]
        if kinds is None:
            return []
        separator = sql.SEPARATOR
        parts = (kinds.split(separator), items.split(separator), bodies.split(separator.encode()))
        rows = zip(json.loads(ids), *parts, json.loads(made), json.loads(attempts), strict=True)
        return [Due(*row) for row in rows]

    def _deliveries(self, query: str, values: dict[str, Any]) -> list[Delivery]:
        return [Delivery(*row) for row in self._read(query, values)]

    def _read(self, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._opened().execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise self._trouble(error) from error

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction; on any exception nothing of it happened."""
        with self._lock:
            counts = self._counts.copy()
            conn = self._opened()
            if self._unbegun:
                raise self._begins_anew()
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
        kind = "damaged" if "decode to UTF-8" in str(error) else classify(error, self._path)
        if kind == "damaged" and self._conn is not None:
            self._conn.close()
            self._open(str(error))
            self._unbegun = set(self._cities)
        return StoreError(kind, self._path, str(error))

    def _refuse_unbegun(self, city: str) -> None:
        """So that an idle city notices too, and the others need not wait for it."""
        if city in self._unbegun:
            raise self._begins_anew()

    def _begins_anew(self) -> StoreError:
        who = ", ".join(sorted(self._unbegun))
        return StoreError("damaged", self._path, f"begun anew: the cursor is to be read first ({who})")

    def _open(self, damage: str) -> None:
        self._conn, moved = open_or_begin(self._path, steps_of("deliveries"), _probe, damage=damage)
        self._conn.text_factory = str  # seven texts a row: decoded in C; what cannot be is damage of the file
        self.recovery = moved or self.recovery
        self._nothing_waits.clear()
        self._counts = Counter(dict(self._conn.execute(sql.COUNTS).fetchall()))

    def _opened(self) -> sqlite3.Connection:
        if self._conn is None:
            raise StoreError("closed", self._path, "used before open() or after close()")
        return self._conn


def _probe(conn: sqlite3.Connection) -> None:
    """What the first minute will read: the cursor and every state (the table is kept small by `prune`)."""
    conn.execute("SELECT city, seq FROM cursors").fetchall()
    conn.execute(sql.COUNTS).fetchall()
