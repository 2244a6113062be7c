"""The agent's Qingdao downlink over a real socket: account, projects, orders, replies, and everything that breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hal_sim.qingdao.downlink import CLIENT_SEND, SERVER_SEND
from tests.city_fakes import LOT
from tests.qingdao_house import SOON_S, House
from tests.qingdao_orders import ITEMS


@pytest.fixture
def qingdao_house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def send(house: House, number: int, **changed: Any) -> Any:
    return house.platform.downlink.order(number, {**ITEMS[str(number)], **changed})


def test_every_order_goes_to_the_lane_program_and_its_reply_to_the_city(qingdao_house: House) -> None:
    qingdao_house.online()
    down = qingdao_house.platform.downlink
    for number in range(16, 29):
        changed = {"park_id": LOT.park_id} if number == 23 else {}
        reply = down.wait(send(qingdao_house, number, **changed), SOON_S)
        assert reply.result_code == 0 or number in (18, 22), (number, reply)
    assert len(qingdao_house.door.done) == 13
    assert [asked["op"] for asked in qingdao_house.door.asked] == [
        "card", "card_cancel", "quote", "payment", "seamless", "seamless", "scan", "tariff", "tariff_delete", "plan",
        "plan_delete", "list", "list_delete",
    ]  # fmt: skip


def test_account_and_every_project_are_got_before_the_broker_is_called(qingdao_house: House) -> None:
    link = qingdao_house.online(projects=["0000007", "0000008"])
    down = qingdao_house.platform.downlink
    assert (down.logins, down.bound) == (1, {"0000001", "0000007", "0000008"})
    assert link.view().zh.startswith("MQTT 在线")
    assert down.broker.wait_subscribed(SERVER_SEND, 0)


def test_a_city_that_asks_who_binds_is_told(qingdao_house: House) -> None:
    qingdao_house.platform.downlink.ask_token = True
    account = {"cno": "880001", "usr": "parkbox", "psw": "Parkbox-1"}
    answer = qingdao_house.platform.handle("/login", "application/json", None, json.dumps(account).encode(), None)
    qingdao_house.token = json.loads(answer.body)["token"]
    qingdao_house.online()
    assert qingdao_house.platform.downlink.bound == {"0000001"}


def test_nothing_is_asked_before_the_uplink_has_logged_in(qingdao_house: House) -> None:
    qingdao_house.token = ""
    link = qingdao_house.link()
    assert not qingdao_house.platform.downlink.broker.wait_subscribed(SERVER_SEND, 0.2)
    assert (qingdao_house.platform.downlink.logins, link.view().online) == (0, False)
    qingdao_house.token = "t" * 32
    qingdao_house.until(lambda: link.view().online)


def test_a_repeat_acts_once_and_is_answered_alike_after_a_restart_too(qingdao_house: House) -> None:
    down = qingdao_house.platform.downlink
    first = qingdao_house.online()
    sent = send(qingdao_house, 19)
    down.wait(sent, SOON_S)
    down.again(sent)
    down.wait(sent, SOON_S, 2)
    first.stop()
    qingdao_house.online()
    down.again(sent)
    down.wait(sent, SOON_S, 3)
    assert sent.replies[0] == sent.replies[1] == sent.replies[2]
    assert (len(qingdao_house.door.done), len(qingdao_house.door.asked)) == (1, 2)


def test_an_order_sent_while_the_agent_is_away_is_done_when_it_is_back(qingdao_house: House) -> None:
    qingdao_house.online().stop()
    sent = send(qingdao_house, 16)
    qingdao_house.online()
    assert qingdao_house.platform.downlink.wait(sent, SOON_S).result_code == 0


def test_a_line_cut_between_the_deed_and_its_reply_does_it_once_and_replies(qingdao_house: House) -> None:
    link = qingdao_house.online()
    down = qingdao_house.platform.downlink

    def cut_once() -> None:
        qingdao_house.door.before_answer = lambda: None
        down.broker.cut()

    qingdao_house.door.before_answer = cut_once
    sent = send(qingdao_house, 19)
    assert down.wait(sent, SOON_S).result_code == 0
    qingdao_house.until(lambda: link.view().online)
    assert len(qingdao_house.door.done) == 1


def test_a_broker_that_is_away_is_a_fault_until_it_is_back(qingdao_house: House) -> None:
    link = qingdao_house.online()
    qingdao_house.platform.downlink.broker.stop()
    qingdao_house.until(lambda: bool(list(link.faults())))
    (fault,) = link.faults()
    assert (fault.code, fault.device, link.view().online) == ("city_offline", "qingdao-mqtt", False)
    qingdao_house.platform.start_broker(qingdao_house.port)
    qingdao_house.until(lambda: link.view().online)
    assert list(link.faults()) == []


def test_a_refused_account_is_asked_for_anew(qingdao_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    down = qingdao_house.platform.downlink
    monkeypatch.setattr(down, "_password", "another")
    qingdao_house.online().stop()
    link = qingdao_house.online()
    monkeypatch.setattr(down, "_password", "a third")
    down.broker.cut()
    qingdao_house.until(lambda: down.logins >= 3 and link.view().online)


def test_what_is_no_order_is_answered_with_the_reason_and_harms_nothing(qingdao_house: House) -> None:
    qingdao_house.online()
    down = qingdao_house.platform.downlink
    down.raw(b"\xff{")
    assert "JSON" in down.wait_unknown(SOON_S).message
    down.raw(b'{"seq_id":"big","cmd_type":"x","pad":"' + b"y" * 70_000 + b'"}')
    assert "60000" in down.wait_unknown(SOON_S, "big").message
    strange = down.order(24, {"item_id": "t-1"}, cmd_type="P99")
    assert (down.wait(strange, SOON_S).result_code, down.wait(strange, SOON_S).cmd_type) == (1, "P99")
    assert qingdao_house.door.asked == []
    assert down.wait(send(qingdao_house, 24), SOON_S).result_code == 0


def test_a_burst_is_answered_whole(qingdao_house: House) -> None:
    qingdao_house.online()
    down = qingdao_house.platform.downlink
    sent = [send(qingdao_house, 28, blacklist_id=f"b-{number}") for number in range(200)]
    assert all(down.wait(each, SOON_S).result_code == 0 for each in sent)
    assert len(qingdao_house.door.done) == 200
    assert down.broker.waiting() == 0


def test_topics_are_those_of_the_standard() -> None:
    assert (SERVER_SEND, CLIENT_SEND) == ("thirdpark/server_send/qd-mqtt-1", "thirdpark/client_send/qd-mqtt-1")
