"""The interface of umqtt.simple and umqtt.robust, and what ours promises beyond it."""

from __future__ import annotations

import errno
import inspect
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from edge.umqtt import robust, simple
from edge.umqtt.dial import ticks_ms
from edge.umqtt.simple import MQTTException
from tests.mqtt_broker import CONNACK_KEPT, WITHIN_S, Peer, broker, puback, publish, suback


class Quick(simple.MQTTClient):
    TIMEOUT = 1


class Robust(robust.MQTTClient):
    TIMEOUT = 1
    DELAY = 0


def ignore(topic: bytes, message: bytes) -> None:
    pass


# micropython-lib, umqtt.simple 1.8 and umqtt.robust 1.0: names and defaults; "-" is none
INTERFACE: dict[type, dict[str, str]] = {
    simple.MQTTClient: {
        "__init__": "client_id - server - port 0 user None password None keepalive 0 ssl None ssl_params None",
        "set_callback": "f -",
        "set_last_will": "topic - msg - retain False qos 0",
        "connect": "clean_session True timeout None",
        "disconnect": "",
        "ping": "",
        "publish": "topic - msg - retain False qos 0",
        "subscribe": "topic - qos 0",
        "unsubscribe": "topic -",
        "wait_msg": "",
        "check_msg": "",
    },
    robust.MQTTClient: {
        "delay": "i -",
        "log": "in_reconnect - e -",
        "reconnect": "",
        "publish": "topic - msg - retain False qos 0",
        "wait_msg": "",
        "check_msg": "attempts 2",
    },
}
"""`ssl_params` is {} there, shared by all clients; here every client has its own."""

ATTRIBUTES = "client_id sock server port ssl ssl_params pid cb user pswd keepalive lw_topic lw_msg lw_qos lw_retain"


@pytest.mark.parametrize("kind", INTERFACE, ids=lambda kind: kind.__module__)
def test_names_and_defaults_are_those_of_micropythons(kind: type) -> None:
    for name, wanted in INTERFACE[kind].items():
        parameters = list(inspect.signature(getattr(kind, name)).parameters.values())[1:]
        words = [f"{p.name} {'-' if p.default is p.empty else p.default}" for p in parameters]
        assert " ".join(words) == wanted, name


def test_attributes_are_those_of_micropythons() -> None:
    box = simple.MQTTClient("box", "host")
    assert [name for name in ATTRIBUTES.split() if not hasattr(box, name)] == []
    assert (box.port, simple.MQTTClient("box", "host", ssl=True).port) == (1883, 8883)
    assert box.sock is None
    assert (robust.MQTTClient.DELAY, robust.MQTTClient.DEBUG) == (2, False)


@pytest.mark.parametrize(("connack", "kept"), [(b"\x20\x02\x00\x00", False), (CONNACK_KEPT, True)])
def test_connect_says_whether_the_session_was_kept(connack: bytes, kept: bool) -> None:
    def script(peer: Peer) -> None:
        assert peer.accept(connack)[9] == 0  # no clean session, no will, no user
        peer.expect(b"\xe0\x00")

    with broker(script) as served:
        box = Quick("box", "127.0.0.1", served.port)
        assert box.connect(False) is kept
        box.disconnect()


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_a_refusal_is_an_exception_with_its_code(code: int) -> None:
    def script(peer: Peer) -> None:
        peer.accept(b"\x20\x02\x00" + bytes((code,)))

    with broker(script) as served:
        box = Quick("box", "127.0.0.1", served.port)
        with pytest.raises(MQTTException) as raised:
            box.connect()
    assert raised.value.args == (code,)


def test_a_refused_subscription_is_an_exception_and_a_lower_qos_is_not() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.packet()
        peer.send(suback(1, 0))
        peer.packet()
        peer.send(suback(2, 0x80))
        peer.closed()

    with broker(script) as served:
        box = Quick("box", "127.0.0.1", served.port)
        box.set_callback(ignore)
        box.connect()
        box.subscribe(b"a", 1)
        with pytest.raises(MQTTException) as raised:
            box.subscribe(b"b", 1)
        box.disconnect()
    assert raised.value.args == (0x80,)


def test_a_callback_may_publish() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(publish(b"cmd", b"1", qos=1, pid=9))
        peer.expect(publish(b"reply", b"1", qos=1, pid=1))
        peer.send(publish(b"cmd", b"2"), puback(1))  # a message comes between
        peer.expect(publish(b"reply", b"2", qos=1, pid=2))
        peer.send(puback(2))
        peer.expect(puback(9), b"\xe0\x00")

    with broker(script) as served:
        box = Quick("box", "127.0.0.1", served.port)
        box.set_callback(lambda topic, message: box.publish(b"reply", message, qos=1))
        box.connect()
        assert box.wait_msg() == 0x32
        box.disconnect()


def test_an_unanswered_message_goes_once_more_with_dup_and_is_then_unknown() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.expect(publish(b"t", b"m", qos=1, pid=1), publish(b"t", b"m", qos=1, pid=1, dup=True), b"")

    with broker(script) as served:
        box = Quick("box", "127.0.0.1", served.port)
        box.connect(timeout=0.2)
        with pytest.raises(OSError, match="no answer to packet 1") as raised:
            box.publish(b"t", b"m", qos=1)
    assert raised.value.errno == errno.ETIMEDOUT


def test_whoever_polls_the_socket_misses_no_message() -> None:
    """Two in one segment: after the first is taken the socket must still be readable."""

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(b"\xd0\x00" + publish(b"t", b"1") + publish(b"t", b"2"))
        peer.closed()

    with broker(script) as served:
        box = Quick("box", "127.0.0.1", served.port)
        got = []
        box.set_callback(lambda topic, message: got.append(message))
        box.connect()
        while len(got) < 2:
            assert box._stream._poll.poll(WITHIN_S * 1000), "silent, and a message is here"
            box.check_msg()
        box.disconnect()
    assert got == [b"1", b"2"]


def refused_by_ours(call: Callable[[simple.MQTTClient], Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call(simple.MQTTClient("box", "host"))


def test_bad_arguments_are_named() -> None:
    refused_by_ours(lambda box: box.publish(b"t", b"m", qos=3), "qos: 3")
    refused_by_ours(lambda box: box.subscribe(b"t"), "set_callback: must be called")
    refused_by_ours(lambda box: box.set_last_will(b"", b"m"), "last will topic: must not be empty")
    refused_by_ours(lambda box: box.publish(b"", b"m"), "topic: 0 bytes")


def test_without_a_connection_every_call_is_an_oserror() -> None:
    box = simple.MQTTClient("box", "127.0.0.1", 1)
    box.set_callback(ignore)
    for call in (box.ping, box.wait_msg, box.check_msg, box.disconnect, lambda: box.publish(b"t", b"m")):
        with pytest.raises(OSError, match="not connected"):
            call()
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        simple.MQTTClient("box", "127.0.0.1", port).connect()


# --- robust -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("clean", "flag"), [(True, 2), (False, 0)])
def test_it_reconnects_as_it_was_connected(clean: bool, flag: int) -> None:
    def script(peer: Peer) -> None:
        assert peer.accept()[9] == flag

    def second(peer: Peer) -> None:
        script(peer)
        peer.send(publish(b"t", b"m"))
        peer.closed()

    with broker(script, second) as served:
        box = Robust("box", "127.0.0.1", served.port)
        box.set_callback(ignore)
        box.connect(clean)
        assert box.wait_msg() == 0x30
        box.disconnect()


def test_check_msg_never_waits_for_the_link() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    box = robust.MQTTClient("box", "127.0.0.1", port)
    box._pause_ms = lambda attempt: 60_000  # type: ignore[method-assign]
    began_s = time.monotonic()
    assert [box.check_msg() for _ in range(100)] == [None] * 100
    assert time.monotonic() - began_s < WITHIN_S
    assert box._attempts == 1


def test_a_refusal_that_does_not_pass_is_not_repeated_for_ever() -> None:
    def cut(peer: Peer) -> None:
        peer.accept()

    def bad_password(peer: Peer) -> None:
        peer.accept(b"\x20\x02\x00\x04")

    with broker(cut, bad_password) as served:
        box = Robust("box", "127.0.0.1", served.port)
        box.set_callback(ignore)
        box.connect()
        with pytest.raises(MQTTException) as raised:
            box.wait_msg()
    assert raised.value.args == (4,)


def test_a_busy_broker_is_tried_again() -> None:
    def busy(peer: Peer) -> None:
        peer.accept(b"\x20\x02\x00\x03")

    def ready(peer: Peer) -> None:
        peer.accept()
        peer.expect(b"\xe0\x00")

    with broker(busy, ready) as served:
        box = Robust("box", "127.0.0.1", served.port)
        assert box.reconnect() is False
        box.disconnect()


def test_a_line_that_is_lost_at_once_is_not_made_again_at_once() -> None:
    """Another box with our client id, or a broker that accepts and closes: the pauses must grow all the same."""

    def cut(peer: Peer) -> None:
        peer.accept()

    def lasting(peer: Peer) -> None:
        peer.accept()
        peer.send(publish(b"t", b"m"))
        peer.closed()

    asked: list[int] = []
    with broker(cut, cut, cut, lasting, cut, lasting) as served:
        box = Robust("box", "127.0.0.1", served.port)
        box._pause_ms = lambda attempt: asked.append(attempt) or 0  # type: ignore[func-returns-value,method-assign]
        box.set_callback(ignore)
        box.connect()
        assert box.wait_msg() == 0x30
        assert asked == [1, 2, 3]
        box._up_ms = ticks_ms() - 60_000  # a line that has lasted
        box._stream.close()
        assert box.wait_msg() == 0x30
        assert asked == [1, 2, 3, 1, 2]
        box.disconnect()


def test_pauses_grow_to_a_minute_and_no_further() -> None:
    box = robust.MQTTClient("box", "host")
    longest = [max(box._pause_ms(attempt) for _ in range(300)) for attempt in (1, 2, 6, 40)]
    for seen_ms, most_ms in zip(longest, (2_000, 4_000, 60_000, 60_000), strict=True):
        assert most_ms / 2 < seen_ms <= most_ms


def test_a_reconnect_in_the_last_moment_leaves_no_short_deadline_behind() -> None:
    def cut(peer: Peer) -> None:
        peer.accept()
        peer.packet()

    def kept(peer: Peer) -> None:
        peer.accept(CONNACK_KEPT)
        peer.expect(publish(b"t", b"m", qos=1, pid=1, dup=True))
        peer.send(puback(1))
        peer.closed()

    with broker(cut, kept) as served:
        box = Robust("box", "127.0.0.1", served.port)
        box.PATIENCE = 0.9
        box.connect(False)
        box.publish(b"t", b"m", qos=1)
        assert box._timeout_ms == 1_000
        box.disconnect()
