"""The simulated Qingdao platform's weather, as a client on the wire meets it."""

from __future__ import annotations

import http.client
import json
import random
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hal_sim.qingdao import Account, QingdaoPlatform, Spell, Weather
from tests.qingdao_wire import (
    CNO,
    GOOD,
    JSON_TYPE,
    PASSKEY,
    PASSWORD,
    PROJECT,
    USER,
    WAIT_S,
    Sender,
    accepted,
    complaint,
    sign,
)

ACCOUNT = Account(CNO, PROJECT, USER, PASSWORD, PASSKEY)
CAR_IN = "/thirdAPI/carIn"


@pytest.fixture
def platform() -> Iterator[QingdaoPlatform]:
    running = QingdaoPlatform(ACCOUNT, seed=1)
    yield running
    running.stop()
    assert running.summary().internal_errors == ()


@pytest.fixture
def sender(platform: QingdaoPlatform) -> Sender:
    sender = Sender(platform.start())
    sender.prepare(CAR_IN)
    return sender


def post(sender: Sender) -> tuple[int, str, bytes]:
    """One good carIn, always the same seq_id, as a sender that repeats it."""
    raw = sender.body([GOOD[CAR_IN]], "9" * 32)
    return sender.raw(CAR_IN, raw, {"Content-Type": JSON_TYPE, "sn": sign(raw)})


def seen(platform: QingdaoPlatform) -> int:
    """How often the record was taken."""
    return sum(record.times_seen for record in platform.of_kind("carIn"))


def test_refuse_takes_nothing(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("refuse", times=1)
    reply = json.loads(post(sender)[2])
    assert (reply["result_code"], reply["seq_id"], seen(platform)) == (1, "9" * 32, 0)
    assert accepted(json.loads(post(sender)[2]))
    assert platform.summary().refused == {}
    assert platform.summary().weather == {"refuse": 1}


def test_refuse_item_fails_every_record(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("refuse_item")
    reply = json.loads(post(sender)[2])
    assert (reply["result_code"], reply["data_items"][0]["error_code"], seen(platform)) == (0, 1, 0)
    assert complaint(reply) != ""


def test_http_500_takes_nothing(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("http_500")
    assert (post(sender)[0], seen(platform)) == (500, 0)


def test_cut_off_breaks_the_answer_after_taking(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("cut_off", times=1)
    with pytest.raises(http.client.IncompleteRead):
        post(sender)
    assert accepted(json.loads(post(sender)[2]))
    assert platform.summary().repeats == {"carIn": 1}


def test_drop_answer_takes_and_says_nothing(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("drop_answer", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        post(sender)
    assert seen(platform) == 1
    assert accepted(json.loads(post(sender)[2]))
    assert platform.summary().vehicles_in == 1


def test_expire_token_ends_this_token_only_now(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("expire_token", times=1)
    codes = [json.loads(post(sender)[2])["result_code"] for _ in range(2)]
    assert codes == [113, 113]
    sender.login()
    assert accepted(json.loads(post(sender)[2]))


def test_expire_tokens_ends_all(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.expire_tokens()
    assert json.loads(post(sender)[2])["result_code"] == 113


def test_garbage_is_no_json_and_the_record_is_taken(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("garbage")
    status, _, body = post(sender)
    with pytest.raises(ValueError):
        json.loads(body)
    assert (status, seen(platform)) == (200, 1)


def test_a_slow_answer_comes_whole_in_the_end(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("slow_drip")
    platform.weather.drip_s = 0.0
    assert accepted(json.loads(post(sender)[2]))


def test_a_slow_answer_does_not_keep_the_platform_from_stopping(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("slow_drip")
    platform.weather.drip_s = 3600.0
    connection = sender.connect()
    raw = sender.body([GOOD[CAR_IN]])
    connection.request("POST", CAR_IN, raw, {"Content-Type": JSON_TYPE, "sn": sign(raw)})
    assert connection.sock.recv(1) == b"H"
    platform.stop()
    assert connection.sock.recv(100) == b""
    connection.close()


def test_double_encoded_is_json_in_json(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("double_encoded")
    outer = json.loads(post(sender)[2])
    assert isinstance(outer, str)
    assert accepted(json.loads(outer))


def test_wrong_content_type_is_json_all_the_same(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("wrong_content_type")
    _, kind, body = post(sender)
    assert kind == "text/html"
    assert accepted(json.loads(body))


def test_a_hanging_request_is_handled_when_released(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("hang", times=2)
    answers: list[tuple[int, str, bytes]] = []
    threads = [threading.Thread(target=lambda: answers.append(post(sender))) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert platform.weather.wait_hanging(2, WAIT_S)
    assert (answers, seen(platform)) == ([], 0)
    platform.weather.release()
    for thread in threads:
        thread.join(WAIT_S)
    assert [accepted(json.loads(body)) for _, _, body in answers] == [True, True]
    assert seen(platform) == 2


def test_a_client_that_leaves_ends_the_hanging_and_nothing_is_taken(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("hang")
    connection = sender.connect()
    raw = sender.body([GOOD[CAR_IN]])
    connection.request("POST", CAR_IN, raw, {"Content-Type": JSON_TYPE, "sn": sign(raw)})
    assert platform.weather.wait_hanging(1, WAIT_S)
    connection.close()
    assert platform.weather.wait_hanging(0, WAIT_S)
    platform.stop()
    assert seen(platform) == 0


def test_stop_lets_go_what_hangs_unanswered(platform: QingdaoPlatform, sender: Sender) -> None:
    platform.weather.set("hang")
    failures: list[type[BaseException]] = []

    def wait() -> None:
        try:
            post(sender)
        except (http.client.HTTPException, OSError) as error:
            failures.append(type(error))

    thread = threading.Thread(target=wait)
    thread.start()
    assert platform.weather.wait_hanging(1, WAIT_S)
    platform.stop()
    thread.join(WAIT_S)
    assert failures == [http.client.RemoteDisconnected]
    assert seen(platform) == 0


def test_stop_ends_idle_kept_connections_and_start_serves_again(platform: QingdaoPlatform, sender: Sender) -> None:
    connection = sender.connect()
    raw = sender.body([GOOD[CAR_IN]])
    replies = []
    for _ in range(2):  # one connection, two requests
        connection.request("POST", CAR_IN, raw, {"Content-Type": JSON_TYPE, "sn": sign(raw)})
        replies.append(accepted(json.loads(connection.getresponse().read())))
    assert replies == [True, True]
    platform.stop()
    assert connection.sock.recv(1) == b""
    connection.close()
    sender.url = platform.start()
    assert accepted(json.loads(post(sender)[2]))  # token and records are those of before
    assert seen(platform) == 3


# --- the switch itself -----------------------------------------------------------------------------------------


def test_a_spell_strikes_its_path_its_number_of_times() -> None:
    weather = Weather(random.Random(1))
    weather.set("hang", path=CAR_IN, times=2)
    weather.add("refuse")
    assert [weather.strike(path) for path in ("/login", CAR_IN, CAR_IN, CAR_IN)] == ["refuse", "hang", "hang", "refuse"]
    assert weather.in_force() == [Spell("refuse")]
    weather.clear()
    assert weather.strike(CAR_IN) is None
    assert weather.struck() == {"refuse": 2, "hang": 2}


def test_probability_is_the_share_struck_and_the_seed_decides_which() -> None:
    runs = []
    for seed in (1, 1, 2):
        weather = Weather(random.Random(seed))
        weather.set("http_500", probability=0.2)
        runs.append([weather.strike("/login") for _ in range(1000)])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert 140 < runs[0].count("http_500") < 260  # 200 expected, 4.7 standard deviations


@pytest.mark.parametrize("wrong", [{"kind": "rain"}, {"probability": 0}, {"probability": 1.1}, {"times": 0}])
def test_a_wrong_spell_names_its_member(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Weather(random.Random(1)).set(**({"kind": "hang"} | wrong))


def test_a_person_switches_the_weather_over_http(platform: QingdaoPlatform, sender: Sender) -> None:
    order = b'{"kind":"http_500","path":"/thirdAPI/carIn","probability":1,"times":3}'
    assert sender.raw("/sim/weather", order, {})[0] == 200
    assert (post(sender)[0], seen(platform)) == (500, 0)
    shown = json.loads(sender.raw("/sim/weather", b"", {}, method="GET")[2])
    assert [(spell["kind"], spell["path"]) for spell in shown] == [("http_500", CAR_IN)]
    assert sender.raw("/sim/weather", b'{"kind":"clear"}', {})[0] == 200
    assert accepted(json.loads(post(sender)[2]))
    summary = json.loads(sender.raw("/sim/summary", b"", {}, method="GET")[2])
    assert (summary["accepted"]["carIn"], summary["weather"]) == (1, {"http_500": 1})


@pytest.mark.parametrize(
    "order", [b"", b"[]", b'{"kind":"rain"}', b'{"kind":"hang","often":1}', b'{"kind":"hang","times":"x"}']
)
def test_a_wrong_order_changes_nothing(platform: QingdaoPlatform, sender: Sender, order: bytes) -> None:
    assert sender.raw("/sim/weather", order, {})[0] == 400
    assert platform.weather.in_force() == []


def test_the_program_alone_prints_one_line_a_request_and_its_summary() -> None:
    command = [sys.executable, "-m", "hal_sim.qingdao", "--passkey", PASSKEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert select.select([program.stdout], [], [], WAIT_S * 3)[0]
        url = next(word for word in program.stdout.readline().split() if word.startswith("http://")).rstrip(",")
        sender = Sender(url)
        sender.prepare(CAR_IN)
        post(sender)
        program.send_signal(signal.SIGTERM)
        said = program.communicate(timeout=WAIT_S)[0]
    lines, _, summary = said.partition("{")
    assert [line.split()[1] for line in lines.splitlines()] == ["/login", "/thirdAPI/parkininfo", CAR_IN]
    assert "鲁-B12345" in lines
    assert json.loads("{" + summary)["accepted"] == {"parkininfo": 1, "carIn": 1}
    assert program.returncode == 0
