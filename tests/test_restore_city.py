"""The real agent on a restored card, at the city to which the dead box reported: no record twice, none lost that the
backup or the city has."""

from __future__ import annotations

from pathlib import Path

from edge.box.backup_make import make_backup
from edge.box.restore_open import open_backup
from edge.box.restore_place import Places, finish
from edge.config.load import load
from hal_sim.qingdao import QingdaoPlatform
from tests.delivery_records import record
from tests.program_books import at_city, city_problems, due_at_city
from tests.program_rig import Box, box_in, platform_on, until

PASSPHRASE = "correct horse battery"


def deliver(box: Box, platform: QingdaoPlatform, total: int) -> None:
    with box.agent() as agent:
        agent.await_ready()
        until(lambda: at_city(platform).total() >= total, f"{total} records at the city", 60)
        assert agent.stop() == 0


def test_a_city_sees_every_car_once(tmp_path: Path) -> None:
    with platform_on() as (platform, url):
        with box_in(tmp_path / "old", city_url=url) as old:
            ledger = old.data / "ledger.db"
            record(ledger, range(4))
            deliver(old, platform, due_at_city(ledger).total())
            record(ledger, range(4, 8))  # in the backup, and the city has not heard of them
            backup = tmp_path / "b.parkbox"
            config = load(old.config)
            make_backup(config, old.config, {}, backup, PASSPHRASE, 1, scrypt_n=16)
            record(ledger, range(8, 10))  # after it
            deliver(old, platform, due_at_city(ledger).total())
            due = due_at_city(ledger)
        with box_in(tmp_path / "new", city_url=url) as new:
            places = Places(tmp_path / "restored.toml", tmp_path / "secrets", new.data)
            new.data.mkdir(exist_ok=True)
            with backup.open("rb") as file:
                open_backup(file, PASSPHRASE, places)
            assert finish(places) is not None
            record(new.data / "ledger.db", range(10, 13))
            due |= due_at_city(new.data / "ledger.db")  # the eight visits that both have are the same ones
            deliver(new, platform, due.total())
            until(lambda: waiting(new) == 0, "nothing waits", 60)
        assert city_problems(due, at_city(platform)) == []
        summary = platform.summary()
        assert (summary.changed, summary.internal_errors) == ((), ())


def waiting(box: Box) -> int:
    from hal_sim.ledger_view import delivery_counts  # noqa: PLC0415

    return delivery_counts(box.data / "deliveries.db").get("waiting", 0)
