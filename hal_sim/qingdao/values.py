"""One value against one row of a table: what is wrong with it, in words that name the field, or None.

The JSON type is the one the table prints. A number with a fraction keeps its text, because "保留两位小数" can
only be judged on the text: 5.0 and 5.00 are one number and two spellings.
"""

from __future__ import annotations

import json
import re
from datetime import datetime

from hal_sim.qingdao.lists import PROVINCES
from hal_sim.qingdao.tables import Field
from hal_sim.strict_json import Fraction

INT_MIN, INT_MAX = -(2**31), 2**31 - 1  # B.1: Int; the upper bound is printed one too high
# Before the first instant whose milliseconds have 13 digits (2001-09-09) there is no valid timestamp either.
FIRST_YEAR = 2001

_GUID = re.compile(r"[0-9a-fA-F]{32}")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_HHMM = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_MONEY = re.compile(r"(0|[1-9]\d{0,9})\.\d\d", re.ASCII)  # Decimal(12,2): 12 digits, the last 2 decimals
_PLATE_REST = re.compile(r"-[0-9A-Z\u4e00-\u9fff]{2,8}")


def faults(fields: tuple[Field, ...], item: dict[str, object], prefix: str = "") -> list[str]:
    """All that is wrong with a record, in the order of the table; unknown members last."""
    found = []
    for field in fields:
        name = prefix + field.name
        if field.name not in item:
            if field.required:
                found.append(f"{name}: 缺少必填字段 required member is missing")
            continue
        fault = _fault(field, item[field.name], name)
        if fault is not None:
            found.append(fault)
    known = {field.name for field in fields}
    found += [f"{prefix}{name}: 未知字段 unknown member" for name in item if name not in known]
    return found


def _fault(field: Field, value: object, name: str) -> str | None:
    if field.may_be_null and (value is None or value == "NULL"):
        return None
    match field.form:
        case "int" | "count":
            return _integer(field, value, name)
        case "stamp":
            if _is_int(value) and len(str(value)) == 13 and int(str(value)) > 0:
                return None
            return f"{name}: {_shown(value)} 须为 13 位毫秒数, must be a 13-digit number of milliseconds"
        case "flag":
            if isinstance(value, bool):
                return None
            return f"{name}: {_shown(value)} 须为 Boolean, must be true or false"
        case "money":
            if isinstance(value, Fraction) and _MONEY.fullmatch(value.written):
                return None
            return (
                f"{name}: {_shown(value)} 须为 Decimal(12,2) 数字、两位小数、不为负, "
                "must be a number of at most 12 digits with exactly two decimals, not negative"
            )
        case "object":
            if not isinstance(value, dict):
                return f"{name}: {_shown(value)} 须为 Object, must be an object"
            return next(iter(faults(field.children, value, f"{name}.")), None)
        case _:
            return _string(field, value, name)


def _integer(field: Field, value: object, name: str) -> str | None:
    if not _is_int(value):
        return f"{name}: {_shown(value)} 须为 Int, must be an integer"
    number = int(str(value))
    if field.one_of is not None and number not in field.one_of:
        return f"{name}: {number} 不在取值范围 is not one of {_allowed(field.one_of)}"
    low = 0 if field.form == "count" else INT_MIN
    if not low <= number <= INT_MAX:
        return f"{name}: {number} 超出范围 must be {low} to {INT_MAX}"
    return None


def _string(field: Field, value: object, name: str) -> str | None:
    if not isinstance(value, str):
        return f"{name}: {_shown(value)} 须为 String, must be a string"
    if value == "" and field.may_be_empty:
        return None
    if value.strip() == "":
        return f"{name}: 必填字段为空 must not be empty"
    if field.max_chars is not None and len(value) > field.max_chars:
        return f"{name}: 长度 {len(value)} 超过 longer than {field.max_chars} 个字符 characters"
    if field.one_of is not None and value not in field.one_of:
        return f"{name}: {_shown(value)} 不在取值范围 is not one of {_allowed(field.one_of)}"
    match field.form:
        case "guid" if not _GUID.fullmatch(value):
            return f"{name}: {_shown(value)} 须为 32 位 Guid, must be 32 hex digits without separators"
        case "hhmm" if not _HHMM.fullmatch(value):
            return f"{name}: {_shown(value)} 格式须为 HH:mm, must be HH:mm"
        case "datetime" if moment(value) is None:
            return f"{name}: {_shown(value)} 须为 must be yyyy-MM-dd HH:mm:ss, {FIRST_YEAR} 年起 on"
        case "plate" if not _is_plate(value):
            return f"{name}: {_shown(value)} 须为“省-号码”, a plate is province, hyphen, number"
    return None


def moment(written: str) -> datetime | None:
    """The time that `yyyy-MM-dd HH:mm:ss` names (Beijing time, without zone as printed), or None."""
    if not _DATETIME.fullmatch(written):
        return None
    try:
        named = datetime.strptime(written, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the standard's times carry no zone
    except ValueError:
        return None
    return named if named.year >= FIRST_YEAR else None


def _is_plate(value: str) -> bool:
    """B.2 特别说明 2 speaks of plates with a province; a car without plate has another credential."""
    if value[0] in PROVINCES:
        return _PLATE_REST.fullmatch(value[1:]) is not None
    return not re.search(r"[\sa-z·.]", value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: object) -> str:
    """A value as the sender wrote it, not endless."""
    if isinstance(value, Fraction):
        return value.written[:40]
    words = json.dumps(value, ensure_ascii=False, default=lambda other: getattr(other, "written", repr(other)))
    return words if len(words) <= 40 else words[:37] + "..."


def _allowed(values: frozenset[str] | frozenset[int]) -> str:
    words = sorted(str(value) for value in values)
    return ", ".join(words) if len(words) <= 12 else ", ".join(words[:12]) + ", ..."
