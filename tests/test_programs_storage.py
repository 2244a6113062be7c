"""A full disk, a read-only one, files that are damaged: cars pass, the page names it, nothing promised is lost.

As root the disk is a small tmpfs that is really filled and remounted; else, and for a disk that turns read-only under
a running program (the kernel refuses to remount it), what the program asks of SQLite and the disk fails instead.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from hal_sim.qingdao import QingdaoPlatform
from tests.page_reader import state_of
from tests.program_books import at_city, city_problems, due_at_city, ledger_problems
from tests.program_rig import Box, Child, Driver, box_in, passages, platform_on, until

CAR_1, CAR_2 = "鲁A00001", "鲁A00002"
SMALL = "size=2m"


class Disk(Protocol):
    sick: dict[str, object] | None

    def fall_ill(self, kind: str) -> None: ...

    def heal(self) -> None: ...


class Tmpfs:
    """A real file system of 2 MB at `folder`."""

    sick: dict[str, object] | None = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ballast = folder / "ballast"

    def fall_ill(self, kind: str) -> None:
        if kind == "disk_read_only":
            subprocess.run(["mount", "-o", f"remount,ro,{SMALL}", self._folder], check=True)
            return
        with self._ballast.open("wb", buffering=0) as file:
            piece = 1 << 16
            while piece:
                try:
                    file.write(b"\1" * piece)
                except OSError:
                    piece //= 2

    def heal(self) -> None:
        subprocess.run(["mount", "-o", f"remount,rw,{SMALL}", self._folder], check=True)
        self._ballast.unlink(missing_ok=True)


class Bent:
    """Writes fail while a file outside says so."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.sick: dict[str, object] | None = {"disk": str(file)}

    def fall_ill(self, kind: str) -> None:
        self._file.write_text(kind, encoding="ascii")

    def heal(self) -> None:
        self._file.write_text("", encoding="ascii")


@contextmanager
def disk_at(folder: Path, outside: Path, *, real: bool) -> Iterator[Disk]:
    folder.mkdir(parents=True)
    mounted = real and os.geteuid() == 0 and (
        subprocess.run(["mount", "-t", "tmpfs", "-o", SMALL, "parkbox-test", folder], check=False).returncode == 0
    )
    try:
        yield Tmpfs(folder) if mounted else Bent(outside)
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)


@contextmanager
def site(folder: Path) -> Iterator[tuple[QingdaoPlatform, Box]]:
    with platform_on() as (platform, url), box_in(folder, directions=("in", "out", "in"), city_url=url) as box:
        yield platform, box


def page(box: Box) -> dict[str, Any]:
    return state_of(box.web_port, box.data)


def on_page(box: Box) -> set[str]:
    return {fault["code"] for fault in page(box)["agent"]["faults"]}


def drive(box: Box, lane: Child, plate: str, *, durable: bool = True) -> None:
    Driver(box, box.bays["in1"], plate, durable=durable).drive(lane)


def everything_at_city(box: Box, platform: QingdaoPlatform, plates: set[str]) -> None:
    with box.agent() as agent:
        agent.await_ready()
        due = due_at_city(box.data / "ledger.db")
        until(lambda: at_city(platform).total() >= due.total(), "everything at the city")
        assert agent.stop() == 0
    assert city_problems(due, at_city(platform)) == []
    assert platform.summary().changed == ()
    assert {record.plate.replace("-", "") for record in platform.of_kind("carIn")} == plates


@pytest.mark.parametrize(
    ("kind", "when", "real"),
    [
        ("disk_full", "running", False),  # the log has its size beforehand: a really full disk is not felt for long
        ("disk_read_only", "running", False),
        ("disk_full", "first start", True),
        ("disk_read_only", "later start", True),
    ],
)
def test_lane_on_a_sick_disk(kind: str, when: str, real: bool, tmp_path: Path) -> None:
    with site(tmp_path) as (platform, box), disk_at(box.data, tmp_path / "illness", real=real) as disk:
        before: set[str] = set()
        with ExitStack() as programs:
            if when != "first start":
                lane = programs.enter_context(box.lane(disk.sick)).await_ready()
                drive(box, lane, CAR_1)
                until(lambda: ("in1", CAR_1) in passages(box.facts()), "first car on record")
                before = {CAR_1}
            if when == "later start":
                assert lane.stop() == 0
            disk.fall_ill(kind)
            if when != "running":
                lane = programs.enter_context(box.lane(disk.sick)).await_ready()
            drive(box, lane, CAR_2, durable=False)
            answer = box.command("order", "in3", "lock", why="test")
            assert (answer["ok"], answer["en"].endswith("(not on the disk yet)")) == (True, True)
            until(lambda: kind in box.faults(), f"fault {kind}; now {box.faults()}")
            assert until(lambda: box.view()["parked"] == len(before) + 1, "every car counted")
            disk.heal()
            until(lambda: ("in1", CAR_2) in passages(box.facts()), "second car on record")
            until(lambda: not {"disk_full", "disk_read_only", "storage_failing"} & box.faults(), "disk fault gone")
            assert lane.stop() == 0
        cars = before | {CAR_2}
        assert ledger_problems(box.data / "ledger.db", [("in1", plate) for plate in cars], ["order"]) == []
        everything_at_city(box, platform, cars)


def test_ledger_that_cannot_even_be_read_at_the_start_is_read_later(tmp_path: Path) -> None:
    """A killed program left a log, and the disk gives no access to it: the lot begins empty, and is made whole."""
    with site(tmp_path) as (_, box):
        with box.lane() as lane:
            lane.await_ready()
            drive(box, lane, CAR_1)
            until(lambda: ("in1", CAR_1) in passages(box.facts()), "first car on record")
            assert lane.stop() == 0
        hidden = box.data.with_name("hidden")
        box.data.rename(hidden)
        box.data.write_text("no folder", encoding="ascii")  # every look at the ledger is an error of the disk
        with box.lane() as lane:
            lane.await_ready()
            drive(box, lane, CAR_2, durable=False)
            assert until(lambda: box.view()["parked"] == 1, "the lot began empty")
            assert box.faults() & {"storage_failing", "disk_full", "disk_read_only"}
            box.data.unlink()
            hidden.rename(box.data)
            # It ends by itself, with everything in the ledger, to be started again and fold the whole.
            assert lane.end() == 1
        with box.lane() as lane:
            lane.await_ready()
            assert until(lambda: box.view()["parked"] == 2, "both cars counted")
            assert lane.stop() == 0
        assert ledger_problems(box.data / "ledger.db", [("in1", CAR_1), ("in1", CAR_2)]) == []


def _garbage(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 64)


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "somebody").write_text("put this here", encoding="ascii")


def fold_log(ledger_db: Path) -> None:
    """All facts into the file that is to be damaged."""
    conn = sqlite3.connect(ledger_db)
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "garbage": _garbage, "truncated": _truncated, "empty": _empty, "folder": _folder,
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_lane_with_a_damaged_ledger(damage: str, tmp_path: Path) -> None:
    with site(tmp_path) as (platform, box):
        with box.lane() as lane:
            lane.await_ready()
            drive(box, lane, CAR_1)
            until(lambda: ("in1", CAR_1) in passages(box.facts()), "first car on record")
            assert lane.stop() == 0
        last_seq = box.facts()[-1].seq
        fold_log(box.data / "ledger.db")
        DAMAGES[damage](box.data / "ledger.db")
        with box.lane() as lane:
            lane.await_ready()
            assert "ledger_damaged" in box.faults()
            assert (box.data / "ledger.damaged-1").exists()
            drive(box, lane, CAR_2)
            until(lambda: ("in1", CAR_2) in passages(box.facts()), "second car on record")
            assert lane.stop() == 0
        new = [fact for fact in box.facts() if fact.kind == "Passed" and fact.body["plate"] == CAR_2]
        assert [fact.seq > last_seq for fact in new] == [True]
        everything_at_city(box, platform, {fact.body["plate"] for fact in box.facts() if fact.kind == "Passed"})


@pytest.mark.parametrize("damage", ["garbage", "truncated", "folder"])
def test_agent_with_a_damaged_queue(damage: str, tmp_path: Path) -> None:
    with site(tmp_path) as (platform, box), box.lane() as lane:
        lane.await_ready()
        drive(box, lane, CAR_1)
        until(lambda: ("in1", CAR_1) in passages(box.facts()), "first car on record")
        everything_at_city(box, platform, {CAR_1})
        DAMAGES[damage](box.data / "deliveries.db")
        with box.agent() as agent:
            agent.await_ready()
            assert "deliveries_damaged" in on_page(box)
            drive(box, lane, CAR_2)
            until(lambda: at_city(platform).total() == 2, "second car at the city")
            until(lambda: sum(record.times_seen for record in platform.of_kind("carIn")) >= 3, "first car repeated")
            assert agent.stop() == 0
        everything_at_city(box, platform, {CAR_1, CAR_2})
        assert lane.stop() == 0


@pytest.mark.parametrize("kind", ["disk_full", "disk_read_only"])
def test_agent_on_a_sick_disk_waits_and_says_so(kind: str, tmp_path: Path) -> None:
    with site(tmp_path) as (platform, box), box.lane() as lane:
        lane.await_ready()
        with box.agent() as agent:  # a box that was set up: the page has its users
            agent.await_ready()
            assert page(box)["box"]["parked"] == 0
            assert agent.stop() == 0
        drive(box, lane, CAR_1)
        until(lambda: ("in1", CAR_1) in passages(box.facts()), "first car on record")
        disk = Bent(tmp_path / "illness")
        disk.fall_ill(kind)
        with box.agent(disk.sick) as agent:
            agent.await_ready()
            until(lambda: "storage_failing" in on_page(box), "fault on the page")
            assert page(box)["box"]["parked"] == 1
            assert at_city(platform).total() == 0
            disk.heal()
            until(lambda: at_city(platform).total() == 1, "first car at the city")
            until(lambda: "storage_failing" not in on_page(box), "fault gone")
            disk.fall_ill(kind)
            drive(box, lane, CAR_2)
            until(lambda: "storage_failing" in on_page(box), "fault on the page")
            disk.heal()
            until(lambda: at_city(platform).total() == 2, "second car at the city")
            assert agent.stop() == 0
        everything_at_city(box, platform, {CAR_1, CAR_2})
        assert lane.stop() == 0
