"""The rule set of flow control: what may be set, with the standard's own figures as defaults (T/SZPIA 6.5 to 6.9)."""

from __future__ import annotations

from typing import Literal

import msgspec

from edge.core.facts_flow import Role, Vehicle

Strategy = Literal["rules", "wait", "ask"]
"""For ordinary cars while the lot is not free (5.3 b): by the rules, "预约进、非预约等", or a person is asked."""


class Entrance(msgspec.Struct, frozen=True, kw_only=True):
    """One entrance. `name` is what people call it."""

    role: Role = "mixed"
    ordinary: Strategy = "rules"
    name: str = ""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Durations in ms. `bands`: P/T from which the lot is saturated, and full (6.7, SC77)."""

    bands: tuple[float, float] = (0.7, 0.9)
    reserved: int = 2  # 6.8 a): two reserved cars ...
    ordinary: int = 1  # ... then one ordinary
    idle_ms: int | None = 15_000  # no reserved car at any entrance for so long: the ordinary one goes; None: it waits
    out: int = 1  # 6.8 b): N out, one in; SC80: 1 when nobody says otherwise
    priority: bool = True  # 6.9, until it is switched
    schedule_min: tuple[int, int] | None = None  # 6.9: on from, off from, in minutes of the local day
    lock_ms: int | None = None  # life of a lock that nobody confirms; None: as long as the booking (SC52)
    early_ms: int = 0  # so long before its time a booked car may come in (SC50)
    keep_min: int = 30  # keep of an order that does not say one (6.3 example, SC51)
    change_ms: int | None = None  # change and cancel only until so long before its time; None: while it lives (SC54)
    refused: frozenset[Vehicle] = frozenset()  # 6.5: vehicle types that may not in
    entrances: dict[str, Entrance] = {}

    def __post_init__(self) -> None:
        """Raises `ValueError` that names the field, the value and what is allowed."""
        low, high = self.bands
        if not 0 < low <= high <= 1:
            raise ValueError(f"bands: {low:g}, {high:g} 不可 are not allowed, 须 0 < saturated <= full <= 1 are")
        for name, least in (("reserved", 0), ("ordinary", 1), ("out", 1), ("early_ms", 0), ("keep_min", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: {getattr(self, name)} 不可 is not allowed, 须不小于 {least} or more is")
        for name in ("idle_ms", "lock_ms", "change_ms"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name}: {value} 不可 is not allowed, 须不小于 0 or more, or none, is")
        if self.schedule_min is not None:
            on, off = self.schedule_min
            if not (0 <= on < 1440 and 0 <= off < 1440 and on != off):
                raise ValueError(
                    f"schedule: {on}, {off} 不可 are not allowed, "
                    "须为一天内两个不同的分钟 two different minutes 0..1439 are"
                )


DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000
"""The cities' local time is Asia/Shanghai, UTC+8 without summer time (DESIGN 4)."""


def scheduled(schedule_min: tuple[int, int], wall_ms: int) -> bool:
    """Whether the schedule wants priority on at this moment (6.9 example: 7:30 to 19:30; it may pass midnight)."""
    on, off = schedule_min
    minute = (wall_ms + SHANGHAI_MS) % DAY_MS // 60_000
    return on <= minute < off if on < off else minute >= on or minute < off


def next_turn_ms(schedule_min: tuple[int, int], wall_ms: int) -> int:
    """The schedule's next moment after `wall_ms` at which it switches."""
    day_ms = (wall_ms + SHANGHAI_MS) // DAY_MS * DAY_MS - SHANGHAI_MS
    turns = [day_ms + offset + minute * 60_000 for offset in (0, DAY_MS) for minute in schedule_min]
    return min(turn for turn in turns if turn > wall_ms)


def last_turn_ms(schedule_min: tuple[int, int], wall_ms: int) -> int:
    """The schedule's newest moment up to `wall_ms` at which it switched."""
    day_ms = (wall_ms + SHANGHAI_MS) // DAY_MS * DAY_MS - SHANGHAI_MS
    turns = [day_ms - offset + minute * 60_000 for offset in (0, DAY_MS) for minute in schedule_min]
    return max(turn for turn in turns if turn <= wall_ms)
