"""Updates of the booted image, one machine from test to test: a stranger's bundle at the command and at the page, a
newer one through the page, the power gone while a slot is written and during the trial, and the way back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_bundle import foreign, own, stick
from tests.image_car import ready
from tests.image_machine import Machine, missing, until
from tests.image_page import PageClient

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())}"),
]
CONFIG = (Path(__file__).parent / "image_box.toml").read_text("utf-8")
SLOT_SECTORS = 655_360
"""Of 512 bytes, of one slot (image/common)."""
PARTITION = {"A": 2, "B": 3}
SEED = 20261122
REFUSED = ("signature verification failed", "签名不符", "not signed for this box")
BOOT = "cat /proc/sys/kernel/random/boot_id"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return {"older.raucb": own(folder, 1), "newer.raucb": own(folder, 2), "foreign.raucb": foreign(folder, 3)}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, bundles: dict[str, Path]) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("box")
    made = Machine(folder)
    drive = f"if=none,id=stick,format=raw,readonly=on,file={stick(folder, bundles)}"
    made.extra = ["-drive", drive, "-device", "virtio-blk-pci,drive=stick"]
    made.put("parkbox.toml", CONFIG)
    made.start()
    ready(made)
    yield made
    made.cut()


def slot(machine: Machine) -> str:
    return machine.run("/usr/lib/parkbox/slot get-current").strip()


def settled(machine: Machine) -> str:
    """The slot that runs, is the next and is kept: nothing is under way."""
    assert machine.run("/usr/lib/parkbox/slot get-primary").strip() == slot(machine)
    assert kept(machine)
    return slot(machine)


def other(name: str) -> str:
    return {"A": "B", "B": "A"}[name]


def slots(machine: Machine) -> dict[str, str]:
    """What `parkbox update --slots` says of each."""
    return {line.split()[0]: line for line in machine.run("parkbox update --slots").splitlines()}


def insert_stick(machine: Machine) -> None:
    machine.run("mkdir -p /run/stick && { mountpoint -q /run/stick || mount -o ro /dev/vdb /run/stick; }")


def install(machine: Machine, name: str, *, check: bool = True) -> str:
    insert_stick(machine)
    return machine.run(f"parkbox update /run/stick/{name}", check=check)


def started_anew(machine: Machine, boot: str) -> None:
    until(lambda: machine.run(BOOT) != boot, "the next boot", every_s=5.0)


def restart(machine: Machine) -> None:
    """In order, into whatever is next; until the box is ready again."""
    boot = machine.run(BOOT)
    machine.run("sync; systemctl reboot --no-block")
    started_anew(machine, boot)
    ready(machine)


def words(machine: Machine, more: str) -> None:
    """For the kernel's command line of the next boots."""
    line = machine.run("sed -n 's/ systemd.mask=.*//; p' /boot/virt.txt").strip()
    write = f"echo '{line} {more}' > /boot/virt.txt && sync"
    machine.run(f"mount -o remount,rw /boot && {write} && mount -o remount,ro /boot")


def kept(machine: Machine) -> bool:
    return machine.run("/usr/lib/parkbox/slot trial && echo trial || echo kept").strip() == "kept"


def runs_bundle(machine: Machine, number: int) -> None:
    """The system that runs came out of bundle `number`, and whoever asks is told so."""
    assert machine.run("cat /run/system/number").strip() == str(number)
    running = slot(machine)
    line = slots(machine)[running]
    assert line.split()[1] == str(number) and "running" in line and "next" in line and "not confirmed" not in line
    print(f"\n{line}")


def test_a_foreign_signature_is_refused_and_nothing_changes(machine: Machine) -> None:
    said = install(machine, "foreign.raucb", check=False)
    assert "未更新 not updated" in said and all(word in said for word in REFUSED)
    assert settled(machine) == "A"


def test_the_page_s_program_may_look_and_may_not_order(machine: Machine) -> None:
    """RAUC's service takes orders from root alone, whatever becomes of the programs that face the network."""
    parkbox = "setpriv --reuid=parkbox --regid=parkbox --clear-groups --no-new-privs"
    call = f"{parkbox} busctl call de.pengutronix.rauc / de.pengutronix.rauc.Installer"
    for order in ("Mark ss active other", "Mark ss bad booted", "Install s /data/bundles/upload.raucb"):
        assert "denied" in machine.run(f"{call} {order}", check=False).lower(), order
    assert "parkbox-arm64" in machine.run(f"{parkbox} rauc status")
    assert settled(machine) == "A"


def test_a_foreign_bundle_at_the_page_is_refused_in_words(machine: Machine, bundles: dict[str, Path]) -> None:
    page = PageClient(machine)
    page.enter()
    page.upload(bundles["foreign.raucb"])
    until(lambda: page.get("/api/update")["phase"] == "failed", "refused", every_s=2.0)
    view = page.get("/api/update")
    assert "现用系统不变" in view["zh"] and "签名不符" in view["zh"]
    assert "the running system stays" in view["en"] and "not signed for this box" in view["en"]
    assert [row["name"] for row in view["slots"] if row["running"] or row["next"]] == ["A"]
    assert settled(machine) == "A"
    assert machine.run("ls /data/bundles").split() == ["state.json"]


def test_a_newer_bundle_through_the_page_is_kept_when_the_box_is_well(
    machine: Machine, bundles: dict[str, Path]
) -> None:
    before = settled(machine)
    page = PageClient(machine)
    page.enter()
    boot = machine.run(BOOT)
    page.upload(bundles["newer.raucb"])
    started_anew(machine, boot)
    ready(machine)
    assert slot(machine) == other(before)
    until(lambda: kept(machine), "found well and kept", every_s=3.0)
    runs_bundle(machine, 2)
    page.enter()
    rows = {row["name"]: row for row in page.get("/api/update")["slots"]}
    expected = {"name": other(before), "version": "2", "running": True, "next": True, "good": True}
    assert rows[other(before)] == expected
    assert machine.run("ls /data/bundles").split() == ["state.json"]


def test_a_power_cut_while_a_slot_is_written_changes_nothing(machine: Machine) -> None:
    """Nor does it what was kept before: each later start takes that."""
    before = settled(machine)
    insert_stick(machine)
    running = slots(machine)[before]
    machine.run("setsid parkbox update /run/stick/older.raucb > /run/update.txt 2>&1 &")
    written = f"$(awk '{{print $7}}' /sys/class/block/vda{PARTITION[other(before)]}/stat)"
    over = "grep -q -e 'not updated' -e 'next boot tries' /run/update.txt"
    reached = f"[ {written} -gt {int(random.Random(SEED).uniform(0.1, 0.7) * SLOT_SECTORS)} ]"
    # Where it stands then, it stands until the power is gone, however slow the test is.
    machine.run(f"until {reached} || {over}; do sleep 0.1; done; pkill -STOP -x rauc")
    print(f"\n{machine.run(f'echo {written} sectors; cat /run/update.txt')}")
    assert machine.run(f"{over} && echo over || echo going on").strip() == "going on"
    machine.cut()
    machine.start()
    ready(machine)
    assert settled(machine) == before
    assert slots(machine)[before] == running
    assert "not confirmed" in slots(machine)[other(before)]


def test_a_trial_whose_power_fails_ends_with_the_old_system(machine: Machine) -> None:
    """The same bundle again, whose writing was cut off before."""
    before = settled(machine)
    running = slots(machine)[before]
    install(machine, "older.raucb")
    assert machine.run("/usr/lib/parkbox/slot get-primary").strip() == other(before)
    words(machine, "systemd.mask=parkbox-health.service")  # so that nobody finds the new system well
    boot = machine.run(BOOT)
    machine.run("systemctl reboot --no-block")
    started_anew(machine, boot)
    assert slot(machine) == other(before)
    assert not kept(machine)
    words(machine, "")
    machine.cut()
    machine.start()
    ready(machine)
    assert settled(machine) == before
    assert slots(machine)[before] == running


def test_the_way_back_is_the_same(machine: Machine) -> None:
    before = settled(machine)
    install(machine, "older.raucb")
    restart(machine)
    assert slot(machine) == other(before)
    until(lambda: kept(machine), "found well and kept", every_s=3.0)
    assert settled(machine) == other(before)
    runs_bundle(machine, 1)
