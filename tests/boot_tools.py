"""A card for the tests of first boot: a boot partition, a data folder, and a child that dies at its nth write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from edge.box.first_boot import FirstBoot, Ground
from edge.box.restore_place import Places, finish

SERIAL = "10000000abcdef01"

CONFIG = """
[box]
id = "QD-000101"
data_dir = "/var/lib/parkbox"
socket = "/run/parkbox/lane.sock"

[lot]
park_id = "0123456789abcdef0123456789abcdef"
code = "P000001"
name = "示例停车场"
total_stalls = 60

[[lane]]
id = "in1"
name = "入口"
number = 1
direction = "in"

[lane.barrier]
open_pin = 17

[lane.loops]
arrival_pin = 23
safety_pin = 24

[[lane.camera]]
id = "cam-in1"
vendor = "hikvision"
addresses = ["192.168.55.131"]

[city.qingdao]
url = "https://city.example/"
cno = "C1"
sub_code = "S1"
user = "u1"
password_file = "credential:secrets_password"
passkey_file = "credential:secrets_passkey"

[web]
host = "0.0.0.0"
port = 8443
tls = "own"
"""

NETWORK = 'mode = "static"\naddress = "192.168.1.50/24"\ngateway = "192.168.1.1"\ndns = ["223.5.5.5"]\n'
SECRETS = {"password": "a-secret-of-the-city", "passkey": "another-secret"}
KILLED = 9
COST = (16, 1)
"""Of scrypt: what is tested is not how long it takes."""
WRITES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown")
"""Audit events of all that changes a folder (Python's audit events table); files opened for writing beside them."""


def card(folder: Path) -> Ground:
    """An empty box whose boot partition is not yet written."""
    places = Places(folder / "etc" / "box.toml", folder / "etc" / "secrets", folder / "data")
    for path in (folder / "boot", folder / "run", folder / "etc"):
        path.mkdir(parents=True, exist_ok=True)
    return Ground(folder / "boot", places, folder / "net" / "10-parkbox.network", folder / "chrony" / "p.sources",
                  folder / "run", SERIAL)  # fmt: skip


def write_kit(
    folder: Path, config: str = CONFIG, network: str = NETWORK, secrets: dict[str, str] | None = None
) -> None:
    (folder / "parkbox-secrets").mkdir(parents=True, exist_ok=True)
    (folder / "parkbox.toml").write_text(config, "utf-8")
    (folder / "parkbox-network.toml").write_text(network, "utf-8")
    for name, text in (SECRETS if secrets is None else secrets).items():
        (folder / "parkbox-secrets" / name).write_text(text, "utf-8")


def boot(ground: Ground) -> tuple[int, list[str]]:
    """Exit code and what the console shows."""
    said: list[str] = []
    return FirstBoot(ground, said.append, COST).run(), said


class Forker:
    """A warm process of one thread that forks a child for each try; a new interpreter each time would cost ten times
    that, and a fork of the test's own process, which has threads, may hang."""

    def __init__(self) -> None:
        self._child = subprocess.Popen([sys.executable, "-m", "tests.boot_tools"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)  # fmt: skip

    def killed(self, number: int, job: str, folder: Path) -> bool:
        """Run `job` on the card in `folder`, in a child that is gone before its `number`th change of a file or
        folder; whether it was."""
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.write(json.dumps([number, job, str(folder)]) + "\n")
        self._child.stdin.flush()
        code = int(self._child.stdout.readline())
        assert code in (0, KILLED), f"the child failed by itself: {code}"
        return code == KILLED

    def close(self) -> None:
        self._child.communicate()


def _work(job: str, folder: Path) -> None:
    ground = card(folder)
    if job == "boot":
        boot(ground)
    elif job == "finish":
        finish(ground.places)
    else:
        raise ValueError(f"job is {job!r}, allowed are boot and finish")


def _one(number: int, job: str, folder: str) -> int:
    pid = os.fork()
    if pid == 0:
        left = [number]

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if event in WRITES or writes:
                left[0] -= 1
                if left[0] == 0:
                    os._exit(KILLED)

        try:
            sys.addaudithook(watch)
            _work(job, Path(folder))
        except BaseException:  # noqa: BLE001 - printed whole; the status tells the parent
            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    for line in sys.stdin:
        print(_one(*json.loads(line)), flush=True)
