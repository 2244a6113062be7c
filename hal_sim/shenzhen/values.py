"""One value against one row of a table: what is wrong with it, as field, value and what is allowed."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

from hal_sim.shenzhen import lists
from hal_sim.shenzhen.tables import Field
from hal_sim.strict_json import Fraction

INT_MIN, INT_MAX = -(2**31), 2**31 - 1  # table 1: Int, 4 bytes
FIRST_YEAR = 2001

_UUID = re.compile(r"[0-9a-fA-F]{32}")  # both cases stand in annex B (SC27)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_MONEY = re.compile(r"(0|[1-9]\d{0,11})\.\d\d", re.ASCII)  # 7.1.2 a) 1): yuan, two decimals
_VALUE = re.compile(r"(0|[1-9]\d{0,11})(\.\d{1,2})?", re.ASCII)  # the examples write a coupon of 3 yuan as 3
_PLATE = re.compile(r"[0-9A-Z\u4e00-\u9fff]{2,10}")  # no hyphen, unlike Qingdao (SC32)
_CODE = re.compile(r"[0-9A-Za-z]+", re.ASCII)

# What one value may be and is still worth counting: allowed by an example or a reading, wished otherwise.
NOTES = {
    "lot_as_number": "parkCode 写成数字 (SC24)",
    "plate_with_blank": "车牌号码带空格 (SC32)",
    "member_of_example": "仅示例中出现的字段 (SC35)",
    "latitude_impossible": "纬度超过 90 度 (SC60)",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one member, and the code of table 44 for it. `shape`: a member missing or unknown."""

    field: str
    value: str
    allowed: str
    code: int
    shape: bool = False

    def __str__(self) -> str:
        return f"{self.field}: {self.value} {self.allowed}"


def faults(fields: tuple[Field, ...], item: dict[str, object], notes: Counter[str], prefix: str = "") -> list[Fault]:
    """All that is wrong with an element, in the order of the table; unknown members last."""
    found: list[Fault] = []
    for field in fields:
        name = prefix + field.name
        if field.name not in item:
            if field.required:
                said = "缺少必填字段 required member is missing"
                found.append(Fault(name, "(无 none)", said, lists.BAD_NAME, shape=True))
            continue
        found += _faults_of(field, item[field.name], name, notes)
    known = {field.name for field in fields}
    found += [
        Fault(prefix + name, shown(value), "未知字段 unknown member", lists.BAD_NAME, shape=True)
        for name, value in item.items()
        if name not in known
    ]
    return found


def _faults_of(field: Field, value: object, name: str, notes: Counter[str]) -> list[Fault]:
    if field.example_only:
        notes["member_of_example"] += 1
    match field.form:
        case "object":
            if not isinstance(value, dict):
                return [_typed(name, value, "须为 Object, must be an object")]
            return faults(field.children, value, notes, f"{name}.")
        case "objects":
            if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
                return [_typed(name, value, "须为 List<Object>, must be an array of objects")]
            if field.required and not value:
                return [Fault(name, "[]", "必填, 不可为空 must not be empty", lists.OUT_OF_RANGE)]
            return [
                fault
                for place, one in enumerate(value)
                for fault in faults(field.children, one, notes, f"{name}[{place}].")
            ]
        case "uuids":
            if not isinstance(value, list):
                return [_typed(name, value, "须为 List<Uuid>, must be an array")]
            return [
                fault
                for place, one in enumerate(value)
                for fault in _faults_of(Field(f"{name}[{place}]", "uuid", 32), one, f"{name}[{place}]", notes)
            ]
        case "int" | "count":
            return _integer(field, value, name)
        case "double" | "money" | "value":
            return _number(field, value, name, notes)
        case "lot" if isinstance(value, int) and not isinstance(value, bool):
            notes["lot_as_number"] += 1  # an integer of any size loses no digit here
            return _string(field, str(value), name, notes)
        case _:
            return _string(field, value, name, notes)


def _typed(name: str, value: object, allowed: str) -> Fault:
    return Fault(name, shown(value), allowed, lists.BAD_TYPE)


def _integer(field: Field, value: object, name: str) -> list[Fault]:
    if not isinstance(value, int) or isinstance(value, bool):
        return [_typed(name, value, "须为 Int, must be an integer")]
    if field.one_of is not None and value not in field.one_of:
        listed = ", ".join(str(one) for one in sorted(field.one_of))
        return [Fault(name, str(value), f"不在取值范围 is not one of {listed}", lists.OUT_OF_RANGE)]
    low = 0 if field.form == "count" else INT_MIN
    if not low <= value <= INT_MAX:
        return [Fault(name, str(value), f"超出范围 must be {low} to {INT_MAX}", lists.OUT_OF_RANGE)]
    return []


def _number(field: Field, value: object, name: str, notes: Counter[str]) -> list[Fault]:
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        return [_typed(name, value, "须为 Number, must be a number")]
    written = value.written if isinstance(value, Fraction) else str(value)
    if field.form == "money" and not _MONEY.fullmatch(written):
        said = "须为 Decimal, 两位小数, 不为负: must have exactly two decimals and not be negative"
        return [Fault(name, written, said, lists.BAD_TYPE)]
    if field.form == "value" and not _VALUE.fullmatch(written):
        said = "至多两位小数, 不为负: must have at most two decimals and not be negative"
        return [Fault(name, written, said, lists.BAD_TYPE)]
    size = abs(Decimal(written))
    if field.name in ("longitude", "latitude") and size > 180:
        return [Fault(name, written, "须在 must be -180 to 180", lists.OUT_OF_RANGE)]
    if field.name == "latitude" and size > 90:
        notes["latitude_impossible"] += 1  # B.7 and B.8 print 115: coordinates exchanged or made up
    return []


def _string(field: Field, value: object, name: str, notes: Counter[str]) -> list[Fault]:
    if not isinstance(value, str):
        return [_typed(name, value, "须为 String, must be a string")]
    if value == "" and not field.required and field.form in ("text", "base64"):
        return []  # B.7 sends an empty remark
    if value.strip() == "":
        return [Fault(name, shown(value), "不可为空 must not be empty", lists.OUT_OF_RANGE)]
    if field.max_chars is not None and len(value) > field.max_chars:
        said = f"长度 {len(value)} 超过 longer than {field.max_chars} 个字符 characters"
        return [Fault(name, shown(value), said, lists.TOO_LONG)]
    wrong: tuple[str, int] | None = None
    match field.form:
        case "uuid" if not _UUID.fullmatch(value):
            wrong = ("须为 32 位十六进制 must be 32 hex digits without hyphens", lists.BAD_NAME)
        case "lot" if not _CODE.fullmatch(value):
            wrong = ("须为字母数字 must be letters and digits", lists.BAD_LOT)
        case "stall" if not _CODE.fullmatch(value):
            wrong = ("须为字母数字 must be letters and digits", lists.BAD_STALL)
        case "datetime" if moment(value) is None:
            wrong = ("须为 must be yyyy-MM-dd HH:mm:ss", lists.BAD_TYPE)
        case "plate":
            if value != value.replace(" ", ""):
                notes["plate_with_blank"] += 1
            if not _PLATE.fullmatch(value.replace(" ", "")):
                wrong = ("车牌号码不带连字符与小写 a plate has no hyphen and no small letter", lists.BAD_NAME)
        case "colour" if value not in lists.PLATE_COLOURS:
            wrong = (f"须为 must be one of {' '.join(sorted(lists.PLATE_COLOURS))}", lists.OUT_OF_RANGE)
        case "base64" if not _is_base64(value):
            wrong = ("须为 Base64 must be Base64", lists.BAD_TYPE)
        case "https" if not _is_https(value):
            wrong = ("须为 HTTPS 地址 must be an https address", lists.OUT_OF_RANGE)
    return [] if wrong is None else [Fault(name, shown(value), wrong[0], wrong[1])]


def moment(written: str) -> datetime | None:
    """The time that `yyyy-MM-dd HH:mm:ss` names (Beijing time without zone, SC26), or None."""
    if not _DATETIME.fullmatch(written):
        return None
    try:
        named = datetime.strptime(written, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the standard's times carry no zone
    except ValueError:
        return None
    return named if named.year >= FIRST_YEAR else None


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_https(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme == "https" and bool(parts.hostname)


def shown(value: object) -> str:
    """A value as the sender wrote it, not endless."""
    if isinstance(value, Fraction):
        return value.written[:40]
    words = json.dumps(value, ensure_ascii=False, default=lambda other: getattr(other, "written", repr(other)))
    return words if len(words) <= 40 else words[:37] + "..."
