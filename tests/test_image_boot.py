"""`make image-test`: the image as it is flashed, on QEMU's virt machine. It needs `make image` and minutes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_car import drive_in, facts, page, ready, wire
from tests.image_machine import Machine, missing, until

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())}"),
]
CONFIG = (Path(__file__).parent / "image_box.toml").read_text("utf-8")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("box"))
    made.put("parkbox.toml", CONFIG)
    made.start()
    yield made
    made.cut()


def times(machine: Machine) -> str:
    """The start and our part of it by systemd, and what of the processor that took (less moved by other work here)."""
    told = "export SYSTEMD_COLORS=0; systemd-analyze; systemd-analyze blame --no-pager | grep -E 'parkbox|rauc|chrony'"
    spent = "for u in first-boot lane agent; do echo $u $(systemctl show -P CPUUsageNSec parkbox-$u.service) ns; done"
    return machine.run(f"{told}; systemd-analyze critical-chain parkbox-lane.service --no-pager; {spent}")


def test_a_flashed_card_becomes_a_box_whose_page_answers(machine: Machine) -> None:
    ready(machine)
    assert page(machine)[0] == 200
    assert machine.run("systemctl --failed --plain --no-legend --no-pager").strip() == ""
    print(f"\nfirst start\n{times(machine)}")


def test_state_is_on_data_alone_and_data_is_the_rest_of_the_card(machine: Machine) -> None:
    mounts = [row.split()[:4] for row in machine.run("cat /proc/mounts").splitlines()]
    writable = {where for what, where, kind, how in mounts if what.startswith("/dev/") and how.startswith("rw")}
    assert writable >= {"/data", "/var/lib/parkbox", "/etc/parkbox", "/var/log"}
    on_data = machine.run("stat -c '%d' /data " + " ".join(sorted(writable - {"/data"}))).split()
    assert len(set(on_data)) == 1, writable
    assert int(machine.run("blockdev --getsize64 $(findmnt -no SOURCE /data)")) > 3 << 30
    assert "Read-only file system" in machine.run("touch /usr/x /etc/x /boot/x", check=False)


def test_no_port_is_open_but_the_pages_and_the_cameras(machine: Machine) -> None:
    rows = [row.split() for row in machine.run("ss -Htuln").splitlines()]
    outside = {row[4] for row in rows if not re.match(r"127\.|\[::1\]|.*%lo", row[4])}
    # 68 and 546: the DHCP client's own, on the address it got.
    assert {where.rsplit(":", 1)[1] for where in outside} <= {"8080", "8081", "68", "546"}, outside


def test_nobody_can_log_in_by_a_password(machine: Machine) -> None:
    hashes = [row.split(":")[1] for row in machine.run("cat /etc/shadow").splitlines()]
    assert all(word in {"*", "!", "!*"} for word in hashes)


def test_neither_compiler_nor_simulator_nor_package_source(machine: Machine) -> None:
    unwanted = "/usr/bin/gcc* /usr/bin/cc /usr/bin/pip* /opt/parkbox/lib/python*/site-packages/hal_sim /etc/apt/s*"
    assert machine.run(f"ls -d {unwanted} 2>/dev/null", check=False).strip() == ""


def test_a_car_passes_over_real_pins_and_the_network(machine: Machine) -> None:
    wire(machine)
    ready(machine)
    drive_in(machine, "鲁B12345", 1)
    kinds = [kind for _, _, kind, _ in facts(machine)]
    assert kinds.count("Passed") == 1


def test_a_frozen_lane_is_started_anew_by_its_watchdog(machine: Machine) -> None:
    before = machine.run("systemctl show -P MainPID parkbox-lane.service").strip()
    machine.run(f"kill -STOP {before}")
    pid = "systemctl show -P MainPID parkbox-lane.service"
    until(lambda: machine.run(pid).strip() not in {before, "0"}, "a new lane")
    ready(machine)
    assert "watchdog" in machine.run("journalctl -b -u parkbox-lane.service --no-pager | grep -i watchdog")


def test_the_second_start_has_nothing_to_make(machine: Machine) -> None:
    machine.run("sync")
    machine.cut()
    machine.start()
    ready(machine)
    print(f"\nsecond start\n{times(machine)}")
    wire(machine)
    ready(machine)
    drive_in(machine, "鲁B67890", 2)
    assert [kind for _, _, kind, _ in facts(machine)].count("Passed") == 2
