"""What a day showed: curves, waits, who drove on. Numbers for the page and for the table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Kind:
    """Reserved or ordinary cars: waits in seconds from joining the queue to admission."""

    waits_s: list[float] = field(default_factory=list)
    turned_away: int = 0
    still_waiting: int = 0

    @property
    def admitted(self) -> int:
        return len(self.waits_s)

    @property
    def came(self) -> int:
        return self.admitted + self.turned_away + self.still_waiting

    def wait_s(self, share: float) -> float:
        """Quantile of the waits, 0 when nobody was admitted."""
        return quantile(self.waits_s, share)

    @property
    def mean_s(self) -> float:
        return sum(self.waits_s) / len(self.waits_s) if self.waits_s else 0.0


@dataclass(frozen=True)
class Point:
    t_s: float
    inside: int
    reserved_queue: int
    ordinary_queue: int


class Log:
    def __init__(self, total: int) -> None:
        self.total = total
        self.reserved, self.ordinary = Kind(), Kind()
        self.refused = 0
        """Ordinary cars at an entrance for reserved ones; they turned round and came again."""
        self.bookings_refused = 0
        """Who wanted to book and found no stall; they came as ordinary cars."""
        self.points: list[Point] = []

    def _kind(self, reserved: bool) -> Kind:
        return self.reserved if reserved else self.ordinary

    def admitted(self, waited_s: float, *, reserved: bool) -> None:
        self._kind(reserved).waits_s.append(waited_s)

    def turned_away(self, *, reserved: bool) -> None:
        self._kind(reserved).turned_away += 1

    def still_waiting(self, *, reserved: bool) -> None:
        self._kind(reserved).still_waiting += 1

    def sample(self, t_s: float, inside: int, reserved: int, ordinary: int) -> None:
        self.points.append(Point(t_s, inside, reserved, ordinary))

    @property
    def saturation_max(self) -> float:
        return max((point.inside for point in self.points), default=0) / self.total

    @property
    def queue_max(self) -> int:
        return max((point.reserved_queue + point.ordinary_queue for point in self.points), default=0)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of `values` lie (nearest rank); 0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
