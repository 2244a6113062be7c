"""`make image-test`: the image on QEMU's raspi3b. The barrier's pins are those of the chip's own model: their levels
are read from its registers by QEMU's monitor and told by the guest's kernel, neither of which knows our library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_car import CLOSE, OPEN, facts, ready
from tests.image_machine import missing, until
from tests.image_page import PASSWORD, PageClient
from tests.image_pi3 import OUTPUT, Pi3, Relays

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(bool(missing()), reason=f"not here: {', '.join(missing())}"),
]
CONFIG = (Path(__file__).parent / "image_box.toml").read_text("utf-8")
LOOPS = 'safety_pin = 24\nactive = "high"\n'
"""QEMU knows no pulls: an input that nobody drives is low, so that must be a free loop."""
UNIT = "parkbox-lane.service"
NONE_ON, OPEN_ON, CLOSE_ON = (False, False), (True, False), (False, True)
PINS = "/sys/kernel/debug/gpio"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pi3]:
    made = Pi3(tmp_path_factory.mktemp("pi3"))
    made.put("parkbox.toml", CONFIG.replace("safety_pin = 24\n", LOOPS))
    made.start()
    ready(made)
    yield made
    made.cut()


@pytest.fixture(scope="module")
def person(machine: Pi3) -> PageClient:
    """An operator at the page, over the network, with the first password changed."""
    client = PageClient(machine)
    first = machine.run("cat /var/lib/parkbox/first-password").split()[1]
    assert client.log_in("admin", first) == 200
    status, session = client.post("/api/password", {"old": first, "new": PASSWORD})
    assert status == 200, session
    client.csrf = session["csrf"]
    return client


def order(person: PageClient, action: str) -> None:
    status, answer = person.post(f"/api/actions/{action}", {"lane": "in1", "why": "试验 a test"})
    assert status == 200 and answer["ok"], answer


def watched(machine: Pi3, pin: int, then: str) -> None:
    """In the guest's background: when the kernel shows the pin as on, `then`. What was seen stands in /run/seen."""
    shown = f"grep 'GPIO{pin} .*|parkbox .* out hi' {PINS}"
    machine.run(f"rm -f /run/seen; ( until {shown}; do sleep 0.1; done; {then}; echo end ) > /run/seen 2>&1 &")


def seen(machine: Pi3) -> str:
    until(lambda: machine.run("tail -n 1 /run/seen").strip() == "end", "the guest's kernel has seen the pin")
    return machine.run("cat /run/seen")


def test_check_names_the_board_the_library_and_who_holds_the_pins(machine: Pi3) -> None:
    told = machine.run("parkbox check /etc/parkbox/box.toml")
    print(f"\n{told}")
    for word in (
        "Raspberry Pi 3 Model B",
        "parkbox-gpiod",
        "pinctrl-bcm2835",
        f"BCM {OPEN} 已被占用 is taken by parkbox",
    ):
        assert word in told


def test_the_barriers_pins_are_outputs_and_off(machine: Pi3) -> None:
    assert [machine.function(pin) for pin in (OPEN, CLOSE)] == [OUTPUT, OUTPUT]
    assert [machine.level(pin) for pin in (OPEN, CLOSE)] == [0, 0]


def test_an_opening_by_a_person_is_a_pulse_of_the_chips_own_pin(machine: Pi3, person: PageClient) -> None:
    before = max(seq for seq, *_ in facts(machine))
    watched(machine, OPEN, "true")
    with Relays(machine, OPEN, CLOSE) as relays:
        order(person, "open")
        until(lambda: len(relays.rows) >= 5, "a pulse of OPEN, and one of CLOSE when nobody has driven")
    assert relays.rows == [NONE_ON, OPEN_ON, NONE_ON, CLOSE_ON, NONE_ON]
    assert "out hi" in seen(machine)
    ordered = [(body["direction"], body["who"]) for _, _, kind, body in facts(machine, before) if kind == "ArmOrdered"]
    assert ordered == [("up", "admin")]


def test_a_lane_that_is_killed_in_the_pulse_leaves_no_relay_on(machine: Pi3, person: PageClient) -> None:
    """The kernel takes the line back; the unit's next start finds it off."""
    before = machine.run(f"systemctl show -P MainPID {UNIT}").strip()
    killed = f"kill -KILL {before}; grep 'GPIO{OPEN} .*|parkbox' {PINS}"
    watched(machine, OPEN, f"{killed}; while grep -q 'GPIO{OPEN} .*|parkbox .* out hi' {PINS}; do :; done")
    with Relays(machine, OPEN, CLOSE) as relays:
        order(person, "open")
        until(lambda: len(relays.rows) >= 3, "the pulse has ended")
        assert "out hi" in seen(machine)
        until(lambda: machine.run(f"systemctl show -P MainPID {UNIT}").strip() not in {before, "0"}, "the next lane")
        ready(machine)
    assert relays.rows[:3] == [NONE_ON, OPEN_ON, NONE_ON]
    assert OPEN_ON not in relays.rows[3:]  # the new program closes the arm; it opens for nobody
    assert [machine.function(pin) for pin in (OPEN, CLOSE)] == [OUTPUT, OUTPUT]
