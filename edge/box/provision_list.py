"""The list of a batch of boxes: a CSV file, one line a box, its first line the names of the columns.

    serial,box_id,lane,address,gateway
    10000000abcdef01,QD-000101,东门入口,192.168.1.51/24,192.168.1.1

`serial` must be there. The columns of `NETWORK_COLUMNS` become the box's network file. Every other one is a value of
the template, where it stands as `{{box_id}}`. Errors name file, line and column; all of them at once.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from edge.box.serial import WORDS, right_serial

NETWORK_COLUMNS = ("mode", "interface", "address", "gateway", "dns", "ntp")
"""`dns` and `ntp`: several ones with spaces between them."""
MANY = frozenset({"dns", "ntp"})
NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
SEPARATORS = (";", "\t", "，")
"""What spreadsheets save in place of the comma, and a Chinese keyboard types."""
LIST_LIMIT_BYTES = 5_000_000
BOXES_MAX = 10_000


class ListIssue(msgspec.Struct, frozen=True):
    """`column` counts from 1; 0: the whole line. `file`: what is wrong stands in the list or in the template."""

    file: str
    line: int
    column: int
    value: str
    zh: str
    en: str

    def __str__(self) -> str:
        at = "".join(f":{number}" for number in (self.line, self.column) if number)
        stands = f" {self.value}" if self.value else ""
        return f"{self.file}{at}:{stands}: {self.zh} / {self.en}"


class BoxLine(msgspec.Struct, frozen=True):
    line: int
    serial: str
    values: dict[str, str]
    """Column name to text, `serial` included."""


class BoxList(msgspec.Struct, frozen=True):
    file: str
    columns: tuple[str, ...]
    boxes: tuple[BoxLine, ...]
    issues: tuple[ListIssue, ...]

    def issue(self, line: int, column: str, value: str, zh: str, en: str) -> ListIssue:
        number = self.columns.index(column) + 1 if column in self.columns else 0
        return ListIssue(self.file, line, number, value, zh, en)


def decoded(data: bytes) -> str:
    """UTF-8, with or without the mark of Windows' editors, or GB 18030 as Chinese spreadsheets save it. Raises
    `UnicodeDecodeError`."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def read_list(data: bytes, file: str) -> BoxList:
    """Never raises for what stands in it."""

    def refused(zh: str, en: str, line: int = 0) -> BoxList:
        return BoxList(file, (), (), (ListIssue(file, line, 0, "", zh, en),))

    if len(data) > LIST_LIMIT_BYTES:
        return refused(f"最多 {LIST_LIMIT_BYTES} 字节", f"at most {LIST_LIMIT_BYTES} bytes")
    try:
        text = decoded(data)
    except UnicodeDecodeError as error:
        return refused("须为 UTF-8 或 GB 18030", "must be UTF-8 or GB 18030", data[: error.start].count(b"\n") + 1)
    reader = csv.reader(io.StringIO(text), strict=True)
    rows: list[tuple[int, list[str]]] = []
    begin = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((begin, [cell.strip() for cell in row]))
            begin = reader.line_num + 1
    except csv.Error as error:
        return refused(f"CSV 语法错误: {error}", f"CSV syntax: {error}", reader.line_num)
    if rows and (other := next((mark for mark in SEPARATORS if len(rows[0][1]) == 1 and mark in rows[0][1][0]), "")):
        return refused(f"须以英文逗号分隔, 现为 {other!r}", f"cells stand between commas, not {other!r}", rows[0][0])
    if len(rows) < 2:
        return refused("须有列名一行和每盒一行", "must have a line of column names and a line for each box")
    if len(rows) > BOXES_MAX + 1:
        return refused(f"最多 {BOXES_MAX} 个盒子", f"at most {BOXES_MAX} boxes")
    columns = tuple(rows[0][1])
    issues = list(_judge_columns(columns, file, rows[0][0]))
    boxes = []
    for line, cells in rows[1:]:
        if len(cells) != len(columns):
            count = f"{len(cells)} 列 columns"
            issues.append(ListIssue(file, line, 0, count, f"须有 {len(columns)} 列", f"must have {len(columns)}"))
            continue
        values = dict(zip(columns, cells, strict=True))
        boxes.append(BoxLine(line, values.get("serial", "").lower(), values))
    found = BoxList(file, columns, tuple(boxes), ())
    issues += _judge_cells(found)
    return msgspec.structs.replace(found, issues=tuple(sorted(issues, key=lambda one: (one.line, one.column))))


def _judge_columns(columns: tuple[str, ...], file: str, line: int) -> Iterator[ListIssue]:
    if "serial" not in columns:
        yield ListIssue(file, line, 0, "", "缺少列 serial", "column serial is missing")
    for number, name in enumerate(columns, 1):
        if NAME.fullmatch(name) is None:
            yield ListIssue(file, line, number, repr(name), "列名须为小写字母、数字和 _",
                            "a column's name is small letters, digits and _")  # fmt: skip
        elif name in columns[: number - 1]:
            yield ListIssue(file, line, number, name, "列名重复", "column named twice")


def _judge_cells(found: BoxList) -> Iterator[ListIssue]:
    seen: dict[str, int] = {}
    for box in found.boxes:
        for name, value in box.values.items():
            if any(ord(char) < 0x20 or ord(char) == 0x7F for char in value):
                yield found.issue(box.line, name, repr(value), "不得含控制字符", "must not contain control characters")
        if "serial" not in found.columns:
            continue
        if not right_serial(box.serial):
            yield found.issue(box.line, "serial", repr(box.serial), "须为字母、数字、- 和 _, 最多 40 个",
                              f"must be {WORDS}")  # fmt: skip
        elif (before := seen.setdefault(box.serial, box.line)) != box.line:
            yield found.issue(box.line, "serial", box.serial, f"与第 {before} 行重复",
                              f"stands in line {before} already")  # fmt: skip
