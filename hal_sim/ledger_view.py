"""What stands in the box's databases, read as a stranger reads them: SQLite, read-only, plain columns.

The simulator compares the world with what is really on the disk, so it uses no code of the box.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

BUSY_S = 2.0


@dataclass(frozen=True)
class FactRow:
    seq: int
    id: str
    lane: str
    kind: str
    wall_ms: int
    body: dict[str, Any]
    mono_ms: int = 0


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_S)


class LedgerView:
    """Facts after the last ones seen, in order. A ledger that is not there yet has none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seq = 0

    def new_facts(self) -> list[FactRow]:
        rows = facts_after(self._path, self._seq)
        if rows:
            self._seq = rows[-1].seq
        return rows


def ordered_lately(path: Path, lane: str, since_wall_ms: int) -> bool:
    """Whether an order of a person or city for `lane` that was done stands there since then."""
    connection = _connect(path)
    try:
        rows = connection.execute(
            "SELECT kind, lane, wall_ms, body FROM facts ORDER BY seq DESC LIMIT 200"
        ).fetchall()
    finally:
        connection.close()
    return any(
        kind == "Ordered" and where == lane and wall_ms >= since_wall_ms and json.loads(body)["ok"]
        for kind, where, wall_ms, body in rows
    )


def facts_after(path: Path, seq: int) -> list[FactRow]:
    if not path.exists():
        return []
    connection = _connect(path)
    try:
        rows = connection.execute(
            "SELECT seq, id, lane, kind, wall_ms, body, mono_ms FROM facts WHERE seq > ? ORDER BY seq", (seq,)
        ).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []  # the program is just making the file
        raise
    finally:
        connection.close()
    return [
        FactRow(s, i, lane, kind, wall, json.loads(body), mono) for s, i, lane, kind, wall, body, mono in rows
    ]


def delivery_counts(path: Path, city: str = "") -> dict[str, int]:
    """Deliveries by state, of one city or ("") of all; empty while the file is not there."""
    if not path.exists():
        return {}
    connection = _connect(path)
    try:
        query = "SELECT state, count(*) FROM deliveries WHERE ?1 IN ('', city) GROUP BY state"
        rows = connection.execute(query, (city,)).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return {}
        raise
    finally:
        connection.close()
    return {str(state): int(count) for state, count in rows}
