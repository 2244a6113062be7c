"""The world around one box: an entry and an exit, the lot's true count, a disk, crashes, a person. Time is a number.

Everything that happens is an entry of one queue. The box is told what the hardware would report, is asked again at the
deadline it names, and its commands are carried out at once.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from functools import partial
from random import Random

from edge.core.admission import LotRules
from edge.core.box import Box
from edge.core.commands import AnyCommand, LowerArm, RaiseArm, Record, TriggerCamera
from edge.core.events import AnyEvent, Emergency, LimitChanged, LoopChanged, Stored, Tick
from edge.core.facts import Stamp
from edge.core.lane_types import LaneSettings
from edge.core.lot import LotState
from edge.core.tariff import TariffRule
from hal_sim.virtual.audit import Audit
from hal_sim.virtual.car import Car, plates
from hal_sim.virtual.disk import LINGER_MS, Disk
from hal_sim.virtual.groups import make_group
from hal_sim.virtual.mix import Mix
from hal_sim.virtual.person import Person
from hal_sim.virtual.site import ENDS, Site
from hal_sim.virtual.tally import Tally

STALLS = 120
BOOT_WALL_MS = 1_700_000_000_000
QUIET_MS = 6_000
"""After this long without a car everything about the last one is decided, and the counts must agree."""

UNNOTICED_MS = 40_000
"""Without arrival loop a car that reversed out, and one that a camera was asked about at a start and that was under the
arm already, is taken for one that stands there: for `pass_ms`, and a little more."""


BoxMaker = Callable[[list[LaneSettings], LotRules, TariffRule, LotState, Callable[[], str]], Box]


def make_box(
    lanes: list[LaneSettings], rules: LotRules, tariff: TariffRule, lot: LotState, new_id: Callable[[], str]
) -> Box:
    return Box(lanes, rules, tariff, lot, new_id, "virtual", "box")


class World:
    def __init__(self, seed: int, mix: Mix, maker: BoxMaker = make_box) -> None:
        self.random = Random(seed)
        self.mix = mix
        self.now_ms = 0.0
        self.tally = Tally()
        self.inside: list[str] = []
        self.fresh_plate = plates(self.random)
        self.alive = False
        self.booted_ms = 0.0
        self.restarted_ms = -1e9  # after a crash
        self.emergency = False
        self.cars_left = 0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = self._ids = 0
        self._maker = maker
        limits = self.random.random() < 0.7
        self.settings = [self._lane("in", limits), self._lane("out", limits)]
        self.sites = {
            "in": Site(self, "in", "in", limits),
            "out": Site(self, "out", "out", limits),
        }
        self.known_as: dict[str, str] = {}  # what a camera read -> whose plate that is
        store_ms = self.settings[0].store_ms
        self.audits = {lane: Audit(self.tally, lane, store_ms, self.known_as) for lane in self.sites}
        self.disk = Disk(self.random, self.at, self._stored)
        self.person = Person(self)
        self.box = self._boot()

    def _lane(self, direction: str, limits: bool) -> LaneSettings:
        return LaneSettings(
            id=direction, direction="in" if direction == "in" else "out",
            arrival=self.mix.arrival, can_ask=self.mix.asked,
            has_limit_up=limits, has_limit_down=limits, cameras=(f"cam-{direction}",),
        )  # fmt: skip

    # --- time ------------------------------------------------------------------------------------------------------

    def at(self, time_ms: float, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (time_ms, self._count, what))

    def run_until(self, over: Callable[[], bool]) -> None:
        queue = self._queue
        while not over():
            due_ms = self.box.deadline_ms if self.alive else None
            if due_ms is not None and (not queue or due_ms <= queue[0][0]):
                self.now_ms = max(self.now_ms, float(due_ms))
                self.tell(Tick())
                continue
            if not queue:
                return
            time_ms, _, what = heapq.heappop(queue)
            self.now_ms = max(self.now_ms, time_ms)
            what()

    def run(self, cars: int) -> Tally:
        """Let `cars` cars come, then let everything come to rest."""
        self.cars_left = cars
        for site in self.sites.values():
            self.at(self.now_ms + 15_000, partial(self.next_group, site))
        self.run_until(lambda: self.cars_left <= 0 and not any(site.cars for site in self.sites.values()))
        end_ms = self.now_ms + 60_000
        self.at(end_ms, lambda: None)
        self.run_until(lambda: self.now_ms >= end_ms)
        for site in self.sites.values():
            self.compare(site)
        self.compare_lot()
        self.tally.virtual_h = self.now_ms / 3_600_000
        return self.tally

    def stamp(self) -> Stamp:
        return Stamp("boot", int(self.now_ms), BOOT_WALL_MS + int(self.now_ms), synced=True)

    def new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:032x}"

    # --- the box -----------------------------------------------------------------------------------------------------

    def _boot(self) -> Box:
        box = self._maker(
            self.settings, LotRules(), TariffRule(5, 60, 500, 30, 200, 3000), LotState(STALLS), self.new_id
        )
        if self.disk.snapshot is not None:
            box.restore(self.disk.snapshot)
        for fact in self.disk.tail:
            box.apply(fact)
        self.box = box
        self.alive = True
        self.booted_ms = self.now_ms
        self._carry_out(box.start(self.stamp()))
        for site in self.sites.values():
            site.ours = False
            if site.lies:
                self.audits[site.lane].rebase = True  # see mix
            for loop in site.loops:
                site.seen[loop] = site.sees(loop)
                self.tell(LoopChanged(lane=site.lane, loop=loop, occupied=site.seen[loop]))
            if site.limits:
                for end in ENDS:
                    self.tell(LimitChanged(lane=site.lane, end=end, active=site.limit[end]))
        self.tell(Emergency(active=self.emergency))
        return box

    def _reboot(self) -> None:
        self.restarted_ms = self.now_ms
        self._boot()

    def crash(self) -> None:
        """kill -9: what was not durable is gone; the arm goes on with what it was asked last."""
        if not self.alive or any(car.long_drop_out for site in self.sites.values() for car in site.cars):
            return
        self.alive = False
        self.tally.crashes += 1
        lost = self.disk.crash()
        for lane, audit in self.audits.items():
            mine = [fact for fact in lost if fact.lane == lane]
            audit.crashed(mine)
            if any(self.now_ms - fact.stamp.mono_ms > LINGER_MS + 20 for fact in mine):
                audit.rebase = True  # a disk that fails or is slow: older facts than one that works ever loses
        for site in self.sites.values():
            site.advance()
            turning = any(car.turns or car.reversing for car in site.cars)
            between = sum(
                (car.x > -6.5 and not car.done) or self.now_ms - car.passed_ms < 1_000 for car in site.cars
            )
            gone = self.mix.arrival == "camera" and self.now_ms - max(site.misled_ms, self.restarted_ms) < UNNOTICED_MS
            if turning or gone or between > 1 or site.lies:
                self.audits[site.lane].rebase = True  # see mix: after a crash no loop can tell
        alone = all(all(car.in_group == 1 for car in site.cars) for site in self.sites.values())
        down_ms = self.random.uniform(0, self.mix.down_ms) if alone else 0.0
        self.at(self.now_ms + down_ms, self._reboot)

    def tell(self, event: AnyEvent) -> None:
        if self.alive:
            self._carry_out(self.box.step(event, self.stamp()))

    def _carry_out(self, commands: list[AnyCommand]) -> None:
        facts = 0
        stamp = self.stamp() if commands else None
        for command in commands:
            if isinstance(command, Record):
                facts += 1
                assert stamp is not None
                self.disk.submit(command, stamp, self.now_ms)
                if command.lane:
                    self.audits[command.lane].recorded(command, self.now_ms)
            elif isinstance(command, RaiseArm):
                site = self.sites[command.lane]
                self.audits[command.lane].raised(self.now_ms, self.emergency, site.seen["safety"], self.box)
                site.command(1)
            elif isinstance(command, LowerArm):
                self.audits[command.lane].lowered()
                self.sites[command.lane].command(-1)
            elif isinstance(command, TriggerCamera):
                self.sites[command.lane].triggered()
        self.tally.facts += facts

    def _stored(self, token: int) -> None:
        for audit in self.audits.values():
            audit.stored(token)
        self.tell(Stored(token=token))

    # --- cars --------------------------------------------------------------------------------------------------------

    def next_group(self, site: Site) -> None:
        if site.cars or self.cars_left <= 0:
            return
        make_group(self, site)
        if not site.cars:
            self.at(self.now_ms + 10_000, lambda: self.next_group(site))
            return
        self.cars_left -= len(site.cars)
        self.tally.cars += len(site.cars)
        self.person.weather()
        self.disk.keep_snapshot(self.box.encode)

    def passed(self, site: Site, car: Car) -> None:
        self.tally.passages += 1
        self.audits[site.lane].passed(car.plate)
        car.passed_ms = self.now_ms
        if site.direction == "in":
            self.inside.append(car.plate)

    def struck(self, site: Site, car: Car) -> None:
        self.tally.wrong("strikes", f"{site.lane} at {self.now_ms / 1000:.3f} s: {car.plate} {car.length_m:.1f} m")

    def look(self, site: Site, car: Car) -> None:
        self.person.look(site, car)

    def group_over(self, site: Site) -> None:
        soon = self.random.random() < 0.5
        if soon:
            self.at(self.now_ms + self.random.uniform(0, 3_000), lambda: self.next_group(site))
        else:
            self.at(self.now_ms + QUIET_MS, lambda: self._quiet(site))

    def _quiet(self, site: Site) -> None:
        if not site.cars:
            self.compare(site)
            self.next_group(site)

    def turned_back(self, site: Site, car: Car) -> None:
        self.tally.turned_back += 1
        site.misled_ms = self.now_ms
        if site.direction == "out":
            self.inside.append(car.plate)

    # --- what must agree ----------------------------------------------------------------------------------------------

    def compare(self, site: Site) -> None:
        if not self.mix.counts or not self.alive or self.now_ms - self.booted_ms < QUIET_MS:
            return  # a start reads the world for a moment before it concludes
        recorded = next(status.passed for status in self.box.lane_states() if status.id == site.lane)
        self.audits[site.lane].compare(recorded, self.now_ms)

    def compare_lot(self) -> None:
        if self.mix.counts and self.alive and not self.tally.lost_in_crash:
            true = self.audits["in"].true_passages - self.audits["out"].true_passages
            if self.box.lot.parked != true:
                self.tally.wrong("drift", f"lot says {self.box.lot.parked}, true {true}")

