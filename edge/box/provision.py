"""`parkbox provision LIST TEMPLATE OUT`: a folder for each box of a list, to be copied to the cards' boot partition.

Every configuration is judged as `parkbox check` would, before anything is written; all errors of all boxes are shown
at once. OUT appears whole or not at all.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from edge.box.kit import BOXES_FOLDER, CONFIG_FILE, SECRETS_FOLDER, Kit, judge_kit
from edge.box.label import LABEL_FILE, label_of, sheet
from edge.box.provision_list import MANY, NETWORK_COLUMNS, PLACE, BoxLine, BoxList, ListIssue, decoded, read_list
from edge.box.provision_secrets import read_secrets
from edge.config.arguments import Arguments
from edge.config.durable import sync_folder, write_private
from edge.config.issues import ConfigIssue
from edge.config.load import SIZE_LIMIT_BYTES
from edge.config.model import Config
from edge.config.network import NETWORK_FILE, Network, own_address

STRINGS = re.compile(r'''"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"|(?P<literal>\'{3}.*?\'{3}|'[^'\n]*')|#[^\n]*''',
                     re.DOTALL)  # fmt: skip
"""TOML 1.0's strings and comments, as they follow each other in a text."""
KEY = re.compile(r"\s*([a-z0-9_]+)\s*=")


class Made(msgspec.Struct, frozen=True):
    box: BoxLine
    kit: Kit
    config: Config
    network: Network | None


def main(argv: Sequence[str]) -> int:
    parser = Arguments(
        "parkbox provision",
        description="批量开通: 每个序列号一个文件夹 a folder of files for each box of a list, for its boot partition",
    )
    parser.add_argument("list", metavar="LIST", type=Path, help="CSV: serial, …; 一行一盒 a line a box")
    parser.add_argument("template", metavar="TEMPLATE", type=Path, help="配置模板 configuration with {{column}} in it")
    parser.add_argument("out", metavar="OUT", type=Path, help="新文件夹 a folder that does not exist yet")
    parser.add_argument("--secrets", type=Path, help="密码文件夹 files for all boxes; below <serial>/ for one box")
    chosen = parser.parse_args(argv)
    try:
        data, template = chosen.list.read_bytes(), decoded(_bounded(chosen.template))
    except (OSError, ValueError) as error:
        print(f"无法读取 cannot be read: {error}", file=sys.stderr)
        return 2
    if chosen.secrets is not None and not chosen.secrets.is_dir():
        print(f"--secrets {chosen.secrets}: 没有此文件夹 no such folder", file=sys.stderr)
        return 2
    found = read_list(data, chosen.list.name)
    made, issues = judge_boxes(found, template, chosen.template.name, chosen.secrets)
    if chosen.out.exists():
        issues.append(ListIssue(str(chosen.out), 0, 0, "", "已存在, 请给新文件夹", "exists already: name a new folder"))
    if issues:
        print(f"共 {len(issues)} 处错误, 未写入任何文件 {len(issues)} error(s), nothing was written:", file=sys.stderr)
        for issue in issues:
            print(f"  {issue}", file=sys.stderr)
        return 2
    try:
        write(chosen.out, made)
    except OSError as error:
        print(f"{chosen.out}: 无法写入 cannot be written: {error}", file=sys.stderr)
        return 1
    print(f"{chosen.out}: {len(made)} 个盒子 boxes; 将 {BOXES_FOLDER} 复制到启动分区")
    print(f"copy the folder {BOXES_FOLDER} to the boot partition of each card; it holds secrets, keep it safe")
    return 0


def _bounded(path: Path) -> bytes:
    if path.stat().st_size > SIZE_LIMIT_BYTES:
        raise ValueError(f"{path}: 最多 at most {SIZE_LIMIT_BYTES} bytes")
    return path.read_bytes()


def judge_boxes(
    found: BoxList, template: str, template_name: str, secrets: Path | None
) -> tuple[list[Made], list[ListIssue]]:
    """The boxes that are right, and everything that is wrong with list, template, secrets and the configurations made
    of them."""
    issues = [*found.issues, *_places(found, template, template_name), *_literal(template, template_name)]
    if issues:
        return [], issues
    secrets_of, issues = read_secrets(secrets, {box.serial for box in found.boxes})
    made: list[Made] = []
    of_template: set[str] = set()
    keys, lines = set(_keys(template)), template.splitlines()
    for box in found.boxes:
        kit = Kit(
            config=filled(template, box.values).encode(),
            network=network_file(box.values),
            secrets=secrets_of[box.serial],
        )
        judged = judge_kit(kit)
        for issue in judged.issues:
            placed = _placed(found, box, issue, keys) or _unquoted(found, box, issue, lines)
            if placed is not None:
                issues.append(placed)
            elif str(issue) not in of_template:  # the same for every box: said once
                of_template.add(str(issue))
                issues.append(ListIssue(template_name, 0, 0, f"{issue.path} = {issue.value}", issue.zh, issue.en))
        if judged.config is not None and not judged.issues:
            made.append(Made(box, kit, judged.config, judged.network))
    issues += _twice(found, made)
    return made, issues


def _places(found: BoxList, template: str, name: str) -> Iterator[ListIssue]:
    """Places without a column, columns without a place."""
    used = set()
    for number, line in enumerate(template.splitlines(), 1):
        for match in PLACE.finditer(line):
            used.add(match[1])
            if match[1] not in found.columns and found.columns:
                yield ListIssue(name, number, match.start() + 1, match[0], f"列表没有列 {match[1]}",
                                f"the list has no column {match[1]}")  # fmt: skip
    for column in found.columns:
        if column not in used and column != "serial" and column not in NETWORK_COLUMNS:
            yield found.issue(1, column, column, f"模板未用 {{{{{column}}}}}", f"the template has no {{{{{column}}}}}")


def _literal(template: str, name: str) -> Iterator[ListIssue]:
    """Places in a literal string, in which no quote can be written (TOML 1.0, "String"): a value would end it."""
    for string in STRINGS.finditer(template):
        for match in PLACE.finditer(string["literal"] or ""):
            before = template[: string.start() + match.start()]
            column = len(before) - before.rfind("\n")
            yield ListIssue(name, before.count("\n") + 1, column, match[0], "须放在双引号内, 不能用单引号",
                            'stands in "…", not in single quotes')  # fmt: skip


def filled(template: str, values: dict[str, str]) -> str:
    """Each place replaced; a value cannot leave the TOML text in quotes in which it stands."""
    return PLACE.sub(lambda match: values[match[1]].replace("\\", "\\\\").replace('"', '\\"'), template)


def network_file(values: dict[str, str]) -> bytes | None:
    """TOML of the columns that are not empty; None when the list has none of them."""
    given = {name: values[name] for name in NETWORK_COLUMNS if values.get(name)}
    if not given:
        return None
    if "address" in given:
        given.setdefault("mode", "static")
    lines = []
    for name, value in given.items():
        quoted = [msgspec.json.encode(one).decode() for one in (value.split() if name in MANY else [value])]
        lines.append(f"{name} = [{', '.join(quoted)}]" if name in MANY else f"{name} = {quoted[0]}")
    return ("\n".join(lines) + "\n").encode()


def _keys(template: str) -> Iterator[tuple[str, str]]:
    """(setting, column) of each line in which a column's value is set."""
    for line in template.splitlines():
        if key := KEY.match(line):
            yield from ((key[1], place[1]) for place in PLACE.finditer(line))


def _placed(found: BoxList, box: BoxLine, issue: ConfigIssue, keys: set[tuple[str, str]]) -> ListIssue | None:
    """At the cell that gave the setting which is complained of, or None: then the template itself is wrong."""
    text = f"{issue.path} = {issue.value}" if issue.value else issue.path
    if issue.path.startswith(NETWORK_FILE):
        column = issue.path.removeprefix(f"{NETWORK_FILE}: ").partition("[")[0]
        return found.issue(box.line, column, text, issue.zh, issue.en)
    setting = issue.path.rpartition(".")[2].partition("[")[0]
    for column in box.values:
        if (setting, column) in keys:
            return found.issue(box.line, column, text, issue.zh, issue.en)
    return None


def _unquoted(found: BoxList, box: BoxLine, issue: ConfigIssue, template: list[str]) -> ListIssue | None:
    """A value that broke the text of its line: a word where the template has no quotes."""
    at = re.search(r"TOML syntax: .*at line (\d+)", issue.en)
    place = PLACE.search(template[int(at[1]) - 1]) if at and int(at[1]) <= len(template) else None
    if place is None:
        return None
    return found.issue(box.line, place[1], repr(box.values[place[1]]), issue.zh, issue.en)


def _twice(found: BoxList, made: Sequence[Made]) -> Iterator[ListIssue]:
    seen: dict[tuple[str, str], int] = {}
    for one in made:
        address = own_address(one.network) if one.network is not None else ""
        for what, value in (("box.id", one.config.box.id), ("address", address)):
            before = seen.setdefault((what, value), one.box.line)
            if value and before != one.box.line:
                column = next((name for name, cell in one.box.values.items() if cell.partition("/")[0] == value), "")
                yield found.issue(one.box.line, column, f"{what} {value}", f"与第 {before} 行重复",
                                  f"stands in line {before} already")  # fmt: skip


def write(out: Path, made: Sequence[Made]) -> None:
    """Whole or not at all. Raises `OSError`."""
    beside = out.with_name(f".{out.name}.new-{os.getpid()}")
    try:
        for one in made:
            folder = beside / BOXES_FOLDER / one.box.serial
            assert one.kit.config is not None
            write_private(folder / CONFIG_FILE, one.kit.config)
            if one.kit.network is not None:
                write_private(folder / NETWORK_FILE, one.kit.network)
            for name, text in one.kit.secrets.items():
                write_private(folder / SECRETS_FOLDER / name, text)
            write_private(folder / LABEL_FILE, sheet(label_of(one.box.serial, one.config, one.network)))
        beside.rename(out)
    except BaseException:  # whoever presses Ctrl-C, too, leaves no passwords in a hidden folder
        _remove(beside)
        raise
    sync_folder(out.parent)


def _remove(folder: Path) -> None:
    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except OSError as error:
        print(f"{folder}: 无法删除, 内有密码, 请自行删除 holds secrets and cannot be removed, remove it: {error}",
              file=sys.stderr)  # fmt: skip
