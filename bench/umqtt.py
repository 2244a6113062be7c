"""Our umqtt against the same bytes through a bare socket, and against paho-mqtt, in one run in turn.

Round trip: PUBLISH of QoS 1 to its PUBACK, through mosquitto. Received: messages a second from a sender that does
nothing but write bytes made before, so that no broker's speed is in the figure; it counts the PUBACKs of QoS 1. paho
runs its own network loop: in a thread for the round trip, as its `wait_for_publish` wants, in ours for the rest.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.figures import Row, median, spread
from edge.umqtt.simple import MQTTClient
from hal_sim.mosquitto import Mosquitto

TOPIC = "park/box/status"
PAYLOAD = b"x" * 200
"""About a heartbeat's size."""

WITHIN_S = 60.0
KEEPALIVE_S = 60
BLOCK = 50
"""Calls of one candidate before the next has its turn."""

MESSAGES = 20_000

BARE_CONNECT = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04bare"
BARE_PUBLISH = b"\x32\xdb\x01\x00\x0f" + TOPIC.encode()
"""Without id and payload. Remaining length 219 = 2 + 15 + 2 + 200: two bytes (2.2.3)."""


class _Bare:
    """The floor: the bytes of the packet, written and answered, with a counting id and nothing else."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.sendall(BARE_CONNECT)
        if self._sock.recv(4) != b"\x20\x02\x00\x00":
            raise RuntimeError("the bare socket's CONNECT was refused")
        self._pid = 0

    def ask(self) -> None:
        self._pid = self._pid % 0xFFFF + 1
        pid = self._pid.to_bytes(2, "big")
        self._sock.sendall(BARE_PUBLISH + pid + PAYLOAD)
        if self._sock.recv(4) != b"\x40\x02" + pid:
            raise RuntimeError("the bare socket's PUBLISH was not answered by its PUBACK")

    def close(self) -> None:
        self._sock.close()


def _paho(client_id: str, port: int) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id)
    client.connect("127.0.0.1", port, KEEPALIVE_S)
    return client


def run(folder: Path, rounds: int) -> list[Row]:
    """`rounds` blocks of round trips, and a tenth as many floods. `RuntimeError` without mosquitto."""
    place = folder / "umqtt"
    place.mkdir()
    with Mosquitto(place, persistence=False) as broker:
        rows = _round_trips(broker.port, rounds)
    for qos, goal in ((0, 3.0), (1, 2.0)):
        rows.append(_received(qos, goal, max(3, rounds // 10)))
    return rows


def _round_trips(port: int, rounds: int) -> list[Row]:
    ours = MQTTClient("ours", "127.0.0.1", port, keepalive=KEEPALIVE_S)
    ours.connect()
    bare = _Bare(port)
    theirs = _paho("theirs", port)
    theirs.loop_start()
    calls: dict[str, Callable[[], object]] = {
        "bare": bare.ask,
        "ours": lambda: ours.publish(TOPIC, PAYLOAD, qos=1),
        "paho": lambda: theirs.publish(TOPIC, PAYLOAD, qos=1).wait_for_publish(WITHIN_S),
    }
    times_us: dict[str, list[float]] = {name: [] for name in calls}
    try:
        while not theirs.is_connected():
            time.sleep(0.01)
        for _ in range(rounds):
            for name, call in calls.items():
                for _ in range(BLOCK):
                    began_ns = time.perf_counter_ns()
                    call()
                    times_us[name].append((time.perf_counter_ns() - began_ns) / 1000)
    finally:
        theirs.loop_stop()
        theirs.disconnect()
        bare.close()
        ours.disconnect()
    p50 = {name: statistics.median(values) for name, values in times_us.items()}
    floor, peer = p50["ours"] / p50["bare"], p50["ours"] / p50["paho"]
    each = f"{p50['ours']:.0f} us / {p50['bare']:.0f} us / {p50['paho']:.0f} us"
    return [
        Row(f"QoS 1 往返 round trip to mosquitto, p50, bare socket ({each})", f"{floor:.2f}x", "<= 1.5x", floor <= 1.5),
        Row("同上 the same, paho-mqtt", f"{peer:.3f}x", "<= 0.2x", peer <= 0.2),
    ]


def _received(qos: int, goal: float, rounds: int) -> Row:
    rates: dict[str, list[float]] = {"ours": [], "paho": []}
    for _ in range(rounds):
        rates["ours"].append(_flood(qos, _ours_receives))
        rates["paho"].append(_flood(qos, _paho_receives))
    ratios = [a / b for a, b in zip(rates["ours"], rates["paho"], strict=True)]
    each = f"{median(rates['ours']):,.0f} / {median(rates['paho']):,.0f}"
    return Row(f"每秒收到 received per second, QoS {qos}, paho-mqtt ({each})", spread(ratios, "x"), f">= {goal:g}x",
               median(ratios) >= goal)  # fmt: skip


def _flood(qos: int, receive: Callable[[int, int, int], float]) -> float:
    """Messages a second that `receive(port, qos, MESSAGES)` takes, by its own seconds from the first to the last."""
    sender = [sys.executable, "-m", "bench.umqtt_sender", TOPIC, str(len(PAYLOAD)), str(qos), str(MESSAGES)]
    with subprocess.Popen(sender, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            took_s = receive(int(child.stdout.readline()), qos, MESSAGES)
            if child.stdout.readline().strip() != "all":
                raise RuntimeError(f"the sender did not see all answers of QoS {qos}")
        finally:
            child.terminate()
    return MESSAGES / took_s


def _ours_receives(port: int, qos: int, count: int) -> float:
    client = MQTTClient("ours", "127.0.0.1", port, keepalive=KEEPALIVE_S)
    seen = _Seen()
    client.set_callback(seen.note)
    client.connect()
    client.subscribe(TOPIC, qos)
    while seen.count < count:
        client.wait_msg()
    client.disconnect()
    return seen.seconds()


def _paho_receives(port: int, qos: int, count: int) -> float:
    client = paho.Client(CallbackAPIVersion.VERSION2, "theirs")
    seen = _Seen()
    client.on_message = lambda client, data, message: seen.note(message.topic, message.payload)

    def subscribe(client: paho.Client, data: object, flags: object, code: object, properties: object) -> None:
        client.subscribe(TOPIC, qos)

    client.on_connect = subscribe
    client.connect("127.0.0.1", port, KEEPALIVE_S)
    while seen.count < count:
        client.loop(WITHIN_S)
    client.disconnect()
    return seen.seconds()


class _Seen:
    """Counts, and keeps when the first and the last message came."""

    def __init__(self) -> None:
        self.count = 0
        self._first_s = 0.0
        self._last_s = 0.0

    def note(self, topic: object, message: object) -> None:
        self.count += 1
        self._last_s = time.perf_counter()
        if self.count == 1:
            self._first_s = self._last_s

    def seconds(self) -> float:
        return self._last_s - self._first_s
