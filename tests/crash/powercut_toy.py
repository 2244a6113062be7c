"""What the power-cut judge runs in place of its own `toy.py`: toy.py MODE FOLDER, one "ACK n sha" per promise.

Each promise is a picture in the spool and the fact that names it in the ledger. Modes: `full` as the box does it;
`off` (the ledger never syncs) and `nosync` (the spool neither) are the controls that must lose something.
"""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import sys
import threading
from pathlib import Path

from edge.core.facts import Fact, PictureKept
from edge.evidence.spool import SpoolWriter
from edge.store import recovery, schema
from edge.store.ledger import Ledger, StoreResult
from tests.store_tools import passed

SEGMENT_BYTES = 4 << 20  # several in one run: their making is a moment to be cut, too
LIMIT_BYTES = 120 << 20


def main(mode: str, folder: Path) -> None:
    if mode not in ("full", "off", "nosync"):
        raise SystemExit(f"mode is {mode!r}, allowed: full, off, nosync")
    if mode == "off":
        _ledger_without_sync()
    if mode == "nosync":
        os.fdatasync = lambda fd: None
    ledger = Ledger(folder / "ledger.db", linger_ms=5)
    spool = SpoolWriter(folder / "spool", LIMIT_BYTES, SEGMENT_BYTES)
    seq = ledger.open().last_seq
    slots = threading.Semaphore(4)
    rng = random.Random(os.getpid())
    while True:
        seq += 1
        jpeg = b"\xff\xd8" + rng.randbytes(rng.randint(8000, 60000)) + b"\xff\xd9"
        sha = hashlib.sha256(jpeg).hexdigest()
        fact = passed(seq)
        place = spool.append(fact.id, jpeg)
        kept = Fact(fact.id, fact.lane, fact.stamp, PictureKept(sha, *place[:4]))

        def done(result: StoreResult, seq: int = seq, sha: str = sha) -> None:
            if result.ok:
                os.write(1, b"ACK %d %s\n" % (seq, sha.encode()))
            slots.release()

        slots.acquire()
        ledger.submit([kept], rng.random() < 0.5, done)


def _ledger_without_sync() -> None:
    def connect(path: Path, read_only: bool = False, frozen: bool = False) -> sqlite3.Connection:
        conn = schema.connect(path, read_only, frozen)
        conn.execute("PRAGMA synchronous = OFF")
        return conn

    recovery.connect = connect  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
