"""The folder of secrets of a batch: files for all boxes, and below `<serial>/` those of one box, which go before them.

Serials are matched without regard to case, as the box reads them and as FAT keeps them. Whatever would not get to a box
is an error with its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from edge.box.provision_list import ListIssue


def read_secrets(folder: Path | None, serials: Collection[str]) -> tuple[dict[str, dict[str, bytes]], list[ListIssue]]:
    """Of each serial (in small letters): name to content. Never raises for what lies there."""
    if folder is None:
        return {serial: {} for serial in serials}, []
    issues: list[ListIssue] = []
    entries = _entries(folder, issues)
    of_all = dict(_files([path for path in entries if not path.is_dir()], issues))
    own: dict[str, Path] = {}
    of_box: dict[str, dict[str, bytes]] = {}
    for path in (path for path in entries if path.is_dir()):
        serial = path.name.lower()
        if serial not in serials:
            issues.append(_wrong(path, "列表中没有此序列号", "the list has no such serial"))
        elif (before := own.setdefault(serial, path)) != path:
            issues.append(_wrong(path, f"与 {before.name} 是同一序列号", f"the same serial as {before.name}"))
        else:
            of_box[serial] = dict(_files(_entries(path, issues), issues, of_all))
    return {serial: of_all | of_box.get(serial, {}) for serial in serials}, issues


def _files(
    paths: Sequence[Path], issues: list[ListIssue], beside: Iterable[str] = ()
) -> Iterator[tuple[str, bytes]]:
    """`beside`: names that the same box gets, unless one of these has its name."""
    seen = {name.lower(): name for name in beside}
    for path in paths:
        if (before := seen.setdefault(path.name.lower(), path.name)) != path.name:
            issues.append(_wrong(path, f"与 {before} 只有大小写不同, 启动分区不能区分",
                                 f"differs from {before} by case only, one file on the boot partition"))  # fmt: skip
            continue
        try:
            yield path.name, path.read_bytes()
        except OSError as error:
            issues.append(_wrong(path, f"无法读取: {error.strerror}", f"cannot be read: {error.strerror}"))


def _entries(folder: Path, issues: list[ListIssue]) -> list[Path]:
    """Without what a Mac or an editor leaves of its own."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        issues.append(_wrong(folder, f"无法读取: {error.strerror}", f"cannot be read: {error.strerror}"))
        return []


def _wrong(path: Path, zh: str, en: str) -> ListIssue:
    return ListIssue(str(path.parent), 0, 0, path.name, zh, en)
