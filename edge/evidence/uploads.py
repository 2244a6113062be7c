"""Pictures to the city's storage: one thread that carries the upload queue to OSS (Qingdao interface 5).

Beside the records (QC99): a picture waits for no record and no record for a picture, so either may come first. The
queue is the table; a crash between OSS's answer and our note of it puts the same key again, so each picture is one
object. What counts as one of a picture's 50 repetitions is a try that OSS may be blamed for; while OSS cannot be
reached, or our keys or the clock are wrong, the link rests with full jitter and no picture is blamed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from edge.config.model import Oss
from edge.evidence.child import ChildDiedError, ChildProcess, ChildUnusableError
from edge.evidence.upload_jobs import Judged, Look, Outcome, Put, judge
from edge.ports import LinkView, Upload, UploadQueue

LIVE_MS = 60_000  # as records: of the last minute goes before the backlog (DESIGN 8)
PAGE = 8  # then it is looked again for a live one
NOTE_EVERY = 20  # pictures stored between two notes of it on the disk: what a crash makes us put again
IDLE_S = 60.0  # then the child ends: it costs 40 MB, and a second of CPU to start
LOOK_AGAIN_S = 60.0  # without a kick
CLOCK_S = 1.0
STORAGE_REST_S = 2.0
CHILD_STARTS_S = 60.0  # half a second on a laptop, several on a Pi that reads a slow card
CHILD_MARGIN_S = 10.0  # beyond `timeout_s`, which bounds each silence and not the whole: then it is killed
REST_BASE_S = 1.0
REFUSED_FAILURES = 6  # wrong keys begin at a bound of 32 s: repeating locks an account and mends nothing


class Clock(Protocol):
    """Time, passed in."""

    def mono_s(self) -> float: ...

    def wall_ms(self) -> int: ...

    def wall_is_true(self) -> bool:
        """False: nothing can be signed, OSS refuses requests more than 15 minutes off."""


class Jitter(Protocol):
    """What `random.Random` is."""

    def uniform(self, a: float, b: float, /) -> float: ...


class Putter(Protocol):
    """What `UploadChild` is. `put` raises `ChildDiedError`, `ChildUnusableError` and `OSError`."""

    @property
    def pid(self) -> int | None: ...

    def put(self, job: Put) -> Outcome: ...

    def end(self) -> None: ...

    def abort(self) -> None: ...


class UploadChild(ChildProcess):
    def __init__(self) -> None:
        super().__init__("upload process", [sys.executable, "-m", "edge.evidence.upload_worker"], CHILD_STARTS_S)

    def put(self, job: Put | Look) -> Outcome:
        answer = self.ask(msgspec.msgpack.encode(job), job.timeout_s + CHILD_MARGIN_S)
        return msgspec.msgpack.decode(answer, type=Outcome)


class UploadFault(NamedTuple):
    """A fault of `core.faults`: its code there, what happened, since when."""

    code: str
    detail: str
    since_wall_ms: int


class PictureUploads:
    """`start`, `stop`, `kick`, `links` and `faults` are for any thread; `run_once` is for tests and for its own."""

    def __init__(
        self,
        settings: Oss,
        queue: UploadQueue,
        folder: Path,
        key_of: Callable[[Upload], str],
        child: Putter,
        *,
        clock: Clock,
        random: Jitter,
        storage_errors: tuple[type[Exception], ...],
        died: Callable[[BaseException], None],
        changed: Callable[[], None],
    ) -> None:
        """`folder`: of the pictures; `key_of`: the object key of a picture; `storage_errors`: what `queue` raises;
        `died` is told why the thread ended by itself, `changed` that `links`, `faults` or a picture's state differ."""
        self._settings, self._queue, self._folder, self._key_of, self._child = settings, queue, folder, key_of, child
        self._clock, self._random, self._storage_errors = clock, random, storage_errors
        self._died, self._changed = died, changed
        self._failures = 0
        self._rest_until_s = 0.0
        self._last: Judged | None = None
        self._last_ok_wall_ms = 0
        self._used_s = 0.0
        self._storage: list[str] = []
        self._set_aside = 0
        self._faults: tuple[UploadFault, ...] = ()
        # Due times live on a wall clock that no later step moves: due_ms outlives a restart, mono_s does not.
        self._wall_from_mono_ms = clock.wall_ms() - round(clock.mono_s() * 1000)
        self._wake = threading.Condition()
        self._kicked = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="picture-uploads", daemon=True)

    # --- for other threads ---------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Cut what is under way, note what was stored, end."""
        with self._wake:
            self._stopping.set()
            self._wake.notify_all()
        self._child.abort()
        if self._thread.ident is not None:
            self._thread.join()

    def kick(self) -> None:
        """There may be a new picture, or one was put back by hand."""
        with self._wake:
            self._kicked = True
            self._wake.notify_all()

    def faults(self) -> list[UploadFault]:
        return list(self._faults)

    def links(self) -> list[LinkView]:
        """Idle before the first try: a night without cars is no outage."""
        last = self._last
        if last is None:
            return [LinkView("oss", False, "还没有图片要上传", "no picture to upload yet", 0, idle=True)]
        if not self._failures:
            return [LinkView("oss", True, "在线", "online", self._last_ok_wall_ms)]
        return [LinkView("oss", False, f"离线: {last.zh}", f"offline: {last.en}", self._last_ok_wall_ms)]

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                wait_s = self.run_once()
                with self._wake:
                    self._wake.wait_for(lambda: self._kicked or self._stopping.is_set(), wait_s)
                    self._kicked = False
        except BaseException as error:
            self._died(error)
            raise
        finally:
            self._child.end()

    def run_once(self) -> float:
        """One round. How long nothing needs to be done unless somebody kicks, in seconds."""
        try:
            wait_s = self._round()
            self._set_aside = self._queue.counts()["set_aside"]
            self._storage = []
        except self._storage_errors as error:
            self._storage.append(str(error))
            wait_s = STORAGE_REST_S
        self._update_faults()
        if self._child.pid is None:
            return wait_s
        idle_s = self._used_s + IDLE_S - self._clock.mono_s()
        if idle_s <= 0:
            self._child.end()
            return wait_s
        return min(wait_s, idle_s + 0.1)

    def _round(self) -> float:
        if not self._clock.wall_is_true():
            return CLOCK_S
        rest_s = self._rest_until_s - self._clock.mono_s()
        if rest_s > 0:
            return rest_s
        if self._put_due():
            return max(0.0, self._rest_until_s - self._clock.mono_s())
        next_ms = self._queue.next_due_ms()
        if next_ms is None:
            return LOOK_AGAIN_S
        return min(LOOK_AGAIN_S, max(0.0, (next_ms - self._now_ms()) / 1000))

    def _put_due(self) -> int:
        """Due pictures, until the link must rest. How many were tried."""
        wall_ms = self._clock.wall_ms()
        uploads = self._queue.due(self._now_ms(), wall_ms - LIVE_MS, PAGE)
        stored: list[int] = []
        tried = 0
        try:
            for upload in uploads:
                if self._stopping.is_set():
                    break
                tried += 1
                judged = self._put(upload)
                if self._stopping.is_set() and judged.meaning != "stored":
                    break  # cut by ourselves: it says nothing of OSS
                self._book(judged)
                if judged.meaning == "stored":
                    stored.append(upload.id)
                else:
                    self._note(upload, judged)
                if judged.rests:
                    break
                if len(stored) >= NOTE_EVERY:
                    self._note_stored(stored)
        finally:
            self._note_stored(stored)
        return tried

    def _put(self, upload: Upload) -> Judged:
        oss = self._settings
        job = Put(
            path=str(self._folder / upload.day / f"{upload.record_id}.jpg"),
            key=self._key_of(upload),
            endpoint=oss.endpoint,
            region=oss.region,
            bucket=oss.bucket,
            signature=oss.signature,
            address=oss.address,
            acl=oss.acl,
            key_id_file=oss.key_id_file,
            key_secret_file=oss.key_secret_file,
            token_file=oss.token_file,
            ca_file=oss.ca_file,
            timeout_s=oss.timeout_s,
        )
        try:
            return judge(self._child.put(job))
        except ChildDiedError as error:
            return judge(Outcome("lost", str(error)))
        except (ChildUnusableError, OSError) as error:
            zh, en = f"上传进程无法启动: {error}", f"the upload process cannot be started: {error}"
            return Judged("link", zh, en, rests=True, ours=True)
        finally:
            self._used_s = self._clock.mono_s()

    # --- what it means -------------------------------------------------------------------------------------------

    def _note(self, upload: Upload, judged: Judged) -> None:
        at_ms = self._clock.wall_ms()
        if judged.meaning == "gone":
            self._queue.gone([upload.id], judged.answer, at_ms)
        elif judged.meaning == "refused":
            self._queue.set_aside([upload.id], judged.answer, at_ms)
        elif judged.meaning == "retry" and upload.attempts >= self._settings.retries:
            tries = upload.attempts + 1  # the first try does not count (QC27)
            self._queue.set_aside([upload.id], f"{judged.answer} (已试 {tries} 次 / {tries} tries)", at_ms)
        elif judged.meaning == "retry":
            again_ms = self._now_ms() + round(self._settings.retry_s * 1000)
            self._queue.failed([upload.id], again_ms, judged.answer, at_ms)
        self._changed()

    def _note_stored(self, stored: list[int]) -> None:
        if stored:
            self._queue.stored(stored, "OSS 已接收 / stored", self._clock.wall_ms())
            stored.clear()
            self._changed()

    def _book(self, judged: Judged) -> None:
        self._last = judged
        if judged.meaning == "stored":
            self._last_ok_wall_ms = self._clock.wall_ms()
        if not judged.rests:
            self._failures = 0
            return
        self._failures += 1
        if judged.ours:
            self._failures = max(self._failures, REFUSED_FAILURES)
        bound_s = min(self._settings.retry_s, REST_BASE_S * 2 ** min(self._failures - 1, 30))
        self._rest_until_s = self._clock.mono_s() + self._random.uniform(0.0, bound_s)

    def _now_ms(self) -> int:
        return self._wall_from_mono_ms + round(self._clock.mono_s() * 1000)

    def _update_faults(self) -> None:
        since = {fault.code: fault.since_wall_ms for fault in self._faults}
        now_ms = self._clock.wall_ms()
        faults = tuple(UploadFault(code, detail, since.get(code, now_ms)) for code, detail in self._troubles())
        if faults != self._faults:
            self._faults = faults
            self._changed()

    def _troubles(self) -> list[tuple[str, str]]:
        found, last = [], self._last
        if last is not None and self._failures and last.ours:
            found.append(("oss_refused", last.answer))
        elif last is not None and self._failures > 1:  # one failure is no outage
            found.append(("oss_offline", last.answer))
        if self._set_aside:
            found.append(("picture_set_aside", f"{self._set_aside} 张 / pictures"))
        if len(self._storage) > 1:  # the first: the evidence thread opens its file anew
            found.append(("storage_failing", self._storage[-1]))
        return found
