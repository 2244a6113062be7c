"""Are two builds of the image the same? `python3 image/compare.py BUILD OTHER` says what differs, and which of it may.

The root is compared file by file (kind, mode, owner, link, content; dates are the squashfs's own), then the files that
leave the house byte by byte. Builds by the same keys (`KEYS=`) must be the same in all but a bundle's signature.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

MAY_DIFFER = {
    "keys": "更新签名密钥, 没有 KEYS= 时各自生成   keys for update bundles, made anew without KEYS=",
    "root/etc/rauc/keyring.pem": "其中的公开部分   the public part of these keys",
}
"""Below a build's folder. What holds the keyring differs with it: see `HOLD_KEYRING`."""

HOLD_KEYRING = ("root.squashfs", "system.img", "parkbox.img")
SAME = ("boot.img", "sbom.json", "u-boot.bin", *HOLD_KEYRING)
BUNDLE = "parkbox.raucb"
SIZE_BYTES = 8
"""A plain bundle of RAUC ends with its CMS signature (which holds a random number and a time) and that one's length as
a big-endian number of so many bytes (RAUC's documentation, "Bundle formats")."""

BLOCK_BYTES = 1 << 20


def tree(root: Path) -> dict[str, str]:
    """Path below `root` -> all that a squashfs keeps of it. Raises `OSError`."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder) / name
            found[str(path.relative_to(root))] = _kept(path)
    return found


def _kept(path: Path) -> str:
    entry = path.lstat()
    kept = f"{stat.filemode(entry.st_mode)} {entry.st_uid}:{entry.st_gid}"
    if stat.S_ISLNK(entry.st_mode):
        return f"{kept} -> {path.readlink()}"
    if stat.S_ISREG(entry.st_mode):
        return f"{kept} {entry.st_size} {_digest(path, entry.st_size)}"
    return f"{kept} {entry.st_rdev}" if stat.S_ISBLK(entry.st_mode) or stat.S_ISCHR(entry.st_mode) else kept


def _digest(path: Path, length: int) -> str:
    """Of the first `length` bytes."""
    made = hashlib.sha256()
    with path.open("rb") as file:
        while length > 0 and (data := file.read(min(BLOCK_BYTES, length))):
            made.update(data)
            length -= len(data)
    return made.hexdigest()


def payload_bytes(bundle: Path) -> int:
    """How much of a bundle is content. Raises `ValueError` when its end is no signature's."""
    size = bundle.stat().st_size
    with bundle.open("rb") as file:
        file.seek(max(0, size - SIZE_BYTES))
        signature = int.from_bytes(file.read(SIZE_BYTES), "big")
    if not 0 < signature < size - SIZE_BYTES:
        raise ValueError(f"{bundle}: 末尾不是签名 does not end with a signature ({signature} of {size} bytes)")
    return size - SIZE_BYTES - signature


def differences(build: Path, other: Path) -> Iterator[str]:
    """What differs and must not, a line each. Raises `OSError` for a build that is not whole."""
    ours, theirs = tree(build / "root"), tree(other / "root")
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name) and f"root/{name}" not in MAY_DIFFER:
            yield f"root/{name}: {ours.get(name, '没有 missing')} | {theirs.get(name, '没有 missing')}"
    one_keyring = keyring(build) == keyring(other)
    for name in SAME:
        if one_keyring or name not in HOLD_KEYRING:
            sizes = [(folder / name).stat().st_size for folder in (build, other)]
            if sizes[0] != sizes[1] or _digest(build / name, sizes[0]) != _digest(other / name, sizes[1]):
                yield f"{name}: {sizes[0]} | {sizes[1]}"
    if one_keyring:
        lengths = [payload_bytes(folder / BUNDLE) for folder in (build, other)]
        if lengths[0] != lengths[1] or _digest(build / BUNDLE, lengths[0]) != _digest(other / BUNDLE, lengths[1]):
            yield f"{BUNDLE}, 签名之外 beside its signature: {lengths[0]} | {lengths[1]}"


def keyring(build: Path) -> bytes:
    return (build / "root/etc/rauc/keyring.pem").read_bytes()


def main(argv: Sequence[str]) -> int:
    """0: the same; 1: not; 2: cannot be compared."""
    if len(argv) != 2:
        print("用法 usage: python3 image/compare.py BUILD OTHER", file=sys.stderr)
        return 2
    build, other = map(Path, argv)
    try:
        found = list(differences(build, other))
        if keyring(build) != keyring(other):
            print("可以不同 may differ:")
            for name, why in MAY_DIFFER.items():
                print(f"  {name}: {why}")
            print(f"因此没有比较 so not compared: {', '.join((*HOLD_KEYRING, BUNDLE))} (KEYS=)")
        else:
            print(f"可以不同 may differ: {BUNDLE} 的签名 its signature")
    except (OSError, ValueError) as error:
        print(f"无法比较 cannot be compared: {error}", file=sys.stderr)
        return 2
    for line in found:
        print(f"不同 differs: {line}")
    print("两次构建相同 both builds are the same" if not found else f"{len(found)} 处不同 differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
