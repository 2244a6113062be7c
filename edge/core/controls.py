"""Control lists of the platforms: plates that may not in or not out, are watched, or pass free (T/SZPIA 7.1.3.8, 4001).

An entry is in force in from_ms <= t <= until_ms; nobody knowing the time (`None`), it is in force. Several entries of
one plate are all in force; the strictest decides. What is over is a matter of the time alone: a clock that is set back
brings back what it had ended (`edge.core.ends`). Look-ups are by plate: a list of 100,000 costs what one of ten does.
"""

from __future__ import annotations

import msgspec

from edge.core.ends import Ends
from edge.core.facts_flow import Strategy

STRICTEST: dict[Strategy, int] = {"no_entry_no_exit": 0, "no_entry": 1, "no_exit": 2, "warn": 3, "free_pass": 4}
"""A plate that is barred and passes free is barred; one that is watched and passes free is watched and passes free."""


GONE_KEPT = 5_000
"""Ids of entries that are gone and remembered, so that a removal sent again is answered like the first (DESIGN 8);
and entries that are over and kept, for a clock that is set back."""


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
    """All entries, by id and by plate. Those that are over wait aside for a clock that is set back."""

    def __init__(self) -> None:
        self.by_id: dict[str, Control] = {}
        self.over: dict[str, Control] = {}
        """Over by the clock as it is."""
        self.gone: dict[str, None] = {}
        """Removed, or long over, the oldest first."""
        self._by_plate: dict[str, tuple[Control, ...]] = {}
        self._ends = Ends()

    def put(self, control: Control) -> None:
        """New, or in place of the entry with the same id."""
        self._drop(control.entry_id)
        self.gone.pop(control.entry_id, None)
        self._list(control)
        self._ends.put(control.entry_id, control.until_ms)
        if len(self.over) > GONE_KEPT:  # only with a fact, so that it falls alike in every fold
            for entry_id in self._ends.oldest(list(self.over), len(self.over) - GONE_KEPT):
                self.remove(entry_id)

    def remove(self, entry_id: str) -> None:
        if self._drop(entry_id):
            self.gone[entry_id] = None
            while len(self.gone) > GONE_KEPT:
                del self.gone[next(iter(self.gone))]

    def _drop(self, entry_id: str) -> bool:
        self._ends.drop(entry_id)
        if self.over.pop(entry_id, None) is not None:
            return True
        return self._unlist(entry_id) is not None

    def _list(self, control: Control) -> None:
        self.by_id[control.entry_id] = control
        self._by_plate[control.plate] = (*self._by_plate.get(control.plate, ()), control)

    def _unlist(self, entry_id: str) -> Control | None:
        old = self.by_id.pop(entry_id, None)
        if old is None:
            return None
        others = tuple(each for each in self._by_plate[old.plate] if each.entry_id != entry_id)
        if others:
            self._by_plate[old.plate] = others
        else:
            del self._by_plate[old.plate]
        return old

    def advance(self, wall_ms: int | None) -> None:
        """Set aside what is over at `wall_ms`, and nothing else."""
        if wall_ms is None:
            return
        ends = self._ends
        for entry_id in ends.turn_back(wall_ms - 1):
            self._list(self.over.pop(entry_id))
        while (until_ms := ends.next_ms()) is not None and until_ms < wall_ms:
            old = self._unlist(ends.end_next())
            assert old is not None  # what comes to its end is listed
            self.over[old.entry_id] = old

    def find(self, entry_id: str) -> Control | None:
        """The entry, over or not."""
        return self.by_id.get(entry_id) or self.over.get(entry_id)

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

    def unended(self) -> list[Control]:
        """Those that no fact has removed, over by the clock as it is or not."""
        return [*self.by_id.values(), *self.over.values()]

    def restore(self, entries: list[Control], gone: list[str]) -> None:
        """Take over what `unended` and `gone` said; the time, which comes next, sets some aside."""
        self.gone = dict.fromkeys(gone)
        for control in entries:
            self.put(control)
