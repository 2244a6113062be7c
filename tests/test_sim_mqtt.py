"""The simulated city's broker, spoken to by hand-made bytes of MQTT 3.1.1: strict, and sessions outlive their lines."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from hal_sim.mqtt import Broker

HELLO = b"\x10\x14\x00\x04MQTT\x04\xc0\x00\x05\x00\x02c1\x00\x01u\x00\x01p"  # keep-alive 5 s, session kept
SUBSCRIBE = b"\x82\x06\x00\x01\x00\x01t\x01"
WAIT_S = 5.0


class Hall:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str, bytes]] = []
        self.came = threading.Condition()
        self.failed: list[BaseException] = []
        self.broker = Broker(lambda *who: who == ("c1", "u", "p"), self._hear, self.failed.append)
        self.port = self.broker.start()
        self.lines: list[socket.socket] = []

    def _hear(self, user: str, topic: str, payload: bytes) -> None:
        with self.came:
            self.heard.append((user, topic, payload))
            self.came.notify_all()

    def line(self, *packets: bytes) -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self.port), WAIT_S)
        self.lines.append(line)
        for packet in packets:
            line.sendall(packet)
        return line

    def close(self) -> None:
        for line in self.lines:
            line.close()
        self.broker.stop()
        assert self.failed == []


def read(line: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count and (piece := line.recv(count - len(got))):
        got += piece
    return got


@pytest.fixture
def mqtt_hall() -> Iterator[Hall]:
    made = Hall()
    yield made
    made.close()


def test_the_packets_of_a_session_byte_by_byte(mqtt_hall: Hall) -> None:
    line = mqtt_hall.line(HELLO, SUBSCRIBE)
    assert read(line, 4) == b"\x20\x02\x00\x00"
    assert read(line, 5) == b"\x90\x03\x00\x01\x01"
    assert mqtt_hall.broker.publish("t", b"hi") == 1
    assert read(line, 9) == b"\x32\x07\x00\x01t\x00\x01hi"
    line.sendall(b"\xc0\x00")
    assert read(line, 2) == b"\xd0\x00"
    line.sendall(b"\x32\x06\x00\x01r\x00\x07x")
    assert read(line, 4) == b"\x40\x02\x00\x07"
    assert mqtt_hall.heard == [("u", "r", b"x")]
    assert mqtt_hall.broker.waiting() == 1  # "hi" was not acknowledged
    line.close()
    again = mqtt_hall.line(HELLO)
    assert read(again, 4) == b"\x20\x02\x01\x00"
    assert read(again, 9) == b"\x3a\x07\x00\x01t\x00\x01hi"  # DUP


def test_a_wrong_password_is_refused(mqtt_hall: Hall) -> None:
    assert read(mqtt_hall.line(HELLO[:-1] + b"x"), 5) == b"\x20\x02\x00\x04"


@pytest.mark.parametrize(
    "packet",
    [
        b"\xc0\x00",  # no CONNECT first
        HELLO.replace(b"MQTT\x04", b"MQTT\x03"),
        HELLO + HELLO,
        HELLO + b"\x36\x06\x00\x01r\x00\x07x",  # QoS 3
        HELLO + b"\x32\x06\x00\x01r\x00\x00x",  # packet id 0
        HELLO + b"\x32\x06\x00\x01#\x00\x07x",
        HELLO + b"\x80\x06\x00\x01\x00\x01t\x01",  # SUBSCRIBE with flags 0
        HELLO + b"\x82\x02\x00\x01",  # no topic
        HELLO + b"\x30\xff\xff\xff\xff\x01",
    ],
)
def test_what_breaks_the_protocol_is_hung_up_on_and_noted(mqtt_hall: Hall, packet: bytes) -> None:
    line = mqtt_hall.line(packet)
    with suppress(ConnectionError):  # what it had not read when it hung up makes the end a reset
        read(line, 100)  # to the end of the line
    assert len(mqtt_hall.broker.violations) == 1
