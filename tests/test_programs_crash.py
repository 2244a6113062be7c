"""kill -9 of the real lane program, at random moments while cars run and at every statement that writes.

What was promised is there: every order that was answered, every decision whose arm went up, every car through the
arm once. The agent's half is in `test_programs_crash_agent`.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.program_books import at_city, city_problems, due_at_city, ledger_problems, parked
from tests.program_rig import (
    Box,
    Child,
    Died,
    Driver,
    admitted,
    box_in,
    grows,
    killed_later,
    passages,
    platform_on,
    until,
)
from tests.program_site import Bay

ROUNDS = 40
SOAK_ROUNDS = int(os.environ.get("PARKBOX_ROUNDS", "3000"))
KILL_WITHIN_S = 1.4
"""Of this the first third is the start itself."""

SPARE = "in3"


def plates() -> Iterator[str]:
    """Digits are never taken for one another, so no plate is a misread one of another car."""
    return (f"鲁A{number:05d}" for number in itertools.count(1))


class Clerk:
    """Gives orders at a lane without cars, all the time; `promised` are the ids that were answered."""

    def __init__(self, box: Box) -> None:
        self.promised: list[str] = []
        self._box = box
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clerk")
        self._thread.start()

    def _run(self) -> None:
        for number in itertools.count():
            if self._stop.wait(0.02):
                return
            command_id = f"{number:032x}"
            try:
                answer = self._box.command(command_id, SPARE, "lock" if number % 2 else "unlock", why="test")
            except (OSError, ValueError):
                continue  # not up, or killed before the answer: nothing was promised
            # A time-out is an answer too, and promises nothing.
            if answer["en"] != "no result within 3 s":
                self.promised.append(command_id)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)


@contextmanager
def clerk_at(box: Box) -> Iterator[Clerk]:
    clerk = Clerk(box)
    try:
        yield clerk
    finally:
        clerk.stop()


class World:
    """Cars one after another, in and out again; `passed` is what really happened."""

    def __init__(self, box: Box) -> None:
        self.passed: list[tuple[str, str]] = []
        self.too_early: list[str] = []
        self._box = box
        self._drivers = self._cars()
        self._now = next(self._drivers)
        for bay in box.bays.values():
            bay.on_raise = self._raised

    def _cars(self) -> Iterator[Driver]:
        before = ""
        for number, plate in enumerate(plates()):
            yield Driver(self._box, self._box.bays["in1"], plate)
            if number % 3:  # one stays, two leave, each after the next one came
                yield Driver(self._box, self._box.bays["out2"], before, entered="in1")
            before = plate

    def _raised(self, bay: Bay) -> None:
        """Invariant 8, looked at by a stranger at the moment when the relay goes on."""
        if not admitted(self._box.facts(), bay.id):
            self.too_early.append(f"{bay.id}: the arm was raised before any decision was durable")

    def drive(self, lane: Child, cars: int | None = None) -> None:
        """So many cars more; without a number until `Died`."""
        for _ in itertools.count() if cars is None else range(cars):
            self._now.drive(lane)
            self.passed.append((self._now.bay.id, self._now.plate))
            self._now = next(self._drivers)

    @property
    def inside(self) -> int:
        return sum(1 if lane.startswith("in") else -1 for lane, _ in self.passed)


def rounds(box: Box, count: int, seed: int) -> tuple[World, list[str]]:
    """Every second round dies at some moment after its start, the others after an order was answered or a car passed
    in it, in turn."""
    world, dice = World(box), random.Random(seed)
    with clerk_at(box) as clerk:
        for number in range(count):
            work: Sequence[object] = world.passed if number % 4 == 3 else clerk.promised
            with box.lane() as lane:
                if number % 2:
                    killing = killed_later(lane, dice.uniform(0.0, 0.5), grows(work.__len__))
                else:
                    killing = killed_later(lane, dice.uniform(0.0, KILL_WITHIN_S))
                with killing, suppress(Died):  # what the round is for; the car goes on with the next program
                    world.drive(lane)
        with box.lane() as lane:
            lane.await_ready()
            world.drive(lane, 3)
            clerk.stop()
            assert until(lambda: box.view()["parked"] == world.inside, "count of the view equals the world")
            assert lane.stop() == 0
    return world, clerk.promised


def random_kills(folder: Path, count: int, seed: int) -> None:
    with platform_on() as (platform, url), box_in(folder, directions=("in", "out", "in"), city_url=url) as box:
        world, promised = rounds(box, count, seed)
        ledger = box.data / "ledger.db"
        assert ledger_problems(ledger, world.passed, promised) == []
        assert world.too_early == []
        assert parked(ledger) == world.inside
        assert len(promised) >= count // 4  # something was promised to be lost
        assert len(world.passed) >= count // 4
        due = due_at_city(ledger)
        with box.agent() as agent:
            agent.await_ready()
            until(lambda: at_city(platform).total() >= due.total(), "everything at the city", 30 + due.total() / 20)
            assert agent.stop() == 0
        assert city_problems(due, at_city(platform)) == []
        assert platform.summary().changed == ()


def test_lane_killed_at_random_moments(tmp_path: Path) -> None:
    random_kills(tmp_path, ROUNDS, seed=1)


@pytest.mark.soak
def test_lane_killed_at_random_moments_for_long(tmp_path: Path) -> None:
    random_kills(tmp_path, SOAK_ROUNDS, seed=2)


# --- at every statement that writes ----------------------------------------------------------------------------------


def passage(box: Box, sick: dict[str, object], world: World, promised: list[str]) -> None:
    """A start, an order, a car through the arm, a stop. Ends early if the program dies."""
    with box.lane(sick) as lane:
        try:
            lane.await_ready()
            if box.command("order", SPARE, "lock", why="test")["ok"]:
                promised.append("order")
            world.drive(lane, 1)
            until(lambda: not lane.alive or set(world.passed) <= passages(box.facts()), "passage on record")
            assert lane.stop() in (0, -9)
        except (Died, OSError, ValueError):
            assert lane.end() == -9


def prepared(folder: Path) -> Path:
    """A ledger that was begun and closed: its first second is another test's."""
    with box_in(folder) as box, box.lane() as lane:
        lane.await_ready()
        assert lane.stop() == 0
    return box.data


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A begun data folder, and the statements that one passage writes."""
    folder = tmp_path_factory.mktemp("begun")
    data = prepared(folder / "first")
    with box_in(folder / "counted", directions=("in", "out", "in")) as box:
        shutil.copytree(data, box.data)
        passage(box, {"count": str(folder / "count"), "file": "ledger.db"}, World(box), [])
    return data, (folder / "count").read_text("utf-8").splitlines()


def moments(statements: list[str]) -> list[tuple[int, str]]:
    """Before every statement, and after each that makes something durable: between others nothing happens."""
    ends = ("COMMIT", "INSERT", "PRAGMA wal_checkpoint")
    found = [(number, "before") for number in range(1, len(statements) + 1)]
    alone = [
        number
        for number, text in enumerate(statements, start=1)
        if text.startswith(ends) and not (text.startswith("INSERT") and statements[number - 2].startswith("BEGIN"))
    ]
    return sorted([*found, *((number, "after") for number in alone)])


def test_lane_killed_at_every_statement_that_writes(begun: tuple[Path, list[str]], tmp_path: Path) -> None:
    data, statements = begun
    assert sum(text.startswith(("COMMIT", "INSERT")) for text in statements) >= 4
    for number, when in moments(statements):
        with box_in(tmp_path / f"{number}-{when}", directions=("in", "out", "in")) as box:
            shutil.copytree(data, box.data)
            world, promised = World(box), list[str]()
            passage(box, {"die_at": number, "when": when, "file": "ledger.db"}, world, promised)
            with box.lane() as lane:
                lane.await_ready()
                world.drive(lane, 1 - len(world.passed))
                assert until(lambda: box.view()["parked"] == 1, f"one car inside after {number} {when}")
                assert lane.stop() == 0
            told = (number, when, statements[number - 1])
            assert (told, ledger_problems(box.data / "ledger.db", world.passed, promised)) == (told, [])
            assert (told, world.too_early) == (told, [])


# --- the checks themselves must be able to fail ---------------------------------------------------------------------

SPOILED = {
    "passage removed": ("DELETE FROM facts WHERE kind = 'Passed'", "passage in1 鲁A00001: 1 wanted, 0 found"),
    "passage doubled": (
        (
            "INSERT INTO facts SELECT seq + 1000, 'f' || substr(id, 2), lane, kind, boot_id, mono_ms, wall_ms, "
            "synced, body FROM facts WHERE kind = 'Passed'"
        ),
        "passage in1 鲁A00001: 1 wanted, 2 found",
    ),
    "order removed": ("DELETE FROM facts WHERE kind = 'Ordered'", "order order: answered, 0 times in the ledger"),
    "half a fact": ("UPDATE facts SET body = substr(body, 1, 20) WHERE kind = 'Passed'", "half a fact"),
}


def test_the_checks_find_what_is_spoiled(begun: tuple[Path, list[str]], tmp_path: Path) -> None:
    with box_in(tmp_path / "run", directions=("in", "out", "in")) as box:
        shutil.copytree(begun[0], box.data)
        world, promised = World(box), list[str]()
        passage(box, {"count": str(tmp_path / "count"), "file": "ledger.db"}, world, promised)
    whole = box.data / "ledger.db"
    assert ledger_problems(whole, world.passed, promised) == []
    due = due_at_city(whole)
    for name, (sql, sentence) in SPOILED.items():
        spoiled = tmp_path / f"{name}.db"
        with closing(sqlite3.connect(whole)) as source, closing(sqlite3.connect(spoiled)) as conn:
            source.backup(conn)  # with what stands in its log
            conn.execute(sql)
            conn.commit()
        found = ledger_problems(spoiled, world.passed, promised)
        assert [text for text in found if text.startswith(sentence)] != [], (name, found)
    (only,) = due
    assert city_problems(due, due_at_city(whole)) == []
    assert city_problems(due, type(due)()) == [f"record {' '.join(only)}: 1 wanted, 0 found"]
    assert city_problems(due, due + due) == [f"record {' '.join(only)}: 1 wanted, 2 found"]


def test_the_look_at_a_raised_arm_finds_one_without_a_decision(tmp_path: Path) -> None:
    """An operator's opening has no admitted car: the look must say so."""
    with box_in(tmp_path) as box, box.lane() as lane:
        lane.await_ready()
        world = World(box)
        until(lambda: box.lane_view("in1")["state"] == "down", "the world read")
        assert box.command("open-1", "in1", "open", why="test")["ok"]
        until(lambda: world.too_early, "arm raised")
        assert world.too_early == ["in1: the arm was raised before any decision was durable"]
        assert lane.stop() == 0
