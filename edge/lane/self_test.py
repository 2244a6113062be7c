"""自检: a car driven through a box in memory, made of the running configuration, lane by lane.

The core is pure, so the same decisions, money and facts can be asked for without a driver, a ledger or a clock: no arm
moves, nothing is kept, and the real lanes go on between two steps.

Two cars at a lane. The first is nobody in particular; at an exit it came in two hours ago. What is decided about it is
the configuration's business (full, lists only, to pay), that something is decided is the program's. If it may not pass,
a second one does, under the same rules with its plate on the allow list: then the arm must be asked up and down and the
passage recorded, at every lane and under every configuration. Each fact goes through the ledger's own encoding.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import msgspec

from edge.config.model import Config, Lane
from edge.core.admission import LotRules
from edge.core.box import Box, LaneSettings
from edge.core.commands import AnyCommand, LowerArm, RaiseArm, Record
from edge.core.events import AnyEvent, LimitChanged, LoopChanged, PlateRead, Stored, Tick
from edge.core.facts import Decided, Fact, Passed, ReadTaken, Stamp
from edge.lane.setup import empty_box, lane_settings, lot_rules
from edge.store.rows import UnreadableFactError, to_fact, to_row

log = logging.getLogger("parkbox.lane")

PLATE = "粤B00000"
BOOT = "self-test"
STAY_MS = 2 * 3_600_000
BEGIN_MS = 86_400_000
"""The scripted clock begins a day after its boot: the entry of the car at an exit lies within the same boot."""
SHORT_MS = 200
"""From one thing to the next where the lane asks for no longer: the shortest read, store and pass times are longer."""
OVER_MS = 1_500  # on a loop, as a car of five metres at walking pace

Words = tuple[str, str]


class SelfTest:
    """`now` is the box's clock: flow control's times of day count as they do for real cars."""

    def __init__(self, config: Config, now: Callable[[], Stamp]) -> None:
        self._config, self._now = config, now

    async def run(self) -> tuple[bool, str, str]:
        """Went well, and what did not come in Chinese and English. The loop is given back after
        every deadline of the script: a safety loop of a real lane waits for one step, not for a lane."""
        missing: list[Words] = []
        for lane in self._config.lane:
            missing += [(f"{lane.id}: {zh}", f"{lane.id}: {en}") for zh, en in await self._at(lane)]
        if not missing:
            count = len(self._config.lane)
            return True, f"{count} 条车道模拟通行正常", f"a simulated car passed each of {count} lanes"
        return False, "; ".join(zh for zh, _ in missing), "; ".join(en for _, en in missing)

    async def _at(self, lane: Lane) -> list[Words]:
        try:
            return await rehearse(self._config, lane, self._now().wall_ms)
        except Exception as error:
            # A mistake of ours that the first real car would meet: told, and no end of the program that has met none.
            log.exception("self-test of lane %s", lane.id)
            return [(f"程序出错: {error!r}", f"a mistake in the program: {error!r}")]


async def rehearse(config: Config, lane: Lane, wall_ms: int) -> list[Words]:
    """What did not come at `lane`, Chinese and English; empty when all did. `wall_ms` is the time of day to play at."""
    rules = lot_rules(config)
    first = _Stage(config, lane, rules, wall_ms)
    if lane.direction == "out":
        first.came_in_before()
    car = await first.drive()
    if car.decided is not None and car.decided.decision == "admit":
        return [*car.missing, *first.odd]
    missing = list(_undecided(car, lane))
    listed = msgspec.structs.replace(rules, allow=rules.allow | {PLATE}, deny=rules.deny - {PLATE})
    second = _Stage(config, lane, listed, wall_ms)
    return [*missing, *first.odd, *(await second.drive()).missing, *second.odd]


class Car(NamedTuple):
    """What came of one car: its decision, and what is missing for a whole passage."""

    decided: Decided | None
    missing: Sequence[Words]


def _undecided(car: Car, lane: Lane) -> list[Words]:
    if car.decided is None:
        return [("车到后没有判定", "nothing was decided about the car")]
    if lane.direction == "out" and not car.decided.visit_id:
        return [("出口未找到其入场记录", "its entry was not found at the exit")]
    return []


class _Stage:
    """One box of one lane, its scripted clock, and what it asked for. `odd` is what is wrong whatever
    was decided."""

    def __init__(self, config: Config, lane: Lane, rules: LotRules, wall_ms: int) -> None:
        self._ids = (f"{number:032x}" for number in itertools.count(1))
        self._box: Box = empty_box(config, self._new_id, [lane], rules)
        self._settings: LaneSettings = lane_settings(lane)
        self._lane = lane.id
        self._mono_ms, self._offset_ms = BEGIN_MS, wall_ms - BEGIN_MS
        self._asked: list[AnyCommand] = []
        self._facts: list[Fact] = []
        self.odd: list[Words] = []

    def came_in_before(self) -> None:
        """The car at an exit has an entry: what it owes is worked out by the tariff in force."""
        entered = Stamp(BOOT, self._mono_ms - STAY_MS, self._mono_ms + self._offset_ms - STAY_MS, synced=True)
        body = Passed(arrival_id=self._new_id(), direction="in", plate=PLATE, rule="count")
        self._box.apply(Fact(self._new_id(), self._lane, entered, body))

    async def drive(self) -> Car:
        """One car from the arrival loop through the arm. It waits before an arm that is not asked up."""
        lane, settings = self._lane, self._settings
        self._take(self._box.start(self._stamp()))
        self._loop("arrival", on=False)
        self._loop("safety", on=False)
        self._limits(up=False)
        await self._wait(
            SHORT_MS + settings.hold_ms + settings.unproven_hold_ms + settings.move_ms
        )  # until the arm is down
        self._asked.clear()
        self._loop("arrival", on=True)
        camera = settings.cameras[0] if settings.cameras else "self-test"
        read_id = self._new_id()
        self._tell(PlateRead(lane=lane, read_id=read_id, camera=camera, event_id=read_id, plate_raw=PLATE))
        if len(settings.cameras) > 1:
            await self._wait(settings.fuse_ms)
        await self._wait(SHORT_MS)
        missing: list[Words] = []
        if not any(isinstance(fact.body, ReadTaken) and fact.body.plate == PLATE for fact in self._facts):
            self.odd.append(("未记录车牌识别", "the read was not recorded"))
        if not any(isinstance(one, RaiseArm) for one in self._asked):
            missing.append(("未要求抬杆", "the arm was not asked up"))
        else:
            await self._through()
            if settings.has_close and not any(isinstance(one, LowerArm) for one in self._asked):
                missing.append(("车过后未要求落杆", "the arm was not asked down behind the car"))
            passed = [fact.body for fact in self._facts if isinstance(fact.body, Passed)]
            if [(one.plate, one.admitted, one.direction) for one in passed] != [(PLATE, True, settings.direction)]:
                missing.append(("未记录该车通行", "its passage was not recorded"))
        decided = [fact.body for fact in self._facts if isinstance(fact.body, Decided)]
        return Car(decided[-1] if decided else None, missing)

    async def _through(self) -> None:
        self._limits(up=True)
        self._loop("safety", on=True)
        await self._wait(OVER_MS)
        self._loop("arrival", on=False)
        await self._wait(OVER_MS)
        self._loop("safety", on=False)
        await self._wait(self._settings.hold_ms + self._settings.unproven_hold_ms + self._settings.move_ms)

    # --- to the box and from it --------------------------------------------------------------------------------------

    def _new_id(self) -> str:
        return next(self._ids)

    def _stamp(self) -> Stamp:
        return Stamp(BOOT, self._mono_ms, self._mono_ms + self._offset_ms, synced=True)

    def _loop(self, loop: Literal["arrival", "safety"], *, on: bool) -> None:
        self._tell(LoopChanged(lane=self._lane, loop=loop, occupied=on))

    def _limits(self, *, up: bool) -> None:
        """The switches that the lane has say where the arm is; the one that it leaves first."""
        if self._settings.has_limit_down and up:
            self._tell(LimitChanged(lane=self._lane, end="down", active=False))
        if self._settings.has_limit_up:
            self._tell(LimitChanged(lane=self._lane, end="up", active=up))
        if self._settings.has_limit_down and not up:
            self._tell(LimitChanged(lane=self._lane, end="down", active=True))

    async def _wait(self, ms: int) -> None:
        """Deadline by deadline, as the lane program does."""
        end_ms = self._mono_ms + ms
        while self._box.deadline_ms is not None and self._box.deadline_ms <= end_ms:
            self._mono_ms = max(self._mono_ms, self._box.deadline_ms)
            self._tell(Tick())
            await asyncio.sleep(0)
        self._mono_ms = end_ms
        await asyncio.sleep(0)

    def _tell(self, event: AnyEvent) -> None:
        self._take(self._box.step(event, self._stamp()))

    def _take(self, commands: Sequence[AnyCommand]) -> None:
        self._asked += commands
        tokens = []
        for command in commands:
            if isinstance(command, Record):
                self._facts.append(fact := Fact(command.id, command.lane, self._stamp(), command.body))
                self._encoded(fact, len(self._facts))
                tokens += [command.token] if command.token else []
        for token in tokens:
            self._tell(Stored(token=token))

    def _encoded(self, fact: Fact, seq: int) -> None:
        kind = type(fact.body).__name__
        try:
            back = to_fact(to_row(fact, seq))
        except (UnreadableFactError, msgspec.EncodeError, TypeError) as error:
            self.odd.append((f"{kind} 不能存取: {error}", f"{kind} cannot be stored and read: {error}"))
        else:
            if back != msgspec.structs.replace(fact, seq=seq):
                self.odd.append((f"{kind} 存取后不同", f"{kind} is another one when it is read again"))
