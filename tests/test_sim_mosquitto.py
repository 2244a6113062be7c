"""mosquitto as the broker of the simulated city: who may enter, orders and replies through it, and its end."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from edge.umqtt.simple import MQTTClient, MQTTException
from hal_sim.mosquitto import program
from hal_sim.qingdao import Account, QingdaoPlatform
from tests.program_rig import until
from tests.qingdao_house import House

ACCOUNT = Account("880001", "0000001", "parkbox", "Parkbox-1", "key")
SOON_S = 20.0
STARTER = """
import sys, pathlib
from hal_sim.qingdao import Account, QingdaoPlatform
platform = QingdaoPlatform(Account("880001", "0000001", "parkbox", "Parkbox-1", "key"))
print(platform.start_mosquitto(pathlib.Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""

needs_mosquitto = pytest.mark.skipif(program() is None, reason="mosquitto is not installed: apt install mosquitto")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@needs_mosquitto
def test_orders_and_replies_go_through_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    port = house.platform.start_mosquitto(tmp_path / "mosquitto")
    house.online(port=port)
    down = house.platform.downlink
    sent = down.order(24, {"item_id": "t-1", "timestamp": 1_795_305_600_000})
    assert down.wait(sent, SOON_S).result_code == 0
    assert [asked["op"] for asked in house.door.asked] == ["tariff_delete"]
    house.close()  # and nothing broke the protocol, says mosquitto's own log
    assert not listens(port)


@needs_mosquitto
def test_only_the_account_of_mqtt_login_may_enter_and_a_stranger_is_told_of(tmp_path: Path) -> None:
    platform = QingdaoPlatform(ACCOUNT)
    port = platform.start_mosquitto(tmp_path)
    with pytest.raises(MQTTException) as refused:
        MQTTClient("qd-box-1", "127.0.0.1", port, "qd-mqtt-1", "guessed").connect()
    platform.stop()
    assert refused.value.args[0] == 5  # not authorised (3.2.2.3)
    assert any("not authorised" in line for line in platform.downlink.violations)


@needs_mosquitto
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not there: nobody ends mosquitto")
def test_it_ends_with_a_simulator_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stdout is not None
    with child.stdin, child.stdout:
        port = int(child.stdout.readline())
        assert listens(port)
        child.kill()
        child.wait(SOON_S)
    until(lambda: not listens(port), "mosquitto has ended")


def test_without_it_the_built_in_broker_is_taken_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hal_sim.mosquitto.program", lambda: None)
    platform = QingdaoPlatform(ACCOUNT)
    port, name = platform.start_chosen("auto", tmp_path / "m")
    assert listens(port)
    assert name == "内置 built in"
    with pytest.raises(RuntimeError, match="not installed"):
        platform.start_chosen("mosquitto", tmp_path / "m")
    platform.stop()
    assert not listens(port)
