"""Both programs together: bytes written per passage over all files, and the agent's memory after many cars.

Written: `write_bytes` of /proc/PID/io of lane, agent and picture child, against the passage's facts and its evidence
picture. Memory: the agent is given a ledger and a spool as the lane program leaves them after many cars with pictures
(their JPEG obeys the rules, so the child seals it as it is), makes all pictures and reports all cars.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

import numpy as np

from bench.deliveries import CITY
from bench.figures import Row
from bench.process import Process, cli
from bench.rig import running
from bench.site import City, write_box
from edge.core.facts import Fact, Passed, PictureKept, ReadTaken, Stamp
from edge.evidence.fit import encode
from edge.evidence.spool import SpoolWriter
from edge.store.ledger import Ledger, StoreResult
from hal_sim.cameras.pictures import Picture

ACCOUNT = {"cno": "1", "sub_code": "2", "user": "u", "password": "p", "passkey": "k"}
FIRST = 1000
LIMIT_MB = 40.0
GROWTH_MB = 1.0
"""`no growth`: what a megabyte of allocator and counters may still move."""
WITHIN_S = 1800.0
IDLE_WITHIN_S = 40.0  # the child ends after 20 s without a picture
SETTLED_S = 1.5
BLOCK = 500


def run(folder: Path, *, passages: int, cars: int) -> list[Row]:
    with Process([sys.executable, "-c", CITY], folder / "city-agent.log", word="city at ") as city:
        where = City(f"http://127.0.0.1:{city.line.split()[-1]}", **ACCOUNT)
        return [_written(folder / "written", where, passages), *_memory(folder / "cars", where, cars)]


# --- bytes ---------------------------------------------------------------------------------------------------------


def _written(box: Path, city: City, passages: int) -> Row:
    picture = scene()
    data = box / "data"
    with (
        running(box, ["in"], city=city) as rig,
        Process(cli("agent", str(rig.site.config)), box / "agent.log") as agent,
    ):
        bay = rig.bays[0]
        before: dict[str, int] = {}
        for number in range(1 + passages):
            if number == 1:  # the first one makes the files, the key and the child
                _until(lambda: settled(data, 1), agent)
                before = _io(rig.lane.pid, agent.pid) | _own(data)
            rig.arrive()
            bay.push_and_raise(bay.request(rig.plate(), picture=picture))
            rig.drive_through()
        _until(lambda: settled(data, 1 + passages), agent)
        after = _io(rig.lane.pid, agent.pid) | _own(data)
    kilobytes = {name: (after[name] - before.get(name, 0)) / passages / 1000 for name in after}
    own = kilobytes["facts"] + kilobytes["pictures"]
    written = kilobytes["lane"] + kilobytes["agent"] + kilobytes["child"]
    return Row(
        "written per passage, all files of both programs",
        f"{written / own:.2f}x ({written:.0f} KB: lane {kilobytes['lane']:.0f}, agent {kilobytes['agent']:.0f}, "
        f"picture child {kilobytes['child']:.0f}; own: facts {kilobytes['facts']:.1f}, "
        f"sealed picture {kilobytes['pictures']:.0f}; {passages} passages)",
        "<= 3x of the fact's and picture's own bytes", written <= 3 * own,
    )  # fmt: skip


def _io(lane: int, agent: int) -> dict[str, int]:
    written = {"lane": _write_bytes(lane), "agent": _write_bytes(agent)}
    return {**written, "child": sum(map(_write_bytes, _children(agent)))}


def _write_bytes(pid: int) -> int:
    fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text("ascii").splitlines())
    return int(fields["write_bytes"])


def _children(pid: int) -> list[int]:
    """Of any of its threads."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(one) for task in tasks for one in (task / "children").read_text("ascii").split()]


def _own(data: Path) -> dict[str, int]:
    facts = _one(data / "ledger.db", "SELECT ifnull(sum(length(CAST(body AS BLOB)) + length(id)), 0) FROM facts")
    pictures = _one(data / "pictures.db", "SELECT ifnull(sum(bytes), 0) FROM pictures WHERE state = 'made'")
    return {"facts": facts, "pictures": pictures}


def settled(data: Path, count: int) -> bool:
    made = _one(data / "pictures.db", "SELECT count(*) FROM pictures WHERE state = 'made'")
    return made >= count and _one(data / "deliveries.db", "SELECT count(*) FROM ended") >= count


def scene() -> Picture:
    """1080p, about 300 KB."""
    dice = np.random.default_rng(7)
    scene = np.clip(np.linspace(60, 190, 1080)[:, None, None] + dice.normal(0, 5, (1080, 1920, 3)), 0, 255)
    jpeg = encode(np.asarray(scene, np.uint8), 85)
    return Picture(jpeg, jpeg[:4000], 1920, 1080, (800, 700, 960, 750))


# --- memory --------------------------------------------------------------------------------------------------------


def _memory(box: Path, city: City, cars: int) -> list[Row]:
    site = write_box(box, ["in", "out"], city)
    text = site.config.read_text("utf-8").replace("heartbeat_s = 0", 'heartbeat_s = 0\noverlay = "camera"')
    site.config.write_text(text, "utf-8")
    data = box / "data"
    data.mkdir()
    _fill(data, cars, [lane.id for lane in site.lanes])
    resident: list[tuple[int, float]] = []
    began_s = time.monotonic()
    with Process(cli("agent", str(site.config)), box / "agent.log") as agent:

        def sampled() -> bool:
            done = _one(data / "pictures.db", "SELECT count(*) FROM pictures")
            resident.append((done, agent.resident_kb() / 1024))
            return done >= cars and _one(data / "deliveries.db", "SELECT count(*) FROM ended") >= cars

        _until(sampled, agent, every_s=0.5)
        took_s = time.monotonic() - began_s
        made = _one(data / "pictures.db", "SELECT count(*) FROM pictures WHERE state = 'made'")
        if made != cars:
            why = _text(data / "pictures.db", "SELECT why FROM pictures WHERE state <> 'made' LIMIT 1")
            raise RuntimeError(f"{made} of {cars} pictures were made; one was not: {why}")
        _until(lambda: not _children(agent.pid), agent, within_s=IDLE_WITHIN_S, every_s=0.5)
        idle_mb = agent.resident_kb() / 1024
        highest_mb = agent.resident_kb("VmHWM") / 1024
    rows = [
        Row(
            f"resident memory of agent idle after {cars} cars with pictures",
            f"{idle_mb:.1f} MB (highest {highest_mb:.1f} MB; pictures and reports of all took {took_s:.0f} s)",
            f"<= {LIMIT_MB:.0f} MB", idle_mb <= LIMIT_MB,
        ),
        Row("its picture child when idle", "gone", "gone", True),
    ]  # fmt: skip
    first_mb = next((mb for done, mb in resident if done >= FIRST), None)
    if first_mb is not None:
        grown_mb = max(mb for done, mb in resident if done >= cars - BLOCK) - first_mb
        rows.append(Row(
            "growth of agent from car 1,000 on", f"{grown_mb:+.1f} MB (at 1,000: {first_mb:.1f} MB)",
            f"none: at most {GROWTH_MB:.0f} MB", grown_mb <= GROWTH_MB,
        ))  # fmt: skip
    return rows


def _fill(data: Path, cars: int, lanes: list[str]) -> None:
    """Read, picture, passage of each car; all pictures are the same place of the spool, which nobody minds."""
    dice = np.random.default_rng(1)
    jpeg = encode(dice.integers(0, 60, (720, 1280, 3), np.uint8), 30)
    place = SpoolWriter(data / "spool", 256_000_000).append(uuid.uuid4().hex, jpeg)
    ledger = Ledger(data / "ledger.db")
    ledger.open()
    boot, began_ms = uuid.uuid4().hex, time.time_ns() // 1_000_000 - cars * 10_000
    for first in range(0, cars, BLOCK):
        facts: list[Fact] = []
        for number in range(first, min(cars, first + BLOCK)):
            lane = lanes[number % len(lanes)]
            stamp = Stamp(boot, number * 10_000, began_ms + number * 10_000, True)
            plate, camera = f"鲁B{number // 2 % 100_000:05d}", f"cam-{lane}"
            read = Fact(uuid.uuid4().hex, lane, stamp, ReadTaken(camera, str(number), plate, plate, picture=True))
            kept = PictureKept(read.id, *place[:4])
            way: Literal["in", "out"] = "in" if number % 2 == 0 else "out"
            passed = Passed(uuid.uuid4().hex, way, plate, "blue", rule="count", read_id=read.id)
            facts += [read, *(Fact(uuid.uuid4().hex, lane, stamp, body) for body in (kept, passed))]
        _store(ledger, facts)
    ledger.close()


def _store(ledger: Ledger, facts: list[Fact]) -> None:
    stored = threading.Event()
    results: list[StoreResult] = []

    def done(result: StoreResult) -> None:
        results.append(result)
        stored.set()

    ledger.submit(facts, True, done)
    if not stored.wait(WITHIN_S) or not results[0].ok:
        raise RuntimeError(f"the ledger could not be filled: {results}")


def _text(path: Path, query: str) -> str:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return str(db.execute(query).fetchone()[0])


def _one(path: Path, query: str) -> int:
    """0 while the file or its tables are not there."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        try:
            return int(db.execute(query).fetchone()[0])
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return 0
            raise


def _until(done: Callable[[], bool], agent: Process, *, within_s: float = WITHIN_S, every_s: float = 0.1) -> None:
    until_s = time.monotonic() + within_s
    while not done():
        if time.monotonic() > until_s:
            raise RuntimeError(f"not done within {within_s:.0f} s; agent {agent.pid} holds {agent.resident_kb()} KB")
        time.sleep(every_s)
