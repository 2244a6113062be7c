"""`make image-test`: a lane on a relay board behind a USB adapter of QEMU's, in the sandbox of its unit. The adapter is
pulled out and comes back, in the same socket and under another number, while the lane runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_board import ADAPTER, OTHER_SOCKET, STRANGER, BoardSite, drive_in, node, plug
from tests.image_car import facts, ready
from tests.image_machine import Machine, missing, until

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())}"),
]
CONFIG = (Path(__file__).parent / "image_rs485.toml").read_text("utf-8")
UNIT = "parkbox-lane.service"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardSite]:
    made = BoardSite(tmp_path_factory.mktemp("line"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, site: BoardSite) -> Iterator[Machine]:
    """Started without the adapter: it comes when the lane runs already."""
    made = Machine(tmp_path_factory.mktemp("box"))
    made.put("parkbox.toml", CONFIG)
    made.extra = site.open()
    made.start()
    ready(made)
    yield made
    made.cut()


def pid(machine: Machine) -> str:
    return machine.run(f"systemctl show -P MainPID {UNIT}").strip()


def faults(machine: Machine) -> set[tuple[str, str]]:
    """(code, device) of those that are there now, by the ledger."""
    found: set[tuple[str, str]] = set()
    for _, _, kind, body in facts(machine):
        if kind in {"FaultRaised", "FaultCleared"}:
            key = body["code"], body["device"]
            found = found | {key} if kind == "FaultRaised" else found - {key}
    return found


GONE = {("line_down", "rs485-in1"), ("loops_down", "board-in1"), ("barrier_down", "board-in1")}
SILENT = {("loop_silent", "arrival"), ("loop_silent", "safety")}


def well(machine: Machine) -> bool:
    return not faults(machine) & (GONE | SILENT)


def test_an_adapter_that_comes_later_is_found_and_has_the_name_of_its_socket(machine: Machine, site: BoardSite) -> None:
    before = pid(machine)
    until(lambda: faults(machine) >= GONE, "no adapter is a fault", every_s=1.0)
    plug(machine)
    until(lambda: well(machine), "the line is there", every_s=1.0)
    assert node(machine) == "/dev/ttyUSB0"
    assert pid(machine) == before
    # The rule of udev.rules.d for FTDI adapters: their 16 ms are longer than a Modbus reply may pause.
    assert machine.run("cat /sys/bus/usb-serial/devices/ttyUSB0/latency_timer").strip() == "1"


def test_a_car_passes_over_the_board(machine: Machine, site: BoardSite) -> None:
    drive_in(machine, site, "鲁B12345", 1)
    assert site.device.both == 0


def test_the_lane_may_open_serial_adapters_and_no_disk(machine: Machine) -> None:
    """Root, who may open everything, put into the unit's own group of processes: what is left is its device policy."""
    group = f"/sys/fs/cgroup$(systemctl show -P ControlGroup {UNIT})/cgroup.procs"

    def opened(device: str) -> str:
        return machine.run(f"sh -c 'echo $$ > {group}; exec 3<>{device}'", check=False)

    assert "not permitted" in opened("/dev/vda")
    assert "not permitted" in opened("/dev/hvc0")
    assert opened("/dev/null") == ""
    # In its own view of the files: the disk's node is there, and nothing that is mounted below /dev.
    inside = f"nsenter -m -t {pid(machine)} "
    assert machine.run(f"{inside} ls /dev/shm /dev/pts").split() == ["/dev/pts:", "/dev/shm:"]
    assert "Read-only" in machine.run(f"{inside} touch /dev/new", check=False)


def test_pulled_out_it_is_a_fault_and_back_the_lane_goes_on(machine: Machine, site: BoardSite) -> None:
    before = pid(machine)
    machine.monitor.pull(ADAPTER)
    until(lambda: faults(machine) >= GONE, "the fault", every_s=1.0)
    plug(machine)
    until(lambda: well(machine), "the fault is over", every_s=1.0)
    drive_in(machine, site, "鲁B22222", 2)
    assert pid(machine) == before
    assert site.device.both == 0


def test_it_comes_back_under_another_number(machine: Machine, site: BoardSite) -> None:
    before = pid(machine)
    machine.monitor.pull(ADAPTER)
    until(lambda: faults(machine) >= GONE, "the fault", every_s=1.0)
    plug(machine, STRANGER, OTHER_SOCKET)
    until(lambda: "ttyUSB0" in machine.run("ls /dev"), "a stranger's adapter took the number")
    plug(machine)
    until(lambda: well(machine), "the fault is over", every_s=1.0)
    assert node(machine) == "/dev/ttyUSB1"
    drive_in(machine, site, "鲁B33333", 3)
    assert pid(machine) == before
    assert site.device.both == 0
