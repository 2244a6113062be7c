"""The simulated signs tell in the terminal what they show and say; the wire below is a real pseudo terminal."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from hal_sim.sign_run import SignRun
from tests.rs485_bench import vectors

HELLO = bytes.fromhex(next(row["hex"] for row in vectors("signs") if row["meaning"].startswith("row 0")))


def test_a_sign_says_each_new_text_once(tmp_path: Path) -> None:
    said: list[str] = []
    run = SignRun(tmp_path, [("in1", "入口1")], said.append)
    run.signs["in1"].hear(HELLO)
    run.look()
    run.look()
    assert said == ["    ▤ 显示屏 sign 入口1: 欢迎光临请入场停车 | "]


def test_a_site_shows_on_its_signs_what_its_lanes_do(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "edge.cli", "sim", "--data", str(tmp_path / "d"), "--speed", "4", "--seed", "3"],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    wanted = [
        r"显示屏 sign 入口1: 模拟车场 \| 余位\d+",
        r"显示屏 sign 入口1: \S+ \| 欢迎光临  语音 voice: \S+,欢迎光临",
    ]
    try:
        assert child.stdout is not None
        for line in child.stdout:
            wanted = [pattern for pattern in wanted if not re.search(pattern, line)]
            if not wanted:
                break
    finally:
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
    assert wanted == []
