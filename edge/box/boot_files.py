"""What first boot wants written on the boot partition, and the small step that may do it.

The boot partition is mounted read-only. First boot reads files of strangers and so runs in a sandbox; it leaves its
wishes in /run, and `parkbox first-boot --boot-files`, which alone may remount, carries them out: files of a fixed
list written, used secrets and passphrases taken away. FAT knows no journal: nothing is mounted for writing unless a
wish is there and not yet true.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import msgspec

from edge.box.kit import BOXES_FOLDER, SECRETS_FOLDER
from edge.config.durable import sync_folder, write_private

WISHES = "boot-files.json"
LABEL = "parkbox-label.html"
TROUBLE = "parkbox-error.txt"
RESTORE_PASSPHRASE = "restore-passphrase.txt"
WRITABLE = frozenset({LABEL, TROUBLE})
MOUNT = "/usr/bin/mount"
MOUNT_S = 30.0


class BootWishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`write`: name to text, "" for a file that shall not be there. `remove`: used secrets, paths below the boot
    partition."""

    write: dict[str, str] = {}
    remove: tuple[str, ...] = ()


def leave(run: Path, boot: Path, wishes: BootWishes) -> bool:
    """Keep those that are not true yet, for the other step; whether there are any."""
    open_wishes = BootWishes(
        {name: text for name, text in wishes.write.items() if _text(boot / name) != text},
        tuple(name for name in wishes.remove if (boot / name).exists()),
    )
    if not boot.is_dir() or not (open_wishes.write or open_wishes.remove):
        (run / WISHES).unlink(missing_ok=True)
        return False
    write_private(run / WISHES, msgspec.json.encode(open_wishes))
    return True


def carry_out(run: Path, boot: Path, remount: Callable[[Path, str], None]) -> int:
    """Exit code. Raises `OSError`; the wishes stay and are formed anew at the next boot."""
    try:
        wishes = msgspec.json.decode((run / WISHES).read_bytes(), type=BootWishes)
    except FileNotFoundError:
        return 0
    for name in (*wishes.write, *wishes.remove):
        if not _allowed(name, removing=name in wishes.remove):
            raise ValueError(f"{name!r}: 不允许 not allowed; {', '.join(sorted(WRITABLE))} or used secrets")
    remount(boot, "rw")
    try:
        for name, text in wishes.write.items():
            if text:
                _write(boot / name, text.encode())
            else:
                (boot / name).unlink(missing_ok=True)
        for name in wishes.remove:
            (boot / name).unlink(missing_ok=True)
            sync_folder((boot / name).parent)
        sync_folder(boot)
    finally:
        remount(boot, "ro")
    (run / WISHES).unlink()
    return 0


def _allowed(name: str, *, removing: bool) -> bool:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        return False
    if not removing:
        return name in WRITABLE
    return name == RESTORE_PASSPHRASE or (
        path.parent.name == SECRETS_FOLDER and (len(path.parts) == 2 or path.parts[0] == BOXES_FOLDER)
    )


def _write(path: Path, data: bytes) -> None:
    """Beside, synced, renamed. FAT takes no mode and no owner."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)


def remount(boot: Path, how: str) -> None:
    """mount(8). A folder that is no mount point (a laptop) is left as it is. Raises `OSError`."""
    if not os.path.ismount(boot):
        return
    done = subprocess.run([MOUNT, "-o", f"remount,{how}", str(boot)], capture_output=True, text=True, timeout=MOUNT_S,
                          check=False)  # fmt: skip
    if done.returncode:
        raise OSError(f"{boot} 无法重新挂载 cannot be remounted {how}: {done.stderr.strip()}")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
