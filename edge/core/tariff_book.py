"""Tariffs in versions, as a fold over facts: which one a car comes under, and keeps to its end (23, 24; QC94).

Of the city's tariffs the newest that fits the car's class is in force; without one, the box's own. A version is kept
while it is in force or a car is inside that came under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from edge.core.facts import Fact, Passed
from edge.core.facts_flow import VEHICLE_OF, Vehicle
from edge.core.facts_money import TariffDeleted, TariffSet

LOCAL = "local"
"""`tariff_id` of the box's own."""

CAR_TYPES: Mapping[str, Vehicle] = MappingProxyType({
    "large": "large", "大型车": "large", "大车": "large", "1": "large",
    "medium": "medium", "中型车": "medium", "2": "medium",
    "small": "small", "小型车": "small", "小车": "small", "3": "small",
})  # fmt: skip
"""car_type 适用车型 has no list in the standard: these words and T/SZPIA table 6's digits; any other is every car."""


def vehicle_of(colour: str) -> Vehicle:
    return VEHICLE_OF.get(colour, "")


class TariffBook(msgspec.Struct, array_like=True):
    """Part of the box's snapshot. Only `apply` changes it."""

    versions: dict[str, TariffSet] = {}
    """By version id, the oldest first."""
    in_force: dict[str, str] = {}
    """tariff_id -> version id."""
    deleted: dict[str, int] = {}
    """tariff_id -> `city_ms` of its deletion, so that an older order does not bring it back."""
    visits: dict[str, str] = {}
    """visit_id -> version id."""
    configured: TariffSet | None = None
    """The box's own as the configuration said it last: what a person set stays until the configuration changes."""

    def apply(self, fact: Fact) -> None:
        match fact.body:
            case TariffSet(tariff_id=tariff_id) as tariff:
                if tariff_id == LOCAL and not tariff.who:
                    self.configured = tariff
                self.versions[fact.id] = tariff
                self.in_force.pop(tariff_id, None)
                self.in_force[tariff_id] = fact.id  # the newest last
                self.deleted.pop(tariff_id, None)
                self._forget()
            case TariffDeleted(tariff_id=tariff_id, city_ms=city_ms):
                self.in_force.pop(tariff_id, None)
                self.deleted[tariff_id] = city_ms
                while len(self.deleted) > 1_000:
                    del self.deleted[next(iter(self.deleted))]
                self._forget()
            case Passed(direction="in", colour=colour):
                version = self.newest(vehicle_of(colour))
                if version:
                    self.visits[fact.id] = version
            case Passed(direction="out", visit_id=visit_id):
                if self.visits.pop(visit_id, None) is not None:
                    self._forget()

    def newest(self, vehicle: Vehicle) -> str:
        """Version id of the tariff that a car of this class comes under now; "" where none was ever set."""
        for tariff_id, version in reversed(self.in_force.items()):
            of = CAR_TYPES.get(self.versions[version].car_type.strip().lower(), "")
            if tariff_id != LOCAL and of in {"", vehicle}:
                return version
        return self.in_force.get(LOCAL, "")

    def of_visit(self, visit_id: str, vehicle: Vehicle) -> tuple[str, TariffSet | None]:
        """The version that prices this visit; one that came in unseen is priced by today's."""
        version = self.visits.get(visit_id) or self.newest(vehicle)
        return version, self.versions.get(version)

    def is_older(self, tariff_id: str, city_ms: int) -> bool:
        """Is a newer word on this tariff known (QC87)?"""
        if not city_ms:
            return False
        version = self.in_force.get(tariff_id, "")
        known_ms = self.versions[version].city_ms if version else self.deleted.get(tariff_id, 0)
        return city_ms < known_ms

    def _forget(self) -> None:
        used = {*self.in_force.values(), *self.visits.values()}
        if len(used) < len(self.versions):
            for version in [each for each in self.versions if each not in used]:
                del self.versions[version]
