"""What both programs write to the card, counted at the block device: idle, and car after car with pictures.

The data folder is a file system of its own, made and mounted as the image does it, on a loop device; so ext4's journal,
its folders and every rounding up to blocks are in it. The programs' logs lie there too, in place of journald's files.
Both boxes run at the same time, each on its own device.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.agent import ACCOUNT, scene, settled
from bench.deliveries import CITY
from bench.figures import Row
from bench.process import Process, cli
from bench.rig import Rig, running
from bench.site import City
from bench.together import together

SIZE_BYTES = 4 << 30
AFTER_S = 20.0
"""What follows a start or a car within seconds (a snapshot, the child's end) has been written by then."""
WITHIN_S = 600.0
SECTOR_BYTES = 512


def run(folder: Path, *, idle_s: float, cars: int) -> list[Row]:
    lacks = [tool for tool in ("mkfs.ext4", "losetup", "mount") if shutil.which(tool) is None]
    if os.geteuid() != 0 or lacks:
        why = f"not here: {', '.join(lacks)}" if lacks else "needs root: a file system of its own"
        return [Row("written to the card", f"not measured, {why}", "stated")]
    rows: dict[str, Row] = {}

    def work(what: Callable[[Path, City], Row], name: str, city: City) -> None:
        with _card(folder / f"card-{name}") as place:
            rows[name] = what(place, city)

    with Process([sys.executable, "-c", CITY], folder / "city-card.log", word="city at ") as program:
        city = City(f"http://127.0.0.1:{program.line.split()[-1]}", **ACCOUNT)
        together([
            lambda: work(lambda place, where: _idle(place, where, idle_s), "idle", city),
            lambda: work(lambda place, where: _cars(place, where, cars), "cars", city),
        ])
    return [rows["idle"], rows["cars"]]


@contextmanager
def _card(folder: Path) -> Iterator[Path]:
    """A mounted data partition; the place of the box is below it."""
    mount = folder / "data"
    mount.mkdir(parents=True)
    image = folder / "card.img"
    with image.open("wb") as file:
        file.truncate(SIZE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "1", image], check=True)
    subprocess.run(["mount", "-o", "loop,noatime,errors=remount-ro", image, mount], check=True)
    try:
        yield mount / "box"
    finally:
        subprocess.run(["umount", mount], check=True)


def _written(place: Path) -> tuple[int, int]:
    """Bytes and requests that the device of `place` has taken, after all that waits in memory."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        subprocess.run(["sync", "-f", place], check=True)
        device = os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)
    stat = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat").read_text("ascii").split()
    return int(stat[6]) * SECTOR_BYTES, int(stat[4])


@contextmanager
def _box(place: Path, city: City) -> Iterator[tuple[Rig, Process]]:
    with (
        running(place, ["in"], city=city) as rig,
        Process(cli("agent", str(rig.site.config)), place / "agent.log") as agent,
    ):
        yield rig, agent


def _idle(place: Path, city: City, idle_s: float) -> Row:
    with _box(place, city):
        time.sleep(AFTER_S)
        before = _written(place)
        time.sleep(idle_s)
        after = _written(place)
    size, count = ((now - then) * 3600 / idle_s for then, now in zip(before, after, strict=True))
    figure = f"{size / 1e6:.2f} MB in {count:.0f} writes ({idle_s:.0f} s)"
    return Row("written to the card in an idle hour", figure, "stated")


def _cars(place: Path, city: City, cars: int) -> Row:
    picture = scene()
    with _box(place, city) as (rig, agent):
        bay = rig.bays[0]
        for number in range(1 + cars):
            if number == 1:  # the first one makes the files, the key and the child
                _wait(lambda: settled(place / "data", 1), agent)
                time.sleep(AFTER_S)
                before = _written(place)
            rig.arrive()
            bay.push_and_raise(bay.request(rig.plate(), picture=picture))
            rig.drive_through()
        _wait(lambda: settled(place / "data", 1 + cars), agent)
        time.sleep(AFTER_S)
        after = _written(place)
    size, count = ((now - then) * 1000 / cars for then, now in zip(before, after, strict=True))
    return Row(
        "written to the card for 1,000 cars, 1080p pictures of 300 KB",
        f"{size / 1e6:.0f} MB in {count:.0f} writes ({cars} cars)", "stated",
    )  # fmt: skip


def _wait(sign: Callable[[], bool], agent: Process) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not sign():
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"the agent (process {agent.pid}) did not finish within {WITHIN_S:.0f} s")
        time.sleep(0.2)
