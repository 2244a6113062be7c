"""What the decoder says of a bad input, for people: where it stands, and what is allowed, in Chinese and English.

msgspec names types as Python does and speaks English only. A wording that is not known here keeps its English.
"""

from __future__ import annotations

import re

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


def in_words(error: Exception) -> tuple[str, str, str]:
    """Where ("" for the whole input), Chinese, English, of a `DecodeError` or `ValidationError` of msgspec, or a
    `UnicodeDecodeError`."""
    said = str(error)
    where = _WHERE.search(said)
    said = _WHERE.sub("", said)
    for pattern, zh, en in _FORMS:
        if found := pattern.fullmatch(said):
            groups = found.groups()
            return (
                where[1] if where else "",
                zh.format(*(_typed(each, 0) for each in groups)),
                en.format(*(_typed(each, 1) for each in groups)),
            )
    return where[1] if where else "", f"不符合要求 ({said})", said


def _typed(text: str, language: int) -> str:
    """The types of `int|null` in words; anything else as it is."""
    names = text.split(" | ")
    if not set(names) <= set(_TYPES):
        return text
    return ("或", " or ")[language].join(_TYPES[name][language] for name in names)
