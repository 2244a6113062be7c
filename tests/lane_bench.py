"""A box of lanes in virtual time: signals in, facts and commands out; what the tests of the lanes share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal, TypeVar

from edge.core.admission import LotRules
from edge.core.box import Box, LaneSettings
from edge.core.commands import Answer, AnyCommand, Command, Record
from edge.core.events import (
    CAR_ORDERS,
    AnyEvent,
    Commanded,
    LoopChanged,
    PlateRead,
    Stored,
    Tick,
)
from edge.core.facts import Body, Fact, Stamp
from edge.core.lot import LotState
from edge.core.tariff import TariffRule

LANES = [LaneSettings(id="in", direction="in"), LaneSettings(id="out", direction="out")]
HOUR_MS = 3_600_000
B = TypeVar("B", bound=Body)


class Bench:
    """A box, its clock, and every fact and command so far."""

    def __init__(self, allow: frozenset[str] = frozenset()) -> None:
        self.ids: Iterator[str] = (f"{number:032x}" for number in itertools.count(1))
        self.allow = allow
        self.now_ms = 0
        self.facts: list[Fact] = []
        self.commands: list[AnyCommand] = []
        self.box = self.make()
        self.begin()

    def make(self) -> Box:
        return Box(
            LANES, LotRules(allow=self.allow), TariffRule(15, 60, 500, 30, 200, 3000), LotState(2),
            lambda: next(self.ids), "test", "box",
        )  # fmt: skip

    def begin(self) -> None:
        self.take(self.box.start(self.stamp()))
        for lane in ("in", "out"):
            self.loops(lane, arrival=False, safety=False)
        self.wait(20_000)

    def killed(self, down_ms: int = 0) -> None:
        """kill -9, and a start over the same facts; no input is told yet."""
        self.box = self.make()
        for fact in self.facts:
            self.box.apply(fact)
        self.now_ms += down_ms
        self.take(self.box.start(self.stamp()))

    def stamp(self) -> Stamp:
        return Stamp("boot", self.now_ms, 1_700_000_000_000 + self.now_ms, synced=True)

    def take(self, commands: list[AnyCommand]) -> list[AnyCommand]:
        for command in commands:
            if isinstance(command, Record):
                self.facts.append(Fact(command.id, command.lane, self.stamp(), command.body))
        self.commands += commands
        return commands

    def tell(self, event: AnyEvent) -> list[AnyCommand]:
        return self.take(self.box.step(event, self.stamp()))

    def wait(self, ms: int) -> None:
        """Deadline by deadline, as the runtime does."""
        end_ms = self.now_ms + ms
        while self.box.deadline_ms is not None and self.box.deadline_ms <= end_ms:
            self.now_ms = max(self.now_ms, self.box.deadline_ms)
            self.tell(Tick())
        self.now_ms = end_ms

    def loops(self, lane: str, arrival: bool | None = None, safety: bool | None = None) -> None:
        for loop, state in (("arrival", arrival), ("safety", safety)):
            if state is not None:
                name: Literal["arrival", "safety"] = "arrival" if loop == "arrival" else "safety"
                self.tell(LoopChanged(lane=lane, loop=name, occupied=state))

    def read(self, lane: str, plate: str, read_id: str = "", replay: bool = False) -> None:
        read_id = read_id or next(self.ids)
        self.tell(PlateRead(lane=lane, read_id=read_id, camera="c", event_id=read_id, plate_raw=plate, replay=replay))

    def store(self) -> list[AnyCommand]:
        token = max(command.token for command in self.commands if isinstance(command, Record))
        return self.tell(Stored(token=token))

    def drive(self, lane: str) -> None:
        self.wait(2_000)
        self.loops(lane, safety=True)
        self.wait(1_000)
        self.loops(lane, arrival=False)
        self.wait(1_500)
        self.loops(lane, safety=False)
        self.wait(200)

    def order(self, lane: str, action: str, command_id: str = "", **more: object) -> Answer:
        """An order for the car at the arm names it as the view shows it, unless `more` says which one was meant."""
        command = {"who": "w", "why": "y", **more}
        if action in CAR_ORDERS and not command.get("visit_id"):
            seen = next(one for one in self.box.lane_states() if one.id == lane)
            command = {"arrival_id": seen.arrival_id, "seen_plate": seen.plate, "order_id": seen.order_id} | command
        order = Commanded(lane=lane, command_id=command_id or next(self.ids), action=action, **command)  # type: ignore[arg-type]
        return next(out for out in self.tell(order) if isinstance(out, Answer))

    def bodies(self, kind: type[B]) -> list[B]:
        return [fact.body for fact in self.facts if isinstance(fact.body, kind)]

    def count(self, kind: type[Command]) -> int:
        return sum(isinstance(command, kind) for command in self.commands)

    def enter(self, plate: str) -> None:
        self.read("in", plate)
        self.loops("in", arrival=True)
        self.store()
        self.drive("in")
        self.wait(20_000)
