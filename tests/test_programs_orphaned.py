"""A program that nobody listens to any more ends whole: half alive it would go on reporting and never be restarted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program_rig import box_in

ENDS_WITHIN_S = 30.0


@pytest.mark.parametrize("program", ["lane", "agent"])
def test_a_program_whose_output_is_gone_ends(program: str, tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)  # its line `ready` meets a closed pipe
    with box_in(tmp_path / "box") as box, (tmp_path / "log").open("wb") as log:
        environment = {**os.environ, "PARKBOX_SIM_GPIO": str(box.gpio)}
        child = subprocess.Popen(
            [sys.executable, "-m", "edge.cli", program, str(box.config)],
            stdin=subprocess.DEVNULL, stdout=write_end, stderr=log, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(write_end)
        try:
            assert child.wait(ENDS_WITHIN_S) != 0
        finally:
            child.kill()
            child.wait()
    assert "BrokenPipeError" in (tmp_path / "log").read_text(encoding="utf-8")
