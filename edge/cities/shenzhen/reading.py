"""Reading: members of what the platform sends, taken generously and judged by name (T/SZPIA 001-2020 7.1.2). Pure.

A number may be text and a text may be a number (SC18, SC24), plates may hold blanks (SC32), dates may lack the time
(SC44). What cannot be taken has a code of table 44 and names the member.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from edge.cities.shenzhen.codes import LENGTH, RANGE, TYPE

# Larger numbers mean nothing in any table, and Decimal would go on for ever.
_DIGITS_MAX = 30

# An order's instants: the year 2000 to the year 2100.
_FROM = datetime(2000, 1, 1, tzinfo=UTC)
_TO = datetime(2100, 1, 1, tzinfo=UTC)


class BadMember(ValueError):
    """A member of an order that cannot be taken: its code of table 44, and words for the answer."""

    def __init__(self, code: int, name: str, value: object, zh: str) -> None:
        super().__init__(f"{name} = {str(value)[:40]!r}: {zh}")
        self.code = code


_NUMBERS = msgspec.json.Decoder(float_hook=Decimal)


def decode(text: bytes) -> Any:
    """JSON with its numbers whole. Raises `msgspec.DecodeError`, `UnicodeDecodeError` or `RecursionError`."""
    return _NUMBERS.decode(text)


class Members:
    """One JSON object of an order. Getters raise `BadMember`."""

    def __init__(self, value: object, place: str = "") -> None:
        if not isinstance(value, dict):
            raise BadMember(TYPE, place or "data", value, "须为对象 must be an object")
        self._value: dict[str, Any] = value
        self._place = f"{place}." if place else ""

    def has(self, name: str) -> bool:
        return self._value.get(name) not in (None, "")

    def part(self, name: str) -> Members:
        return Members(self._value.get(name), self._place + name)

    def text(self, name: str, length: int, *, required: bool = True) -> str:
        """Stripped; a number's digits all kept. "" only when not required."""
        value = self._value.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is None or value == "":
            if required:
                raise self._bad(TYPE, name, value, "缺少 is missing")
            return ""
        if not isinstance(value, str):
            raise self._bad(TYPE, name, value, "须为文字 must be text")
        value = value.strip()
        if not value and required:
            raise self._bad(TYPE, name, value, "缺少 is missing")
        if len(value) > length:
            raise self._bad(LENGTH, name, value, f"最长 {length} at most {length} characters")
        if not value.isprintable():
            raise self._bad(RANGE, name, value, "含控制字符 has control characters")
        return value

    def choice(self, name: str, allowed: Collection[int], default: int | None = None) -> int:
        number = self.number(name) if default is None or self.has(name) else Decimal(default)
        if number not in allowed:
            raise self._bad(RANGE, name, number, f"须为 must be one of {', '.join(map(str, sorted(allowed)))}")
        return int(number)

    def whole(self, name: str, low: int, high: int) -> int:
        number = self.number(name)
        if number != number.to_integral_value() or not low <= number <= high:
            raise self._bad(RANGE, name, number, f"须为 {low}..{high} 的整数 must be a whole number of {low}..{high}")
        return int(number)

    def number(self, name: str) -> Decimal:
        value = self._value.get(name)
        if isinstance(value, str):
            value = value.strip()
        if value is None or value == "":
            raise self._bad(TYPE, name, value, "缺少 is missing")
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal) or len(str(value)) > _DIGITS_MAX:
            raise self._bad(TYPE, name, value, "须为数 must be a number")
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise self._bad(TYPE, name, value, "须为数 must be a number") from None
        if not number.is_finite() or abs(number.adjusted()) > _DIGITS_MAX:
            raise self._bad(TYPE, name, value, "须为数 must be a number")
        return number

    def instant_ms(self, name: str, zone_h: float, *, end_of_day: bool = False) -> int:
        """UTC ms of a DateTime, or of a date: its beginning, or its last second (SC44)."""
        text = self.text(name, 30).replace("T", " ")
        zone = timezone(timedelta(hours=zone_h))
        try:
            if len(text) == len("yyyy-MM-dd"):
                at = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
                at += timedelta(days=1, seconds=-1) if end_of_day else timedelta()
            else:
                at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
        except ValueError:
            raise self._bad(TYPE, name, text, "须为 must be yyyy-MM-dd HH:mm:ss") from None
        if not _FROM <= at < _TO:
            raise self._bad(RANGE, name, text, "须在 2000 到 2099 年 must be of the years 2000 to 2099")
        return round(at.timestamp() * 1000)

    def _bad(self, code: int, name: str, value: object, zh: str) -> BadMember:
        return BadMember(code, self._place + name, value, zh)


def date_time(wall_ms: int, zone_h: float) -> str:
    """yyyy-MM-dd HH:mm:ss, milliseconds cut off (SC25, SC26)."""
    zone = timezone(timedelta(hours=zone_h))
    return datetime.fromtimestamp(wall_ms // 1000, tz=zone).replace(tzinfo=None).isoformat(" ")
