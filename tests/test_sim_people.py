"""The simulated attendant, the printed lines, the command's arguments and the supervision of the two programs."""

from __future__ import annotations

import dataclasses
import json
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hal_sim.command import options_of
from hal_sim.free_ports import free_ports
from hal_sim.ledger_view import FactRow, LedgerView
from hal_sim.printing import PassagePrinter
from hal_sim.programs import Killer, Program
from hal_sim.site.attendant import WHO, Attendant, View
from hal_sim.site_config import HEADLESS, REAL, lane_specs
from hal_sim.site_run import SimError

WITHIN_S = 10.0


def wait(condition: Callable[[], bool]) -> None:
    tick = threading.Event()
    deadline_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline_s, "not in time"
        tick.wait(0.005)


# --- the attendant -------------------------------------------------------------------------------------------


class LaneSide:
    """Stands for the lane program's socket: sends views to watchers, keeps commands."""

    def __init__(self, path: Path) -> None:
        self.commands: queue.Queue[dict[str, Any]] = queue.Queue()
        self.watchers: queue.Queue[socket.socket] = queue.Queue()
        self.answers: list[dict[str, Any]] = [{"ok": True, "zh": "", "en": ""}]
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen()
        self.open: list[socket.socket] = []
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            line = b""
            while not line.endswith(b"\n"):
                line += sock.recv(4096)
            request = json.loads(line)
            if request["op"] == "watch":
                self.open.append(sock)
                self.watchers.put(sock)
                continue
            self.commands.put(request["command"])
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            sock.sendall(json.dumps(answer).encode() + b"\n")
            sock.close()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.open:
            sock.close()
        self.thread.join()


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[tuple[LaneSide, Attendant, list[str]]]:
    side = LaneSide(tmp_path / "lane.sock")
    ordered: list[str] = []
    attendant = Attendant(tmp_path / "lane.sock", ordered.append, seed=1, think_s=(0.0, 0.0))
    attendant.start()
    yield side, attendant, ordered
    attendant.stop()
    side.close()


def show(sock: socket.socket, state: str, *, due_fen: int = 0, plate: str = "鲁B12345") -> None:
    lane = {"id": "out1", "direction": "out", "state": state, "plate": plate, "due_fen": due_fen}
    lane |= {"arrival_id": "a" * 32, "order_id": "b" * 32 if due_fen else ""}
    sock.sendall(json.dumps({"view": {"lanes": [lane]}}).encode() + b"\n")


def test_he_takes_money_where_a_lane_waits_for_it(booth: tuple[LaneSide, Attendant, list[str]]) -> None:
    side, attendant, ordered = booth
    watcher = side.watchers.get(timeout=WITHIN_S)
    show(watcher, "down")
    show(watcher, "wait_payment", due_fen=700)
    command = side.commands.get(timeout=WITHIN_S)
    assert command["action"] in {"pay_cash", "pay_free"}
    assert (command["lane"], command["source"], command["who"]) == ("out1", "operator", WHO)
    assert len(command["command_id"]) == 32
    car = (command["arrival_id"], command["seen_plate"], command["order_id"])
    assert car == ("a" * 32, "鲁B12345", "b" * 32)  # the one that he looks at
    assert ordered == ["out1"]
    wait(lambda: attendant.counts[command["action"]] == 1)


def test_he_orders_again_with_a_new_id_when_the_lane_still_waits(
    booth: tuple[LaneSide, Attendant, list[str]],
) -> None:
    side, _, _ = booth
    side.answers = [{"ok": False, "zh": "", "en": ""}]
    show(side.watchers.get(timeout=WITHIN_S), "wait_confirm")
    first, second = side.commands.get(timeout=WITHIN_S), side.commands.get(timeout=WITHIN_S)
    assert (first["action"], second["action"]) == ("let_in", "let_in")
    assert first["arrival_id"] == "a" * 32
    assert first["why"]
    assert first["command_id"] != second["command_id"]


def test_he_finds_the_program_again_after_it_was_away(booth: tuple[LaneSide, Attendant, list[str]]) -> None:
    side, attendant, _ = booth
    watcher = side.watchers.get(timeout=WITHIN_S)
    show(watcher, "admitted")
    wait(lambda: attendant.admitted("out1") == "鲁B12345")
    watcher.shutdown(socket.SHUT_RDWR)
    again = side.watchers.get(timeout=WITHIN_S)
    assert attendant.admitted("out1") is None
    show(again, "admitted", plate="")
    wait(lambda: attendant.admitted("out1") == "")


def test_cash_is_what_is_due_and_some_go_free_with_a_reason(tmp_path: Path) -> None:
    attendant = Attendant(tmp_path / "none", lambda lane: None, seed=1, think_s=(0, 0))
    view = View("out1", "out", "wait_payment", "鲁B1", 900, "a" * 32, "b" * 32)
    orders = [attendant.order_for(view) for _ in range(200)]
    cash = [order for order in orders if order["action"] == "pay_cash"]
    free = [order for order in orders if order["action"] == "pay_free"]
    assert len(cash) + len(free) == 200
    assert len(free) > 5
    assert {order["amount_fen"] for order in cash} == {900}
    assert all(order["why"] for order in free)
    assert len({order["command_id"] for order in orders}) == 200


# --- printed lines -------------------------------------------------------------------------------------------


def test_one_line_a_passage_chinese_first_with_the_free_stalls() -> None:
    printer = PassagePrinter(LedgerView(Path("/nowhere")), lane_specs(2), 10, lambda line: None)
    at_ms = 1_715_075_283_847
    entry = FactRow(1, "a", "in1", "Passed", at_ms, {"direction": "in", "plate": "鲁B12345"})
    leaving = {"direction": "out", "plate": "鲁B12345", "paid_fen": 550, "plate_corrected_from": "鲁B1234S"}
    assert printer.line(entry) == "17:48:03 入口1 鲁B12345 入场 余位 9  | in, 9 free"
    assert printer.line(FactRow(2, "b", "out1", "Passed", at_ms, leaving)) == (
        "17:48:03 出口1 鲁B12345 (校正自 鲁B1234S) 出场 收费 5.50 元 余位 10"
        "  | out, corrected from 鲁B1234S, paid 5.50 yuan, 10 free"
    )
    nobody = {"direction": "in", "plate": "", "how": "tailgate"}
    assert "无牌车 入场 跟车" in printer.line(FactRow(3, "c", "in1", "Passed", at_ms, nobody))


def test_a_switch_is_told_with_its_cause_also_where_that_is_not_written() -> None:
    """A member that has its default is not in the stored body: a person's switch of an entrance."""
    printer = PassagePrinter(LedgerView(Path("/nowhere")), lane_specs(2), 10, lambda line: None)
    at_ms = 1_715_075_283_847
    by_hand = printer.flow_line(FactRow(1, "a", "in1", "RoleSwitched", at_ms, {"role": "reserved"}))
    assert by_hand.startswith("17:48:03 入口1 ")
    assert "reserved (operator)" in by_hand
    by_city = printer.flow_line(FactRow(2, "b", "", "PrioritySwitched", at_ms, {"on": False, "cause": "city"}))
    assert "关 off (city)" in by_city


# --- arguments -----------------------------------------------------------------------------------------------


def test_headless_is_faster_and_has_four_lanes() -> None:
    fast = options_of(["--cars", "200", "--headless"], Path("/tmp/x"))
    assert (fast.cars, fast.lanes, fast.times) == (200, 4, HEADLESS)
    slow = options_of([], Path("/tmp/x"))
    assert (slow.cars, slow.lanes, slow.times) == (None, 2, REAL)
    assert options_of(["--speed", "3"], Path("/tmp/x")).times == dataclasses.replace(REAL, speed=3.0)


def test_weather_is_a_kind_and_its_share() -> None:
    given = options_of(["--weather", "http_500:0.2", "--weather", "drop_answer"], Path("/tmp/x"))
    assert given.weather == (("http_500", 0.2), ("drop_answer", 1.0))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--headless"], "--cars"),
        (["--weather", "snow"], "snow"),
        (["--weather", "http_500:2"], "http_500:2"),
        (["--weather", "http_500:x"], "http_500:x"),
        (["--kill-every", "0"], "--kill-every 0"),
        (["--speed", "50"], "--speed 50"),
    ],
)
def test_bad_arguments_are_named(arguments: list[str], named: str) -> None:
    with pytest.raises(SimError, match=named):
        options_of(arguments, Path("/tmp/x"))


@pytest.mark.parametrize("arguments", [["--cars", "0"], ["--lanes", "5"], ["--nonsense"]])
def test_what_the_parser_refuses(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options_of(arguments, Path("/tmp/x"))
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_lanes_alternate_and_share_no_pin() -> None:
    specs = lane_specs(4)
    assert [spec.direction for spec in specs] == ["in", "out", "in", "out"]
    pins = [pin for spec in specs for pin in dataclasses.astuple(spec.pins)[:6]]
    assert len(set(pins)) == 24
    assert {camera.camera.vendor for camera in specs} == {"vz", "hikvision", "dahua"}
    assert len({camera.camera.serial for camera in specs}) == 4
    with pytest.raises(ValueError, match="--lanes 5"):
        lane_specs(5)


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


# --- programs ------------------------------------------------------------------------------------------------

GOOD = (
    "import sys,signal\nsignal.signal(15, lambda *_: sys.exit(0))\nprint('ready', flush=True)\nsignal.pause()"
)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[[str], Program]]:
    made: list[Program] = []

    def make(code: str) -> Program:
        command = [sys.executable, "-c", code]
        made.append(Program("lane", command, dict(os.environ), tmp_path / "lane.log"))
        made[-1].start()
        return made[-1]

    yield make
    for program in made:
        program.stop()


def test_a_program_is_up_from_ready_and_stops_on_sigterm(child: Callable[[str], Program]) -> None:
    program = child(GOOD)
    assert program.wait_ready(WITHIN_S)
    program.stop()
    assert not program.up.is_set()
    assert program.died == []
    assert program.started == 1


def test_a_killed_program_is_started_again_and_is_not_called_dead(child: Callable[[str], Program]) -> None:
    program = child(GOOD)
    assert program.wait_ready(WITHIN_S)
    assert program.kill()
    assert not program.up.is_set()
    assert program.wait_ready(WITHIN_S)
    assert (program.kills, program.started, program.died) == (1, 2, [])


def test_a_program_that_ends_by_itself_is_told_and_given_up(child: Callable[[str], Program]) -> None:
    program = child("import sys\nprint('ready', flush=True)\nsys.exit(4)")
    assert program.gave_up.wait(WITHIN_S)
    assert len(program.died) == program.started == 5
    assert "ended by itself with code 4" in program.died[0]


def test_a_program_that_never_says_ready_is_not_up(child: Callable[[str], Program]) -> None:
    program = child(GOOD.replace("'ready'", "'hello'"))
    wait(lambda: program.started == 1)
    assert not program.wait_ready(0.2)
    assert not program.kill()


def test_the_killer_kills_and_the_programs_come_back(child: Callable[[str], Program]) -> None:
    program = child(GOOD)
    assert program.wait_ready(WITHIN_S)
    killer = Killer([program], 0.05, seed=1)
    killer.start()
    wait(lambda: program.kills >= 2)
    killer.stop()
    assert program.wait_ready(WITHIN_S)
    assert program.died == []


def test_a_killing_interval_must_be_positive() -> None:
    with pytest.raises(ValueError, match="--kill-every 0"):
        Killer([], 0, seed=1)
