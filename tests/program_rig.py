"""The two real programs as children over simulated pins, cameras and city, for tests that kill and mislead them.

Nothing sleeps: whoever waits looks at a condition again and again until its deadline. A program that ends is not
started again by itself; the test does that, and knows what the world did meanwhile.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeVar

import hal_sim
from hal_sim.ledger_view import FactRow, facts_after
from hal_sim.qingdao import Account, QingdaoPlatform
from hal_sim.site.gpio_server import GpioServer
from hal_sim.site.pins import PinBank
from tests.program_site import ACCOUNT, Bay, Push, write_config

READY_S = 30.0
STOP_S = 15.0
WITHIN_S = 20.0
LOOK_S = 0.01
ANSWER_S = 5.0
PULSE_S = 0.2
"""Longer than the 150 ms that the lane takes for one pulse with a gap: how fast a real car can be."""

WRAPPER = "tests.program_sick"

T = TypeVar("T")


class Died(Exception):
    """The program has ended while somebody needed it."""


def until(look: Callable[[], T | None], what: str, within_s: float = WITHIN_S) -> T:
    """What `look` says when it says something true for the first time."""
    pause, deadline_s = threading.Event(), time.monotonic() + within_s
    while not (found := look()):
        if time.monotonic() > deadline_s:
            raise AssertionError(f"not within {within_s:.0f} s: {what}")
        pause.wait(LOOK_S)
    return found


class Child:
    """One program. `ready` is set by its line `ready`."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.ready = threading.Event()
        self.log = log
        with log.open("ab") as out:
            self._child: subprocess.Popen[str] = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out, env=environment,
                start_new_session=True, text=True,
            )  # fmt: skip
        assert self._child.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._child.stdout,), daemon=True)
        self._reader.start()

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                if line.strip() == "ready":
                    self.ready.set()

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def await_ready(self) -> Child:
        until(lambda: self.ready.is_set() or not self.alive, f"{self.log.name} ready", READY_S)
        if not self.ready.is_set():
            raise Died(self.log.read_text("utf-8")[-3000:])
        return self

    def kill(self) -> None:
        """kill -9; harmless when it has ended."""
        self._child.kill()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self._child.terminate()
        return self.end()

    def end(self) -> int:
        """Wait for its end by itself."""
        try:
            return self._child.wait(STOP_S)
        finally:
            if self.alive:
                self._child.kill()
                self._child.wait()
            self._reader.join(STOP_S)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.end()


@contextmanager
def killed_later(child: Child, after_s: float, sign: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """kill -9, `after_s` from the moment at which `sign` says yes; at once when it has ended before.

    A sign of work ("the city got something") instead of the time since the start: on a slow machine every kill at a
    fixed time falls into the imports, and a test of kills would show nothing.
    """
    over = threading.Event()

    def run() -> None:
        while not sign():
            if not child.alive or over.wait(LOOK_S):
                return
        over.wait(after_s)
        child.kill()

    killer = threading.Thread(target=run, name="killer")
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


def grows(count: Callable[[], int]) -> Callable[[], bool]:
    """Says yes once there is more than now."""
    before = count()
    return lambda: count() > before


class Box:
    """One box in `folder`: its config, the pins of its lanes, its city. Programs are started by `lane` and `agent`."""

    def __init__(self, folder: Path, config: Path, bays: Sequence[Bay], bank: PinBank, ports: tuple[int, int]) -> None:
        self.folder, self.config, self.bank = folder, config, bank
        self.bays = {bay.id: bay for bay in bays}
        self.listener_port, self.web_port = ports
        self.socket = folder / "lane.sock"
        self.gpio = folder / "gpio.sock"
        self.data = folder / "data"

    def lane(self, sick: dict[str, object] | None = None, *, pins: bool = True) -> Child:
        """Start `parkbox lane`. `sick`: through the wrapper that makes it ill in this way."""
        extra = {}
        if pins:
            before = os.environ.get("PYTHONPATH")
            path = str(Path(hal_sim.__file__).parent / "rpi")
            path = f"{path}{os.pathsep}{before}" if before else path
            extra = {"PYTHONPATH": path, "PARKBOX_SIM_GPIO": str(self.gpio)}
        return self._start("lane", sick, extra)

    def agent(self, sick: dict[str, object] | None = None) -> Child:
        return self._start("agent", sick, {})

    def _start(self, name: str, sick: dict[str, object] | None, extra: dict[str, str]) -> Child:
        head = ["edge.cli"] if sick is None else [WRAPPER, json.dumps(sick)]
        return Child(
            [sys.executable, "-m", *head, name, str(self.config)], dict(os.environ) | extra, self.folder / f"{name}.log"
        )

    # --- what can be seen from outside ---------------------------------------------------------------------------

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One line to the lane program's socket. `OSError` when nobody answers."""
        return dict(json.loads(self.ask_raw(json.dumps(request).encode() + b"\n")))

    def ask_raw(self, line: bytes) -> bytes:
        """What is answered up to the first line end, or up to the end of the connection."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(ANSWER_S)
            sock.connect(str(self.socket))
            sock.sendall(line)
            data = b""
            while not data.endswith(b"\n"):
                more = sock.recv(65536)
                if not more:
                    raise ConnectionError("closed without an answer")
                data += more
        return data

    def command(self, command_id: str, lane: str, action: str, **more: object) -> dict[str, Any]:
        return self.ask(
            {"op": "command", "command": {"command_id": command_id, "lane": lane, "action": action, "who": "t"} | more}
        )

    def view(self) -> dict[str, Any]:
        return dict(self.ask({"op": "view"})["view"])

    def lane_view(self, lane: str) -> dict[str, Any]:
        return next(one for one in self.view()["lanes"] if one["id"] == lane)

    def faults(self) -> set[str]:
        return {fault["code"] for fault in self.view()["faults"]}

    def facts(self) -> list[FactRow]:
        return facts_after(self.data / "ledger.db", 0)

    def push(self, push: Push) -> tuple[int, bytes]:
        """Status and body of the reply, (0, b"") when there was none."""
        return push.send(self.listener_port)


class Driver:
    """A car through a lane, step by step; after `Died` and a new start, `drive` goes on where it was."""

    def __init__(self, box: Box, bay: Bay, plate: str, entered: str = "", *, durable: bool = True) -> None:
        """`entered`: the lane by which it came, at an exit. It is on record before a car can be at the exit.
        `durable`: the decision must be on the disk when the arm goes up, or the disk fails and the arm tells."""
        self.box, self.bay, self.plate, self.entered, self.durable = box, bay, plate, entered, durable
        self._raised = 0
        self.due_fen: list[int] = []  # what was asked for and paid
        self._stage = 0
        self._pushed_for: Child | None = None

    def drive(self, lane: Child) -> None:
        steps = (self._come, self._wait_open, self._cover, self._leave_arrival, self._through)
        while self._stage < len(steps):
            steps[self._stage](lane)
            self._stage += 1

    def _come(self, lane: Child) -> None:
        if self.entered:
            self._await(lane, lambda: (self.entered, self.plate) in passages(self.box.facts()), "entry on record")
        if not self.durable:
            self._await(lane, lambda: not self.bay.arm_up, "arm down")
        self._raised = self.bay.raised
        threading.Event().wait(PULSE_S)  # the gap behind the car before: a loop clear for less is one pulse
        self.bay.loop("arrival", on=True)

    def _wait_open(self, lane: Child) -> None:
        """The camera pushes until it is answered, and once more for a program that is new."""

        def looked() -> bool:
            if self._pushed_for is not lane:
                status, _ = self.box.push(self.bay.camera.read(self.plate))
                self._pushed_for = lane if status == 200 else None
            seen = self.box.lane_view(self.bay.id) if self.entered else {}
            if seen.get("state") == "wait_payment" and not self.due_fen:
                car = {"arrival_id": seen["arrival_id"], "seen_plate": seen["plate"], "order_id": seen["order_id"]}
                order = {"amount_fen": seen["due_fen"], "why": "test"} | car
                if self.box.command(f"pay {self.plate}", self.bay.id, "pay_cash", **order)["ok"]:
                    self.due_fen.append(seen["due_fen"])
            if not self.durable:
                return self.bay.raised > self._raised
            return self.bay.arm_up and self.plate in admitted(self.box.facts(), self.bay.id)

        self._await(lane, looked, f"{self.plate} admitted")

    def _cover(self, lane: Child) -> None:
        self._contact(lane, "safety", on=True)

    def _leave_arrival(self, lane: Child) -> None:
        self._contact(lane, "arrival", on=False)
        threading.Event().wait(PULSE_S)  # the car's length

    def _through(self, lane: Child) -> None:
        self._contact(lane, "safety", on=False)

    def _contact(self, lane: Child, loop: str, *, on: bool) -> None:
        self.bay.loop(loop, on=on)
        self._await(lane, lambda: self.box.lane_view(self.bay.id)[loop] is on, f"{loop} seen {on}")

    def _await(self, lane: Child, look: Callable[[], bool], what: str) -> None:
        def looked() -> bool:
            if not lane.alive:
                raise Died(what)
            try:
                return look()
            except (OSError, ValueError):
                return False  # not up yet, or just killed: the next look tells

        until(looked, f"{self.bay.id}: {what}; see {lane.log}")


def admitted(facts: Sequence[FactRow], lane: str) -> set[str]:
    """Plates that were admitted at the lane and have not passed it."""
    found: dict[str, str] = {}
    for fact in facts:
        if fact.lane == lane and fact.kind == "Decided" and fact.body["decision"] == "admit":
            found[fact.body["arrival_id"]] = fact.body["plate"]
        elif fact.lane == lane and fact.kind in ("Passed", "BackedOut"):
            found.pop(fact.body["arrival_id"], None)
    return set(found.values())


def passages(facts: Sequence[FactRow]) -> set[tuple[str, str]]:
    """Lane and plate of every recorded passage."""
    return {(fact.lane, fact.body["plate"]) for fact in facts if fact.kind == "Passed"}


@contextmanager
def box_in(folder: Path, **options: Any) -> Iterator[Box]:
    """A box with pins, and with a city if `city` is a platform that runs."""
    folder.mkdir(parents=True, exist_ok=True)
    bank = PinBank()
    config, bays, ports = write_config(folder, bank, **options)
    box = Box(folder, config, bays, bank, ports)
    server = GpioServer(box.gpio, bank)
    server.start()
    try:
        yield box
    finally:
        server.stop()


@contextmanager
def platform_on() -> Iterator[tuple[QingdaoPlatform, str]]:
    """The simulated city, and its url."""
    platform = QingdaoPlatform(account())
    url = platform.start()
    try:
        yield platform, url
    finally:
        platform.stop()


def account() -> Account:
    return Account(**ACCOUNT)
