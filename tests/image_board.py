"""A relay board on the RS485 side of QEMU's USB adapter: the simulated board answers on this computer, the guest has
nothing but a USB device that was plugged into it."""

from __future__ import annotations

from pathlib import Path

from hal_sim.rs485.boards import RelayBoard
from hal_sim.rs485.bus import Bus
from tests.image_car import facts, push
from tests.image_machine import Machine, until

OPEN, CLOSE = range(2)
ARRIVAL, SAFETY = range(2)
ADAPTER, SOCKET = "adapter", "1"
STRANGER, OTHER_SOCKET = "stranger", "2"
READ_INPUTS = 2
"""Modbus function by which loops are looked at."""
LINK = "/dev/parkbox/serial-1-1:1.0"


class BoardSite:
    """The board, its line, and what the adapter is to QEMU."""

    def __init__(self, folder: Path) -> None:
        self.device = RelayBoard()
        self._bus = Bus(folder / "rs485", [self.device])

    def open(self) -> list[str]:
        """QEMU's words for a USB controller and the board's line; the line's end with the adapter is not plugged."""
        self._bus.plug()
        return ["-device", "qemu-xhci,id=usb", "-chardev", f"serial,id=rs485,path={self._bus.path}",
                "-chardev", "null,id=nobody"]  # fmt: skip

    def close(self) -> None:
        self._bus.unplug()

    def show(self, loop: int, occupied: bool) -> None:
        """Until the box has looked twice: a clear has to rest."""
        self.device.inputs[loop] = occupied
        wanted = self._looks() + 2
        until(lambda: self._looks() >= wanted, "the box looks at its loops")

    def _looks(self) -> int:
        return sum(frame[1] == READ_INPUTS for frame in self._bus.heard)

    def ordered(self, relay: int) -> int:
        """How often it was closed."""
        return self.device.closed.count(relay)


def plug(machine: Machine, name: str = ADAPTER, socket: str = SOCKET) -> None:
    """An FTDI adapter into a USB socket; a stranger's has no line behind it."""
    chardev = "rs485" if name == ADAPTER else "nobody"
    machine.monitor.plug("usb-serial", name, bus="usb.0", port=socket, chardev=chardev, **{"always-plugged": True})


def node(machine: Machine) -> str:
    """The device that the socket's name leads to, "" while nothing is there."""
    return machine.run(f"readlink -e {LINK}", check=False).strip()


def drive_in(machine: Machine, site: BoardSite, plate: str, number: int) -> None:
    """One car from the arrival loop to behind the arm, which is asked down behind it."""
    seen = max((seq for seq, *_ in facts(machine)), default=0)
    opened, closed = site.ordered(OPEN), site.ordered(CLOSE)
    site.device.inputs[ARRIVAL] = True
    assert push(machine, plate, number) == 200
    until(lambda: site.ordered(OPEN) > opened, f"OPEN for {plate}")
    site.show(SAFETY, True)
    site.show(ARRIVAL, False)
    site.show(SAFETY, False)
    until(lambda: any(kind == "Passed" for _, _, kind, _ in facts(machine, seen)), f"{plate} is through", every_s=1.0)
    until(lambda: site.ordered(CLOSE) > closed, f"CLOSE behind {plate}")
    assert site.ordered(OPEN) == opened + 1, "one car, one opening"
