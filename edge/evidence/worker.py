"""The picture child: `python -m edge.evidence.worker DATA`. Reads jobs from its input, ends with it.

A job: the camera's JPEG from the spool, made to the rules with its overlay, sealed, durable under
`pictures/<day>/<record id>.jpg`. A job that is repeated writes the same name again.
"""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import datetime
from pathlib import Path

import cv2
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.config.durable import sync_folder, write_durably
from edge.core.clock import CHINA, china_datetime
from edge.evidence.child import LENGTH, serve_frame
from edge.evidence.claim import Claim
from edge.evidence.conform import conform
from edge.evidence.fit import EncodeError
from edge.evidence.jobs import NICE, Done, Job
from edge.evidence.keys import KeyFileError, check_code, load_or_make
from edge.evidence.look import NotAPictureError
from edge.evidence.seal import seal
from edge.evidence.spool import read_picture

UNREADABLE = (NotAPictureError, EncodeError, cv2.error)


class Worker:
    def __init__(self, data: Path) -> None:
        self._data = data
        self._key: Ed25519PrivateKey | None = None
        self._quality: dict[str, int] = {}  # of each device's last encoded picture

    def make(self, job: Job) -> Done:
        try:
            raw = read_picture(self._data / "spool", job.spool, job.offset, job.length, job.crc32)
            return Done("gone", "the spool no longer has its bytes") if raw is None else self._made(job, raw)
        except UNREADABLE as error:
            return Done("unreadable", str(error))
        except (OSError, KeyFileError) as error:
            return Done("trouble", str(error))

    def _made(self, job: Job, raw: bytes) -> Done:
        key = self._key = self._key or load_or_make(self._data)
        taken = china_datetime(job.taken_ms)
        code = check_code(key, job.record_id, taken, job.lot, job.lane, job.device, job.plate)
        lines: tuple[str, ...] = ()
        if job.overlay:
            plate = f"  车牌 {job.plate}" if job.plate else ""
            lines = (f"{taken}  {job.lot}  {job.lane_name}", f"设备 {job.device}{plate}  防伪码 {code}")
        conformed = conform(raw, lines, self._quality.get(job.device))
        if conformed.quality:
            self._quality[job.device] = conformed.quality
        claim = Claim(
            record_id=job.record_id,
            read_id=job.read_id,
            box=job.box,
            lot=job.lot,
            lane=job.lane,
            direction=job.direction,
            device=job.device,
            plate=job.plate,
            taken=datetime.fromtimestamp(job.taken_ms / 1000, CHINA).isoformat(timespec="milliseconds"),
            taken_ms=job.taken_ms,
            passed_ms=job.passed_ms,
            code=code,
            flags=conformed.flags,
            source_sha256=hashlib.sha256(raw).hexdigest(),
            chain=job.chain,
            previous=job.previous,
        )
        sealed, digest = seal(conformed.jpeg, claim, key)
        folder = self._data / "pictures" / job.day
        _make_folder(folder)
        write_durably(folder / f"{job.record_id}.jpg", sealed)
        return Done(
            "made", "", len(sealed), conformed.width, conformed.source_width, conformed.flags, digest, conformed.encodes
        )


def _make_folder(folder: Path) -> None:
    for one in (folder.parent, folder):
        if not one.is_dir():
            one.mkdir(exist_ok=True)
            sync_folder(one.parent)


def main() -> int:
    os.nice(NICE)
    cv2.setNumThreads(1)  # one core is the lane's
    worker = Worker(Path(sys.argv[1]))
    source, out = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(LENGTH.size):
        job = msgspec.msgpack.decode(source.read(LENGTH.unpack(head)[0]), type=Job)
        serve_frame(out, msgspec.msgpack.encode(worker.make(job)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
