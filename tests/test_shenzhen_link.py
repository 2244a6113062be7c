"""The TCP conversation, told the time: login first, heartbeat and strikes, orders, the end (7.1.4.1.3, 7.1.4.2.4-6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.cities.shenzhen.frames import Frame, FrameReader, encode
from edge.cities.shenzhen.link_talk import LinkSettings, LinkTalk, Push, State
from edge.cities.shenzhen.sign import fits

VECTORS = Path(__file__).parent / "vectors" / "shenzhen"
EXAMPLES = {each["interface"]: each for each in json.loads((VECTORS / "annex_b.json").read_text("utf-8"))}
WALL_MS = 1_790_000_000_123
SETTINGS = LinkSettings("cadre01", "SECRET==")


def reply(data: Any = (), code: Any = 0) -> bytes:
    return json.dumps({"resultCode": code, "resultMsg": "", "timestamp": 1, "data": list(data)}).encode()


def sent(talk: LinkTalk) -> list[Frame]:
    return FrameReader().feed(talk.to_send())


def state(talk: LinkTalk) -> State:
    """Asked anew each time."""
    return talk.state


def online(settings: LinkSettings = SETTINGS, now_s: float = 0.0) -> LinkTalk:
    talk = LinkTalk(settings, now_s, WALL_MS)
    (login,) = sent(talk)
    talk.received(encode(Frame(1004, login.packet_no, 1, reply([{"code": 0}]))), now_s)
    assert state(talk) is State.ONLINE
    return talk


def test_the_login_comes_first_and_is_that_of_b4() -> None:
    talk = LinkTalk(SETTINGS, 0.0, WALL_MS)
    (login,) = sent(talk)
    body = json.loads(login.data)
    assert (login.command, login.packet_no, login.direction) == (1004, 1, 0)
    assert body["data"] == [{"userId": "cadre01", "password": "SECRET=="}]
    assert set(body) == set(EXAMPLES[1004]["request"])
    assert set(body["data"][0]) == set(EXAMPLES[1004]["request"]["data"][0])
    assert fits(body["sign"], json.dumps(body["data"]).encode())
    assert talk.to_send() == b""


def test_the_answer_of_b4_logs_in() -> None:
    talk = LinkTalk(SETTINGS, 0.0, WALL_MS)
    (login,) = sent(talk)
    talk.received(encode(Frame(1004, login.packet_no, 1, json.dumps(EXAMPLES[1004]["response"]).encode())), 0.1)
    assert state(talk) is State.ONLINE
    assert not talk.refused


@pytest.mark.parametrize("bad", [reply([], 5), reply([{"code": 3001}]), reply([{"code": "3001"}])])
def test_a_refused_login_ends_the_line_and_says_so(bad: bytes) -> None:
    talk = LinkTalk(SETTINGS, 0.0, WALL_MS)
    talk.to_send()
    talk.received(encode(Frame(1004, 1, 1, bad)), 0.1)
    assert state(talk) is State.CLOSED
    assert talk.refused


def test_a_login_without_answer_ends_after_three_seconds() -> None:
    talk = LinkTalk(SETTINGS, 5.0, WALL_MS)
    talk.received(encode(Frame(1004, 99, 1, reply())), 5.5)  # not the answer to ours
    talk.tick(7.99, WALL_MS)
    assert state(talk) is State.LOGIN
    assert talk.deadline_s == 8.0
    talk.tick(8.0, WALL_MS)
    assert state(talk) is State.CLOSED
    assert not talk.refused


def test_nothing_goes_out_before_the_login_is_answered() -> None:
    talk = LinkTalk(SETTINGS, 0.0, WALL_MS)
    talk.to_send()
    talk.tick(2.0, WALL_MS)
    assert talk.to_send() == b""
    (push,) = talk.received(encode(Frame(6001, 7, 0, b"{}")), 2.0)
    assert isinstance(push, Push)
    assert push.welcome is False


def test_heartbeats_go_every_three_seconds_whatever_else_goes() -> None:
    talk = online()
    times = []
    for step in range(100):
        now_s = step / 10
        talk.received(encode(Frame(6001, step + 1, 0, b"{}")), now_s)  # SC67: other traffic is no heartbeat
        talk.tick(now_s, WALL_MS)
        for frame in sent(talk):
            times.append(now_s)
            body = json.loads(frame.data)
            assert (frame.command, frame.direction, body["data"]) == (1006, 0, [])
            assert set(body) == set(EXAMPLES[1006]["request"])
            answer = json.dumps(EXAMPLES[1006]["response"]).encode()
            talk.received(encode(Frame(1006, frame.packet_no, 1, answer)), now_s)
    assert times == [0.0, 3.0, 6.0, 9.0]


def test_three_strikes_end_the_line() -> None:
    """7.1.4.1.3 c) 3): no answer within 3 s, twice more, then disconnect."""
    talk = online()
    beats = []
    for step in range(200):
        talk.tick(step / 10, WALL_MS)
        beats += [(step / 10, frame.packet_no) for frame in sent(talk)]
        if state(talk) is State.CLOSED:
            break
    assert beats == [(0.0, 2), (3.0, 2), (6.0, 2)]
    assert step / 10 == 9.0
    assert "3" in talk.why[1]


def test_an_answer_to_the_last_repetition_saves_the_line() -> None:
    talk = online()
    for now_s in (0.0, 3.0, 6.0):
        talk.tick(now_s, WALL_MS)
    talk.received(encode(Frame(1006, 2, 1, b"")), 8.9)  # SC62: length 0
    assert talk.deadline_s == 8.9
    talk.tick(8.9, WALL_MS)
    assert state(talk) is State.ONLINE
    assert [frame.packet_no for frame in sent(talk)] == [2, 2, 2, 3]


def test_an_order_is_answered_under_its_own_number() -> None:
    talk = online()
    (push,) = talk.received(encode(Frame(6001, 0, 0, b'{"a":1}')), 1.0)  # SC64: 0 is accepted
    assert push == Push(6001, 0, b'{"a":1}', welcome=True)
    talk.answer(push, b"{}")
    assert sent(talk) == [Frame(6001, 0, 1, b"{}")]


def test_it_logs_out_before_it_leaves() -> None:
    talk = online()
    talk.leave(1.0, WALL_MS)
    (goodbye,) = sent(talk)
    assert (goodbye.command, json.loads(goodbye.data)["data"]) == (1005, [])
    assert state(talk) is State.LEAVING
    talk.received(encode(Frame(1005, goodbye.packet_no, 1, json.dumps(EXAMPLES[1005]["response"]).encode())), 1.1)
    assert state(talk) is State.CLOSED


def test_a_goodbye_without_answer_ends_too() -> None:
    talk = online()
    talk.leave(1.0, WALL_MS)
    talk.tick(3.9, WALL_MS)
    assert state(talk) is State.LEAVING
    talk.tick(4.0, WALL_MS)
    assert state(talk) is State.CLOSED


def test_after_the_end_nothing_is_taken_or_sent() -> None:
    talk = online()
    talk.received(b"", 1.0)
    assert state(talk) is State.CLOSED
    assert talk.received(encode(Frame(6001, 1, 0, b"{}")), 1.1) == []
    talk.answer(Push(6001, 1, b"", welcome=True), b"{}")
    talk.tick(99.0, WALL_MS)
    assert talk.to_send() == b""


TOO_LONG = encode(Frame(6001, 1, 0, b"{}"))[:10] + b"\xff\xff\xff\xff" + b"\0" * 40


@pytest.mark.parametrize("data", [TOO_LONG, b"noiseSZTC" * 40])
def test_a_line_that_cannot_be_followed_is_closed(data: bytes) -> None:
    talk = online()
    assert talk.received(data, 1.0) == []
    assert state(talk) is State.CLOSED


def test_the_other_reading_of_what_a_frame_carries() -> None:
    """SC61, SC62 by setting: bare data, empty heartbeat."""
    settings = LinkSettings("cadre01", "SECRET==", envelope=False, empty_is_nothing=True, version=(2, 1))
    talk = LinkTalk(settings, 0.0, WALL_MS)
    (login,) = sent(talk)
    assert json.loads(login.data) == [{"password": "SECRET==", "userId": "cadre01"}]
    assert login.version == (2, 1)
    talk.received(encode(Frame(1004, 1, 1, b'[{"code":0}]')), 0.1)
    talk.tick(0.1, WALL_MS)
    assert [(frame.command, frame.data) for frame in sent(talk)] == [(1006, b"")]
