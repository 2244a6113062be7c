"""Control lists of the platforms: plates that may not in or not out, are watched, or pass free (T/SZPIA 7.1.3.8, 4001).

An entry is in force in from_ms <= t <= until_ms; nobody knowing the time (`None`), it is in force. Several entries of
one plate are all in force; the strictest decides. Look-ups are by plate: a list of 100,000 costs what one of ten does.
"""

from __future__ import annotations

import heapq

import msgspec

from edge.core.facts_flow import Strategy

STRICTEST: dict[Strategy, int] = {"no_entry_no_exit": 0, "no_entry": 1, "no_exit": 2, "warn": 3, "free_pass": 4}
"""A plate that is barred and passes free is barred; one that is watched and passes free is watched and passes free."""


GONE_KEPT = 5_000
"""Ids of entries that are gone and remembered, so that a removal sent again is answered like the first (DESIGN 8)."""


class Control(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry."""

    entry_id: str
    plate: str
    strategy: Strategy
    from_ms: int
    until_ms: int
    origin: str = ""
    city: str = ""


class Controls:
    """All entries, by id and by plate. Entries that are over are dropped when time passes."""

    def __init__(self) -> None:
        self.by_id: dict[str, Control] = {}
        self.gone: dict[str, None] = {}
        """Removed or over, the oldest first."""
        self._by_plate: dict[str, tuple[Control, ...]] = {}
        self._ends: list[tuple[int, str]] = []

    def put(self, control: Control) -> None:
        """New, or in place of the entry with the same id."""
        self._drop(control.entry_id)
        self.gone.pop(control.entry_id, None)
        self.by_id[control.entry_id] = control
        self._by_plate[control.plate] = (*self._by_plate.get(control.plate, ()), control)
        heapq.heappush(self._ends, (control.until_ms, control.entry_id))

    def remove(self, entry_id: str) -> None:
        if self._drop(entry_id):
            self.gone[entry_id] = None
            while len(self.gone) > GONE_KEPT:
                del self.gone[next(iter(self.gone))]

    def _drop(self, entry_id: str) -> bool:
        old = self.by_id.pop(entry_id, None)
        if old is None:
            return False
        others = tuple(each for each in self._by_plate[old.plate] if each.entry_id != entry_id)
        if others:
            self._by_plate[old.plate] = others
        else:
            del self._by_plate[old.plate]
        return True

    def advance(self, wall_ms: int | None) -> None:
        """Drop what is over."""
        ends = self._ends
        while wall_ms is not None and ends and ends[0][0] < wall_ms:
            until_ms, entry_id = heapq.heappop(ends)
            control = self.by_id.get(entry_id)
            if control is not None and control.until_ms == until_ms:
                self.remove(entry_id)

    def of(self, plate: str, wall_ms: int | None) -> tuple[Control, ...]:
        """Entries of this plate that are in force, the strictest first."""
        found = self._by_plate.get(plate)
        if found is None:
            return ()
        if wall_ms is not None:
            found = tuple(each for each in found if each.from_ms <= wall_ms <= each.until_ms)
        return tuple(sorted(found, key=lambda each: (STRICTEST[each.strategy], each.entry_id)))

    def entries_of(self, plate: str) -> tuple[Control, ...]:
        """All entries of this plate, in force or not."""
        return self._by_plate.get(plate, ())

    def restore(self, entries: list[Control], gone: list[str]) -> None:
        self.gone = dict.fromkeys(gone)
        for control in entries:
            self.put(control)
