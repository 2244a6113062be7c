"""The datagrams of sd_notify(3), as a supervisor receives them: from the class, and from both real programs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.service_notify import FED_LATE_S, ServiceNotify
from tests.program_rig import Box, box_in

WITHIN_S = 30.0


class Supervisor:
    """What systemd does: a datagram socket, and a patience."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def next(self, within_s: float = WITHIN_S) -> str:
        self._socket.settimeout(within_s)
        return self._socket.recv(4096).decode("ascii")

    def silent_for(self, time_s: float) -> bool:
        try:
            self.next(time_s)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(name="supervisor", params=["path", "abstract"])
def supervisor_of_notify(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Supervisor]:
    found = Supervisor(str(tmp_path / "n") if request.param == "path" else f"@parkbox-test-{os.urandom(8).hex()}")
    yield found
    found.close()


def test_words_are_those_of_sd_notify(supervisor: Supervisor) -> None:
    notify = ServiceNotify({"NOTIFY_SOCKET": supervisor.address})
    notify.ready()
    assert notify.alive(0.0)
    notify.ending()
    assert [supervisor.next() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "STOPPING=1"]
    notify.close()


def test_a_late_loop_does_not_feed(supervisor: Supervisor) -> None:
    notify = ServiceNotify({"NOTIFY_SOCKET": supervisor.address})
    assert not notify.alive(FED_LATE_S + 0.01)
    notify.ending()
    assert supervisor.next() == "STOPPING=1"  # nothing came before it
    notify.close()


def test_children_cannot_speak_for_the_program() -> None:
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}
    ServiceNotify(environment).close()
    assert environment == {"PATH": "/bin"}


@pytest.mark.parametrize("address", ["relative", "vsock:2:1", "/" + "x" * 107])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="NOTIFY_SOCKET is"):
        ServiceNotify({"NOTIFY_SOCKET": address})


def test_without_or_with_a_dead_supervisor_the_program_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alone = ServiceNotify({})
    alone.ready()
    alone.close()
    assert not caplog.records
    left = ServiceNotify({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    left.ready()
    left.close()
    assert "READY=1 did not reach the supervisor" in caplog.text


def started(box: Box, program: str, address: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PARKBOX_SIM_GPIO": str(box.gpio),
        "NOTIFY_SOCKET": address,
        "WATCHDOG_USEC": "10000000",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "edge.cli", program, str(box.config)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=environment, start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize("program", ["lane", "agent"])
def test_the_real_program_speaks_and_a_frozen_one_is_silent(program: str, tmp_path: Path) -> None:
    supervisor = Supervisor(str(tmp_path / "notify"))
    with box_in(tmp_path / "box") as box:
        child = started(box, program, supervisor.address)
        try:
            assert supervisor.next() == "READY=1"
            assert supervisor.next() == "WATCHDOG=1"
            child.send_signal(signal.SIGSTOP)  # what a hang looks like from outside
            supervisor.silent_for(0.2)  # one that was on its way
            assert supervisor.silent_for(7.0 if program == "agent" else 2.5)  # a beat is 5 s there, 1 s here
            child.send_signal(signal.SIGCONT)
            child.terminate()
            while (word := supervisor.next()) == "WATCHDOG=1":
                pass
            assert word == "STOPPING=1"
            assert child.wait(WITHIN_S) == 0
        finally:
            child.kill()
            child.wait()
            supervisor.close()
