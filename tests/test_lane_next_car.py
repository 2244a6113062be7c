"""Cars bumper to bumper: what the camera reads behind a car under the arm is the next car's, after a restart too.

The order of loops and reads in each test is one that the simulator's cars made, in which plates moved on by one car.
"""

from __future__ import annotations

import pytest

from edge.core.admission import LotRules
from edge.core.box import Box
from edge.core.events import PlateRead
from edge.core.facts import Decided, Passed, ReadTaken
from edge.core.lot import LotState
from edge.core.tariff import TariffRule
from tests.lane_bench import HOUR_MS, LANES, Bench

FIRST, SECOND, THIRD = "鲁B11111", "鲁C22222", "鲁D33333"


SEASON = "鲁E44444"


class Lot(Bench):
    """With room for everybody, and a plate that pays nothing."""

    def make(self) -> Box:
        return Box(
            LANES, LotRules(allow=frozenset({SEASON})), TariffRule(15, 60, 500, 30, 200, 3000), LotState(20),
            lambda: next(self.ids), "test", "box",
        )  # fmt: skip


@pytest.fixture
def bench() -> Bench:
    return Lot()


def again(bench: Bench, lane: str, *, arrival: bool, safety: bool) -> None:
    """kill -9 and a start over the same facts; the loops say what stands there now."""
    bench.killed(1_500)
    for other in ("in", "out"):
        bench.loops(other, arrival=arrival and other == lane, safety=safety and other == lane)


def push(bench: Bench, lane: str, plate: str, camera_time_ms: int) -> None:
    read_id = next(bench.ids)
    bench.tell(PlateRead(
        lane=lane, read_id=read_id, camera="c", event_id=read_id, plate_raw=plate, camera_time_ms=camera_time_ms,
    ))  # fmt: skip


def through(bench: Bench, lane: str) -> None:
    """The car on the arrival loop drives on, at once and fast."""
    for arrival, safety in ((True, True), (False, True), (False, False)):
        bench.wait(250)
        bench.loops(lane, arrival=arrival, safety=safety)


def plates(bench: Bench) -> list[str]:
    return [passed.plate for passed in bench.bodies(Passed)]


def test_a_read_behind_the_tail_of_an_admitted_car_is_the_next_cars(bench: Bench) -> None:
    bench.read("in", FIRST)
    bench.loops("in", arrival=True)
    bench.store()
    bench.wait(300)
    bench.loops("in", safety=True)
    bench.wait(200)
    bench.loops("in", arrival=False)
    bench.read("in", SECOND)  # 0.5 s after the first stood on its loop
    bench.wait(200)
    bench.loops("in", safety=False)
    bench.wait(180)
    bench.loops("in", arrival=True)
    bench.store()
    through(bench, "in")
    bench.wait(5_000)
    assert plates(bench) == [FIRST, SECOND]


def test_a_car_read_for_another_that_went_away_still_takes_its_own_plate(bench: Bench) -> None:
    """The rule that the one above must not break: on the arrival loop the car's own read is the better one."""
    bench.read("in", FIRST)
    bench.wait(5_000)
    bench.loops("in", arrival=True)
    bench.store()
    bench.read("in", SECOND)
    bench.store()
    through(bench, "in")
    bench.wait(5_000)
    assert plates(bench) == [SECOND]


def test_an_unread_tailgater_does_not_take_the_plate_of_the_car_behind_it(bench: Bench) -> None:
    bench.read("in", FIRST)
    bench.loops("in", arrival=True)
    bench.store()
    through(bench, "in")
    bench.wait(180)
    bench.loops("in", arrival=True)  # on its bumper, never read
    bench.wait(250)
    bench.loops("in", safety=True)
    bench.wait(250)
    bench.loops("in", arrival=False)
    bench.read("in", THIRD)
    bench.wait(250)
    bench.loops("in", safety=False)
    bench.wait(180)
    bench.loops("in", arrival=True)
    bench.store()
    through(bench, "in")
    bench.wait(5_000)
    assert [(one.plate, one.how) for one in bench.bodies(Passed)] == [
        (FIRST, "admitted"), ("", "tailgate"), (THIRD, "admitted"),
    ]  # fmt: skip


def test_a_read_that_came_while_the_loop_had_lost_the_car_is_still_its_own(bench: Bench) -> None:
    bench.loops("in", arrival=True)
    bench.wait(300)
    bench.loops("in", safety=True)
    bench.wait(300)
    bench.loops("in", arrival=False)
    bench.read("in", FIRST)
    assert bench.box.lane_states()[0].state == "wait_read"
    bench.wait(300)
    bench.loops("in", arrival=True)  # a drop-out: it stands on both
    bench.wait(3_000)
    assert bench.bodies(Decided)[-1].plate == FIRST


def test_a_late_read_after_a_restart_makes_no_second_car_of_the_one_under_the_arm(bench: Bench) -> None:
    """The admitted car went on while the program was dead and the second stood on both loops when it came back."""
    bench.read("in", FIRST)
    bench.loops("in", arrival=True)
    bench.store()
    again(bench, "in", arrival=True, safety=True)
    bench.wait(30)
    bench.loops("in", arrival=False)
    bench.wait(200)
    push(bench, "in", SECOND, 1_000)  # its camera's second try, when its tail has left the arrival loop
    bench.loops("in", safety=False)
    bench.wait(180)
    bench.loops("in", arrival=True)  # the third
    bench.wait(100)
    push(bench, "in", THIRD, 3_000)
    bench.store()
    through(bench, "in")
    bench.wait(5_000)
    # One of the three was never seen whole; the third, which was, is on record under its own plate.
    assert plates(bench) == [FIRST, THIRD]


def test_a_car_that_comes_just_after_a_start_is_not_the_one_that_has_left_the_safety_loop(bench: Bench) -> None:
    bench.read("in", FIRST)
    bench.loops("in", arrival=True)
    bench.store()
    again(bench, "in", arrival=False, safety=True)
    bench.wait(20)
    bench.loops("in", safety=False)
    bench.wait(60)
    bench.loops("in", arrival=True)
    bench.wait(100)
    push(bench, "in", SECOND, 3_000)
    bench.store()
    bench.wait(200)
    through(bench, "in")
    bench.wait(5_000)
    assert plates(bench) == [FIRST, SECOND]


def test_a_late_camera_tells_a_car_that_was_taken_for_the_one_before_the_restart(bench: Bench) -> None:
    """The first car's passage was not durable yet; the second came just then, and its read only after `read_ms`."""
    bench.read("in", FIRST)
    bench.loops("in", arrival=True)
    bench.store()
    again(bench, "in", arrival=False, safety=False)
    bench.wait(50)
    bench.loops("in", arrival=True)
    bench.wait(3_100)
    push(bench, "in", SECOND, 3_000)
    bench.store()
    through(bench, "in")
    bench.wait(5_000)
    assert [(one.plate, one.how) for one in bench.bodies(Passed)] == [(FIRST, "restart"), (SECOND, "admitted")]


def test_nobody_pays_for_a_car_that_left_while_the_program_was_dead(bench: Bench) -> None:
    """The camera pushes again what it took meanwhile, in any order; the newest is the car's that stands there."""
    for plate in (FIRST, SECOND, THIRD):
        bench.enter(plate)
    bench.wait(HOUR_MS)
    again(bench, "out", arrival=False, safety=False)
    bench.wait(300)
    bench.loops("out", arrival=True)
    bench.wait(50)
    push(bench, "out", SECOND, 7_000)
    push(bench, "out", FIRST, 5_000)
    assert bench.bodies(Decided)[-1].plate == SECOND
    assert bench.bodies(ReadTaken)[-1].replay
    push(bench, "out", THIRD, 9_000)
    asked = bench.bodies(Decided)[-1]
    assert (asked.plate, asked.wait_for) == (THIRD, "payment")
    assert bench.order("out", "pay_cash", amount_fen=asked.due_fen).ok
    bench.store()
    through(bench, "out")
    bench.wait(5_000)
    assert plates(bench)[3:] == [THIRD]


def test_a_car_let_out_for_a_season_car_that_had_gone_bears_its_own_name(bench: Bench) -> None:
    for plate in (SEASON, FIRST):
        bench.enter(plate)
    bench.wait(HOUR_MS)
    again(bench, "out", arrival=False, safety=False)
    bench.wait(300)
    bench.loops("out", arrival=True)
    push(bench, "out", SEASON, 7_000)
    bench.store()
    push(bench, "out", FIRST, 9_000)
    through(bench, "out")
    bench.wait(5_000)
    last = bench.bodies(Passed)[-1]
    assert (last.plate, last.rule, last.due_fen, last.paid_fen) == (FIRST, "own_read", 700, 0)
    assert [visit.plate for visit in bench.box.lot.inside.values()] == [SEASON]


def test_a_car_that_waits_keeps_its_plate_when_no_restart_has_been(bench: Bench) -> None:
    for plate in (FIRST, SECOND):
        bench.enter(plate)
    bench.wait(HOUR_MS)
    bench.loops("out", arrival=True)
    push(bench, "out", FIRST, 9_000)
    push(bench, "out", SECOND, 9_900)
    assert [one.plate for one in bench.bodies(Decided)][-1] == FIRST


def test_a_camera_set_back_is_heard(bench: Bench) -> None:
    push(bench, "in", FIRST, 90_000)
    bench.loops("in", arrival=True)
    bench.store()
    through(bench, "in")
    bench.wait(5_000)
    push(bench, "in", SECOND, 1_000)
    bench.loops("in", arrival=True)
    bench.store()
    through(bench, "in")
    bench.wait(5_000)
    assert plates(bench) == [FIRST, SECOND]


def test_three_bumper_to_bumper_are_three_though_the_safety_loop_had_lost_the_first(bench: Bench) -> None:
    """The third one stands on the arrival loop before it is known that the second one's pulse has ended."""
    bench.read("in", FIRST)
    bench.loops("in", arrival=True)
    bench.store()
    for wait_ms, arrival, safety in (
        (3_200, True, True), (1_350, False, True), (130, False, False), (170, True, False), (1_150, True, True),
        (790, False, True), (1_150, False, False), (120, True, False), (1_150, True, True), (850, False, True),
        (1_150, False, False),
    ):  # fmt: skip
        bench.wait(wait_ms)
        bench.loops("in", arrival=arrival, safety=safety)
    bench.wait(5_000)
    assert plates(bench)[0] == FIRST
    assert len(plates(bench)) == 3


def test_the_answer_to_the_start_s_question_is_of_the_car_under_the_arm_and_not_of_the_next(bench: Bench) -> None:
    bench.read("in", FIRST)
    bench.loops("in", arrival=True)
    bench.store()
    bench.wait(3_000)
    again(bench, "in", arrival=True, safety=True)
    bench.wait(200)
    bench.loops("in", arrival=False)
    bench.read("in", FIRST)  # the camera was asked at the start, its answer comes when the tail is past
    bench.wait(1_100)
    bench.loops("in", safety=False)
    bench.wait(4_000)
    bench.loops("in", arrival=True)  # never read
    bench.wait(10_000)
    assert plates(bench) == [FIRST]
    assert bench.bodies(Decided)[-1].plate == ""


def test_an_empty_picture_during_the_start_does_not_say_that_the_car_of_before_stands_here(bench: Bench) -> None:
    bench.read("in", FIRST)
    bench.loops("in", arrival=True)
    bench.store()
    bench.wait(3_000)
    bench.killed(1_500)  # and it went through meanwhile
    for lane in ("in", "out"):
        bench.loops(lane, arrival=False, safety=False)
    bench.wait(1_000)
    read_id = next(bench.ids)
    bench.tell(PlateRead(lane="in", read_id=read_id, camera="c", event_id=read_id, plate_raw="_无_", no_plate=True))
    bench.wait(300)
    bench.loops("in", arrival=True)  # the next one, in the last moment of the start
    bench.wait(300)
    bench.read("in", SECOND)
    bench.store()
    through(bench, "in")
    bench.wait(5_000)
    assert plates(bench) == [FIRST, SECOND]


def test_a_read_of_a_car_while_its_lane_was_locked_is_not_the_next_cars(bench: Bench) -> None:
    bench.enter(FIRST)
    bench.wait(HOUR_MS)
    bench.loops("out", arrival=True)
    bench.read("out", FIRST)
    bench.killed(500)
    bench.loops("in", arrival=False, safety=False)
    bench.loops("out", arrival=True, safety=False)
    assert bench.order("out", "lock").ok
    bench.read("out", FIRST)  # the camera was asked at the start
    assert bench.order("out", "unlock").ok
    assert bench.order("out", "pay_cash", amount_fen=bench.bodies(Decided)[-1].due_fen).ok
    bench.store()
    bench.drive("out")
    bench.wait(2_000)
    bench.loops("out", arrival=True)  # never read
    bench.wait(10_000)
    assert plates(bench) == [FIRST, FIRST]
    assert bench.bodies(Decided)[-1].plate == ""
