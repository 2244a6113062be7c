"""The downlink through a broker that we did not write: mosquitto, killed and started again. Needs it installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from edge.umqtt.robust import MQTTClient
from hal_sim.free_ports import free_ports
from hal_sim.qingdao.downlink import CLIENT_SEND, SERVER_SEND
from tests.qingdao_house import House
from tests.qingdao_orders import message

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt install mosquitto")


class Mosquitto:
    """On a port of its own, keeping its sessions on the disk."""

    def __init__(self, folder: Path) -> None:
        (self.port,) = free_ports(1)
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nautosave_on_changes true\nautosave_interval 1\n",
            encoding="utf-8",
        )
        self.start()

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class City:
    """The platform's mouth: publishes orders, collects the replies."""

    def __init__(self, port: int) -> None:
        self._line = MQTTClient("city", "127.0.0.1", port, keepalive=10)
        self._line.DELAY_MAX = 1
        self.replies: list[dict[str, Any]] = []
        self._line.set_callback(lambda topic, payload: self.replies.append(json.loads(payload)))
        self._line.reconnect()
        self._line.subscribe(CLIENT_SEND, 1)

    def order(self, number: str, seq_id: str, **changed: Any) -> None:
        self._line.publish(SERVER_SEND, message(number, seq_id=seq_id, **changed), qos=1)

    def wait(self, count: int) -> list[dict[str, Any]]:
        while len(self.replies) < count:
            self._line.wait_msg()
        return self.replies

    def close(self) -> None:
        with suppress(OSError):
            self._line.disconnect()


@pytest.fixture
def mosquitto_house(tmp_path: Path) -> Iterator[tuple[House, Mosquitto]]:
    house, broker = House(tmp_path), Mosquitto(tmp_path)
    yield house, broker
    house.close()
    broker.kill()


def test_orders_and_replies_through_mosquitto(mosquitto_house: tuple[House, Mosquitto]) -> None:
    house, broker = mosquitto_house
    house.online(port=broker.port)
    city = City(broker.port)
    for number in range(30):
        city.order("24", f"s{number}")
    assert {reply["seq_id"] for reply in city.wait(30)} == {f"s{number}" for number in range(30)}
    assert all(reply["result_code"] == 0 for reply in city.replies)
    assert len(house.door.done) == 30
    city.close()


def test_a_broker_killed_and_started_again_costs_no_order(mosquitto_house: tuple[House, Mosquitto]) -> None:
    house, broker = mosquitto_house
    link = house.online(port=broker.port)
    city = City(broker.port)
    city.order("24", "before")
    city.wait(1)
    broker.kill()
    house.until(lambda: not link.view().online)
    broker.start()
    city.order("24", "after")
    assert [reply["seq_id"] for reply in city.wait(2)] == ["before", "after"]
    link.stop()
    city.order("24", "away")
    house.online(port=broker.port)
    city.wait(3)
    assert len(house.door.done) == 3
    city.close()
