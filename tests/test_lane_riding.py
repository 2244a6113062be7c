"""What is stored together: a picture's fact goes with its car's passage, one sync for both (DECISIONS 7)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from edge.core.box import Box
from edge.core.commands import AnyCommand, Record
from edge.core.events import AnyEvent, Tick
from edge.core.facts import AnyBody, ClockStepped, Fact, Passed, PictureKept, Stamp
from edge.lane.runtime import LaneRuntime
from edge.store.ledger import Done, Ledger, StoreResult
from edge.wall_clock import LaneClock

PICTURE = PictureKept("f" * 32, "spool-00000001.bin", 44, 300_000, 1)
PASSED = Passed("a" * 32, "in", "鲁B12345", "blue", rule="count")


class ScriptedBox:
    """Asks for what it was told to ask for."""

    def __init__(self) -> None:
        self.deadline_ms: int | None = None
        self.next: list[AnyCommand] = []

    def step(self, _event: AnyEvent, _now: Stamp) -> list[AnyCommand]:
        return self.next


class Groups:
    """A ledger that is durable at once and keeps who came together."""

    def __init__(self) -> None:
        self.groups: list[list[AnyBody]] = []

    def last_seq(self) -> int:
        return sum(map(len, self.groups))

    def submit(self, facts: Sequence[Fact], _urgent: bool, done: Done) -> int:
        first = self.last_seq() + 1
        self.groups.append([fact.body for fact in facts])
        done(StoreResult(True, first))
        return self.last_seq()


def stored(*steps: tuple[AnyBody, bool], rest_older_than_ms: int | None = None) -> list[list[AnyBody]]:
    """What is submitted together when the box records these bodies (urgent or not), one a step."""
    box, ledger = ScriptedBox(), Groups()

    async def story() -> None:
        clock = LaneClock("trusted", "b" * 32, 0, mono_ns=lambda: 5_000_000_000, wall_ns=lambda: 5_000_000_000)
        loop = asyncio.get_running_loop()
        runtime = LaneRuntime(cast(Box, box), cast(Ledger, ledger), clock, {}, loop, snapshots=False)
        for number, (body, urgent) in enumerate(steps):
            box.next = [Record(lane="in1", id=f"{number:032x}", body=body, token=0, urgent=urgent)]
            runtime.feed(Tick())
        if rest_older_than_ms is not None:
            runtime.store_riding(rest_older_than_ms)
        await asyncio.sleep(0)

    asyncio.run(story())
    return ledger.groups


def test_a_picture_is_stored_with_the_passage() -> None:
    assert stored((PICTURE, False), (PASSED, False)) == [[PICTURE, PASSED]]


def test_a_decision_carries_no_picture_of_another_car() -> None:
    urgent = ClockStepped(5)
    assert stored((PICTURE, False), (urgent, True), (PASSED, False)) == [[urgent], [PICTURE, PASSED]]


def test_a_picture_without_a_passage_is_stored_when_it_is_old_enough() -> None:
    assert stored((PICTURE, False), rest_older_than_ms=1) == []
    assert stored((PICTURE, False), rest_older_than_ms=0) == [[PICTURE]]
