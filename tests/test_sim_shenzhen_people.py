"""People who book: every story runs clean against a small honest box, and a box with one mistake is found."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hal_sim.shenzhen import Record, ShenzhenPlatform, stories
from hal_sim.shenzhen.driver import Driver, Stopped, Tempo
from hal_sim.shenzhen.orders import OrderAnswer
from hal_sim.shenzhen.stories import MIX, Story
from tests.shenzhen_wire import ACCOUNT, LOT, WAIT_S, Asked, Callback, Sender, example, reply, sorted_text

TEMPO = Tempo(between_s=(0.01, 0.02), step_s=(0.0, 0.01), short_s=1, inside_s=0.3)
BEIJING_S = 8 * 3600


def stamp(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at_s + BEIJING_S))


class SmallBox:
    """The readings SC45 to SC54, as simple as they go; `mistake` is what it does wrong. Cars drive in at once."""

    def __init__(self, sender: Sender, mistake: str = "") -> None:
        self._sender, self._mistake = sender, mistake
        self.bookings: dict[str, dict[str, Any]] = {}
        self.cancelled: set[str] = set()
        self.entered: list[str] = []
        self.coupons: list[str] = []

    def __call__(self, asked: Asked) -> tuple[int, bytes]:
        code = int(asked.path.rpartition("/")[2])
        (one,) = asked.body["data"]
        answer = {4001: self._control, 4002: self._coupon, 6001: self._lock, 6002: self._decide}[code](one)
        return 200, reply([answer | {"message": "x"}])

    def _control(self, one: dict[str, Any]) -> dict[str, Any]:
        sheet = one.get("blackWhiteGraySheet", one)
        return {"id": sheet["id"], "code": 0 if sheet["parkCode"] == LOT else 1101}

    def _coupon(self, one: dict[str, Any]) -> dict[str, Any]:
        self.coupons.append(one["couponNo"])
        return {"couponNo": one["couponNo"], "code": 0}

    def _lock(self, one: dict[str, Any]) -> dict[str, Any]:
        book = one["bookCode"]
        known, told = self.bookings.get(book), {"bookCode": book}
        if one["parkCode"] != LOT:
            return told | {"code": 1101}
        if one["overTime"] < stamp(time.time()) and self._mistake != "past":
            return told | {"code": 5004}
        if one["operateType"] == 2 and known is None:
            return told | {"code": 1104}
        if one["operateType"] == 1 and known is not None:
            if known != one:
                return told | {"code": 0 if self._mistake == "overwrites" else 1201}
            return told | {"code": 0} | ({"restReservedStalls": 5} if self._mistake == "counts" else {})
        self.bookings[book] = one
        return told | {"code": 0, "restReservedStalls": 9}

    def _decide(self, one: dict[str, Any]) -> dict[str, Any]:
        book, told = one["bookCode"], {"bookCode": one["bookCode"]}
        if book not in self.bookings:
            return told | {"code": 1104}
        if one["confirmStatus"] == 0:
            if self._mistake != "keeps":
                self.cancelled.add(book)
            return told | {"code": 0}
        if book in self.cancelled:
            return told | {"code": 1401}
        expired = self.bookings[book]["overTime"] < stamp(time.time())
        return told | {"code": 1301 if expired and self._mistake != "eternal" else 0}

    def arrive(self, plate: str, colour: str) -> None:
        self.entered.append(plate)
        element = example(5004)["data"][0] | {"id": f"{len(self.entered):032x}", "parkCode": LOT}
        element |= {"carInfo": {"plateNo": plate}, "enterTime": stamp(time.time())}
        assert self._sender.send(5004, sorted_text([element]))["data"][0]["code"] == 0

    def leave(self, entry: Record, received: str) -> None:
        """Pay and leave, half a minute from now."""
        same = {"parkCode": LOT, "carInfo": {"plateNo": entry.plate}}
        money = {"receivables": received, "discount": "#0.00#", "received": received}
        pay = example(5008)["data"][0] | {"recordId": entry.item_id} | money
        left = example(5005)["data"][0] | {"id": entry.item_id} | same | money
        left |= {"enterTime": entry.item["enterTime"], "leaveTime": stamp(time.time() + 30)}
        for code, element in ((5008, pay), (5005, left)):
            answer = self._sender.send(code, sorted_text([element]))
            assert answer["data"][0]["code"] == 0, answer


Made = Callable[[str], tuple[SmallBox, Driver]]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Made]:
    platform = ShenzhenPlatform(ACCOUNT, tmp_path, seed=1)
    sender = Sender(platform.start())
    callbacks: list[Callback] = []

    def made(mistake: str) -> tuple[SmallBox, Driver]:
        box = SmallBox(sender, mistake)
        callbacks.append(Callback(platform, box))
        sender.login(callbacks[-1].url)
        return box, Driver(platform, box.arrive, stories.tell, TEMPO, seed=1)

    yield made
    for callback in callbacks:
        callback.stop()
    platform.stop()
    assert platform.summary().internal_errors == ()


@pytest.mark.parametrize("story", [story for story, _ in MIX], ids=[story.__name__ for story, _ in MIX])
def test_a_story_runs_clean_against_an_honest_box(make: Made, story: Story) -> None:
    box, driver = make("")
    story(driver, random.Random(1))
    assert driver.problems == []
    assert driver.platform.summary().violations == ()
    assert driver.unanswered == []
    assert box.entered == [arrival.plate for arrival in driver.arrivals]
    stays_away = story in (stories.never_comes, stories.mistaken, stories.wanted)
    assert len(box.entered) == (0 if stays_away else 1) or story is stories.cancels
    assert bool(box.coupons) == (story is stories.with_coupon)


@pytest.mark.parametrize(
    ("mistake", "story", "said"),
    [
        ("past", stories.mistaken, "not 5004"),
        ("overwrites", stories.platform_repeats, "not 1201"),
        ("counts", stories.platform_repeats, "restReservedStalls"),
        ("keeps", stories.cancels, "not 1401"),
        ("eternal", stories.late, "not 1301"),
    ],
)
def test_a_box_with_one_mistake_is_found(make: Made, mistake: str, story: Story, said: str) -> None:
    _, driver = make(mistake)
    story(driver, random.Random(1))
    assert len(driver.problems) == 1
    assert said in driver.problems[0]


def test_customers_come_by_themselves_and_stop_when_told(make: Made) -> None:
    _, driver = make("")
    driver.start()
    assert driver.wait_ended(4, WAIT_S)
    driver.stop()
    assert driver.problems == []
    with pytest.raises(Stopped):
        driver.pause(0)


def test_an_order_is_sent_again_until_it_is_answered(make: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hal_sim.shenzhen.driver.AGAIN_S", 0.01)
    box, driver = make("")
    answers = iter([(500, b""), (200, b"{"), (200, reply([], 5))])

    def broken_at_first(asked: Asked) -> tuple[int, bytes]:
        return next(answers, None) or box(asked)

    callback = Callback(driver.platform, broken_at_first)
    Sender(driver.platform.addresses).login(callback.url)  # type: ignore[arg-type]  # it has started
    stories.in_time(driver, random.Random(1))
    callback.stop()
    assert (driver.counts["again"], driver.counts["6001 0"], driver.problems) == (3, 1, [])


def test_a_box_that_is_away_longer_than_eight_tries_is_waited_for(make: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Restarted at the page it listens again only after ten seconds and more: nobody has lost an order by then."""
    monkeypatch.setattr("hal_sim.shenzhen.driver.AGAIN_S", 0.01)
    box, driver = make("")
    assert driver.platform.addresses is not None
    sender = Sender(driver.platform.addresses)
    gone = Callback(driver.platform, box)
    sender.login(gone.url)
    gone.stop()
    back: list[Callback] = []
    send = driver.platform.send_order

    def twelfth_meets_it(*asked: Any) -> OrderAnswer:
        if driver.counts["again"] == 11:
            back.append(Callback(driver.platform, box))
            sender.login(back[0].url)
        return send(*asked)

    monkeypatch.setattr(driver.platform, "send_order", twelfth_meets_it)
    try:
        stories.unconfirmed(driver, random.Random(1))
    finally:
        back[0].stop()
    assert (driver.counts["again"], driver.counts["6001 0"], driver.unanswered) == (11, 1, [])


def test_an_order_that_the_box_took_and_never_answers_is_named(make: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hal_sim.shenzhen.driver.AGAIN_S", 0.01)
    _, driver = make("")
    callback = Callback(driver.platform, lambda asked: (500, b""))
    Sender(driver.platform.addresses).login(callback.url)  # type: ignore[arg-type]  # it has started
    stories.unconfirmed(driver, random.Random(1))
    callback.stop()
    (said,) = driver.unanswered
    (asked, *_) = callback.asked
    assert len(callback.asked) == 8
    assert asked.body["data"][0]["bookCode"] in said
    assert "8 reached the box" in said
    assert "500" in said


def test_an_order_under_way_when_the_run_ends_is_nobodys_debt(make: Made) -> None:
    _, driver = make("")
    callback = Callback(driver.platform, lambda asked: (500, b""))
    Sender(driver.platform.addresses).login(callback.url)  # type: ignore[arg-type]  # it has started
    driver.stop()
    with pytest.raises(Stopped):
        stories.unconfirmed(driver, random.Random(1))
    callback.stop()
    assert driver.unanswered == []


def test_a_coupon_that_the_fee_forgets_is_found(make: Made) -> None:
    box, driver = make("")
    stories.with_coupon(driver, random.Random(1))
    assert driver.unfelt_coupons() == []  # he is still inside
    box.leave(driver.platform.of(5004)[0], "#5.00#")
    assert len(driver.unfelt_coupons()) == len(set(box.coupons))


def test_a_guest_who_pays_is_found(make: Made) -> None:
    box, driver = make("")
    box.arrive("粤BA1234", "blue")
    entry = driver.platform.of(5004)[0]
    driver.let_in_free("粤BA1234", entry.item_id)
    assert driver.charged_guests() == []
    box.leave(entry, "#5.00#")
    assert len(driver.charged_guests()) == 1
