"""The lane program's heart: events in, the pure box decides, commands go out, facts go to the ledger.

Everything here runs on the event loop's thread. Nothing here waits: commits and picture writes happen on threads
of their own and come back as events, so the safety reaction (DESIGN 5, invariant 1) is never behind a disk, a
network or another lane.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Literal

from edge.core.box import Box
from edge.core.commands import (
    Answer,
    AnyCommand,
    LowerArm,
    Note,
    RaiseArm,
    Record,
    Show,
    StopArm,
    TriggerCamera,
)
from edge.core.events import AnyEvent, DeviceDown, DeviceUp, LimitChanged, LoopChanged, Stored, Tick
from edge.core.facts import Fact, PictureKept, Stamp
from edge.ports import BarrierPort, DeviceError
from edge.store.ledger import Ledger, StoreResult
from edge.wall_clock import LaneClock

log = logging.getLogger("parkbox.lane")

REST_WITHIN_S = 0.2
"""A decision is durable within a few milliseconds; a sick disk must not hold a camera's answer up."""

SNAPSHOT_EVERY = 256
"""Facts between two snapshots of the fold: a start reads at most about this many."""

EDGES_KEPT = 200
"""Changes of loops and limit switches that a technician can look at: some twenty cars."""

SNAPSHOT_BYTES_A_FACT = 1024
"""A large fold (a control list of 100,000 entries has 10 MB) is kept more rarely: it must not wear the card out."""

STORE_FAULTS = {"disk_full": "disk_full", "disk_read_only": "disk_read_only", "damaged": "ledger_damaged"}
"""What the ledger calls it -> fault code; whatever else keeps a commit from happening is `storage_failing`."""


class LaneRuntime:
    """Feeds the box and carries out what it asks for. `watch` callbacks get every note and every change."""

    def __init__(
        self,
        box: Box,
        ledger: Ledger,
        clock: LaneClock,
        barriers: Mapping[str, BarrierPort],
        loop: asyncio.AbstractEventLoop,
        *,
        snapshots: bool = True,
    ) -> None:
        """`snapshots`: False when the box is not the fold of the whole ledger."""
        self.box = box
        self._snapshots = snapshots
        self.counters: Counter[str] = Counter()
        self.last_seq = ledger.last_seq()
        self.on_change: list[Callable[[], None]] = []
        self.on_note: list[Callable[[Note, Stamp], None]] = []
        self.ask_camera: Callable[[str], bool] = lambda lane: False
        self.signs: dict[str, Show] = {}
        self.edges: deque[tuple[int, LoopChanged | LimitChanged]] = deque(maxlen=EDGES_KEPT)
        self._ledger, self._clock, self._barriers, self._loop = ledger, clock, barriers, loop
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self._untold: set[str] = set()  # command ids whose answer waits for facts to be durable
        self._behind: deque[tuple[int, list[Answer]]] = deque()  # answers without a fact, and the submit they wait for
        self._kept: deque[tuple[int, asyncio.Future[None]]] = deque()  # who waits for submits up to this one
        # Submits are counted here: facts that wait for a disk which fails from the start on get other numbers later.
        self._submitted = self._durable = 0
        self._since_snapshot = 0
        self._snapshot_every = SNAPSHOT_EVERY
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms = 0  # the deadline that it was armed for
        self._store_faults: set[str] = set()
        self._riding: list[Fact] = []  # pictures that wait for other facts of the lane to be stored with
        self._urgent: set[int] = set()  # urgent submits that are not durable yet
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    # --- in ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._carry_out(self.box.start(now := self._clock.now()), now)
        self._arm_timer()

    def feed(self, event: AnyEvent) -> None:
        """One event, on the loop's thread."""
        now = self._clock.now()
        log.debug("%s", event)
        if isinstance(event, LoopChanged | LimitChanged):
            self.edges.append((now.wall_ms, event))
        self._carry_out(self.box.step(event, now), now)
        self._arm_timer()
        for changed in self.on_change:
            changed()

    def feed_from_thread(self, event: AnyEvent) -> None:
        """One event from a driver's thread."""
        self._loop.call_soon_threadsafe(self.feed, event)

    def ask(self, command_id: str) -> asyncio.Future[Answer]:
        """The answer that the box will give to this command."""
        return self._answers.setdefault(command_id, self._loop.create_future())

    # --- out -----------------------------------------------------------------------------------------------

    def _carry_out(self, commands: Sequence[AnyCommand], now: Stamp) -> None:
        facts: list[Fact] = []
        tokens: list[int] = []
        answers: list[Answer] = []
        urgent = False
        for command in commands:
            match command:
                case RaiseArm(lane=lane):
                    self._move(lane, "raise_arm")
                case LowerArm(lane=lane):
                    self._move(lane, "lower_arm")
                case StopArm(lane=lane):
                    self._move(lane, "stop_arm")
                case Record(lane=lane, id=fact_id, body=body, token=token):
                    fact = Fact(fact_id, lane, now, body)
                    (self._riding if isinstance(body, PictureKept) else facts).append(fact)
                    urgent = urgent or command.urgent
                    if token:
                        tokens.append(token)
                case Show(lane=lane):
                    self.signs[lane] = command
                case Answer(command_id=command_id):
                    if command_id not in self._untold:  # a repeat is answered together with the first
                        answers.append(command)
                case TriggerCamera(lane=lane, why=why):
                    # A camera that only pushes cannot be asked; after no read the lane's own deadline goes on to a
                    # person, and an order is shown with the picture nearest to it.
                    asked = self.ask_camera(lane)
                    self.counters["triggers" if asked else "trigger_not_possible"] += 1
                    log.info("lane %s: %s; %s", lane, why, "camera asked" if asked else "no camera can be asked")
                case Note():
                    log.log(logging.WARNING if command.level == "warning" else logging.INFO,
                            "%s: %s", command.lane or "box", command.text)
                    for noted in self.on_note:
                        noted(command, now)
        if facts and not urgent and self._riding:
            facts, self._riding = self._riding + facts, []
        if facts:
            # An answer is a promise: whoever has it may forget his order (DESIGN 2: records, then answers).
            self._untold.update(answer.command_id for answer in answers)
            self._submit(facts, tokens, answers, urgent)
        elif answers and self._submitted > self._durable and not self._store_faults:
            # It says what earlier facts say, an order's number for one: a driver pays what he was told, and a box that
            # was killed before they were durable would know nothing of it.
            self._untold.update(answer.command_id for answer in answers)
            self._behind.append((self._submitted, answers))
        else:
            self._tell(answers)

    def _tell(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            self._untold.discard(answer.command_id)
            future = self._answers.pop(answer.command_id, None)
            if future is not None and not future.done():
                future.set_result(answer)

    def _move(self, lane: str, verb: Literal["raise_arm", "lower_arm", "stop_arm"]) -> None:
        try:
            getattr(self._barriers[lane], verb)()
        except DeviceError as error:
            log.exception("lane %s: %s failed", lane, verb)
            down = DeviceDown(lane=lane, code="barrier_down", device=error.device, detail=error.detail)
            self._loop.call_soon(self.feed, down)

    def _submit(self, facts: list[Fact], tokens: list[int], answers: list[Answer], urgent: bool) -> None:
        def done(result: StoreResult) -> None:  # on the writer's thread
            with suppress(RuntimeError):  # the loop has ended, nobody waits: the ledger keeps its last facts alone
                self._loop.call_soon_threadsafe(self._stored, result, number, len(facts), tokens, answers)

        self._submitted = number = self._submitted + 1
        last_seq = self._ledger.submit(facts, urgent, done)
        if urgent:
            self._urgent.add(number)
            self._at_rest.clear()
        self._since_snapshot += len(facts)
        if self._snapshots and self._since_snapshot >= self._snapshot_every:
            # The fold in memory is that of the facts up to this one.
            self._since_snapshot = 0
            data = self.box.encode()
            self._snapshot_every = max(SNAPSHOT_EVERY, len(data) // SNAPSHOT_BYTES_A_FACT)
            self._ledger.snapshot(last_seq, data)

    def _stored(
        self, result: StoreResult, number: int, count: int, tokens: list[int], answers: list[Answer]
    ) -> None:
        """What became of submit `number` and its `count` facts; they are told in order."""
        self._urgent.discard(number)
        if not self._urgent:
            self._at_rest.set()  # whoever waits goes on in the loop's next turn, after the arm
        while self._behind and self._behind[0][0] <= number:
            answers = [*answers, *self._behind.popleft()[1]]
        while self._kept and self._kept[0][0] <= number:
            self._wake(self._kept.popleft()[1])
        untold = [answer for answer in answers if answer.command_id in self._untold]
        self._tell(untold if result.ok else [_not_on_disk(answer) for answer in untold])
        if not result.ok:
            code = STORE_FAULTS.get(result.error or "", "storage_failing")
            if code not in self._store_faults:
                self._store_faults.add(code)
                log.error("ledger: %s: %s; the facts wait in memory", result.error, result.detail)
                self.feed(DeviceDown(code=code, device="ledger", detail=result.detail))
            return
        faults, self._store_faults = sorted(self._store_faults - {"ledger_damaged"}), set()
        for code in faults:
            self.feed(DeviceUp(code=code, device="ledger"))
        self._durable = max(self._durable, number)
        self.last_seq = max(self.last_seq, result.first_seq + count - 1)
        for token in tokens:
            self.feed(Stored(token=token))

    async def quiet(self) -> None:
        """Until no decision waits for the disk, at most REST_WITHIN_S."""
        try:
            async with asyncio.timeout(REST_WITHIN_S):
                await self._at_rest.wait()
        except TimeoutError:
            self.counters["rest_late"] += 1

    async def kept(self) -> None:
        """Until every fact so far is durable. At once while the disk fails: the fault says what a promise is worth."""
        if self._submitted > self._durable and not self._store_faults:
            waits: asyncio.Future[None] = self._loop.create_future()
            self._kept.append((self._submitted, waits))
            await waits

    @staticmethod
    def _wake(waits: asyncio.Future[None]) -> None:
        if not waits.done():  # whoever waited may have gone
            waits.set_result(None)

    def store_riding(self, older_than_ms: int = 0) -> None:
        """Store the pictures that found no other fact to ride with for so long."""
        if self._riding and self._clock.mono_ms() - self._riding[0].stamp.mono_ms >= older_than_ms:
            facts, self._riding = self._riding, []
            self._submit(facts, [], [], False)

    # --- time ----------------------------------------------------------------------------------------------

    def _arm_timer(self) -> None:
        """A timer that rings too early is left alone: `_due` arms the next one. It costs less than to move it."""
        deadline_ms = self.box.deadline_ms
        if deadline_ms is None or (self._timer is not None and self._timer_ms <= deadline_ms):
            return
        if self._timer is not None:
            self._timer.cancel()
        # A loop may wake a hair early; one millisecond more makes the deadline surely due.
        delay_s = max(0, deadline_ms - self._clock.mono_ms() + 1) / 1000
        self._timer, self._timer_ms = self._loop.call_later(delay_s, self._due), deadline_ms

    def _due(self) -> None:
        self._timer = None
        if self.box.deadline_ms is not None and self.box.deadline_ms <= self._clock.mono_ms():
            self.feed(Tick())
        else:
            self._arm_timer()

    def check_clock(self) -> None:
        """About once a second."""
        changed = self._clock.check()
        if changed is not None:
            level = logging.INFO if changed.first else logging.WARNING
            log.log(level, "clock: first set %s, step %d ms", changed.first, changed.step_ms)
            self.feed(changed)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _not_on_disk(answer: Answer) -> Answer:
    """The disk fails: the order is carried out all the same, and whoever gave it knows what it is worth."""
    zh, en = f"{answer.zh} (尚未写入磁盘)", f"{answer.en} (not on the disk yet)"
    return Answer(lane=answer.lane, command_id=answer.command_id, ok=answer.ok, zh=zh, en=en)
