"""The real agent with the simulated storage: kill -9 and resume, beside the records (QC99), and a prompt end."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.facts import AnyBody, Fact, Passed, PictureKept, ReadTaken, Stamp
from edge.evidence.spool import SpoolWriter
from edge.store.ledger import Ledger
from hal_sim.ledger_view import facts_after
from hal_sim.oss import OssServer
from hal_sim.pictures_run import due_keys, upload_counts
from hal_sim.qingdao import Kind, QingdaoPlatform
from tests.evidence_tools import jpeg, scene
from tests.oss_tools import KEYS, PROJECT, storage
from tests.page_reader import person
from tests.program_rig import READY_S, Box, Child, box_in, grows, killed_later, platform_on, until
from tests.program_site import ACCOUNT
from tests.store_tools import keep

assert ACCOUNT["sub_code"] == PROJECT

SCENE = jpeg(scene(1280, 720), 70)
BOOT = "b" * 32
WEATHER: tuple[Kind, ...] = ("drop_answer", "cut_off", "http_500")
SECTION = """
[city.qingdao.oss]
endpoint = "{endpoint}"
bucket = "park-pictures"
key_id_file = "oss-key-id"
key_secret_file = "oss-key-secret"
timeout_s = 3.0
retry_s = 0.3

[[lane]]"""


def configure(box: Box, endpoint: str) -> None:
    text = box.config.read_text(encoding="utf-8")
    head, _, rest = text.partition("\n[[lane]]")
    box.config.write_text(head + SECTION.format(endpoint=endpoint) + rest, encoding="utf-8")
    for name, value in (("oss-key-id", KEYS.key_id), ("oss-key-secret", KEYS.secret)):
        path = box.config.parent / name
        path.write_text(value, encoding="utf-8")
        path.chmod(0o600)


class Cars:
    """The lane's half, written by hand: each car a read, a picture in the spool and a passage."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.ledger_db = data / "ledger.db"
        self._spool = SpoolWriter(data / "spool", 40_000_000, 20_000_000)
        self._count = 0

    def come(self, count: int) -> None:
        ledger = Ledger(self.ledger_db)
        ledger.open()
        for _ in range(count):
            self._count += 1
            assert keep(ledger, self._car(self._count)).ok
        assert ledger.close() == 0

    def _car(self, number: int) -> list[Fact]:
        read_id = f"{number + 0xA0000:032x}"
        place = self._spool.append(read_id, SCENE)
        plate = f"鲁B{number:05d}"
        bodies: list[tuple[str, AnyBody]] = [
            (read_id, ReadTaken("cam-in1", str(number), plate, plate, picture=True)),
            (f"{number + 0xB0000:032x}", PictureKept(read_id, *place[:4])),
            (f"{number:032x}", Passed(read_id, "in", plate, "blue", read_id=read_id)),
        ]
        now_ms = time.time_ns() // 1_000_000
        return [Fact(fact_id, "in1", Stamp(BOOT, number * 1000, now_ms, True), body) for fact_id, body in bodies]

    def due(self) -> dict[str, str]:
        return due_keys(facts_after(self.ledger_db, 0), PROJECT)

    def close(self) -> None:
        self._spool.close()


@contextmanager
def site(folder: Path) -> Iterator[tuple[Box, Cars, OssServer, QingdaoPlatform]]:
    with platform_on() as (platform, url), storage() as (oss, endpoint), box_in(folder, city_url=url) as box:
        configure(box, endpoint)
        cars = Cars(box.data)
        yield box, cars, oss, platform
        cars.close()


def there(oss: OssServer, cars: Cars) -> bool:
    return set(oss.objects()) == set(cars.due().values())


def noted(box: Box) -> bool:
    return set(upload_counts(box.data / "pictures.db")) == {"stored"}


def sound(box: Box, cars: Cars, oss: OssServer) -> None:
    """Every picture once, where it belongs, as the box keeps it; nothing refused."""
    summary = oss.summary()
    assert (summary.refused, summary.changed) == ((), 0)
    due = cars.due()
    assert set(oss.objects()) == set(due.values())
    for key, data in oss.objects().items():
        day, record_id = key.split("/")[2:]
        assert (box.data / "pictures" / day / f"{record_id}.jpg").read_bytes() == data


def random_kills(folder: Path, rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    with site(folder) as (box, cars, oss, _):
        for _ in range(rounds):
            cars.come(4)
            oss.weather.set(dice.choice(WEATHER), probability=0.3)
            with box.agent() as agent:
                with killed_later(agent, dice.uniform(0, 0.5), grows(lambda: len(oss.objects()))):
                    until(lambda: not agent.alive, "killed", 4 * READY_S)
                agent.end()
        oss.weather.clear()
        with box.agent() as agent:
            agent.await_ready()  # all may be there already; before this line a SIGTERM simply ends it
            until(lambda: there(oss, cars) and noted(box), "every picture in the storage", 60 + 4 * rounds)
            assert agent.stop() == 0
        sound(box, cars, oss)


def test_killed_at_any_moment_each_picture_is_one_object(tmp_path: Path) -> None:
    random_kills(tmp_path, 3, 1)


@pytest.mark.soak
def test_killed_a_hundred_times_each_picture_is_one_object(tmp_path: Path) -> None:
    random_kills(tmp_path, 100, 2)


def records(platform: QingdaoPlatform) -> int:
    return len(platform.of_kind("carIn"))


def test_pictures_wait_for_no_record_and_records_for_no_picture(tmp_path: Path) -> None:
    """QC99: upload beside the record, own queue; QC32: pictures independent."""
    with site(tmp_path) as (box, cars, oss, platform), box.agent() as agent:
        agent.await_ready()
        platform.weather.set("http_500")
        cars.come(2)
        until(lambda: there(oss, cars), "pictures while no record is taken")
        assert records(platform) == 0
        platform.weather.clear()
        until(lambda: records(platform) == 2, "records")
        oss.weather.set("hang")
        cars.come(2)
        until(lambda: oss.weather.hanging == 1, "an upload hangs")
        cars.come(1)
        began_s = time.monotonic()
        until(lambda: records(platform) == 5, "records while the storage hangs", 2.5)
        assert time.monotonic() - began_s < 2.5
        assert len(oss.objects()) == 2
        began_s = time.monotonic()
        assert agent.stop() == 0  # an upload that hangs holds nobody up
        assert time.monotonic() - began_s < 5
        oss.weather.clear()
        with box.agent() as again:
            until(lambda: there(oss, cars) and noted(box), "the rest")
            assert again.stop() == 0
        sound(box, cars, oss)


def child_of(agent: Child) -> list[int]:
    pid = agent._child.pid
    tasks = Path(f"/proc/{pid}/task")
    found = [int(one) for task in tasks.iterdir() for one in (task / "children").read_text().split()]
    return [one for one in found if b"upload_worker" in Path(f"/proc/{one}/cmdline").read_bytes()]


def test_a_killed_agent_leaves_no_upload_child_behind(tmp_path: Path) -> None:
    with site(tmp_path) as (box, cars, oss, _):
        with box.agent() as agent:
            cars.come(1)
            until(lambda: there(oss, cars), "a picture")
            (child,) = child_of(agent)
            agent.kill()
            agent.end()
        until(lambda: not Path(f"/proc/{child}").exists() or cmdline(child) == b"", "the child has ended")


def page_search(box: Box) -> list[dict[str, str]]:
    status, _, body = person(box.web_port, box.data).ask("GET", "/api/deliveries?plate=")
    assert status == 200
    rows: list[dict[str, str]] = json.loads(body)
    return rows


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def test_the_technician_reads_when_and_why_not_and_sends_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with site(tmp_path) as (box, cars, oss, platform):
        oss.rules = replace(oss.rules, acl="private")  # the city wants another access
        with box.agent() as agent:
            agent.await_ready()
            cars.come(1)
            until(lambda: upload_counts(box.data / "pictures.db") == {"set_aside": 1}, "set aside")
            until(lambda: records(platform) == 1, "record")
            assert main(["deliveries", str(box.config), "--pictures"]) == 0
            said = capsys.readouterr().out
            assert "有图片, 未上传" in said
            assert "x-oss-object-acl 'public-read-write' 须为 must be private" in said
            found = page_search(box)
            assert "未上传" in found[0]["picture_zh"]
            assert "not uploaded, set aside" in found[0]["picture_en"]
            oss.rules = replace(oss.rules, acl="public-read-write")
            assert main(["deliveries", str(box.config), "--repeat-pictures"]) == 0
            assert "1 条将重新上传" in capsys.readouterr().out
            until(lambda: there(oss, cars) and noted(box), "the picture")
            assert main(["deliveries", str(box.config), "--pictures"]) == 0
            assert "已上传 | " in capsys.readouterr().out
            assert "已上传" in page_search(box)[0]["picture_zh"]
            assert agent.stop() == 0
