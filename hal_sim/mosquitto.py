"""A real MQTT broker where one is installed: mosquitto on a port of 127.0.0.1, ended by its own id.

It stands beside the simulated platforms: what speaks MQTT here can be tried against a broker that is not ours.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from hal_sim.site_config import free_ports

READY_WITHIN_S = 20.0
LOOK_EVERY_S = 0.02

CONFIG = """user root
listener {port} 127.0.0.1
allow_anonymous true
persistence {persistence}
persistence_location {folder}/
autosave_interval 1
autosave_on_changes true
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
log_type error
log_dest file {folder}/mosquitto.log
"""
"""No limits of its own: what is tried is the client. `autosave` writes every change: a kill loses nothing. Started
by root it stays root, because the folder is ours; started by others the line means nothing."""


def program() -> str | None:
    """Debian keeps it where only root looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Mosquitto:
    """`with Mosquitto(folder) as broker`: answers on `broker.port` inside, gone after.

    `end(signal.SIGKILL)` and `start()` in between are a power cut of the broker; the port stays.
    Raises `RuntimeError` when it is not installed or does not come up.
    """

    def __init__(self, folder: Path, *, persistence: bool = True) -> None:
        found = program()
        if found is None:
            raise RuntimeError("mosquitto is not installed")
        self._folder = folder
        self.port = free_ports(1)[0]
        words = CONFIG.format(port=self.port, persistence=str(persistence).lower(), folder=folder)
        config = folder / "mosquitto.conf"
        config.write_text(words, encoding="utf-8")
        self._command = [found, "-c", str(config)]
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self) -> None:
        with (self._folder / "mosquitto.err").open("ab") as words:
            self._child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=words, stderr=words)
        due_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < due_s and self._child.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), LOOK_EVERY_S).close()
            except OSError:
                try:
                    self._child.wait(LOOK_EVERY_S)  # a pause that its early end cuts short
                except subprocess.TimeoutExpired:
                    continue
            else:
                return
        code = self._child.poll()
        self.end()
        raise RuntimeError(f"mosquitto did not come up on port {self.port} (code {code}), see {self._folder}")

    def pause(self, signal_number: int) -> None:
        """SIGSTOP, and SIGCONT."""
        if self._child is not None:
            self._child.send_signal(signal_number)

    def end(self, signal_number: int = signal.SIGTERM) -> None:
        """Again is harmless."""
        child, self._child = self._child, None
        if child is not None:
            child.send_signal(signal_number)
            child.wait()
