"""Our client and a broker that is not ours: mosquitto, restarted and killed under it. Skipped where there is none."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.umqtt import robust, simple
from hal_sim.mosquitto import Mosquitto, program

pytestmark = pytest.mark.skipif(program() is None, reason="mosquitto is not installed: apt-get install mosquitto")

WITHIN_S = 20.0


class Quick(robust.MQTTClient):
    DELAY = 0.05  # seconds; umqtt.robust's own is 2
    DELAY_MAX = 0.2
    PATIENCE = WITHIN_S


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


def take_until(client: simple.MQTTClient, got: list[bytes], count: int) -> None:
    due_s = time.monotonic() + WITHIN_S
    while len(got) < count and time.monotonic() < due_s:
        client.wait_msg()


def test_a_whole_life_with_payloads_of_every_length_of_length(mosquitto: Mosquitto) -> None:
    sizes = [0, 1, 127, 128, 16_383, 16_384, 70_000]
    got: list[bytes] = []
    client = simple.MQTTClient("life", "127.0.0.1", mosquitto.port, keepalive=10)
    client.set_callback(lambda topic, message: got.append(message))
    assert client.connect(False) is False
    client.subscribe("车场/回声", 2)
    for qos in (0, 1, 2):
        for size in sizes:
            client.publish("车场/回声", bytes(size), False, qos)
    take_until(client, got, 3 * len(sizes))
    assert sorted(map(len, got)) == sorted(3 * sizes)
    client.unsubscribe("车场/回声")
    client.publish("车场/回声", b"unheard", qos=1)
    client.disconnect()
    assert client.connect(False) is True
    client.disconnect()
    assert len(got) == 3 * len(sizes)


def test_retained_message_and_last_will_reach_another_client(mosquitto: Mosquitto) -> None:
    got: list[tuple[bytes, bytes]] = []
    box = simple.MQTTClient("box", "127.0.0.1", mosquitto.port)
    box.set_last_will(b"box/status", b"offline", retain=True, qos=1)
    box.connect()
    box.publish(b"box/status", b"online", retain=True, qos=1)
    other = simple.MQTTClient("other", "127.0.0.1", mosquitto.port, keepalive=10)
    other.set_callback(lambda topic, message: got.append((topic, message)))
    other.connect()
    other.subscribe(b"box/#", 1)
    while not got:
        other.wait_msg()
    box.stop()
    with pytest.raises(OSError, match="stopped"):
        box.ping()
    while len(got) < 2:
        other.wait_msg()
    other.disconnect()
    assert got == [(b"box/status", b"online"), (b"box/status", b"offline")]


def start_after(away: threading.Event, broker: Mosquitto) -> None:
    away.wait(WITHIN_S)
    broker.start()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["restarted", "killed"])
def test_no_message_of_qos_1_is_lost_when_the_broker_goes(mosquitto: Mosquitto, how: signal.Signals) -> None:
    """One client counts upward, another listens with a kept session; the broker goes three times in between."""
    count, rounds = 40, 3
    came = [threading.Event() for _ in range(count)]
    away = threading.Event()

    def listen() -> None:
        listener.connect(False)
        listener.subscribe(b"count", 1)
        listening.set()
        due_s = time.monotonic() + WITHIN_S
        while not all(each.is_set() for each in came) and time.monotonic() < due_s:
            listener.wait_msg()
        listener.disconnect()

    listening = threading.Event()
    listener = Quick("listener", "127.0.0.1", mosquitto.port, keepalive=10)
    listener.set_callback(lambda topic, message: came[int(message)].set())
    thread = threading.Thread(target=listen)
    thread.start()
    assert listening.wait(WITHIN_S)

    sender = Quick("sender", "127.0.0.1", mosquitto.port, keepalive=10)
    sender.log = lambda in_reconnect, e: away.set()  # type: ignore[method-assign]
    sender.connect(False)
    for number in range(count):
        if number in range(10, 10 * rounds + 1, 10):
            # What it has acknowledged and not yet written to its disk a killed broker loses; that is not the client's.
            assert came[number - 1].wait(WITHIN_S)
            mosquitto.end(how)
            away.clear()
            restart = threading.Thread(target=start_after, args=(away, mosquitto))
            restart.start()  # only once the sender has noticed
            sender.publish(b"count", str(number), qos=1)
            restart.join()
        else:
            sender.publish(b"count", str(number), qos=1)
    sender.disconnect()
    thread.join(2 * WITHIN_S)
    assert [number for number, each in enumerate(came) if not each.is_set()] == []


def test_a_broker_that_stands_still_is_left_within_one_and_a_half_keepalives(mosquitto: Mosquitto) -> None:
    """Stopped by a signal it keeps the connection and answers nothing: what a half-open link looks like."""
    keepalive_s = 2
    client = simple.MQTTClient("box", "127.0.0.1", mosquitto.port, keepalive=keepalive_s)
    client.connect()
    mosquitto.pause(signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        with pytest.raises(OSError, match="no answer to the ping"):
            client.wait_msg()
        assert time.monotonic() - began_s < 1.5 * keepalive_s
    finally:
        mosquitto.pause(signal.SIGCONT)
