"""Replay lines: JSON in, decisions out (docs/flow.md). No IO: `Replay.line` takes one line and returns lines.

`t` is in seconds. Below 100,000,000 it counts from a local midnight, else from 1970 (UTC); it matters for what is said
of clock times and for a schedule alone.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from edge.core.decoder_words import in_words
from edge.core.facts_flow import Role, Vehicle
from edge.core.flow_oddities import Oddities
from edge.core.flow_policy import DAY_MS, SHANGHAI_MS
from edge.core.flow_rules import RuleSet, overruled, policy_of
from edge.core.flow_run import (
    Arrive,
    Book,
    Cancel,
    Confirm,
    Count,
    Entered,
    FlowDecision,
    FlowEvent,
    FlowRun,
    Gone,
    Left,
    Pause,
    Priority,
    SetRole,
)
from edge.core.flow_words import clock_text, words

EPOCH_FROM_S = 100_000_000
"""March 1973: no replay begins before it in epoch seconds, and none lasts three years in seconds of a day."""

Seconds = Annotated[float, Meta(ge=0, le=4_102_444_800)]
Text = Annotated[str, Meta(min_length=1, max_length=100)]
Parked = Annotated[int, Meta(ge=0, le=1_000_000)]


class BadLine(ValueError):
    """A line that cannot be replayed, and why."""


class _Line(msgspec.Struct, frozen=True, tag_field="ev", forbid_unknown_fields=True, kw_only=True):
    t: Seconds


class _Config(RuleSet, frozen=True, tag_field="ev", tag="config", kw_only=True):
    t: Seconds = 0
    total: Annotated[int, Meta(ge=1, le=1_000_000)]
    parked: Parked = 0


class _Arrive(_Line, frozen=True, tag="arrive", kw_only=True):
    lane: Text
    plate: Text
    vehicle: Vehicle = ""


class _Entered(_Line, frozen=True, tag="entered", kw_only=True):
    lane: Text
    plate: Text


class _Gone(_Line, frozen=True, tag="gone", kw_only=True):
    lane: Text
    plate: Text


class _Left(_Line, frozen=True, tag="left", kw_only=True):
    """An exit. Where and who may be said and decides nothing."""

    lane: str = ""
    plate: str = ""


class _Book(_Line, frozen=True, tag="book", rename={"from_": "from"}, kw_only=True):
    code: Text
    plate: Text
    from_: Seconds
    until: Seconds
    keep_min: Annotated[float, Meta(ge=0, le=525_600)] | UnsetType = UNSET


class _Confirm(_Line, frozen=True, tag="confirm", kw_only=True):
    code: Text


class _Cancel(_Line, frozen=True, tag="cancel", kw_only=True):
    code: Text


class _Priority(_Line, frozen=True, tag="priority", kw_only=True):
    on: bool


class _Role(_Line, frozen=True, tag="role", kw_only=True):
    lane: Text
    role: Role
    until: Seconds | UnsetType = UNSET


class _Count(_Line, frozen=True, tag="count", kw_only=True):
    parked: Parked


class _Tick(_Line, frozen=True, tag="tick", kw_only=True):
    pass


_AnyLine = (
    _Config | _Arrive | _Entered | _Gone | _Left | _Book | _Confirm | _Cancel | _Priority | _Role | _Count | _Tick
)
_LINE = msgspec.json.Decoder(_AnyLine)


class Said(msgspec.Struct, frozen=True):
    """One line of output."""

    t: float
    lane: str
    plate: str
    decision: Literal["admit", "wait", "refuse", "ask"]
    state: Literal["free", "saturated", "full"]
    rule: str
    zh: str
    en: str


class Replay:
    """Feeds lines to a `FlowRun`. `overrules` is a policy file's rule set: it overrules the config line's."""

    def __init__(self, overrules: RuleSet | None = None) -> None:
        self.oddities = Oddities()
        self._overrules = overrules
        self._run: FlowRun | None = None
        self._t_s = 0.0
        self._base_ms = 0

    def line(self, text: str | bytes) -> list[bytes]:
        """Lines (without their ends) that this one brings. Raises `BadLine`."""
        try:
            line = _LINE.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadLine(_bad(error)) from error
        if isinstance(line, _Config):
            self._begin(line)
            return []
        if self._run is None:
            raise BadLine("ev: 第一行须为 config, the first line must be config")
        if line.t < self._t_s:
            least = f"{self._t_s:g}"
            raise BadLine(f"t: {line.t:g} 不可, 须不小于 {least} (时间不倒流) is not allowed, {least} or more is: "
                          "time does not go backwards")
        t_ms = _ms(line.t)
        parked = self._run.flow.parked
        try:
            event = self._event(line)
            made = self._run.feed(t_ms, event)
        except ValueError as error:
            raise BadLine(str(error)) from error
        self.oddities.note(event, parked, line.plate if isinstance(line, _Left) else "")
        for decision in made:
            if decision.judgement.decision == "refuse":
                self.oddities.turned_away(decision.judgement.plate)
        self._t_s = line.t
        return [self._said(decision, t_ms, line.t) for decision in made]

    def _begin(self, config: _Config) -> None:
        if self._run is not None:
            raise BadLine("ev: config 只可在第一行出现一次 is allowed once, as the first line")
        rules = RuleSet(**{name: getattr(config, name) for name in RuleSet.__struct_fields__})
        if not isinstance(rules.lanes, dict) or not rules.lanes:
            raise BadLine("lanes: 缺少, 至少要一个入口 missing, at least one entrance is needed")
        if self._overrules is not None:
            named = self._overrules.lanes
            unknown = sorted(set(named) - set(rules.lanes)) if isinstance(named, dict) else []
            if unknown:
                names = ", ".join(unknown)
                raise BadLine(f"lanes: 规则文件中的 {names} 不在本行 the policy file names {names}, not in this line")
            rules = overruled(rules, self._overrules)
        self._t_s = config.t
        self._base_ms = 0 if config.t >= EPOCH_FROM_S else DAY_MS - SHANGHAI_MS  # t 0 is a local midnight
        try:
            self._run = FlowRun(policy_of(rules), config.total, config.parked, _ms(config.t), self._base_ms)
        except ValueError as error:
            raise BadLine(str(error)) from error

    def _event(self, line: _AnyLine) -> FlowEvent:
        match line:
            case _Arrive():
                return Arrive(line.lane, line.plate, line.vehicle)
            case _Entered():
                return Entered(line.lane, line.plate)
            case _Gone():
                return Gone(line.lane, line.plate)
            case _Left():
                return Left()
            case _Book():
                return self._book(line)
            case _Confirm():
                return Confirm(line.code)
            case _Cancel():
                return Cancel(line.code)
            case _Priority():
                return Priority(line.on)
            case _Role(until=until):
                until_ms = 0 if isinstance(until, UnsetType) else self._base_ms + _ms(until)
                return SetRole(line.lane, line.role, until_ms)
            case _Count():
                return Count(line.parked)
        return Pause()

    def _book(self, line: _Book) -> Book:
        assert self._run is not None
        if line.until < line.from_:
            least = f"{line.from_:g}"
            raise ValueError(f"until: {line.until:g} 不可 is not allowed, 须不小于 {least} (from) or more is")
        policy_min = self._run.flow.policy.keep_min
        keep_min = policy_min if isinstance(line.keep_min, UnsetType) else line.keep_min
        base_ms = self._base_ms
        return Book(
            line.code, line.plate, base_ms + _ms(line.from_), base_ms + _ms(line.until), round(keep_min * 60_000)
        )

    def _said(self, decision: FlowDecision, t_ms: int, t_s: float) -> bytes:
        assert self._run is not None
        judgement = decision.judgement
        zh, en = words(self._run.flow, judgement, clock_text, decision.vehicle)
        at_s = t_s if decision.t_ms == t_ms else decision.t_ms / 1000
        at_s = int(at_s) if at_s == int(at_s) else at_s
        return msgspec.json.encode(
            Said(at_s, judgement.lane, judgement.plate, judgement.decision, judgement.state, judgement.rule, zh, en)
        )


def _bad(error: Exception) -> str:
    where, zh, en = in_words(error, _AnyLine)
    return f"{where}: {zh} {en}" if where else f"{zh} {en}"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


