"""What the booted box writes to its card, counted at the block device: an hour idle, and 1,000 cars.

Journal, chrony, both programs, ext4's own journal and folders: all that reaches the card. Both figures are of a shorter
time than they are told for: IDLE_S seconds and CARS cars (environment), multiplied.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal_sim.cameras.pictures import Painter
from tests.image_car import drive_in, ready, wire
from tests.image_machine import Machine, missing

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())}"),
]
CONFIG = (Path(__file__).parent / "image_box.toml").read_text("utf-8").replace('clock = "kernel"', 'clock = "trusted"')
IDLE_S = int(os.environ.get("IDLE_S", "900"))
"""Three of journald's syncs and of ext4's 300 s at most; the pictures' and chrony's own hours are not in it."""
CARS = int(os.environ.get("CARS", "20"))
APART_S = 8
"""The arm is down again before the next car: one that comes sooner drives through under it, and no pulse lets it in."""
SETTLED_S = 120
"""After the start: what is written once a boot is over."""
IDLE_MB_AN_HOUR = 20.0
CARS_GB = 1.5
"""Limits that only a mistake comes near: a card of 8 GB for data is written 3,000 times at the least."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("box"))
    made.put("parkbox.toml", CONFIG)
    made.start()
    wire(made)
    ready(made)
    yield made
    made.cut()


def written(machine: Machine) -> tuple[int, int]:
    """Bytes and requests that the card has taken since the start; what waits in memory is brought to it first."""
    stat = machine.run("sync; cat /sys/block/vda/stat").split()
    return int(stat[6]) * 512, int(stat[4])


def writers(machine: Machine) -> Counter[str]:
    """Bytes that each program that runs now has had the kernel write, by the names that the kernel knows them by."""
    each = 'echo "$(sed -n "s/^write_bytes: //p" $p/io) $(cat $p/comm)"'
    found: Counter[str] = Counter()
    for line in machine.run(f"for p in /proc/[0-9]*; do {each}; done 2>/dev/null").splitlines():
        size, _, name = line.strip().partition(" ")
        if size.isdigit():
            found[name] += int(size)
    return found


def made(machine: Machine) -> int:
    """A new card's first hours write the data partition's empty tables once (its making does not wait for them): done
    here at full speed, else they would be counted as every hour's."""
    begun, _ = written(machine)
    going = "grep -qsx ext4lazyinit /proc/[0-9]*/comm"
    machine.run(f"mount -o remount,init_itable=0 /data; while {going}; do sleep 2; done")
    return written(machine)[0] - begun


def test_an_idle_hour(machine: Machine) -> None:
    print(f"\nonce, in a new card's first hours: {made(machine) / 1e6:.1f} MB")
    machine.run(f"sleep {SETTLED_S}")
    before, by = written(machine), writers(machine)
    machine.run(f"sleep {IDLE_S}", within_s=IDLE_S * 3)
    after, by_now = written(machine), writers(machine)
    size, count = ((now - then) * 3600 / IDLE_S for then, now in zip(before, after, strict=True))
    print(f"\nidle: {size / 1e6:.2f} MB in {count:.0f} writes an hour, of {IDLE_S} s")
    print(", ".join(f"{name} {size} B" for name, size in (by_now - by).most_common(8)))
    assert size < IDLE_MB_AN_HOUR * 1e6


@pytest.mark.parametrize("picture", [False, True], ids=["without-pictures", "with-pictures"])
def test_a_thousand_cars(machine: Machine, *, picture: bool) -> None:
    painter = Painter()
    before = written(machine)
    for number in range(1, CARS + 1):
        plate = f"鲁{'CD'[picture]}{number:05d}"
        shown = painter.paint(plate, "blue", number) if picture else None
        drive_in(machine, plate, number + CARS * picture, shown)
        machine.run(f"sleep {APART_S}")
    if picture:
        sealed = "find /var/lib/parkbox/pictures -type f -name '*.jpg' | wc -l"
        machine.run(f"until [ $({sealed}) -ge {CARS} ]; do sleep 5; done", within_s=1800)
    after = written(machine)
    size, count = ((now - then) * 1000 / CARS for then, now in zip(before, after, strict=True))
    print(f"\n1,000 cars, pictures: {picture}: {size / 1e6:.0f} MB in {count:.0f} writes, of {CARS} cars")
    assert size < CARS_GB * 1e9
