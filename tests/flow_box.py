"""A box with two entrances and an exit under flow control, told event by event."""

from __future__ import annotations

from typing import Any

from edge.core.admission import LotRules
from edge.core.box import Box, LaneSettings
from edge.core.commands import Answer
from edge.core.facts import Decided
from edge.core.flow_policy import Entrance, Policy
from edge.core.lot import LotState
from edge.core.orders_flow import OPS
from edge.core.tariff import TariffRule
from tests.lane_bench import Bench

LANES = [
    LaneSettings(id="in", direction="in"),
    LaneSettings(id="in2", direction="in"),
    LaneSettings(id="out", direction="out"),
]
POLICY = Policy(entrances={"in": Entrance(role="reserved", name="东门"), "in2": Entrance(name="西门")})


class FlowBench(Bench):
    """`parked` cars are inside from the start."""

    def __init__(self, policy: Policy = POLICY, total: int = 10, parked: int = 7) -> None:
        self.policy, self.total = policy, total
        super().__init__()
        self.order("", "correct_count", count=parked)

    def make(self) -> Box:
        return Box(
            LANES, LotRules(allow=self.allow), TariffRule(0, 60, 0, 30, 0, 0), LotState(self.total),
            lambda: next(self.ids), "test", "box", self.policy,
        )  # fmt: skip

    def begin(self) -> None:
        self.take(self.box.start(self.stamp()))
        for lane in ("in", "in2", "out"):
            self.loops(lane, arrival=False, safety=False)
        self.wait(20_000)

    def ask(self, op: str, command_id: str = "", **given: Any) -> Answer:
        order = OPS[op](command_id=command_id or next(self.ids), who="w", why="y", **given)
        return next(out for out in self.tell(order) if isinstance(out, Answer))

    def book(self, code: str, plate: str, from_s: float = 0, until_s: float = 36_000, **given: Any) -> Answer:
        """Times in seconds from now."""
        base_ms = self.stamp().wall_ms
        given = {"keep_min": 0, "source": "city", "city": "shenzhen", **given}
        return self.ask(
            "book", action=given.pop("action", "lock"), code=code, plate=plate, from_ms=base_ms + int(from_s * 1000),
            until_ms=base_ms + int(until_s * 1000), **given,
        )  # fmt: skip

    def come(self, lane: str, plate: str) -> Decided:
        """A car comes and is decided about."""
        self.read(lane, plate)
        self.loops(lane, arrival=True)
        return self.bodies(Decided)[-1]

    def pass_in(self, lane: str) -> None:
        """The admitted car drives in."""
        self.store()
        self.drive(lane)

    def leave(self, plate: str) -> None:
        self.read("out", plate)
        self.loops("out", arrival=True)
        if self.bodies(Decided)[-1].decision != "admit":
            self.order("out", "open")
        self.store()
        self.drive("out")

    def state(self, lane: str) -> str:
        return next(status.state for status in self.box.lane_states() if status.id == lane)

    def restart(self, how: str = "facts") -> None:
        """A new box that knows every fact so far, or the snapshot, starts in the same world two seconds later."""
        again = self.make()
        if how == "snapshot":
            again.restore(self.box.encode())
        else:
            for fact in self.facts:
                again.apply(fact)
        self.box = again
        self.now_ms += 2_000
        self.take(again.start(self.stamp()))
