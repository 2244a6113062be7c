"""Two cameras at one lane, front and back: one car is one read, in virtual time."""

from __future__ import annotations

import pytest

from edge.core.admission import LotRules
from edge.core.box import Box
from edge.core.commands import RaiseArm
from edge.core.events import PlateRead
from edge.core.facts import Decided, Passed, ReadTaken
from edge.core.lane_types import LaneSettings
from edge.core.lot import LotState
from edge.core.tariff import TariffRule
from tests.lane_bench import Bench

FRONT, BACK = "front", "back"
TRUE, FALSE = "鲁B12345", "鲁C98761"
CONFUSED = "鲁BI2345"  # 1 and I
FUSE_MS = 500
LANES = [
    LaneSettings(id="in", direction="in", cameras=(FRONT, BACK), fuse_ms=FUSE_MS),
    LaneSettings(id="out", direction="out", cameras=("exit",)),
]


class TwoCameras(Bench):
    def make(self) -> Box:
        return Box(
            LANES, LotRules(), TariffRule(15, 60, 500, 30, 200, 3000), LotState(20), lambda: next(self.ids), "test",
            "box",
        )  # fmt: skip

    def see(self, camera: str, plate: str, confidence_pct: int = 90, *, event_id: str = "") -> str:
        read_id = next(self.ids)
        self.tell(PlateRead(
            lane="in", read_id=read_id, camera=camera, event_id=event_id or read_id, plate_raw=plate or "_无_",
            no_plate=not plate, confidence_pct=confidence_pct,
        ))  # fmt: skip
        return read_id

    def decided(self) -> list[str]:
        return [fact.body.plate for fact in self.facts if isinstance(fact.body, Decided)]

    def reads(self) -> list[tuple[str, str]]:
        taken = [fact.body for fact in self.facts if isinstance(fact.body, ReadTaken)]
        return [(body.camera, body.plate) for body in taken]

    def pass_through(self) -> None:
        self.store()
        assert any(isinstance(command, RaiseArm) for command in self.commands)
        self.drive("in")
        self.wait(20_000)


@pytest.fixture
def pair() -> TwoCameras:
    bench = TwoCameras()
    bench.loops("in", arrival=True)
    return bench


def test_both_say_the_same_it_is_one_read_and_nobody_waits(pair: TwoCameras) -> None:
    pair.see(FRONT, TRUE)
    assert pair.decided() == []
    pair.wait(100)
    pair.see(BACK, TRUE)
    assert pair.decided() == [TRUE]
    assert pair.reads() == [(FRONT, TRUE)]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("other", [FALSE, CONFUSED])
def test_of_two_plates_the_surer_counts_and_both_are_on_record(pair: TwoCameras, other: str, late: bool) -> None:
    first, second = ((FRONT, other, 60), (BACK, TRUE, 97))
    if late:
        first, second = second, first
    pair.see(*first)
    pair.wait(FUSE_MS - 1)
    pair.see(*second)
    assert pair.decided() == [TRUE]
    assert pair.reads() == [first[:2], second[:2]]
    pair.pass_through()
    assert [fact.body.plate for fact in pair.facts if isinstance(fact.body, Passed)] == [TRUE]
    assert pair.decided() == [TRUE]


def test_a_plate_beats_no_plate_however_sure(pair: TwoCameras) -> None:
    pair.see(FRONT, "", 99)
    pair.see(BACK, TRUE, 20)
    assert pair.decided() == [TRUE]
    assert pair.reads() == [(FRONT, ""), (BACK, TRUE)]


def test_one_camera_alone_counts_when_the_window_is_over(pair: TwoCameras) -> None:
    pair.see(BACK, TRUE)
    pair.wait(FUSE_MS - 1)
    assert pair.decided() == []
    pair.wait(1)
    assert pair.decided() == [TRUE]


def test_the_same_plate_after_the_window_is_no_second_car(pair: TwoCameras) -> None:
    pair.see(FRONT, TRUE)
    pair.wait(FUSE_MS + 1_000)
    pair.see(BACK, TRUE)
    pair.wait(FUSE_MS)
    assert (pair.decided(), pair.reads()) == ([TRUE], [(FRONT, TRUE)])


def test_a_re_send_of_the_other_camera_weighs_nothing() -> None:
    bench = TwoCameras()
    bench.loops("in", arrival=True)
    bench.see(BACK, FALSE, 99, event_id="7")
    bench.wait(FUSE_MS)
    bench.pass_through()
    bench.loops("in", arrival=True)
    bench.see(FRONT, TRUE, 50)
    bench.see(BACK, FALSE, 99, event_id="7")
    assert bench.decided() == [FALSE]
    bench.wait(FUSE_MS)
    assert bench.decided() == [FALSE, TRUE]


def test_a_read_before_the_loop_is_fused_too() -> None:
    bench = TwoCameras()
    bench.see(FRONT, FALSE, 60)
    bench.loops("in", arrival=True)
    bench.see(BACK, TRUE, 90)
    assert bench.decided() == [TRUE]
