"""What goes into a backup, copied while both programs write: databases by SQLite's own backup, small files as they are.

The ledger is copied last: every cursor of the other databases then points to facts that the copy has. What happened
between two copies is made into deliveries once more after a restore, with the same ids, by which a city knows them.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge.box.backup_names import LEDGER, MANIFEST, NOT_OURS, BackupError
from edge.box.backup_seal import SCRYPT_N, SealWriter
from edge.config.durable import sync_folder
from edge.config.model import Config
from edge.store.schema import connect
from edge.version import VERSION

PICTURE_FOLDERS = ("pictures", "spool")
NOT_KEPT = ("-wal", "-shm", "-journal", ".new", ".sock")
LEFT_OUT = frozenset({"label.html", "boot-quiet.json", "boot-taken.json"})
"""Of this card, made anew by the next."""
SMALL_BYTES = 20_000_000
"""A file of the data folder that is no database: the largest is the audit's or a form, some KB."""
MARGIN_BYTES = 50_000_000
GZIP_LEVEL = 3  # half the time of 6 on a Pi for a twentieth more bytes


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first member."""

    version: int
    box: str
    made_ms: int
    program: str
    pictures: bool
    last_seq: int
    """The newest fact in the copy; what the box recorded after it is not in the backup."""


def databases(data: Path) -> list[Path]:
    """The ledger last."""
    found = [path for path in sorted(data.glob("*.db")) if ".damaged-" not in path.name]
    return sorted(found, key=lambda path: path.name == LEDGER)


def small_files(data: Path) -> Iterator[Path]:
    for path in sorted(data.iterdir()):
        name = path.name
        if (
            path.is_file() and not path.is_symlink() and not name.startswith(NOT_OURS)
            and not name.endswith((".db", *NOT_KEPT)) and ".damaged-" not in name and name not in LEFT_OUT
            and path.stat().st_size <= SMALL_BYTES
        ):  # fmt: skip
            yield path


def make_backup(  # noqa: PLR0917 - what, where to, and what it is sealed with
    config: Config, config_path: Path, secrets: dict[str, Path], out: Path, passphrase: str, made_ms: int, *,
    pictures: bool = False, scrypt_n: int = SCRYPT_N,
) -> Manifest:
    """Writes `out` whole or not at all. `secrets`: name to file. Raises `BackupError`, `OSError`, `sqlite3.Error`."""
    data = Path(config.box.data_dir)
    _room(config, data, out)
    clear_scratch(data)
    beside = out.with_name(f".{out.name}.new")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=data) as scratch:
        copies = [_copied(path, Path(scratch)) for path in databases(data)]
        manifest = Manifest(1, config.box.id, made_ms, VERSION, pictures, _last_seq(Path(scratch) / LEDGER))
        try:
            with open(beside, "wb", opener=_private) as file:
                sealed = SealWriter(file, passphrase, config.box.id, made_ms, scrypt_n)
                with gzip.GzipFile(fileobj=_Out(sealed), mode="wb", compresslevel=GZIP_LEVEL, mtime=0) as packed, \
                     tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                    _add_bytes(tar, MANIFEST, msgspec.json.encode(manifest))
                    _add_bytes(tar, "config/box.toml", config_path.read_bytes())
                    for name, path in sorted(secrets.items()):
                        _add_bytes(tar, f"secrets/{name}", path.read_bytes())
                    for path in (*copies, *small_files(data)):
                        _add_file(tar, f"data/{path.name}", path)
                    for path in _pictures(data) if pictures else ():
                        _add_file(tar, f"data/{path.relative_to(data)}", path)
                sealed.close()
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    beside.replace(out)
    sync_folder(out.parent)
    return manifest


class _Out(io.RawIOBase):
    """What gzip wants to write to."""

    def __init__(self, sealed: SealWriter) -> None:
        super().__init__()
        self._sealed = sealed

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        return self._sealed.write(data)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def clear_scratch(data: Path) -> None:
    """Copies that a power cut left behind."""
    for left in data.glob(".backup-*"):
        shutil.rmtree(left)


def _room(config: Config, data: Path, out: Path) -> None:
    """A backup must not fill the disk that the facts need."""
    size = sum(path.stat().st_size for path in databases(data))
    for folder, needed in ((data, size), (out.parent, size)):
        free = shutil.disk_usage(folder).free
        kept = config.box.free_mb * 1_000_000 if folder.stat().st_dev == data.stat().st_dev else MARGIN_BYTES
        if free < needed + kept:
            raise BackupError(
                f"{folder}: 剩余 {free // 1_000_000} MB, 需要 {(needed + kept) // 1_000_000} MB / "
                f"{free // 1_000_000} MB are free, {(needed + kept) // 1_000_000} MB are needed"
            )


def _copied(path: Path, folder: Path) -> Path:
    """One snapshot of a database that somebody else may write; readers never stop a writer in WAL mode."""
    copy = folder / path.name
    source = connect(path, read_only=True)
    try:
        target = sqlite3.connect(copy)
        try:
            source.backup(target)
        finally:
            target.close()
    finally:
        source.close()
    return copy


def _last_seq(ledger: Path) -> int:
    if not ledger.exists():
        return 0
    conn = connect(ledger)
    try:
        return int(conn.execute("SELECT ifnull(max(seq), 0) FROM facts").fetchone()[0])
    finally:
        conn.close()


def _pictures(data: Path) -> Iterator[Path]:
    for name in PICTURE_FOLDERS:
        yield from (path for path in sorted((data / name).rglob("*")) if path.is_file() and not path.is_symlink())


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, name: str, path: Path) -> None:
    """As long as it is now: the lane appends to the newest segment of its spool meanwhile."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # upkeep deleted an old picture just now
    with file:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = os.fstat(file.fileno()).st_size, 0o600
        tar.addfile(entry, file)
