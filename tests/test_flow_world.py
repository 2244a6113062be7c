"""Flow control in the physical world of the lane machine: cars, crashes, people, bookings; and facts alone decide."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.core.admission import LotRules
from edge.core.box import Box, LaneSettings
from edge.core.facts import Decided, Fact
from edge.core.flow_policy import Policy
from edge.core.lot import LotState
from edge.core.lot_flow import LotFlow
from edge.core.orders_flow import BookOrder
from edge.core.tariff import TariffRule
from hal_sim.virtual.mix import CALM, USUAL, Mix
from hal_sim.virtual.world import World

POLICY = Policy(bands=(0.02, 0.06), idle_ms=5_000, lock_ms=60_000)  # a few cars of 120 stalls are a crowd
CARS = 300


class Watched(World):
    """Keeps every fact that any box of it has made; 40 % of the cars book just before they come."""

    def __init__(self, seed: int, mix: Mix) -> None:
        self.facts: list[Fact] = []
        super().__init__(seed, mix, self.make_box)
        plain = self.fresh_plate

        def booked() -> str:
            plate = plain()
            if self.random.random() < 0.4:
                wall_ms = self.stamp().wall_ms
                self.tell(
                    BookOrder(
                        command_id=self.new_id(), source="city", who="p", why="6001", action="lock", code=plate,
                        plate=plate, from_ms=wall_ms - 1_000, until_ms=wall_ms + 600_000, keep_min=0,
                    )
                )  # fmt: skip
            return plate

        self.fresh_plate = booked

    def make_box(
        self, lanes: list[LaneSettings], rules: LotRules, tariff: TariffRule, lot: LotState, new_id: Callable[[], str]
    ) -> Box:
        box = Box(lanes, rules, tariff, lot, new_id, "virtual", "box", POLICY)
        fold = box.apply

        def noted(fact: Fact) -> None:
            if self.alive:  # a fold of the disk's facts at a start repeats what is here already
                self.facts.append(fact)
            fold(fact)

        box.apply = noted  # type: ignore[method-assign]
        return box


def rules_of(world: Watched) -> set[str]:
    return {fact.body.rule for fact in world.facts if isinstance(fact.body, Decided)}


@pytest.mark.parametrize("seed", [3, 4])
def test_the_lane_keeps_its_invariants_and_the_count_under_flow_control(seed: int) -> None:
    world = Watched(seed, USUAL)
    tally = world.run(CARS)
    assert tally.violations() == {}, tally.table()
    flow = world.box.flows.flow
    assert (flow.parked, flow.on_the_way, flow.waiting) == (world.box.lot.parked, 0, 0)
    assert rules_of(world) >= {"reserved", "free"}
    assert tally.crashes > 0


def test_the_fold_of_all_facts_is_the_flow_that_made_them() -> None:
    world = Watched(5, CALM)
    world.run(CARS)
    assert rules_of(world) >= {"reserved", "free", "reserved_first", "no_credit", "credit"}
    live = world.box.flows
    folded = LotFlow(live.policy, live.flow.total)
    for fact in world.facts:
        folded.apply(fact)
    now = world.stamp()
    folded.advance(now)
    live.advance(now)
    assert folded.keep() == live.keep()
    for plate in {fact.body.plate for fact in world.facts if isinstance(fact.body, Decided)}:
        assert folded.flow.judge("in", plate) == live.flow.judge("in", plate)
