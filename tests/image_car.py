"""A lane's outside in the machine: a gpio-sim chip with a Pi's label for the pins, a camera's pushes by network."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import uuid
from typing import Any

from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.pictures import Picture
from hal_sim.cameras.vz import Vz
from tests.image_machine import Machine, until

OPEN, CLOSE, ARRIVAL, SAFETY = 17, 27, 23, 24
CHIP = "/sys/kernel/config/gpio-sim/pi"
FACTS = (
    "/opt/parkbox/bin/python3 -c \"import sqlite3; "
    "c = sqlite3.connect('file:/var/lib/parkbox/ledger.db?mode=ro', uri=True); "
    "print(chr(10).join(f'{s} {i} {k} {b}' for s, i, k, b in c.execute("
    "'select seq, id, kind, body from facts where seq > %d order by seq')))\""
)


def wire(machine: Machine) -> None:
    """The pins, both loops free, and the lane program started on them: a Pi's are there before it is."""
    machine.run(
        "modprobe gpio-sim && mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config; "
        f"mkdir -p {CHIP}/bank0 && echo pinctrl-bcm2835 > {CHIP}/bank0/label && echo 54 > {CHIP}/bank0/num_lines && "
        f"echo 1 > {CHIP}/live && sleep 1"
    )
    for pin in (ARRIVAL, SAFETY):
        loop(machine, pin, occupied=False)
    machine.run("systemctl restart parkbox-lane.service")


def line(pin: int) -> str:
    return f"$(ls -d /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio{pin})"


def loop(machine: Machine, pin: int, *, occupied: bool) -> None:
    """Low-active contacts: an occupied loop pulls down."""
    machine.run(f"echo {'pull-down' if occupied else 'pull-up'} > {line(pin)}/pull")


def facts(machine: Machine, after: int = 0) -> list[tuple[int, str, str, dict[str, Any]]]:
    """(seq, id, kind, body) of the ledger as it stands on the machine's disk."""
    found = []
    for row in machine.run(FACTS % after).splitlines():
        seq, known, kind, body = row.split(" ", 3)
        found.append((int(seq), known, kind, json.loads(body)))
    return found


def push(machine: Machine, plate: str, number: int, picture: Picture | None = None) -> int:
    """What the camera tells the box; the status of the reply."""
    event = CameraEvent(number, str(uuid.uuid4()), plate, "blue", time.time_ns() // 1_000_000, picture)
    said = Vz("fe71e106-57263272").plate_push(event, 0)
    connection = http.client.HTTPConnection("127.0.0.1", machine.listener, timeout=30)
    try:
        connection.request("POST", said.path, said.body, {"Content-Type": said.content_type, **dict(said.headers)})
        return connection.getresponse().status
    finally:
        connection.close()


def page(machine: Machine, path: str = "/healthz") -> tuple[int, bytes]:
    """Asked from outside; the certificate is the box's own."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", machine.page, timeout=30, context=context)
    try:
        connection.request("GET", path, headers={"Host": "parkbox.local"})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def page_answers(machine: Machine) -> bool:
    try:
        return page(machine)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def ready(machine: Machine) -> None:
    """Asked seldom: each question costs an emulated machine that is still starting a good part of a second."""
    both = "systemctl is-active parkbox-lane parkbox-agent"
    until(lambda: machine.run(both, check=False).split() == ["active", "active"], "both programs", every_s=3.0)
    until(lambda: page_answers(machine), "the page", every_s=3.0)


def drive_in(machine: Machine, plate: str, number: int, picture: Picture | None = None) -> None:
    """One car from the arrival loop to behind the arm."""
    seen = max((seq for seq, *_ in facts(machine)), default=0)

    def came(kind: str) -> bool:
        return any(k == kind for _, _, k, _ in facts(machine, seen))

    loop(machine, ARRIVAL, occupied=True)
    # Watched for before the push: its answer comes when the read is kept, and by then the pulse may be over.
    mark = f"/run/up-{number}"
    seen_or_over = f"[ $(cat {line(OPEN)}/value) = 1 ] || [ $((n += 1)) -gt 1200 ]"
    machine.run(f"(n=0; until {seen_or_over}; do sleep 0.05; done; echo $n > {mark}) > /dev/null 2>&1 &")
    assert push(machine, plate, number, picture) == 200
    until(lambda: machine.run(f"cat {mark} 2>/dev/null", check=False).strip(), "the pulse of OPEN, or its time is over")
    assert int(machine.run(f"cat {mark}")) <= 1200, "the relay of OPEN was never on"
    loop(machine, SAFETY, occupied=True)
    loop(machine, ARRIVAL, occupied=False)
    loop(machine, SAFETY, occupied=False)
    until(lambda: came("Passed"), f"{plate} is through", every_s=1.0)

