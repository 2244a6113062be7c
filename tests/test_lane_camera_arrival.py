"""A lane without arrival loop (`arrival = "camera"`): the read is the arrival, the safety pulse the passage."""

from __future__ import annotations

import pytest

from edge.core.admission import LotRules
from edge.core.box import Box, LaneSettings
from edge.core.commands import LowerArm, RaiseArm, TriggerCamera
from edge.core.events import PlateRead
from edge.core.facts import BackedOut, Decided, Passed
from edge.core.lot import LotState
from edge.core.tariff import TariffRule
from tests.lane_bench import Bench

FIRST, SECOND, THIRD = "鲁B12345", "鲁B67890", "鲁B55555"


class CameraBench(Bench):
    def __init__(self, *, can_ask: bool) -> None:
        self.can_ask = can_ask
        super().__init__()

    def make(self) -> Box:
        lanes = [
            LaneSettings(id="in", direction="in", arrival="camera", can_ask=self.can_ask),
            LaneSettings(id="out", direction="out", arrival="camera", can_ask=self.can_ask),
        ]
        ids, tariff = self.ids, TariffRule(15, 60, 500, 30, 200, 3000)
        return Box(lanes, LotRules(), tariff, LotState(9), lambda: next(ids), "test", "box")

    def restart(self, *, safety: bool = False) -> None:
        """The program dies and starts again a moment later over the same facts."""
        self.killed(500)
        self.loops("in", safety=safety)
        self.loops("out", safety=False)

    def passed(self) -> list[tuple[str, bool]]:
        return [(one.plate, one.admitted) for one in self.bodies(Passed)]

    def backed_out(self) -> list[str]:
        return [one.plate for one in self.bodies(BackedOut)]

    def pulse(self, ms: int = 1_500) -> None:
        self.loops("in", safety=True)
        self.wait(ms)
        self.loops("in", safety=False)
        self.wait(300)

    def admit(self, plate: str) -> None:
        self.read("in", plate)
        self.store()


@pytest.fixture
def bench() -> CameraBench:
    """Cameras that read when they are asked to."""
    bench = CameraBench(can_ask=True)
    bench.commands.clear()
    return bench


@pytest.fixture
def deaf() -> CameraBench:
    """Cameras that only push."""
    bench = CameraBench(can_ask=False)
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


# --- the car behind ----------------------------------------------------------------------------------------------


def test_one_that_is_read_while_another_is_under_the_arm_passes_by_itself(bench: CameraBench) -> None:
    bench.admit(FIRST)
    bench.wait(2_000)
    bench.loops("in", safety=True)
    bench.wait(800)
    bench.admit(SECOND)
    bench.wait(700)
    bench.loops("in", safety=False)
    bench.wait(600)
    bench.pulse()
    bench.wait(20_000)
    assert bench.passed() == [(FIRST, True), (SECOND, True)]
    assert (bench.count(RaiseArm), bench.count(LowerArm)) == (1, 1)


def test_one_that_was_read_behind_another_gets_its_turn_when_that_one_drives(bench: CameraBench) -> None:
    bench.admit(FIRST)
    bench.wait(1_500)
    bench.read("in", SECOND)  # the camera sees far
    assert bench.count(TriggerCamera) == 1
    bench.read("in", FIRST)  # its answer: the first one stands there still
    bench.wait(1_500)
    bench.loops("in", safety=True)
    bench.store()
    bench.wait(1_500)
    bench.loops("in", safety=False)
    bench.wait(600)
    bench.pulse()
    bench.wait(20_000)
    assert bench.passed() == [(FIRST, True), (SECOND, True)]
    assert bench.backed_out() == []


def test_one_without_plate_behind_another_waits_for_a_person(bench: CameraBench) -> None:
    bench.admit(FIRST)
    bench.wait(2_000)
    bench.loops("in", safety=True)
    bench.wait(500)
    bench.tell(PlateRead(lane="in", read_id="e" * 32, camera="c", event_id="e1", no_plate=True))
    bench.wait(1_000)
    bench.loops("in", safety=False)
    bench.wait(10_000)
    assert bench.box.lane_states()[0].state == "wait_confirm"
    assert bench.passed() == [(FIRST, True)]


# --- the car that has gone -----------------------------------------------------------------------------------------


def test_a_car_that_left_does_not_lend_its_plate_to_the_next_one(bench: CameraBench) -> None:
    bench.admit(FIRST)
    bench.wait(8_000)
    bench.read("in", SECOND)
    assert bench.backed_out() == []
    bench.read("in", SECOND)  # the answer of the camera that was asked
    assert bench.backed_out() == [FIRST]
    bench.store()
    through(bench)
    assert bench.passed() == [(SECOND, True)]


def test_a_camera_that_cannot_be_asked_is_believed(deaf: CameraBench) -> None:
    deaf.admit(FIRST)
    deaf.wait(8_000)
    for plate in (SECOND, THIRD):
        deaf.admit(plate)
        deaf.wait(1_500)
        deaf.pulse()
        deaf.wait(1_000)
    assert deaf.backed_out() == [FIRST]
    assert deaf.passed() == [(SECOND, True), (THIRD, True)]


def test_after_a_burst_of_reads_the_last_one_is_judged_by_itself(deaf: CameraBench) -> None:
    """A camera that could not push pushes what it has when the box is back; only the newest car is still there."""
    deaf.restart()
    deaf.wait(1_000)
    deaf.read("in", FIRST)
    deaf.wait(300)
    deaf.admit(SECOND)
    through(deaf)
    assert deaf.backed_out() == [FIRST]
    assert [(one.plate, one.admitted, one.rule) for one in deaf.bodies(Passed)] == [(SECOND, True, "count")]


def test_a_car_that_stands_long_is_asked_for_before_it_is_given_up(bench: CameraBench) -> None:
    bench.admit(FIRST)
    for _ in range(3):
        bench.commands.clear()
        bench.wait(30_500)
        assert bench.count(TriggerCamera) == 1
        bench.read("in", FIRST)
    bench.pulse()
    assert bench.passed() == [(FIRST, True)]
    assert bench.backed_out() == []


# --- answers of asked cameras ---------------------------------------------------------------------------------------


def test_an_empty_picture_is_no_car(bench: CameraBench) -> None:
    assert bench.order("in", "open").ok
    bench.store()
    bench.tell(PlateRead(lane="in", read_id="e" * 32, camera="c", event_id="e1", no_plate=True))
    bench.wait(1_000)
    assert bench.bodies(Decided) == []
    assert bench.box.lane_states()[0].plate == ""


def test_an_order_is_used_up_by_the_car_that_its_picture_showed(bench: CameraBench) -> None:
    assert bench.order("in", "open").ok
    bench.store()
    bench.admit(FIRST)
    bench.wait(2_000)
    bench.pulse()
    bench.wait(2_000)
    assert bench.count(LowerArm) == 1  # and not held for another car
    assert bench.passed() == [(FIRST, True)]


# --- after a restart ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("can_ask", [True, False])
def test_one_that_waits_before_the_arm_passes_once(can_ask: bool) -> None:
    bench = CameraBench(can_ask=can_ask)
    bench.admit(FIRST)
    bench.restart()
    bench.wait(1_700)
    if can_ask:
        bench.read("in", FIRST)
    bench.wait(2_000)
    bench.pulse()
    bench.wait(60_000)
    assert bench.passed() == [(FIRST, True)]
    assert bench.backed_out() == []


@pytest.mark.parametrize("can_ask", [True, False])
def test_one_that_went_through_meanwhile_is_recorded_before_the_next(can_ask: bool) -> None:
    bench = CameraBench(can_ask=can_ask)
    bench.admit(FIRST)
    bench.wait(2_000)
    bench.loops("in", safety=True)
    bench.wait(600)
    bench.restart()
    bench.wait(1_700)
    assert [(one.plate, one.how) for one in bench.bodies(Passed)] == [(FIRST, "restart")]
    bench.pulse()  # the next one, unread, while the arm is still up
    assert [(one.plate, one.admitted) for one in bench.bodies(Passed)] == [(FIRST, True), ("", False)]


def test_one_on_the_safety_loop_just_after_the_start_is_not_the_one_of_before(bench: CameraBench) -> None:
    bench.admit(FIRST)
    bench.wait(2_000)
    bench.loops("in", safety=True)
    bench.wait(600)
    bench.restart()  # and the first one has gone through meanwhile
    bench.read("in", SECOND)
    bench.wait(1_200)
    bench.loops("in", safety=True)
    bench.store()
    bench.wait(1_500)
    bench.loops("in", safety=False)
    bench.wait(300)
    assert bench.passed() == [(FIRST, True), (SECOND, True)]


def test_an_answer_that_comes_when_its_car_is_under_the_arm_is_no_further_car(bench: CameraBench) -> None:
    bench.admit(FIRST)
    bench.restart()
    bench.wait(1_600)
    bench.loops("in", safety=True)
    bench.read("in", FIRST)
    bench.wait(1_500)
    bench.loops("in", safety=False)
    bench.wait(500)
    bench.pulse()  # another one, unread
    assert bench.passed() == [(FIRST, True), ("", False)]
    assert bench.box.lane_states()[0].plate == ""


def test_one_that_reaches_the_safety_loop_as_the_program_starts_is_not_the_one_on_record(bench: CameraBench) -> None:
    bench.admit(FIRST)
    bench.wait(2_000)
    bench.pulse()
    bench.restart()
    bench.wait(140)  # the loop was clear when the vehicle on record went, and it is another pulse
    bench.loops("in", safety=True)
    bench.wait(1_500)
    bench.loops("in", safety=False)
    bench.wait(300)
    assert bench.passed() == [(FIRST, True), ("", False)]


def test_one_that_nobody_sees_any_more_is_through(bench: CameraBench) -> None:
    bench.admit(FIRST)
    bench.restart()
    bench.wait(1_500 + 3_000 - 100)
    assert bench.passed() == []
    bench.wait(200)
    assert bench.passed() == [(FIRST, True)]


def test_one_that_was_read_and_not_decided_is_read_again(bench: CameraBench) -> None:
    bench.read("in", FIRST)
    bench.facts = [fact for fact in bench.facts if not isinstance(fact.body, Decided)]  # not durable
    bench.commands.clear()
    bench.restart()
    bench.wait(300)
    assert bench.count(TriggerCamera) == 2  # both lanes
    bench.admit(FIRST)
    through(bench)
    assert bench.passed() == [(FIRST, True)]


def test_one_that_drove_on_before_the_start_gives_way_to_the_next(bench: CameraBench) -> None:
    bench.admit(FIRST)
    bench.restart()
    bench.wait(1_700)
    bench.admit(SECOND)
    through(bench)
    assert bench.passed() == [(FIRST, True), (SECOND, True)]


# --- closing ------------------------------------------------------------------------------------------------------


def test_nobody_closes_on_a_car_that_the_safety_loop_has_not_shown(bench: CameraBench) -> None:
    """A dead safety loop looks clear, and no arrival loop says that the car has gone."""
    bench.admit(FIRST)
    bench.wait(15_000)
    assert not bench.order("in", "close").ok
    assert bench.count(LowerArm) == 0
    bench.wait(60_000)  # given up, and the long hold after it
    assert bench.count(LowerArm) == 1
