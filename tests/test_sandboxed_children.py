"""The agent's children under the system-call filter of the agent's unit: a box whose pictures are never made would pass
every other test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge.evidence.jobs import NICE, Child, Job, worker_command
from edge.evidence.spool import SpoolWriter
from tests.evidence_tools import jpeg, scene
from tests.sandboxed import lacks

ROOT = Path(__file__).resolve().parent.parent
AGENT = ROOT / "systemd/parkbox-agent.service"


pytestmark = pytest.mark.skipif(bool(lacks()), reason=f"not here: {', '.join(lacks())}")


def under(unit: Path, *command: str) -> list[str]:
    return [sys.executable, "-m", "tests.sandboxed", str(unit), *command]


def test_a_picture_is_made_under_the_agent_s_filter(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path / "spool")
    place = spool.append("0" * 32, jpeg(scene()))
    spool.close()
    job = Job(
        record_id="1" * 32, read_id="0" * 32, spool=place.spool, offset=place.offset, length=place.length,
        crc32=place.crc32, box="box1", lot="停车场", lane="in1", lane_name="入口", direction="in", device="cam-in1",
        plate="鲁A12345", overlay=True, taken_ms=1_795_326_128_123, passed_ms=1_795_326_131_000, day="20261122",
        chain=1, previous="",
    )  # fmt: skip
    child = Child(tmp_path, lambda data: under(AGENT, *worker_command(data)))
    try:
        done = child.make(job)
    finally:
        child.end(kill=True)
    assert done.result == "made", done
    assert (tmp_path / "pictures/20261122" / f"{'1' * 32}.jpg").is_file()


def test_the_upload_child_comes_up_under_the_agent_s_filter() -> None:
    command = under(AGENT, sys.executable, "-m", "edge.evidence.upload_worker")
    ended = subprocess.run(command, cwd=ROOT, input=b"", capture_output=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    assert ended.stdout == bytes(4)  # the empty frame: all is loaded


def test_what_the_filter_forbids_is_refused(tmp_path: Path) -> None:
    """The control: without the call that the children need, neither comes up."""
    unit = tmp_path / "strict.service"
    unit.write_text(AGENT.read_text("utf-8").replace(" setpriority\n", "\n"), "utf-8")
    command = under(unit, sys.executable, "-c", f"import os; os.nice({NICE})")
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert "PermissionError" in ended.stderr, ended
