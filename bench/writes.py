"""What one passage costs the card: fsyncs counted by strace, bytes by /proc/PID/io.

One lane a box, so that nothing is shared with another lane's commit; several boxes at the same time, since counts do
not depend on speed. Half of the boxes get the 300 KB picture, half none.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

from bench.figures import Row
from bench.rig import Rig, running
from bench.together import together
from edge.evidence.spool import SEGMENT_BYTES
from edge.store.commit import CHECKPOINT_PAGES

CALLS = "fsync,fdatasync,sync_file_range,msync"
_CALL = re.compile(rb"\b(?:fsync|fdatasync|sync_file_range|msync)\(")
AFTER_S = 2.5
"""Facts that nobody waits for are committed half a second later; the log gets its size in twelve quiet tenths."""
PAGES_A_PASSAGE = 4
"""As the ledger estimates them: two commits with a page of facts and one of the index each."""


class _Count:
    def __init__(self) -> None:
        self.passages = self.syncs = self.written = 0
        self.started = 0  # syncs of the program's start and of its first passage, which makes the files


def _program(rig: Rig, traced: bool) -> int:
    """The lane program's own process id: under strace it is the child."""
    if not traced:
        return rig.lane.pid
    return int(Path(f"/proc/{rig.lane.pid}/task/{rig.lane.pid}/children").read_text("ascii").split()[0])


def _written(pid: int) -> int:
    fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text("ascii").splitlines())
    return int(fields["write_bytes"])


def _one_box(folder: Path, passages: int, picture: bool, traced: bool, into: _Count) -> None:
    trace = folder / "strace.out"
    folder.mkdir()
    command = ["strace", "-f", "-q", "-o", str(trace), "-e", f"trace={CALLS}"] if traced else []
    with running(folder / "box", ["in"], command=command) as rig:
        pid = _program(rig, traced)
        bay = rig.bays[0]
        for number in range(1 + passages):
            if number == 1:  # the first one gives the files their size
                time.sleep(AFTER_S)
                before = _written(pid), _syncs(trace)
            rig.arrive()
            bay.push_and_raise(bay.request(rig.plate(), picture=picture))
            rig.drive_through()
        time.sleep(AFTER_S)
        into.passages, into.started = passages, before[1]
        into.written = _written(pid) - before[0]
        into.syncs = _syncs(trace) - before[1]


def _syncs(trace: Path) -> int:
    return len(_CALL.findall(trace.read_bytes())) if trace.exists() else 0


def can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def run(folder: Path, *, passages: int) -> list[Row]:
    traced = can_trace()
    kinds = (True, True, False, False)
    counts = [_Count() for _ in kinds]
    together([
        partial(_one_box, folder / f"writes-{number}", passages // len(kinds), picture, traced, counts[number])
        for number, picture in enumerate(kinds)
    ])
    rows = []
    for picture in (True, False):
        chosen = [count for count, with_picture in zip(counts, kinds, strict=True) if with_picture is picture]
        done = sum(count.passages for count in chosen)
        syncs = sum(count.syncs for count in chosen) / done
        kilobytes = sum(count.written for count in chosen) / done / 1000
        words = "with a 300 KB picture" if picture else "without picture"
        counted = f"{syncs:.2f} fsyncs" if traced else "fsyncs not counted (strace is not usable here)"
        rows.append(Row(
            f"written per passage, {words}", f"{counted}, {kilobytes:.0f} KB ({done} passages)",
            "<= 3 fsyncs, bytes stated", syncs <= 3 if traced else None,
        ))
    if traced:
        started = sum(count.started for count in counts) / len(counts)
        rows.append(Row(
            "apart from these", f"{started:.0f} syncs of a new box's start and first passage; 3 for every "
            f"{CHECKPOINT_PAGES} pages of the log (about {CHECKPOINT_PAGES // PAGES_A_PASSAGE} passages), 2 for every "
            f"{SEGMENT_BYTES // 1_000_000} MB of pictures",
        ))
    return rows
