"""JSON as a strict city reads it: UTF-8 only, no NaN, no member twice, and numbers keep the text they came as."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fraction:
    """A JSON number with a point or an exponent, as written."""

    written: str


def decode(raw: bytes) -> object:
    """Strict JSON in UTF-8: ValueError says what is wrong; so are NaN and a member named twice."""
    words = raw.decode("utf-8")
    try:
        value = json.loads(words, parse_float=Fraction, parse_constant=_no_constant, object_pairs_hook=_once_each)
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")  # half a surrogate pair is no character
    except RecursionError as error:
        raise ValueError("嵌套太深 nested too deeply") from error
    decoded: object = value
    return decoded


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} 不是 JSON is not JSON")


def _once_each(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"{name}: 出现两次 member named twice")
        members[name] = value
    return members
