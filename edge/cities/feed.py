"""Feed: from the ledger to the delivery queue, by a cursor. New rows and the cursor are one transaction.

The cursor stops before the first fact that is held for its boot's clock; a scout reads on ahead of it, so that the
`ClockSet` or the later boot that frees the fact is seen. Facts that make no message move the cursor in memory
only: it is written with the next row, or every `PERSIST_EVERY` facts; reading them again after a crash costs
nothing and makes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge.cities.city import FactMapper
from edge.cities.times import Times
from edge.core.facts import Fact, Paid, Passed
from edge.ports import Delivery, DeliveryStore, LedgerReader

# Facts read, and their rows written, at once: a commit costs the same for one row and for hundreds.
BATCH = 256
PERSIST_EVERY = 1024

# After a restart the mapper reads so many facts again: an unknown car that has paid and not left yet is among
# them, since payment waits end within minutes.
WARM_UP = 2048


class Feed:
    """For one thread. After an error of the store or the ledger call `reset`, then `advance` again."""

    def __init__(
        self,
        ledger: LedgerReader,
        store: DeliveryStore,
        mapper: FactMapper,
        boot_offsets: Callable[[], Mapping[str, int]],
        city: str = "qingdao",
    ) -> None:
        self._city = city
        self._ledger, self._store, self._mapper, self._boot_offsets = ledger, store, mapper, boot_offsets
        self._times: Times | None = None
        self._stored = self._made = self._scout = 0
        self.held = 0
        """Passages and payments that wait for the clock."""

    def reset(self) -> None:
        """Begin again at the stored cursor."""
        self._times = None
        self.held = 0

    def advance(self) -> bool:
        """One batch. True: rows were added, or more facts wait to be read."""
        times = self._times or self._open()
        scout_before = self._scout
        seen = self._ledger.read_after(scout_before, BATCH)
        for fact in seen:
            times.observe(fact)
            self._scout = fact.seq
        if not seen and (self.held or self._made == self._scout):
            return False
        pending = seen if self._made == scout_before else self._between()
        rows, to_seq, held = self._make(pending, times)
        if rows or to_seq - self._stored >= PERSIST_EVERY:
            self._store.add(to_seq, rows, self._city)
            self._stored = to_seq
        if not held:
            self.held = 0
        elif self.held and to_seq == self._made:
            self.held += _messages(seen)
        else:
            self.held = _messages(held)
        self._made = to_seq
        return bool(rows) or len(seen) == BATCH or (not held and self._made < self._scout)

    def _open(self) -> Times:
        self._stored = self._made = self._scout = self._store.cursor(self._city)
        times = Times(self._boot_offsets())
        at = max(0, self._made - WARM_UP)
        while facts := [fact for fact in self._ledger.read_after(at, BATCH) if fact.seq <= self._made]:
            for fact in facts:
                times.observe(fact)
                self._mapper.make(fact, times)
            at = facts[-1].seq
        self._times = times
        return times

    def _between(self) -> list[Fact]:
        """Facts that the scout has passed and the cursor has not."""
        return [fact for fact in self._ledger.read_after(self._made, BATCH) if fact.seq <= self._scout]

    def _make(self, pending: Sequence[Fact], times: Times) -> tuple[list[Delivery], int, Sequence[Fact]]:
        """Rows, the seq up to which facts were used, and the facts from the first held one on."""
        rows: list[Delivery] = []
        to_seq = self._made if pending else self._scout
        for index, fact in enumerate(pending):
            made = self._mapper.make(fact, times)
            if made is None:
                return rows, to_seq, pending[index:]
            rows += made
            to_seq = fact.seq
        return rows, to_seq, ()


def _messages(facts: Sequence[Fact]) -> int:
    return sum(isinstance(fact.body, Passed | Paid) for fact in facts)
