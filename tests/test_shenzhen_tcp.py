"""The TCP link over real TLS: orders, damage, reconnect, strikes, refusal, the end."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.agent.cities import SystemClock
from edge.cities.shenzhen.desk import OrderDesk
from edge.cities.shenzhen.link_talk import LinkSettings
from edge.cities.shenzhen.orders import LaneAnswer
from edge.cities.shenzhen.tcp import TcpLink
from edge.config.shenzhen import ShenzhenTcp
from tests.shenzhen_line import WAIT_S, LinePlatform, frame
from tests.shenzhen_tools import PARK, Lane, settings
from tests.tls_certs import Authority

ORDER = {"bookCode": "A", "parkCode": PARK, "confirmStatus": 1}


class Rig:
    def __init__(self, folder: Path, **changes: Any) -> None:
        authority = Authority(folder)
        self.platform, self.lane = LinePlatform(authority), Lane()
        self.online = threading.Event()
        self.failed: list[BaseException] = []
        given = settings(
            ca_file=str(authority.file),
            tcp=ShenzhenTcp(host="127.0.0.1", port=self.platform.port),
            reconnect_min_s=0.02,
            reconnect_max_s=0.05,
        )
        self.link = TcpLink(
            given,
            LinkSettings("cadre01", "SECRET==", **changes),
            OrderDesk(given, self.lane.ask, SystemClock(True), lambda: "0" * 32),
            SystemClock(True),
            random.Random(1),
            died=self.failed.append,
            changed=self._changed,
        )

    def _changed(self) -> None:
        if self.link.view().online:
            self.online.set()
        else:
            self.online.clear()

    def up(self) -> None:
        assert self.online.wait(WAIT_S)


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    made = Rig(tmp_path, **getattr(request, "param", {}))
    made.link.start()
    yield made
    made.link.stop()
    made.platform.stop()
    assert made.failed == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("shenzhen")]


def test_login_first_then_orders_are_answered_under_their_number(rig: Rig) -> None:
    rig.up()
    login = rig.platform.got.get(timeout=WAIT_S)
    assert (login.command, login.body["data"]) == (1004, [{"password": "SECRET==", "userId": "cadre01"}])
    answer = rig.platform.order(6002, 77, ORDER)
    assert answer["data"][0]["code"] == 0
    assert rig.platform.got.empty()
    assert len(rig.lane.orders) == 1


def test_a_damaged_order_is_dropped_and_the_next_is_carried_out(rig: Rig) -> None:
    rig.up()
    bad = bytearray(frame(6002, 1, 0, b"[{}]"))
    bad[-1] ^= 1
    rig.platform.send(bytes(bad))
    assert rig.platform.order(6002, 2, ORDER)["data"][0]["code"] == 0


def test_split_and_glued_orders(rig: Rig) -> None:
    rig.up()
    body = b'[{"bookCode":"A","parkCode":"%s","confirmStatus":0}]' % PARK.encode()
    whole = frame(6002, 5, 0, body) + frame(6002, 6, 0, body)
    for start in range(0, len(whole), 50):
        rig.platform.send(whole[start : start + 50])
    assert [rig.platform.next(6002, 1).packet_no for _ in range(2)] == [5, 6]


def test_it_connects_again_and_logs_in_anew(rig: Rig) -> None:
    for _ in range(3):
        rig.platform.next(1004, 0)
        rig.up()
        rig.platform.cut()
    rig.platform.next(1004, 0)  # so the link has seen the end of the line before
    rig.up()
    assert rig.platform.order(6002, 1, ORDER)["data"][0]["code"] == 0
    assert rig.platform.lines >= 4


@pytest.mark.parametrize("rig", [{"heartbeat_s": 0.05, "heartbeat_wait_s": 0.05}], indirect=True)
def test_three_heartbeats_without_answer_end_the_line_and_a_new_one_comes(rig: Rig) -> None:
    rig.up()
    before = rig.platform.lines
    rig.platform.answers = lambda got: None if got.command == 1006 else b'{"resultCode":0,"data":[{"code":0}]}'
    while rig.platform.lines == before:
        rig.platform.next(1004, 0)
    assert "heartbeats" in rig.link.view().en or rig.link.view().online


def test_a_refused_login_is_said_and_not_hammered(rig: Rig) -> None:
    rig.platform.answers = lambda got: b'{"resultCode":0,"data":[{"code":3001,"message":"no"}]}'
    rig.platform.cut()
    waited = threading.Event()
    for _ in range(1000):
        if rig.link.down:
            break
        waited.wait(0.01)
    assert "3001" in rig.link.down


def test_a_slow_lane_holds_up_no_heartbeat(tmp_path: Path) -> None:
    rig = Rig(tmp_path, heartbeat_s=0.05, heartbeat_wait_s=0.2)
    go_on = threading.Event()

    def slow(order: object) -> LaneAnswer:
        go_on.wait(WAIT_S)
        return LaneAnswer(True, "", "")

    rig.lane.say = slow
    rig.link.start()
    try:
        rig.up()
        rig.platform.send(frame(6002, 9, 0, b'[{"bookCode":"A","parkCode":"%s","confirmStatus":1}]' % PARK.encode()))
        go_on.wait(1.0)  # twenty heartbeats
        assert rig.link.view().online
        assert rig.platform.lines == 1
        go_on.set()
        assert rig.platform.next(6002, 1).packet_no == 9
    finally:
        go_on.set()
        rig.link.stop()
        rig.platform.stop()


def test_without_a_clock_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "wall_is_true", lambda self: False)
    rig = Rig(tmp_path)
    rig.link.start()
    waited = threading.Event()
    for _ in range(1000):
        if "clock" in rig.link.view().en:
            break
        waited.wait(0.01)
    rig.link.stop()
    rig.platform.stop()
    assert "clock" in rig.link.view().en
    assert rig.platform.lines == 0


def test_it_logs_out_before_it_goes(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.link.start()
    rig.up()
    rig.link.stop()
    assert rig.platform.next(1005, 0).body["data"] == []
    rig.platform.stop()
