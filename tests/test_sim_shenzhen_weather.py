"""The simulated Shenzhen platform's weather over HTTPS, as a client on the wire meets it."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hal_sim.shenzhen import ANSWER_KINDS, ShenzhenPlatform
from tests.shenzhen_wire import LOT, WAIT_S, Sender, envelope, logged_in, platform_in, sorted_text

SPACES = f'[{{"parkCode":"{LOT}","unusedStalls":60,"usedStalls":50}}]'
PATH = "/api/1.0/5003"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[ShenzhenPlatform]:
    with platform_in(tmp_path) as running:
        yield running


@pytest.fixture
def sender(platform: ShenzhenPlatform) -> Sender:
    return logged_in(platform)


def post(sender: Sender) -> tuple[int, str, bytes]:
    return sender.raw(5003, envelope(SPACES))


def seen(platform: ShenzhenPlatform) -> int:
    """How often the record was taken."""
    return sum(record.times_seen for record in platform.of(5003))


def told(raw: bytes) -> tuple[object, list[object]]:
    body = json.loads(raw)
    return body["resultCode"], [one.get("code") for one in body["data"]]


def test_refuse_takes_nothing(platform: ShenzhenPlatform, sender: Sender) -> None:
    platform.weather.set("refuse", times=1)
    assert (told(post(sender)[2]), seen(platform)) == ((5, []), 0)
    assert (told(post(sender)[2]), seen(platform)) == ((0, [0]), 1)
    assert platform.summary().weather == {"refuse": 1}
    assert platform.summary().refused == {}


def test_refuse_item_and_refuse_some(platform: ShenzhenPlatform, sender: Sender) -> None:
    platform.weather.set("refuse_item")
    assert (told(post(sender)[2]), seen(platform)) == ((0, [5900]), 0)
    platform.weather.set("refuse_some")
    two = sorted_text([json.loads(SPACES)[0]] * 2)
    assert told(sender.raw(5003, envelope(two))[2]) == (0, [0, 5900])
    assert seen(platform) == 1


def test_http_500_takes_nothing(platform: ShenzhenPlatform, sender: Sender) -> None:
    platform.weather.set("http_500")
    assert (post(sender)[0], seen(platform)) == (500, 0)


@pytest.mark.parametrize("kind", ["cut_off", "drop_answer"])
def test_the_answer_is_lost_after_taking(platform: ShenzhenPlatform, sender: Sender, kind: Any) -> None:
    platform.weather.set(kind, times=1)
    with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected)):
        post(sender)
    assert seen(platform) == 1
    assert told(post(sender)[2]) == (0, [0])
    assert platform.summary().repeats == {5003: 1}


def test_tokens_end(platform: ShenzhenPlatform, sender: Sender) -> None:
    other = Sender(sender.addresses)
    other.login()
    platform.weather.set("expire_token", times=1)
    assert told(post(sender)[2]) == (0, [3002])
    assert told(post(sender)[2]) == (0, [3002])
    assert told(post(other)[2]) == (0, [0])
    platform.weather.set("token_storm", path=PATH, times=1)
    sender.login()
    assert told(post(sender)[2]) == (0, [3002])
    assert told(post(other)[2]) == (0, [3002])
    platform.weather.set("unauthorized", path=PATH, times=1)
    sender.login()
    status, _, body = post(sender)
    assert (status, told(body)) == (401, (5, []))
    assert platform.summary().violations == ()


def test_garbage_double_encoding_and_a_wrong_content_type(platform: ShenzhenPlatform, sender: Sender) -> None:
    platform.weather.set("garbage")
    with pytest.raises(ValueError):
        json.loads(post(sender)[2])
    platform.weather.set("double_encoded")
    assert told(json.loads(post(sender)[2])) == (0, [0])
    platform.weather.set("wrong_content_type")
    _, kind, body = post(sender)
    assert (kind, told(body)) == ("text/html", (0, [0]))
    assert seen(platform) == 3


def test_codes_as_text_and_no_codes(platform: ShenzhenPlatform, sender: Sender) -> None:
    platform.weather.set("text_codes")
    assert told(post(sender)[2]) == ("0", ["0"])
    platform.weather.set("no_codes")
    assert told(post(sender)[2]) == (0, [None])
    bad = sender.raw(5003, envelope(SPACES.replace("60", "-1")))[2]
    assert told(bad) == (0, [1007])  # only success goes without a code


def test_answers_twice(platform: ShenzhenPlatform, sender: Sender) -> None:
    platform.weather.set("twice_each")
    assert told(post(sender)[2]) == (0, [0, 0])
    platform.weather.set("answer_twice")
    connection = sender.connect()
    connection.connect()
    body = envelope(SPACES)
    head = f"Authorization: bearer {sender.token}\r\nContent-Type: application/json;charset=UTF-8"
    connection.sock.sendall(f"POST {PATH} HTTP/1.1\r\n{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    came = b""
    while came.count(b"HTTP/1.1 200 OK") < 2 or not came.endswith(b"]}"):
        came += connection.sock.recv(65536)
    connection.close()
    assert seen(platform) == 2


def test_a_slow_answer_comes_whole_in_the_end(platform: ShenzhenPlatform, sender: Sender) -> None:
    platform.weather.set("slow_drip")
    platform.weather.drip_s = 0.0
    assert told(post(sender)[2]) == (0, [0])


def test_a_hanging_request_is_handled_when_released(platform: ShenzhenPlatform, sender: Sender) -> None:
    platform.weather.set("hang", times=1)
    answers: list[bytes] = []
    thread = threading.Thread(target=lambda: answers.append(post(sender)[2]), name="hanging")
    thread.start()
    assert platform.weather.wait_hanging(1, WAIT_S)
    assert seen(platform) == 0
    platform.weather.release()
    thread.join(WAIT_S)
    assert told(answers[0]) == (0, [0])


def test_a_client_that_leaves_ends_the_hanging_and_nothing_is_taken(platform: ShenzhenPlatform, sender: Sender) -> None:
    platform.weather.set("hang")
    connection = sender.connect()
    connection.request("POST", PATH, envelope(SPACES), {"Content-Type": "application/json;charset=UTF-8"})
    assert platform.weather.wait_hanging(1, WAIT_S)
    connection.close()
    assert platform.weather.wait_hanging(0, WAIT_S)
    platform.stop()
    assert seen(platform) == 0


def test_stop_ends_idle_and_silent_connections(platform: ShenzhenPlatform, sender: Sender) -> None:
    silent = sender.connect()
    silent.connect()
    idle = sender.connect()
    headers = {"Content-Type": "application/json;charset=UTF-8", "Authorization": f"bearer {sender.token}"}
    idle.request("POST", PATH, envelope(SPACES), headers)
    idle.getresponse().read()
    platform.stop()
    for connection in (silent, idle):
        assert closed(connection)
        connection.close()


def closed(connection: http.client.HTTPSConnection) -> bool:
    try:
        return bool(connection.sock.recv(1) == b"")
    except (ConnectionError, ssl.SSLEOFError):
        return True


def test_every_kind_of_answer_weather_is_tried_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in ANSWER_KINDS if f'"{kind}"' not in text] == []


def test_the_platform_alone_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hal_sim.shenzhen", "--folder", str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout:
        first = child.stdout.readline()
        assert "https://127.0.0.1:" in first
        assert (tmp_path / "ca.pem").exists()
        assert (tmp_path / "platform.key").stat().st_mode & 0o777 == 0o600
        child.send_signal(signal.SIGTERM)
        rest = child.stdout.read()
    assert child.wait(WAIT_S) == 0
    assert json.loads(rest)["violated"] == 0
