"""What the platform has received: every record once, with first and last time and how often it was sent.

The plain figures a test compares with the world: no judgement about what may be accepted stands here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from hal_sim.qingdao.tables import INTERFACES, Interface
from hal_sim.strict_json import Fraction

REFUSALS_KEPT = 1000  # the counters stay exact; only the texts are bounded

# What a sender may do by the standard, but should know of: counted, never refused.
NOTES = {
    "repeat_with_new_seq_id": "重发同一记录却换了 seq_id",
    "count_sent_again": "场内车辆数或设备状态被重发 (上传失败无须重传)",
    "entered_twice": "同一车牌未出场又入场",
    "plate_differs": "出场车牌与入场不同而事件类型不是 CHECKCARNO",
    "equipment_unknown": "设备 ID 未经设备信息上传",
}


@dataclass(slots=True)
class Record:
    """One record as first accepted (master data: as last accepted)."""

    kind: str
    item_id: str
    item: dict[str, object]
    seq_id: str
    first_s: float
    last_s: float
    rank: int  # order of first arrival over all kinds
    times_seen: int = 1

    @property
    def plate(self) -> str:
        return str(self.item.get("car_no", ""))


@dataclass(frozen=True, slots=True)
class Changed:
    """A passage or payment sent again with other content: a violation."""

    kind: str
    item_id: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """One request (item_id "") or record that the platform itself refused, not its weather."""

    kind: str
    item_id: str
    reason: str
    counted_as: str
    """In `Summary.refused`."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything received so far. `accepted` counts ids, so it is the number of real-world events."""

    requests: int
    logins: int
    accepted: dict[str, int]
    repeats: dict[str, int]
    changed: tuple[Changed, ...]
    refused: dict[str, int]  # by result code, or by kind and fields; 113 alone is everyday life
    refusals: tuple[Refused, ...]
    vehicles_in: int
    vehicles_out: int
    vehicles_inside: int
    charge_differs: tuple[str, ...]  # carOut ids whose ss_money is not the sum of the visit's payments
    notes: dict[str, int]  # what NOTES names
    weather: dict[str, int]
    internal_errors: tuple[str, ...]


@dataclass(slots=True)
class Records:
    """All that was accepted, by kind and id. The caller holds the lock."""

    by_key: dict[tuple[str, str], Record] = field(default_factory=dict)
    repeats: Counter[str] = field(default_factory=Counter)
    changed: list[Changed] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    refusals: list[Refused] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    _exits: dict[str, str] = field(default_factory=dict)  # carIn id -> carOut id
    _inside: Counter[str] = field(default_factory=Counter)  # plate -> entries without exit

    def get(self, kind: str, item_id: str) -> Record | None:
        return self.by_key.get((kind, item_id))

    def by_id(self, item_id: str) -> tuple[Record, ...]:
        """All records of that id, of whatever kind; a sound sender makes at most one."""
        kinds = (interface.kind for interface in INTERFACES)
        return tuple(self.by_key[kind, item_id] for kind in kinds if (kind, item_id) in self.by_key)

    def by_plate(self, plate: str) -> tuple[Record, ...]:
        """All records of a plate as it stands in them (with its hyphen), in order of arrival."""
        return tuple(record for record in self.by_key.values() if plate and record.plate == plate)

    def of_kind(self, kind: str) -> tuple[Record, ...]:
        return tuple(record for record in self.by_key.values() if record.kind == kind)

    def exit_of(self, entry_id: str) -> str | None:
        return self._exits.get(entry_id)

    def inside(self, plate: str) -> bool:
        return self._inside[plate] > 0

    def take(
        self, interface: Interface, item: dict[str, object], seq_id: str, now_s: float
    ) -> Literal["new", "repeat", "changed", "updated"]:
        """Keep a record that passed every rule and say what it was. `changed` is not kept."""
        item_id = str(item[interface.key])
        known = self.get(interface.kind, item_id)
        if known is None:
            self.by_key[interface.kind, item_id] = Record(
                interface.kind, item_id, item, seq_id, now_s, now_s, len(self.by_key)
            )
            self._follow(interface.kind, item_id, item)
            return "new"
        known.last_s = now_s
        known.times_seen += 1
        differing = different(known.item, item)
        if not differing:
            self.repeats[interface.kind] += 1
            if interface.once and known.seq_id != seq_id:
                self.notes["repeat_with_new_seq_id"] += 1
            if not interface.repeated:
                self.notes["count_sent_again"] += 1
            return "repeat"
        if interface.once:
            self.changed.append(Changed(interface.kind, item_id, differing))
            return "changed"
        known.item, known.seq_id = item, seq_id
        return "updated"

    def refuse(self, kind: str, item_id: str, reason: str, counted_as: str) -> None:
        self.refused[counted_as] += 1
        if len(self.refusals) < REFUSALS_KEPT:
            self.refusals.append(Refused(kind, item_id, reason, counted_as))

    def _follow(self, kind: str, item_id: str, item: dict[str, object]) -> None:
        if kind == "carIn":
            self._inside[str(item["car_no"])] += 1
        elif kind == "carOut":
            entry_id = str(item["park_in_id"])
            self._exits[entry_id] = item_id
            self._inside[self.by_key["carIn", entry_id].plate] -= 1

    def _differing_charges(self) -> tuple[str, ...]:
        """carOut ids whose ss_money is not the sum of the visit's payments (line 711); true at rest only."""
        paid: dict[str, Decimal] = {}
        for charge in self.of_kind("carcharge"):
            entry_id = str(charge.item["park_in_id"])
            sign = -1 if charge.item.get("pay_status") == 2 else 1
            paid[entry_id] = paid.get(entry_id, Decimal(0)) + sign * yuan(charge.item["ss_money"])
        return tuple(
            leaving.item_id
            for leaving in self.of_kind("carOut")
            if yuan(leaving.item["ss_money"]) != paid.get(str(leaving.item["park_in_id"]), Decimal(0))
        )

    def summary(self, requests: int, logins: int, weather: dict[str, int], internal: Iterable[str]) -> Summary:
        accepted = Counter(record.kind for record in self.by_key.values())
        return Summary(
            requests=requests,
            logins=logins,
            accepted=dict(accepted),
            repeats=dict(self.repeats),
            changed=tuple(self.changed),
            refused=dict(self.refused),
            refusals=tuple(self.refusals),
            vehicles_in=accepted["carIn"],
            vehicles_out=accepted["carOut"],
            vehicles_inside=accepted["carIn"] - len(self._exits),
            charge_differs=self._differing_charges(),
            notes=dict(self.notes),
            weather=dict(weather),
            internal_errors=tuple(internal),
        )


def different(one: dict[str, object], other: dict[str, object]) -> tuple[str, ...]:
    """Names of the members in which two records differ."""
    missing = object()
    return tuple(name for name in sorted({*one, *other}) if one.get(name, missing) != other.get(name, missing))


def yuan(value: object) -> Decimal:
    """An amount that passed its field's rule; a member left out counts as nothing."""
    return Decimal(value.written) if isinstance(value, Fraction) else Decimal(0)
