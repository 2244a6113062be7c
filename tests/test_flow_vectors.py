"""`parkbox flow` against cases computed by hand, rule by rule (tests/vectors/flow)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edge.core.flow_lines import Replay

VECTORS = Path(__file__).parent / "vectors" / "flow" / "rules.txt"
LANES = {
    "in1": {"role": "reserved"},
    "in2": {"role": "mixed", "ordinary": "rules"},
    "in3": {"role": "ordinary", "ordinary": "wait"},
    "in4": {"role": "mixed", "ordinary": "ask"},
}
FIELDS = {
    "arrive": ("lane", "plate", "vehicle"), "entered": ("lane", "plate"), "gone": ("lane", "plate"), "left": (),
    "book": ("code", "plate", "from", "until", "keep_min"), "confirm": ("code",), "cancel": ("code",),
    "priority": ("on",), "role": ("lane", "role", "until"), "count": ("parked",), "tick": (),
}  # fmt: skip
NUMBERS = {"from", "until", "keep_min", "parked"}


class Case(NamedTuple):
    name: str
    lines: list[tuple[str, list[tuple[Any, ...]]]]
    """A line, and what must come out of it: t, lane, plate, decision, state, rule."""


def value_of(name: str, text: str) -> Any:
    if name == "on":
        return {"on": True, "off": False}[text]
    return float(text) if name in NUMBERS - {"parked"} else int(text) if name == "parked" else text


def line_of(text: str) -> str:
    if text.startswith("config "):
        return json.dumps({"t": 0, "ev": "config", "lanes": LANES} | json.loads(text[len("config "):]))
    words = text.split()
    if words[-1].startswith("@"):  # "book ... @0": an event whose time stands behind it
        words = [words[-1][1:], *words[:-1]]
    at, event, *values = words
    named = {name: value_of(name, text) for name, text in zip(FIELDS[event], values, strict=False)}
    assert len(named) == len(values), text
    return json.dumps({"t": float(at), "ev": event} | named)


def cases() -> Iterator[Case]:
    case: Case | None = None
    for raw in VECTORS.read_text(encoding="utf-8").splitlines():
        text = raw.strip()
        if text.startswith("== "):
            if case is not None:
                yield case
            case = Case(text[3:], [])
        elif case is not None and text.startswith("> "):
            at, lane, plate, decision, state, rule = text[2:].split()
            case.lines[-1][1].append((float(at), lane, plate, decision, state, rule))
        elif case is not None and text and not text.startswith("#"):
            case.lines.append((line_of(text), []))
    assert case is not None
    yield case


CASES = list(cases())


def test_the_vectors_are_all_there() -> None:
    assert len(CASES) >= 35
    assert sum(len(expected) for case in CASES for _, expected in case.lines) >= 80


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_replay_says_what_the_rules_say(case: Case) -> None:
    replay = Replay()
    for line, expected in case.lines:
        said = [json.loads(text) for text in replay.line(line)]
        assert [
            (each["t"], each["lane"], each["plate"], each["decision"], each["state"], each["rule"]) for each in said
        ] == expected, line
        for each in said:
            assert set(each) == {"t", "lane", "plate", "decision", "state", "rule", "zh", "en"}
            assert each["zh"]
            assert each["en"]
