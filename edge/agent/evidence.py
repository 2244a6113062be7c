"""Evidence pictures in the agent: follows the ledger, has each passage's picture made by the child, keeps the index.

A thread of its own with a cursor of its own: deliveries and the page never wait for a picture. The cursor stands
before the oldest passage that is not settled; after a crash those are looked at again, and a picture that was
made but not entered is taken as it is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from sys import intern
from typing import NamedTuple

import msgspec

from edge.agent.evidence_tally import Tally
from edge.agent.upkeep import EVERY_S, Upkeep
from edge.cities.times import Times
from edge.config.model import Config
from edge.core.clock import china_datetime
from edge.core.facts import Fact, Passed, PictureKept, ReadTaken, Stamp
from edge.evidence.child import ChildDiedError
from edge.evidence.claim import claim_of
from edge.evidence.jobs import Child, Done, Job
from edge.fault_view import fault_view
from edge.memory import give_back
from edge.ports import EvidenceView, FaultView
from edge.store.errors import StoreError
from edge.store.pictures import PictureRow, Pictures
from edge.store.reader import LedgerFile
from edge.wall_clock import kernel_synchronised

log = logging.getLogger(__name__)

PICTURE_WITHIN_MS = 60_000
"""A camera sends its picture with the read or within seconds of it; later it counts as missing until it comes."""
BATCH = 64  # facts at once: they are 2 KB each in memory, and a picture takes longer than a look
PENDING_MAX = 1000
REMEMBERED = 500  # reads and places of pictures whose passage has not come
WARM_UP = 2048  # facts read again at a start: a read and its passage are not further apart
AGAIN_S = 2.0
UPKEEP_AGAIN_S = 60.0
LOOK_S = 1.0
"""A kick tells of a change at the lane; the picture's fact is often stored a moment after the last one."""
IDLE_S = 20.0  # then the child ends: it costs 90 MB and starts in a second


class Read(NamedTuple):
    """What a picture needs of its read, small: hundreds are kept."""

    camera: str
    plate_width_px: int
    stamp: Stamp


class Passage(msgspec.Struct, frozen=True):
    seq: int
    record_id: str
    read_id: str
    lane: str
    direction: str
    plate: str
    seen_s: float
    stamp: Stamp | None  # None: `passed_ms` is known
    passed_ms: int = 0


class Evidence:
    def __init__(
        self,
        config: Config,
        ledger: LedgerFile,
        store: Pictures,
        child: Child,
        upkeep: Upkeep,
        *,
        died: Callable[[BaseException], None],
        changed: Callable[[], None],
    ) -> None:
        self._config, self._ledger, self._store, self._child = config, ledger, store, child
        self._died, self._changed, self._upkeep = died, changed, upkeep
        self._upkeep_s = time.monotonic() + UPKEEP_AGAIN_S  # when it is due; first what a start must do
        self._folder = Path(config.box.data_dir) / "pictures"
        self._lanes = {lane.id: lane for lane in config.lane}
        self._cameras = {camera.id: camera for lane in config.lane for camera in lane.camera}
        self._tally = Tally(tuple(self._lanes))
        self._times: Times | None = None
        self._scout = 0
        self._latest: Stamp | None = None
        self._reads: OrderedDict[str, Read] = OrderedDict()
        self._places: OrderedDict[str, PictureKept] = OrderedDict()
        self._pending: list[Passage] = []
        self._deaths: dict[str, int] = {}
        self._heads: dict[str, tuple[int, str]] = {}
        self._trouble: FaultView | None = None
        self._lasting: list[FaultView] = []
        self._used_s = 0.0
        self._wake = threading.Condition()
        self._kicked = self._stopping = False
        self._thread = threading.Thread(target=self._run, name="evidence")

    # --- for other threads ---------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def kick(self) -> None:
        """There may be new facts."""
        with self._wake:
            self._kicked = True
            self._wake.notify_all()

    def faults(self) -> list[FaultView]:
        own = [self._trouble] if self._trouble is not None else []
        return [*self._lasting, *own, *self._upkeep.faults(), *self._tally.faults()]

    def views(self) -> list[EvidenceView]:
        return self._tally.views()

    def picture_of(self, read_id: str) -> Path | None:
        """The evidence picture that this read led to."""
        try:
            row = self._store.of_read(read_id)
        except StoreError:
            return None  # the evidence thread says what is wrong with the index; the camera's picture is shown
        return self._folder / row.day / f"{row.record_id}.jpg" if row is not None and row.state == "made" else None

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping:
                wait_s = self._round()
                with self._wake:
                    self._wake.wait_for(lambda: self._kicked or self._stopping, wait_s)
                    self._kicked = False
        except Exception as error:
            log.exception("evidence pictures end")
            self._died(error)
        finally:
            self._child.end()
            self._store.close()

    def _round(self) -> float | None:
        """Everything that can be done now; how long until there may be more."""
        try:
            if self._times is None:
                self._open()
            self._keep_up()
            more = True
            while more and not self._stopping:
                more = self._follow()
                self._settle()
        except (StoreError, OSError) as error:
            self._failing(error)
            return AGAIN_S
        if self._trouble is not None:
            self._trouble = None
            self._changed()
        if self._child.pid is None:
            return LOOK_S
        left_s = self._used_s + IDLE_S - time.monotonic()
        if left_s <= 0:
            self._child.end()
            give_back()
        return min(max(left_s, 0.0) + 0.1, LOOK_S)

    def _failing(self, error: Exception) -> None:
        if self._trouble is None:
            log.warning("evidence pictures wait: %s", error)
            self._trouble = fault_view("evidence_failing", "pictures", str(error), _now_ms())
            self._changed()
        self._upkeep_s = min(self._upkeep_s, time.monotonic() + AGAIN_S)  # the disk may be full
        if isinstance(error, StoreError):
            self._times = None  # begin again at the stored cursor

    def _open(self) -> None:
        self._store.close()
        moved = self._store.open()
        if moved is not None:
            detail = f"{moved.moved_to.name}: {moved.why}"
            self._lasting.append(fault_view("pictures_damaged", "pictures.db", detail, _now_ms()))
        cursor = self._store.cursor()
        self._heads = self._store.heads()
        self._tally.load(self._store.recent(Tally.LOAD))
        self._pending.clear()
        times = Times(self._ledger.boot_offsets())
        self._scout = max(0, cursor - WARM_UP)
        while self._scout < cursor:
            facts = [fact for fact in self._ledger.read_after(self._scout, BATCH) if fact.seq <= cursor]
            for fact in facts:
                times.observe(fact)
                self._remember(fact)
            self._scout = facts[-1].seq if facts else cursor
        self._times = times

    def _follow(self) -> bool:
        """The next facts. True: there are more of them."""
        assert self._times is not None
        if len(self._pending) >= PENDING_MAX:  # all wait for the clock: look ahead for what frees them
            self._times = Times(self._ledger.boot_offsets())
            for fact in self._ledger.read_last(1):
                self._times.observe(fact)
            return False
        facts = self._ledger.read_after(self._scout, BATCH)
        for fact in facts:
            self._times.observe(fact)
            self._latest = fact.stamp
            self._remember(fact)
            self._ask(fact)
            self._scout = fact.seq
        return len(facts) == BATCH

    def _remember(self, fact: Fact) -> None:
        if isinstance(fact.body, ReadTaken):
            self._reads[fact.id] = Read(intern(fact.body.camera), fact.body.plate_width_px, fact.stamp)
        elif isinstance(fact.body, PictureKept):
            self._places[fact.body.read_id] = fact.body
        for kept in (self._reads, self._places):
            if len(kept) > REMEMBERED + len(self._pending):
                kept.popitem(last=False)

    def _ask(self, fact: Fact) -> None:
        body, seen_s = fact.body, time.monotonic()
        if isinstance(body, Passed) and self._store.of_record(fact.id) is None:
            self._pending.append(
                Passage(fact.seq, fact.id, body.read_id, fact.lane, body.direction, body.plate, seen_s, fact.stamp)
            )
        elif isinstance(body, PictureKept):
            row = self._store.of_read(body.read_id)
            if row is not None and row.state == "missing":  # later than it was waited for
                known = (row.record_id, row.read_id, row.lane, row.direction, row.plate)
                self._pending.append(Passage(fact.seq, *known, seen_s, None, row.passed_ms))

    def _settle(self) -> None:
        for passage in tuple(self._pending):
            if self._stopping:
                return
            row = self._row(passage)
            if row is None:
                continue
            others = [one.seq for one in self._pending if one is not passage]
            self._store.settle(min(others) - 1 if others else self._scout, [row])
            self._pending.remove(passage)
            self._deaths.pop(passage.record_id, None)
            if row.state == "made" and row.chain > self._heads.get(row.lane, (0, ""))[0]:
                self._heads[row.lane] = (row.chain, row.digest)
            self._tally.add(row, again=passage.stamp is None)
            self._changed()

    def _row(self, passage: Passage) -> PictureRow | None:
        """What became of it; None: not yet."""
        assert self._times is not None
        passed_ms = passage.passed_ms if passage.stamp is None else self._times.true_ms(passage.stamp)
        if passed_ms is None:
            return None
        read = self._reads.get(passage.read_id)
        row = PictureRow(
            record_id=passage.record_id,
            read_id=passage.read_id,
            lane=passage.lane,
            direction=passage.direction,
            camera=read.camera if read else "",
            plate=passage.plate,
            day=china_datetime(passed_ms)[:10].replace("-", ""),
            passed_ms=passed_ms,
            state="missing",
            why="no_picture" if passage.read_id else "no_read",
        )
        place = self._places.get(passage.read_id)
        if place is None:
            return row if not passage.read_id or self._waited(passage) else None
        taken_ms = self._times.true_ms(read.stamp) if read else None
        number, digest = self._heads.get(passage.lane, (0, ""))
        camera = self._cameras.get(row.camera)
        job = Job(
            record_id=row.record_id,
            read_id=row.read_id,
            spool=place.spool,
            offset=place.offset,
            length=place.length,
            crc32=place.crc32,
            box=self._config.box.id,
            lot=self._config.lot.name,
            lane=row.lane,
            lane_name=self._lanes[row.lane].name if row.lane in self._lanes else row.lane,
            direction=row.direction,
            device=(camera.serial or camera.id) if camera else row.camera or "unknown",
            plate=row.plate,
            overlay=camera is None or camera.overlay == "box",
            taken_ms=taken_ms if taken_ms is not None else passed_ms,
            passed_ms=passed_ms,
            day=row.day,
            chain=number + 1,
            previous=digest,
        )
        return self._made(row, job, read.plate_width_px if read else -1)

    def _made(self, row: PictureRow, job: Job, plate_px: int) -> PictureRow:
        there = self._adopted(row)
        if there is not None:
            return there
        done = self._have_it_made(job)
        if done.result != "made":
            return msgspec.structs.replace(row, state="failed", why=f"{done.result}: {done.why}"[:300])
        # Scaling up adds no resolution; halving takes it.
        share = min(1.0, done.width / done.source_width)
        return msgspec.structs.replace(
            row,
            state="made",
            why="",
            bytes=done.bytes,
            width=done.width,
            plate_width=round(plate_px * share) if plate_px > 0 else -1,
            flags=" ".join(done.flags),
            chain=job.chain,
            digest=done.digest,
        )

    def _adopted(self, row: PictureRow) -> PictureRow | None:
        """The picture that was made and not entered: a crash came between, or the index was lost."""
        try:
            data = (self._folder / row.day / f"{row.record_id}.jpg").read_bytes()
        except FileNotFoundError:
            return None
        said = claim_of(data)
        if said is None or said[0].record_id != row.record_id:
            return None
        claim, digest = said
        return msgspec.structs.replace(
            row, state="made", why="", bytes=len(data), flags=" ".join(claim.flags), chain=claim.chain, digest=digest
        )

    def _have_it_made(self, job: Job) -> Done:
        """Raises `OSError` for what may pass. A picture on which the child died twice is given up."""
        try:
            done = self._child.make(job)
        except ChildDiedError as error:
            deaths = self._deaths[job.record_id] = self._deaths.get(job.record_id, 0) + 1
            log.warning("picture of record %s: %s", job.record_id, error)
            if deaths < 2:
                raise OSError(str(error)) from error
            return Done("unreadable", str(error))
        self._used_s = time.monotonic()
        if done.result == "trouble":
            raise OSError(done.why)
        return done

    def _keep_up(self) -> None:
        if time.monotonic() < self._upkeep_s or not self._clock_is_true():
            return
        self._upkeep_s = time.monotonic() + EVERY_S
        try:
            self._upkeep.run(_now_ms())
        except (StoreError, OSError) as error:  # the queue of deliveries, or a folder: pictures are made all the same
            log.warning("upkeep of the pictures waits: %s", error)
            self._upkeep_s = time.monotonic() + UPKEEP_AGAIN_S
        self._changed()

    def _clock_is_true(self) -> bool:
        """Before it is set, every picture would look old, or from the future."""
        return self._config.box.clock == "trusted" or kernel_synchronised()

    def _waited(self, passage: Passage) -> bool:
        """By the ledger's time where it has gone on (a backlog is not waited for), else by ours."""
        if passage.stamp is None or self._latest is None or self._latest.boot_id != passage.stamp.boot_id:
            return True
        if self._latest.mono_ms - passage.stamp.mono_ms >= PICTURE_WITHIN_MS:
            return True
        return time.monotonic() - passage.seen_s >= PICTURE_WITHIN_MS / 1000


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
