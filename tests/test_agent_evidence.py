"""The agent's evidence thread with its real child: each passage's picture once, in a chain, whatever goes wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.agent import evidence as agent_evidence
from edge.agent.evidence import Evidence
from edge.agent.upkeep import Limits, Upkeep
from edge.cli import main
from edge.config.load import load
from edge.core.facts import AnyBody, ClockSet, Fact, Passed, PictureKept, ReadTaken, Stamp
from edge.evidence.jobs import Child
from edge.evidence.seal import judge
from edge.evidence.spool import SpoolWriter
from edge.store.ledger import Ledger
from edge.store.pictures import PictureRow, Pictures
from edge.store.reader import LedgerFile
from tests.evidence_tools import jpeg, scene
from tests.store_tools import BOOT, keep

CONFIG = Path(__file__).parent.parent / "configs" / "entry-exit.toml"
WALL_MS = 1_795_326_128_123  # 2026-11-22 13:42:08 in Shanghai
DEADLINE_S = 60.0
GOOD = jpeg(scene())


class Site:
    """The lane's half written by hand, the agent's evidence half as it runs."""

    def __init__(self, folder: Path, overlay: str = "box") -> None:
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        text = CONFIG.read_text(encoding="utf-8").replace("/var/lib/parkbox", str(self.data))
        text = text.replace('vendor = "vz"', f'vendor = "vz"\noverlay = "{overlay}"').replace("/run/", f"{folder}/")
        path = folder / "box.toml"
        path.write_text(text, encoding="utf-8")
        self.config = load(path)
        self.ledger = Ledger(self.data / "ledger.db", linger_ms=0)
        self.ledger.open()
        self.spool = SpoolWriter(self.data / "spool", 10_000_000, 5_000_000)
        self.evidence: Evidence | None = None
        self.child = Child(self.data)
        self.failure: BaseException | None = None
        self._changed = threading.Condition()

    def fact(self, number: int, body: AnyBody, synced: bool = True, mono_ms: int = -1) -> Fact:
        mono_ms = number * 1000 if mono_ms < 0 else mono_ms
        return Fact(f"{number:032x}", "in1", Stamp(BOOT, mono_ms, WALL_MS + number * 1000, synced), body)

    def read(self, number: int, width_px: int = 150) -> Fact:
        body = ReadTaken("cam-in1", str(number), "鲁A12345", "鲁A12345", plate_width_px=width_px, picture=True)
        return self.fact(number, body)

    def kept(self, number: int, read: int, data: bytes) -> Fact:
        place = self.spool.append(f"{read:032x}", data)
        return self.fact(number, PictureKept(f"{read:032x}", place.spool, place.offset, place.length, place.crc32))

    def passed(self, number: int, read: int | None, synced: bool = True) -> Fact:
        read_id = "" if read is None else f"{read:032x}"
        body = Passed(arrival_id=f"{number:032x}", direction="in", plate="鲁A12345", read_id=read_id)
        return self.fact(number, body, synced)

    def car(self, number: int, data: bytes = GOOD) -> None:
        """Read, picture and passage; the passage has this number."""
        self.keep(self.read(number + 100_000), self.kept(number + 200_000, number + 100_000, data))
        self.keep(self.passed(number, number + 100_000))

    def keep(self, *facts: Fact) -> None:
        keep(self.ledger, facts)
        if self.evidence is not None:
            self.evidence.kick()

    def run(self, child: Child | None = None) -> Pictures:
        self.child = child or Child(self.data)
        self.store = Pictures(self.data / "pictures.db")
        upkeep = Upkeep(self.data / "pictures", self.store, Limits(40, 10**10, 0), lambda _: set())
        self.evidence = Evidence(
            self.config,
            LedgerFile(self.data / "ledger.db"),
            self.store,
            self.child,
            upkeep,
            died=self._died,
            changed=self._tell,
        )
        self.evidence.start()
        return self.store

    def stop(self) -> None:
        if self.evidence is not None:
            self.evidence.stop()
        self.evidence = None

    def row(self, number: int, state: str = "") -> PictureRow:
        """The row of that passage, waited for."""
        found: list[PictureRow] = []

        def there() -> bool:
            row = self.store.of_record(f"{number:032x}") if self.rows_can_be_read() else None
            found[:] = [row] if row is not None and state in ("", row.state) else []
            return bool(found)

        self.wait(there)
        return found[0]

    def rows_can_be_read(self) -> bool:
        return self.store._conn is not None

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, DEADLINE_S)
        assert self.failure is None

    def path(self, row: PictureRow) -> Path:
        return self.data / "pictures" / row.day / f"{row.record_id}.jpg"

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _died(self, error: BaseException) -> None:
        self.failure = error
        self._tell()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.stop()
    made.ledger.close()
    made.spool.close()


def test_each_passage_gets_its_picture_in_a_chain(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.run()
    for number in (1, 2, 3):
        site.car(number)
    rows = [site.row(number) for number in (1, 2, 3)]
    assert [(row.state, row.day, row.chain, row.plate_width) for row in rows] == [
        ("made", "20261122", 1, 150),
        ("made", "20261122", 2, 150),
        ("made", "20261122", 3, 150),
    ]
    for row in rows:
        data = site.path(row).read_bytes()
        verdict = judge(data)
        assert (verdict.state, verdict.digest, len(data)) == ("untouched", row.digest, row.bytes)
        assert verdict.claim is not None
        assert (verdict.claim.record_id, verdict.claim.plate) == (row.record_id, "鲁A12345")
    assert main(["verify", str(site.data / "pictures"), "--key", str(site.data / "evidence.pub")]) == 0
    assert site.evidence is not None
    view = next(view for view in site.evidence.views() if view.lane == "in1")
    assert (view.passages, view.pictures, view.missing, view.plates, view.narrow) == (3, 3, 0, 3, 0)
    assert site.evidence.picture_of(f"{100_001:032x}") == site.path(rows[0])
    assert site.evidence.faults() == []


def test_a_camera_that_prints_its_own_overlay_is_sealed_and_not_encoded(tmp_path: Path) -> None:
    site = Site(tmp_path, overlay="camera")
    site.run()
    site.car(1)
    data = site.path(site.row(1)).read_bytes()
    begin = data.index(b"parkbox-seal\0") - 4
    end = begin + 2 + int.from_bytes(data[begin + 2 : begin + 4])
    assert data[:begin] + data[end:] == GOOD
    site.stop()
    site.ledger.close()
    site.spool.close()


def test_missing_unusable_and_late_pictures(site: Site) -> None:
    site.run()
    site.keep(site.passed(1, None))
    site.car(2, b"<html>502</html>")
    site.keep(site.read(50), site.passed(3, 50))
    # The ledger goes on for more than the time that a picture is waited for.
    site.keep(site.fact(900, ClockSet(0), mono_ms=10_000_000))
    assert (site.row(1).state, site.row(1).why) == ("missing", "no_read")
    assert (site.row(2).state, site.row(2).why[:28]) == ("failed", "unreadable: begins with 3c68")
    assert (site.row(3).state, site.row(3).why) == ("missing", "no_picture")
    site.keep(site.kept(901, 50, GOOD))
    late = site.row(3, "made")
    assert (late.chain, judge(site.path(late).read_bytes()).state) == (1, "untouched")
    assert site.evidence is not None
    view = next(view for view in site.evidence.views() if view.lane == "in1")
    assert (view.passages, view.pictures, view.missing, view.failed) == (3, 1, 1, 1)


def test_small_pictures_and_narrow_plates_are_faults(site: Site) -> None:
    site.run()
    small = jpeg(scene(640, 480))
    for number in range(1, 4):
        read = number + 100_000
        site.keep(site.read(read, width_px=60), site.kept(number + 200_000, read, small), site.passed(number, read))
        assert site.row(number).flags == "small scaled_up"
    assert site.evidence is not None
    found = {(fault.code, fault.device) for fault in site.evidence.faults()}
    assert found == {("picture_small", "cam-in1"), ("plate_narrow", "in1")}


def test_a_restart_goes_on_where_it_was_and_makes_nothing_twice(site: Site) -> None:
    site.run()
    site.car(1)
    first = site.path(site.row(1)).read_bytes()
    site.stop()
    site.car(2)
    site.run()
    assert site.row(2).chain == 2
    assert site.path(site.row(1)).read_bytes() == first
    assert len(list((site.data / "pictures").rglob("*"))) == 3


def test_a_power_cut_between_file_and_index_loses_and_doubles_nothing(site: Site) -> None:
    site.run()
    site.car(1)
    site.row(1)
    site.stop()
    before = (site.data / "pictures.db").read_bytes()
    site.run()
    site.car(2)
    site.row(2)
    site.stop()
    for name in ("pictures.db-wal", "pictures.db-shm"):
        (site.data / name).unlink(missing_ok=True)
    (site.data / "pictures.db").write_bytes(before)  # the file came to the disk, its row did not
    site.car(3)
    site.run()
    assert [site.row(number).chain for number in (1, 2, 3)] == [1, 2, 3]
    assert main(["verify", str(site.data / "pictures")]) == 0


def test_a_damaged_index_is_made_again_from_the_ledger_and_said(site: Site) -> None:
    site.run()
    site.car(1)
    before = site.path(site.row(1)).read_bytes()
    site.stop()
    (site.data / "pictures.db").write_bytes(b"no database" * 1000)
    for name in ("pictures.db-wal", "pictures.db-shm"):
        (site.data / name).unlink(missing_ok=True)
    site.run()
    assert site.path(site.row(1)).read_bytes() == before
    site.car(2)
    assert [site.row(number).chain for number in (1, 2)] == [1, 2]
    assert main(["verify", str(site.data / "pictures")]) == 0
    assert site.evidence is not None
    assert [fault.code for fault in site.evidence.faults()] == ["pictures_damaged"]


def test_a_picture_waits_for_the_clock_of_its_boot(site: Site) -> None:
    site.keep(site.passed(1, None, synced=False), site.passed(2, None))
    site.run()
    assert site.row(2).state == "missing"
    assert site.store.of_record(f"{1:032x}") is None
    assert site.store.cursor() == 0
    site.keep(site.fact(3, ClockSet(WALL_MS)))
    assert site.row(1).passed_ms == WALL_MS + 1000
    assert site.store.cursor() >= 3


def test_a_child_that_is_killed_is_started_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_evidence, "AGAIN_S", 0.01)
    site.run()
    site.car(1)
    site.row(1)
    assert site.child.pid is not None
    os.kill(site.child.pid, signal.SIGKILL)
    site.car(2)
    assert (site.row(2).state, site.row(2).chain) == ("made", 2)
    site.wait(lambda: site.evidence is not None and site.evidence.faults() == [])


def test_a_picture_on_which_the_child_dies_twice_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_evidence, "AGAIN_S", 0.01)
    site.run(Child(site.data, lambda data: [sys.executable, "-c", "import sys; sys.stdin.buffer.read(4)"]))
    site.car(1)
    assert site.row(1).state == "failed"
    assert "the picture process ended" in site.row(1).why


def test_a_disk_that_takes_no_picture_is_a_fault_and_nothing_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_evidence, "AGAIN_S", 0.01)
    blocked = site.data / "pictures"
    blocked.write_bytes(b"a file where the folder should be")
    site.run()
    site.car(1)
    evidence = site.evidence
    assert evidence is not None
    site.wait(lambda: [fault.code for fault in evidence.faults()] == ["evidence_failing"])
    blocked.unlink()
    assert site.row(1).state == "made"
    site.wait(lambda: evidence.faults() == [])


class WatchedChild(Child):
    """Says when its process has ended."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.ended = threading.Event()

    def end(self, kill: bool = False) -> None:
        super().end(kill)
        self.ended.set()


def test_the_child_is_gone_when_idle_and_the_agent_never_loads_what_it_needs(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_evidence, "IDLE_S", 0.0)
    child = WatchedChild(site.data)
    site.run(child)
    site.car(1)
    site.row(1)
    assert child.ended.wait(DEADLINE_S)
    assert child.pid is None
    site.car(2)
    assert site.row(2).chain == 2
    heavy = (
        "import sys, edge.agent.program; "
        "print([m for m in ('cv2', 'numpy', 'cryptography', 'alibabacloud_oss_v2') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_a_picture_that_the_spool_has_given_up_is_said(site: Site) -> None:
    site.keep(site.read(50), site.kept(51, 50, GOOD), site.passed(1, 50))
    shutil.rmtree(site.data / "spool")
    site.run()
    assert (site.row(1).state, site.row(1).why) == ("failed", "gone: the spool no longer has its bytes")
