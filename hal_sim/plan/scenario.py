"""A scenario: the lot, its entrances, the day's cars and the rule sets to compare, each setting with unit and reason.

Read from TOML; every mistake is reported at once, with path, value and what is allowed.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, inspect

from edge.config.issues import ConfigError, ConfigIssue
from edge.config.walk import walk

SIZE_LIMIT_BYTES = 1_000_000

Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description='"HH:MM", 00:00..23:59')]
Ident = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$", description="letters, digits, - and _, at most 20")
]
Words = Annotated[str, Meta(min_length=1, max_length=60)]
Share = Annotated[float, Meta(ge=0, le=1)]
Minutes = Annotated[float, Meta(ge=0, le=1440)]
Role = Literal["reserved", "ordinary", "mixed"]
Strategy = Literal["rules", "wait", "ask"]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: an unknown key is an error."""


class Lot(Section, frozen=True, kw_only=True):
    total: Annotated[int, Meta(ge=1, le=100_000)]
    parked: Annotated[int, Meta(ge=0, le=100_000)] = 0
    """Cars inside when the day opens."""
    parked_stay_min: Minutes = 240
    """They leave evenly within so long after opening."""
    reservable: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    """Most stalls that bookings may hold at a time (3001 reservableStalls); unset: all."""


class Entrance(Section, frozen=True, kw_only=True):
    id: Ident
    name: Words
    share: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    """Weight by which cars choose it among the entrances that take them."""
    pass_s: Annotated[float, Meta(gt=0, le=120)] = 8.0
    """From admission until the car has cleared the entrance: arm, driving through, arm."""
    gap_s: Annotated[float, Meta(ge=0, le=120)] = 3.0
    """Until the next car of the queue stands at the arm; meanwhile nobody is seen there."""


class Arrivals(Section, frozen=True, kw_only=True):
    """One point of the arrival curve; straight lines between the points, nobody comes outside them."""

    at: Clock
    per_hour: Annotated[float, Meta(ge=0, le=20_000)]


class Reserved(Section, frozen=True, kw_only=True):
    share: Share = 0.4
    """Of all cars that come, how many want to book. Who finds no stall to book comes all the same, as ordinary."""
    ahead_min: Minutes = 60
    """Bookings are made up to so long before their period begins, evenly. Each holds a stall from then on."""
    window_min: Annotated[float, Meta(gt=0, le=1440)] = 30
    """Length of a booked period; it begins on a multiple of this."""
    keep_min: Minutes = 30
    """The stall is kept so long after the period (clause 6.3, example of a hospital: 30 min)."""
    late_mean_min: Annotated[float, Meta(ge=-240, le=240)] = 0
    """Lateness against the moment the driver meant to come; negative: early."""
    late_sd_min: Minutes = 12
    no_show: Share = 0.05
    stay_median_min: Annotated[float, Meta(gt=0, le=1440)] = 110
    stay_spread: Annotated[float, Meta(ge=0, le=2)] = 0.5
    """Sigma of the logarithm: 0.5 puts two thirds between 0.6 and 1.6 of the median."""
    patience_min: Minutes = 60


class Ordinary(Section, frozen=True, kw_only=True):
    stay_median_min: Annotated[float, Meta(gt=0, le=1440)] = 120
    stay_spread: Annotated[float, Meta(ge=0, le=2)] = 0.6
    patience_min: Minutes = 25
    """Who has waited so long drives on (counted as turned away)."""
    queue_max: Annotated[int, Meta(ge=1, le=1000)] = 25
    """Nobody joins a longer queue."""
    astray: Share = 0.02
    """Who drives to an entrance for reserved cars only, is refused there and turns round."""
    turn_s: Annotated[float, Meta(ge=0, le=600)] = 60
    """A refused car blocks its lane so long."""


class Saturated(Section, frozen=True, kw_only=True):
    reserved: Annotated[int, Meta(ge=0, le=100)] = 2
    ordinary: Annotated[int, Meta(ge=1, le=100)] = 1
    idle_s: Annotated[float, Meta(ge=0, le=3600)] = 15
    strict: bool = False
    """true: no idle time, the ordinary car waits for its reserved ones."""


class Full(Section, frozen=True, kw_only=True):
    out: Annotated[int, Meta(ge=1, le=3)] = 1
    """"N out, one in" (clause 6.8 b)."""


class Place(Section, frozen=True, kw_only=True):
    """How one entrance plays under a rule set; entrances that are not named are mixed, by the rules."""

    entrance: Ident
    role: Role = "mixed"
    ordinary: Strategy = "rules"


class RuleSet(Section, frozen=True, kw_only=True):
    name_zh: Words
    name_en: Words
    priority: bool = True
    saturated_from: Share = 0.7
    full_from: Share = 0.9
    saturated: Saturated = Saturated()
    full: Full = Full()
    place: tuple[Place, ...] = ()
    early_min: Minutes = 0
    """So long before its period a booked car may come in; earlier it is an ordinary one."""
    ask_s: Annotated[float, Meta(ge=0, le=3600)] = 40
    """Strategy "ask": how long the attendant needs to let the car in, when a stall is free."""


class Scenario(Section, frozen=True, kw_only=True):
    name_zh: Words
    name_en: Words
    open: Clock
    close: Clock
    seed: Annotated[int, Meta(ge=0, le=2**31)] = 1
    lot: Lot
    entrance: Annotated[tuple[Entrance, ...], Meta(min_length=1, max_length=16)]
    arrivals: Annotated[tuple[Arrivals, ...], Meta(min_length=2, max_length=200)]
    reserved: Reserved = Reserved()
    ordinary: Ordinary = Ordinary()
    rules: Annotated[tuple[RuleSet, ...], Meta(min_length=1, max_length=8)]


def seconds(clock: str) -> float:
    """Seconds since midnight of "HH:MM"."""
    hours, minutes = clock.split(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0


def load(path: Path) -> Scenario:
    """The scenario at `path`. Raises `ConfigError` with every issue."""
    name = str(path)
    try:
        data = path.read_bytes()
        if len(data) > SIZE_LIMIT_BYTES:
            zh, en = f"最多 {SIZE_LIMIT_BYTES} 字节", f"at most {SIZE_LIMIT_BYTES} bytes"
            raise ConfigError([ConfigIssue(name, f"{len(data)} bytes", zh, en)])
        raw = tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError([ConfigIssue(name, "", f"无法读取: {error.strerror}", f"cannot be read: {error}")]) from error
    except RecursionError as error:
        raise ConfigError([ConfigIssue(name, "", "嵌套过深", "nested too deeply")]) from error
    except ValueError as error:  # UTF-8 and TOML both
        raise ConfigError([ConfigIssue(name, "", f"不是 TOML: {error}", f"is no TOML: {error}")]) from error
    issues = walk(raw, inspect.type_info(Scenario), "")
    if not issues:
        scenario = msgspec.convert(raw, Scenario)
        issues = _between(scenario)
    if issues:
        raise ConfigError(issues)
    return scenario


def _between(scenario: Scenario) -> list[ConfigIssue]:
    """Rules between settings."""
    issues = []

    def wrong(path: str, value: object, zh: str, en: str) -> None:
        issues.append(ConfigIssue(path, str(value), zh, en))

    if seconds(scenario.close) <= seconds(scenario.open):
        wrong("close", scenario.close, f"须晚于 open {scenario.open}", f"must be later than open {scenario.open}")
    if scenario.lot.parked > scenario.lot.total:
        wrong("lot.parked", scenario.lot.parked, "须不大于 total", f"must be at most total, {scenario.lot.total}")
    if scenario.lot.reservable is not None and scenario.lot.reservable > scenario.lot.total:
        wrong("lot.reservable", scenario.lot.reservable, "须不大于 total", f"must be at most {scenario.lot.total}")
    ids = [entrance.id for entrance in scenario.entrance]
    for number, entrance_id in enumerate(ids):
        if entrance_id in ids[:number]:
            wrong(f"entrance[{number}].id", entrance_id, "重复", "is used twice; each entrance needs an id of its own")
    times = [point.at for point in scenario.arrivals]
    for number, at in enumerate(times if not issues else ()):  # against an open day
        if not seconds(scenario.open) <= seconds(at) <= seconds(scenario.close):
            zh, en = f"须在 {scenario.open} 至 {scenario.close} 之间", f"must be in {scenario.open}..{scenario.close}"
            wrong(f"arrivals[{number}].at", at, zh, en)
    for number in range(1, len(times)):
        if seconds(times[number]) <= seconds(times[number - 1]):
            wrong(
                f"arrivals[{number}].at", times[number], f"须晚于 {times[number - 1]}",
                f"must be later than {times[number - 1]}, the point before",
            )  # fmt: skip
    for number, rules in enumerate(scenario.rules):
        at = f"rules[{number}]"
        if rules.full_from < rules.saturated_from:
            wrong(
                f"{at}.full_from", rules.full_from, f"须不小于 saturated_from {rules.saturated_from}",
                f"must be at least saturated_from, {rules.saturated_from}",
            )  # fmt: skip
        places = [place.entrance for place in rules.place]
        for index, entrance_id in enumerate(places):
            if entrance_id not in ids or entrance_id in places[:index]:
                wrong(
                    f"{at}.place[{index}].entrance", entrance_id, f"须为 {', '.join(ids)} 之一, 各一次",
                    f"must be one of {', '.join(ids)}, each once",
                )  # fmt: skip
        reserved_only = {place.entrance for place in rules.place if place.role == "reserved"}
        if reserved_only >= set(ids):
            en = "no entrance takes ordinary cars; give at least one the role ordinary or mixed"
            wrong(f"{at}.place", "reserved", "没有入口接受非预约车", en)
    return issues
