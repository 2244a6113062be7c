"""What the lane program loads before it can open an arm: its start is mostly imports, so what is heavy stays out."""

from __future__ import annotations

import subprocess
import sys

HEAVY = frozenset({
    "cryptography", "cv2", "microdot", "numpy", "requests", "urllib3",  # the agent's
    "dataclasses", "email", "html", "http", "importlib.metadata", "json", "multiprocessing", "tomllib", "unittest",
    "urllib.request",
})  # fmt: skip
"""Each costs 5 to 200 ms on a laptop, several times that on a box, and nothing of it moves an arm. The config's reader
(`tomllib`) is loaded by the command line and not by the program."""


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print('\\n'.join(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(ran.stdout.split())


def test_the_lane_program_loads_nothing_heavy() -> None:
    loaded = loaded_by("import edge.lane.program")
    assert "edge.core.box" in loaded
    assert sorted(loaded & HEAVY) == []


def test_the_rule_sees_a_heavy_import() -> None:
    assert "json" in loaded_by("import json") & HEAVY
