"""The two programs' storage without the programs: `lane` appends facts and pictures, `agent` makes deliveries.

Each prints one line per promise, after the promise was made: what stands on the line must survive. Every fact
follows from its sequence number, so that whoever reads can tell a lost, doubled or half one.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import TypedDict

from edge.core.facts import Fact, PictureKept
from edge.evidence.spool import SpoolWriter
from edge.ports import Delivery
from edge.store import recovery, schema
from edge.store.deliveries import Deliveries
from edge.store.ledger import Ledger, StoreResult
from edge.store.reader import LedgerFile
from tests.store_tools import passed

PICTURE_EVERY = 4
SNAPSHOT_EVERY = 16
SEGMENT_BYTES = 1 << 20
WAITING_MAX = 8


class Job(TypedDict):
    job: str  # lane | agent
    folder: str
    seed: int
    count: int  # facts or messages, then it ends by itself
    kill: str  # "" | statement | opcode
    at: int  # the how-manyth


def run(job: Job, out: int) -> None:
    """Ends with the job, or by the signal."""
    if job["kill"]:
        _die_within_sqlite(job["kill"], job["at"])
    {"lane": _lane, "agent": _agent}[job["job"]](Path(job["folder"]), job["seed"], job["count"], out)


def picture_of(seq: int) -> bytes:
    return b"\xff\xd8" + random.Random(seq).randbytes(2000 + seq * 37 % 9000) + b"\xff\xd9"


def snapshot_of(seq: int) -> bytes:
    return b"all facts up to %d" % seq


def _lane(folder: Path, seed: int, count: int, out: int) -> None:
    rng = random.Random(seed)
    ledger = Ledger(folder / "ledger.db", linger_ms=rng.choice([0, 1, 60_000]))
    spool = SpoolWriter(folder / "spool", limit_bytes=64 << 20, segment_bytes=SEGMENT_BYTES)
    seq = ledger.open().last_seq
    slots = threading.Semaphore(WAITING_MAX)
    end = seq + count
    while seq < end:
        facts = [_fact(seq + n, spool) for n in range(1, rng.randint(1, 4) + 1)]
        last = seq + len(facts)

        def done(result: StoreResult, last: int = last) -> None:
            if not result.ok:
                raise RuntimeError(f"the disk failed in a crash test: {result}")
            os.write(out, b"ACK %d\n" % last)
            slots.release()

        slots.acquire()
        urgent = rng.random() < 0.7 or last >= end or slots._value == 0
        seq = ledger.submit(facts, urgent, done)
        if seq % SNAPSHOT_EVERY == 0:
            ledger.snapshot(seq, snapshot_of(seq))
    ledger.close()
    spool.close()


def _fact(seq: int, spool: SpoolWriter) -> Fact:
    fact = passed(seq)
    if seq % PICTURE_EVERY:
        return fact
    place = spool.append(fact.id, picture_of(seq))
    return Fact(fact.id, fact.lane, fact.stamp, PictureKept(fact.id, *place[:4]))


def _agent(folder: Path, seed: int, count: int, out: int) -> None:
    rng = random.Random(seed)
    ledger = LedgerFile(folder / "ledger.db")
    deliveries = Deliveries(folder / "deliveries.db")
    deliveries.open()
    for _ in range(count):
        facts = ledger.read_after(deliveries.cursor(), rng.randint(1, 5))
        if facts:
            deliveries.add(facts[-1].seq, [_delivery(fact) for fact in facts])
            os.write(out, b"ADDED %d\n" % facts[-1].seq)
        for each in deliveries.due("qingdao", 0, rng.randint(1, 4)):
            os.write(out, b"SENT %d\n" % int(each.item_id, 16))
            deliveries.accepted([each.id], "ok")
            os.write(out, b"ACCEPTED %d\n" % int(each.item_id, 16))
    deliveries.close()
    ledger.close()


def _delivery(fact: Fact) -> Delivery:
    visit = f"{fact.seq // 2:032x}"
    return Delivery(0, "qingdao", "carIn", fact.id, visit, b"%d" % fact.seq, "", 0)


def _die_within_sqlite(kill: str, at: int) -> None:
    """SIGKILL to ourselves before the `at`-th statement, or the `at`-th step of SQLite's machine, of the writers."""
    left = at

    def count_down(*_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect(path: Path, read_only: bool = False, frozen: bool = False) -> sqlite3.Connection:
        conn = schema.connect(path, read_only, frozen)
        if kill == "statement":
            conn.set_trace_callback(count_down)
        else:
            conn.set_progress_handler(count_down, 1)
        return conn

    recovery.connect = connect  # type: ignore[attr-defined]


if __name__ == "__main__":
    run(json.loads(sys.argv[1]), 1)
