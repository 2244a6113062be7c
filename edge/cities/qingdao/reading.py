"""Reading: members of what the city sends, taken generously and judged by name (T/QME 0015-2024 B.1, B.4). Pure.

A number may be text and a text may be a number (QC18), an object may be JSON text (QC19, QC54, QC55), a plate may have
hyphen, dot or blanks (QC39), an instant has one of five forms (QC88). What cannot be taken is a `BadMember` that names
the member, its value and what is allowed.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from edge.core.clock import CHINA
from edge.core.plates import normalise

# Larger numbers mean nothing in any table, and Decimal would go on for ever.
_DIGITS_MAX = 30

# car_no: String 20 (line 672).
_PLATE_MAX = 20

# JSON text in a member, itself in a member: nobody has seen it deeper than once.
_WRAPPED_MAX = 2

# Instants: the year 2000 to the year 2099.
_FROM_MS, _TO_MS = 946_656_000_000, 4_102_416_000_000

# Decimal(12,2) yuan.
_FEN_MAX = 10**12 - 1

# QC88, the forms with digits in a fixed place. QC68: one-digit hours, which strptime takes.
_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y%m%d%H%M%S")
_DATE = "%Y-%m-%d"

_NUMBERS = msgspec.json.Decoder(float_hook=Decimal)


class BadMember(ValueError):
    """A member that cannot be taken; the text names it, its value and what is allowed, in both languages."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name} = {str(value)[:40]!r}: {allowed}")
        self.name = name


def decode(text: bytes | str) -> Any:
    """JSON with its numbers whole. Raises `msgspec.DecodeError`, `UnicodeDecodeError` or `RecursionError`."""
    return _NUMBERS.decode(text)


def unwrapped(value: object, name: str) -> object:
    """QC19: an object or a list, or JSON text of either. Raises `BadMember`."""
    for _ in range(_WRAPPED_MAX):
        if not isinstance(value, str) or not value.strip():
            break
        try:
            value = decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadMember(name, value, "须为对象或 JSON 文本 must be an object or JSON text") from None
    return value


class Members:
    """One JSON object, or JSON text of one. Getters raise `BadMember`."""

    def __init__(self, value: object, place: str = "") -> None:
        value = unwrapped(value, place or "data_items")
        if not isinstance(value, dict):
            raise BadMember(place or "data_items", value, "须为对象 must be an object")
        self._value: dict[str, Any] = value
        self._place = f"{place}." if place else ""

    def has(self, name: str) -> bool:
        return self._value.get(name) not in (None, "")

    def value_of(self, name: str) -> object:
        """As it came, unjudged."""
        return self._value.get(name)

    def first_of(self, *names: str) -> str:
        """The spelling that is there (QC59, QC61); the first when none is."""
        return next((name for name in names if self.has(name)), names[0])

    def part(self, name: str) -> Members:
        return Members(self._value.get(name), self._place + name)

    def parts(self, name: str, most: int) -> list[Members]:
        """A list of objects, or one object (QC51); JSON text of either; missing or empty: none."""
        if not self.has(name):
            return []
        value = unwrapped(self._value.get(name), self._place + name)
        entries = value if isinstance(value, list) else [value]
        if len(entries) > most:
            raise self._bad(name, f"{len(entries)} 项", f"最多 {most} 项 at most {most} entries")
        return [Members(entry, f"{self._place}{name}[{place}]") for place, entry in enumerate(entries)]

    def names(self, name: str, most: int, length: int) -> tuple[str, ...]:
        """QC90: texts, or objects with an `item_id`, `id` or `region_id`; kept as texts."""
        value = unwrapped(self._value.get(name), self._place + name) if self.has(name) else []
        entries = value if isinstance(value, list) else [value]
        if len(entries) > most:
            raise self._bad(name, f"{len(entries)} 项", f"最多 {most} 项 at most {most} entries")
        found = []
        for place, entry in enumerate(entries):
            one = Members(entry if isinstance(entry, dict) else {"item_id": entry}, f"{self._place}{name}[{place}]")
            found.append(one.text(one.first_of("item_id", "region_id", "id"), length))
        return tuple(found)

    def text(self, name: str, length: int, *, required: bool = True) -> str:
        """Stripped; a number's digits all kept. "" only when not required."""
        value = self._value.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is None or value == "":
            if required:
                raise self._bad(name, value, "缺少 is missing")
            return ""
        if not isinstance(value, str):
            raise self._bad(name, value, "须为文字 must be text")
        value = value.strip()
        if not value and required:
            raise self._bad(name, value, "缺少 is missing")
        if len(value) > length:
            raise self._bad(name, value, f"最长 {length} 个字符 at most {length} characters")
        if not value.isprintable():
            raise self._bad(name, value, "含控制字符 has control characters")
        return value

    def raw_text(self, name: str, length: int) -> str:
        """JSON text as it stands, or an object or list made text again (QC55)."""
        value = self._value.get(name)
        text = msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value
        if not isinstance(text, str) or not text.strip():
            raise self._bad(name, value, "须为 JSON 文本 must be JSON text")
        if len(text) > length:
            raise self._bad(name, value, f"最长 {length} 个字符 at most {length} characters")
        return text

    def plate(self, name: str, *, required: bool = True) -> str:
        """As it stands in facts (鲁B12345); "" only when not required and not given."""
        text = self.text(name, _PLATE_MAX, required=required)
        plate = normalise(text)
        if text and not plate:
            raise self._bad(name, text, "不是车牌 is no plate")
        if len(plate) > _PLATE_MAX:  # one character may stand for many
            raise self._bad(name, text, f"最长 {_PLATE_MAX} 个字符 at most {_PLATE_MAX} characters")
        return plate

    def word(self, name: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of an enumeration of texts."""
        if default is not None and not self.has(name):
            return default
        text = self.text(name, 50)
        if text not in allowed:
            raise self._bad(name, text, f"须为 must be one of {', '.join(allowed)}")
        return text

    def choice(self, name: str, allowed: Collection[int], default: int | None = None) -> int:
        number = self.number(name) if default is None or self.has(name) else Decimal(default)
        if number not in allowed:
            raise self._bad(name, number, f"须为 must be one of {', '.join(map(str, sorted(allowed)))}")
        return int(number)

    def whole(self, name: str, low: int, high: int) -> int:
        number = self.number(name)
        if number != number.to_integral_value() or not low <= number <= high:
            raise self._bad(name, number, f"须为 {low}..{high} 的整数 must be a whole number of {low}..{high}")
        return int(number)

    def yuan_fen(self, name: str, *, signed: bool = False) -> int:
        """Decimal(12,2) yuan as whole fen; a third decimal is refused, never rounded."""
        fen = self.number(name) * 100
        if fen != fen.to_integral_value() or not (-_FEN_MAX if signed else 0) <= fen <= _FEN_MAX:
            raise self._bad(name, self._value.get(name), "须为元, 最多两位小数 must be yuan with at most two decimals")
        return int(fen)

    def number(self, name: str) -> Decimal:
        value = self._value.get(name)
        if isinstance(value, str):
            value = value.strip()
        if value is None or value == "":
            raise self._bad(name, value, "缺少 is missing")
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal) or len(str(value)) > _DIGITS_MAX:
            raise self._bad(name, value, "须为数 must be a number")
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise self._bad(name, value, "须为数 must be a number") from None
        if not number.is_finite() or abs(number.adjusted()) > _DIGITS_MAX:
            raise self._bad(name, value, "须为数 must be a number")
        return number

    def instant_ms(self, name: str, *, end_of_day: bool = False) -> int:
        """UTC ms (QC88, QC106): a date-time of Beijing, a date (its beginning or its last second), or 10 or 13 digits
        since 1970."""
        text = self.text(name, 30).replace("T", " ").replace("/", "-")
        at_ms = _instant_ms(text, end_of_day)
        if at_ms is None:
            raise self._bad(name, text, "须为 must be yyyy-MM-dd HH:mm:ss, yyyy-MM-dd, yyyyMMddHHmmss or 10/13 digits")
        if not _FROM_MS <= at_ms < _TO_MS:
            raise self._bad(name, text, "须在 2000 到 2099 年 must be of the years 2000 to 2099")
        return at_ms

    def _bad(self, name: str, value: object, allowed: str) -> BadMember:
        return BadMember(self._place + name, value, allowed)


def _instant_ms(text: str, end_of_day: bool) -> int | None:
    if text.isascii() and text.isdecimal() and len(text) in (10, 13):
        return int(text) * (1000 if len(text) == 10 else 1)
    for form in _FORMS:
        try:
            return round(datetime.strptime(text, form).replace(tzinfo=CHINA).timestamp() * 1000)
        except ValueError:
            continue
    try:
        day = datetime.strptime(text, _DATE).replace(tzinfo=CHINA)
    except ValueError:
        return None
    return round((day + (timedelta(days=1, seconds=-1) if end_of_day else timedelta())).timestamp() * 1000)
