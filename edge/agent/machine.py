"""The machine under the box: temperature, memory, disk, and what the card tells of its wear.

`root` stands for "/": the kernel's files are read below it, so that a test can bring a machine of its own. What a
machine does not tell is said to be unknown, never guessed.
"""

from __future__ import annotations

import os
import platform
import sqlite3
from pathlib import Path

from edge.web.api_views import Disk

NO_TEMPERATURE = -273.0
SECTOR_BYTES = 512
"""/sys/block/*/stat counts in these, whatever the disk's own are (kernel Documentation/block/stat.rst)."""

EOL_WORDS = {
    1: ("正常", "normal"),
    2: ("备用块已用 80%, 请计划更换", "80 % of the spare blocks are used: plan a new card"),
    3: ("备用块已用 90%, 请尽快更换", "90 % of the spare blocks are used: replace it soon"),
}
"""PRE_EOL_INFO of JEDEC eMMC 5.0."""


class Machine:
    def __init__(self, data_dir: Path, root: Path = Path("/")) -> None:
        self._data, self._root = data_dir, root

    def up_s(self) -> int:
        return int(float(self._text("proc/uptime").partition(" ")[0] or 0))

    def load(self) -> float:
        return float(self._text("proc/loadavg").partition(" ")[0] or 0)

    def memory_bytes(self) -> tuple[int, int]:
        """All, and what is free for programs."""
        found = dict(line.partition(":")[::2] for line in self._text("proc/meminfo").splitlines())
        return _kilobytes(found.get("MemTotal", "")), _kilobytes(found.get("MemAvailable", ""))

    def temperature_c(self) -> float:
        """The hottest zone; `NO_TEMPERATURE` when there is none."""
        zones = (self._root / "sys/class/thermal").glob("thermal_zone*/temp")
        found = [text for text in (_read(zone) for zone in zones) if text.lstrip("-").isdecimal()]
        return max((int(text) / 1000 for text in found), default=NO_TEMPERATURE)

    def rss_bytes(self, pid: int | str = "self") -> int:
        for line in self._text(f"proc/{pid}/status").splitlines():
            if line.startswith("VmRSS:"):
                return _kilobytes(line.partition(":")[2])
        return -1

    def disk(self) -> Disk:
        found = os.statvfs(self._data)
        block = self._block_device()
        written, wear, zh, en = -1, -1, "未知: 存储卡不提供", "not known: the card does not tell"
        if block is not None:
            fields = _read(block / "stat").split()
            written = int(fields[6]) * SECTOR_BYTES if len(fields) > 6 else -1
            wear = _worst_life(_read(block / "device/life_time"))
            spare = _read(block / "device/pre_eol_info")
            if wear >= 0:
                zh, en = f"寿命已用约 {wear}%", f"about {wear} % of its life is used"
            if spare and int(spare, 16) in EOL_WORDS:
                more_zh, more_en = EOL_WORDS[int(spare, 16)]
                zh, en = f"{zh}; {more_zh}", f"{en}; {more_en}"
        return Disk(
            path=str(self._data),
            total_bytes=found.f_blocks * found.f_frsize,
            free_bytes=found.f_bavail * found.f_frsize,
            device=block.name if block is not None else "",
            written_bytes=written,
            wear_pct=wear,
            wear_zh=zh,
            wear_en=en,
        )

    def versions(self) -> dict[str, str]:
        release = dict(
            line.partition("=")[::2] for line in self._text("etc/os-release").splitlines() if "=" in line
        )
        model = self._text("proc/device-tree/model").strip("\0")
        found = {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "kernel": platform.release(),
            "system": release.get("PRETTY_NAME", "").strip('"'),
            "machine": model or platform.machine(),
        }
        return {name: text for name, text in found.items() if text}

    def _block_device(self) -> Path | None:
        """The whole disk under the data folder: a partition's folder stands in its disk's."""
        device = self._data.stat().st_dev
        link = self._root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}"
        if not link.exists():
            return None  # a network or memory file system
        found = link.resolve()
        return found.parent if (found / "partition").exists() else found

    def _text(self, name: str) -> str:
        return _read(self._root / name)


def supervised() -> bool:
    """systemd names each start of a unit; the simulator says so too."""
    return bool(os.environ.get("INVOCATION_ID") or os.environ.get("PARKBOX_SUPERVISED"))



def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""  # this machine does not tell it


def _kilobytes(text: str) -> int:
    number = text.strip().partition(" ")[0]
    return int(number) * 1024 if number.isdecimal() else -1


def _worst_life(text: str) -> int:
    """life_time of an eMMC: two estimates, 0x01 = up to 10 % used … 0x0b = more than its life (JEDEC eMMC 5.0)."""
    steps = [int(part, 16) for part in text.split() if part.startswith("0x")]
    known = [step for step in steps if 1 <= step <= 11]
    return min(max(known) * 10, 100) if known else -1
