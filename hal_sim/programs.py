"""The box's two programs as child processes: started, watched, started again, killed for the chaos,
stopped.

The simulator plays systemd: a program that ends is started again. Every end that nobody ordered is counted.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from hal_sim.tied import tie

READY_WITHIN_S = 30.0
STOP_WITHIN_S = 25.0
"""The agent may sit in a request to the city for 20 s (Qingdao B.2)."""

ASKED_EXIT = 3
"""A person asked for a new start at the page: no failure."""

RESTART_PAUSE_S = 0.1
RESTARTS_MAX = 5
"""A program that dies by itself this often is broken: the run ends and says so."""


class Program:
    """One child. `up` is true from its line `ready` until its end."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log_path: Path
    ) -> None:
        self.name = name
        self.up = threading.Event()
        self.died: list[str] = []
        self.kills = 0
        self.started = 0
        self.gave_up = threading.Event()
        self._command, self._environment, self._log_path = list(command), dict(environment), log_path
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._killing = False
        self._thread: threading.Thread | None = None
        self.down_spells: list[tuple[float, float]] = []  # monotonic seconds: from its end to `ready` again

    def start(self) -> None:
        self._thread = threading.Thread(target=self._supervise, name=f"program-{self.name}", daemon=True)
        self._thread.start()

    def wait_ready(self, timeout_s: float = READY_WITHIN_S) -> bool:
        return self.up.wait(timeout_s)

    def kill(self) -> bool:
        """kill -9 now; False if it was not up."""
        with self._lock:
            if self._child is None or not self.up.is_set():
                return False
            self._killing = True
            self.kills += 1
            self.up.clear()
            self._child.kill()
            return True

    def stop(self) -> None:
        """SIGTERM, wait, then kill. A program that had to be killed is counted as died."""
        self._stopping.set()
        with self._lock:
            child = self._child
            if child is not None and child.poll() is None:
                child.terminate()
        if child is not None:
            try:
                child.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.died.append(f"{self.name} did not end within {STOP_WITHIN_S:.0f} s of SIGTERM")
                child.kill()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _supervise(self) -> None:
        down_since_s: float | None = None
        while not self._stopping.is_set():
            with self._log_path.open("a", encoding="utf-8") as log:
                child = self._spawn(log)
                self._serve(child, down_since_s)
                code = child.wait()
            down_since_s = time.monotonic()
            self.up.clear()
            with self._lock:
                ordered, self._killing = self._killing or self._stopping.is_set() or code == ASKED_EXIT, False
                self._child = None
            if not ordered:
                self.died.append(f"{self.name} ended by itself with code {code}, see {self._log_path}")
                if len(self.died) >= RESTARTS_MAX:
                    self.gave_up.set()
                    return
            self._stopping.wait(RESTART_PAUSE_S)

    def _spawn(self, log: IO[str]) -> subprocess.Popen[str]:
        with self._lock:
            # A session of its own: Ctrl-C goes to the simulator alone, which stops its children in order.
            # By the thread that waits for it: killed with it, it leaves nobody at the box's sockets and ports.
            child = subprocess.Popen(
                tie(self._command, "KILL"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,
                text=True,
            )
            self._child = child
            self.started += 1
            if self._stopping.is_set():
                child.terminate()
            return child

    def _serve(self, child: subprocess.Popen[str], down_since_s: float | None) -> None:
        assert child.stdout is not None
        with child.stdout:
            for line in child.stdout:
                if line.strip() == "ready":
                    if down_since_s is not None:
                        self.down_spells.append((down_since_s, time.monotonic()))
                    self.up.set()


def programs(config_path: Path, data_dir: Path, gpio_socket: Path) -> tuple[Program, Program]:
    """Lane and agent, unchanged; only the lane's environment says that its pins are the simulator's."""
    environment = dict(os.environ)
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PARKBOX_SUPERVISED"] = "1"  # as systemd's INVOCATION_ID says it
    pins = str(Path(__file__).parent / "rpi")
    path = environment.get("PYTHONPATH")
    lane_environment = environment | {
        "PYTHONPATH": pins if not path else f"{pins}{os.pathsep}{path}",
        "PARKBOX_SIM_GPIO": str(gpio_socket),
    }
    base = [sys.executable, "-m", "edge.cli"]
    lane = Program("lane", [*base, "lane", str(config_path)], lane_environment, data_dir / "lane.log")
    agent = Program("agent", [*base, "agent", str(config_path)], environment, data_dir / "agent.log")
    return lane, agent


class Killer:
    """kill -9 of one program or the other at random moments, every `every_s` seconds on average."""

    def __init__(self, targets: Sequence[Program], every_s: float, seed: int) -> None:
        if every_s <= 0:
            raise ValueError(f"--kill-every {every_s}: allowed are seconds above 0")
        self._targets, self._every_s = list(targets), every_s
        self._dice = random.Random(f"killer {seed}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._dice.uniform(0.3, 1.7) * self._every_s):
            self._dice.choice(self._targets).kill()


def signal_event() -> threading.Event:
    """Set by Ctrl-C or SIGTERM.

    The handler only writes a byte: it runs between two steps of the main thread, which may hold the event's own lock.
    """
    asked = threading.Event()
    told, tell = os.pipe()

    def wait_for_byte() -> None:
        os.read(told, 1)
        asked.set()

    threading.Thread(target=wait_for_byte, name="signals", daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.write(tell, b"s"))
    return asked
