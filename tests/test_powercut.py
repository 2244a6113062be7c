"""The power goes at any moment and the drive loses what was not flushed: judged by a program that is not ours.

The judge lies beside the project (`../shared/judges/powercut`, see its README) and needs root, qemu-utils' storage
daemon and FUSE; where one is missing the test says so and is skipped. It runs our toy in place of its own.
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
JUDGE = ROOT.parent / "shared" / "judges" / "powercut" / "pc_logwrites.py"
SECONDS = 8
CONTROL_SECONDS = 24  # what is lost without a folder's sync shows only after some dozens of pictures
POINTS = 100

pytestmark = pytest.mark.soak


@pytest.fixture(params=["powercut", "powercut_agent"], ids=["lane", "agent"])
def judge(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with the judge, one of our toys and its check side by side, as the judge expects them: ledger and
    spool of the lane program, or deliveries, pictures and their index of the agent."""
    if not JUDGE.exists():
        pytest.skip("the judge ../shared/judges/powercut is not beside the project")
    if os.geteuid() != 0:
        pytest.skip("the judge mounts disks: it needs root")
    for program in ("qemu-storage-daemon", "mkfs.ext4", "losetup", "e2fsck", "fusermount3"):
        if shutil.which(program) is None:
            pytest.skip(f"the judge needs {program}, which is not installed")
    shutil.copy(JUDGE, tmp_path / "pc_logwrites.py")
    shutil.copy(ROOT / "tests" / "crash" / f"{request.param}_toy.py", tmp_path / "toy.py")
    shutil.copy(ROOT / "tests" / "crash" / f"{request.param}_check.py", tmp_path / "check.py")
    return tmp_path


def kept_of(judge: Path, mode: str, points: int, seconds: int = SECONDS) -> tuple[int, int, str]:
    """(cut points where every promise was kept, cut points, the judge's line)."""
    ended = subprocess.run(
        [sys.executable, str(judge / "pc_logwrites.py"), "--secs", str(seconds), "--points", str(points), mode],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    found = re.search(r"kept (\d+)/(\d+)", ended.stdout)
    assert found is not None, f"the judge did not finish: {ended.stdout} {ended.stderr[-2000:]}"
    return int(found[1]), int(found[2]), ended.stdout.strip()


def test_nothing_promised_is_lost_at_any_cut(judge: Path) -> None:
    kept, points, line = kept_of(judge, "full", POINTS)
    assert points == POINTS, line
    assert kept == POINTS, line


@pytest.mark.parametrize(
    ("judge", "mode"),
    [("powercut", "off"), ("powercut", "nosync"), ("powercut_agent", "off"), ("powercut_agent", "nodir")],
    indirect=["judge"],
)
def test_the_judge_finds_a_missing_sync(judge: Path, mode: str) -> None:
    kept, points, line = kept_of(judge, mode, 15, CONTROL_SECONDS)
    assert points == 15, line
    assert kept < points, f"{mode} must lose something: {line}"
