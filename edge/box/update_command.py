"""`parkbox update FILE`: a signed bundle into the slot that does not run; `--asked`: the one that the page took in;
`--slots`: which slot runs, which is next."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from edge.box.update_rauc import Slot, UpdateError, engine, install, slots
from edge.box.update_state import ASKED, BUNDLE, FOLDER, State, at_work, keep_state
from edge.config.arguments import Arguments
from edge.config.durable import sync_folder
from edge.wall_clock import boot_id

REBOOT_S = 30.0


def main(argv: Sequence[str]) -> int:
    parser = Arguments(
        "parkbox update",
        description="更新: 将签名的更新包写入另一系统分区, 下次启动试用 a signed bundle into the other slot; the next "
        "boot tries it, and stays with it only when the box is well (parkbox health)",
    )
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help="更新包 bundle (.raucb)")
    parser.add_argument("--slots", action="store_true", help="显示系统分区 show the slots")
    parser.add_argument("--asked", action="store_true", help="安装网页收到的更新包 install what the page took in")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="(%(default)s)")
    parser.add_argument("--reboot", action="store_true", help="安装后重启 restart into it at once")
    chosen = parser.parse_args(argv)
    if sum((chosen.file is not None, chosen.slots, chosen.asked)) != 1:
        parser.error("须给 FILE, --slots 或 --asked 之一 give one of FILE, --slots, --asked")
    try:
        if chosen.slots:
            print("\n".join(map(slot_line, slots())))
            return 0
        if chosen.asked:
            with at_work(chosen.folder):
                _asked(chosen.folder)
            return _reboot() if chosen.reboot else 0
        _check(chosen.file)
        install(chosen.file.resolve(), _show)
    except (UpdateError, OSError) as error:
        print(f"未更新 not updated: {error}", file=sys.stderr)
        return 1
    print("已写入另一系统分区, 重启后试用: systemctl reboot")
    print("it is in the other slot; the next boot tries it")
    return _reboot() if chosen.reboot else 0


def slot_line(slot: Slot) -> str:
    state = "运行中 running" if slot.running else "备用 the other"
    words = [slot.bootname, slot.version or "出厂 as flashed", state]
    words += ["下次启动 next"] if slot.next else []
    words += [] if slot.good else ["未确认 not confirmed"]
    return "  ".join(words)


def _check(file: Path) -> None:
    """Before the engine is asked, what it would say less clearly."""
    engine()
    if not file.is_file():
        raise UpdateError(f"{file}: 没有此文件 / no such file")
    if not os.access(file, os.R_OK):
        raise UpdateError(f"{file}: 无权读取 / may not be read")


def _show(percent: int, text: str) -> None:
    print(f"{percent:3d}% {text}", flush=True)


def _asked(folder: Path) -> None:
    """By the unit. The request goes before anything is done, durably: one that brings the box down is not carried out
    at each boot again. The state is there before the request is gone: the page takes no other bundle meanwhile."""
    bundle = folder / BUNDLE

    def kept(phase: Literal["installing", "installed", "failed"], percent: int, text: str) -> None:
        keep_state(folder, State(phase, percent, text, time.time_ns() // 1_000_000, boot_id()))

    try:
        try:
            kept("installing", 0, "")
        finally:
            (folder / ASKED).unlink(missing_ok=True)
            sync_folder(folder)
        _check(bundle)
        install(bundle, lambda percent, text: kept("installing", percent, text))
    except UpdateError as error:
        kept("failed", 0, str(error))
        raise
    except OSError as error:  # how far it is could not be kept; RAUC's service may have gone on alone
        kept("failed", 0, f"更新中断: {error}; 下次启动哪个分区见列表 / cut off: {error}; the slots say which is next")
        raise
    finally:
        bundle.unlink(missing_ok=True)
    kept("installed", 100, "")


def _reboot() -> int:
    done = subprocess.run(["systemctl", "reboot"], capture_output=True, text=True, timeout=REBOOT_S, check=False)
    if done.returncode:
        print(f"无法重启 cannot restart: {done.stderr.strip()}", file=sys.stderr)
        return 1
    return 0
