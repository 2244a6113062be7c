"""Uploads in virtual time over the real table: any weather, any kill, each picture stored once or set aside rightly."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.agent.upkeep import Limits, Upkeep
from edge.cities.qingdao.pictures import object_key
from edge.config.model import Oss
from edge.evidence.child import ChildDiedError, ChildUnusableError
from edge.evidence.upload_jobs import Outcome, Put
from edge.evidence.uploads import IDLE_S, PictureUploads
from edge.ports import Upload
from edge.store.errors import StoreError
from edge.store.pictures import PictureRow, Pictures
from edge.store.uploads import Uploads
from tests.city_fakes import T0_MS, FakeClock, FakeRandom

SETTINGS = Oss(
    endpoint="http://127.0.0.1:1", bucket="park-pictures", key_id_file="id", key_secret_file="secret", retries=3
)

# What the child says in each weather, and whether OSS has the picture then.
WEATHER: dict[str, tuple[Outcome | Exception, bool]] = {
    "fine": (Outcome("stored", etag="e"), True),
    "http_500": (Outcome("answered", "internal", 500, "InternalError"), False),
    "answer_lost": (Outcome("lost", "reset"), True),
    "died": (ChildDiedError("no answer within 70 s"), True),
    "no_route": (Outcome("unreachable", "refused"), False),
    "bad_keys": (Outcome("answered", "keys", 403, "InvalidAccessKeyId"), False),
    "no_child": (ChildUnusableError("status 1"), False),
    "portal": (Outcome("answered", "", 200), False),
    "damaged": (Outcome("answered", "md5", 400, "InvalidDigest"), False),
    "refused": (Outcome("answered", "wrong", 400, "InvalidArgument"), False),
    "gone": (Outcome("gone"), False),
}
BLAMES = {"http_500", "answer_lost", "died", "damaged"}


class Storage:
    """Implements `Putter`. `weather` is used up from the front, then it is fine."""

    def __init__(self, weather: Sequence[str] = ()) -> None:
        self.weather = list(weather)
        self.jobs: list[Put] = []
        self.have: dict[str, int] = {}
        self.words: dict[str, list[str]] = {}
        self.pid: int | None = None
        self.during: Callable[[], None] = lambda: None

    def put(self, job: Put) -> Outcome:
        self.pid = 1
        self.jobs.append(job)
        word = self.weather.pop(0) if self.weather else "fine"
        self.words.setdefault(job.key, []).append(word)
        answer, there = WEATHER[word]
        self.during()
        if there:
            self.have[job.key] = self.have.get(job.key, 0) + 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self) -> None:
        self.pid = None

    def abort(self) -> None:
        self.pid = None


class Shop:
    def __init__(self, folder: Path, weather: Sequence[str] = ()) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.storage = Storage(weather)
        self.changes = 0
        self.open()

    def open(self) -> None:
        self.pictures = Pictures(self.folder / "pictures.db", uploading=True)
        self.pictures.open()
        self.queue = Uploads(self.pictures)
        self.uploads = PictureUploads(
            SETTINGS,
            self.queue,
            self.folder / "pictures",
            key_of,
            self.storage,
            clock=self.clock,
            random=FakeRandom(),
            storage_errors=(StoreError,),
            died=lambda error: None,
            changed=self._changed,
        )

    def crash(self) -> None:
        """Nothing but the file is remembered."""
        self.pictures.close()
        self.open()

    def _changed(self) -> None:
        self.changes += 1

    def made(self, number: int, at_s: float = 0.0, state: str = "made") -> str:
        row = PictureRow(
            f"{number:032x}", f"{number:032x}", "in1", "in" if number % 2 else "out", "cam", "鲁B12345", "20261122",
            T0_MS + round(at_s * 1000), state, bytes=1000, chain=number,  # type: ignore[arg-type]
        )  # fmt: skip
        self.pictures.settle(number, [row])
        return row.record_id

    def run(self, done: Callable[[], bool], rounds_max: int = 5000) -> None:
        for _ in range(rounds_max):
            if done():
                return
            self.clock.now_s += max(0.001, self.uploads.run_once())
        raise AssertionError(f"not done: {self.queue.counts()} {self.uploads.faults()}")

    def idle(self) -> bool:
        return self.queue.counts()["waiting"] == 0

    def states(self) -> dict[str, str]:
        return dict(self.pictures.rows("SELECT record_id, state FROM uploads ORDER BY id", ()))

    def codes(self) -> list[str]:
        return [fault.code for fault in self.uploads.faults()]


def key_of(upload: Upload) -> str:
    return object_key("P1", upload.direction, upload.passed_ms, upload.record_id)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.pictures.close()


@settings(max_examples=60)
@given(
    weather=st.lists(st.sampled_from([*WEATHER, *["fine"] * 4]), max_size=60),
    count=st.integers(1, 6),
    crashes=st.sets(st.integers(0, 80), max_size=4),
)
def test_in_any_weather_each_picture_is_stored_or_set_aside_with_its_reason(
    weather: list[str], count: int, crashes: set[int]
) -> None:
    with TemporaryDirectory() as folder:
        shop = Shop(Path(folder), weather)
        ids = [shop.made(number) for number in range(count)]
        rounds = 0
        while not shop.idle():
            rounds += 1
            assert rounds < 3000, shop.queue.counts()
            if rounds in crashes:
                shop.crash()
            shop.clock.now_s += max(0.001, shop.uploads.run_once())
        states = shop.states()
        shop.pictures.close()
    assert list(states) == ids
    for number, record_id in enumerate(ids):
        key = object_key("P1", "in" if number % 2 else "out", T0_MS, record_id)
        words = shop.storage.words[key]
        last, blamed = words[-1], sum(word in BLAMES for word in words)
        if states[record_id] == "stored":
            assert last == "fine"
            assert shop.storage.have[key] >= 1
        elif states[record_id] == "gone":
            assert last == "gone"
        else:
            # Only OSS's word about this picture, or the end of its repetitions, sets it aside.
            assert last == "refused" or blamed == SETTINGS.retries + 1
        assert blamed <= SETTINGS.retries + 1


def test_a_link_that_is_down_for_days_blames_no_picture_and_rests_with_jitter(shop: Shop) -> None:
    shop.storage.weather = ["no_route"] * 600
    shop.made(1)
    began_s = shop.clock.now_s
    shop.run(lambda: shop.codes() == ["oss_offline"])
    shop.run(shop.idle)
    assert shop.clock.now_s - began_s > 590 * SETTINGS.retry_s  # the rests have grown to their bound
    story = shop.queue.story(f"{1:032x}")
    assert story is not None
    assert (story.upload, story.attempts) == ("stored", 0)
    assert shop.codes() == []


def test_wrong_keys_are_a_fault_at_once_and_begin_with_long_rests(shop: Shop) -> None:
    assert [(link.online, link.idle) for link in shop.uploads.links()] == [(False, True)]  # neither on nor off yet
    shop.storage.weather = ["bad_keys"]
    shop.made(1)
    assert shop.uploads.run_once() == pytest.approx(32.0)
    assert shop.codes() == ["oss_refused"]
    assert "InvalidAccessKeyId" in shop.uploads.faults()[0].detail
    assert [link.online for link in shop.uploads.links()] == [False]
    shop.run(shop.idle)
    assert [(link.online, link.idle) for link in shop.uploads.links()] == [(True, False)]


def test_again_after_five_minutes_so_often_then_set_aside_and_back_by_hand(shop: Shop) -> None:
    shop.storage.weather = ["http_500"] * 4
    record_id = shop.made(1)
    shop.run(shop.idle)
    assert shop.clock.now_s - 1000 >= 3 * 300
    assert "picture_set_aside" in shop.codes()
    story = shop.queue.story(record_id)
    assert story is not None
    assert (story.upload, "已试 4 次" in story.answer) == ("set_aside", True)
    assert shop.queue.lacking([record_id]) == {record_id}
    assert shop.queue.repeat() == 1
    shop.run(shop.idle)
    assert shop.states() == {record_id: "stored"}
    assert shop.codes() == []


def test_a_live_picture_goes_before_the_backlog(shop: Shop) -> None:
    old = [shop.made(number, at_s=number - 5000) for number in range(20)]
    live = shop.made(50, at_s=1000)  # the clock stands there
    shop.storage.during = lambda: None if len(shop.storage.jobs) != 3 else void(shop.made(51, at_s=1001))
    shop.run(shop.idle)
    order = [job.key[-32:] for job in shop.storage.jobs]
    assert order[0] == live
    assert order.index(f"{51:032x}") <= 8  # at the next look, not behind the backlog
    assert [one for one in order if one in old] == old


def void(_: object) -> None:
    return None


def test_pictures_of_before_the_storage_was_configured_go_too_and_others_never(tmp_path: Path) -> None:
    shelf = Pictures(tmp_path / "pictures.db")
    shelf.open()
    row = PictureRow("a" * 32, "b" * 32, "in1", "in", "cam", "", "20261122", T0_MS, "made")
    shelf.settle(1, [row])
    assert Uploads(shelf).counts() == {"waiting": 0, "set_aside": 0}  # no storage: no queue
    shelf.close()
    shop = Shop(tmp_path)
    shop.made(2, state="missing")
    shop.run(shop.idle)
    assert list(shop.storage.have) == [object_key("P1", "in", T0_MS, "a" * 32)]
    shop.made(2)  # the picture came late
    shop.run(shop.idle)
    assert len(shop.storage.have) == 2
    shop.pictures.close()


def test_without_a_true_clock_nothing_is_signed(shop: Shop) -> None:
    shop.clock.true = False
    shop.made(1)
    shop.uploads.run_once()
    assert shop.storage.jobs == []
    shop.clock.true = True
    shop.run(shop.idle)
    assert len(shop.storage.jobs) == 1


def test_the_child_is_gone_when_idle(shop: Shop) -> None:
    shop.made(1)
    shop.run(shop.idle)
    assert shop.storage.pid == 1
    shop.clock.now_s += IDLE_S - 1
    assert shop.uploads.run_once() <= 1.2
    assert shop.storage.pid == 1
    shop.clock.now_s += 1
    shop.uploads.run_once()
    assert shop.storage.pid is None


def test_a_stopped_upload_is_nobodys_fault_and_what_was_stored_is_noted(shop: Shop) -> None:
    shop.made(1)
    shop.made(2)
    shop.storage.weather = ["fine", "died"]
    shop.storage.during = lambda: shop.uploads.stop() if len(shop.storage.jobs) == 2 else None
    shop.uploads.run_once()
    assert sorted(shop.states().values()) == ["stored", "waiting"]
    assert shop.pictures.rows("SELECT max(attempts) FROM uploads", ()) == [(0,)]


def test_a_queue_that_fails_is_told_at_the_second_time_and_clears(shop: Shop) -> None:
    shop.made(1)
    shop.pictures.close()
    shop.uploads.run_once()
    assert shop.codes() == []
    shop.uploads.run_once()
    assert shop.codes() == ["storage_failing"]
    shop.pictures.open()
    shop.run(shop.idle)
    assert shop.codes() == []


def test_no_picture_goes_by_age_before_it_is_uploaded_and_by_disk_only_last(shop: Shop) -> None:
    folder = shop.folder / "pictures"
    (folder / "20261122").mkdir(parents=True)
    ids = [shop.made(number, at_s=number) for number in range(30)]
    for record_id in ids:
        (folder / "20261122" / f"{record_id}.jpg").write_bytes(bytes(1000))
    shop.storage.weather = ["no_route"]
    shop.uploads.run_once()
    shop.queue.stored([shop.queue.due(1 << 60, 0, 1)[0].id], "x", 1)  # one was stored in another run
    limits = Limits(40, 10**9, 0)
    after_ms = T0_MS + 60 * 86_400_000
    Upkeep(folder, shop.pictures, limits, shop.queue.lacking).run(after_ms)
    assert sorted(path.stem for path in folder.rglob("*.jpg")) == ids[1:]
    upkeep = Upkeep(folder, shop.pictures, Limits(40, 20_000, 0), shop.queue.lacking)
    upkeep.run(after_ms)
    assert [fault.code for fault in upkeep.faults()] == ["pictures_given_up"]
    left = {path.stem for path in folder.rglob("*.jpg")}
    assert set(shop.states().values()) == {"stored", "gone", "waiting"}
    assert {one for one, state in shop.states().items() if state == "waiting"} == left
    shop.run(shop.idle)
    assert len(shop.storage.have) == len(left)


@pytest.mark.parametrize(
    ("direction", "passed_ms", "suffix", "key"),
    [
        ("in", 1_627_660_799_000, "", "0000003109/NISSP_IMG_PARK_IN/20210730/66E6318F11C06ACC338B63647FC35111"),
        ("out", 1_627_660_800_000, "", "0000003109/NISSP_IMG_PARK_OUT/20210731/66E6318F11C06ACC338B63647FC35111"),
        ("in", 1_627_660_799_000, ".jpg", "0000003109/NISSP_IMG_PARK_IN/20210730/66E6318F11C06ACC338B63647FC35111.jpg"),
    ],
)
def test_the_key_is_as_the_standard_prints_it_with_beijings_date(
    direction: str, passed_ms: int, suffix: str, key: str
) -> None:
    """Lines 732 to 738, QC97, QC98; project and id are those of the public sample named in QC97."""
    assert object_key("0000003109", direction, passed_ms, "66E6318F11C06ACC338B63647FC35111", suffix) == key
    with pytest.raises(ValueError, match="direction"):
        object_key("1", "up", passed_ms, "a")


def test_rests_are_spread_over_their_whole_bound(shop: Shop) -> None:
    shop.uploads._random = random.Random(7)
    shop.storage.weather = ["no_route"] * 200
    tries: list[float] = []
    shop.storage.during = lambda: tries.append(shop.clock.now_s)
    shop.made(1)
    shop.run(shop.idle)
    late = [after - before for before, after in itertools.pairwise(tries[20:])]
    assert max(late) > 0.9 * SETTINGS.retry_s
    assert min(late) < 0.1 * SETTINGS.retry_s
