"""From exec to `ready`: the lane program, a bare `python -c pass`, and Node-RED where it is installed, turn by turn."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bench import node_red
from bench.figures import Row, median, spread
from bench.rig import running


def run(folder: Path, *, rounds: int) -> list[Row]:
    lane_s: list[float] = []
    bare_s: list[float] = []
    red_s: list[float] = []
    installed = node_red.command() is not None
    for number in range(rounds):
        with running(folder / f"start-{number}", ["in", "out"]) as rig:
            lane_s.append(rig.lane.ready_s)
        began_s = time.monotonic()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare_s.append(time.monotonic() - began_s)
        if installed and number % 2 == 0:
            with node_red.start(folder, node_red.free_port()) as red:
                red_s.append(red.ready_s)
    reference_s = median(red_s) if installed else node_red.PUBLISHED_START_S
    ratio = median(lane_s) / reference_s
    source = f"measured here {spread(red_s)} s" if installed else f"published {reference_s} s"
    return [
        Row("lane from exec to ready", f"{ratio:.2f}x ({spread(lane_s)} s against {source})",
            "<= 0.25x of Node-RED", ratio <= 0.25),
        Row("the same against `python -c pass`",
            f"{median(lane_s) / median(bare_s):.1f}x (bare {spread(bare_s)} s)"),
    ]
