"""What the TOML parser says, in Chinese: line, column, what was expected. Its own English words stay beside.

`tomllib` has a dozen sentences (CPython 3.11 to 3.13); one that is not known here is told by its place alone.
"""

from __future__ import annotations

import re

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

_SENTENCES = tuple(
    (re.compile(pattern), zh)
    for pattern, zh in (
        (r"Invalid statement", "此行须为 键 = 值、[表] 或 # 注释"),
        (r"Expected newline or end of document after a statement", "一个值之后须换行 (文字须加引号, 一行只写一项)"),
        (r"Expected '=' after a key.*", "键之后须为 ="),
        (r"Expected '(\]+)' at the end of (?:a|an array) .*", "表名之后须为 {0}"),
        (r"Expected (.+)", "此处须为 {0}"),
        (r"Found invalid character (.+)", "不允许的字符 {0}"),
        (r"Illegal character (.+)", "不允许的字符 {0} (文字中不能换行, 引号须成对)"),
        (r"Cannot declare (.+) twice", "表 {0} 写了两次, 只允许一次"),
        (r"Cannot (?:overwrite a value|(?:mutate immutable|redefine) namespace.*)", "同一个键写了两次, 只允许一次"),
        (r"Duplicate inline table key (.+)", "键 {0} 写了两次, 只允许一次"),
        (r"Invalid initial character for a key part", "键须以字母、数字、_ 或 - 开头, 或加引号"),
        (r"Unclosed array", "列表未结束, 缺少 ]"),
        (r"Unclosed inline table", "内联表未结束, 缺少 }}"),
        (r"Unterminated string", "文字未结束, 缺少引号"),
        (r"Unescaped '\\' in a string", "文字中的 \\ 须写成 \\\\"),
        (r"Invalid hex value|Escaped character is not a Unicode scalar value", "\\u 之后须为有效的十六进制字符"),
        (r"Invalid date or datetime", "须为有效的日期或时刻"),
        (r"Invalid value", "等号之后须为值: \"文字\"、数字、true、false 或 [列表]"),
    )
)


def toml_zh(error: ValueError | RecursionError) -> str:
    """`TOML 语法错误, 第 3 行第 9 列: 键之后须为 = (Expected '=' ...)`."""
    said = str(error)
    found = _PLACE.search(said)
    place = "" if found is None else f", 第 {found[1]} 行第 {found[2]} 列" if found[1] else ", 在文件末尾"
    words = _PLACE.sub("", said)
    for pattern, zh in _SENTENCES:
        if match := pattern.fullmatch(words):
            return f"TOML 语法错误{place}: {zh.format(*match.groups())} ({words})"
    return f"TOML 语法错误{place} ({words})"
