"""What the page and the updating unit tell each other, in the folder of bundles: small files, each with one writer.

    upload.raucb.part   what the page has received so far (agent)
    upload.raucb        the whole bundle (agent)
    asked               JSON `Asked`: install it; systemd's path unit starts the updater (agent writes, updater removes)
    state.json          JSON `State`: how far it is, or how it ended (updater)

As long as it lives the updater holds a lock (flock(2)) on the folder itself, which the kernel lets go of however it
ends: nothing is written for it, and both see the folder from their sandboxes.

The page's program has no right to write a slot, and whoever takes it over gains none: RAUC installs what is signed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from edge.config.durable import sync_folder, write_synced
from edge.wall_clock import boot_id

FOLDER = Path("/data/bundles")
BUNDLE, PART, ASKED, STATE = "upload.raucb", "upload.raucb.part", "asked", "state.json"
GONE = (
    "更新程序中途终止, 可重新上传更新包; 下次启动哪个分区见列表 / the updater ended before its time, the bundle can "
    "be sent again; the list of slots says which is next"
)
"""RAUC's service may have gone on without it and finished: the slots know."""


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    who: str
    at_ms: int


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    phase: Literal["installing", "installed", "failed"]
    percent: int = 0
    text: str = ""
    at_ms: int = 0
    boot: str = ""
    """The kernel's id of the boot: an update that a power cut ended is not going on."""


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """The updater's, around all it does; waits for another one's end. Raises `OSError`."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # no child holds the lock in its place
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def updater_lives(folder: Path) -> bool:
    """Raises `OSError`: there is no folder."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look are no updater to each other
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def read_state(folder: Path) -> State | None:
    """What the page tells: an installation whose updater is gone has failed. Raises `OSError`."""
    while (found := _kept(folder)) is not None and found.phase == "installing" and found.boot == boot_id():
        if updater_lives(folder):
            return found
        if _kept(folder) == found:  # else it told its end, or another one began, between the two looks
            return State("failed", found.percent, GONE, found.at_ms)
    if found is None or found.phase == "failed" or found.boot == boot_id():
        return found
    if found.phase == "installed":
        return None  # the box has started since: the slots say into what
    return State("failed", found.percent, "写入中断, 现用系统不变 / cut off, the running system stays", found.at_ms)


def _kept(folder: Path) -> State | None:
    try:
        return msgspec.json.decode((folder / STATE).read_bytes(), type=State)
    except (FileNotFoundError, ValueError):  # msgspec.DecodeError is a ValueError, bytes that are no UTF-8 are another
        return None  # none yet, or that of another version: the next one replaces it


def keep_state(folder: Path, state: State) -> None:
    """The folder's owner, the page's program, may read it from the moment of its name. Raises `OSError`; then the one
    before is there."""
    beside = folder / f"{STATE}.new"
    write_synced(beside, msgspec.json.encode(state), 0o600)
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(beside, owner.st_uid, owner.st_gid)
    beside.rename(folder / STATE)
    sync_folder(folder)
