"""The agent's half of the power-cut judge: toy.py MODE FOLDER, one "ACK n digest" per promise.

A promise is a passage whose sealed picture lies under `pictures/`, stands in `pictures.db`, and whose delivery is in
`deliveries.db`; that of an even number was accepted by the city, and the picture of every third is in the city's
storage, the others still wait for their upload. The picture child's own code makes the file. Modes:
`full` as the box does it; `nodir` (no folder is synced) and `off` (no database is) are the controls.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from pathlib import Path

import numpy as np

from edge.config import durable
from edge.evidence import worker
from edge.evidence.fit import encode
from edge.evidence.jobs import Job
from edge.evidence.spool import SpoolWriter
from edge.ports import Delivery
from edge.store import recovery, schema
from edge.store.deliveries import Deliveries
from edge.store.pictures import PictureRow, Pictures
from edge.store.uploads import Uploads

MODES = ("full", "nodir", "off")
DAY = "20261122"


def main(mode: str, folder: Path) -> None:
    if mode not in MODES:
        raise SystemExit(f"mode is {mode!r}, allowed: {', '.join(MODES)}")
    if mode == "nodir":
        durable.sync_folder = worker.sync_folder = _no_sync  # type: ignore[attr-defined]
    if mode == "off":
        _without_sync()
    folder.mkdir(parents=True, exist_ok=True)
    deliveries, pictures = Deliveries(folder / "deliveries.db"), Pictures(folder / "pictures.db", uploading=True)
    deliveries.open()
    pictures.open()
    uploads = Uploads(pictures)
    for opened in (deliveries, pictures):
        # As on a box that has run for a day: the log has its length, and a commit's sync no longer happens to bring the
        # folders' entries along, which would hide that nobody has synced them.
        assert opened._conn is not None
        opened._conn.execute("PRAGMA wal_autocheckpoint = 40")
    spool, child = SpoolWriter(folder / "spool", 256_000_000), worker.Worker(folder)
    rng = random.Random(os.getpid())
    plain = encode(np.random.default_rng(1).integers(0, 60, (720, 1280, 3), np.uint8), 30)
    number, digest = deliveries.cursor(), ""
    while True:
        number += 1
        record = f"{number:032x}"
        note = rng.randbytes(rng.randint(0, 40_000))
        jpeg = plain[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2) + note + plain[2:]
        place = spool.append(record, jpeg)
        job = Job(
            record_id=record, read_id=record, spool=place[0], offset=place[1], length=place[2], crc32=place[3],
            box="box", lot="lot", lane="in1", lane_name="in1", direction="in", device="cam", plate="", overlay=False,
            taken_ms=0, passed_ms=0, day=DAY, chain=number, previous=digest,
        )  # fmt: skip
        done = child.make(job)
        if done.result != "made":
            raise SystemExit(f"picture {number}: {done}")
        digest = done.digest
        row = PictureRow(record, record, "in1", "in", "cam", "", DAY, number, "made", chain=number, digest=digest)
        pictures.settle(number, [row])
        if number % 3 == 0:
            (newest,) = uploads.due(1, number, 1)
            uploads.stored([newest.id], "200", 1)
        deliveries.add(number, [Delivery(0, "qingdao", "carIn", record, record, b"{}", "", 0)])
        if number % 2 == 0:
            deliveries.accepted([number], "ok")
        os.write(1, b"ACK %d %s\n" % (number, digest.encode()))


def _no_sync(folder: Path) -> None:
    """A name is left to the drive's own time."""


def _without_sync() -> None:
    def connect(path: Path, read_only: bool = False, frozen: bool = False) -> sqlite3.Connection:
        conn = schema.connect(path, read_only, frozen)
        conn.execute("PRAGMA synchronous = OFF")
        return conn

    recovery.connect = connect  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
