"""The twelve faults that users of MicroPython's umqtt know, each as a test.

Numbers are issues of micropython-lib where there is one. The broker is a script; every wait has an end.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.umqtt import robust, simple
from edge.umqtt.simple import MQTTException
from tests.mqtt_broker import CONNACK, CONNACK_KEPT, WITHIN_S, Peer, broker, puback, publish, suback
from tests.tls_certs import Authority


class Simple(simple.MQTTClient):
    TIMEOUT = 1


class Robust(robust.MQTTClient):
    TIMEOUT = 1
    DELAY = 0


Got = list[tuple[bytes, bytes]]


def client(kind: Callable[..., Any], port: int, **settings: object) -> tuple[Any, Got]:
    made = kind("box", "127.0.0.1", port, **settings)
    got: Got = []
    made.set_callback(lambda topic, message: got.append((topic, message)))
    return made, got


def silent(peer: Peer) -> None:
    """A half-open link: nothing ever comes again."""
    peer.accept()
    peer.closed()


@pytest.mark.parametrize("what", ["wait_msg", "publish", "subscribe", "unsubscribe"])
def test_1_a_half_open_link_ends_every_call_within_one_and_a_half_keepalives(what: str) -> None:
    """#103, #381, #716, #1070: `wait_msg` set the socket blocking again and hung for ever."""
    with broker(silent) as served:
        box, _ = client(simple.MQTTClient, served.port, keepalive=2)
        box.connect()
        began_s = time.monotonic()
        call = {
            "wait_msg": box.wait_msg,
            "publish": lambda: box.publish(b"t", b"m", qos=1),
            "subscribe": lambda: box.subscribe(b"t"),
            "unsubscribe": lambda: box.unsubscribe(b"t"),
        }[what]
        with pytest.raises(OSError, match="no answer") as raised:
            call()
        assert raised.value.errno == errno.ETIMEDOUT
        assert time.monotonic() - began_s < 1.5 * 2
        assert box.sock is None


def test_1_robust_too_gives_a_message_back_within_one_and_a_half_keepalives() -> None:
    with broker(silent, silent) as served:
        box, _ = client(robust.MQTTClient, served.port, keepalive=2)
        box.connect()
        began_s = time.monotonic()
        with pytest.raises(OSError, match="no answer"):
            box.publish(b"t", b"m", qos=1)
        assert time.monotonic() - began_s < 1.5 * 2
        if box.sock is not None:
            box.disconnect()
        while served.seen < 2:  # jitter may have left no time for the second attempt
            client(simple.MQTTClient, served.port)[0].connect()


def test_2_a_message_whose_answer_was_lost_with_the_link_is_sent_again_with_its_id_and_dup() -> None:
    """#102: it waited for ever for the PUBACK of a message that was not sent again (MQTT-4.4.0-1)."""

    def cut(peer: Peer) -> None:
        peer.accept()
        peer.expect(publish(b"t", b"m", qos=1, pid=1))

    def kept(peer: Peer) -> None:
        peer.accept(CONNACK_KEPT)
        peer.expect(publish(b"t", b"m", qos=1, pid=1, dup=True))
        peer.send(puback(1))
        peer.expect(b"\xe0\x00")

    with broker(cut, kept) as served:
        box, _ = client(Robust, served.port)
        box.connect(False)
        box.publish(b"t", b"m", qos=1)
        box.disconnect()


def test_3_an_answer_nobody_waits_for_is_read_whole() -> None:
    """#85: its body stayed in the stream and was taken for the next packet."""

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(puback(77), suback(78, 1), b"\xb0\x02\x00\x4f", publish(b"t", b"m", qos=1, pid=5))
        peer.expect(puback(5))

    with broker(script) as served:
        box, got = client(Simple, served.port)
        box.connect()
        assert [box.wait_msg() for _ in range(4)] == [0x40, 0x90, 0xB0, 0x32]
        assert got == [(b"t", b"m")]
        box._stream.close()


@pytest.mark.parametrize("answer", [b"", b"\x20", b"\x20\x02\x00"], ids=["none", "one byte", "three bytes"])
def test_4_a_connack_that_does_not_come_is_an_oserror(answer: bytes) -> None:
    """#104, #110, #406, #430, #1056: IndexError."""

    def script(peer: Peer) -> None:
        peer.accept(answer)

    with broker(script) as served:
        box, _ = client(Simple, served.port)
        with pytest.raises(OSError, match="closed by the broker"):
            box.connect()


def test_4_a_broker_that_says_nothing_at_all_is_a_time_out() -> None:
    def script(peer: Peer) -> None:
        peer.accept(b"")
        peer.closed()

    with broker(script) as served:
        box, _ = client(Simple, served.port)
        with pytest.raises(OSError, match="no CONNACK"):
            box.connect(timeout=0.1)


def test_5_an_unanswered_ping_ends_the_connection() -> None:
    """#332, #586, #850: nobody noticed. Looked for by `check_msg`, which itself never waits."""

    def script(peer: Peer) -> None:
        peer.accept()
        peer.expect(b"\xc0\x00")
        peer.closed()

    with broker(script) as served:
        box, _ = client(Simple, served.port)
        box.connect(timeout=0.1)
        box.ping()
        due_s = time.monotonic() + WITHIN_S
        trouble: OSError | None = None
        while box.sock is not None and time.monotonic() < due_s:
            try:
                assert box.check_msg() is None
            except OSError as error:
                trouble = error
        assert str(trouble) == f"[Errno {errno.ETIMEDOUT}] no answer to the ping"


def test_5_an_answered_ping_is_seen_and_the_next_goes_out_by_itself() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        for _ in range(2):
            peer.expect(b"\xc0\x00")
            peer.send(b"\xd0\x00")
        peer.send(publish(b"t", b"end"))
        peer.closed()

    with broker(script) as served:
        box, got = client(Simple, served.port, keepalive=1)
        box.connect()
        assert [box.wait_msg() for _ in range(3)] == [None, None, 0x30]
        assert got == [(b"t", b"end")]
        box._stream.close()


def test_6_packet_ids_stay_within_1_and_65535_and_skip_those_under_way() -> None:
    """#94: they ran past 65535 and became 0 (MQTT-2.3.1-1)."""

    def script(peer: Peer) -> None:
        peer.accept()
        peer.expect(publish(b"t", b"a", qos=1, pid=0xFFFF))
        peer.send(publish(b"cmd", b"now"))  # within the first call the callback publishes: 1, and then 2
        peer.expect(publish(b"t", b"b", qos=1, pid=1))
        peer.send(puback(1), puback(0xFFFF))
        peer.expect(publish(b"t", b"c", qos=1, pid=2))
        peer.send(puback(2))
        peer.closed()

    with broker(script) as served:
        box, _ = client(Simple, served.port)
        box.set_callback(lambda topic, message: box.publish(b"t", b"b", qos=1))
        box.connect()
        box.pid = 0xFFFE
        box.publish(b"t", b"a", qos=1)
        box.publish(b"t", b"c", qos=1)
        box._answers[3] = (0x40, -1)
        assert box._next_pid() == 4
        box._stream.close()


def test_7_a_text_is_measured_in_bytes() -> None:
    """Lengths counted characters: a CONNECT with a Chinese name was malformed."""
    seen: list[bytes] = []

    def script(peer: Peer) -> None:
        seen.append(peer.accept())
        peer.expect(publish("车场/状态".encode(), "开".encode()))
        peer.closed()

    with broker(script) as served:
        box = Simple("盒子", "127.0.0.1", served.port, user="用户", password="密码")
        box.set_last_will("遗嘱", "离线")
        box.connect()
        box.publish("车场/状态", "开")
        box._stream.close()
    fields = [text.encode() for text in ("盒子", "遗嘱", "离线", "用户", "密码")]
    body = b"\x00\x04MQTT\x04\xc6\x00\x00" + b"".join(len(text).to_bytes(2, "big") + text for text in fields)
    assert seen == [bytes((0x10, len(body))) + body]


def test_8_a_message_of_qos_2_is_delivered_once() -> None:
    """AssertionError. Here 4.3.3, method A: repeated before its release, it is answered and not delivered again."""

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(publish(b"t", b"m", qos=2, pid=9))
        peer.expect(b"\x50\x02\x00\x09")
        peer.send(publish(b"t", b"m", qos=2, pid=9, dup=True))
        peer.expect(b"\x50\x02\x00\x09")
        peer.send(b"\x62\x02\x00\x09")
        peer.expect(b"\x70\x02\x00\x09")
        peer.send(publish(b"t", b"next", qos=2, pid=9))
        peer.expect(b"\x50\x02\x00\x09")

    with broker(script) as served:
        box, got = client(Simple, served.port)
        box.connect()
        for _ in range(4):
            box.wait_msg()
        assert got == [(b"t", b"m"), (b"t", b"next")]
        box._stream.close()


@pytest.mark.parametrize("kept", [False, True])
def test_9_subscriptions_are_there_after_a_reconnect(kept: bool) -> None:
    """#321: gone. They are asked for again where the broker has kept no session, and only there."""

    def first(peer: Peer) -> None:
        peer.accept()
        peer.expect(b"\x82\x08\x00\x01\x00\x03cmd\x01")
        peer.send(suback(1, 1))

    def second(peer: Peer) -> None:
        peer.accept(CONNACK_KEPT if kept else CONNACK)
        if not kept:
            peer.expect(b"\x82\x08\x00\x02\x00\x03cmd\x01")
            peer.send(suback(2, 1))
        peer.send(publish(b"cmd", b"open"))
        peer.closed()

    with broker(first, second) as served:
        box, got = client(Robust, served.port)
        box.connect(False)
        box.subscribe(b"cmd", 1)
        assert box.wait_msg() == 0x30
        assert got == [(b"cmd", b"open")]
        box._stream.close()


def test_10_a_message_of_qos_0_does_not_vanish_in_a_closed_connection() -> None:
    """#112: the first write into it succeeds."""

    def gone(peer: Peer) -> None:
        peer.accept()

    def again(peer: Peer) -> None:
        peer.accept()
        peer.expect(publish(b"t", b"m"))
        peer.closed()

    with broker(gone, again) as served:
        box, _ = client(Robust, served.port)
        box.connect()
        box._stream._poll.poll(WITHIN_S * 1000)  # the end has come, and nobody has looked
        box.publish(b"t", b"m")
        box._stream.close()


def test_11_a_length_of_five_bytes_is_refused() -> None:
    """It looped, or ran out of memory."""

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(b"\x30\xff\xff\xff\xff\x7f")
        peer.closed()

    with broker(script) as served:
        box, _ = client(Simple, served.port)
        box.connect()
        with pytest.raises(MQTTException, match="five bytes"):
            box.wait_msg()
        assert box.sock is None


def test_12_over_tls_check_msg_does_not_wait_and_deadlines_hold(tmp_path: Path) -> None:
    """#134, #168, #1070: a wrapped socket blocked, and what TLS had decrypted was not seen by poll()."""
    import ssl  # noqa: PLC0415 - this test's alone

    authority = Authority(tmp_path)
    certificate, key = authority.issue("broker")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with_both: list[Peer] = []

    def script(peer: Peer) -> None:
        peer._sock = context.wrap_socket(peer._sock, server_side=True)
        with_both.append(peer)
        peer.accept()
        peer.expect(b"\xc0\x00")
        # One record: poll() is silent after the first of them was taken.
        peer.send(b"\xd0\x00" + publish(b"t", b"1") + publish(b"t", b"2"))
        peer.expect(publish(b"t", b"m", qos=1, pid=1), publish(b"t", b"m", qos=1, pid=1, dup=True))
        peer.closed()
        peer.close()

    with broker(script) as served:
        box, got = client(Simple, served.port, ssl=True, ssl_params={"cafile": str(authority.file)})
        box.connect()
        assert box.check_msg() is None
        box.ping()
        assert [box.wait_msg(), box.wait_msg(), box.wait_msg()] == [None, 0x30, 0x30]
        assert got == [(b"t", b"1"), (b"t", b"2")]
        with pytest.raises(OSError, match="no answer to packet 1"):
            box.publish(b"t", b"m", qos=1)
