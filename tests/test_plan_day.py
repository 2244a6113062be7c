"""The planned day: the street, the arms and the stays, with rules simple enough to count by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from edge.config.issues import ConfigError
from hal_sim.plan.cars import Booking, Car, draw
from hal_sim.plan.day import Day, Word
from hal_sim.plan.page import Outcome, minutes, render
from hal_sim.plan.scenario import Arrivals, Entrance, Lot, Place, RuleSet, Scenario, load

HOSPITAL = Path(__file__).resolve().parent.parent / "configs" / "plan" / "hospital-day.toml"
OPEN_S = 8 * 3600.0


class FirstCome:
    """Admits in order of arrival while a stall is free; the only rule anybody can check by hand."""

    def __init__(self, free: int, reserved_only: str = "") -> None:
        self.free, self.reserved_only = free, reserved_only
        self.waiting: list[Word] = []
        self.times_s: list[float] = []

    @property
    def deadline_s(self) -> float | None:
        return None

    def arrive(self, t_s: float, lane: str, plate: str) -> Iterable[Word]:
        self.times_s.append(t_s)
        if lane == self.reserved_only:
            return [Word(lane, plate, "refuse")]
        self.waiting.append(Word(lane, plate, "admit"))
        return self._go()

    def entered(self, t_s: float, lane: str, plate: str) -> Iterable[Word]:
        self.times_s.append(t_s)
        return []

    def gone(self, t_s: float, lane: str, plate: str) -> Iterable[Word]:
        self.waiting = [word for word in self.waiting if word.plate != plate]
        return []

    def left(self, t_s: float) -> Iterable[Word]:
        self.times_s.append(t_s)
        self.free += 1
        return self._go()

    def bookable(self) -> int:
        return 1

    def book(self, t_s: float, code: str, plate: str, booking: Booking) -> Iterable[Word]:
        return []

    def tick(self, t_s: float) -> Iterable[Word]:
        return []

    def _go(self) -> list[Word]:
        said = self.waiting[: self.free]
        self.free -= len(said)
        self.waiting = self.waiting[len(said) :]
        return said


GATE = Entrance(id="e", name="东门", pass_s=10, gap_s=5)


def scenario(total: int = 1, gates: tuple[Entrance, ...] = (GATE,)) -> Scenario:
    return Scenario(
        name_zh="测试", name_en="test", open="08:00", close="10:00", lot=Lot(total=total), entrance=gates,
        arrivals=(Arrivals(at="08:00", per_hour=100), Arrivals(at="10:00", per_hour=100)),
        rules=(RuleSet(name_zh="先到先进", name_en="first come"),),
    )  # fmt: skip


def car(number: int, after_s: float, stay_s: float = 600.0, patience_s: float = 1500.0, astray: bool = False) -> Car:
    return Car(number, OPEN_S + after_s, 0.5, None, True, astray, stay_s, patience_s)


def test_the_second_car_waits_until_the_first_has_left() -> None:
    # One stall. Car 1: admitted at 0, entered at 10, leaves at 610. Car 2 comes at 30 and is admitted at 610.
    day = scenario()
    log = Day(day, day.rules[0], [car(1, 0), car(2, 30)], FirstCome(1)).run()
    assert log.ordinary.waits_s == [0.0, 580.0]


def test_one_arm_lets_a_row_of_cars_in_one_by_one() -> None:
    # 10 s through the entrance and 5 s until the next stands there: a car every 15 s.
    day = scenario(total=10)
    log = Day(day, day.rules[0], [car(number, 0) for number in range(1, 5)], FirstCome(10)).run()
    assert log.ordinary.waits_s == [0.0, 15.0, 30.0, 45.0]


def test_who_has_waited_too_long_drives_on_and_frees_the_arm() -> None:
    # Car 2 gives up at 100 + 30; car 3 stands at the arm 5 s later and is the one that gets the stall at 610.
    day = scenario()
    cars = [car(1, 0), car(2, 30, patience_s=100), car(3, 40)]
    log = Day(day, day.rules[0], cars, FirstCome(1)).run()
    assert (log.ordinary.turned_away, log.ordinary.waits_s) == (1, [0.0, 570.0])


def test_who_still_stands_in_the_street_at_the_end_is_counted() -> None:
    day = scenario()
    cars = [car(1, 0, stay_s=9000), car(2, 6900), car(3, 6950)]
    log = Day(day, day.rules[0], cars, FirstCome(1)).run()
    assert (log.ordinary.admitted, log.ordinary.still_waiting, log.ordinary.turned_away) == (1, 2, 0)


def test_a_car_astray_is_refused_turns_round_and_comes_in_elsewhere() -> None:
    gates = (Entrance(id="vip", name="预约", pass_s=10), Entrance(id="e", name="东门", pass_s=10))
    day = scenario(total=5, gates=gates)
    rules = RuleSet(name_zh="a", name_en="a", place=(Place(entrance="vip", role="reserved"),))
    log = Day(day, rules, [car(1, 0, astray=True)], FirstCome(5, reserved_only="vip")).run()
    # Refused at 0, blocks the lane for turn_s = 60 s, and joins the other entrance then.
    assert (log.refused, log.ordinary.admitted, log.points[-1].inside) == (1, 1, 0)
    assert log.points[1].inside == 1


def test_time_never_goes_back_for_the_rules() -> None:
    day = load(HOSPITAL)
    brain = FirstCome(day.lot.total - day.lot.parked)
    Day(day, day.rules[0], draw(day), brain).run()
    assert brain.times_s == sorted(brain.times_s)
    assert len(brain.times_s) > 3000


def test_every_car_of_the_hospitals_day_is_accounted_for_once() -> None:
    day = load(HOSPITAL)
    cars = draw(day)
    log = Day(day, day.rules[0], cars, FirstCome(day.lot.total - day.lot.parked)).run()
    reserved = sum(car.booking is not None and car.comes and car.arrives_s <= 19.5 * 3600 for car in cars)
    ordinary = sum(car.booking is None for car in cars)
    assert (log.reserved.came, log.ordinary.came) == (reserved, ordinary)
    assert log.saturation_max == 1.0


def test_the_cars_follow_the_curve_and_the_shares() -> None:
    day = load(HOSPITAL)
    cars = draw(day)
    assert draw(day) == cars
    # The trapezoids of the curve in the file, in cars: 310 + 690 + 315 + 393.75 + 481.25 + 340 + 150.
    expected = 2680
    assert abs(len(cars) - expected) < 4 * expected**0.5
    booked = [car for car in cars if car.booking is not None]
    assert abs(len(booked) / len(cars) - 0.45) < 0.04
    assert abs(sum(not car.comes for car in booked) / len(booked) - 0.06) < 0.03
    before = [car for car in cars if car.booking is None and 8 * 3600 <= car.arrives_s < 9 * 3600]
    noon = [car for car in cars if car.booking is None and 12 * 3600 <= car.arrives_s < 13 * 3600]
    assert len(before) > 1.5 * len(noon)


BAD = {
    'close = "07:00"': "close",
    'open = "7:30"': "open",
    "total = 0": "lot.total",
    "parked = 700": "lot.parked",
    'seed = "one"': "seed",
    "ahed_min = 3": "reserved.ahed_min",
    "reservable = 700": "lot.reservable",
    'open = "08:00"': "arrivals[0].at",
    "full_from = 0.2": "rules[0].full_from",
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_scenario_is_refused_with_path_and_reason(bad: str, tmp_path: Path) -> None:
    text = HOSPITAL.read_text(encoding="utf-8")
    key = bad.split(" =", maxsplit=1)[0]
    lines = [line for line in text.splitlines() if not line.startswith(key + " =")]
    if key in text:
        index = next(i for i, line in enumerate(text.splitlines()) if line.startswith(key + " ="))
        lines.insert(index, bad)
    elif key == "full_from":
        lines.insert(lines.index("[[rules]]") + 1, bad)
    else:
        lines.insert(lines.index("[reserved]") + 1, bad)
    broken = tmp_path / "s.toml"
    broken.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(broken)
    assert [issue.path for issue in error.value.issues] == [BAD[bad]]


def test_a_rule_set_must_leave_an_entrance_for_everybody(tmp_path: Path) -> None:
    text = HOSPITAL.read_text(encoding="utf-8").replace('role = "mixed"', 'role = "reserved"')
    broken = tmp_path / "s.toml"
    broken.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="no entrance takes ordinary cars"):
        load(broken)


def test_the_page_is_one_file_and_writes_names_as_text() -> None:
    day = scenario(total=5)
    rules = RuleSet(name_zh="<script>alert(1)</script>", name_en="x & y")
    log = Day(day, rules, [car(1, 0), car(2, 30)], FirstCome(5)).run()
    page = render(day, [Outcome(rules, log), Outcome(day.rules[0], log)])
    assert "<script" not in page
    assert "http" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; x &amp; y" in page
    assert page.count("<polyline") == 6


def test_waits_are_said_in_minutes_and_seconds() -> None:
    assert [minutes(wait_s) for wait_s in (0, 59.6, 61, 3601)] == ["0:00", "1:00", "1:01", "60:01"]
