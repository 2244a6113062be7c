"""Deliveries as rows, and the queue read by a program that must not write it (`parkbox deliveries`)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from edge.ports import Delivery
from edge.store.delivery_queries import COUNTS
from edge.store.errors import StoreError, classify
from edge.store.schema import connect, refuse_newer, steps_of, version_of

COLUMNS = (  # as in `Delivery`
    "id, city, kind, item_id, visit_id, body, plate, made_ms, attempts, due_ms, state, last_answer, read_id, "
    "answered_ms"
)
SEARCH = (
    f"SELECT {COLUMNS} FROM deliveries WHERE instr(plate, :plate) > 0 AND made_ms >= :from_ms AND made_ms < :to_ms "
    "AND (:state = '' OR state = :state) ORDER BY id DESC LIMIT :limit"
)


def search_values(plate: str, limit: int, from_ms: int, to_ms: int, state: str = "") -> dict[str, Any]:
    """What `SEARCH` asks for; "" of plate or state is any."""
    return {"plate": plate, "limit": limit, "from_ms": from_ms, "to_ms": to_ms, "state": state}


class DeliveriesFile:
    """The queue read beside the agent that writes it, or without one. Each call opens and closes the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def search(self, plate: str, limit: int, from_ms: int, to_ms: int, state: str = "") -> list[Delivery]:
        """Newest first."""
        rows = self._query(SEARCH, search_values(plate, limit, from_ms, to_ms, state))
        return [Delivery(*row) for row in rows]

    def get(self, row_id: int) -> Delivery | None:
        rows = self._query(f"SELECT {COLUMNS} FROM deliveries WHERE id = :id", {"id": row_id})
        return Delivery(*rows[0]) if rows else None

    def earlier_waiting(self, delivery: Delivery) -> Delivery | None:
        """The message of the same visit that must be accepted before this one may leave."""
        sql = (
            f"SELECT {COLUMNS} FROM deliveries WHERE state = 'waiting' AND city = :city "
            "AND visit_id = :visit AND visit_id <> '' AND id < :id ORDER BY id LIMIT 1"
        )
        values = {"city": delivery.city, "visit": delivery.visit_id, "id": delivery.id}
        rows = self._query(sql, values)
        return Delivery(*rows[0]) if rows else None

    def of_visit(self, visit_id: str, limit: int) -> list[Delivery]:
        """All messages of one visit, in the order of making. Reads the whole table (which upkeep keeps small)."""
        sql = (
            f"SELECT {COLUMNS} FROM deliveries WHERE visit_id = :visit OR item_id = :visit ORDER BY id LIMIT :limit"
        )
        return [Delivery(*row) for row in self._query(sql, {"visit": visit_id, "limit": limit})]

    def ids(self, state: str) -> list[int]:
        return [row[0] for row in self._query("SELECT id FROM deliveries WHERE state = :state", {"state": state})]

    def counts(self) -> dict[str, int]:
        return {state: count for state, count in self._query(COUNTS, {}) if count}

    def _query(self, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        if not self._path.exists():
            raise StoreError("io_error", self._path, "there is no such file: the agent has never run with this config")
        steps = steps_of("deliveries")
        conn = None
        try:
            conn = connect(self._path, read_only=True)
            refuse_newer(conn, self._path, steps)
            if version_of(conn) != steps[-1].number:
                raise StoreError("io_error", self._path, "made by an older version: start the agent once")
            return conn.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(classify(error, self._path), self._path, str(error)) from error
        finally:
            if conn is not None:
                conn.close()
