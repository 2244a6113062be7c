"""What the lane program has said it still knows after a kill: an answer waits for the facts that it speaks of, its own
or earlier ones (DESIGN 2: records, then answers)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import msgspec
import pytest

from edge.core.box import Box
from edge.core.commands import Answer, AnyCommand, Record
from edge.core.events import AnyEvent, Tick
from edge.core.facts import Fact, Passed, Stamp
from edge.lane.runtime import LaneRuntime
from edge.store.ledger import Done, Ledger, StoreResult
from edge.wall_clock import LaneClock

FACT = Record(
    lane="in1", id="a" * 32, body=Passed("a" * 32, "in", "鲁B12345", "blue", rule="count"), token=0, urgent=False
)


class ScriptedBox:
    """Asks for what it was told to ask for."""

    def __init__(self) -> None:
        self.deadline_ms: int | None = None
        self.next: list[AnyCommand] = []

    def step(self, _event: AnyEvent, _now: Stamp) -> list[AnyCommand]:
        wanted, self.next = self.next, []
        return wanted


class SlowLedger:
    """Nothing is durable before `commit`."""

    def __init__(self) -> None:
        self.seq = 0
        self.shift = 0  # a file that could not be opened at first has this many facts of its own
        self.waiting: list[Callable[[bool], None]] = []

    def last_seq(self) -> int:
        return 0

    def submit(self, facts: Sequence[Fact], _urgent: bool, done: Done) -> int:
        first = self.seq + 1
        self.seq += len(facts)
        self.waiting.append(lambda ok: done(StoreResult(ok, first + self.shift, None if ok else "disk_full")))
        return self.seq

    def commit(self, *, ok: bool = True) -> None:
        for tell in self.waiting:
            tell(ok)
        if ok:
            self.waiting = []


class Bench:
    def __init__(self) -> None:
        self.box, self.ledger = ScriptedBox(), SlowLedger()
        clock = LaneClock("trusted", "b" * 32, 0, mono_ns=lambda: 5_000_000_000, wall_ns=lambda: 5_000_000_000)
        loop = asyncio.get_running_loop()
        self.runtime = LaneRuntime(
            cast(Box, self.box), cast(Ledger, self.ledger), clock, {}, loop, snapshots=False
        )

    def step(self, *commands: AnyCommand) -> None:
        self.box.next = list(commands)
        self.runtime.feed(Tick())

    def asks(self, command_id: str) -> asyncio.Future[Answer]:
        """A question whose answer needs no fact of its own: the number of an order that has been made out."""
        future = self.runtime.ask(command_id)
        self.step(Answer(command_id=command_id, ok=True, zh="完成", en="done"))
        return future

    async def commit(self, *, ok: bool = True) -> None:
        self.ledger.commit(ok=ok)
        await asyncio.sleep(0)


def run(story: Callable[[Bench], object]) -> None:
    async def told() -> None:
        await cast("asyncio.Future[None]", story(Bench()))

    asyncio.run(told())


def test_an_answer_waits_for_earlier_facts_that_are_not_durable() -> None:
    async def story(bench: Bench) -> None:
        bench.step(FACT)
        answer = bench.asks("c1")
        await asyncio.sleep(0)
        assert not answer.done()
        await bench.commit()
        assert answer.result().en == "done"

    run(story)


def test_with_all_facts_durable_it_comes_at_once() -> None:
    async def story(bench: Bench) -> None:
        bench.step(FACT)
        await bench.commit()
        assert bench.asks("c1").done()

    run(story)


def test_of_two_it_waits_for_the_last_one_before_it_alone() -> None:
    async def story(bench: Bench) -> None:
        bench.step(FACT)
        first = bench.asks("c1")
        bench.step(FACT)
        second = bench.asks("c2")
        tell_first, tell_second = bench.ledger.waiting
        tell_first(True)
        await asyncio.sleep(0)
        assert (first.done(), second.done()) == (True, False)
        tell_second(True)
        await asyncio.sleep(0)
        assert second.done()

    run(story)


@pytest.mark.parametrize("asked", ["before", "after"])
def test_a_disk_that_fails_holds_no_answer_up(asked: str) -> None:
    async def story(bench: Bench) -> None:
        bench.step(FACT)
        waiting = bench.asks("c1") if asked == "before" else None
        await bench.commit(ok=False)
        answer = waiting or bench.asks("c2")
        assert answer.done()
        if asked == "before":
            assert "not on the disk yet" in answer.result().en
        await bench.commit()
        assert bench.asks("c3").done()

    run(story)


def test_a_read_is_kept_when_all_before_it_is_durable() -> None:
    async def story(bench: Bench) -> None:
        bench.step(FACT)
        told = asyncio.ensure_future(bench.runtime.kept())
        await asyncio.sleep(0)
        assert not told.done()
        bench.step(FACT)
        bench.ledger.waiting[0](True)
        await asyncio.sleep(0)
        await asyncio.wait_for(told, 10)
        await bench.commit()
        await asyncio.wait_for(bench.runtime.kept(), 10)

    run(story)


@pytest.mark.parametrize("asked", ["before", "after"])
def test_a_disk_that_fails_holds_no_camera_up(asked: str) -> None:
    """The fault is raised and told; a camera that goes offline for it would not help anybody."""

    async def story(bench: Bench) -> None:
        bench.step(FACT)
        told = asyncio.ensure_future(bench.runtime.kept()) if asked == "before" else None
        await asyncio.sleep(0)
        await bench.commit(ok=False)
        await asyncio.wait_for(told or bench.runtime.kept(), 10)

    run(story)


def test_facts_that_get_other_numbers_later_hold_nobody_up_and_let_nobody_go_early() -> None:
    """A ledger that could not be opened at first numbers what waited for it anew."""

    async def story(bench: Bench) -> None:
        bench.step(msgspec.structs.replace(FACT, urgent=True))
        bench.ledger.shift = 700
        await bench.commit()
        bench.step(FACT)
        answer = bench.asks("c1")
        await asyncio.sleep(0)
        assert not answer.done()
        await bench.commit()
        assert answer.done()
        await bench.runtime.quiet()
        assert bench.runtime.counters["rest_late"] == 0

    run(story)
