"""A broker that sends anything: the client returns, or raises `OSError` or `MQTTException`, and never waits for more.

The bytes are drawn by Hypothesis: whole answers, damaged ones and noise, in any order, and then the end of the stream.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.umqtt.simple import MQTTClient, MQTTException
from edge.umqtt.stream import Stream
from tests.mqtt_broker import CONNACK, puback, publish, suback

GOOD = st.sampled_from([
    puback(1), puback(2), suback(1, 1), suback(1, 0x80), b"\xb0\x02\x00\x01", b"\xd0\x00", b"\x50\x02\x00\x01",
    b"\x62\x02\x00\x07", publish(b"a", b"x"), publish(b"a", b"x", qos=1, pid=7), publish(b"a", b"x", qos=2, pid=7),
])  # fmt: skip
HEADS = st.one_of(st.sampled_from([0x20, 0x30, 0x31, 0x32, 0x34, 0x3D, 0x40, 0x50, 0x62, 0x90]), st.integers(0, 255))
DAMAGED = st.builds(
    lambda first, size, body: bytes((first, size)) + body, HEADS, st.integers(0, 255), st.binary(max_size=20)
)
ANSWERS = st.lists(st.one_of(GOOD, DAMAGED, st.binary(max_size=6)), max_size=8)
FIRST = st.sampled_from([CONNACK] * 5 + [b"\x20\x02\x00\x05", b"\x20\x02\x01\x00", b""])


class Ready(Stream):
    """Whatever it dials, it gets this socket."""

    def __init__(self, ready: socket.socket) -> None:
        super().__init__(MQTTClient.BYTES_MAX)
        self._ready = ready

    def dial(self, server: str, port: int, ssl: object, ssl_params: dict[str, object], within_ms: int) -> None:
        self._ready.setblocking(False)
        self.sock, self._poll = self._ready, select.poll()
        self._poll.register(self.sock, select.POLLIN)


def over(sock: socket.socket) -> MQTTClient:
    client = MQTTClient("box", "host", keepalive=60)
    client._stream = Ready(sock)
    client.set_callback(lambda topic, message: None)
    return client


@given(FIRST, ANSWERS)
def test_nothing_but_oserror_and_mqttexception_comes_out(first: bytes, answers: list[bytes]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(first + b"".join(answers))
        theirs.shutdown(socket.SHUT_WR)
        client = over(ours)
        try:
            client.connect()
            client.subscribe(b"a", 1)
            client.publish(b"a", b"x", qos=1)
            client.publish(b"a", b"x", qos=2)
            while True:
                client.wait_msg()
        except MQTTException as error:
            if error.args != (0x80,):  # a refused subscription; all else ends the connection
                assert client.sock is None
        except OSError:
            assert client.sock is None


def test_a_callback_s_own_error_is_its_callers() -> None:
    """Not swallowed, and the message is not acknowledged: the broker sends it again."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(CONNACK + publish(b"a", b"x", qos=1, pid=7))
        client = over(ours)
        client.set_callback(fails)
        client.connect()
        theirs.recv(1000)
        with pytest.raises(KeyError, match="mine"):
            client.wait_msg()
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1000)


def fails(topic: bytes, message: bytes) -> None:
    raise KeyError("mine")


PARTS: list[tuple[str, Callable[[bytes], bytes]]] = [("as it is", bytes), ("cut", lambda packet: packet[:-1])]


@pytest.mark.parametrize("change", [change for _, change in PARTS], ids=[name for name, _ in PARTS])
def test_the_control_a_message_is_taken_only_whole(change: Callable[[bytes], bytes]) -> None:
    """That the test above can see a difference at all."""
    ours, theirs = socket.socketpair()
    got: list[bytes] = []
    with ours, theirs:
        theirs.sendall(CONNACK + change(publish(b"a", b"x" * 90)))
        theirs.shutdown(socket.SHUT_WR)
        client = over(ours)
        client.set_callback(lambda topic, message: got.append(message))
        client.connect()
        if change is bytes:
            assert client.wait_msg() == 0x30
        with pytest.raises(OSError, match="closed by the broker"):
            client.wait_msg()
    assert got == ([b"x" * 90] if change is bytes else [])
