"""The ledger's one writer: facts of all lanes that wait are made durable together, in one commit.

`submit` hands out the sequence numbers and never blocks; a thread of its own commits and then calls `done`.
Urgent facts are committed at once. The others wait up to `linger_ms` for an urgent one to ride with (each
commit is an fsync, and an SD card wears out by them); a power cut may take them: nobody was told they are kept.

When the disk fails, facts wait here in their order: each `done` is told the failure once, the commit is tried
again every second, and `done` is told again when it worked. A database that turns out damaged is moved aside
and the waiting facts go into the new one. Nothing that was acknowledged depends on this memory.

A disk that fails already when the program starts is the same: `open_or_wait` begins without the file, and the facts
get their final numbers when it can be opened.

An exception that is no trouble of disk or database ends the writer thread: `alive` turns False, and whoever
composes the program must end it, so that it is started again.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic

import msgspec

from edge.core.facts import Fact
from edge.store.commit import Committer
from edge.store.errors import ErrorKind, StoreError, classify
from edge.store.reader import LedgerFile
from edge.store.recovery import Recovery
from edge.store.rows import KIND, Row, to_row

log = logging.getLogger(__name__)

RETRY_S = 1.0
DAMAGED_AGAIN_S = 60.0  # the new file is damaged too: every try leaves one more file aside
WAITING_MAX = 100_000  # facts held in memory while the disk fails: a day of four busy lanes, some 50 MB
SHED_STEP = 1_000  # so many go at once when that is full: looking for them costs a pass over all
QUIET_S = 0.1  # no fact for so long: a checkpoint's syncs hold nobody up
WAITS_FOR: tuple[ErrorKind, ...] = ("disk_full", "disk_read_only", "io_error")  # ends by itself or with a new card
CROWD_S = 0.0005  # several waited for the last commit: so long for them to be back, a few fdatasyncs at most


class StoreResult(msgspec.Struct, frozen=True):
    """What became of one `submit`. After a failure a second one says ok (or dropped) for the same facts."""

    ok: bool
    first_seq: int
    error: ErrorKind | None = None
    detail: str = ""


class LedgerOpened(msgspec.Struct, frozen=True):
    """What `open` found. `damage` is "" or the text of the fault `ledger_damaged`."""

    last_seq: int
    recovery: Recovery | None

    @property
    def damage(self) -> str:
        return "" if self.recovery is None else str(self.recovery)


Done = Callable[[StoreResult], None]


class _Batch:
    __slots__ = ("done", "first_seq", "rows", "told", "urgent")

    def __init__(self, rows: list[Row], urgent: bool, done: Done, first_seq: int) -> None:
        self.rows = rows
        self.urgent = urgent
        self.done = done
        self.first_seq = first_seq
        self.told = False  # of the failure


class _Snapshot(msgspec.Struct, frozen=True):
    seq: int
    data: bytes


class _Close:
    pass


_Item = _Batch | _Snapshot | _Close


class Ledger:
    def __init__(self, path: Path, linger_ms: int = 500) -> None:
        if linger_ms < 0:
            raise ValueError(f"linger_ms is {linger_ms}, needed 0 or more")
        self._path = path
        self._linger_s = linger_ms / 1000
        self._reader = LedgerFile(path, or_frozen=True)
        self._inbox: SimpleQueue[_Item] = SimpleQueue()
        self._lock = threading.Lock()  # guards the next two, never while writing
        self._state = "new"
        self._next_seq = 1
        self._numbered = False  # the file was opened once: `_next_seq` is what follows its facts
        self._thread: threading.Thread | None = None
        # The writer thread's own; other threads only read single values of it.
        self._disk = Committer(path)
        self._waiting: list[_Batch] = []
        self._waiting_facts = 0
        self._snapshot: _Snapshot | None = None
        self._due_s: float | None = None  # when the lingering must be committed, or the failed tried again
        self._failure: StoreError | None = None
        self._crowd = 0  # urgent submits that may come together now
        self._crowd_missing = 0  # of these, while the writer waits for them
        self._crowd_here: SimpleQueue[None] = SimpleQueue()
        self._committed_seq = 0
        self.recovery: Recovery | None = None  # the last one, at open or since
        self.counters: Counter[str] = Counter()  # commits, facts, checkpoints, failures, dropped

    # --- called by the lane ---------------------------------------------------------------------------------

    def open(self) -> LedgerOpened:
        """Open or begin the file and start the writer. `StoreError` if that cannot be."""
        if self._state != "new":
            raise StoreError("closed", self._path, f"open() on a ledger that is {self._state}")
        try:
            self._next_seq, self.recovery = self._disk.open()
        except BaseException:
            self._disk.close()
            raise
        self._committed_seq = self._next_seq - 1
        self._numbered = True
        self._start()
        return LedgerOpened(self._committed_seq, self.recovery)

    def open_or_wait(self) -> StoreError | None:
        """As `open`; while the disk fails the facts wait in memory from the start on, and this is why."""
        try:
            self.open()
        except StoreError as error:
            if error.kind not in WAITS_FOR:
                raise
            log.warning("ledger: %s; the facts wait in memory", error)
            self._failure = error
            self._due_s = monotonic() + RETRY_S
            self._start()
            return error
        return None

    def _start(self) -> None:
        self._state = "open"
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def submit(self, facts: Sequence[Fact], urgent: bool, done: Done) -> int:
        """Queue `facts`; the sequence number of the last one. `done` is called on the writer thread."""
        if not facts:
            raise ValueError("facts is empty, needed at least one")
        with self._lock:
            self._refuse_unless_open("submit")
            first = self._next_seq
            rows = [to_row(fact, seq) for seq, fact in enumerate(facts, first)]
            self._next_seq = first + len(rows)
            self._inbox.put(_Batch(rows, urgent, done, first))
            if 0 < self._crowd_missing <= self._inbox.qsize():
                self._crowd_missing = 0
                self._crowd_here.put(None)
        return first + len(rows) - 1

    def snapshot(self, seq: int, data: bytes) -> None:
        """The fold of all facts up to `seq` (as `submit` returned it); goes with the next commit."""
        with self._lock:
            self._refuse_unless_open("snapshot")
            if not 0 <= seq < self._next_seq:
                raise ValueError(f"seq is {seq}, needed 0 to {self._next_seq - 1}, the last fact submitted")
            self._inbox.put(_Snapshot(seq, data))

    def latest_snapshot(self) -> tuple[int, bytes] | None:
        return self._reader.latest_snapshot()

    def read_after(self, seq: int, limit: int) -> list[Fact]:
        return self._reader.read_after(seq, limit)

    def forget_reads(self) -> None:
        """Reading is over. A connection made on a disk that took no write would keep the writer from its files."""
        self._reader.close()

    def boot_offsets(self) -> dict[str, int]:
        return self._reader.boot_offsets()

    def last_seq(self) -> int:
        """The last durable fact."""
        return self._committed_seq

    @property
    def opened(self) -> bool:
        """The file could be opened at least once."""
        return self._numbered

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> int:
        """Commit what waits, end the writer. How many facts could not be kept (0 unless the disk fails)."""
        with self._lock:
            if self._state == "open":
                self._inbox.put(_Close())
            self._state = "closed"
        if self._thread is not None:
            self._thread.join()
        self._reader.close()
        return self._waiting_facts

    def _refuse_unless_open(self, what: str) -> None:
        if self._state != "open":
            raise StoreError("closed", self._path, f"{what}() on a ledger that is {self._state}")

    # --- the writer thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            closing = False
            while not closing:
                closing, urgent = self._receive()
                now_s = monotonic()
                overdue = self._due_s is not None and now_s >= self._due_s
                if closing or overdue or (urgent and self._failure is None):
                    self._commit()
                elif self._failure is not None:
                    self._tell_failure(self._failure)
                elif self._due_s is None and (self._waiting or self._snapshot):
                    self._due_s = now_s + self._linger_s
        finally:
            self._disk.close()

    def _receive(self) -> tuple[bool, bool]:
        """Wait for the next submit or the next due moment; then take all that is there: (closing, urgent)."""
        closing, urgent = False, 0
        item = self._next_item()
        while item is not None:
            if isinstance(item, _Batch):
                self._waiting.append(item)
                self._waiting_facts += len(item.rows)
                urgent += item.urgent
            elif isinstance(item, _Snapshot):
                self._snapshot = item
            else:
                closing = True
            if self._inbox.empty() and 0 < urgent < self._crowd:
                self._wait_for_crowd(self._crowd - urgent)
            item = None if self._inbox.empty() else self._inbox.get()
        if self._failure is not None:
            self._shed()
        return closing, urgent > 0

    def _wait_for_crowd(self, missing: int) -> None:
        """Once, and woken once: a wake-up for each of them would cost more than the commit that it saves."""
        self._crowd = 0
        self._crowd_missing = missing
        with suppress(Empty):  # they do something else now; the next commit sees how many there are
            self._crowd_here.get(timeout=CROWD_S)
        self._crowd_missing = 0

    def _next_item(self) -> _Item | None:
        if self._due_s is not None:
            return self._get_within(self._due_s - monotonic())
        if self._disk.upkeep_due:
            item = self._get_within(QUIET_S)
            if item is not None:
                return item
            self._upkeep()
            return self._next_item()
        return self._inbox.get()

    def _get_within(self, wait_s: float) -> _Item | None:
        try:
            return self._inbox.get(timeout=wait_s) if wait_s > 0 else self._inbox.get_nowait()
        except Empty:
            return None

    def _commit(self) -> None:
        """All that waits, in one transaction; then, and only then, the callbacks."""
        try:
            if not self._disk.is_open:
                self._reopen()
            batches, snapshot = self._waiting, self._snapshot
            rows = batches[0].rows if len(batches) == 1 else [row for batch in batches for row in batch.rows]
            if rows or snapshot is not None:
                self._disk.write(rows, None if snapshot is None else (snapshot.seq, snapshot.data))
        except (sqlite3.Error, OSError, StoreError) as error:
            self._fail(error)
            return
        self._waiting, self._waiting_facts = [], 0
        self._snapshot = self._due_s = self._failure = None
        self._committed_seq = rows[-1][0] if rows else self._committed_seq
        self.counters["commits"] += 1
        self.counters["facts"] += len(rows)
        urgent = 0
        for batch in batches:
            urgent += batch.urgent
            self._tell(batch, StoreResult(True, batch.first_seq))
        # One at a time waits for nobody. Of several, those just answered are about to be back.
        self._crowd = 0 if urgent < 2 else urgent + self._inbox.qsize()

    def _fail(self, error: Exception) -> None:
        """Let go of the connection (after a failed fsync it takes pages for written) and try again later."""
        kind = classify(error, self._path)
        again = self._failure is not None and self._failure.kind == kind
        detail = error.detail if isinstance(error, StoreError) else str(error)
        self._failure = StoreError(kind, self._path, detail)
        self._disk.let_go()
        self._due_s = monotonic() + (DAMAGED_AGAIN_S if kind == "damaged" and again else RETRY_S)
        self.counters["failures"] += 1
        if not again:
            log.warning("ledger: %s; %d facts wait in memory", self._failure, self._waiting_facts)
        self._tell_failure(self._failure)
        self._shed()
        if kind == "damaged" and not again:
            self._commit()  # a new file can be begun at once

    def _reopen(self) -> None:
        failure = self._failure
        damage = failure.detail if failure is not None and failure.kind == "damaged" else ""
        next_seq, recovery = self._disk.open(damage)
        self.recovery = recovery or self.recovery
        if not self._numbered:
            self._number(next_seq)

    def _number(self, next_seq: int) -> None:
        """The file could be opened for the first time: the facts that waited follow those that it has."""
        with self._lock:
            inbox: list[_Item] = []
            while not self._inbox.empty():
                inbox.append(self._inbox.get())
            by = next_seq - 1
            for batch in (*self._waiting, *(item for item in inbox if isinstance(item, _Batch))):
                batch.rows = [(row[0] + by, *row[1:]) for row in batch.rows]
                batch.first_seq += by
            # A fold that began without these facts is none of them.
            self._snapshot = None
            for item in inbox:
                if not isinstance(item, _Snapshot):
                    self._inbox.put(item)
            self._next_seq += by
            self._numbered = True
        self._committed_seq = by

    def _tell_failure(self, failure: StoreError) -> None:
        for batch in self._waiting:
            if not batch.told:
                batch.told = True
                self._tell(batch, StoreResult(False, batch.first_seq, failure.kind, failure.detail))

    @staticmethod
    def _tell(batch: _Batch, result: StoreResult) -> None:
        try:
            batch.done(result)
        except Exception:  # a caller's mistake must not take the other callers' answers
            log.exception("ledger: done() of facts from %d on raised", batch.first_seq)

    def _shed(self) -> None:
        """Too many wait: the oldest reads go first (their decisions stay), then the oldest of all."""
        if self._waiting_facts <= WAITING_MAX:
            return
        surplus = self._waiting_facts - (WAITING_MAX - SHED_STEP)
        for reads_only in (True, False):
            for batch in self._waiting:
                if surplus == 0:
                    break
                kept = []
                for row in batch.rows:
                    if surplus > 0 and (row[KIND] == "ReadTaken" or not reads_only):
                        surplus -= 1
                        self._waiting_facts -= 1
                        self.counters["dropped"] += 1
                    else:
                        kept.append(row)
                batch.rows = kept
        emptied = [batch for batch in self._waiting if not batch.rows]
        self._waiting = [batch for batch in self._waiting if batch.rows]
        for batch in emptied:
            detail = f"over {WAITING_MAX} facts waited for the disk"
            self._tell(batch, StoreResult(False, batch.first_seq, "dropped", detail))

    def _upkeep(self) -> None:
        try:
            if self._disk.upkeep():
                self.counters["checkpoints"] += 1
        except sqlite3.Error as error:
            self._fail(error)  # nothing is lost, the log has it; the next try opens anew
