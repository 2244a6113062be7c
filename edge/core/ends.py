"""What ends at a moment of the wall clock, in order, for a clock that may also be set back.

What has ended is a matter of the moment that is asked about and of nothing else: not of the moments asked about before.
So a clock that stood a day ahead for a minute has ended nothing when it is right again, and a box that folds its facts
after a restart, without the minutes between them, stands where it would have stood.
"""

from __future__ import annotations

import heapq

STALE_KEPT = 64
"""Entries of keys that were dropped since they were over go when they are more than the keys and this: a small heap is
not cleaned every time."""


class Ends:
    """Keys, each with the last moment (wall ms) at which it is not over. What a turn costs is what it turns."""

    def __init__(self) -> None:
        self._coming: list[tuple[int, int, str]] = []
        self._over: list[tuple[int, int, str]] = []  # (-moment, ...): the newest end first
        self._serials: dict[str, tuple[int, int]] = {}
        """key -> its valid entry in the heaps, as (moment, serial); others are of before a change."""
        self._serial = 0

    def put(self, key: str, at_ms: int) -> None:
        """New, or another moment for a known key; not over until `end_next` says so."""
        self._serial += 1
        self._serials[key] = (at_ms, self._serial)
        heapq.heappush(self._coming, (at_ms, self._serial, key))

    def drop(self, key: str) -> None:
        self._serials.pop(key, None)

    def next_ms(self) -> int | None:
        """The moment after which the next key is over."""
        heap = self._coming
        while heap:
            at_ms, serial, key = heap[0]
            if self._serials.get(key) == (at_ms, serial):
                return at_ms
            heapq.heappop(heap)
        return None

    def end_next(self) -> str:
        """The key of `next_ms` is over. Raises `IndexError` when there is none."""
        self.next_ms()
        at_ms, serial, key = heapq.heappop(self._coming)
        if len(self._over) > 2 * len(self._serials) + STALE_KEPT:
            self._over = [(each_ms, of, each) for each_ms, of, each in self._over
                          if self._serials.get(each) == (-each_ms, of)]  # fmt: skip
            heapq.heapify(self._over)
        heapq.heappush(self._over, (-at_ms, serial, key))
        return key

    def turn_back(self, last_ms: int) -> list[str]:
        """Keys that were over and are not at a clock by which no moment after `last_ms` is over."""
        back, heap = [], self._over
        while heap and -heap[0][0] > last_ms:
            minus_ms, serial, key = heapq.heappop(heap)
            if self._serials.get(key) == (-minus_ms, serial):
                heapq.heappush(self._coming, (-minus_ms, serial, key))
                back.append(key)
        return back

    def oldest(self, keys: list[str], count: int) -> list[str]:
        """The `count` of `keys` that ended first, in that order."""
        return heapq.nsmallest(count, keys, key=lambda key: (self._serials[key][0], key))
