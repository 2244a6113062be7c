"""The configuration as a file: given out without secrets, taken in after the same judgement as `parkbox check`.

A new one is written beside, judged there (relative paths count from its folder), synced and renamed; the old one stays
as `<name>.previous`. It takes effect when the programs start anew. Secrets never stand in it: it names their files.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from edge.config.durable import sync_folder, write_durably, write_synced
from edge.config.load import SIZE_LIMIT_BYTES, ConfigError, load
from edge.config.model import Config
from edge.web.api import ActionResult, Issue
from edge.web.desk import RefusedError

MODE = 0o640
_IN_URL = re.compile(r"(://)[^/@\s\"']+@")


class ConfigFile:
    def __init__(self, path: Path, running: Config) -> None:
        self._path, self._running = path.resolve(), running

    def text(self) -> str:
        """As it stands, a user and password within an address taken out."""
        try:
            return _IN_URL.sub(r"\1***@", self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise RefusedError("storage", f"配置无法读取: {error}", f"cannot be read: {error}") from error

    def replace(self, text: bytes) -> ActionResult:
        """`ok` False with every issue when it is not fit to run. Raises `RefusedError` storage."""
        if len(text) > SIZE_LIMIT_BYTES:
            raise RefusedError("bad_request", f"最多 {SIZE_LIMIT_BYTES} 字节", f"at most {SIZE_LIMIT_BYTES} bytes")
        beside = self._path.with_name(f".{self._path.name}.new")
        try:
            write_synced(beside, text, MODE)
            try:
                config = load(beside)
                issues = self._moved(config)
            except ConfigError as error:
                issues = [Issue(one.path.replace(str(beside), ""), one.value, one.zh, one.en) for one in error.issues]
            if issues:
                beside.unlink()
                count = len(issues)
                zh, en = f"配置有 {count} 处错误, 未更改", f"{count} error(s), nothing was changed"
                return ActionResult(False, zh, en, issues=tuple(issues))
            previous = self._path.with_name(f"{self._path.name}.previous")
            write_durably(previous, self._path.read_bytes(), MODE)
            beside.rename(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise RefusedError(
                "storage", f"配置无法写入: {error}", f"the configuration cannot be written: {error}"
            ) from error
        return ActionResult(True, "配置已保存, 重启程序后生效", "saved; it takes effect when the programs start anew")

    def _moved(self, config: Config) -> list[Issue]:
        """What a page may not move: where the records lie, and files outside the box's own folders as secrets (their
        contents would be sent to whatever address stands beside them)."""
        issues = []
        for name, new, old in (
            ("box.id", config.box.id, self._running.box.id),
            ("box.data_dir", config.box.data_dir, self._running.box.data_dir),
            ("box.socket", config.box.socket, self._running.box.socket),
        ):
            if new != old:
                issues.append(Issue(name, new, f"只能在盒子上更改, 现为 {old}", f"changed on the box only, {old} now"))
        homes = {self._path.parent, Path(self._running.box.data_dir).resolve()}
        known = set(named_files(self._running))
        for name, file in named_files(config):
            inside = any(Path(file).resolve().is_relative_to(home) for home in homes)
            if file and not inside and (name, file) not in known:
                folders = ", ".join(sorted(map(str, homes)))
                issues.append(Issue(name, file, f"须在 {folders} 之内", f"must be within {folders}"))
        return issues


def named_files(config: Config) -> list[tuple[str, str]]:
    """Every setting that names a file, wherever it stands."""
    found: list[tuple[str, str]] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for name, below in value.items():
                walk(below, f"{path}.{name}" if path else name)
        elif isinstance(value, str) and path.endswith("_file"):
            found.append((path, value))

    walk(msgspec.to_builtins(config), "")
    return found


def secrets_of(config: Config) -> list[str]:
    """The contents of every file that the configuration names as a secret, for whoever must keep them inside."""
    found = []
    for _, file in named_files(config):
        try:
            text = Path(file).read_text(encoding="utf-8", errors="replace").strip() if file else ""
        except OSError:
            continue  # what cannot be read cannot get out
        found += [text, *text.splitlines()] if text else []
    return [one for one in found if one]
