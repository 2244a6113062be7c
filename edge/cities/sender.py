"""Sender: due rows of the queue in requests, and what each answer means for its rows.

A live record, and one that failed before, goes alone: nothing waits for it, and nobody suffers from what is wrong with
it. The backlog goes in batches of one kind (QC31), bounded by count and by size. Of a visit only the oldest waiting
row is ever due, so no batch holds two of one visit and its order stays.

The backlog comes in pages (`pages`): the next one is fetched while this one is on the wire. What was accepted is
noted together with that, a page or a second later: a crash meanwhile sends it a second time, which its id makes
harmless.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from edge.cities.classes import Sending
from edge.cities.clock import Clock
from edge.cities.link import Link
from edge.cities.pages import Pages
from edge.cities.verdict import Verdict
from edge.ports import DeliveryStore, Due

# Live records looked at once; more than that within a minute is no traffic of a lane.
LIVE_AT_ONCE = 50

# As the queue's own order (`store.deliveries`): made within the last minute is live.
LIVE_MS = 60_000


def requests_of(rows: Iterable[Due], now_ms: int, batch: int, batch_bytes: int) -> list[list[Due]]:
    """`rows` as requests, each of one kind, in the order of their first rows."""
    requests: list[list[Due]] = []
    open_ones: dict[str, list[Due]] = {}
    bytes_of: dict[str, int] = {}
    live_ms = now_ms - LIVE_MS
    for row in rows:
        if batch == 1 or row.attempts or row.made_ms > live_ms or not is_record(row):
            requests.append([row])
            continue
        kind, size = row.kind, len(row.body)
        request = open_ones.get(kind)
        if request is None or len(request) == batch or bytes_of[kind] + size > batch_bytes:
            request = open_ones[kind] = []
            bytes_of[kind] = 0
            requests.append(request)
        request.append(row)
        bytes_of[kind] += size
    return requests


def is_record(row: Due) -> bool:
    """False: it could not be made, and its body is the reason."""
    return row.body.startswith(b"{")


class Sender:
    """For the engine's thread. After an error of the store call `reset`; at the end `close`."""

    def __init__(
        self,
        city: str,
        limits: Sending,
        store: DeliveryStore,
        link: Link,
        *,
        clock: Clock,
        now_ms: Callable[[], int],
    ) -> None:
        """`now_ms`: the clock of `due_ms`, which no step moves."""
        self._city, self._limits, self._store, self._link = city, limits, store, link
        self._clock, self._now_ms = clock, now_ms
        self._pages = Pages(city, store, clock, now_ms)
        self._requests: deque[list[Due]] = deque()  # of the page that is being sent
        self._budget, self._budget_s = 1.0, clock.mono_s()  # records of the backlog that may go now

    def reset(self) -> None:
        """Forget what was looked at and not noted: the queue on the disk says what is to be sent."""
        self._requests.clear()
        self._pages.reset()

    def note(self) -> None:
        """Bring to the disk what the city has accepted."""
        self._pages.note()

    def send_due(self, urgent: Callable[[], bool]) -> int:
        """Due rows, until something urgent comes or the link must rest. How many were tried."""
        tried, rests = self._send_live()
        later = False
        while not (rests or later or self._link.stopping):
            request = self._next_request() if self._may_go_on() else None
            if request is None:
                break
            tried += len(request)
            self._budget -= len(request)
            rests = not self._send(request)
            self._pages.note_old()
            later = urgent()
        if not later:
            self._pages.note()
            self.reset()
        return tried

    def _may_go_on(self) -> bool:
        """The backlog at the pace that the city wants (Shenzhen SC73); at most a second's worth at once."""
        rate = self._limits.backlog_per_s
        if not rate:
            return True
        now_s = self._clock.mono_s()
        self._budget = min(max(1.0, rate), self._budget + (now_s - self._budget_s) * rate)
        self._budget_s = now_s
        return self._budget >= 1.0

    def _next_request(self) -> list[Due] | None:
        if not self._requests:
            page, limits = self._pages.next(), self._limits
            self._requests.extend(requests_of(page, self._clock.wall_ms(), limits.batch, limits.batch_bytes))
        return self._requests.popleft() if self._requests else None

    def _send_live(self) -> tuple[int, bool]:
        """All that is live, again and again until there is no more: an exit follows its own entry. How many were
        tried, and whether the link rests now."""
        tried = 0
        while rows := self._store.live(self._city, self._now_ms(), LIVE_AT_ONCE, self._pages.unnoted()):
            live = {row.id for row in rows}
            self._pages.out_of_turn(live)  # an exit may have pulled them out of a page
            self._requests = deque(
                left for request in self._requests if (left := [row for row in request if row.id not in live])
            )
            for row in rows:
                if self._link.stopping:
                    return tried, False
                tried += 1
                if not self._send([row]):
                    return tried, True
            self._pages.note()
        return tried, False

    def _send(self, request: Sequence[Due]) -> bool:
        """False: the link rests now."""
        first = request[0]
        if not is_record(first):
            self._store.set_aside([first.id], first.body.decode(), self._clock.wall_ms())
            return True
        if self._too_old(request):
            return True
        verdicts = self._link.send_batch(first.kind, [(row.item_id, row.body) for row in request], repeat=True)
        failed: dict[tuple[int, str], list[int]] = {}
        accepted: list[int] = []
        for row, verdict in zip(request, verdicts, strict=True):
            if verdict.meaning == "accepted":
                accepted.append(row.id)
            elif verdict.meaning == "refused" and len(request) > 1:
                # One of them is wrong and nobody knows which: each alone, at once.
                failed.setdefault((self._now_ms(), verdict.answer), []).append(row.id)
            elif verdict.meaning == "refused" or (verdict.meaning == "retry" and self._ends(row)):
                self._store.set_aside([row.id], self._why(row, verdict), self._clock.wall_ms())
            elif verdict.meaning == "retry":
                again_ms = self._now_ms() + round(self._limits.retry_s * 1000)
                failed.setdefault((again_ms, verdict.answer), []).append(row.id)
        self._pages.accepted(accepted)
        for (due_ms, answer), ids in failed.items():
            self._store.failed(ids, due_ms, answer, self._clock.wall_ms())
        return not verdicts[0].rests

    def _too_old(self, request: Sequence[Due]) -> bool:
        """Shenzhen SC72: a record that has waited longer than the city cares for is set aside. Whether any was; the
        others of the request are found again in the queue."""
        max_age_s = self._limits.max_age_s
        if max_age_s is None:
            return False
        old = [row.id for row in request if row.made_ms < self._clock.wall_ms() - max_age_s * 1000]
        if old:
            days = f"{max_age_s / 86_400:g}"
            self._store.set_aside(old, f"超过 {days} 天未上传 / older than {days} days", self._clock.wall_ms())
        return bool(old)

    def _ends(self, row: Due) -> bool:
        return row.attempts >= self._limits.retries  # the first sending does not count (QC27)

    def _why(self, row: Due, verdict: Verdict) -> str:
        if verdict.meaning == "refused":
            return verdict.answer
        tries = row.attempts + 1
        return f"{verdict.answer} (已试 {tries} 次 / {tries} tries)"
