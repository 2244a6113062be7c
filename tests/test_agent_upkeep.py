"""Evidence pictures go by age and by disk, never the undelivered first; what does not fit together is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from edge.agent import upkeep as agent_upkeep
from edge.agent.upkeep import Limits, Upkeep
from edge.core.clock import CHINA
from edge.ports import Delivery
from edge.store.deliveries import Deliveries
from edge.store.pictures import PictureRow, Pictures

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=CHINA)
NOW_MS = int(NOW.timestamp() * 1000)
SIZE = 1000


def day(ago: int) -> str:
    return (NOW - timedelta(days=ago)).strftime("%Y%m%d")


class Shelf:
    """Pictures of a thousand bytes on a disk of the test's size."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "pictures"
        self.folder.mkdir()
        self.store = Pictures(folder / "pictures.db")
        self.store.open()
        self.undelivered: set[str] = set()
        self.others_bytes = 0
        self.count = 0

    def picture(self, ago: int, delivered: bool = True) -> str:
        self.count += 1
        record_id = f"{self.count:032x}"
        row = PictureRow(
            record_id, record_id, "in1", "in", "cam", "鲁A12345", day(ago), 0, "made", bytes=SIZE, chain=self.count
        )
        self.store.settle(0, [row])
        (self.folder / row.day).mkdir(exist_ok=True)
        (self.folder / row.day / f"{record_id}.jpg").write_bytes(bytes(SIZE))
        if not delivered:
            self.undelivered.add(record_id)
        return record_id

    def upkeep(self, limit: int = 10**9, disk: int = 10**9, free: int = 0) -> Upkeep:
        def left(folder: Path) -> int:
            return disk - self.others_bytes - len(self.files()) * SIZE

        def lacking(ids: Sequence[str]) -> set[str]:
            return self.undelivered & set(ids)

        return Upkeep(self.folder, self.store, Limits(40, limit, free), lacking, left)

    def files(self) -> list[str]:
        return sorted(path.stem for path in self.folder.rglob("*.jpg"))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.store.close()


def codes(upkeep: Upkeep) -> list[str]:
    return [fault.code for fault in upkeep.faults()]


def test_pictures_go_by_age_and_the_undelivered_stay(shelf: Shelf) -> None:
    old = [shelf.picture(41) for _ in range(450)]
    kept = [shelf.picture(45, delivered=False), shelf.picture(40), shelf.picture(0)]
    upkeep = shelf.upkeep()
    upkeep.run(NOW_MS)
    assert shelf.files() == sorted(kept)
    assert not (shelf.folder / day(41)).exists()
    assert {shelf.store.of_record(one).state for one in old if shelf.store.of_record(one)} == {"deleted"}  # type: ignore[union-attr]
    assert codes(upkeep) == []
    shelf.undelivered.clear()
    upkeep.run(NOW_MS)
    assert shelf.files() == sorted(kept[1:])


def test_a_full_disk_takes_the_oldest_delivered_and_no_more_than_must(shelf: Shelf) -> None:
    waiting = [shelf.picture(30, delivered=False) for _ in range(300)]
    going = [shelf.picture(20) for _ in range(40)]
    staying = [shelf.picture(10) for _ in range(40)]
    upkeep = shelf.upkeep(disk=380 * SIZE, free=40 * SIZE)
    upkeep.run(NOW_MS)
    assert shelf.files() == sorted(waiting + staying)
    assert not set(going) & set(shelf.files())
    assert codes(upkeep) == []


def test_only_when_nothing_else_is_left_the_undelivered_go_and_a_fault_says_so(shelf: Shelf) -> None:
    first = [shelf.picture(30, delivered=False) for _ in range(20)]
    second = [shelf.picture(29, delivered=False) for _ in range(20)]
    delivered = shelf.picture(5)
    upkeep = shelf.upkeep(limit=20 * SIZE)
    upkeep.run(NOW_MS)
    assert shelf.files() == sorted(second)
    assert not {*first, delivered} & set(shelf.files())
    assert codes(upkeep) == ["pictures_given_up"]
    assert upkeep.faults()[0].detail == "20"


def test_a_disk_that_something_else_fills_does_not_cost_todays_pictures(shelf: Shelf) -> None:
    today = [shelf.picture(0) for _ in range(5)]
    shelf.picture(1)
    shelf.others_bytes = 10**9
    shelf.upkeep(free=10).run(NOW_MS)
    assert shelf.files() == today


@pytest.mark.parametrize("at_once", [1, 200])
def test_orphans_and_lost_files_are_found_and_said(
    shelf: Shelf, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_upkeep, "BATCH", at_once)
    gone = shelf.picture(3)
    (shelf.folder / day(3) / f"{gone}.jpg").unlink()
    crashed = shelf.picture(2)
    shelf.store.mark_deleted([crashed])
    kept = shelf.picture(2)
    stranger = shelf.folder / day(2) / ("f" * 32 + ".jpg")
    stranger.write_bytes(b"x")
    torn = shelf.folder / day(2) / ("e" * 32 + ".jpg.new")
    torn.write_bytes(b"x")
    old = shelf.folder / day(60)
    old.mkdir()
    (old / ("d" * 32 + ".jpg")).write_bytes(b"x")
    upkeep = shelf.upkeep()
    upkeep.run(NOW_MS)
    assert [(fault.code, fault.detail) for fault in upkeep.faults()] == [
        ("pictures_unmatched", "无记录 orphans 1, 文件丢失 files gone 1")
    ]
    assert shelf.files() == sorted([kept, "f" * 32])
    assert not torn.exists()
    assert not old.exists()


def test_rows_are_forgotten_late_and_the_head_of_a_chain_never(shelf: Shelf) -> None:
    ids = [shelf.picture(200), shelf.picture(200)]
    shelf.upkeep().run(NOW_MS)
    assert shelf.files() == []
    assert [shelf.store.of_record(one) is None for one in ids] == [True, False]
    assert shelf.store.heads() == {"in1": (2, "")}


def test_the_queue_of_deliveries_knows_what_a_city_lacks(tmp_path: Path) -> None:
    queue = Deliveries(tmp_path / "deliveries.db")
    queue.open()
    queue.add(1, [Delivery(0, "qingdao", "carIn", f"{n:032x}", "", b"{}", "", 0) for n in range(3)])
    queue.accepted([1], "ok")
    queue.set_aside([2], "refused")
    assert queue.undelivered([f"{n:032x}" for n in range(5)]) == {f"{2:032x}"}
    queue.close()
