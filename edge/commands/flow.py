"""`parkbox flow [--policy FILE] < events.jsonl`: replays arrivals and exits and prints every decision."""

from __future__ import annotations

import codecs
import json
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from edge.config.toml_words import toml_zh
from edge.core.decoder_words import in_words
from edge.core.flow_lines import BadLine, Replay
from edge.core.flow_rules import RuleSet, policy_of

USAGE = """用法 usage: parkbox flow [--policy FILE] < events.jsonl
  按规则重放到达与离场, 每个决定一行  replays arrivals and exits, one line a decision; 末尾在标准错误中提示不合常理的行
  what no day brings (exits from an empty lot, a plate that comes again without leaving) is counted on stderr
  --policy FILE  用 TOML 中的规则代替 config 行的规则  rules of a TOML file in place of those of the config line"""


def main(argv: Sequence[str], source: BinaryIO | None = None) -> int:
    """Exit code: 0, or 2 at a bad line, file or argument; what was said before stays said."""
    match list(argv):
        case []:
            overrules = None
        case ["--policy", path] if path:
            try:
                overrules = _rules(Path(path))
            except msgspec.ValidationError as error:
                where, zh, en = in_words(error, RuleSet)
                place = f"{where}: " if where else ""  # "" is the file itself
                print(f"--policy {path}: 无法使用 cannot be used: {place}{zh} {en}", file=sys.stderr)
                return 2
            except tomllib.TOMLDecodeError as error:
                print(f"--policy {path}: 无法使用 cannot be used: {toml_zh(error)}", file=sys.stderr)
                return 2
            except (OSError, ValueError, RecursionError) as error:
                print(f"--policy {path}: 无法使用 cannot be used: {error}", file=sys.stderr)
                return 2
        case ["-h" | "--help"]:
            print(USAGE)
            return 0
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return _replay(Replay(overrules), sys.stdin.buffer if source is None else source)


def _rules(path: Path) -> RuleSet:
    rules = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8-sig")), RuleSet)
    policy_of(rules)  # what is wrong in it is said now, not at the config line
    return rules


def _named_twice(text: bytes) -> str:
    """The first name that one object of this line has twice, "" if none has. `text` is JSON."""
    found: list[str] = []

    def look(pairs: list[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs]
        found.extend(name for at, name in enumerate(names) if name in names[:at])

    json.loads(text, object_pairs_hook=look)
    return found[0] if found else ""


def _replay(replay: Replay, source: BinaryIO) -> int:
    said = 0
    for number, line in enumerate(source, 1):
        text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if not text.strip():
            continue
        try:
            said_lines = replay.line(text)
            if twice := _named_twice(text):  # the decoder took the last one and said nothing
                raise BadLine(f"{twice}: 出现了两次 is there twice")
        except BadLine as error:
            sys.stdout.flush()
            print(f"第 {number} 行 line {number}: {error}", file=sys.stderr)
            return 2
        said += 1
        if said_lines:
            sys.stdout.buffer.write(b"".join(each + b"\n" for each in said_lines))
            sys.stdout.buffer.flush()
    if not said:
        print("第 1 行 line 1: 没有事件 nothing to replay, a config line is needed", file=sys.stderr)
        return 2
    if odd := replay.oddities.words():
        print(f"{said} 行 lines; 请核对 please check: {odd}", file=sys.stderr)
    return 0
