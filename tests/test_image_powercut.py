"""The whole booted image loses its power at random moments under load: boots every time, nothing acknowledged lost,
nothing half there. The load is cars that pass over simulated loops and reads with pictures as fast as they are
answered, so facts, spool, sealed pictures and their index are all being written when the power goes."""

from __future__ import annotations

import json
import os
import random
import threading
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from hal_sim.cameras.pictures import Painter, Picture
from tests.image_car import ARRIVAL, OPEN, SAFETY, push, ready, wire
from tests.image_machine import Machine, missing, until

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())}"),
]
HERE = Path(__file__).parent
# The machine has a true clock and no server of the time; evidence pictures are made once the time is true.
CONFIG = (HERE / "image_box.toml").read_text("utf-8").replace('clock = "kernel"', 'clock = "trusted"')
CUTS = int(os.environ.get("CUTS", "10"))
SEED = 20260901
SPREAD_S = 20.0
"""Within this time of a car that is through the power fails: time for its picture, some hundred reads, the next car."""
START_SPREAD_S = 60.0
"""Every third start is cut off itself: firmware, kernel, check of the data partition, first-boot, both programs."""
CAMERA_PICTURES = 6
CHECK = "/opt/parkbox/bin/python3 /boot/check.py"


class Load:
    """Reads with pictures as fast as they are answered; `plates` are those that the box has acknowledged."""

    def __init__(self, machine: Machine, first: int, pictures: list[Picture]) -> None:
        self._machine, self._first, self._pictures = machine, first, pictures
        self.plates: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._push, name="pusher")
        self._thread.start()

    def _push(self) -> None:
        number = self._first
        while not self._over.is_set():
            plate = f"鲁A{number:05d}"
            try:
                status = push(self._machine, plate, number, self._pictures[number % len(self._pictures)])
            except (OSError, HTTPException):
                continue  # the power is gone, or the box too slow for this one: not acknowledged
            finally:
                number += 1
            if status == 200:
                self.plates.append(plate)

    def end(self) -> None:
        self._over.set()
        self._thread.join()


def passed(machine: Machine) -> int:
    return int(machine.run(f"{CHECK} passed"))


def kept(machine: Machine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(machine.run(CHECK))
    return found


def test_nothing_acknowledged_is_lost_over_power_cuts(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.put("parkbox.toml", CONFIG)
    machine.put("check.py", (HERE / "image_check.py").read_text("utf-8"))
    machine.put("cars.sh", (HERE / "image_cars.sh").read_text("utf-8"))
    painter, dice = Painter(), random.Random(SEED)
    pictures = [painter.paint(f"鲁A0000{number}", "blue", number) for number in range(CAMERA_PICTURES)]
    before: dict[str, Any] = {"facts": {}, "pictures": {}, "kept": []}
    load: Load | None = None
    try:
        machine.start()
        for cut in range(1, CUTS + 1):
            ready(machine)
            wire(machine)
            ready(machine)
            so_far = passed(machine)
            load = Load(machine, cut * 1000, pictures)
            machine.run(f"setsid sh /boot/cars.sh {OPEN} {ARRIVAL} {SAFETY} > /dev/null 2>&1 &")
            until(lambda: passed(machine) > so_far, "a car is through", every_s=3.0)  # noqa: B023 - within this turn
            pause = threading.Event()
            pause.wait(dice.uniform(0.0, SPREAD_S))
            machine.cut()
            load.end()
            machine.start()
            if cut % 3 == 0:
                pause.wait(dice.uniform(0.0, START_SPREAD_S))
                machine.cut()
                machine.start()
            ready(machine)
            now = kept(machine)
            assert before["facts"].items() <= now["facts"].items(), "facts that stood are gone or moved"
            assert before["pictures"].items() <= now["pictures"].items(), "pictures that stood are gone or others"
            lost = set(load.plates) - set(now["plates"])
            assert not lost, f"cut {cut}: acknowledged and lost: {sorted(lost)}"
            half = {name: now[name] for name in ("unsound", "spool_wrong", "without_file", "verify") if now[name]}
            assert not half, f"cut {cut}: half there: {half}"
            assert machine.run("dmesg | grep -i 'ext4-fs error'", check=False) == ""
            counts = {name: len(now[name]) for name in ("facts", "kept", "pictures")}
            of = f"cut {cut}, and its start" if cut % 3 == 0 else f"cut {cut}"
            print(f"{of}: {len(load.plates)} acknowledged, {counts}", flush=True)
            before = now
        assert before["pictures"], "no evidence picture was ever made: the load was not what it is meant to be"
    finally:
        machine.cut()
        if load is not None:
            load.end()
