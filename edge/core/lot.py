"""The lot: who is inside and how many, as a fold over facts. The same facts give the same lot.

`parked` counts passages and nothing else: every entry adds one, every exit takes one (never below 0), whether
its car is known or not, and `CountCorrected` sets it. `inside` holds the visits known to be open. The two
differ by cars that left unread and by cars that were there before the first fact.

A plate stands inside once. A plate that enters while its visit is still open has left unseen: the new visit
takes the place of the old one. The count is not touched then: nobody knows whether that exit was counted.
"""

from __future__ import annotations

import zlib

import msgspec

from edge.core.facts import ClockSet, CountCorrected, Fact, Passed, PlateCorrected, Stamp
from edge.core.plates import confusable, skeleton

SNAPSHOT_VERSION = 1
_CRC_BYTES = 4


class Visit(msgspec.Struct, frozen=True, array_like=True):
    """One car from entry to exit. `visit_id` is the id of its entry's `Passed` fact."""

    visit_id: str
    plate: str
    colour: str
    entered: Stamp
    lane: str
    booking: str = ""


def corrected(visit: Visit, old: str, new: str, who: str = "") -> PlateCorrected:
    """The fact that puts `visit` right: it carries all that its record at a city needs."""
    return PlateCorrected(
        visit_id=visit.visit_id, old=old, new=new, who=who, colour=visit.colour, entered=visit.entered,
        entry_lane=visit.lane, booking=visit.booking,
    )  # fmt: skip


class SnapshotError(ValueError):
    """A stored snapshot cannot be used: fold the ledger from its beginning instead."""


class _Header(msgspec.Struct, frozen=True, array_like=True):
    """Reads the version alone: another version's layout may differ in everything behind it."""

    version: int


class _Snapshot(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    parked: int
    offsets: dict[str, int]
    inside: list[Visit]


_HEADER = msgspec.msgpack.Decoder(_Header)
_SNAPSHOT = msgspec.msgpack.Decoder(_Snapshot)


class LotState:
    """The fold. Read `inside`, `parked` and `offsets` as you like; only `apply` changes them."""

    def __init__(self, total: int) -> None:
        if total < 0:
            raise ValueError(f"total: {total} stalls are not allowed, 0 or more are")
        self.total = total
        self.parked = 0
        self.inside: dict[str, Visit] = {}
        self.offsets: dict[str, int] = {}
        """boot_id -> offset_ms of the boot's first `ClockSet`."""
        self._by_skeleton: dict[str, set[str]] = {}

    @property
    def free(self) -> int:
        """Stalls without a car; 0 when the lot is overfull."""
        return max(0, self.total - self.parked)

    def apply(self, fact: Fact) -> None:
        """Fold one fact. Facts that say nothing about the lot change nothing."""
        body = fact.body
        if isinstance(body, Passed):
            if body.direction == "in":
                self._enter(Visit(fact.id, body.plate, body.colour, fact.stamp, fact.lane, body.booking))
            else:
                self._leave(body)
        elif isinstance(body, PlateCorrected):
            visit = self.inside.get(body.visit_id)
            if visit is not None:
                self._put(msgspec.structs.replace(visit, plate=body.new))
        elif isinstance(body, CountCorrected):
            self.parked = max(0, body.parked)
        elif isinstance(body, ClockSet):
            # The first set of a boot stands. A program restarted within the boot may tell it again, by then
            # with a step in it, and a step changes no fee.
            self.offsets.setdefault(fact.stamp.boot_id, body.offset_ms)

    def find(self, plate: str) -> list[Visit]:
        """Open visits of exactly this plate, else all it may be a misreading of; the oldest first."""
        if not plate:
            return []
        alike = [self.inside[visit_id] for visit_id in self._by_skeleton.get(skeleton(plate), ())]
        found = [visit for visit in alike if visit.plate == plate]
        if not found:
            found = [visit for visit in alike if confusable(visit.plate, plate)]
        return sorted(found, key=lambda visit: (visit.entered.wall_ms, visit.entered.mono_ms, visit.visit_id))

    def encode(self) -> bytes:
        """The whole state but `total`, which is a setting and not a fact: CRC-32, then MessagePack."""
        snapshot = _Snapshot(SNAPSHOT_VERSION, self.parked, self.offsets, list(self.inside.values()))
        body = msgspec.msgpack.encode(snapshot)
        return zlib.crc32(body).to_bytes(_CRC_BYTES, "big") + body

    @classmethod
    def decode(cls, data: bytes, total: int) -> LotState:
        """The state from `encode`; `SnapshotError` if it is damaged or another version's."""
        body = data[_CRC_BYTES:]
        if zlib.crc32(body) != int.from_bytes(data[:_CRC_BYTES], "big"):
            raise SnapshotError(f"snapshot of {len(data)} bytes is damaged: its CRC-32 does not fit")
        try:
            version = _HEADER.decode(body).version
            if version != SNAPSHOT_VERSION:
                raise SnapshotError(f"snapshot: version {version} is not allowed, {SNAPSHOT_VERSION} is")
            snapshot = _SNAPSHOT.decode(body)
        except msgspec.DecodeError as error:
            raise SnapshotError(f"snapshot of {len(data)} bytes is not one of ours: {error}") from error
        state = cls(total)
        state.parked = snapshot.parked
        state.offsets = snapshot.offsets
        for visit in snapshot.inside:
            state._put(visit)
        return state

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LotState):
            return NotImplemented
        return (self.total, self.parked, self.inside, self.offsets) == (
            other.total,
            other.parked,
            other.inside,
            other.offsets,
        )

    __hash__ = None  # type: ignore[assignment]  # it changes

    def _enter(self, visit: Visit) -> None:
        self.parked += 1
        for older in self._exact(visit.plate):
            self._remove(older)
        self._put(visit)

    def _leave(self, exit_: Passed) -> None:
        self.parked = max(0, self.parked - 1)
        if exit_.visit_id:
            self._remove(exit_.visit_id)
            return
        # Nobody matched the car (a tailgater, an arm held open), but a plate that went out is not inside.
        same = self._exact(exit_.plate)
        if len(same) == 1:
            self._remove(same[0])

    def _exact(self, plate: str) -> list[str]:
        if not plate:
            return []
        alike = self._by_skeleton.get(skeleton(plate), ())
        return [visit_id for visit_id in alike if self.inside[visit_id].plate == plate]

    def _put(self, visit: Visit) -> None:
        self._remove(visit.visit_id)
        self.inside[visit.visit_id] = visit
        if visit.plate:
            self._by_skeleton.setdefault(skeleton(visit.plate), set()).add(visit.visit_id)

    def _remove(self, visit_id: str) -> None:
        visit = self.inside.pop(visit_id, None)
        if visit is None or not visit.plate:
            return
        key = skeleton(visit.plate)
        self._by_skeleton[key].discard(visit_id)
        if not self._by_skeleton[key]:
            del self._by_skeleton[key]
