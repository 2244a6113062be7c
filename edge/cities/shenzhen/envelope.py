"""Envelope: the bytes of one request with their sign, and what an answer says (T/SZPIA 001-2020 7.1.4.1.1 e, f). Pure.

Data is serialised once, sorted; those bytes are signed and those bytes are sent. The timestamp is that of each sending
(SC17). An answer is read generously: codes as number or text, missing codes, `data` as null or missing (SC18 to SC23).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from edge.cities.shenzhen.sign import Signing

CONTENT_TYPE = "application/json;charset=UTF-8"  # Annex B

# An answer's own words are shown to people and kept in the queue: not more than this of them.
WORDS_MAX = 200

# SC23: by which member an answer names its record; for requests the path to it.
RECORD_ID: Mapping[str, tuple[str, ...]] = {
    "3001": ("parkInfo", "parkCode"),
    "3002": ("entranceExitInfo", "id"),
    "3005": ("permitNo",),
    "5003": ("parkCode",),
}
_ID = ("id",)

TimeUnit = Literal["s", "ms"]


class Request(msgspec.Struct, frozen=True):
    """Ready to be sent as it is. `token` is the one in its header, "" for 1001."""

    kind: str
    path: str
    body: bytes
    authorization: str = ""
    token: str = ""
    record_ids: tuple[str, ...] = ()
    """As an answer will name them, "" where the record names none."""

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Content-Type": CONTENT_TYPE}
        if self.authorization:
            headers["Authorization"] = self.authorization
        return headers


class Element(msgspec.Struct, frozen=True):
    """What the answer says about one record. `code` 0 is success; `record_id` "": it names none."""

    record_id: str
    code: int
    message: str
    members: dict[str, Any]


class Reply(msgspec.Struct, frozen=True):
    result_code: int
    message: str
    elements: tuple[Element, ...]


class ReplyError(ValueError):
    """An answer that is none: not JSON, no object, no resultCode, a member of the wrong type."""


def request_body(elements: Sequence[bytes], signing: Signing, wall_ms: int, unit: TimeUnit = "s") -> bytes:
    """Table 12 around `elements`, each sorted JSON already."""
    data = b"[" + b",".join(elements) + b"]"
    head = f'{{"timestamp":{stamp(wall_ms, unit)},"sign":"{signing.of(data, len(elements))}","data":'
    return head.encode() + data + b"}"


def stamp(wall_ms: int, unit: TimeUnit) -> int:
    """SC16: table 1 prints seconds since 1970."""
    return wall_ms if unit == "ms" else wall_ms // 1000


def record_id(kind: str, body: bytes) -> str:
    """By which the answer will name the record."""
    value: Any = msgspec.json.decode(body)
    for name in RECORD_ID.get(kind, _ID):
        value = value.get(name) if isinstance(value, dict) else None
    return _text(value)


def parse_reply(body: bytes) -> Reply:
    """Raises `ReplyError`, and nothing else, for what is no answer."""
    top = _decoded(body)
    if not isinstance(top, dict):
        raise ReplyError(f"answer is {type(top).__name__}, a JSON object is expected")
    if top.get("resultCode") is None:
        raise ReplyError("resultCode is missing")
    return Reply(
        integer(top["resultCode"], "resultCode"),
        _words(top.get("resultMsg")),
        tuple(_element(entry) for entry in _entries(top.get("data"))),
    )


def _decoded(body: bytes) -> object:
    """JSON of any Content-Type, a byte order mark and JSON text in a JSON string included."""
    value: object = body.removeprefix(b"\xef\xbb\xbf")
    for _ in range(3):
        if not isinstance(value, str | bytes):
            break
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ReplyError(f"not JSON: {error}") from None
    return value


def _entries(value: object) -> list[dict[str, Any]]:
    """SC22: a list, one object, null or missing."""
    if value is None or value == "":
        return []
    entries: list[dict[str, Any]] = []
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, dict):
            raise ReplyError(f"data holds {type(entry).__name__}, a JSON object is expected")
        entries.append(entry)
    return entries


def _element(entry: dict[str, Any]) -> Element:
    """SC19: a missing code in an answer with resultCode 0 is success."""
    code = entry.get("code")
    named = next((entry[name] for name in ("id", "permitNo", "parkCode") if entry.get(name)), "")
    return Element(
        _text(named), 0 if code is None or code == "" else integer(code, "code"), _words(entry.get("message")), entry
    )


def integer(value: object, name: str) -> int:
    """SC18: a number, or its text. Raises `ReplyError`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        digits = text.removeprefix("-")
        if digits.isdecimal() and digits.isascii() and len(digits) <= 18:
            return int(text)
    raise ReplyError(f"{name} = {str(value)[:40]!r}: a number is expected")


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""


def _words(value: object) -> str:
    """The platform's own words for people: any type, one line, bounded."""
    text = "" if value is None else str(value)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:WORDS_MAX]
