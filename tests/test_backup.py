"""Backup and restore: a copy of a box at work comes back whole on a new card; nothing overwritten, lost or doubled."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edge.box.backup_names import BackupError
from edge.box.backup_seal import PIECE_BYTES, SealReader, SealWriter
from edge.box.restore_open import open_backup, used
from edge.box.restore_place import Places, finish
from edge.store.deliveries import Deliveries
from edge.store.ledger import Ledger
from edge.store.recovery import SEQ_RANGE
from tests.backup_site import PASSPHRASE, QUICK, Site
from tests.boot_tools import CONFIG, SECRETS, Forker, boot, card, write_kit
from tests.store_tools import passed


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "old")
    yield made
    made.close()


def restore(backup: Path, places: Places, passphrase: str = PASSPHRASE, *, replace: bool = False) -> None:
    with backup.open("rb") as file:
        open_backup(file, passphrase, places, replace=replace)
    finish(places)


def ids(ledger: Path) -> list[str]:
    conn = sqlite3.connect(ledger)
    try:
        return [row[0] for row in conn.execute("SELECT id FROM facts ORDER BY seq")]
    finally:
        conn.close()


def assert_restored(places: Places, site: Site, facts: list[str]) -> None:
    assert ids(places.data / "ledger.db") == facts
    assert (places.data / "evidence.key").read_text() == "a key"
    assert (places.data / "accounts.json").read_bytes() == (site.data / "accounts.json").read_bytes()
    assert stat.S_IMODE((places.data / "accounts.json").stat().st_mode) == 0o600
    assert places.config.read_bytes() == site.config_path.read_bytes()
    assert {path.name: path.read_text() for path in places.secrets.iterdir()} == SECRETS
    assert not (places.data / ".restore").exists()
    assert json.loads((places.data / "restored.json").read_bytes())["box"] == "QD-000101"


def test_a_box_at_work_comes_back_on_a_new_card(site: Site, tmp_path: Path) -> None:
    """Its programs have the files open; what they do after the copy is not in it."""
    before = ids(site.data / "ledger.db")
    backup = site.backup()
    site.add(3)
    places = card(tmp_path / "new").places
    places.data.mkdir()
    restore(backup, places)
    assert_restored(places, site, before)


def test_numbers_go_on_far_from_those_of_the_box_that_died(site: Site, tmp_path: Path) -> None:
    """And the queue waits where it was: no delivery is forgotten, none of a fact that it knows is made again."""
    backup = site.backup()
    places = card(tmp_path / "new").places
    places.data.mkdir()
    restore(backup, places)
    ledger = Ledger(places.data / "ledger.db")
    ledger.open()
    try:
        seq = ledger.submit([passed(99)], True, lambda _result: None)
    finally:
        ledger.close()
    assert seq == SEQ_RANGE + 1
    queue = Deliveries(places.data / "deliveries.db")
    queue.open()
    try:
        assert queue.cursor() == 5
        assert [one.item_id for one in reversed(queue.recent(10))] == ids(site.data / "ledger.db")
    finally:
        queue.close()


def test_a_second_death_gets_numbers_of_its_own(site: Site, tmp_path: Path) -> None:
    for number, name in enumerate(("first", "second"), 1):
        backup = site.backup(f"{name}.parkbox")
        places = card(tmp_path / name).places
        places.data.mkdir()
        restore(backup, places)
        assert (places.data / "ledger.generation").read_text() == "2", number


def test_copies_that_fit_together_while_both_write(site: Site, tmp_path: Path) -> None:
    """No cursor points past the ledger of the same backup, at whatever moment it was made."""
    enough = threading.Event()

    def work() -> None:
        while not enough.is_set():
            site.add(1)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        backups = [site.backup(f"{number}.parkbox") for number in range(5)]
    finally:
        enough.set()
        writer.join()
    for number, backup in enumerate(backups):
        places = card(tmp_path / f"new{number}").places
        places.data.mkdir()
        restore(backup, places)
        queue = Deliveries(places.data / "deliveries.db")
        queue.open()
        assert queue.cursor() <= len(ids(places.data / "ledger.db"))
        queue.close()


def test_cut_off_before_every_write_it_is_carried_out(site: Site, tmp_path: Path) -> None:
    backup, facts = site.backup(), ids(site.data / "ledger.db")
    forker, kills = Forker(), 0
    try:
        for number in range(1, 200):
            folder = tmp_path / str(number)
            places = card(folder).places
            places.data.mkdir()
            old = Ledger(places.data / "ledger.db")
            old.open()
            old.close()
            (places.data / "ledger.db-wal").write_bytes(b"a log that must not be played into the new one")
            with backup.open("rb") as file:
                open_backup(file, PASSPHRASE, places)
            if not forker.killed(number, "finish", folder):
                break
            kills += 1
            finish(places)
            assert_restored(places, site, facts)
            assert not (places.data / "ledger.db-wal").exists()
            aside = next(places.data.glob("replaced-*"))
            assert (aside / "ledger.db").exists() and (aside / "ledger.db-wal").exists()
    finally:
        forker.close()
    assert kills > 15, "the list of writes ended too early to have been all"


def test_a_box_in_use_is_not_overwritten(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "other", 2)
    other.close()
    places = Places(tmp_path / "box.toml", tmp_path / "secrets", other.data)
    before = ids(other.data / "ledger.db")
    assert used(other.data)
    with pytest.raises(BackupError, match="--replace"):
        restore(site.backup(), places)
    assert ids(other.data / "ledger.db") == before and not (other.data / ".restore").exists()
    restore(site.backup("again.parkbox"), places, replace=True)
    assert_restored(places, site, ids(site.data / "ledger.db"))
    assert ids(next(other.data.glob("replaced-*")) / "ledger.db") == before
    later = Ledger(other.data / "ledger.db")
    later.open()
    later.submit([passed(77)], True, lambda _result: None)
    later.close()
    restore(tmp_path / "old" / "again.parkbox", places, replace=True)  # the same once more
    kept = sorted(len(ids(folder / "ledger.db")) for folder in other.data.glob("replaced-*"))
    assert kept == [2, 6]  # nothing that was ever there is gone


def test_a_damaged_short_or_foreign_file_changes_nothing(site: Site, tmp_path: Path) -> None:
    places = card(tmp_path / "new").places
    places.data.mkdir()
    whole = site.backup().read_bytes()
    wrong: list[tuple[bytes, str, str]] = [
        (whole[: len(whole) // 2], PASSPHRASE, "damaged or cut off"),
        (whole[:-1], PASSPHRASE, "damaged or cut off"),
        (whole + b"x", PASSPHRASE, "damaged or cut off"),
        (whole[:-40] + b"\0" + whole[-39:], PASSPHRASE, "damaged or cut off"),
        (whole.replace(b'"box":"QD-000101"', b'"box":"QD-000102"'), PASSPHRASE, "damaged or cut off"),
        (whole, "another passphrase", "wrong passphrase"),
        (b"PK\x03\x04 a zip", PASSPHRASE, "no backup of a box"),
        (whole.replace(b"backup 1\n", b"backup 2\n"), PASSPHRASE, "newer version"),
        (b"", PASSPHRASE, "no backup of a box"),
    ]
    for content, passphrase, said in wrong:
        (tmp_path / "wrong.parkbox").write_bytes(content)
        with pytest.raises(BackupError, match=said):
            restore(tmp_path / "wrong.parkbox", places, passphrase)
        assert list(places.data.iterdir()) == [] and not places.config.exists(), said


def test_nothing_of_it_can_be_read_without_the_passphrase(site: Site) -> None:
    sealed = site.backup().read_bytes()
    for text in (*SECRETS.values(), "a key", "park_id", "scrypt"):
        assert text.encode() not in sealed
    assert b"QD-000101" in sealed[:200]  # whose it is can be seen


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_the_seal_gives_back_what_went_in(size: int) -> None:
    text, out = os.urandom(size), io.BytesIO()
    writer = SealWriter(out, PASSPHRASE, "b", 1, QUICK)
    for at in range(0, size, 50_000):
        writer.write(text[at : at + 50_000])
    writer.close()
    out.seek(0)
    assert SealReader(out, PASSPHRASE).read() == text


def test_pieces_cannot_change_places_or_be_left_out() -> None:
    out = io.BytesIO()
    writer = SealWriter(out, PASSPHRASE, "b", 1, QUICK)
    writer.write(bytes(3 * PIECE_BYTES))
    writer.close()
    whole = out.getvalue()
    body = whole.index(b"}\n") + 2
    piece = PIECE_BYTES + 16
    head, one, two = whole[:body], whole[body : body + piece], whole[body + piece : body + 2 * piece]
    rest = whole[body + 2 * piece :]
    for broken in (head + two + one + rest, head + one + rest, head + one + two, head + one):
        with pytest.raises(BackupError, match="damaged or cut off"):
            SealReader(io.BytesIO(broken), PASSPHRASE).read()


def test_a_short_passphrase_is_refused(site: Site) -> None:
    with pytest.raises(BackupError, match="at least 12"):
        site.backup(passphrase="short")
    assert not list(site.folder.glob("*.parkbox")) and not list(site.folder.glob(".*"))


def test_a_full_disk_is_left_with_what_the_facts_need(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: _Usage(10**9, 9 * 10**8, 10**8))
    with pytest.raises(BackupError, match="100 MB are free, 500 MB are needed"):
        site.backup()


def test_a_card_with_a_backup_on_it_becomes_the_box(site: Site, tmp_path: Path) -> None:
    """No command is typed: the technician copies two files to the boot partition of a new card."""
    ground = card(tmp_path / "new")
    write_kit(ground.boot, CONFIG.replace("QD-000101", "QD-9"))  # of the flash: the backup's goes before it
    site.backup().rename(ground.boot / "restore.parkbox")
    (ground.boot / "restore-passphrase.txt").write_text(PASSPHRASE + "\r\n")
    _, said = boot(ground)
    assert_restored(ground.places, site, ids(site.data / "ledger.db"))
    assert "QD-000101" in "\n".join(said)
    wishes = json.loads((ground.run / "boot-files.json").read_bytes())
    assert "restore-passphrase.txt" in wishes["remove"]
    before = ids(ground.places.data / "ledger.db")
    boot(ground)  # the files are still there, and the box is as it was
    assert ids(ground.places.data / "ledger.db") == before
    assert_restored(ground.places, site, before)


def test_the_restore_from_the_boot_partition_cut_off_anywhere(site: Site, tmp_path: Path) -> None:
    backup, facts = site.backup().read_bytes(), ids(site.data / "ledger.db")
    forker, kills = Forker(), 0
    try:
        for number in range(1, 400, 3):
            ground = card(tmp_path / str(number))
            (ground.boot / "restore.parkbox").write_bytes(backup)
            (ground.boot / "restore-passphrase.txt").write_text(PASSPHRASE)
            if not forker.killed(number, "boot", tmp_path / str(number)):
                break
            kills += 1
            boot(ground)
            assert_restored(ground.places, site, facts)
    finally:
        forker.close()
    assert kills > 10, "the list of writes ended too early to have been all"
