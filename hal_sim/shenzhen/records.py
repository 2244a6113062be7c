"""The books of the platform: every record once, with first and last time and how often it came; violations.

The plain figures a test compares with the world: no judgement about what may be accepted stands here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from hal_sim.shenzhen.tables import INTERFACES, Interface
from hal_sim.shenzhen.values import Fault
from hal_sim.strict_json import Fraction

VIOLATIONS_KEPT = 1000  # the counter stays exact; only the texts are bounded

# What a sender may do by the standard, but should know of: counted, never refused. See also `values.NOTES`.
NOTES = {
    "entered_twice": "同一车牌未出场又入场",
    "entry_with_fee": "入场时费用不为 0 (SC40)",
    "exit_without_entry": "出场记录没有入场记录",
    "lot_not_reported": "3001 之前已有其它记录",
    "closed_without_logout": "TCP 未登出即断开",
}


@dataclass(slots=True)
class Record:
    """One record as first accepted (master data, counts and corrections: as last accepted)."""

    code: int
    item_id: str
    item: dict[str, object]
    first_s: float
    last_s: float
    rank: int
    times_seen: int = 1

    @property
    def plate(self) -> str:
        """The plate in it, "" if there is none."""
        car = self.item.get("carInfo")
        return str(car.get("plateNo", "")).replace(" ", "") if isinstance(car, dict) else ""


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of the standard by the box: where, which record, which member, what it was, what is allowed."""

    where: str
    item_id: str
    field: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.where} {self.item_id} {self.field}: {self.value} {self.allowed}"


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything received so far. `accepted` counts ids, so it is the number of real-world events."""

    requests: int
    logins: int
    refreshes: int
    accepted: dict[int, int]
    repeats: dict[int, int]
    changed: tuple[str, ...]  # a passage or payment sent again with other content
    refused: dict[str, int]  # by code; 3002 alone is everyday life
    violated: int
    violations: tuple[Violation, ...]
    charge_differs: tuple[str, ...]  # exits whose money or charge list is not that of their payments; true at rest
    plate_differs: tuple[str, ...]  # exits with another plate than the entry, and no correction (5006)
    notes: dict[str, int]
    late: dict[int, int]  # 7.2.1: records that came more than 3 s after their event
    orders: dict[str, int]  # sent over https, tcp; answered; late; unanswered
    link: dict[str, int]  # connections, logins, heartbeats of the TCP link
    weather: dict[str, int]
    internal_errors: tuple[str, ...]


@dataclass(slots=True)
class Books:
    """All that came, by interface and id. The caller holds the lock."""

    lots: tuple[str, ...]  # the account's
    by_key: dict[tuple[int, str], Record] = field(default_factory=dict)
    repeats: Counter[int] = field(default_factory=Counter)
    changed: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    violated: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    late: Counter[int] = field(default_factory=Counter)
    inside: dict[str, str] = field(default_factory=dict)  # plate -> entry id
    counts: Counter[int] = field(default_factory=Counter)
    payments: dict[str, list[Record]] = field(default_factory=dict)  # entry id -> its 5008

    def get(self, code: int, item_id: str) -> Record | None:
        return self.by_key.get((code, item_id.lower()))

    def by_id(self, item_id: str) -> tuple[Record, ...]:
        """All records of that id: an entry, its exit and its corrections share one."""
        found = (self.get(interface.code, item_id) for interface in INTERFACES)
        return tuple(record for record in found if record is not None)

    def by_plate(self, plate: str) -> tuple[Record, ...]:
        return tuple(record for record in self.by_key.values() if plate and record.plate == plate)

    def of(self, code: int) -> tuple[Record, ...]:
        return tuple(record for record in self.by_key.values() if record.code == code)

    def take(
        self, interface: Interface, item_id: str, item: dict[str, object], now_s: float
    ) -> Literal["new", "repeat", "changed", "updated"]:
        """Keep a record that passed every rule and say what it was. `changed` is not kept."""
        known = self.get(interface.code, item_id)
        if known is None:
            key = (interface.code, item_id.lower())
            record = Record(interface.code, item_id, item, now_s, now_s, len(self.by_key))
            self.by_key[key] = record
            self.counts[interface.code] += 1
            if interface.code == 5008:
                self.payments.setdefault(str(item["recordId"]).lower(), []).append(record)
            return "new"
        known.last_s = now_s
        known.times_seen += 1
        if known.item == item:
            self.repeats[interface.code] += 1
            return "repeat"
        if interface.once:
            self.changed.append(f"{interface.code} {item_id}: {', '.join(different(known.item, item))}")
            return "changed"
        known.item = item
        return "updated"

    def violate(self, where: str, item_id: str, faults: list[Fault]) -> None:
        for fault in faults:
            self.violated += 1
            if len(self.violations) < VIOLATIONS_KEPT:
                self.violations.append(Violation(where, item_id, fault.field, fault.value, fault.allowed))

    def plate_of_visit(self, item_id: str) -> str | None:
        """The plate as last told for this entry: the correction's if there was one."""
        for code in (5006, 5004):
            if (record := self.get(code, item_id)) is not None:
                return record.plate
        return None

    def differing_plates(self) -> tuple[str, ...]:
        return tuple(
            f"{left.item_id}: {known} / {left.plate}"
            for left in self.of(5005)
            if (known := self.plate_of_visit(left.item_id)) not in (None, left.plate)
        )

    def differing_charges(self) -> tuple[str, ...]:
        """Exits whose sums or charge list are not those of the payments with their recordId."""
        found = []
        for left in self.of(5005):
            charges = self.payments.get(left.item_id.lower(), [])
            listed = left.item["chargeIdList"]
            ids = {str(one).lower() for one in listed} if isinstance(listed, list) else set()
            sums_fit = yuan(left.item["received"]) == sum(yuan(one.item["received"]) for one in charges)
            if not sums_fit or ids != {one.item_id.lower() for one in charges}:
                found.append(left.item_id)
        return tuple(found)


def different(one: dict[str, object], other: dict[str, object]) -> tuple[str, ...]:
    """Names of the members in which two records differ."""
    missing = object()
    return tuple(name for name in sorted({*one, *other}) if one.get(name, missing) != other.get(name, missing))


def yuan(value: Any) -> Decimal:
    """An amount that passed its field's rule."""
    return Decimal(value.written if isinstance(value, Fraction) else value)
