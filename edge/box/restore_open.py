"""The first half of a restore: the backup is unpacked beside the data and judged whole. Until it is right nothing has
changed; a foreign, damaged or shortened file, a wrong passphrase and a box in use are refused in words."""

from __future__ import annotations

import gzip
import io
import re
import shutil
import socket
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

from edge.box.backup_make import Manifest
from edge.box.backup_names import LEDGER, MANIFEST, BackupError
from edge.box.backup_seal import SealReader
from edge.box.kit import Kit, judge_kit
from edge.box.restore_place import READY, STAGE, Places, commit, read_ready, set_aside
from edge.config.durable import write_private
from edge.store.schema import connect

_PART = r"[A-Za-z0-9_.-]{1,100}"
NAME = re.compile(rf"config/box\.toml|secrets/{_PART}|data/(?:{_PART}/){{0,3}}{_PART}")
CONFIG = "config/box.toml"
COPY_BYTES = 1 << 20
ANSWER_S = 2.0


def used(data: Path) -> str:
    """Why the box counts as used, in words; "": no car has passed it."""
    ledger = data / LEDGER
    if not ledger.exists():
        return ""
    try:
        conn = connect(ledger, read_only=True)
        try:
            passed = conn.execute("SELECT 1 FROM facts WHERE kind = 'Passed' LIMIT 1").fetchone()
        finally:
            conn.close()
    except sqlite3.Error as error:
        return f"账本不可读 the ledger cannot be read ({error})"
    return "" if passed is None else "已有车辆通行记录 cars have passed it"


def runs(sockets: tuple[Path, ...]) -> str:
    """The socket at which a program of this box answers, or ""."""
    for path in sockets:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_S)
            try:
                line.connect(str(path))
            except OSError:
                continue  # nobody listens: the program does not run
            return str(path)
    return ""


def open_backup(
    file: BinaryIO, passphrase: str, places: Places, *, replace: bool = False,
    judge_config: Callable[[bytes], None] = lambda _text: None,
) -> Manifest:
    """Unpack, judge and commit: `restore_place.finish` carries it out. `judge_config`: may refuse the configuration by
    a `BackupError`. `replace`: over a box in use, and over a restore that was cut off and cannot be carried out. Raises
    `BackupError` and `OSError`; then nothing has changed."""
    stage = places.data / STAGE
    damaged = _damaged(stage, replace=replace)
    sealed = SealReader(file, passphrase)
    if (why := used(places.data)) and not replace:
        raise BackupError(
            f"盒子已在使用: {why}; 未更改任何内容, 确需替换请加 --replace (旧数据会移开, 不删除) / this box is in use; "
            "nothing was changed. --replace puts the backup in its place; the old data is moved aside, not deleted"
        )
    aside = set_aside(places) if damaged else None
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700, parents=True)
    try:
        manifest = _unpack(sealed, stage)
        _judge(stage, manifest)
        judge_config((stage / CONFIG).read_bytes())
        commit(places, manifest.box, manifest.made_ms, manifest.last_seq)
    except BaseException:
        if not (stage / READY).exists():
            shutil.rmtree(stage, ignore_errors=True)
            if aside is not None:
                aside.rename(stage)
        raise
    return manifest


def _damaged(stage: Path, *, replace: bool) -> bool:
    try:
        pending = read_ready(stage)
    except BackupError:
        if not replace:
            raise
        return True
    if pending is not None:
        raise BackupError("上次恢复尚未完成, 请重启盒子 / the last restore is not finished yet: restart the box")
    return False


class _In(io.RawIOBase):
    """What gzip wants to read from."""

    def __init__(self, sealed: SealReader) -> None:
        super().__init__()
        self._sealed = sealed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        found = self._sealed.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _unpack(sealed: SealReader, stage: Path) -> Manifest:
    manifest: Manifest | None = None
    try:
        with gzip.GzipFile(fileobj=io.BufferedReader(_In(sealed)), mode="rb") as packed, \
             tarfile.open(fileobj=packed, mode="r|") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if content is None or not entry.isreg():
                    raise BackupError(f"{entry.name}: 不是普通文件 / no plain file")
                if manifest is None:
                    manifest = _manifest(entry.name, content.read(COPY_BYTES))
                    continue
                _put(entry.name, content, stage)
            while packed.read(COPY_BYTES):
                pass  # the padding of tar: the last piece's tag says that nothing is missing
        while sealed.read(COPY_BYTES):
            pass
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, ValueError) as error:
        raise BackupError(f"备份内容无法读取 / what is in the backup cannot be read: {error}") from error
    if manifest is None:
        raise BackupError("备份为空 / the backup is empty")
    return manifest


def _manifest(name: str, text: bytes) -> Manifest:
    if name != MANIFEST:
        raise BackupError(f"首个文件须为 {MANIFEST} / the first file must be {MANIFEST}, found {name}")
    manifest = msgspec.json.decode(text, type=Manifest)  # DecodeError is a ValueError
    if manifest.version != 1:
        raise BackupError(f"备份格式 {manifest.version}, 本程序支持 1 / form {manifest.version}, this program knows 1")
    return manifest


def _put(name: str, content: IO[bytes], stage: Path) -> None:
    if NAME.fullmatch(name) is None or any(part.strip(".") == "" for part in name.split("/")):
        raise BackupError(f"{name!r}: 不属于备份 / does not belong into a backup")
    path = stage / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, b"")
    with path.open("wb") as out:
        shutil.copyfileobj(content, out, COPY_BYTES)


def _judge(stage: Path, manifest: Manifest) -> None:
    for path in sorted((stage / "data").glob("*.db")):
        try:
            conn = connect(path)
            try:
                found = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
                if path.name == LEDGER:
                    last = conn.execute("SELECT ifnull(max(seq), 0) FROM facts").fetchone()[0]
            finally:
                conn.close()
        except sqlite3.Error as error:
            found = str(error)
        if found != "ok":
            raise BackupError(f"{path.name} 损坏 / is damaged in the backup: {found}")
        if path.name == LEDGER and last != manifest.last_seq:
            raise BackupError(f"{LEDGER} 不是所述内容 / does not end at {manifest.last_seq} but at {last}")
    config = stage / CONFIG
    if not config.exists():
        raise BackupError("备份中没有配置 / there is no configuration in the backup")
    secrets = {path.name: path.read_bytes() for path in sorted((stage / "secrets").glob("*"))}
    judged = judge_kit(Kit(config=config.read_bytes(), secrets=secrets), on_a_box=False)
    if judged.issues:
        lines = "\n  ".join(map(str, judged.issues))
        raise BackupError(f"备份中的配置不适用于本程序 / its configuration does not suit this program:\n  {lines}")
