"""A ledger without a disk: what is durable, what is under way, what a crash loses. Commits are in order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from edge.core.commands import Record
from edge.core.facts import Fact, Stamp

At = Callable[[float, Callable[[], None]], None]

SNAPSHOT_EVERY = 256

LINGER_MS = 500
"""Facts that nobody waits for ride with the next urgent commit, or go after this."""


class Disk:
    def __init__(self, random: Random, at: At, stored: Callable[[int], None]) -> None:
        self._random, self._at, self._stored = random, at, stored
        self.durable = 0
        self.tail: list[Fact] = []  # durable facts after the last snapshot
        self.snapshot: bytes | None = None
        self.waiting: list[tuple[Fact, int]] = []
        self.late_ms = 0.0  # how much slower than usual every commit is just now
        self.dead = False
        self._life = 0

    def submit(self, record: Record, stamp: Stamp, now_ms: float) -> None:
        self.waiting.append((Fact(record.id, record.lane, stamp, record.body), record.token))
        delay_ms = self._random.uniform(1, 20) if record.urgent else LINGER_MS
        self._commit_at(now_ms + delay_ms + self.late_ms)

    def _commit_at(self, time_ms: float) -> None:
        life, upto = self._life, self.durable + len(self.waiting)

        def commit() -> None:
            if life == self._life and not self.dead:
                self._commit(upto)

        self._at(time_ms, commit)

    def _commit(self, upto: int) -> None:
        count = upto - self.durable
        if count <= 0:
            return
        done, self.waiting = self.waiting[:count], self.waiting[count:]
        self.durable += count
        self.tail += [fact for fact, _ in done]
        for _, token in done:
            if token:
                self._stored(token)

    def revive(self, now_ms: float) -> None:
        """The disk works again: everything that waited goes in one commit."""
        self.dead = False
        self._commit_at(now_ms)

    def keep_snapshot(self, encode: Callable[[], bytes]) -> None:
        """Only with nothing under way is the fold in memory that of exactly what is durable."""
        if len(self.tail) >= SNAPSHOT_EVERY and not self.waiting:
            self.snapshot, self.tail = encode(), []

    def crash(self) -> list[Fact]:
        """The program died: what was not durable is lost, and returned for the tally."""
        self._life += 1
        lost, self.waiting = [fact for fact, _ in self.waiting], []
        return lost
