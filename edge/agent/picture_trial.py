"""A test picture while a new system is on trial: a filter or a library that keeps the picture child from its work would
be found by nobody else before the first car.

The child is the real one with the real job: decode, overlay, encode, seal with the box's key, write durably. It works
in a folder of its own beside the box's, which goes away with all that is in it: no index, no chain, no spool knows of
it. The picture is grey and its JPEG is written here by hand, for OpenCV is the child's alone.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from edge.box.trial import TRIAL
from edge.config.model import Config
from edge.evidence.child import ChildDiedError, ChildUnusableError
from edge.evidence.claim import claim_of
from edge.evidence.jobs import Child, Job
from edge.evidence.spool import ALIGN, SpoolWriter
from edge.ports import TrialWord

log = logging.getLogger(__name__)

FOLDER = "picture-trial"
AGAIN_S = 20.0
"""A disk or a machine that is still busy with its start gets several tries within the ten minutes of a trial."""
WIDTH_PX, HEIGHT_PX = 1280, 720  # what the rules want at least (T/QME 0015 B.1): nothing is scaled
RECORD_ID, READ_ID, DAY = "0" * 32, "1" * 32, "20260101"
MCU_PX = 8


def grey_jpeg(width: int = WIDTH_PX, height: int = HEIGHT_PX) -> bytes:
    """A baseline JPEG of one grey (ITU-T T.81): each table has a single code of one bit, `0`, which says "as before"
    for the mean of a block and "nothing follows" for the rest of it; so a block is two bits, and all are zeros."""

    def segment(marker: int, content: bytes) -> bytes:
        return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content

    one_code = bytes((1, *(0,) * 15, 0))  # lengths of codes: one of a bit, no longer ones; its symbol is 0
    frame = bytes((8,)) + height.to_bytes(2) + width.to_bytes(2) + bytes((1, 1, 0x11, 0))
    blocks = -(-width // MCU_PX) * -(-height // MCU_PX)
    return b"".join((
        b"\xff\xd8", segment(0xDB, bytes((0,)) + bytes((16,)) * 64), segment(0xC0, frame),
        segment(0xC4, bytes((0x00,)) + one_code), segment(0xC4, bytes((0x10,)) + one_code),
        segment(0xDA, bytes((1, 1, 0x00, 0, 63, 0))), bytes(-(-blocks * 2 // 8)), b"\xff\xd9",
    ))  # fmt: skip


class PictureTrial:
    """`word` for any thread. Without the file `marker` nothing is started and `word` is ""."""

    def __init__(
        self,
        config: Config,
        *,
        died: Callable[[BaseException], None],
        marker: Path = TRIAL,
        make_child: Callable[[Path], Child] = Child,
    ) -> None:
        self._config, self._died, self._make_child = config, died, make_child
        self._data = Path(config.box.data_dir)
        self._folder = self._data / FOLDER
        self._word: TrialWord = "waiting" if marker.exists() else ""
        self._child: Child | None = make_child(self._folder) if self._word else None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="picture trial")

    def word(self) -> TrialWord:
        return self._word

    def start(self) -> None:
        if self._child is not None:
            self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._child is not None:
            self._child.abort()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        child = self._child
        assert child is not None
        try:
            while not self._over.is_set():
                why = self._trouble(child)
                if not why:
                    self._word = "ok"
                    log.info("on trial: the test picture was made")
                    break
                if not self._over.is_set():  # else the child was ended with the program
                    self._word = "failing"
                    log.warning("on trial: no test picture: %s", why)
                self._over.wait(AGAIN_S)
        except Exception as error:
            log.exception("the test picture of the trial ends")
            self._died(error)
        finally:
            child.end()

    def _trouble(self, child: Child) -> str:
        """Why the picture was not made; "" when it was."""
        from edge.evidence.keys import KEY_NAME  # noqa: PLC0415 - brings cryptography along, which an idle agent has not

        try:
            if self._folder.exists():
                shutil.rmtree(self._folder)  # a power cut left it
            self._folder.mkdir(mode=0o700)
            # The box's own key, which is part of the way; where there is none yet the child makes one here.
            (self._folder / KEY_NAME).symlink_to((self._data / KEY_NAME).absolute())
            done = child.make(self._job())
            if done.result != "made":
                return f"{done.result}: {done.why}"
            said = claim_of((self._folder / "pictures" / DAY / f"{RECORD_ID}.jpg").read_bytes())
            return "" if said is not None and said[0].record_id == RECORD_ID else "the picture bears no seal of its own"
        except (OSError, ChildDiedError, ChildUnusableError) as error:
            return str(error)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)  # what stays is taken away, or said, before the next

    def _job(self) -> Job:
        jpeg = grey_jpeg()
        size = 8 * ALIGN
        spool = SpoolWriter(self._folder / "spool", limit_bytes=2 * size, segment_bytes=size)
        try:
            place = spool.append(READ_ID, jpeg)
        finally:
            spool.close()
        now_ms, lane = time.time_ns() // 1_000_000, self._config.lane[0]
        return Job(
            record_id=RECORD_ID, read_id=READ_ID, spool=place.spool, offset=place.offset, length=place.length,
            crc32=place.crc32, box=self._config.box.id, lot=self._config.lot.name, lane=lane.id, lane_name=lane.name,
            direction=lane.direction, device="test", plate="", overlay=True, taken_ms=now_ms, passed_ms=now_ms, day=DAY,
            chain=1, previous="",
        )  # fmt: skip
