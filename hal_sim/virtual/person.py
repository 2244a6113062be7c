"""The attendant at the page and everything else that comes over the lane: orders, fire alarm, crash, slow disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.events import Commanded, Emergency
from edge.core.lane_status import LaneStatus
from hal_sim.virtual.car import Car
from hal_sim.virtual.site import ENDS, End, Site

if TYPE_CHECKING:
    from hal_sim.virtual.world import World

STRANDED_MS = 1_200_000
"""A car that stands 20 minutes with a person at the page is stranded: the machine has a dead end."""


class Person:
    def __init__(self, world: World) -> None:
        self.world = world

    # --- a car waits -------------------------------------------------------------------------------------------

    def look(self, site: Site, car: Car) -> None:
        world = self.world
        if world.now_ms - car.held_ms > STRANDED_MS:
            status = next(status for status in world.box.lane_states() if status.id == site.lane)
            world.tally.wrong("stranded", f"{site.lane} at {world.now_ms / 1000:.1f} s: {status}")
            site.go_on(car)
            return
        if not world.alive:
            return
        seen = next(status for status in world.box.lane_states() if status.id == site.lane)
        state = seen.state
        alone = all(each is car or each.done for each in site.cars)
        if state == "wait_payment":
            self.order(site, "pay_cash" if world.random.random() < 0.8 else "pay_free", seen=seen)
        elif state in {"wait_confirm", "refused"}:
            off = world.mix.deep_turn or not car.on["safety"]
            if alone and world.random.random() < 0.1 and not car.drop_outs and off:
                site.turn_back(car)
            else:
                self.order(site, "let_in", seen=seen)
        elif state == "wait_stall":
            off = world.mix.deep_turn or not car.on["safety"]
            if alone and off and world.now_ms - car.held_ms > 60_000:
                site.turn_back(car)
            elif not (alone and off) and world.now_ms - car.held_ms > 30_000:
                self.order(site, "let_in", seen=seen)
        elif state == "locked":
            self.order(site, "unlock")
        elif world.now_ms - car.held_ms > 30_000:
            self.order(site, "open")

    def order(
        self, site: Site, action: str, age_s: float = 0.0, fault: str = "", seen: LaneStatus | None = None
    ) -> None:
        """At a moment when the program answers; some orders come twice, and act once all the same. `seen`: the view
        that he orders by, of an order for the car that stands there."""
        world = self.world
        if not world.alive:
            world.at(world.now_ms + 500, lambda: self.order(site, action, age_s, fault, seen))
            return
        world.tally.orders += 1
        command = Commanded(
            lane=site.lane, command_id=world.new_id(), action=action,  # type: ignore[arg-type]
            who="attendant", why="virtual", age_s=age_s, fault=fault,
            arrival_id="" if seen is None else seen.arrival_id, seen_plate=None if seen is None else seen.plate,
            order_id="" if seen is None else seen.order_id,
        )  # fmt: skip
        world.tell(command)
        if world.random.random() < 0.1:
            world.at(world.now_ms + world.random.uniform(0, 5_000), lambda: world.tell(command))

    # --- what comes over a lane --------------------------------------------------------------------------------

    def weather(self) -> None:
        """Once for every group of cars."""
        world, mix = self.world, self.world.mix
        random = world.random
        after = random.uniform(0, 20_000)
        dice = random.random
        if dice() < mix.crash:
            world.at(world.now_ms + after, world.crash)
        if dice() < mix.slow_disk:
            world.disk.late_ms = random.uniform(100, 4_000)
            world.at(world.now_ms + 30_000, self._fast)
        if dice() < mix.dead_disk and not world.disk.dead:
            world.disk.dead = True
            world.at(world.now_ms + 30_000, lambda: world.disk.revive(world.now_ms))
        if dice() < mix.emergency and not world.emergency:
            world.at(world.now_ms + after, self._fire)
        if dice() < mix.order:
            self._some_order(random.choice(list(world.sites.values())), after)
        for code, device, _, _ in world.box.faults():
            if code == "arm_uncommanded" and dice() < 0.5:
                self.order(world.sites[device.partition("/")[0]], "acknowledge_fault", fault=code)
        for site in world.sites.values():
            if site.limits and dice() < mix.lying_limit:
                self._lie(site)

    def _fast(self) -> None:
        self.world.disk.late_ms = 0.0

    def _fire(self) -> None:
        self._alarm(True)
        self.world.at(self.world.now_ms + self.world.random.uniform(3_000, 40_000), lambda: self._alarm(False))

    def _alarm(self, active: bool) -> None:
        self.world.emergency = active
        self.world.tally.emergencies += active
        self.world.tell(Emergency(active=active))

    def _some_order(self, site: Site, after_ms: float) -> None:
        world = self.world
        at = world.now_ms + after_ms
        action = world.random.choice(("open", "close", "hold_open", "lock", "aged"))
        if action == "aged":
            world.at(at, lambda: self.order(site, "open", age_s=11.0))
            return
        world.at(at, lambda: self.order(site, action))
        ends = {"hold_open": "release", "lock": "unlock"}
        if action in ends:
            world.at(at + world.random.uniform(3_000, 30_000), lambda: self.order(site, ends[action]))

    def _lie(self, site: Site) -> None:
        """A limit switch that sticks, drops or chatters for a while."""
        world = self.world
        end = world.random.choice(ENDS)
        site.lies[end] = world.random.random() < 0.5
        site.tell_limits()
        world.at(world.now_ms + world.random.uniform(100, 20_000), lambda: self._truth(site, end))

    def _truth(self, site: Site, end: End) -> None:
        site.lies.pop(end, None)
        site.tell_limits()
