"""The update engine, RAUC, by its command line: it checks the signature, writes the slot that does not run and makes it
the next one. What it prints is read as it is documented (rauc(1), "Using RAUC"): `rauc install` a line a step,
` 40% Copying image to rootfs.1 done.`, and at its end `LastError: ...` when it failed; `rauc status
--output-format=json` one object.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

PROGRAM = "rauc"
STATUS_S = 30.0
STEP = re.compile(r"^\s*(\d{1,3})% (.+)$")
LAST_ERROR = re.compile(r"LastError: (.*)$")
KEPT_LINES = 20
REFUSALS = (
    ("signature verification failed", "签名不符, 不是签发给此盒子的更新包", "not signed for this box"),
    ("Compatible mismatch", "不是此型号的更新包", "for another kind of box"),
    ("Signature size", "不是更新包, 或已损坏", "no update bundle, or a damaged one"),
)
"""What RAUC says of bundles that people bring by mistake (its `bundle.c` and `install.c`), and what that means."""


class UpdateError(Exception):
    """No update: why, in words, Chinese first."""


class Slot(msgspec.Struct, frozen=True):
    name: str
    bootname: str
    running: bool
    good: bool
    """It has booted well, or nobody has tried."""
    version: str
    """Of the bundle that was written there; "": written by nobody but the flash."""
    next: bool
    """The one that the next boot tries."""


def engine() -> str:
    """The program's path. Raises `UpdateError`."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise UpdateError("本机没有更新程序 rauc: 只有盒子的镜像有 / there is no update engine (rauc) on this "
                          "machine: only the image of a box has one")  # fmt: skip
    return found


def slots() -> tuple[Slot, ...]:
    """Raises `UpdateError`."""
    command = [engine(), "status", "--detailed", "--output-format=json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=STATUS_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise UpdateError(f"rauc status {STATUS_S:.0f} 秒内没有应答 / no answer within {STATUS_S:.0f} s") from error
    if done.returncode:
        raise UpdateError(f"rauc status: {done.stderr.strip()[-300:]}")
    try:
        return read_slots(done.stdout)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UpdateError(f"rauc status: 无法理解 not understood: {error!r}: {done.stdout[:300]}") from error


def read_slots(text: str) -> tuple[Slot, ...]:
    """Of the status as JSON; slots without a boot name belong to one that has."""
    status = json.loads(text)
    found = []
    for one in status["slots"]:
        ((name, slot),) = one.items()
        if slot.get("bootname"):
            found.append(Slot(
                name=name,
                bootname=slot["bootname"],
                running=slot["state"] == "booted",
                good=slot.get("boot_status") == "good",
                version=_version(slot),
                next=status.get("boot_primary") == name,
            ))
    return tuple(found)


def _version(slot: dict[str, Any]) -> str:
    bundle = (slot.get("slot_status") or {}).get("bundle") or {}
    return str(bundle.get("version") or "")


def install(bundle: Path, progress: Callable[[int, str], None]) -> None:
    """Until the bundle is in the other slot. `progress`: percent, and what is being done. Raises `UpdateError`: a wrong
    signature, an unsuitable bundle, a disk; then the running slot stays the next one."""
    command = [engine(), "install", str(bundle)]
    lines: list[str] = []
    last_error = ""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as child:  # fmt: skip
        assert child.stdout is not None
        for line in child.stdout:
            lines = [*lines[1 - KEPT_LINES:], line.rstrip()]
            if step := STEP.match(line):
                progress(min(100, int(step[1])), step[2].strip())
            elif error := LAST_ERROR.search(line):
                last_error = error[1].strip()
    if child.returncode:
        why = last_error or next((line for line in reversed(lines) if line), f"exit code {child.returncode}")
        zh, en = next(((f"{zh} ({why})", f"{en} ({why})") for said, zh, en in REFUSALS if said in why), (why, why))
        raise UpdateError(f"未安装, 现用系统不变: {zh} / not installed, the running system stays: {en}")


def mark_good() -> None:
    """The running slot stays the one that boots. Raises `UpdateError`."""
    done = subprocess.run([engine(), "status", "mark-good"], capture_output=True, text=True, timeout=STATUS_S,
                          check=False)  # fmt: skip
    if done.returncode:
        raise UpdateError(f"rauc status mark-good: {(done.stderr or done.stdout).strip()[-300:]}")
