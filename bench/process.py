"""A measured program: started, awaited by the first word it prints, looked at through /proc, ended by its own id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import hal_sim

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0


def sim_gpio_environment(gpio_socket: Path) -> dict[str, str]:
    """`RPi.GPIO` is the simulated one, its pins are behind `gpio_socket`."""
    pins = str(Path(hal_sim.__file__).parent / "rpi")
    path = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{pins}{os.pathsep}{path}" if path else pins, "PARKBOX_SIM_GPIO": str(gpio_socket)}


def cli(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edge.cli", *arguments]


class Process:
    """`with Process(...) as p`: running and ready inside, ended after. `word` begins the line that says ready."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, *, word: str = "ready"
    ) -> None:
        self._command, self._log, self._word = list(command), log, word
        self._environment = dict(os.environ) | dict(environment or {})
        # An installed program has its bytecode; with this set, as in some development shells, each start compiles it.
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self._found = threading.Event()
        self.line = ""  # the line that said ready
        self.ready_s = 0.0  # from exec to that line

    def __enter__(self) -> Process:
        began_s = time.monotonic()
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=self._environment,
                start_new_session=True, text=True,
            )
        self._reader = threading.Thread(target=self._read, args=(began_s,), daemon=True)
        self._reader.start()
        if not self._found.wait(READY_WITHIN_S) or not self.line:
            self._end()
            raise RuntimeError(f"{' '.join(self._command)} did not get ready:\n{self._log.read_text('utf-8')[-2000:]}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended_early = self._child.poll()
        self._end()
        if ended_early is not None and error is None:
            raise RuntimeError(f"{' '.join(self._command)} ended by itself with code {ended_early}, see {self._log}")

    @property
    def pid(self) -> int:
        return self._child.pid

    def pause(self, signal_number: int) -> None:
        self._child.send_signal(signal_number)

    def resident_kb(self, name: str = "VmRSS") -> int:
        """VmRSS (now) or VmHWM (highest) of /proc/PID/status."""
        for line in Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise RuntimeError(f"process {self.pid} has no {name}: has it ended?")

    def _read(self, began_s: float) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as lines:
            for line in lines:
                if not self.line and self._word in line:
                    self.ready_s = time.monotonic() - began_s
                    self.line = line.strip()
                    self._found.set()
        self._found.set()  # ended: nobody shall wait for it

    def _end(self) -> None:
        """The whole group: what runs under strace is not strace's to end. Nobody holds the pipe: all have ended."""
        if self._child.poll() is not None and not self._reader.is_alive():
            return
        self._signal_all(signal.SIGTERM)
        self._reader.join(STOP_WITHIN_S)
        if self._reader.is_alive():
            self._signal_all(signal.SIGKILL)
            self._reader.join(STOP_WITHIN_S)
        self._child.wait(STOP_WITHIN_S)

    def _signal_all(self, number: int) -> None:
        try:
            os.killpg(self._child.pid, number)  # start_new_session made it the leader of its own group
        except ProcessLookupError:
            return  # all have ended
