"""`stop` from another thread ends whatever the client waits for, and every later call at once."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from edge.umqtt import robust, simple
from tests.mqtt_broker import WITHIN_S, Peer, broker


def stopped(box: simple.MQTTClient, call: Callable[[], Any], ready: threading.Event) -> None:
    """`call` in a thread of its own; once `ready`, stop. It must end with ECONNABORTED, and so must later calls."""
    ended: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
            ended.append(None)
        except OSError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(WITHIN_S)
    box.stop()
    thread.join(WITHIN_S)  # the broker says nothing before: without `stop` the call would still wait then
    assert not thread.is_alive()
    (error,) = ended
    assert isinstance(error, OSError)
    assert error.errno == errno.ECONNABORTED, error
    with pytest.raises(OSError, match="stopped"):
        box.connect()
    assert box.sock is None


@pytest.mark.parametrize("kind", [simple.MQTTClient, robust.MQTTClient], ids=["simple", "robust"])
@pytest.mark.parametrize("what", ["wait_msg", "publish"])
def test_stop_ends_a_call_that_waits_for_the_broker(kind: type[simple.MQTTClient], what: str) -> None:
    ready = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        if what == "publish":
            peer.packet()
        ready.set()
        peer.closed()

    with broker(script) as served:
        box = kind("box", "127.0.0.1", served.port)
        box.connect()
        call = box.wait_msg if what == "wait_msg" else lambda: box.publish(b"t", b"m", qos=1)
        stopped(box, call, ready)


@pytest.mark.parametrize("tls", [False, True], ids=["CONNACK", "TLS handshake"])
def test_stop_ends_a_connect_that_nobody_answers(tls: bool) -> None:
    ready = threading.Event()

    def script(peer: Peer) -> None:
        peer._bytes(1)
        ready.set()
        peer.closed()

    with broker(script) as served:
        box = simple.MQTTClient("box", "127.0.0.1", served.port, ssl=tls)
        stopped(box, box.connect, ready)


@pytest.mark.parametrize("what", ["reconnect", "wait_msg", "publish"])
def test_stop_ends_a_pause_before_the_next_attempt(what: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    box = robust.MQTTClient("box", "127.0.0.1", port)
    ready = threading.Event()
    box.log = lambda in_reconnect, e: ready.set() if in_reconnect else None  # type: ignore[method-assign]
    box._pause_ms = lambda attempt: 60_000  # type: ignore[method-assign]
    call = {"publish": lambda: box.publish(b"t", b"m", qos=1)}.get(what) or getattr(box, what)
    stopped(box, call, ready)


def test_stop_ends_a_write_that_the_broker_does_not_take() -> None:
    ready, done = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.accept()
        peer._bytes(1)
        ready.set()
        done.wait(WITHIN_S)

    with broker(script) as served:
        box = simple.MQTTClient("box", "127.0.0.1", served.port)
        box.connect()
        stopped(box, lambda: box.publish(b"t", bytes(50_000_000)), ready)
        done.set()
