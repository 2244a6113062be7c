"""The parser of every command's arguments: argparse, whose errors are said in Chinese first, its own words behind."""

from __future__ import annotations

import argparse
import re
import sys
from typing import NoReturn

WORDS = (
    (r"the following arguments are required: (.+)", "缺少 {0}"),
    (r"one of the arguments (.+) is required", "须给其中之一: {0}"),
    (r"unrecognized arguments: (.+)", "不认识的参数 {0}"),
    (r"not allowed with argument (.+)", "不能与 {0} 同时使用"),
    (r"expected one argument", "须给一个值"),
    (r"expected at least one argument", "至少须给一个值"),
    (r"expected at most one argument", "最多一个值"),
    (r"expected (\d+) arguments?", "须给 {0} 个值"),
    (r"ambiguous option: (\S+) could match (.+)", "{0} 不明确, 可能是 {1}"),
    (r"ignored explicit argument (.+)", "不带值, 却给了 {0}"),
    (r"invalid choice: (.+) \(choose from (.+)\)", "不能是 {0}, 只能是 {1}"),
    (r"invalid int value: (.+)", "{0} 须为整数"),
    (r"invalid float value: (.+)", "{0} 须为数字"),
    (r"invalid \S+ value: (.+)", "{0} 不是允许的值"),
)
"""What argparse of CPython 3.11 to 3.14 says, whole, and that in Chinese."""
NAMED = re.compile(r"argument ([^:]+): (.+)", re.DOTALL)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


class Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exit code 2, the usage and below it what was wrong."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {in_chinese(message)}\n")


def in_chinese(message: str) -> str:
    """argparse's words after their Chinese; what a command says itself is in both languages already."""
    named = NAMED.fullmatch(message)
    name, said = (f"{named[1]}: ", named[2]) if named else ("", message)
    for pattern, words in WORDS:
        if (found := re.fullmatch(pattern, said, re.DOTALL)) is not None:
            return f"{name}{words.format(*found.groups())}  {said}"
    return f"{name}{said}" if CHINESE.search(said) else f"{name}参数错误  {said}"
