"""A rule set as people write it: replay's config line, a policy file. Every rule may be left out.

The same names in JSON and TOML, so that a line of a replay and a policy file read alike. TOML has no null: `strict`
stands for `idle_s` null.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from edge.core.facts_flow import Role
from edge.core.flow_policy import Entrance, Policy, Strategy

Count = Annotated[int, Meta(ge=1, le=1000)]
Minutes = Annotated[float, Meta(ge=0, le=525_600)]
Share = Annotated[float, Meta(gt=0, le=1)]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base: an unknown name is an error."""


class SaturatedRules(Rules, frozen=True, kw_only=True):
    """6.8 a). `idle_s` null or `strict`: an ordinary car waits for its two reserved ones for ever."""

    reserved: Annotated[int, Meta(ge=0, le=1000)] | UnsetType = UNSET
    ordinary: Count | UnsetType = UNSET
    idle_s: Annotated[float, Meta(ge=0, le=86400)] | UnsetType | None = UNSET
    strict: bool | UnsetType = UNSET


class FullRules(Rules, frozen=True, kw_only=True):
    """6.8 b): N out, one in."""

    out: Count | UnsetType = UNSET


class LaneRules(Rules, frozen=True, kw_only=True):
    """One entrance (5.3, 6.6)."""

    role: Role | UnsetType = UNSET
    ordinary: Strategy | UnsetType = UNSET


class RuleSet(Rules, frozen=True, kw_only=True):
    """All rules; see `flow_policy.Policy` for what each means and its default."""

    bands: tuple[Share, Share] | UnsetType = UNSET
    saturated: SaturatedRules | UnsetType = UNSET
    full: FullRules | UnsetType = UNSET
    priority: bool | UnsetType = UNSET
    schedule: tuple[str, str] | UnsetType = UNSET
    lanes: dict[Annotated[str, Meta(min_length=1)], LaneRules] | UnsetType = UNSET
    lock_min: Minutes | UnsetType | None = UNSET
    early_min: Minutes | UnsetType = UNSET
    keep_min: Annotated[int, Meta(ge=0, le=525_600)] | UnsetType = UNSET
    refuse_vehicles: tuple[Literal["large", "medium", "small"], ...] | UnsetType = UNSET


T = TypeVar("T", bound=Rules)


def overruled(base: T, over: T) -> T:
    """`base` with every rule that `over` names in place of its own; sections are gone through name by name."""
    changed: dict[str, Any] = {}
    for name in base.__struct_fields__:
        old, new = getattr(base, name), getattr(over, name)
        if isinstance(new, Rules) and isinstance(old, Rules):
            changed[name] = overruled(_without_rival(old, new), new)
        elif name == "lanes" and isinstance(old, dict) and isinstance(new, dict):
            changed[name] = {lane: overruled(rules, new.get(lane, LaneRules())) for lane, rules in old.items()}
        elif new is not UNSET:
            changed[name] = new
    return msgspec.structs.replace(base, **changed)


def _without_rival(old: Rules, new: Rules) -> Rules:
    """`strict` and `idle_s` answer one question: who names one overrules the other."""
    if isinstance(old, SaturatedRules) and isinstance(new, SaturatedRules):
        if new.strict is not UNSET:
            return msgspec.structs.replace(old, idle_s=UNSET)
        if new.idle_s is not UNSET:
            return msgspec.structs.replace(old, strict=UNSET)
    return old


def policy_of(rules: RuleSet) -> Policy:
    """The policy; what is left out has the standard's figure. Raises `ValueError` naming the field."""
    given: dict[str, Any] = {}
    for name in ("bands", "priority", "keep_min"):
        if (value := getattr(rules, name)) is not UNSET:
            given[name] = value
    for name in ("lock", "early"):
        if (value := getattr(rules, f"{name}_min")) is not UNSET:
            given[f"{name}_ms"] = None if value is None else round(value * 60_000)
    if isinstance(rules.saturated, SaturatedRules):
        given |= _saturated(rules.saturated)
    if isinstance(rules.full, FullRules) and rules.full.out is not UNSET:
        given["out"] = rules.full.out
    if not isinstance(rules.schedule, UnsetType):
        given["schedule_min"] = tuple(minute_of_day(text) for text in rules.schedule)
    if not isinstance(rules.refuse_vehicles, UnsetType):
        given["refused"] = frozenset(rules.refuse_vehicles)
    if isinstance(rules.lanes, dict):
        given["entrances"] = {name: _entrance(lane) for name, lane in rules.lanes.items()}
    return Policy(**given)


def _saturated(rules: SaturatedRules) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in ("reserved", "ordinary"):
        if (value := getattr(rules, name)) is not UNSET:
            given[name] = value
    if not isinstance(rules.idle_s, UnsetType):
        given["idle_ms"] = None if rules.idle_s is None else round(rules.idle_s * 1000)
    if rules.strict is True and isinstance(rules.idle_s, int | float):
        raise ValueError("saturated: strict 与 idle_s 只可写一个 only one of strict and idle_s is allowed")
    if rules.strict is True:
        given["idle_ms"] = None
    return given


def _entrance(rules: LaneRules) -> Entrance:
    given = {name: getattr(rules, name) for name in ("role", "ordinary") if getattr(rules, name) is not UNSET}
    return Entrance(**given)


def minute_of_day(text: str) -> int:
    """Minutes since midnight of "07:30". Raises `ValueError`."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError(f"schedule: {text!r} 不可, 须为 07:30 这样的时刻 is not allowed, a time of day like 07:30 is")
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
