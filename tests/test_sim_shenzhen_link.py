"""The TLS TCP link of the simulated Shenzhen platform: frames, login first, heartbeats, and its own bad weather."""

from __future__ import annotations

import binascii
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal_sim.shenzhen import OrderAnswer, ShenzhenPlatform
from hal_sim.shenzhen.frames import BadFrame, Frame, Splitter, crc16
from tests.shenzhen_wire import ACCOUNT, SEALED, USER, WAIT_S, LinkClient, Sender, envelope, example, frame

BOOKING = {"bookCode": "YD1", "parkCode": ACCOUNT.park_codes[0], "confirmStatus": 1}
DONE = [{"bookCode": "YD1", "code": 0, "message": "成功"}]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[ShenzhenPlatform]:
    running = ShenzhenPlatform(ACCOUNT, tmp_path, seed=1, heartbeat_limit_s=WAIT_S)
    yield running
    running.stop()
    assert running.summary().internal_errors == ()


@pytest.fixture
def link(platform: ShenzhenPlatform) -> Iterator[LinkClient]:
    with LinkClient(Sender(platform.start())) as client:
        yield client


def fields(platform: ShenzhenPlatform) -> list[str]:
    return [violation.field for violation in platform.summary().violations]


# --- frames alone ----------------------------------------------------------------------------------------------

WHOLE = frame(1, 1006, b'{"a":1}')


def test_the_checksum_is_xmodem() -> None:
    assert crc16(b"123456789") == 0x31C3  # the catalogue's check value
    assert crc16(WHOLE[:-2]) == binascii.crc_hqx(WHOLE[:-2], 0)


def test_a_frame_is_laid_out_as_table_14() -> None:
    packed = Frame(0x01020304, 1, 6001, b"{}").packed()
    assert packed.hex() == "535a5443010001020304000000020117717b7d" + packed[-2:].hex()
    assert struct.unpack(">H", packed[-2:])[0] == binascii.crc_hqx(packed[:-2], 0)


@given(st.lists(st.integers(1, 400), max_size=12), st.binary(max_size=300))
@settings(max_examples=60)
def test_frames_are_found_however_they_are_cut(cuts: list[int], data: bytes) -> None:
    stream = frame(7, 4001, data) + frame(8, 6002, b"{}") + frame(9, 1006, b"")
    splitter, at = Splitter(), 0
    found: list[Frame | BadFrame] = []
    for cut in [*cuts, len(stream)]:
        found += splitter.feed(stream[at : at + cut])
        at += cut
    assert [(one.packet_no, one.data) for one in found if isinstance(one, Frame)] == [(7, data), (8, b"{}"), (9, b"")]
    assert len(found) == 3


def changed(at: int, value: bytes, *, again: bool = True) -> bytes:
    head = WHOLE[:at] + value + WHOLE[at + len(value) : -2]
    return head + (struct.pack(">H", binascii.crc_hqx(head, 0)) if again else WHOLE[-2:])


DAMAGED = {
    "headFlag": changed(0, b"SZTX"),
    "version": changed(4, b"\x02\x00"),
    "packetNo": changed(6, b"\0\0\0\0"),
    "length": changed(10, struct.pack(">I", 2**31)),
    "direction": changed(14, b"\x02"),
    "crc16": changed(17, b"[", again=False),
}


@pytest.mark.parametrize("field", DAMAGED)
def test_a_damaged_frame_is_named(field: str) -> None:
    found = list(Splitter().feed(DAMAGED[field]))
    assert [one.field for one in found if isinstance(one, BadFrame)] == [field]
    assert not any(isinstance(one, Frame) for one in found)


@pytest.mark.parametrize("field", [field for field in DAMAGED if field != "length"])
def test_the_frame_after_a_damaged_one_is_read(field: str) -> None:
    found = list(Splitter().feed(DAMAGED[field] + WHOLE))
    assert [one.data for one in found if isinstance(one, Frame)] == [b'{"a":1}']


# --- login, heartbeat, logout ----------------------------------------------------------------------------------


def test_login_heartbeat_and_logout_answer_as_annex_b(platform: ShenzhenPlatform, link: LinkClient) -> None:
    told = [link.login(), link.ask(1006), link.ask(1005)]
    for one, code in zip(told, (1004, 1006, 1005), strict=True):
        printed = example(code, "response")
        assert (one.direction, one.command, one.packet_no) == (1, code, {1004: 1, 1006: 2, 1005: 3}[code])
        assert set(one.body) == set(printed)
        assert one.body["data"] == [element | {"code": 0} for element in printed["data"]]
    link.sock.close()
    assert platform.summary().violations == ()
    platform.stop()
    assert platform.summary().link == {"accepted": 1, "1004": 1, "1006": 1, "1005": 1, "ended": 1}


def test_an_empty_request_has_an_empty_answer(platform: ShenzhenPlatform, link: LinkClient) -> None:
    link.login()
    link.sock.sendall(frame(2, 1006, b""))
    assert link.read().data == b""
    assert platform.summary().violations == ()


def test_a_wrong_password_is_3001_and_no_login(platform: ShenzhenPlatform, link: LinkClient) -> None:
    told = link.ask(1004, f'[{{"password":"AAAAAAAAAAA=","userId":"{USER}"}}]')
    assert told.body["data"][0]["code"] == 3001
    assert link.ask(1006).body["data"][0]["code"] == 3002
    assert fields(platform) == ["password", "command"]


@pytest.mark.parametrize("command", [1006, 1005])
def test_nothing_before_login(platform: ShenzhenPlatform, link: LinkClient, command: int) -> None:
    assert link.ask(command).body["data"][0]["code"] == 3002
    assert fields(platform) == ["command"]
    assert "login (1004)" in platform.summary().violations[0].allowed


@pytest.mark.parametrize("command", [5004, 6001, 1001, 9])
def test_records_do_not_come_over_tcp(platform: ShenzhenPlatform, link: LinkClient, command: int) -> None:
    link.login()
    assert link.ask(command, '[{"a":1}]').body["resultCode"] == 5
    assert fields(platform) == ["command"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (lambda: b"{", "(body)", 2),
        (lambda: b"[]", "(body)", 3),
        (lambda: envelope('[{"a":1}]'), "data", 3),
        (lambda: envelope("[]", sign='"0"'), "sign", 3),
    ],
)
def test_a_wrong_envelope_is_named(
    platform: ShenzhenPlatform, link: LinkClient, body: Callable[[], bytes], field: str, code: int
) -> None:
    link.login()
    link.sock.sendall(frame(2, 1006, body()))
    assert link.read().body["resultCode"] == code
    assert fields(platform) == [field]


@pytest.mark.parametrize(("number", "good"), [(2, True), (3, False), (1, False)])
def test_packet_numbers_go_up_by_one(platform: ShenzhenPlatform, link: LinkClient, number: int, good: bool) -> None:
    link.login()
    link.sock.sendall(frame(number, 1006, envelope("[]")))
    assert link.read().packet_no == number
    assert fields(platform) == ([] if good else ["packetNo"])


def test_packet_numbers_go_round(platform: ShenzhenPlatform, link: LinkClient) -> None:
    link.sent = 2**31 - 2
    assert link.login().packet_no == 2**31 - 1
    link.sent = 0
    assert link.ask(1006).packet_no == 1
    assert platform.summary().violations == ()


def test_a_heartbeat_may_be_repeated_under_its_number(platform: ShenzhenPlatform, link: LinkClient) -> None:
    link.login()
    for _ in range(3):
        link.sock.sendall(frame(2, 1006, envelope("[]")))
        assert link.read().packet_no == 2
    assert platform.summary().violations == ()


def test_without_a_heartbeat_the_platform_hangs_up(tmp_path: Path) -> None:
    platform = ShenzhenPlatform(ACCOUNT, tmp_path, heartbeat_limit_s=0.3)
    with LinkClient(Sender(platform.start())) as link:
        started_s = time.monotonic()
        link.login()
        assert link.ended()
        assert time.monotonic() - started_s >= 0.3
    platform.stop()
    assert fields(platform) == ["1006"]


def test_three_bad_frames_end_the_link(platform: ShenzhenPlatform, link: LinkClient) -> None:
    link.login()
    for _ in range(2):
        link.sock.sendall(DAMAGED["crc16"])
    assert link.ask(1006).body["resultCode"] == 0
    link.sock.sendall(DAMAGED["version"])
    assert link.ended()
    assert fields(platform) == ["crc16", "crc16", "version"]


def test_a_length_of_gigabytes_ends_the_link(platform: ShenzhenPlatform, link: LinkClient) -> None:
    link.sock.sendall(DAMAGED["length"])
    assert link.ended()
    assert fields(platform) == ["length"]


def test_what_is_not_tls_is_let_go(platform: ShenzhenPlatform) -> None:
    addresses = platform.start()
    with socket.create_connection(("127.0.0.1", addresses.tcp_port), WAIT_S) as plain:
        plain.sendall(WHOLE)
        assert ended(plain)
    platform.stop()
    assert (platform.summary().violations, platform.summary().link) == ((), {"accepted": 1})


def test_a_link_left_without_logout_is_noted(platform: ShenzhenPlatform, link: LinkClient) -> None:
    link.login()
    link.sock.close()
    platform.stop()
    assert platform.summary().notes == {"closed_without_logout": 1}


# --- orders over the link, and bad weather ---------------------------------------------------------------------


def ended(plain: socket.socket) -> bool:
    """Whether the other side closes, after a TLS alert or at once."""
    try:
        while plain.recv(1000):
            continue
    except ConnectionResetError:
        return True
    return True


class Ordering:
    """One order sent from a thread of its own while the test plays the box."""

    def __init__(self, platform: ShenzhenPlatform, code: int = 6002, element: dict[str, object] = BOOKING) -> None:
        self.answers: list[OrderAnswer] = []
        self._thread = threading.Thread(
            target=lambda: self.answers.append(platform.send_order(code, [element], "tcp")), name="ordering"
        )
        self._thread.start()

    def end(self) -> OrderAnswer:
        self._thread.join(WAIT_S)
        return self.answers[0]


def test_an_order_and_its_answer(platform: ShenzhenPlatform, link: LinkClient) -> None:
    link.login()
    ordering = Ordering(platform)
    asked = link.read()
    assert (asked.direction, asked.command, asked.body["data"]) == (0, 6002, [BOOKING])
    assert set(asked.body) == {"timestamp", "sign", "data"}
    link.answer(asked, DONE)
    answer = ordering.end()
    assert (answer.codes, answer.via, answer.fault) == ((0,), "tcp", "")
    assert answer.latency_s < 3
    assert platform.summary().violations == ()


def test_an_answer_to_nothing_is_a_violation(platform: ShenzhenPlatform, link: LinkClient) -> None:
    link.login()
    link.sock.sendall(frame(77, 6002, b"{}", 1))
    link.ask(1006)
    assert fields(platform) == ["packetNo"]


def test_an_order_on_a_link_that_ends_is_unanswered(platform: ShenzhenPlatform, link: LinkClient) -> None:
    link.login()
    ordering = Ordering(platform)
    link.read()
    link.sock.close()
    answer = ordering.end()
    assert (answer.codes, answer.result) == ((), None)
    assert "TCP" in answer.fault


def heartbeat(platform: ShenzhenPlatform, link: LinkClient, weather: str) -> None:
    """One heartbeat whose answer meets this weather."""
    link.login()
    platform.weather.set(weather, path="link/1006", times=1)  # type: ignore[arg-type]  # a kind of the list
    link.sock.sendall(frame(2, 1006, envelope("[]")))
    link.sent = 2


@pytest.mark.parametrize("weather", ["frame_split", "frame_glued"])
def test_split_and_glued_answers_come_whole(platform: ShenzhenPlatform, link: LinkClient, weather: str) -> None:
    heartbeat(platform, link, weather)
    assert link.read().packet_no == 2
    assert platform.summary().weather == {weather: 1}


def test_glued_frames_come_in_one_piece(platform: ShenzhenPlatform, link: LinkClient) -> None:
    heartbeat(platform, link, "frame_glued")
    link.sock.sendall(frame(3, 1006, envelope("[]")))
    piece = link.sock.recv(65536)  # one TLS record
    assert [one.packet_no for one in Splitter().feed(piece) if isinstance(one, Frame)] == [2, 3]


def test_a_damaged_answer_has_a_wrong_checksum_and_the_next_is_right(
    platform: ShenzhenPlatform, link: LinkClient
) -> None:
    heartbeat(platform, link, "frame_damaged")
    with pytest.raises(AssertionError):
        link.read()
    assert link.ask(1006).packet_no == 3


def test_rubbish_comes_before_a_frame(platform: ShenzhenPlatform, link: LinkClient) -> None:
    heartbeat(platform, link, "frame_wrong_magic")
    assert link._exactly(6) == b"SZTX\x01\x00"
    assert link.read().packet_no == 2


@pytest.mark.parametrize(("weather", "more"), [("frame_lying_length", 1000), ("frame_huge_length", None)])
def test_a_lying_length(platform: ShenzhenPlatform, link: LinkClient, weather: str, more: int | None) -> None:
    heartbeat(platform, link, weather)
    head = link._exactly(17)
    length = struct.unpack(">I", head[10:14])[0]
    if more is None:
        assert length == 2**31
        return
    rest = b""
    while chunk := link.sock.recv(65536):
        rest += chunk
    assert length - (len(rest) - 2) == more


def test_a_frame_twice(platform: ShenzhenPlatform, link: LinkClient) -> None:
    heartbeat(platform, link, "frame_twice")
    assert [link.read().packet_no, link.read().packet_no] == [2, 2]


def test_a_mute_platform_answers_the_next(platform: ShenzhenPlatform, link: LinkClient) -> None:
    heartbeat(platform, link, "mute")
    assert link.ask(1006).packet_no == 3


def test_a_cut_link_ends_at_once(platform: ShenzhenPlatform, link: LinkClient) -> None:
    heartbeat(platform, link, "link_cut")
    assert link.ended()
    assert platform.links.newest is None


@pytest.mark.parametrize(("code", "good"), [(3002, True), (0, False), (1104, False)])
def test_a_push_before_login_must_be_answered_by_3002(platform: ShenzhenPlatform, code: int, good: bool) -> None:
    platform.weather.set("push_before_login", times=1)
    with LinkClient(Sender(platform.start())) as link:
        asked = link.read()
        assert asked.command == 6002
        link.answer(asked, [{"bookCode": "BEFORE-LOGIN", "code": code, "message": "x"}])
        link.login()
    assert fields(platform) == ([] if good else ["code"])


def test_stop_ends_every_link(platform: ShenzhenPlatform, link: LinkClient) -> None:
    link.login()
    platform.stop()
    assert link.ended()
    assert platform.links.newest is None


def test_random_bytes_break_nothing(platform: ShenzhenPlatform) -> None:
    addresses = platform.start()

    @given(st.binary(min_size=1, max_size=200))
    @settings(max_examples=25)
    def throw(noise: bytes) -> None:
        with LinkClient(Sender(addresses)) as link:
            try:
                link.sock.sendall(noise + WHOLE)
                link.sock.unwrap()
            except (OSError, ssl.SSLError):
                return

    throw()
    with LinkClient(Sender(addresses)) as link:
        assert json.loads(link.login().data)["resultCode"] == 0


def test_login_data_stands_in_the_frame_as_in_annex_b(platform: ShenzhenPlatform, link: LinkClient) -> None:
    printed = example(1004)["data"][0] | {"userId": USER, "password": SEALED}
    text = json.dumps([printed], sort_keys=True, separators=(",", ":"))
    assert link.ask(1004, text).body["data"][0]["code"] == 0
