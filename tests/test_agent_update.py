"""A bundle through the page: pieces in order, bounded; only a whole one is asked for; the newest backup out."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from edge.agent.update import AgentUpdate
from edge.box.update_state import ASKED, BUNDLE, PART, State, at_work, keep_state
from edge.wall_clock import boot_id
from edge.web.api_update import PIECE_MAX_BYTES
from edge.web.desk import RefusedError
from tests.backup_site import Site
from tests.update_engine import Engine
from tests.web_fakes import FakeSource
from tests.web_house import PASSWORD, Client, House


class Bench:
    def __init__(self, folder: Path) -> None:
        site = Site(folder / "site", 1)
        site.close()
        self.data = site.data
        self.folder = folder / "bundles"
        self.folder.mkdir()
        self.update = AgentUpdate(site.config, lambda: self.now_ms, self.folder)
        self.now_ms = 5


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    engine = Engine(tmp_path)
    monkeypatch.setenv("PATH", f"{engine.path}:/usr/bin:/bin")
    return Bench(tmp_path)


def test_pieces_become_the_bundle_that_was_sent(bench: Bench) -> None:
    assert bench.update.piece(0, b"one ").ok and bench.update.piece(4, b"two").ok
    assert bench.update.view().taken_bytes == 7
    assert bench.update.install(7, "admin").ok
    assert (bench.folder / BUNDLE).read_bytes() == b"one two"
    assert json.loads((bench.folder / ASKED).read_bytes()) == {"who": "admin", "at_ms": 5}
    assert not (bench.folder / PART).exists()


def test_a_lost_or_doubled_piece_is_told(bench: Bench) -> None:
    assert bench.update.piece(0, b"one ").ok
    again = bench.update.piece(8, b"three")
    assert not again.ok and "go on at byte 4" in again.en
    assert bench.update.piece(4, b"two").ok
    assert not bench.update.piece(4, b"two").ok
    not_whole = bench.update.install(8, "admin")
    assert not not_whole.ok and "7 of 8" in not_whole.en
    assert not (bench.folder / ASKED).exists()
    assert bench.update.piece(0, b"anew").ok
    assert (bench.folder / PART).read_bytes() == b"anew"


def test_nothing_is_changed_while_one_is_written(bench: Bench) -> None:
    bench.update.piece(0, b"one")
    bench.update.install(3, "admin")
    with pytest.raises(RefusedError, match="being written"):
        bench.update.piece(0, b"x")
    (bench.folder / ASKED).unlink()
    keep_state(bench.folder, State("installing", 40, "Copying image to rootfs.1", 1, boot_id()))
    with at_work(bench.folder):
        with pytest.raises(RefusedError, match="being written"):
            bench.update.install(3, "admin")
        view = bench.update.view()
        assert (view.phase, view.percent) == ("installing", 40) and "Copying" in view.en
    keep_state(bench.folder, State("installing", 40, "Copying image to rootfs.1", 1, "the boot before"))
    view = bench.update.view()  # the power went meanwhile
    assert view.phase == "failed" and "cut off" in view.en
    keep_state(bench.folder, State("failed", 0, "未安装: x / not installed: wrong signature", 1))
    view = bench.update.view()
    assert view.phase == "failed" and view.en == "not installed: wrong signature" and len(view.slots) == 2
    assert bench.update.piece(0, b"x").ok


def test_a_bundle_whose_writing_was_cut_off_makes_room_for_the_next(bench: Bench) -> None:
    (bench.folder / BUNDLE).write_bytes(b"the one before")
    keep_state(bench.folder, State("installing", 40, "Copying image to rootfs.1", 1, "the boot before"))
    assert bench.update.piece(0, b"one").ok
    assert sorted(file.name for file in bench.folder.iterdir()) == ["state.json", PART]


def test_a_full_disk_takes_no_bundle(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.update.piece(0, b"one")
    monkeypatch.setattr("edge.agent.update.LEFT_FREE_BYTES", 1 << 60)
    with pytest.raises(RefusedError, match="no room"):
        bench.update.piece(3, b"two")
    assert not (bench.folder / PART).exists()  # the facts need the room


def test_a_machine_that_takes_no_updates_says_why(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    view = bench.update.view()
    assert not view.possible and "no update engine (rauc)" in view.en and "没有更新程序" in view.zh
    bench.folder.rmdir()
    view = bench.update.view()
    assert not view.possible and "/bundles" in view.en


def test_the_newest_backup(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="no backup yet"):
        bench.update.newest_backup()
    folder = bench.data / "backups"
    folder.mkdir()
    for name in ("QD-000101-20261122-033000", "QD-000101-20261121-033000", "other-20261123-033000"):
        (folder / f"{name}.parkbox").touch()
    assert bench.update.newest_backup().name == "QD-000101-20261122-033000.parkbox"  # now is 1970: all are from later
    bench.now_ms = 1_795_233_600_000  # 2026-11-21 12:00 in Beijing
    assert bench.update.newest_backup().name == "QD-000101-20261121-033000.parkbox"


def test_over_the_page(tmp_path: Path) -> None:
    """The largest piece goes through, one byte more does not; who may not is refused; the audit tells."""
    house = House(tmp_path, FakeSource())
    port = house.server.start()
    try:
        admin, technician = Client(port), Client(port)
        admin.log_in("admin", PASSWORD)
        technician.log_in("tom", PASSWORD)
        whole = bytes(range(256)) * (PIECE_MAX_BYTES // 256)
        rest = PIECE_MAX_BYTES - len(whole)
        piece = {"at": 0, "data": base64.b64encode(whole + bytes(rest)).decode()}
        assert admin.post("/api/update/piece", piece)[0] == 200
        assert house.desk.update.taken == whole + bytes(rest)
        too_large = {"at": 0, "data": base64.b64encode(whole + bytes(rest + 1)).decode()}
        assert admin.post("/api/update/piece", too_large)[0] == 400
        assert admin.post("/api/update/piece", {"at": 0, "data": "no base64!"})[0] == 400
        assert technician.post("/api/update/piece", piece)[0] == 403
        assert admin.post("/api/update/install", {"size": PIECE_MAX_BYTES, "why": "新版本"})[0] == 200
        assert house.desk.update.installed == [(PIECE_MAX_BYTES, "admin")]
        assert [(one.action, one.why) for one in house.audit.entries][-1] == ("update_install", "新版本")
        house.desk.update.backup = None
        assert admin.ask("GET", "/api/backup")[0] == 404
        house.desk.update.backup = tmp_path / "QD-1-20261122-033000.parkbox"
        house.desk.update.backup.write_bytes(whole * 3)
        status, headers, body = admin.ask("GET", "/api/backup")
        assert (status, body) == (200, whole * 3)
        assert "QD-1-20261122-033000.parkbox" in headers["content-disposition"]
        assert technician.ask("GET", "/api/backup")[0] == 403
    finally:
        house.server.stop()
