"""Judge parsed TOML against the declared settings, completely: every unknown key, type, range and gap at once.

msgspec's own conversion stops at the first error; a technician at the lane wants all of them. The declarations in
`model` stay the only place where a setting's type and range stand: they are read from there by `msgspec.inspect`.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any

from msgspec import inspect

from edge.config.issues import ConfigIssue


def walk(value: Any, kind: inspect.Type, path: str) -> list[ConfigIssue]:
    """All issues of `value` (from TOML) against `kind` (from `msgspec.inspect.type_info`)."""
    description = ""
    if isinstance(kind, inspect.Metadata):
        description = str((kind.extra_json_schema or {}).get("description", ""))
        kind = kind.type
    match kind:
        case inspect.StructType():
            return _struct(value, kind, path)
        case inspect.VarTupleType():
            return _list(value, kind, path)
        case inspect.UnionType():
            options = [option for option in kind.types if not isinstance(option, inspect.NoneType)]
            return walk(value, options[0], path)  # only `X | None` is declared; TOML has no null
        case inspect.LiteralType():
            allowed = ", ".join(map(str, kind.values))
            known = any(value == one and type(value) is type(one) for one in kind.values)  # true is not 1, nor is 1.0
            return [] if known else [_issue(path, value, f"须为 {allowed}", f"one of {allowed}")]
        case inspect.BoolType():
            return [] if isinstance(value, bool) else [_issue(path, value, "须为 true 或 false", "true or false")]
        case inspect.IntType() | inspect.FloatType():
            return _number(value, kind, path, description)
        case inspect.StrType():
            return _text(value, kind, path, description)
    raise TypeError(f"{path}: a setting of type {kind!r} is declared, but nothing here judges it")


def _struct(value: Any, kind: inspect.StructType, path: str) -> list[ConfigIssue]:
    if not isinstance(value, dict):
        return [_issue(path, value, "须为一节 [表]", "must be a section [table]")]
    issues = []
    fields = {field.encode_name: field for field in kind.fields}
    for key in value:
        if key not in fields:
            from difflib import get_close_matches  # noqa: PLC0415 - 0.2 MB that only a mistake needs

            near = get_close_matches(key, fields, n=1)
            hint = f"; 是否为 did you mean {near[0]}?" if near else ""
            allowed = ", ".join(sorted(fields))
            issues.append(_issue(_at(path, key), value[key], f"未知的键{hint}", f"unknown key; known: {allowed}"))
    for name, field in fields.items():
        if name in value:
            issues += walk(value[name], field.type, _at(path, name))
        elif field.required:
            zh, en = _wanted(field.type, name)
            issues.append(ConfigIssue(_at(path, name), "", f"缺少; 须为 {zh}", f"missing; must be {en}"))
    return issues


def _list(value: Any, kind: inspect.VarTupleType, path: str) -> list[ConfigIssue]:
    if not isinstance(value, list):
        return [_issue(path, value, "须为列表 [ ]", "must be a list [ ]")]
    low, high = kind.min_length or 0, kind.max_length
    issues = []
    if len(value) < low or (high is not None and len(value) > high):
        allowed = f"{low}..{'' if high is None else high}"
        issues.append(ConfigIssue(path, f"{len(value)} 项 entries", f"须有 {allowed} 项", f"must have {allowed}"))
    for number, item in enumerate(value):
        issues += walk(item, kind.item_type, f"{path}[{number}]")
    return issues


def _number(
    value: Any, kind: inspect.IntType | inspect.FloatType, path: str, description: str
) -> list[ConfigIssue]:
    whole = isinstance(kind, inspect.IntType)
    right = isinstance(value, int) if whole else isinstance(value, int | float)
    within = (
        right
        and not isinstance(value, bool)
        and (kind.ge is None or value >= kind.ge)
        and (kind.le is None or value <= kind.le)
        and (kind.gt is None or value > kind.gt)
        and (kind.lt is None or value < kind.lt)
    )
    if within:
        return []
    zh, en = _wanted(kind, path)
    extra = f" ({description})" if description else ""
    return [_issue(path, value, f"须为{zh}", f"must be {en}{extra}")]


def _text(value: Any, kind: inspect.StrType, path: str, description: str) -> list[ConfigIssue]:
    if not isinstance(value, str):
        return [_issue(path, value, "须为 \"文字\"", 'must be "text"')]
    low, high = kind.min_length or 0, kind.max_length
    if len(value) < low or (high is not None and len(value) > high):
        zh, en = _wanted(kind)
        return [_issue(path, value, f"须为{zh}", f"must be {en}")]
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in value):
        return [_issue(path, value, "不得含控制字符", "must not contain control characters")]
    if kind.pattern is not None and re.search(kind.pattern, value) is None:
        allowed = description or kind.pattern
        return [_issue(path, value, f"格式须为 {allowed}", f"must be {allowed}")]
    return []


UNITS = {
    "fen": ("分", "fen"), "s": ("秒", "s"), "ms": ("毫秒", "ms"), "min": ("分钟", "min"), "days": ("天", "days"),
    "px": ("像素", "px"), "bytes": ("字节", "bytes"),
}  # fmt: skip
"""A setting's name ends with its unit."""


def _wanted(kind: inspect.Type, name: str = "") -> tuple[str, str]:
    """What is allowed, in words: Chinese, English. `name`: the setting's, or its whole path."""
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    match kind:
        case inspect.StructType():
            return "一节 [表]", "a section [table]"
        case inspect.VarTupleType():
            return "列表", "a list"
        case inspect.LiteralType():
            values = ", ".join(map(str, kind.values))
            return values, f"one of {values}"
        case inspect.IntType() | inspect.FloatType():
            low = kind.ge if kind.ge is not None else kind.gt
            high = kind.le if kind.le is not None else kind.lt
            bounds = f" {_plain(low)}..{_plain(high)}"
            unit = UNITS.get(name.rpartition("_")[2]) if "_" in name else None
            whole = isinstance(kind, inspect.IntType)
            above = ("", "") if kind.gt is None else (f", 大于 {_plain(kind.gt)}", f", above {_plain(kind.gt)}")
            zh, en = ("整数", "a whole number") if whole else ("数", "a number")
            zh, en = zh + bounds + above[0], en + bounds + above[1]
            return (f"{zh} ({unit[0]})", f"{en} ({unit[1]})") if unit else (zh, en)
        case inspect.StrType():
            bounds = f" {kind.min_length or 0}..{'' if kind.max_length is None else kind.max_length}"
            return f"文字, 长度{bounds}", f"text of length{bounds}"
    return "值", "a value"


def _plain(bound: float | None) -> str:
    """10000000, not 1e+07; "" where there is no bound."""
    return "" if bound is None else str(int(bound)) if bound == int(bound) else str(bound)


def _as_written(value: Any) -> str:
    """As the file has it, where Python would say it otherwise."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    return repr(value)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _issue(path: str, value: Any, zh: str, en: str) -> ConfigIssue:
    shown = _as_written(value)
    return ConfigIssue(path or "(文件 file)", shown if len(shown) <= 80 else shown[:77] + "...", zh, en)
