"""A real MQTT broker where one is installed: mosquitto on a port of 127.0.0.1, ended by its own id.

It stands beside the simulated platforms: what speaks MQTT here can be tried against a broker that is not ours.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from hal_sim.free_ports import free_ports
from hal_sim.tied import tie

READY_WITHIN_S = 20.0
LOOK_EVERY_S = 0.02

CONFIG = """user root
listener {port} 127.0.0.1
{entry}
persistence {persistence}
persistence_location {folder}/
autosave_interval 1
autosave_on_changes true
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
log_type error
log_type warning
log_type notice
log_dest file {folder}/mosquitto.log
"""
"""No limits of its own: what is tried is the client. `autosave` writes every change: a kill loses nothing. Started
by root it stays root, because the folder is ours; started by others the line means nothing."""

HASH_ROUNDS = 101
"""As mosquitto_passwd does it: PBKDF2 with SHA-512, `user:$7$rounds$salt$key`."""

BROKEN = re.compile(r"protocol error|malformed|not authorised", re.IGNORECASE)
"""What mosquitto's log says of a client that does what MQTT or its account does not allow."""


def program() -> str | None:
    """Debian keeps it where only root looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def version() -> str:
    """What it says of itself, as "mosquitto 2.0.21"; "" when it is not installed or says nothing of the kind."""
    found = program()
    if found is None:
        return ""
    said = subprocess.run([found, "-h"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    number = re.search(r"^mosquitto version (\S+)", said.stdout, re.MULTILINE)
    return f"mosquitto {number[1]}" if number else ""


class Mosquitto:
    """`with Mosquitto(folder) as broker`: answers on `broker.port` inside, gone after.

    `end(signal.SIGKILL)` and `start()` in between are a power cut of the broker; the port stays.
    `accounts`: names with their passwords; without any, everybody may enter. `tied`: it also ends with the thread that
    starts it, when that is killed (Linux; where setpriv is).
    Raises `RuntimeError` when it is not installed or does not come up.
    """

    def __init__(
        self,
        folder: Path,
        *,
        persistence: bool = True,
        accounts: Mapping[str, str] | None = None,
        tied: bool = False,
    ) -> None:
        found = program()
        if found is None:
            raise RuntimeError("mosquitto is not installed")
        self._folder = folder
        self.port = free_ports(1)[0]
        entry = "allow_anonymous true"
        if accounts is not None:
            entry = f"allow_anonymous false\npassword_file {_passwords(folder, accounts)}"
        words = CONFIG.format(port=self.port, entry=entry, persistence=str(persistence).lower(), folder=folder)
        config = folder / "mosquitto.conf"
        config.write_text(words, encoding="utf-8")
        command = [found, "-c", str(config)]
        self._command = tie(command, "TERM") if tied else command
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
            self._child = subprocess.Popen(  # a session of its own: Ctrl-C is for who started it, and he ends it last
                self._command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True
            )
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

    def complaints(self) -> list[str]:
        """Lines of its log about clients that broke the protocol or were not let in."""
        log = self._folder / "mosquitto.log"
        if not log.exists():
            return []
        return [line for line in log.read_text("utf-8", "replace").splitlines() if BROKEN.search(line)]

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


def _passwords(folder: Path, accounts: Mapping[str, str]) -> Path:
    lines = []
    for name, password in accounts.items():
        salt = secrets.token_bytes(12)
        key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, HASH_ROUNDS)
        shown = [base64.b64encode(each).decode() for each in (salt, key)]
        lines.append(f"{name}:$7${HASH_ROUNDS}${shown[0]}${shown[1]}\n")
    path = folder / "mosquitto.passwords"
    path.touch(mode=0o600)
    path.write_text("".join(lines), encoding="utf-8")
    return path
