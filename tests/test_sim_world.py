"""Physics of the simulated site in passed-in time: loops in a real lane's order, drivers, and planted faults found."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import pytest

from hal_sim.site.arm import Arm
from hal_sim.site.lane import SimLane
from hal_sim.site.pins import PinBank
from hal_sim.site.relays import Relays, pins_of
from hal_sim.site.traffic import Traffic, misread, season_plates
from hal_sim.site.vehicle import Read, Vehicle
from hal_sim.site.world import Pace, World
from tests.sim_controller import Controller

TICK_S = 0.01


class OneLane:
    """A lane, its relays and a controller, stepped together."""

    def __init__(self, *, careless: bool = False, opens: bool = True) -> None:
        self.bank = PinBank()
        self.lane = SimLane("in1", "in", pins_of(0), self.bank, Arm(travel_s=0.5), speed=2.0)
        self.relays = Relays(self.lane, lambda lane, now_s: False)
        self.bank.output_watchers.append(self.relays.on_pin)
        self.controller = Controller(self.bank, self.lane.pins, careless=careless, opens=opens)
        self.now_s = 100.0
        self.edges: list[tuple[str, bool]] = []
        names = {self.lane.pins.arrival: "arrival", self.lane.pins.safety: "safety"}
        self.bank.input_watchers.append(
            lambda pin, level: self.edges.append((names[pin], level == 0)) if pin in names else None
        )

    def run(self, until: Callable[[], bool], within_s: float = 60) -> None:
        end_s = self.now_s + within_s
        while not until():
            assert self.now_s < end_s, f"not within {within_s} s: {self.lane.vehicles}"
            self.now_s += TICK_S
            self.lane.step(self.now_s)
            self.controller.step(self.now_s)
            self.relays.check(self.now_s)

    def for_s(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        self.run(lambda: self.now_s >= end_s, seconds + 1)


def car(car_id: int = 1, length_m: float = 4.5, **more: object) -> Vehicle:
    vehicle = Vehicle(car_id, f"鲁B{car_id:05d}", length_m, "normal", Read("plate", f"鲁B{car_id:05d}"))
    for name, value in more.items():
        setattr(vehicle, name, value)
    return vehicle


def test_a_car_makes_the_loops_of_a_real_lane_and_is_one_passage() -> None:
    site = OneLane()
    site.lane.add(car())
    site.run(lambda: not site.lane.vehicles)
    assert site.edges == [("arrival", True), ("safety", True), ("arrival", False), ("safety", False)]
    assert [p.plate for p in site.lane.passages] == ["鲁B00001"]
    site.for_s(2)
    assert site.lane.arm.limit_down
    assert site.lane.violations.total() == 0


def test_nobody_drives_through_an_arm_that_stays_down() -> None:
    site = OneLane(opens=False)
    site.lane.add(car())
    site.for_s(30)
    assert site.lane.passages == []
    assert site.lane.vehicles[0].front_m < -0.6


def test_a_car_that_backs_out_is_no_passage_and_never_touches_the_safety_loop() -> None:
    site = OneLane()
    site.lane.add(car(kind="back_out", dwell_s=2.0))
    site.run(lambda: bool(site.lane.backed_out))
    assert site.lane.passages == []
    assert ("safety", True) not in site.edges
    assert site.edges == [("arrival", True), ("arrival", False)]


def test_a_tailgater_goes_through_on_the_first_cars_opening() -> None:
    site = OneLane()
    site.lane.add(car(1))
    site.run(site.lane.room)
    site.lane.add(car(2, kind="tailgater", gap_m=2.6))
    site.run(lambda: not site.lane.vehicles)
    assert [p.kind for p in site.lane.passages] == ["normal", "tailgater"]
    assert site.lane.violations.total() == 0


def test_a_patient_follower_waits_for_an_opening_of_his_own() -> None:
    site = OneLane()
    site.lane.add(car(1))
    site.run(site.lane.room)
    site.lane.add(car(2))
    opened: list[float] = []
    site.bank.output_watchers.append(
        lambda pin, level, t_ns: (
            opened.append(t_ns / 1e9) if (pin, level) == (site.lane.pins.open, 1) else None
        )
    )
    site.run(lambda: not site.lane.vehicles)
    assert len(site.lane.passages) == 2
    assert len(opened) == 2


def test_a_high_truck_drops_out_of_the_safety_loop_while_it_stands_on_it() -> None:
    site = OneLane()
    site.lane.add(car(kind="truck", length_m=11.0, drop_outs=[(3.0, 3.6)]))
    site.run(lambda: not site.lane.vehicles)
    assert site.edges.count(("safety", True)) == 2
    assert len(site.lane.passages) == 1


def test_an_arm_on_a_car_is_a_strike_and_an_order_against_the_loop_is_told() -> None:
    site = OneLane(careless=True)
    site.lane.add(car(length_m=12.0))
    site.run(lambda: site.lane.violations.arm_strikes > 0)
    assert site.lane.violations.close_on_car == 1
    assert site.lane.violations.arm_strikes == 1
    assert len(site.lane.violations.notes) == 2


def test_opening_for_nobody_is_told_and_an_order_excuses_it() -> None:
    site = OneLane(opens=False)
    site.for_s(0.1)
    site.controller.pulse(site.lane.pins.open, site.now_s)
    assert site.lane.violations.opened_without_cause == 1
    site.for_s(0.5)
    site.relays._ordered = lambda lane, now_s: True
    site.controller.pulse(site.lane.pins.open, site.now_s)
    assert site.lane.violations.opened_without_cause == 1


def test_a_relay_that_hangs_and_two_relays_together_are_told_once() -> None:
    site = OneLane(opens=False)
    pins = site.lane.pins
    assert pins.close is not None
    site.for_s(0.1)
    site.relays._ordered = lambda lane, now_s: True
    site.bank.write(pins.open, 1, round(site.now_s * 1e9))
    site.for_s(2.9)
    assert site.lane.violations.relay_too_long == 0
    site.for_s(1.0)
    assert site.lane.violations.relay_too_long == 1
    site.bank.write(pins.close, 1, round(site.now_s * 1e9))
    assert site.lane.violations.open_and_close == 1
    site.bank.release(pins.open, round(site.now_s * 1e9))
    site.for_s(0.1)
    assert site.lane.violations.relay_too_long == 1


@pytest.mark.parametrize(
    ("contacts", "direction"),
    [(["open"], 1), (["close"], -1), (["open", "close"], 1), (["open", "stop"], 0)],
)
def test_contacts_move_the_arm(contacts: list[str], direction: int) -> None:
    arm = Arm(travel_s=1.0, position=0.5)
    for name in contacts:
        arm.contact(name, True, 0.0)
    assert arm.direction == direction


def test_an_arm_reaches_its_ends_after_its_travel_time() -> None:
    arm = Arm(travel_s=1.0)
    arm.contact("open", True, 0.0)
    arm.contact("open", False, 0.2)
    for tick in range(99):
        arm.step(tick / 100, 0.01)
    assert not arm.limit_down
    assert arm.limit_up
    arm.step(1.0, 0.02)
    assert (arm.position, arm.direction) == (1.0, 0)


def test_a_two_wire_barrier_comes_down_by_itself() -> None:
    arm = Arm(travel_s=0.5, closes_by_itself_s=3.0, position=1.0)
    arm.contact("open", True, 10.0)
    arm.contact("open", False, 10.5)
    arm.step(12.9, 0.01)
    assert arm.direction == 0
    arm.step(13.1, 0.01)
    assert arm.direction == -1


def test_an_unknown_contact_is_an_error() -> None:
    with pytest.raises(ValueError, match="open, close, stop"):
        Arm(1.0).contact("lift", True, 0.0)


def test_a_late_tick_moves_the_world_less_not_farther() -> None:
    site = OneLane(opens=False)
    site.lane.add(car())
    site.lane.step(site.now_s)
    before_m = site.lane.vehicles[0].front_m
    site.lane.step(site.now_s + 5.0)
    assert site.lane.vehicles[0].front_m - before_m < 0.1


def test_the_whole_site_runs_a_hundred_mixed_cars_in_passed_in_time() -> None:
    bank = PinBank()
    lanes = [
        SimLane(f"lane{n}", direction, pins_of(n), bank, Arm(0.25), speed=8.0, patience_s=0.9)
        for n, direction in enumerate(("in", "out"))
    ]
    world = World(bank, lanes, {}, Traffic(5, (1.0, 3.0)), Pace(0.0, (0.0, 0.0)), cars=100, seed=5)
    controllers = [Controller(bank, lane.pins) for lane in lanes]
    now_s = 0.0
    while not world.wait_done(0):
        now_s += TICK_S
        assert now_s < 600, [(lane.id, lane.vehicles[:1]) for lane in lanes]
        world.step(now_s)
        for controller in controllers:
            controller.step(now_s)
    truth = world.truth
    assert truth.spawned == 100
    assert truth.entered + truth.backed_out == 100
    assert truth.entered == truth.left + world.staying
    assert [lane.violations.arm_strikes for lane in lanes] == [0, 0]
    assert [lane.violations.open_and_close for lane in lanes] == [0, 0]


def test_the_same_seed_brings_the_same_cars() -> None:
    one, other = Traffic(7, (1.0, 2.0)), Traffic(7, (1.0, 2.0))
    assert [dataclasses.astuple(one.next()) for _ in range(50)] == [
        dataclasses.astuple(other.next()) for _ in range(50)
    ]


def test_traffic_mixes_all_manners_and_keeps_plates_apart() -> None:
    plans = [Traffic.next(traffic) for traffic in [Traffic(3, (1.0, 2.0))] for _ in range(400)]
    assert {plan.enter_kind for plan in plans} == {"normal", "truck", "back_out", "tailgater"}
    fresh = [plan.plate for plan in plans if plan.plate and not plan.season]
    assert len(fresh) == len(set(fresh))
    assert any(plan.exit_read.plate not in (plan.plate, "") for plan in plans)
    assert any(plan.enter_read.kind == "no_plate" for plan in plans)
    assert all(plan.plate in season_plates(3) for plan in plans if plan.season)


@pytest.mark.parametrize(("plate", "wrong"), [("鲁B10000", "鲁B1D000"), ("鲁B11118", "鲁B1111B")])
def test_a_misread_changes_one_look_alike_and_nothing_else(plate: str, wrong: str) -> None:
    found = {misread(plate, random.Random(seed)) for seed in range(40)}
    assert wrong in found
    assert all(sum(a != b for a, b in zip(plate, one, strict=True)) == 1 for one in found)
    assert misread("鲁A11111", random.Random(1)) == "鲁A11111"
