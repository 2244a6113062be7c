"""A measured box between its site's wires: the lane program as it is, its loops driven, its relays listened to.

Instants come from the box itself: the simulated `RPi.GPIO` stamps each write with CLOCK_MONOTONIC in the program that
wrote, so the bench's own scheduling is not in the figures.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from bench import events, wire
from bench.process import Process, cli, sim_gpio_environment
from bench.site import MOVE_S, BoxSite, City, LaneSite, write_box
from hal_sim.cameras.pictures import Picture
from hal_sim.site.gpio_server import GpioServer
from hal_sim.site.pins import PinBank

WITHIN_S = 10.0
CLEAR_S = 0.18
"""Longer than the 150 ms within which a loop that clears and fills again is the same vehicle."""
ARRIVED_S = 0.03
"""From the loop's contact to the state machine: a frame over a UNIX socket and one edge callback."""
QUIET_S = 0.005
SETTLED_S = 0.05
LOG_TAIL = 1500


class Wires:
    """All pins of the box: inputs to drive, rising edges of outputs to wait for."""

    def __init__(self, gpio_socket: Path) -> None:
        self.bank = PinBank()
        self._edges: dict[int, queue.SimpleQueue[int]] = {}
        self.bank.output_watchers.append(self._on_output)
        self.server = GpioServer(gpio_socket, self.bank)

    def listen(self, pin: int) -> None:
        self._edges[pin] = queue.SimpleQueue()

    def edge_ns(self, pin: int) -> int:
        """When the next rising edge was written. Raises `RuntimeError` if none comes."""
        try:
            return self._edges[pin].get(timeout=WITHIN_S)
        except queue.Empty:
            raise RuntimeError(f"output pin {pin} was not switched on within {WITHIN_S:.0f} s") from None

    def forget(self, pin: int) -> None:
        """Rising edges so far are not waited for any more."""
        while not self._edges[pin].empty():
            self._edges[pin].get()

    def silent(self, pin: int) -> bool:
        """No rising edge is left unseen."""
        return self._edges[pin].empty()

    def _on_output(self, pin: int, level: int | None, t_ns: int) -> None:
        if level == 1 and pin in self._edges:
            self._edges[pin].put(t_ns)


class Bay:
    """One lane: its two loops, its arm's relays and its camera."""

    def __init__(self, site: LaneSite, wires: Wires, port: int) -> None:
        self.site, self._wires, self._port = site, wires, port
        self.numbers = iter(range(1, 10**6))
        wires.listen(site.pins.open)
        assert site.pins.close is not None
        self._close = site.pins.close
        wires.listen(self._close)
        self.loop("arrival", on=False)
        self.loop("safety", on=False)

    def loop(self, name: Literal["arrival", "safety"], *, on: bool) -> None:
        pin = self.site.pins.arrival if name == "arrival" else self.site.pins.safety
        occupied = self.site.pins.occupied_level
        self._wires.bank.drive(pin, occupied if on else 1 - occupied)

    def request(self, plate: str, *, plate_first: bool = False, picture: bool | Picture = True) -> bytes:
        number = next(self.numbers)
        made = events.push(self.site.serial, number, plate=plate, plate_first=plate_first, picture=picture)
        return events.request(made, self._port)

    def push(self, request: bytes, *, paced: bool = False) -> int:
        """Send without waiting for the arm; the reply has come when this returns."""
        return wire.send(self._port, request, paced=paced)

    def push_and_raise(self, request: bytes, *, paced: bool = False) -> float:
        """Milliseconds from the first byte to the OPEN relay. The arm was down, a car stands at it."""
        if not self._wires.silent(self.site.pins.open):
            raise RuntimeError(f"lane {self.site.id}: the arm went up before its car was read")
        began_ns = wire.send(self._port, request, paced=paced)
        return (self._wires.edge_ns(self.site.pins.open) - began_ns) / 1e6

    def forget_lowered(self) -> None:
        """The program also lowers an arm of which it knows nothing, some time after its start."""
        self._wires.forget(self._close)

    def wait_lowered(self) -> None:
        self._wires.edge_ns(self._close)


class Rig:
    """A running box; `lane` is its process."""

    def __init__(self, site: BoxSite, wires: Wires, lane: Process) -> None:
        self.site, self.wires, self.lane = site, wires, lane
        self.bays = [Bay(one, wires, site.port) for one in site.lanes]
        self._plates = iter(range(1, 10**6))

    def plate(self) -> str:
        return events.plate_of(next(self._plates))

    def arrive(self) -> None:
        """A car at every arm."""
        for bay in self.bays:
            bay.loop("arrival", on=True)
        time.sleep(ARRIVED_S)

    def rounds(self, count: int, into_ms: list[float]) -> None:
        """Cars through all lanes, `count` each; from each read's first byte to the OPEN relay."""
        for _ in range(count):
            self.arrive()
            for bay in self.bays:
                request = bay.request(self.plate())
                time.sleep(QUIET_S)
                into_ms.append(bay.push_and_raise(request))
            self.drive_through()

    def drive_through(self) -> None:
        """The cars pass, the arms go down and have arrived below."""
        for bay in self.bays:
            bay.forget_lowered()
            bay.loop("safety", on=True)
        for bay in self.bays:
            bay.loop("arrival", on=False)
        time.sleep(CLEAR_S)
        for bay in self.bays:
            bay.loop("safety", on=False)
        for bay in self.bays:
            bay.wait_lowered()
        time.sleep(MOVE_S + SETTLED_S)


@contextmanager
def running(
    folder: Path,
    directions: Sequence[Literal["in", "out"]],
    *,
    city: City | None = None,
    command: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    free_min: int = 1440,
    more: str = "",
) -> Iterator[Rig]:
    """The lane program on a new or prepared folder; `command` goes before it (strace)."""
    site = write_box(folder, directions, city, free_min=free_min, more=more)
    wires = Wires(site.gpio_socket)
    wires.server.start()
    try:
        environment = sim_gpio_environment(site.gpio_socket) | dict(environment or {})
        log = folder / "lane.log"
        with Process([*command, *cli("lane", str(site.config))], log, environment) as lane:
            try:
                yield Rig(site, wires, lane)
            except RuntimeError as error:
                tail = log.read_text("utf-8")[-LOG_TAIL:]
                raise RuntimeError(f"{error}\nthe lane program's log ends with\n{tail}") from error
    finally:
        wires.server.stop()
