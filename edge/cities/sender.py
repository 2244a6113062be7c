"""Sender: due rows of the queue in requests, and what each answer means for its rows.

A live record, and one that failed before, goes alone: nothing waits for it, and nobody suffers from what is wrong with
it. The backlog goes in batches of one kind (QC31), bounded by count and by size. Of a visit only the oldest waiting
row is ever due, so no batch holds two of one visit and its order stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from edge.cities.classes import Sending
from edge.cities.clock import Clock
from edge.cities.uplink import Uplink
from edge.cities.verdict import Verdict
from edge.ports import Delivery, DeliveryStore

# Rows looked at once. Choosing them reads the whole waiting line, so not a few; new facts break in between requests.
PAGE = 500

# Rows accepted between two notes of it on the disk: what a crash makes us send a second time.
NOTE_EVERY = 200

# As the queue's own order (`store.deliveries`): made within the last minute is live.
LIVE_MS = 60_000


def requests_of(rows: Iterable[Delivery], now_ms: int, batch: int, batch_bytes: int) -> list[list[Delivery]]:
    """`rows` as requests, each of one kind, in the order of their first rows."""
    requests: list[list[Delivery]] = []
    open_ones: dict[str, tuple[list[Delivery], int]] = {}
    for row in rows:
        if batch == 1 or row.attempts or row.made_ms > now_ms - LIVE_MS or not is_record(row):
            requests.append([row])
            continue
        request, size = open_ones.get(row.kind, ([], 0))
        if not request or len(request) == batch or size + len(row.body) > batch_bytes:
            request, size = [], 0
            requests.append(request)
        request.append(row)
        open_ones[row.kind] = (request, size + len(row.body))
    return requests


def is_record(row: Delivery) -> bool:
    """False: it could not be made, and its body is the reason."""
    return row.body.startswith(b"{")


class Sender:
    """For the engine's thread."""

    def __init__(
        self,
        city: str,
        settings: Sending,
        store: DeliveryStore,
        uplink: Uplink,
        *,
        clock: Clock,
        now_ms: Callable[[], int],
    ) -> None:
        """`now_ms`: the clock of `due_ms`, which no step moves."""
        self._city, self._settings, self._store, self._uplink = city, settings, store, uplink
        self._clock, self._now_ms = clock, now_ms
        self._accepted: list[int] = []

    def send_due(self, urgent: Callable[[], bool]) -> int:
        """Due rows, until something urgent comes or the link must rest. How many were tried."""
        settings, now_ms = self._settings, self._now_ms()
        rows = self._store.due(self._city, now_ms, PAGE)
        tried = 0
        try:
            for request in requests_of(rows, self._clock.wall_ms(), settings.batch, settings.batch_bytes):
                if self._uplink.stopping or (tried and urgent()):
                    break
                tried += len(request)
                if not self._send(request):
                    break
                if len(self._accepted) >= NOTE_EVERY:
                    self._note()
        finally:
            self._note()
        return tried

    def _note(self) -> None:
        if self._accepted:
            accepted, self._accepted = self._accepted, []
            self._store.accepted(accepted, "已接收 / accepted", self._clock.wall_ms())

    def _send(self, request: Sequence[Delivery]) -> bool:
        """False: the link rests now."""
        first = request[0]
        if not is_record(first):
            self._store.set_aside([first.id], first.body.decode(), self._clock.wall_ms())
            return True
        verdicts = self._uplink.send_batch(first.kind, [(row.item_id, row.body) for row in request], repeat=True)
        failed: dict[tuple[int, str], list[int]] = {}
        for row, verdict in zip(request, verdicts, strict=True):
            if verdict.meaning == "accepted":
                self._accepted.append(row.id)
            elif verdict.meaning == "refused" and len(request) > 1:
                # One of them is wrong and nobody knows which: each alone, at once.
                failed.setdefault((self._now_ms(), verdict.answer), []).append(row.id)
            elif verdict.meaning == "refused" or (verdict.meaning == "retry" and self._ends(row)):
                self._store.set_aside([row.id], self._why(row, verdict), self._clock.wall_ms())
            elif verdict.meaning == "retry":
                again_ms = self._now_ms() + round(self._settings.retry_s * 1000)
                failed.setdefault((again_ms, verdict.answer), []).append(row.id)
        for (due_ms, answer), ids in failed.items():
            self._store.failed(ids, due_ms, answer, self._clock.wall_ms())
        return not verdicts[0].rests

    def _ends(self, row: Delivery) -> bool:
        return row.attempts >= self._settings.retries  # the first sending does not count (QC27)

    def _why(self, row: Delivery, verdict: Verdict) -> str:
        if verdict.meaning == "refused":
            return verdict.answer
        tries = row.attempts + 1
        return f"{verdict.answer} (已试 {tries} 次 / {tries} tries)"
