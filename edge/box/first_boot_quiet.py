"""The boot of every other day: nothing is new, so nothing is judged again. It loads no library, for the lane program
waits for it: what networkd and the console were told last time is told again.

What it remembers counts only while every file that first boot looks at is what it was, and while it belongs to whoever
runs this: the data folder is the programs' own, and they must not dictate files that root writes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from edge.version import VERSION

QUIET = "boot-quiet.json"
READ = ("parkbox.toml", "parkbox-network.toml", "parkbox-label.html", "parkbox-error.txt")
THERE = ("restore.parkbox", "restore-passphrase.txt")
KEPT = ("parkbox-network.toml", "first-password", "page.crt", "evidence.pub", "label.html", "boot-taken.json")
MADE = ("accounts.json", "evidence.key", "page.key")


def key_of(boot: Path, config: Path, secrets: Path, data: Path, serial: str) -> str:
    """A digest of all that first boot looks at. Raises `OSError`."""
    found = hashlib.sha256(f"{VERSION} {serial}".encode())
    for name, text in _looked_at(boot, config, secrets, data, serial):
        found.update(f"\0{name}\0{len(text)}\0".encode() + text)
    return found.hexdigest()


def _looked_at(boot: Path, config: Path, secrets: Path, data: Path, serial: str) -> Iterator[tuple[str, bytes]]:
    for folder in (boot, boot / "parkbox" / serial) if serial else (boot,):
        paths = [folder / name for name in READ]
        paths += sorted((folder / "parkbox-secrets").glob("*"))
        yield from ((str(path), path.read_bytes()) for path in paths if path.is_file())
        yield str(folder), str([(folder / name).exists() for name in THERE]).encode()
    for path in (config, *sorted(secrets.glob("*")), *(data / name for name in KEPT)):
        if path.is_file():
            yield str(path), path.read_bytes()
    for path in (*(data / name for name in MADE), data / ".restore"):
        stat = path.stat() if path.exists() else None
        yield str(path), b"" if stat is None else f"{stat.st_uid} {stat.st_mode}".encode()


def remember(data: Path, key: str, files: dict[str, str], said: list[str]) -> None:
    """`files`: path to text, all that was written below /run. Raises `OSError`."""
    beside = data / f"{QUIET}.new"
    beside.unlink(missing_ok=True)
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as out:
        json.dump({"key": key, "files": files, "said": said}, out)
        out.flush()
        os.fsync(out.fileno())
    beside.rename(data / QUIET)


def forget(data: Path) -> None:
    (data / QUIET).unlink(missing_ok=True)


def told_again(data: Path, key: str, allowed: tuple[Path, ...]) -> list[str] | None:
    """Write the remembered files and return the lines for the console; None: something is new, look at everything."""
    path = data / QUIET
    try:
        stat = path.lstat()
        if stat.st_uid != os.geteuid() or stat.st_mode & 0o177:
            return None
        known = json.loads(path.read_text("utf-8"))
        if known["key"] != key or not set(known["files"]) <= set(map(str, allowed)):
            return None
        for name, text in known["files"].items():
            target = Path(name)
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
            target.chmod(0o644)
        return list(known["said"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # what cannot be read is made anew
