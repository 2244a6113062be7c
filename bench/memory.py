"""Resident memory of the lane program after many cars: bumper to bumper, so that there are many in little time.

Two entries and two exits; every car that came in on one side goes out on the other and leaves nothing behind but facts.
The next car is read while the one before it is under the arm, so the arm stays up (DESIGN 5, pre-read).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from contextlib import closing
from pathlib import Path

from bench.figures import Row
from bench.rig import ARRIVED_S, Bay, Rig, running

FIRST = 1000
ALL = 10_000
LIMIT_MB = 35.0
SETTLED_S = 1.5
"""Facts that nobody waits for are durable half a second later; the last cars are through after 150 ms."""
ORDER_S = 0.025
"""Between two changes whose order matters: the driver also polls, and a poll that sees both does not know it."""
GAP_S = 0.22
"""150 ms, within which two vehicles are one, and what a crowded machine may take of it."""
ODD_SHARE = 0.01
"""On a crowded machine our own 25 ms may shrink to nothing, and two cars become one or follow on its tail."""
READINGS, READING_EVERY_S = 5, 0.02
GROWTH_MB = 1.0
"""`no growth`: what a megabyte of allocator and counters may still move."""


class Stream:
    """One lane's endless queue, as close as two loops can tell cars apart:

        safety   ~~~~~~~~|__________|~~~~~~~~|__________|~~~~~~
        arrival  ~~~~~~~~|__________|~~~~~~~~|__________|~~~~~~
                         ^ one car is through, the next has left the arrival loop
                                    ^ it is under the arm, the one behind it has come and is read

    Entries hand their plates to the exits.
    """

    def __init__(self, rig: Rig, bay: Bay, inside: deque[str], lock: threading.Lock) -> None:
        self._rig, self._bay, self._inside, self._lock = rig, bay, inside, lock
        self._plate = self._come()  # of the car on the arrival loop

    def step(self) -> None:
        """One car further."""
        bay, plate = self._bay, self._plate
        bay.loop("safety", on=False)
        bay.loop("arrival", on=False)
        time.sleep(GAP_S)
        bay.loop("safety", on=True)
        time.sleep(ORDER_S)
        self._plate = self._come()
        if bay.site.direction == "in":
            with self._lock:
                self._inside.append(plate)

    def end(self) -> None:
        """The last car is through."""
        self._bay.loop("safety", on=False)
        self._bay.loop("arrival", on=False)
        time.sleep(GAP_S)
        self._bay.loop("safety", on=True)
        time.sleep(GAP_S)
        self._bay.loop("safety", on=False)

    def _come(self) -> str:
        plate = self._next_plate()
        self._bay.loop("arrival", on=True)
        time.sleep(ORDER_S)
        self._bay.push(self._bay.request(plate))
        return plate

    def _next_plate(self) -> str:
        if self._bay.site.direction == "in":
            with self._lock:
                return self._rig.plate()
        while True:
            with self._lock:
                if len(self._inside) > len(self._rig.bays):  # the newest may still be under the arm
                    return self._inside.popleft()
            time.sleep(ARRIVED_S)


def run(folder: Path, *, cars: int, within_s: float) -> list[Row]:
    """`cars` passages, or as many as fit into `within_s`."""
    with running(folder / "memory", ["in", "out", "in", "out"]) as rig:
        resident = _pass_cars(rig, cars, time.monotonic() + within_s)
        time.sleep(SETTLED_S)
        _check(folder / "memory" / "data" / "ledger.db", resident[-1][0])
        highest_mb = rig.lane.resident_kb("VmHWM") / 1024
    first = next((mb for done, mb in resident if done >= FIRST), None)
    done, last = resident[-1]
    rows = [Row(
        f"resident memory of lane after {done} passages", f"{last:.1f} MB (highest {highest_mb:.1f} MB)",
        f"<= {LIMIT_MB:.0f} MB", last <= LIMIT_MB,
    )]
    if first is None:
        rows.append(Row("growth from car 1,000 on", f"not reached: {done} passages in the given time"))
    else:
        rows.append(Row(
            "growth from car 1,000 on", f"{last - first:+.2f} MB (at 1,000: {first:.1f} MB, at {done}: {last:.1f} MB)",
            f"none: at most {GROWTH_MB:.0f} MB", last - first <= GROWTH_MB,
        ))
    return rows


def _check(ledger: Path, driven: int) -> None:
    """A figure counts only if the box did its work: the cars were read, admitted and recorded one by one."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as db:
        sql = "SELECT count(*), coalesce(sum(body LIKE '%\"admitted\":false%'), 0) FROM facts WHERE kind = 'Passed'"
        passed, foreign = db.execute(sql).fetchone()
    if foreign > ODD_SHARE * driven or passed < (1 - ODD_SHARE) * driven:
        raise RuntimeError(f"{driven} cars were driven, the ledger has {passed} passages, {foreign} not admitted")


def _pass_cars(rig: Rig, cars: int, until_s: float) -> list[tuple[int, float]]:
    """(passages so far, MB) about every 100 passages."""
    inside: deque[str] = deque()
    lock = threading.Lock()
    done = 0
    failures: list[BaseException] = []
    resident: list[tuple[int, float]] = []
    stop = threading.Event()

    def drive(bay: Bay) -> None:
        nonlocal done
        stream = Stream(rig, bay, inside, lock)
        try:
            while not stop.is_set():
                stream.step()
                with lock:
                    done += 1
        except BaseException as error:  # noqa: BLE001 - told by the caller's thread
            failures.append(error)
        stream.end()

    threads = [threading.Thread(target=drive, args=(bay,), daemon=True) for bay in rig.bays]
    for thread in threads:
        thread.start()
    while done < cars and time.monotonic() < until_s and not failures:
        time.sleep(0.2)
        if not resident or done - resident[-1][0] >= 100:
            resident.append((done, _stays_mb(rig)))
    stop.set()
    for thread in threads:
        thread.join(timeout=10)
    if failures:
        raise failures[0]
    resident.append((done, _stays_mb(rig)))
    return resident


def _stays_mb(rig: Rig) -> float:
    """The least of some readings: two pictures on their way are 1.4 MB that do not stay."""
    readings = []
    for _ in range(READINGS):
        readings.append(rig.lane.resident_kb())
        time.sleep(READING_EVERY_S)
    return min(readings) / 1024
