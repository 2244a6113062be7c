"""Packets against the examples and tables of the OASIS standard MQTT 3.1.1, and properties of the codec."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.umqtt import packets
from edge.umqtt.dial import ticks_ms
from edge.umqtt.packets import MQTTException
from edge.umqtt.stream import Stream


@pytest.mark.parametrize(
    ("size", "digits"),
    [  # table 2.4, first and last value of each row, and the worked example of 2.2.3 (321)
        (0, "00"), (127, "7F"), (128, "80 01"), (321, "C1 02"), (16_383, "FF 7F"), (16_384, "80 80 01"),
        (2_097_151, "FF FF 7F"), (2_097_152, "80 80 80 01"),
    ],
)  # fmt: skip
def test_remaining_length_as_table_2_4(size: int, digits: str) -> None:
    made = packets.packet(packets.PUBLISH, bytes(size))
    assert made[: len(made) - size] == b"\x30" + bytes.fromhex(digits)


def test_longest_packet_is_that_of_table_2_4() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 268_435_456

    with pytest.raises(ValueError, match="268435456 bytes are not allowed"):
        packets.packet(packets.PUBLISH, Huge())


def test_string_of_figure_1_1() -> None:
    assert packets.text("A\U0002a6d4", "topic") == bytes.fromhex("00 05 41 F0 AA 9B 94")


def test_variable_header_of_figure_3_6() -> None:
    """User, password, will of QoS 1, clean session, keep alive of 10 s."""
    will = ("t", "m", 1, False)
    made = packets.connect("c", True, 10, will, "u", "p")
    assert made[2:12] == bytes.fromhex("00 04 4D 51 54 54 04 CE 00 0A")
    # 3.1.3: client identifier, will topic, will message, user, password, in this order
    assert made[12:] == b"\x00\x01c\x00\x01t\x00\x01m\x00\x01u\x00\x01p"


def test_publish_header_of_the_example_in_3_3_2() -> None:
    made = packets.publish("a/b", b"", False, 1, 10)
    assert made == bytes.fromhex("32 07 00 03 61 2F 62 00 0A")


def test_subscribe_with_the_filter_of_the_example_in_3_8_3() -> None:
    assert packets.subscribe("a/b", 1, 10) == bytes.fromhex("82 08 00 0A 00 03 61 2F 62 01")


def test_unsubscribe_with_the_filter_of_the_example_in_3_10_3() -> None:
    assert packets.unsubscribe("a/b", 10) == bytes.fromhex("A2 07 00 0A 00 03 61 2F 62")


def test_flag_bits_of_table_2_2() -> None:
    assert packets.publish("t", b"", True, 2, 1, True)[0] == 0b0011_1101
    assert packets.publish("t", b"", False, 0, 0, True)[0] == 0b0011_0000  # MQTT-3.3.1-2: no DUP at QoS 0
    assert packets.acknowledge(packets.PUBREL, 0x0102) == b"\x62\x02\x01\x02"
    assert packets.acknowledge(packets.PUBACK, 0x0102) == b"\x40\x02\x01\x02"
    assert packets.PING + packets.BYE == b"\xc0\x00\xe0\x00"


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (lambda: packets.text("x" * 65_536, "user"), "user: 65536 bytes"),
        (lambda: packets.text("é" * 32_768, "user"), "user: 65536 bytes"),  # bytes count, not characters
        (lambda: packets.publish("", b"", False, 0, 0), "topic: 0 bytes"),
        (lambda: packets.publish("a/+", b"", False, 0, 0), "wildcard"),
        (lambda: packets.publish(b"#", b"", False, 0, 0), "wildcard"),
        (lambda: packets.connect("c", True, 65_536, None, None, None), "keepalive: 65536 s"),
        (lambda: packets.connect("c", True, 0, None, None, "p"), "password: needs a user"),
    ],
)
def test_what_cannot_be_said_is_named(made: object, match: str) -> None:
    assert callable(made)
    with pytest.raises(ValueError, match=match):
        made()


NAMED = st.characters(codec="utf-8", exclude_characters="+#", exclude_categories=("Cc", "Cs", "Cn"))
TOPICS = st.text(NAMED, min_size=1)


@given(TOPICS, st.binary(), st.sampled_from((0, 1, 2)), st.integers(1, 65_535), st.booleans(), st.booleans())
def test_what_was_published_is_read_again(  # noqa: PLR0917 - drawn by name
    topic: str, message: bytes, qos: int, pid: int, retain: bool, dup: bool
) -> None:
    made = packets.publish(topic, message, retain, qos, pid, dup)
    (first, body), *rest = all_of([made])
    assert rest == []
    assert (bool(first & 1), first >> 1 & 3) == (retain, qos)
    assert packets.message(first, body) == (topic.encode(), message, pid if qos else 0)


def all_of(pieces: list[bytes], most_bytes: int = 1_000_000) -> list[tuple[int, bytes]]:
    """What a stream hands over when these pieces come, looked for after each."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stream = Stream(most_bytes)
        stream.sock = ours
        ours.setblocking(False)
        taken = []
        for piece in pieces:
            theirs.sendall(piece)
            while (packet := stream.take()) is not None:
                taken.append(packet)
        return taken


BODIES = st.lists(st.sampled_from((0, 1, 2, 3, 126, 127, 128, 129, 300, 16_383, 16_384)), min_size=1, max_size=6)


@given(st.lists(st.one_of(st.just(b"\xd0\x00"), st.binary(min_size=1, max_size=200)), min_size=1), st.data())
def test_wherever_the_network_cuts_the_packets_are_the_same(messages: list[bytes], data: st.DataObject) -> None:
    """b"\\xd0\\x00" is a PINGRESP on its way, anything else a message."""
    made = [m if m == b"\xd0\x00" else packets.publish("t", m, False, 0, 0) for m in messages]
    wire = b"".join(made)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(wire)), max_size=10)))
    pieces = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True) if a < b]
    wanted = [(0xD0, b"") if m == b"\xd0\x00" else (0x30, b"\x00\x01t" + m) for m in messages]
    assert all_of(pieces) == wanted


@given(BODIES)
def test_packets_of_every_length_of_length(sizes: list[int]) -> None:
    made = [packets.publish("t", bytes(size), False, 0, 0) for size in sizes]
    pieces = [wire[at : at + 9_000] for wire in made for at in range(0, len(wire), 9_000)]
    assert [len(body) - 3 for _, body in all_of(pieces)] == sizes


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=8))
def test_any_bytes_are_packets_or_an_mqtt_exception(pieces: list[bytes]) -> None:
    try:
        taken = all_of(pieces)
    except MQTTException:
        return
    for first, body in taken:
        assert len(body) <= sum(map(len, pieces))
        assert first >> 4 in {2, 3, 4, 5, 6, 7, 9, 11, 13}  # table 2.1: what a server may send


@given(st.binary(max_size=40), st.sampled_from((0x30, 0x32, 0x34, 0x3D)))
def test_any_body_is_a_message_or_an_mqtt_exception(body: bytes, first: int) -> None:
    try:
        topic, message, pid = packets.message(first, body)
    except MQTTException:
        return
    assert body.endswith(message)
    assert body[2 : 2 + len(topic)] == topic
    assert bool(pid) == bool(first & 6)


@pytest.mark.parametrize("topic", ["a\0b", "a\x01", "\x7f", "\x9f", "\ufdd0", "\uffff", "\U0001fffe", "a/#", "+"])
def test_topic_that_1_5_3_or_4_7_1_bans(topic: str) -> None:
    with pytest.raises(MQTTException):
        packets.check_topic(topic.encode("utf-8", "surrogatepass"))


def test_topic_with_a_surrogate_is_not_utf8() -> None:
    with pytest.raises(MQTTException, match="UTF-8"):
        packets.check_topic(b"a\xed\xa0\x80")  # MQTT-1.5.3-1, U+D800


@pytest.mark.parametrize("topic", ["a", "车场/1/命令", "/", " ", "$SYS/x", "\ufeffa"])
def test_topic_that_1_5_3_allows(topic: str) -> None:
    packets.check_topic(topic.encode())


def test_a_packet_too_large_is_refused_by_its_head_alone() -> None:
    with pytest.raises(MQTTException, match="1001 bytes, up to 1000"):
        all_of([b"\x30\xe9\x07"], most_bytes=1_000)


def test_a_fifth_length_byte_is_refused_before_more_is_read() -> None:
    with pytest.raises(MQTTException, match="five bytes"):
        all_of([b"\x30\x80\x80\x80\x80"])


def test_a_packet_in_part_is_known_as_such() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stream = Stream(1000)
        stream.sock = ours
        ours.setblocking(False)
        before_ms = ticks_ms()
        theirs.sendall(b"\x30\x05\x00\x01")
        assert stream.take() is None
        assert stream.partial
        assert before_ms <= stream.begun_ms <= ticks_ms()
        theirs.sendall(b"txy")
        assert stream.take() == (0x30, b"\x00\x01txy")
        assert not stream.partial
