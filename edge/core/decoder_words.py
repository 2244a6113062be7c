"""What the decoder says of a bad input, for people: where it stands, and what is allowed, in Chinese and English.

msgspec names types as Python does, speaks English only, and does not list the values of a choice: those are looked up
in the declared type. A wording that is not known here keeps its English.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import inspect

_PART = re.compile(r"\[\.\.\.\]|\[\d+\]|[^.\[\]]+")
_WHERE = re.compile(r" - at `\$\.?([^`]*)`$")

_TYPES = {
    "int": ("整数", "a whole number"),
    "float": ("数字", "a number"),
    "str": ("文字", "text"),
    "bool": (" true 或 false", "true or false"),
    "array": ("列表", "a list"),
    "object": ("对象", "an object"),
    "null": (" null", "null"),
}
_TYPE = "`([a-z| ]+)`"

# Pattern, Chinese, English; {0} is the first group, types in words.
_FORMS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), zh, en)
    for pattern, zh, en in (
        (rf"Expected {_TYPE}, got {_TYPE}", "须为{0}, 不是{1}", "must be {0}, not {1}"),
        (rf"Expected {_TYPE} ([<>=]+) ([-0-9.e+]+)", "须为{0}, 且 {1} {2}", "must be {0} {1} {2}"),
        (rf"Expected {_TYPE} of length ([<>=]+) (\d+)", "{0}的长度须 {1} {2}", "must be {0} of length {1} {2}"),
        (rf"Expected {_TYPE} of length (\d+)(?:, got \d+)?", "{0}须有 {1} 项", "must be {0} of {1}"),
        (r"Object missing required field `(.+)`", "缺少 {0}", "{0} is missing"),
        (r"Object contains unknown field `(.+)`", "没有 {0} 这一项", "{0} is not known here"),
        (r"Expected `str` matching regex .*", "空白, 或字符、格式不对", "is blank, or of a form not allowed here"),
        (r"Invalid (?:enum )?value (.+)", "{0} 不在允许值之内", "{0} is none of the allowed ones"),
        (r"JSON is malformed: .*\(byte (\d+)\)", "不是 JSON (第 {0} 字节)", "is no JSON (byte {0})"),
        (r"Input data was truncated", "JSON 不完整", "the JSON is not whole"),
        (r"Invalid UTF-8.*|.*can't decode byte.*", "不是 UTF-8 文字", "is no UTF-8 text"),
    )
)


def in_words(error: Exception, kind: Any = None) -> tuple[str, str, str]:
    """Where ("" for the whole input), Chinese, English, of a `DecodeError` or `ValidationError` of msgspec, or a
    `UnicodeDecodeError`. `kind`: what the input was to be; None: the values of a choice cannot be told."""
    said = str(error)
    where = _WHERE.search(said)
    said = _WHERE.sub("", said)
    for pattern, zh, en in _FORMS:
        if found := pattern.fullmatch(said):
            groups = found.groups()
            place = where[1] if where else ""
            allowed = ", ".join(_allowed(kind, place)) if kind is not None and said.startswith("Invalid ") else ""
            return (
                place,
                zh.format(*(_typed(each, 0) for each in groups)) + (f", 须为 {allowed}" if allowed else ""),
                en.format(*(_typed(each, 1) for each in groups)) + (f": {allowed}" if allowed else ""),
            )
    return where[1] if where else "", f"不符合要求 ({said})", said


def _typed(text: str, language: int) -> str:
    """The types of `int|null` in words; anything else as it is."""
    names = text.split(" | ")
    if not set(names) <= set(_TYPES):
        return text
    return ("或", " or ")[language].join(_TYPES[name][language] for name in names)


def _allowed(kind: Any, place: str) -> list[str]:
    """The values of the choice that is declared at `place`; none where no choice is."""
    from msgspec import inspect  # noqa: PLC0415 - only a mistake needs it

    here = list(_each(inspect.type_info(kind)))
    for part in _PART.findall(place):
        here = [inner for outer in here for inner in _inside(outer, part)]
    choices = [one for one in here if isinstance(one, inspect.LiteralType)]
    return [repr(value) if value == "" else str(value) for one in choices for value in one.values]


def _each(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The types of a union, without what is only said about them."""
    from msgspec import inspect  # noqa: PLC0415

    if isinstance(kind, inspect.Metadata):
        yield from _each(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _each(one)
    else:
        yield kind


def _inside(kind: inspect.Type, part: str) -> Iterator[inspect.Type]:
    """What stands in `kind` under a name, at a number of a list, or at any key of a table (`[...]`)."""
    from msgspec import inspect  # noqa: PLC0415

    match kind:
        case inspect.StructType() if part == kind.tag_field:
            yield inspect.LiteralType((kind.tag,))
        case inspect.StructType():
            for field in kind.fields:
                if field.encode_name == part:
                    yield from _each(field.type)
        case inspect.ListType() | inspect.VarTupleType() if part.startswith("["):
            yield from _each(kind.item_type)
        case inspect.DictType() if part.startswith("["):
            yield from _each(kind.value_type)
