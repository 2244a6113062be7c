"""Orders of the simulated Shenzhen platform over both ways, and how it judges the box's answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hal_sim.shenzhen import ShenzhenPlatform
from tests.shenzhen_wire import (
    ACCOUNT,
    WAIT_S,
    Asked,
    Callback,
    LinkClient,
    Sender,
    example,
    logged_in,
    platform_in,
    reply,
    sha1,
    sorted_text,
)

DOWN = (4001, 4002, 6001, 6002)
Answering = Callable[[Asked], tuple[int, bytes]]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[ShenzhenPlatform]:
    with platform_in(tmp_path) as running:
        yield running


@pytest.fixture
def sender(platform: ShenzhenPlatform) -> Sender:
    return logged_in(platform)


def fields(platform: ShenzhenPlatform) -> list[str]:
    return [violation.field for violation in platform.summary().violations]


@pytest.fixture
def box(platform: ShenzhenPlatform, sender: Sender) -> Iterator[Callable[[Answering], Callback]]:
    """A callback server that answers so, told to the platform at login."""
    made: list[Callback] = []

    def make(answer: Answering) -> Callback:
        callback = Callback(platform, answer)
        made.append(callback)
        sender.login(callback.url)
        return callback

    yield make
    for callback in made:
        callback.stop()


def element(code: int) -> dict[str, Any]:
    one = example(code)["data"][0]
    assert isinstance(one, dict)
    return one


def as_printed(asked: Asked) -> tuple[int, bytes]:
    """The printed answer of annex B with numbers for codes."""
    code = int(asked.path.rpartition("/")[2])
    (printed,) = example(code, "response")["data"]
    printed.pop("bluetoothAddress", None)
    return 200, reply([printed | {"code": 0}])


@pytest.mark.parametrize("code", DOWN)
def test_an_order_goes_out_as_annex_b_and_its_printed_answer_is_right(
    platform: ShenzhenPlatform, sender: Sender, box: Callable[[Answering], Callback], code: int
) -> None:
    callback = box(as_printed)
    answer = platform.send_order(code, [element(code)])
    (asked,) = callback.asked
    assert asked.path == f"/api/1.0/{code}"
    assert asked.headers["Authorization"] == f"bearer {sender.token}"
    assert asked.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert set(asked.body) == set(example(code))
    assert asked.body["data"] == [element(code)]
    assert asked.body["sign"] == sha1(sorted_text([element(code)]))
    assert (answer.codes, answer.via, answer.fault) == ((0,), "https", "")
    assert platform.summary().violations == ()


def lock(answer: dict[str, Any], result: int = 0, **envelope_members: Any) -> Answering:
    """The answer to 6001 with these members instead."""
    (printed,) = example(6001, "response")["data"]
    del printed["bluetoothAddress"]

    def made(_: Asked) -> tuple[int, bytes]:
        body = json.loads(reply([printed | {"code": 0} | answer], result)) | envelope_members
        return 200, json.dumps(body).encode()

    return made


WRONG: list[tuple[str, Answering]] = [
    ("bookCode", lock({"bookCode": "another"})),
    ("bookCode", lock({"bookCode": 5})),
    ("code", lock({"code": "0"})),
    ("code", lock({"code": 77})),
    ("message", lock({"message": "x" * 256})),
    ("stallNo", lock({"stallNo": "4" * 29})),
    ("restReservedStalls", lock({"restReservedStalls": -1})),
    ("bluetoothAddress", lock({"bluetoothAddress": ""})),
    ("resultCode", lock({}, resultCode="0")),
    ("resultCode", lock({}, resultCode=1)),
    ("resultMsg", lock({}, resultMsg=5)),
    ("timestamp", lock({}, timestamp=125555556621)),
    ("data", lock({}, data={})),
    ("data", lock({}, data=[])),
    ("data", lock({}, 5)),
    ("more", lock({}, more=1)),
    ("(body)", lambda _: (200, b"nothing")),
    ("(status)", lambda _: (500, b"{}")),
]


@pytest.mark.parametrize(("field", "answer"), WRONG, ids=[f"{i}-{field}" for i, (field, _) in enumerate(WRONG)])
def test_a_wrong_answer_of_the_box_is_named(
    platform: ShenzhenPlatform, box: Callable[[Answering], Callback], field: str, answer: Answering
) -> None:
    box(answer)
    platform.send_order(6001, [element(6001)])
    assert set(fields(platform)) == {field}


def test_a_late_answer_is_a_violation(
    platform: ShenzhenPlatform, box: Callable[[Answering], Callback], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hal_sim.shenzhen.orders.ANSWER_S", 0.0)
    box(as_printed)
    platform.send_order(6001, [element(6001)])
    assert fields(platform) == ["(time)"]
    assert platform.summary().orders == {"https": 1, "late": 1, "answered": 1}


def test_a_callback_server_of_another_authority_gets_no_order(
    platform: ShenzhenPlatform, sender: Sender, tmp_path: Path
) -> None:
    other = ShenzhenPlatform(ACCOUNT, tmp_path / "other")
    callback = Callback(other, as_printed)
    sender.login(callback.url)
    answer = platform.send_order(6001, [element(6001)])
    callback.stop()
    assert (answer.result, callback.asked) == (None, [])
    assert fields(platform) == ["certificate"]


def test_without_any_way_an_order_is_unanswered(platform: ShenzhenPlatform, sender: Sender) -> None:
    answer = platform.send_order(6001, [element(6001)])
    assert (answer.result, answer.codes) == (None, ())
    assert platform.summary().orders == {"tcp": 1, "unanswered": 1}
    with pytest.raises(ValueError, match="5004"):
        platform.send_order(5004, [])


def test_a_token_agreed_beforehand_is_shown(platform: ShenzhenPlatform, box: Callable[[Answering], Callback]) -> None:
    callback = box(as_printed)
    platform.orders.down_token = "agreed"
    platform.send_order(6001, [element(6001)])
    assert callback.asked[0].headers["Authorization"] == "bearer agreed"


def test_the_same_order_twice_must_be_answered_alike(
    platform: ShenzhenPlatform, box: Callable[[Answering], Callback]
) -> None:
    platform.weather.set("order_twice")
    callback = box(as_printed)
    platform.send_order(6001, [element(6001)])
    assert [len(callback.asked), fields(platform)] == [2, []]
    assert callback.asked[0].body == callback.asked[1].body

    codes = iter((0, 1201))

    def forgetful(asked: Asked) -> tuple[int, bytes]:
        return lock({"code": next(codes)})(asked)

    box(forgetful)
    platform.send_order(6001, [element(6001)])
    assert fields(platform) == ["code"]


def test_a_box_that_knows_only_the_token_it_used_last_is_shown_that_one(
    platform: ShenzhenPlatform, sender: Sender, box: Callable[[Answering], Callback]
) -> None:
    callback = box(as_printed)
    known = sender.token
    sender.send(5003, sorted_text([example(5003)["data"][0]]))
    with platform.lock:  # given out, but its answer was lost
        platform.session.welcome(callback.url)
    platform.send_order(6001, [element(6001)])
    assert callback.asked[0].headers["Authorization"] == f"bearer {known}"


def test_a_box_that_knows_no_token_is_asked_with_both_and_no_violation(
    platform: ShenzhenPlatform, sender: Sender, box: Callable[[Answering], Callback]
) -> None:
    callback = box(lambda _: (401, reply([], 5)))
    sender.send(5003, sorted_text([example(5003)["data"][0]]))
    with platform.lock:
        platform.session.welcome(callback.url)
    answer = platform.send_order(6001, [element(6001)])
    assert (answer.result, "401" in answer.fault, answer.reached) == (None, True, False)
    assert len({asked.headers["Authorization"] for asked in callback.asked}) == 2
    assert platform.summary().orders == {"https": 1, "unauthorised": 1, "unanswered": 1}
    assert fields(platform) == []


def test_an_order_that_was_left_comes_again(platform: ShenzhenPlatform, box: Callable[[Answering], Callback]) -> None:
    platform.weather.set("order_left", times=1)
    callback = box(as_printed)
    assert platform.send_order(6001, [element(6001)]).codes == (0,)
    callback.stop()  # waits for both
    assert [asked.body["data"] for asked in callback.asked] == [[element(6001)]] * 2
    assert fields(platform) == []


def test_the_same_order_both_ways_at_once(platform: ShenzhenPlatform, box: Callable[[Answering], Callback]) -> None:
    platform.weather.set("order_both_ways")
    callback = box(as_printed)
    (printed,) = example(6001, "response")["data"]
    del printed["bluetoothAddress"]
    with LinkClient(Sender(platform_addresses(platform))) as link:
        link.login()
        assert platform.links.wait_logged_in(WAIT_S) is not None
        thread = threading.Thread(target=platform.send_order, args=(6001, [element(6001)]), name="order")
        thread.start()
        asked = link.read()
        link.answer(asked, [printed | {"code": 0}])
        thread.join(WAIT_S)
        assert asked.body["data"] == callback.asked[0].body["data"] == [element(6001)]
    assert platform.summary().orders == {"https": 1, "tcp": 1, "answered": 2}
    assert fields(platform) == []


def platform_addresses(platform: ShenzhenPlatform) -> Any:
    addresses = platform.addresses
    assert addresses is not None
    return addresses


@pytest.mark.parametrize(("weather", "field"), [("order_unsigned", "sign"), ("order_wrong_token", "Authorization")])
def test_a_forged_order_must_be_refused(
    platform: ShenzhenPlatform, box: Callable[[Answering], Callback], weather: Any, field: str
) -> None:
    def careful(asked: Asked) -> tuple[int, bytes]:
        if asked.headers["Authorization"] == "bearer forged":
            return 401, reply([], 5)
        if asked.body["sign"] != sha1(sorted_text(asked.body["data"])):
            return 200, reply([], 3)
        return as_printed(asked)

    platform.weather.set(weather, times=1)
    callback = box(careful)
    assert platform.send_order(6001, [element(6001)]).codes == (0,)
    assert (len(callback.asked), fields(platform)) == (2, [])

    platform.weather.set(weather, times=1)
    box(as_printed)  # takes everything
    platform.send_order(6001, [element(6001)])
    assert fields(platform) == [field]
