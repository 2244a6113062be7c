"""The way from camera to relay while the agent drains a backlog of deliveries, against the same without load.

The ledger is filled with passages before the lane program starts; the agent then makes deliveries of them and posts
them to the simulated Qingdao platform, in a process of its own. Blocks alternate: the agent runs, the agent is stopped
(SIGSTOP), so that a machine whose speed drifts is fair to both. It ends when the backlog has, or after its blocks.

The city computes elsewhere at a real site; here it shares the cores of the box, so it runs with the lowest priority.
"""

from __future__ import annotations

import signal
import sqlite3
import sys
import threading
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import Literal

from bench.figures import Row, percentile
from bench.process import Process, cli
from bench.rig import Rig, running
from bench.site import City
from edge.core.facts import Fact, Passed, Stamp
from edge.store.ledger import Ledger, StoreResult

BACKLOG = 30_000
"""More than the 10,000 of the goal, so that it lasts through all blocks."""
ROUNDS_A_BLOCK = 4
LOWEST_PRIORITY = ("nice", "-n", "19")
FILL_WITHIN_S = 60.0
PLATFORM_MARK = "simulated Qingdao platform "
# The accounts that `python -m hal_sim.qingdao` knows when it is not told others.
ACCOUNT = {"cno": "880001", "sub_code": "0000001", "user": "parkbox", "password": "Parkbox-1",
           "passkey": "0123456789abcdef"}  # fmt: skip


def fill(path: Path, count: int) -> None:
    """A ledger with `count` passages that no city has heard of."""
    ledger = Ledger(path)
    ledger.open()
    stored = threading.Event()
    failures: list[StoreResult] = []

    def done(result: StoreResult) -> None:
        if not result.ok:
            failures.append(result)
        stored.set()

    boot, began_ms = uuid.uuid4().hex, time.time_ns() // 1_000_000 - count * 10_000
    ways: tuple[Literal["in", "out"], ...] = ("in", "out")
    facts = []
    for number in range(count):
        stamp = Stamp(boot, number * 10_000, began_ms + number * 10_000, True)
        body = Passed(uuid.uuid4().hex, ways[number % 2], f"鲁B{number // 2 % 100_000:05d}", "blue", rule="count")
        lane = f"in{number % 4 + 1}"
        facts.append(Fact(uuid.uuid4().hex, lane, stamp, body))
    ledger.submit(facts, True, done)
    in_time = stored.wait(FILL_WITHIN_S)
    ledger.close()
    if failures or not in_time:
        raise RuntimeError(f"the ledger could not be filled in {FILL_WITHIN_S:.0f} s: {failures}")


def accepted_count(data: Path) -> int:
    with closing(sqlite3.connect(f"file:{data / 'deliveries.db'}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM deliveries WHERE state = 'accepted'").fetchone()[0])


def run(folder: Path, *, blocks: int) -> list[Row]:
    box = folder / "load"
    data = box / "data"
    data.mkdir(parents=True)
    fill(data / "ledger.db", BACKLOG)
    command = [*LOWEST_PRIORITY, sys.executable, "-m", "hal_sim.qingdao"]
    with Process(command, folder / "city.log", word=PLATFORM_MARK) as platform:
        url = platform.line.split(PLATFORM_MARK)[1].split(",")[0]
        with running(box, ["in"] * 4, city=City(url, **ACCOUNT)) as rig:
            return _measured(rig, box, data, blocks)


def _measured(rig: Rig, box: Path, data: Path, blocks: int) -> list[Row]:
    quiet_ms: list[float] = []
    loaded_ms: list[float] = []
    rig.rounds(ROUNDS_A_BLOCK, [])
    accepted, drained_s, idle = 0, 0.0, 0
    with Process(cli("agent", str(rig.site.config)), box / "agent.log") as agent:
        agent.pause(signal.SIGSTOP)
        try:
            for _ in range(blocks):
                rig.rounds(ROUNDS_A_BLOCK, quiet_ms)
                agent.pause(signal.SIGCONT)
                before, began_s = accepted_count(data), time.monotonic()
                block_ms: list[float] = []
                rig.rounds(ROUNDS_A_BLOCK, block_ms)
                took_s = time.monotonic() - began_s
                agent.pause(signal.SIGSTOP)
                new = accepted_count(data) - before
                if new == 0:  # the agent's first seconds, or a machine so full that the city got nothing of it
                    idle += 1
                    continue
                accepted, drained_s = accepted + new, drained_s + took_s
                if accepted >= BACKLOG:
                    break  # a part of this block was without load: it does not count
                loaded_ms += block_ms
        finally:
            agent.pause(signal.SIGCONT)
    if idle > blocks // 2:
        raise RuntimeError(f"in {idle} of {blocks} blocks the city accepted nothing, see {box / 'agent.log'}")
    rows = []
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        with_load, without = percentile(loaded_ms, share), percentile(quiet_ms, share)
        counted = f"{len(loaded_ms)} and {len(quiet_ms)} events"
        rows.append(Row(
            f"camera to relay while the agent drains a backlog, {name}",
            f"{with_load / without:.2f}x ({with_load:.2f} ms against {without:.2f} ms, {counted})",
            "<= 1.5x of without load", with_load <= 1.5 * without,
        ))
    rows.append(Row("deliveries accepted meanwhile", f"{accepted} ({accepted / drained_s:.0f} a second)"))
    return rows
