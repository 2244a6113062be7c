"""The whole booted image loses its power at random moments under load: boots every time, nothing acknowledged lost."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest

from tests.image_car import facts, push, ready
from tests.image_machine import Machine, missing

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())}"),
]
CONFIG = (Path(__file__).parent / "image_box.toml").read_text("utf-8")
CUTS = int(os.environ.get("CUTS", "10"))
SOUND = (
    "import sqlite3; c = sqlite3.connect('/var/lib/parkbox/ledger.db'); "
    "print(c.execute('pragma quick_check').fetchone()[0])"
)
SPREAD_S = 12.0
"""Within this time of load the power fails: some hundred reads, and several group commits and snapshots."""


def load(machine: Machine, first: int, plates: list[str], over: threading.Event) -> None:
    """Reads as fast as they are answered, until the power fails; `plates` are those the box has acknowledged."""
    number = first
    while not over.is_set():
        plate = f"鲁A{number:05d}"
        try:
            status = push(machine, plate, number)
        except OSError:
            return
        if status == 200:
            plates.append(plate)
        number += 1


def test_nothing_acknowledged_is_lost_over_power_cuts(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.put("parkbox.toml", CONFIG)
    dice = random.Random(20260901)
    known: dict[str, int] = {}
    try:
        machine.start()
        for cut in range(CUTS):
            ready(machine)
            plates: list[str] = []
            over = threading.Event()
            pusher = threading.Thread(target=load, args=(machine, cut * 1000, plates, over), name="pusher")
            pusher.start()
            pusher.join(dice.uniform(0.5, SPREAD_S))
            machine.cut()
            over.set()
            pusher.join()
            machine.start()
            ready(machine)
            now = {known_id: seq for seq, known_id, _, _ in facts(machine)}
            assert known.items() <= now.items(), "facts that stood before are gone or moved"
            seen = {str(body.get("plate")) for _, _, kind, body in facts(machine) if kind == "ReadTaken"}
            lost = set(plates) - seen
            assert not lost, f"cut {cut + 1}: acknowledged and lost: {sorted(lost)}"
            known = now
            assert machine.run("dmesg | grep -i 'ext4-fs error'", check=False) == ""
            assert machine.run(f'/opt/parkbox/bin/python3 -c "{SOUND}"').strip() == "ok"
            print(f"cut {cut + 1}: {len(plates)} acknowledged, {len(now)} facts", flush=True)
    finally:
        machine.cut()
