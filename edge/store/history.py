"""The ledger looked through backwards by a person: passages, orders, a day by hours. Bounded parts, no index.

An index by time or plate would cost every car a page of 4 KB for what a person asks for a few times a day. Facts lie
in the order of their making, so a time is found by halving, and a search reads a window and says where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.facts import Fact
from edge.store.reader import LedgerFile
from edge.store.rows import COLUMNS, Row

WINDOW = 50_000
"""Facts that one request looks through: some 20 MB of rows, a quarter of a second on a PC."""


class LedgerHistory(LedgerFile):
    """Any thread. Raises `StoreError`."""

    def newest_before(
        self, before_seq: int, kinds: Sequence[str], limit: int, *, text: str = "", not_before_seq: int = 0
    ) -> tuple[list[Fact], int]:
        """Facts of these kinds whose body contains `text`, newest first, older than `before_seq` (0: from the
        newest), and the number before which to go on: 0 when there are no older ones."""
        last = self.last_seq()
        top = min(before_seq, last + 1) if before_seq else last + 1
        bottom = max(self._first_seq(), not_before_seq)
        low = max(bottom, top - WINDOW)
        marks = ", ".join("?" * len(kinds))
        sql = (
            f"SELECT {COLUMNS} FROM facts WHERE seq < ? AND seq >= ? AND kind IN ({marks}) "
            "AND (? = '' OR instr(body, ?) > 0) ORDER BY seq DESC LIMIT ?"
        )
        rows: list[Row] = self._query(sql, (top, low, *kinds, text, text, limit))
        if len(rows) == limit:
            return self._facts(rows), rows[-1][0] if rows[-1][0] > bottom else 0
        return self._facts(rows), low if low > bottom else 0

    def between(self, low_seq: int, high_seq: int) -> list[Fact]:
        """Facts from `low_seq` to `high_seq`, both with, at most `WINDOW`."""
        sql = f"SELECT {COLUMNS} FROM facts WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT {WINDOW}"
        rows: list[Row] = self._query(sql, (low_seq, high_seq))
        return self._facts(rows)

    def find(self, low_seq: int, kind: str, *, fact_id: str = "", text: str = "") -> Fact | None:
        """The first fact of this kind within a window from `low_seq` on, with this id or this text in its body."""
        sql = (
            f"SELECT {COLUMNS} FROM facts WHERE seq >= ? AND seq < ? AND kind = ? AND (? = '' OR id = ?) "
            "AND (? = '' OR instr(body, ?) > 0) ORDER BY seq LIMIT 1"
        )
        values = (max(0, low_seq), max(0, low_seq) + WINDOW, kind, fact_id, fact_id, text, text)
        rows: list[Row] = self._query(sql, values)
        found = self._facts(rows)
        return found[0] if found else None

    def seq_at(self, wall_ms: int) -> int:
        """The first number whose wall time is `wall_ms` or later; one more than the last if there is none.

        Facts of a boot whose clock was not set yet carry a time that was too early: near them it may lie some facts
        off.
        """
        low, high = self._first_seq(), self.last_seq() + 1
        while low < high:
            middle = (low + high) // 2
            rows: list[tuple[int, int]] = self._query(
                "SELECT seq, wall_ms FROM facts WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)
            )
            if rows and rows[0][1] < wall_ms:
                low = rows[0][0] + 1
            else:
                high = middle
        return low

    def by_hour(self, since_seq: int, start_ms: int) -> list[tuple[int, str, int]]:
        """(hour since `start_ms`, "in" or "out", passages) from `since_seq` on."""
        sql = (
            "SELECT (wall_ms - ?) / 3600000, json_extract(body, '$.direction'), count(*) FROM facts "
            "WHERE seq >= ? AND kind = 'Passed' AND wall_ms >= ? GROUP BY 1, 2"
        )
        rows: list[tuple[int, str, int]] = self._query(sql, (start_ms, since_seq, start_ms))
        return rows

    def last_of(self, since_seq: int, kind: str) -> int:
        """Wall time of the newest fact of this kind from `since_seq` on, 0 if there is none."""
        rows: list[tuple[int | None]] = self._query(
            "SELECT max(wall_ms) FROM facts WHERE seq >= ? AND kind = ?", (since_seq, kind)
        )
        return (rows[0][0] or 0) if rows else 0

    def _first_seq(self) -> int:
        rows: list[tuple[int | None]] = self._query("SELECT min(seq) FROM facts", ())
        return (rows[0][0] or 1) if rows else 1
