"""Updates of the booted image: a newer bundle and back, a trial that is cut off, a foreign signature."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_car import ready
from tests.image_machine import BUILD, Machine, missing, until

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())}"),
]
CONFIG = (Path(__file__).parent / "image_box.toml").read_text("utf-8")
IMAGE = Path(__file__).resolve().parent.parent / "image"
STICK_BYTES = 640 << 20


def foreign_keys(folder: Path) -> Path:
    """A whole authority of somebody else's, made by the same recipe."""
    environment = {**os.environ, "BUILD": str(folder)}
    subprocess.run([IMAGE / "keys"], check=True, env=environment, capture_output=True)
    return folder / "keys"


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stick with two bundles of the system that runs: the authority's own, numbered 2, and a stranger's."""
    folder = tmp_path_factory.mktemp("stick")
    keys = {"own.raucb": BUILD / "keys", "foreign.raucb": foreign_keys(folder)}
    stick = folder / "stick.img"
    with stick.open("wb") as file:
        file.truncate(STICK_BYTES)
    subprocess.run(["mkfs.vfat", "-F", "32", str(stick)], check=True, capture_output=True)
    for name, signed in keys.items():
        work = folder / name.removesuffix(".raucb")
        subprocess.run([IMAGE / "bundle", "2", folder / name], check=True, capture_output=True,
                       env={**os.environ, "BUILD": str(BUILD), "KEYS_AT": str(signed), "WORK": str(work)})  # fmt: skip
        subprocess.run(["mcopy", "-i", str(stick), str(folder / name), f"::{name}"], check=True)
        (folder / name).unlink()
    return stick


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, stick: Path) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("box"))
    drive = f"if=none,id=stick,format=raw,readonly=on,file={stick}"
    made.extra = ["-drive", drive, "-device", "virtio-blk-pci,drive=stick"]
    made.put("parkbox.toml", CONFIG)
    made.start()
    ready(made)
    yield made
    made.cut()


def slot(machine: Machine) -> str:
    return machine.run("/usr/lib/parkbox/slot get-current").strip()


def install(machine: Machine, name: str, *, check: bool = True) -> str:
    machine.run("mkdir -p /run/stick && { mountpoint -q /run/stick || mount -o ro /dev/vdb /run/stick; }")
    return machine.run(f"parkbox update /run/stick/{name}", check=check)


def restart(machine: Machine) -> None:
    """In order, into whatever is next; until the box is ready again."""
    boot = machine.run("cat /proc/sys/kernel/random/boot_id")
    machine.run("sync; systemctl reboot --no-block")
    number = "cat /proc/sys/kernel/random/boot_id"
    until(lambda: machine.run(number) != boot, "the next boot", every_s=5.0)
    ready(machine)


def words(machine: Machine, more: str) -> None:
    """For the kernel's command line of the next boots."""
    line = machine.run("sed -n 's/ systemd.mask=.*//; p' /boot/virt.txt").strip()
    write = f"echo '{line} {more}' > /boot/virt.txt && sync"
    machine.run(f"mount -o remount,rw /boot && {write} && mount -o remount,ro /boot")


def kept(machine: Machine) -> bool:
    return machine.run("/usr/lib/parkbox/slot trial && echo trial || echo kept").strip() == "kept"


def test_a_foreign_signature_is_refused_and_nothing_changes(machine: Machine) -> None:
    said = install(machine, "foreign.raucb", check=False)
    assert "not updated" in said and "signature" in said.lower()
    assert slot(machine) == "A"
    assert machine.run("/usr/lib/parkbox/slot get-primary").strip() == "A"


def test_a_trial_whose_power_fails_ends_with_the_old_system(machine: Machine) -> None:
    install(machine, "own.raucb")
    assert machine.run("/usr/lib/parkbox/slot get-primary").strip() == "B"
    words(machine, "systemd.mask=parkbox-health.service")  # so that nobody finds the new system well
    boot = machine.run("cat /proc/sys/kernel/random/boot_id")
    machine.run("systemctl reboot --no-block")
    number = "cat /proc/sys/kernel/random/boot_id"
    until(lambda: machine.run(number) != boot, "the trial", every_s=5.0)
    assert slot(machine) == "B"
    assert not kept(machine)
    words(machine, "")
    machine.cut()
    machine.start()
    ready(machine)
    assert slot(machine) == "A"
    assert kept(machine)


def test_a_newer_bundle_is_kept_when_the_box_is_well_and_the_way_back_is_the_same(machine: Machine) -> None:
    for _ in range(2):
        before = slot(machine)
        install(machine, "own.raucb")
        restart(machine)
        assert slot(machine) != before
        until(lambda: kept(machine), "found well and kept", every_s=2.0)
    print("\n" + machine.run("parkbox update --slots"))
    restart(machine)
    assert slot(machine) != before, "kept, and the start after it is the old one's"
