"""What a machine tells of itself, read from a made-up /proc and /sys as the kernel writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.agent.machine import NO_TEMPERATURE, Machine


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def pi(tmp_path: Path) -> Machine:
    """A Compute Module with eMMC; the data folder's device number leads to its second partition."""
    root, data = tmp_path / "root", tmp_path / "data"
    data.mkdir()
    write(root, "proc/uptime", "3661.55 13000.12\n")
    write(root, "proc/loadavg", "0.42 0.30 0.20 1/200 999\n")
    write(root, "proc/meminfo", "MemTotal:        3884360 kB\nMemFree: 1 kB\nMemAvailable:    3000000 kB\n")
    write(root, "proc/self/status", "Name:\tparkbox\nVmRSS:\t   39936 kB\n")
    write(root, "proc/device-tree/model", "Raspberry Pi Compute Module 4 Rev 1.1\0")
    write(root, "sys/class/thermal/thermal_zone0/temp", "48312\n")
    write(root, "sys/class/thermal/thermal_zone1/temp", "51100\n")
    disk = "sys/devices/platform/emmc/block/mmcblk0"
    write(root, f"{disk}/stat", "  1000  20  300000  40  5000  60  2097152  80  0  90  100\n")
    write(root, f"{disk}/device/life_time", "0x02 0x03\n")
    write(root, f"{disk}/device/pre_eol_info", "0x01\n")
    write(root, f"{disk}/mmcblk0p2/partition", "2\n")
    number = data.stat().st_dev
    link = root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}"
    link.parent.mkdir(parents=True)
    link.symlink_to(root / f"{disk}/mmcblk0p2")
    return Machine(data, root)


def test_an_emmc_tells_its_wear_and_what_was_written(pi: Machine) -> None:
    disk = pi.disk()
    assert (disk.device, disk.written_bytes, disk.wear_pct) == ("mmcblk0", 2097152 * 512, 30)
    assert "30%" in disk.wear_zh
    assert "normal" in disk.wear_en
    assert 0 < disk.free_bytes <= disk.total_bytes


def test_the_rest_of_the_machine(pi: Machine) -> None:
    assert (pi.up_s(), pi.load()) == (3661, 0.42)
    assert pi.memory_bytes() == (3884360 * 1024, 3000000 * 1024)
    assert pi.temperature_c() == 51.1
    assert pi.rss_bytes() == 39936 * 1024
    assert pi.versions()["machine"] == "Raspberry Pi Compute Module 4 Rev 1.1"


def test_what_is_not_told_is_unknown_and_not_guessed(tmp_path: Path) -> None:
    bare = Machine(tmp_path, tmp_path / "nothing")
    disk = bare.disk()
    assert (disk.device, disk.written_bytes, disk.wear_pct) == ("", -1, -1)
    assert "未知" in disk.wear_zh
    assert (bare.temperature_c(), bare.rss_bytes(), bare.up_s()) == (NO_TEMPERATURE, -1, 0)
    assert bare.memory_bytes() == (-1, -1)


@pytest.mark.parametrize(
    ("life", "wear"), [("0x01 0x01", 10), ("0x0a 0x01", 100), ("0x0b 0x0b", 100), ("0x00 0x00", -1), ("", -1)]
)
def test_the_words_of_life_time(pi: Machine, tmp_path: Path, life: str, wear: int) -> None:
    write(tmp_path / "root", "sys/devices/platform/emmc/block/mmcblk0/device/life_time", life)
    assert pi.disk().wear_pct == wear
