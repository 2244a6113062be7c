"""Update bundles for the tests: the system that was built, numbered, signed by us or by a stranger."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.image_machine import BUILD

IMAGE = Path(__file__).resolve().parent.parent / "image"
STICK_BYTES = 640 << 20
FOREIGN_BYTES = 4 << 20
"""A stranger's is refused by its signature, before anybody looks at what is in it."""


def own(folder: Path, number: int) -> Path:
    """Bundle `number` with the authority's signature. The system in it says `number` at /run/system/number."""
    work = folder / f"own-{number}"
    work.mkdir()
    system = work / "system.img"
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", BUILD / "system.img", system], check=True)
    (work / "number").write_text(f"{number}\n")
    subprocess.run(["mcopy", "-i", str(system), str(work / "number"), "::number"], check=True)
    return _bundle(work, BUILD / "keys", number)


def foreign(folder: Path, number: int) -> Path:
    """A bundle of somebody else's whole authority, made by the same recipe."""
    work = folder / "foreign"
    work.mkdir()
    subprocess.run([IMAGE / "keys"], check=True, env={**os.environ, "BUILD": str(work)}, capture_output=True)
    (work / "system.img").write_bytes(os.urandom(FOREIGN_BYTES))
    return _bundle(work, work / "keys", number)


def _bundle(work: Path, keys: Path, number: int) -> Path:
    out = work.with_suffix(".raucb")
    places = {"BUILD": str(work), "KEYS_AT": str(keys), "WORK": str(work / "bundle")}
    subprocess.run([IMAGE / "bundle", str(number), out], check=True, capture_output=True, env={**os.environ, **places})
    shutil.rmtree(work)
    return out


def stick(folder: Path, bundles: dict[str, Path]) -> Path:
    """A stick with them, by name."""
    image = folder / "stick.img"
    with image.open("wb") as file:
        file.truncate(STICK_BYTES)
    subprocess.run(["mkfs.vfat", "-F", "32", str(image)], check=True, capture_output=True)
    for name, bundle in bundles.items():
        subprocess.run(["mcopy", "-i", str(image), str(bundle), f"::{name}"], check=True)
    return image
