"""The units as systemd itself judges them: no key it does not know, and how much each leaves open."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parent.parent / "systemd"
IMAGE = UNITS.parent / "image/files/usr/lib/systemd/system"
"""Units that only the image has: its slots."""
SERVICES = sorted([*UNITS.glob("*.service"), *IMAGE.glob("*.service")])
EXPOSURE_TENTHS = 15
"""Most that a unit may score: 1.5. Debian's own: redis 1.2, chronyd-restricted 2.1, an untouched unit 9.6."""

NEWER = ("RestartSteps", "RestartMaxDelaySec")  # systemd 254; Debian 12 has 252 and goes on with RestartSec alone

analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here (Debian: systemd)"
)


def version() -> int:
    text = subprocess.run(["systemd-analyze", "--version"], check=True, capture_output=True, text=True).stdout
    return int(text.split()[1])


def exposure(unit: Path, most_tenths: int) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={most_tenths}", str(unit)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def settings(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text("utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_the_services_are_found_and_wanted() -> None:
    assert {unit.stem for unit in SERVICES} >= {"parkbox-agent", "parkbox-lane", "parkbox-first-boot", "parkbox-backup"}
    wanted = " ".join(settings(UNITS / "parkbox.target")["Wants"]).split()
    started = {unit.name for unit in UNITS.glob("parkbox-*") if unit.suffix in {".timer", ".path"}}
    assert {"parkbox-agent.service", "parkbox-lane.service", "parkbox-first-boot.service"} | started <= set(wanted)


@analyze
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_exposure(unit: Path) -> None:
    result = exposure(unit, EXPOSURE_TENTHS)
    assert result.returncode == 0, result.stdout


@analyze
def test_the_judge_of_exposure_can_say_no(tmp_path: Path) -> None:
    open_unit = tmp_path / "open.service"
    open_unit.write_text("[Service]\nExecStart=/bin/true\n", encoding="ascii")
    assert exposure(open_unit, EXPOSURE_TENTHS).returncode != 0


@analyze
def test_verify_has_nothing_to_say(tmp_path: Path) -> None:
    """With the program at its place in a root of its own: a command that is missing is a finding too."""
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    for unit in UNITS.glob("parkbox*"):
        text = unit.read_text("utf-8")
        (folder / unit.name).write_text(text.replace("/opt/parkbox/bin/parkbox ", "/bin/true "), encoding="utf-8")
    names = [str(path) for path in sorted(folder.iterdir())]
    result = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in (result.stdout + result.stderr).splitlines() if str(folder) in line or "parkbox" in line]
    if version() < 254:
        lines = [line for line in lines if not any(f"'{key}' in section" in line for key in NEWER)]
    assert lines == []
    if version() >= 254:
        assert result.returncode == 0, result.stderr


def test_the_agent_cannot_starve_the_lane() -> None:
    lane, agent = (settings(UNITS / f"parkbox-{name}.service") for name in ("lane", "agent"))
    for weight in ("CPUWeight", "IOWeight"):
        assert int(lane[weight][0]) >= 10 * int(agent[weight][0])
    assert int(lane["Nice"][0]) < int(agent["Nice"][0])
    assert int(lane["OOMScoreAdjust"][0]) < 0 < int(agent["OOMScoreAdjust"][0])
    assert "MemoryMax" in agent and "MemoryMin" in lane


def test_the_lane_may_open_an_adapter_whose_driver_comes_after_it() -> None:
    """A name is looked up in /proc/devices when the unit starts; only a number holds for a driver that comes later.
    188 and 166 are those of ttyUSB and ttyACM in the kernel's devices.txt."""
    allowed = set(settings(UNITS / "parkbox-lane.service")["DeviceAllow"])
    assert allowed == {"char-gpiochip rw", "char-188 rw", "char-166 rw"}


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_every_loosening_says_why(unit: Path) -> None:
    """A setting that opens something stands under a comment that begins with `Looser` and names it."""
    text = unit.read_text("utf-8")
    reasons = " ".join(re.findall(r"^# Looser: (.*(?:\n# .*)*)", text, re.MULTILINE))
    opened = [
        key for key, values in settings(unit).items() if key.startswith(("Private", "Protect")) and "no" in values
    ]
    opened += [key for key in ("ProcSubset",) if settings(unit).get(key) == ["all"]]
    given = " ".join(" ".join(values) for values in settings(unit).values())
    opened += [word for word in ("AF_INET", "clock_adjtime") if word in given]
    opened += re.findall(r"\bCAP_([A-Z_]+)", given)
    opened += [] if "User" in settings(unit) else ["root"]
    assert [name for name in opened if name not in reasons] == []
