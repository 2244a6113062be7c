"""A lane without arrival loop (`arrival = "camera"`): the read is the arrival, the safety pulse the passage."""

from __future__ import annotations

import pytest

from edge.core.admission import LotRules
from edge.core.box import Box, LaneSettings
from edge.core.commands import LowerArm, RaiseArm
from edge.core.facts import BackedOut, Passed
from edge.core.lot import LotState
from edge.core.tariff import TariffRule
from tests.lane_bench import Bench


class CameraBench(Bench):
    def make(self) -> Box:
        lanes = [
            LaneSettings(id="in", direction="in", arrival="camera"),
            LaneSettings(id="out", direction="out", arrival="camera"),
        ]
        ids, tariff = self.ids, TariffRule(15, 60, 500, 30, 200, 3000)
        return Box(lanes, LotRules(), tariff, LotState(2), lambda: next(ids), "test", "box")


@pytest.fixture
def bench() -> CameraBench:
    bench = CameraBench()
    bench.commands.clear()
    return bench


def through(bench: CameraBench, lane: str = "in") -> None:
    bench.wait(2_000)
    bench.loops(lane, safety=True)
    bench.wait(1_500)
    bench.loops(lane, safety=False)
    bench.wait(20_000)


def test_a_car_that_was_read_passes_and_the_arm_comes_down(bench: CameraBench) -> None:
    bench.read("in", "鲁B12345")
    bench.store()
    through(bench)
    assert [(one.plate, one.admitted) for one in bench.bodies(Passed)] == [("鲁B12345", True)]
    assert (bench.count(RaiseArm), bench.count(LowerArm)) == (1, 1)
    assert bench.box.lot.parked == 1
    assert bench.box.lane_states()[0].state == "down"


def test_the_next_car_is_a_passage_of_its_own(bench: CameraBench) -> None:
    for plate in ("鲁B12345", "鲁B67890"):
        bench.read("in", plate)
        bench.store()
        through(bench)
    assert [one.plate for one in bench.bodies(Passed)] == ["鲁B12345", "鲁B67890"]
    assert bench.box.lot.parked == 2


def test_one_that_does_not_drive_on_is_no_passage(bench: CameraBench) -> None:
    bench.read("in", "鲁B12345")
    bench.store()
    bench.wait(60_000)
    assert bench.bodies(Passed) == []
    assert [one.plate for one in bench.bodies(BackedOut)] == ["鲁B12345"]
    assert bench.box.lot.parked == 0


def test_one_on_the_tail_of_another_is_recorded(bench: CameraBench) -> None:
    bench.read("in", "鲁B12345")
    bench.store()
    bench.wait(2_000)
    for _ in range(2):
        bench.loops("in", safety=True)
        bench.wait(1_500)
        bench.loops("in", safety=False)
        bench.wait(500)
    assert [(one.plate, one.admitted) for one in bench.bodies(Passed)] == [("鲁B12345", True), ("", False)]
