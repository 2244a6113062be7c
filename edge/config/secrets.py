"""A secret stands in a file of its own that nobody else can read (DESIGN 10)."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from edge.config.issues import ConfigIssue


def secret(path: str, name: str) -> Iterator[ConfigIssue]:
    """What is wrong with the file `name` that the setting `path` points to. Its text is never shown."""
    try:
        mode = Path(name).stat().st_mode
        text = Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        yield ConfigIssue(path, name, "无法读取", f"cannot be read: {type(error).__name__}")
        return
    if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield ConfigIssue(path, name, f"权限 {stat.S_IMODE(mode):04o}, 须为 0600", "must be a file of mode 0600")
    if not text:
        yield ConfigIssue(path, name, "文件为空", "is empty")
