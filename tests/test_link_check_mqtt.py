"""Qingdao's line of orders tried step by step, with the running line up and without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from edge.agent.link_check import LinkCheck, Running
from edge.agent.qingdao import QingdaoLink
from edge.web.api import ActionResult
from hal_sim.qingdao.downlink import SERVER_SEND
from tests.qingdao_house import ACCOUNT, SOON_S, House
from tests.qingdao_orders import ITEMS
from tests.tls_certs import Authority


@pytest.fixture
def checked_house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def check(house: House, line: QingdaoLink | None, **changes: Any) -> ActionResult:
    running = Running(lambda: ACCOUNT, lambda: None, mqtt=lambda: line)
    return LinkCheck(house.config(**changes), running).run("qingdao-mqtt")


def away(house: House) -> QingdaoLink:
    """A line that has ended: its token is still good."""
    line = house.online()
    line.stop()
    return line


def states(result: ActionResult) -> list[tuple[str, str]]:
    return [(step.name, step.state) for step in result.steps]


def failed(result: ActionResult) -> tuple[str, str]:
    """Name of the step and what was seen there; what to do is said."""
    step = next(step for step in result.steps if step.state == "failed")
    assert step.todo_zh
    assert step.todo_en
    return step.name, step.en


WELL = [("address", "ok"), ("name", "ok"), ("tcp", "ok"), ("login", "ok"), ("call", "ok")]


def test_a_running_line_proves_itself_and_stays(checked_house: House) -> None:
    line = checked_house.online()
    logins = checked_house.platform.downlink.logins
    result = check(checked_house, line)
    assert (states(result), result.ok) == (WELL, True), result
    assert (checked_house.platform.downlink.logins, line.view().online) == (logins, True)


def test_without_a_running_line_the_account_is_tried(checked_house: House) -> None:
    result = check(checked_house, away(checked_house))
    assert (states(result), result.ok) == (WELL, True), result
    assert checked_house.platform.downlink.logins == 2


def test_an_order_that_waits_is_left_to_the_running_line(checked_house: House) -> None:
    line = away(checked_house)
    sent = checked_house.platform.downlink.order(16, ITEMS["16"])
    assert check(checked_house, line).ok
    assert checked_house.door.asked == []
    checked_house.online()
    assert checked_house.platform.downlink.wait(sent, SOON_S).result_code == 0
    assert len(checked_house.door.done) == 1


def test_a_broker_that_does_not_listen(checked_house: House) -> None:
    line = away(checked_house)
    checked_house.platform.downlink.broker.stop()
    assert failed(check(checked_house, line)) == ("tcp", "TCP: refused: nothing listens there")
    checked_house.platform.start_broker(checked_house.port)


def test_no_token_no_account(checked_house: House) -> None:
    line = away(checked_house)
    checked_house.token = ""
    name, en = failed(check(checked_house, line))
    assert (name, "the uplink is not logged in" in en) == ("login", True)


def test_a_broker_that_refuses_the_account(checked_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    line = away(checked_house)
    monkeypatch.setattr(checked_house.platform.downlink.broker, "_may_enter", lambda *_: False)
    name, en = failed(check(checked_house, line))
    assert (name, "the broker refuses the login" in en) == ("login", True)


def test_a_broker_that_speaks_no_tls(checked_house: House, tmp_path: Path) -> None:
    ca_file = Authority(tmp_path).file
    name, _ = failed(check(checked_house, away(checked_house), tls="on", ca_file=str(ca_file)))
    assert name == "tls"
    broken = checked_house.platform.downlink.broker.violations
    assert broken  # a ClientHello is no CONNECT
    broken.clear()


def test_a_link_that_is_not_configured_is_said(checked_house: House) -> None:
    plain = checked_house.config()
    assert plain.city.qingdao is not None
    bare = replace(plain, city=replace(plain.city, qingdao=replace(plain.city.qingdao, mqtt=None)))
    result = LinkCheck(bare, Running(lambda: ACCOUNT, lambda: None)).run("qingdao-mqtt")
    assert (result.ok, result.en) == (False, "qingdao-mqtt is not configured")


def test_the_broker_hears_the_second_subscription(checked_house: House) -> None:
    """The proof is the broker's answer, not our word: a line whose broker is gone proves nothing."""
    line = checked_house.online()
    assert checked_house.platform.downlink.broker.wait_subscribed(SERVER_SEND, SOON_S)
    checked_house.platform.downlink.broker.stop()
    assert not line.proven(0.2)
    checked_house.platform.start_broker(checked_house.port)
