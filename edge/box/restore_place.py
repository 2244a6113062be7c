"""The second half of a restore: what was unpacked and judged goes to its place, and can be cut off anywhere.

    data/.restore/READY       JSON `Ready`: from here on the restore is carried out, at the next boot if need be
    data/.restore/data/...    moves to data/...
    data/.restore/config/..., data/.restore/secrets/...    are copied to their places

First everything that lies in the data folder moves to `replaced-<time>/`, log and shared memory of databases too: a log
that stayed behind would be played into the database that came. Nothing of it is deleted. Each step is a rename, done
or not done; who comes again sees which.
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from itertools import count
from pathlib import Path

import msgspec

from edge.box.backup_names import GENERATION, LEDGER, NOT_OURS, REPLACED, BackupError
from edge.config.durable import sync_folder, write_private
from edge.core.clock import CHINA
from edge.store.recovery import GENERATION_UNKNOWN

STAGE = ".restore"
READY = "READY"
NOTE = "restored.json"
KEPT = frozenset({"backups", "bundles"})
"""What stays where it is: backups of this card, bundles."""


class Ready(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    box: str
    made_ms: int
    last_seq: int
    aside: tuple[str, ...]
    """Names in the data folder that move away first."""
    into: str
    """The folder that they move to, of this restore alone."""


class Restored(msgspec.Struct, frozen=True):
    """What the box tells of it, until a person has seen to it (`seen`)."""

    box: str
    made_ms: int
    last_seq: int
    seen: bool = False


def read_note(data: Path) -> Restored | None:
    """None: it never was restored, or nobody can say."""
    try:
        return msgspec.json.decode((data / NOTE).read_bytes(), type=Restored)
    except (OSError, msgspec.DecodeError):
        return None


def beijing(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, CHINA):%Y-%m-%d %H:%M}"


def note_seen(data: Path) -> None:
    """Raises `OSError`."""
    if (note := read_note(data)) is not None:
        write_private(data / NOTE, msgspec.json.encode(msgspec.structs.replace(note, seen=True)))


class Places(msgspec.Struct, frozen=True):
    """Where a box keeps its things. `owner`: user and group of configuration and data, None: whoever runs this."""

    config: Path
    secrets: Path
    data: Path
    owner: tuple[int, int] | None = None


def commit(places: Places, box: str, made_ms: int, last_seq: int) -> None:
    """What lies unpacked in the stage is whole and right: from now on it will be placed, whatever happens."""
    stage = places.data / STAGE
    _begin_new_numbers(stage / "data", places.data)
    for folder, _, names in os.walk(stage):
        for name in names:
            _sync_file(Path(folder) / name)
        sync_folder(Path(folder))
    there = (path.name for path in places.data.iterdir())
    aside = tuple(sorted(name for name in there if not name.startswith(NOT_OURS) and name not in KEPT))
    ready = Ready(box, made_ms, last_seq, aside, _unused(places.data, made_ms))
    write_private(stage / READY, msgspec.json.encode(ready))


def _unused(data: Path, made_ms: int) -> str:
    return next(name for name in (f"{REPLACED}{made_ms}-{n}" for n in count(1)) if not (data / name).exists())


def set_aside(places: Places) -> Path:
    """A committed restore whose record is damaged: the stage, out of the way of the next. Raises `OSError`."""
    stage = places.data / STAGE
    aside = next(path for n in count(1) if not (path := places.data / f"{REPLACED}restore-{n}").exists())
    return stage.rename(aside)


def _begin_new_numbers(stage: Path, here: Path) -> None:
    """Facts of this box from now on get numbers that the box which died cannot have used after the backup
    (`store.recovery`), nor this one since an earlier restore: whoever keeps a cursor must not take new facts for known
    ones. A box that began its ledger anew after the backup, and died, is beyond what a new card can know."""
    if not (stage / LEDGER).exists():
        return
    moved = here.glob(f"{REPLACED}*/{GENERATION}")  # by a restore that came to no end
    number = max(map(_generation, (stage / GENERATION, here / GENERATION, *moved)))
    (stage / GENERATION).write_text(str(number + 1), encoding="ascii")


def _generation(file: Path) -> int:
    if not file.exists():
        return 1
    try:
        return int(file.read_text(errors="replace").partition(" ")[0])
    except ValueError:
        return GENERATION_UNKNOWN  # only a failing card writes something else; far from all used numbers


def read_ready(stage: Path) -> Ready | None:
    """What was committed and not carried out yet. Raises `BackupError`: it says so, and cannot be read."""
    try:
        return msgspec.json.decode((stage / READY).read_bytes(), type=Ready)
    except FileNotFoundError:
        return None
    except ValueError as error:  # msgspec.DecodeError is one, bytes that are no UTF-8 are another
        raise BackupError(
            f"{stage / READY}: 上次恢复中断且其记录已损坏 ({error}); 重新恢复: parkbox restore FILE --replace (现有数据"
            "移开, 不删除) / a restore was cut off and its record is damaged: restore anew with --replace; what is "
            "there is moved aside, not deleted"
        ) from error


def finish(places: Places) -> Ready | None:
    """Carry out, or go on with, a restore that was committed; None: there is none. Raises `OSError`, and `BackupError`
    as `read_ready`."""
    stage = places.data / STAGE
    ready_file = stage / READY
    ready = read_ready(stage)
    if ready is None:
        shutil.rmtree(stage, ignore_errors=True)  # never committed, or all placed: it holds secrets
        return None
    aside = places.data / ready.into
    aside.mkdir(mode=0o700, exist_ok=True)
    for name in ready.aside:
        old = places.data / name
        if not (aside / name).exists() and old.exists():
            old.rename(aside / name)
    sync_folder(aside)
    sync_folder(places.data)
    _own(aside, places)
    _move_tree(stage / "data", places.data, places)
    for path in sorted((stage / "secrets").glob("*")):
        write_private(places.secrets / path.name, path.read_bytes())
    config = stage / "config" / "box.toml"
    if config.exists():
        put_config(places, config.read_bytes())
    note = places.data / NOTE
    write_private(note, msgspec.json.encode(Restored(ready.box, ready.made_ms, ready.last_seq)))
    _own(note, places)
    for left in ("data", "secrets", "config"):
        shutil.rmtree(stage / left, ignore_errors=True)
    ready_file.unlink()
    stage.rmdir()
    sync_folder(places.data)
    return ready


def put_config(places: Places, text: bytes) -> None:
    """In place of the old one, which stays as `<name>.previous`."""
    if places.config.exists() and (old := places.config.read_bytes()) != text:
        previous = places.config.with_name(f"{places.config.name}.previous")
        write_private(previous, old)
        _own(previous, places)
    write_private(places.config, text)
    places.config.chmod(0o640)
    _own(places.config, places)


def _move_tree(source: Path, target: Path, places: Places) -> None:
    for path in sorted(source.iterdir()) if source.is_dir() else []:
        if path.is_dir():
            (target / path.name).mkdir(mode=0o700, exist_ok=True)
            _own(target / path.name, places)
            _move_tree(path, target / path.name, places)
        else:
            _own(path, places)
            path.rename(target / path.name)
    sync_folder(target)


def _own(path: Path, places: Places) -> None:
    if places.owner is not None:
        os.chown(path, *places.owner)


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
