"""The real RPi.GPIO and rpi-lgpio under our driver, as far as a machine without pins lets them be driven.

pip puts each into a folder that is thrown away (RPi.GPIO is compiled); where it cannot, the test says so and is
skipped. Both are told that this is a Pi: rpi-lgpio by its own variable,
RPi.GPIO by another /proc/cpuinfo in a mount namespace.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WITHIN_S = 300
DRIVE = """
import sys
from pathlib import Path
from drivers.gpio import GpioBoard
from drivers.gpio_look import installed
from edge.config.load import load
from edge.ports import DeviceError
print("library", *installed())
config = load(Path(sys.argv[1]))
board = GpioBoard(config.gpio, config.lane)
try:
    board.open(print)
except DeviceError as error:
    print("refused", error)
else:
    print("opened")
    board.close()
import RPi.GPIO as module
missing = [name for name in (
    "BCM", "OUT", "IN", "LOW", "HIGH", "PUD_UP", "PUD_DOWN", "BOTH", "setwarnings", "setmode", "setup", "output",
    "input", "add_event_detect", "remove_event_detect", "cleanup") if not hasattr(module, name)]
print("missing", *missing)
"""
CPUINFO = "processor\t: 0\nHardware\t: BCM2835\nRevision\t: c03114\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
PI5_REVISION = "c04170"


def fetched(name: str, folder: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(folder), name],
        capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"pip cannot install {name} here: {done.stderr.strip()[-200:]}")
    return folder


def drive(folder: Path, before: list[str], **environment: str) -> str:
    path = f"{folder}{os.pathsep}{ROOT}"
    done = subprocess.run(
        [*before, sys.executable, "-c", DRIVE, str(ROOT / "configs/entry.toml")], capture_output=True, text=True,
        timeout=WITHIN_S, check=False, env={**os.environ, "PYTHONPATH": path, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rpi_lgpio_is_imported_and_its_own_error_is_a_named_fault(tmp_path: Path) -> None:
    """lgpio's error is no OSError and no RuntimeError: it must not end the lane program."""
    if any(Path("/dev").glob("gpiochip*")):
        pytest.skip("this machine has pins: nothing is to be driven here")
    folder = fetched("rpi-lgpio", tmp_path / "lib")
    said = drive(folder, [], RPI_LGPIO_REVISION=PI5_REVISION)
    assert re.search(r"^library rpi-lgpio \d", said, re.MULTILINE)
    assert re.search(r"^refused gpio: 'can not open gpiochip'$", said, re.MULTILINE), said
    assert "missing\n" in said


def test_rpi_gpio_is_imported_and_refuses_in_words_without_its_memory(tmp_path: Path) -> None:
    if Path("/dev/gpiomem").exists():
        pytest.skip("this machine has pins: nothing is to be driven here")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(CPUINFO, encoding="ascii")
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed (util-linux)")
    before = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /proc/cpuinfo && exec "$@"', str(cpuinfo)]
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("another /proc/cpuinfo needs root")
    folder = fetched("RPi.GPIO", tmp_path / "lib")
    said = drive(folder, before)
    assert re.search(r"^library RPi\.GPIO \d", said, re.MULTILINE)
    assert re.search(r"^refused gpio: No access to /dev/mem", said, re.MULTILINE), said
    assert "missing\n" in said
