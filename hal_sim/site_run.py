"""One run of the simulated site, from the first process to the last: build, start, wait, drain, stop, sum
up."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hal_sim.board_run import ARM_TRAVEL_S, HEADWAY_MORE_S, REACTION_S, BoardRun
from hal_sim.cameras.pictures import Painter
from hal_sim.cameras.sender import SimCamera
from hal_sim.ledger_view import FactRow, LedgerView, delivery_counts, facts_after, ordered_lately
from hal_sim.oss import Keys, OssServer, Rules
from hal_sim.pictures_run import compare_pictures, pictures_there, unkept
from hal_sim.printing import PassagePrinter
from hal_sim.programs import Killer, Program, programs
from hal_sim.qingdao import Account, BrokerChoice, QingdaoPlatform
from hal_sim.qingdao.phones import Phones
from hal_sim.qingdao.purse import DEDUCTED
from hal_sim.qingdao.settled import settled_wrong
from hal_sim.shenzhen_run import CITY, ShenzhenRun
from hal_sim.sign_run import SignRun
from hal_sim.site.arm import Arm
from hal_sim.site.attendant import Attendant
from hal_sim.site.gpio_server import GpioServer
from hal_sim.site.lane import HEADWAY_S, SAFETY_REACTION_S, SimLane
from hal_sim.site.pins import PinBank
from hal_sim.site.rush import Rush
from hal_sim.site.traffic import Traffic, season_plates
from hal_sim.site.world import Pace, World
from hal_sim.site_config import RESERVED_LANE, SitePlan, Times, lane_specs, write_site
from hal_sim.summary import Report, add_refusals, add_violations, compare_city, compare_ledger

ACCOUNT = Account(
    cno="880001", sub_code="0000001", user="parkbox", password="Parkbox-1", passkey="0123456789abcdef"
)
OSS_KEYS = Keys("LTAI5tSimulatedKeyId", "simulated-access-key-secret")
LOT_CODE = "SIM370200"
"""As in `hal_sim/config/site.toml`."""
STALLS = 120
RUSH_STALLS = 20
"""So few that a rush goes through all three states within a minute or two."""
HEARTBEAT_S = 5.0

CARS_WITHIN_S = 3.0
"""Upper bound per car at a lane, besides its coming and its stay."""

FOLDER_CHARS_MAX = 90
"""A UNIX socket's path may have 107 bytes; ours add up to ten."""

LEDGER_DRAIN_S = 15.0
PICTURE_FACT_S = 3.0
"""A picture's fact is stored within half a second of its passage; one whose program was killed never comes."""
CITY_DRAIN_S = 90.0

SWITCH_S = 0.0005
"""Python's own 5 ms between threads would show up as latency of the pins."""


class SimError(Exception):
    """The site could not be started or run: what a person should know."""


@dataclass(frozen=True)
class Options:
    cars: int | None
    lanes: int
    seed: int
    times: Times
    data_dir: Path
    weather: tuple[tuple[str, float], ...] = ()
    oss_weather: tuple[tuple[str, float], ...] = ()
    shenzhen_weather: tuple[tuple[str, float], ...] = ()
    kill_every_s: float | None = None
    mix: bool = True
    rush: bool = False
    rs485: bool = False
    camera_arrival: bool = False
    broker: BrokerChoice = "auto"

    @property
    def stalls(self) -> int:
        return RUSH_STALLS if self.rush else STALLS


class SiteRun:
    """`run(asked)` returns the report; `asked` is set when a person wants it to end."""

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        self._options, self._say = options, say
        self._stack = ExitStack()
        self.interrupted = False
        self._drained: list[FactRow] = []

    def run(self, asked: threading.Event) -> Report:
        before = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_S)
        try:
            return self._run(asked)
        finally:
            self._stack.close()
            sys.setswitchinterval(before)

    # --- building ------------------------------------------------------------------------------------------

    def _check_folder(self) -> None:
        folder = self._options.data_dir
        if len(str(folder)) > FOLDER_CHARS_MAX:
            raise SimError(
                f"--data {folder}: 路径最长 path of at most {FOLDER_CHARS_MAX} characters (UNIX sockets)"
            )
        if (folder / "ledger.db").exists():
            raise SimError(
                f"--data {folder}: 已有以前的账本, 请用空目录  holds the ledger of an earlier run, which the simulated "
                "city has forgotten; choose an empty folder"
            )

    def _build(self) -> None:
        options, times = self._options, self._options.times
        self._check_folder()
        self.platform = QingdaoPlatform(ACCOUNT, seed=options.seed)
        url = self.platform.start()
        try:
            mqtt_port, self.broker_name = self.platform.start_chosen(options.broker, options.data_dir / "mosquitto")
        except RuntimeError as error:
            raise SimError(str(error)) from error
        self._stack.callback(self.platform.stop)
        for kind, probability in options.weather:
            self.platform.weather.add(kind, probability=probability)  # type: ignore[arg-type]  # checked there
        self.oss = OssServer(Rules(ACCOUNT.sub_code), OSS_KEYS, seed=options.seed)
        endpoint = self.oss.start()
        self._stack.callback(self.oss.stop)
        for kind, probability in options.oss_weather:
            self.oss.weather.add(kind, probability=probability)  # type: ignore[arg-type]  # checked there
        self.shenzhen = ShenzhenRun(options.data_dir, options.seed, hurried=times.arrival_s == 0)
        self.shenzhen.start(options.shenzhen_weather)
        self._stack.callback(self.shenzhen.stop)
        specs = lane_specs(options.lanes, by_camera=options.camera_arrival)
        hurried = times.arrival_s == 0
        lanes = [(spec.id, spec.name) for spec in specs]
        self.board = BoardRun(specs[0].id, hurried=hurried) if options.rs485 else None
        self.signs = SignRun(options.data_dir, lanes, None if hurried else self._say, self.board)
        season = () if options.rush else season_plates(options.seed)
        self.plan = write_site(
            options.data_dir, specs, times, account=ACCOUNT, city_url=url, mqtt_port=mqtt_port,
            season=season, stalls=options.stalls, oss=self.oss, oss_endpoint=endpoint, rush=options.rush,
            more=f"{self.shenzhen.section(times)}{self.signs.section()}", board=self.board,
        )  # fmt: skip
        self.signs.start()
        self._stack.callback(self.signs.stop)
        self._first_seq = max(
            (fact.seq for fact in facts_after(options.data_dir / "ledger.db", 0)), default=0
        )
        bank = PinBank()
        self.lanes = [self._lane(bank, spec.id, spec.direction, number) for number, spec in enumerate(specs)]
        self.gpio = GpioServer(self.plan.gpio_socket, bank)
        self.gpio.start()
        self._stack.callback(self.gpio.stop)
        painter = Painter(options.seed)
        painter.prepare()
        self.cameras = self._cameras(self.plan, painter)
        parked_share = {"parked_share": 0.0} if options.rush else {}  # who stays for ever would fill the small lot
        self.traffic = Traffic(options.seed, times.stay_s, mix=options.mix, **parked_share)
        pace = Pace(times.arrival_s, times.read_delay_s, inside_max=times.inside_max)
        self.world = World(
            bank, self.lanes, self.cameras, self.traffic, pace, cars=options.cars, seed=options.seed
        )
        self.lane, self.agent = programs(self.plan.config, self.plan.data_dir, self.plan.gpio_socket)
        self.world.box_up = self.lane.up.is_set
        self.world.order_on_record = self._on_record
        self.attendant = Attendant(
            self.plan.lane_socket, self.world.ordered, seed=options.seed, think_s=times.think_s
        )
        self.world.sign = self.attendant.admitted
        self.phones = Phones(self.platform, LOT_CODE, self.world.ordered, options.seed)
        self.attendant.leaves_alone, self.attendant.rings = self.phones.takes, self.world.rings
        self.rush = Rush(self.plan.lane_socket, RESERVED_LANE, options.seed) if options.rush else None
        if self.rush is not None:
            self.world.sets_out = self.rush.sets_out

    def _on_record(self, lane_id: str, within_s: float) -> bool:
        """An order that somebody gave at the page."""
        since_ms = time.time_ns() // 1_000_000 - round(within_s * 1000)
        return ordered_lately(self.plan.data_dir / "ledger.db", lane_id, since_ms)

    def _lane(self, bank: PinBank, lane_id: str, direction: str, number: int) -> SimLane:
        times, dice = self._options.times, random.Random(f"bounce {self._options.seed} {number}")
        pins = lane_specs(self._options.lanes)[number].pins
        board = self.board if self.board is not None and self.board.lane == lane_id else None
        if board is not None:
            board.wire(bank, pins)
            self._stack.callback(board.stop)
        return SimLane(
            lane_id, direction, pins, bank, Arm(ARM_TRAVEL_S if board else times.arm_travel_s), speed=times.speed,
            patience_s=times.patience_s, bounce=lambda: dice.choice((0, 0, 1, 2)),
            reaction_s=REACTION_S if board else SAFETY_REACTION_S,
            headway_s=HEADWAY_S + (HEADWAY_MORE_S if board else 0),
            by_camera=self._options.camera_arrival and not number,
        )  # fmt: skip

    def _cameras(self, plan: SitePlan, painter: Painter) -> dict[str, SimCamera]:
        address = ("127.0.0.1", plan.listener_port)
        return {
            lane.id: SimCamera(lane.camera, address, painter, seed=number, heartbeat_s=HEARTBEAT_S)
            for number, lane in enumerate(plan.lanes)
        }

    # --- running -------------------------------------------------------------------------------------------

    def _run(self, asked: threading.Event) -> Report:
        self._build()
        for program in (self.lane, self.agent):
            program.start()
            self._stack.callback(program.stop)
        for program in (self.lane, self.agent):
            self._await_ready(program, asked)
        self._say(
            f"网页 page: http://127.0.0.1:{self.plan.web_port}/   数据 data: {self.plan.data_dir}   "
            f"MQTT: {self.broker_name}"
        )
        first = self.plan.data_dir / "first-password"
        if first.exists():
            self._say(f"首次登录 first login: {first.read_text(encoding='utf-8').strip()}")
        self.signs.watch()
        self.attendant.on_note = self._note
        self.phones.start()
        self._stack.callback(self.phones.stop)
        self.attendant.start()
        self._stack.callback(self.attendant.stop)
        if self.rush is not None:
            self.rush.start()
            self._stack.callback(self.rush.stop)
        for camera in self.cameras.values():
            camera.start()
            self._stack.callback(camera.stop)
        printer = PassagePrinter(
            LedgerView(self.plan.data_dir / "ledger.db"), self.plan.lanes, self._options.stalls, self._say
        )
        printer.start()
        self._stack.callback(printer.stop)
        killer = None
        if self._options.kill_every_s is not None:
            killer = Killer((self.lane, self.agent), self._options.kill_every_s, self._options.seed)
            self._stack.callback(killer.stop)
            killer.start()
        self.world.start()
        self._stack.callback(self.world.stop)
        if not self._options.rush:  # a rush has people of its own, who book past the city
            self.shenzhen.drive(self.traffic.expect)
        finished = self._await_cars(asked)
        self.shenzhen.end_driving()
        if killer is not None:
            killer.stop()
        self.phones.stop()
        if not asked.is_set():
            self._drain(asked)
        self.interrupted = asked.is_set()
        self.world.stop()
        for camera in self.cameras.values():
            camera.stop()
        self.attendant.stop()
        self.agent.stop()
        self.lane.stop()
        printer.stop()
        self.platform.stop()
        self.oss.stop()
        self.shenzhen.stop()
        self._say(self.phones.line())
        return self._report(finished)

    def _note(self, note: dict[str, Any]) -> None:
        if note["level"] == "warning":
            self._say(f"    ! {note['lane'] or '车场 box'}: {note['text']}")

    def _await_ready(self, program: Program, asked: threading.Event) -> None:
        if asked.is_set() or program.wait_ready():
            return
        log = self.plan.data_dir / f"{program.name}.log"
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""
        raise SimError(f"{program.name} 没有就绪 did not become ready:\n{tail}")

    def _bound_s(self, cars: int) -> float:
        """Longest that this run may take: its start, the cars' coming, the longest stay of the last one."""
        times = self._options.times
        return 60 + cars * (CARS_WITHIN_S + 2 * times.arrival_s) + 2 * times.stay_s[1]

    def _await_cars(self, asked: threading.Event) -> bool:
        """Until all cars are through, somebody asks to stop, or the bound is over. True: all cars are through."""
        cars = self._options.cars
        deadline_s = None if cars is None else time.monotonic() + self._bound_s(cars)
        while not asked.is_set():
            if self.world.wait_done(0.1):
                return True
            if self.world.failure is not None:
                raise SimError(f"模拟世界出错 the simulated world failed: {self.world.failure!r}")
            if any(program.gave_up.is_set() for program in (self.lane, self.agent)):
                return False
            if deadline_s is not None and time.monotonic() > deadline_s:
                return False
        return False

    def _drain(self, asked: threading.Event) -> None:
        """Wait, within bounds, until ledger and city have what the world knows."""
        for program in (self.lane, self.agent):
            program.wait_ready()
        for camera in self.cameras.values():
            camera.wait_idle(10)
        truth = sum(len(lane.passages) for lane in self.lanes)
        ledger = self.plan.data_dir / "ledger.db"
        for _ in _until(LEDGER_DRAIN_S, asked):
            facts = facts_after(ledger, 0)
            if sum(fact.kind == "Passed" for fact in facts) >= truth:
                break
        for _ in _until(PICTURE_FACT_S, asked):
            if not unkept(facts_after(ledger, 0)):
                break
        self.platform.weather.clear()
        self.oss.weather.clear()
        self.shenzhen.platform.weather.clear()
        for _ in _until(CITY_DRAIN_S, asked):
            facts = facts_after(ledger, 0)
            passed = sum(fact.kind == "Passed" for fact in facts)
            paid = sum(fact.kind == "Paid" and int(fact.body["paid_fen"]) > 0 for fact in facts)
            accepted = self.platform.summary().accepted
            there = accepted.get("carIn", 0) + accepted.get("carOut", 0) >= passed
            there = there and accepted.get("carcharge", 0) >= paid and self.shenzhen.settled(facts)
            if there and delivery_counts(self.plan.data_dir / "deliveries.db").get("waiting", 0) == 0:
                break
        for _ in _until(CITY_DRAIN_S, asked):
            self._drained = facts_after(ledger, 0)
            if pictures_there(self._drained, self.oss, self.plan.data_dir / "pictures.db"):
                break

    # --- summing up ----------------------------------------------------------------------------------------

    def _report(self, finished: bool) -> Report:
        facts = facts_after(self.plan.data_dir / "ledger.db", 0)
        truth = self.world.truth
        report = Report(
            entered=truth.entered,
            left=truth.left,
            backed_out=truth.backed_out,
            still_parked=self.world.inside,
            kills=self.lane.kills + self.agent.kills,
            read_to_relay_ms=list(truth.read_to_relay_ms),
        )
        passages = [passage for lane in self.lanes for passage in lane.passages]
        add_violations(report, {lane.id: lane.violations for lane in self.lanes})
        deliveries = self.plan.data_dir / "deliveries.db"
        states = delivery_counts(deliveries, "qingdao")
        report.accepted, report.waiting = states.get("accepted", 0), states.get("waiting", 0)
        report.refused = states.get("set_aside", 0)
        city = self.platform.summary()
        report.city_repeats, report.city_changed = sum(city.repeats.values()), len(city.changed)
        add_refusals(report, city.refused, city.refusals)
        compare_ledger(report, passages, facts, truth.backed_out_unseen)
        records = [one for kind in ("carIn", "carOut", "carcharge") for one in self.platform.of_kind(kind)]
        report.city_records = len(records)
        compare_pictures(report, facts, self._drained, self.oss, self.plan.data_dir)
        if not self.interrupted:
            compare_city(report, facts, records)
            if not finished:
                report.problem(f"unfinished: {truth.spawned} cars came, {truth.entered} in, {truth.left} out")
        else:
            # Cars were on the lanes when it was stopped: what is missing then says nothing.
            report.lost = report.undelivered = 0
            report.problems = [
                text for text in report.problems if not text.startswith(("lost", "undelivered"))
            ]
        calm = not (report.kills or self._options.weather or self._options.shenzhen_weather)
        states = delivery_counts(deliveries, CITY)
        report.cities.append(self.shenzhen.figures(facts, states, calm=calm, whole=not self.interrupted))
        if truth.stood_long and not self._options.rush:
            report.problem(f"stood: {truth.stood_long} cars stood at an arm for more than a minute")
        for program in (self.lane, self.agent):
            for text in program.died:
                report.problem(text)
        purse = self.platform.purse
        deducted = [order_no for order_no, (_, pay_type, _) in purse.paid.items() if pay_type == DEDUCTED]
        for text in settled_wrong(facts, self.phones.payments, deducted):
            report.problem(f"money: {text}")
        for text in self.platform.downlink.violations:
            report.problem(f"violated: order: {text}")
        for text in city.internal_errors:
            report.problem(f"the simulated platform itself failed: {text}")
        return report


def _until(seconds: float, asked: threading.Event) -> Iterator[None]:
    """Look now and every 0.2 s until the time is over or somebody asks to stop."""
    deadline_s = time.monotonic() + seconds
    yield
    while time.monotonic() < deadline_s and not asked.wait(0.2):
        yield
