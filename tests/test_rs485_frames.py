"""Frames byte by byte against what was published, and their judges against damage."""

from __future__ import annotations

from typing import Any

import pytest
from crccheck.crc import CrcArc, CrcModbus
from hypothesis import given
from hypothesis import strategies as st

from drivers.rs485 import modbus
from drivers.rs485.crc import ONBON, crc16, fits
from drivers.signs import aa55, olm, onbon
from tests.rs485_bench import vectors

SIGNS = {(row["device"], row["meaning"]): bytes.fromhex(row["hex"]) for row in vectors("signs")}
BOARD = {row["meaning"]: bytes.fromhex(row["hex"]) for row in vectors("waveshare")}


@given(st.binary(max_size=300))
def test_the_check_sum_is_that_of_another_implementation(data: bytes) -> None:
    assert crc16(data) == CrcModbus.calc(data)
    assert crc16(data, ONBON) == CrcArc.calc(data)


@pytest.mark.parametrize(
    ("meaning", "made"),
    [
        ("brightness 50 %", olm.frame(0, olm.BRIGHTNESS, bytes((50,)))),
        ("connect 159753", olm.frame(0, olm.CONNECT, b"159753")),
        ("say 欢迎光临,请入场停车", olm.speak(0, "欢迎光临,请入场停车".encode("gbk"), olm.QUEUE_AND_PLAY)),
        ("say 粤B12345,欢迎光临", olm.speak(0, "粤B12345,欢迎光临".encode("gbk"), olm.QUEUE_AND_PLAY)),
        ("0x3F Hello world!", olm.frame(0, 0x3F, bytes((0x40, 0, 0, 0)) + b"Hello world!")),
        ("row 0 欢迎光临请入场停车, running left, red",
         olm.row(0, 0, "欢迎光临请入场停车".encode("gbk"), entry=olm.LEFT)),
    ],
)  # fmt: skip
def test_olm_frames(meaning: str, made: bytes) -> None:
    assert made == SIGNS["olm", meaning]


@pytest.mark.parametrize("text", ["正在洗车", "工位空闲"])
def test_aa55_frames(text: str) -> None:
    assert aa55.show(text.encode("gbk")) == SIGNS["aa55", text]


def test_onbon_frames() -> None:
    made = onbon.show(onbon.ANYBODY, ["欢迎光临".encode("gbk")], 128, 32)
    assert made == SIGNS["onbon", "欢迎光临 on a BX-6K3 of 128 x 32"]
    assert onbon.frame(1, bytes.fromhex("A2 00 01 00 00")) == SIGNS["onbon", "ping"]
    ack = onbon.judge(SIGNS["onbon", "understood (ACK)"])
    assert ack is not None
    assert onbon.understood(ack)


def test_onbon_escapes_what_would_end_a_frame() -> None:
    made = onbon.frame(1, bytes((0xA5, 0xA6, 0x5A, 0x5B)))
    assert bytes.fromhex("A6 02 A6 01 5B 02 5B 01") in made
    assert made[8:-1].count(0xA5) == made[8:-1].count(0x5A) == 0


@pytest.mark.parametrize(
    ("meaning", "made"),
    [
        ("relay 0 on", modbus.request(1, modbus.WRITE_COIL, 0, 0xFF00)),
        ("relay 0 off", modbus.request(1, modbus.WRITE_COIL, 0, 0)),
        ("relay 0 toggle", modbus.request(1, modbus.WRITE_COIL, 0, 0x5500)),
        ("all on", modbus.request(1, modbus.WRITE_COIL, 0xFF, 0xFF00)),
        ("all off", modbus.request(1, modbus.WRITE_COIL, 0xFF, 0)),
        ("flash-on relay 0, 700 ms", modbus.request(1, modbus.WRITE_COIL, 0x0200, 7)),
        ("flash-on relay 1, 500 ms", modbus.request(1, modbus.WRITE_COIL, 0x0201, 5)),
        ("read 8 relays", modbus.request(1, modbus.READ_COILS, 0, 8)),
        ("read 8 inputs", modbus.request(1, modbus.READ_INPUTS, 0, 8)),
        ("read control modes", modbus.request(1, modbus.READ_REGISTERS, 0x1000, 8)),
        ("control mode of 0 = linkage", modbus.request(1, modbus.WRITE_REGISTER, 0x1000, 1)),
    ],
)
def test_modbus_frames(meaning: str, made: bytes) -> None:
    assert made == BOARD[meaning]


def test_every_published_frame_has_our_check_sum() -> None:
    """Those that we never send too."""
    assert all(fits(frame) for frame in BOARD.values())
    assert all(fits(frame) for (device, _), frame in SIGNS.items() if device == "olm")


INPUTS = BOARD["read 8 inputs"]
REPLY = BOARD["reply: input 0 on"]


@pytest.mark.parametrize(
    ("name", "got", "reply"),
    [
        ("whole", REPLY, REPLY),
        ("more behind it", REPLY + b"\x00\xff", REPLY),
        ("noise before it", b"\x00\xff\x01" + REPLY, REPLY),
        ("a stranger's frame before it", bytes.fromhex("02 02 01 01 60 0C") + REPLY, REPLY),
        ("cut", REPLY[:-1], None),
        ("one bit", bytes((REPLY[0], REPLY[1], REPLY[2], REPLY[3] ^ 1)) + REPLY[4:], None),
        ("wrong slave", bytes.fromhex("02 02 01 01 60 0C"), None),
        ("another question's reply", bytes.fromhex("01 02 02 01 00 B9 E8"), None),
        ("a write's echo", BOARD["relay 0 on"], None),
        ("nothing", b"", None),
    ],
)
def test_the_judge_of_a_read(name: str, got: bytes, reply: bytes | None) -> None:
    assert modbus.judge_of(INPUTS)(got) == reply, name


def test_a_reply_is_found_byte_by_byte_and_not_before() -> None:
    judge = modbus.judge_of(INPUTS)
    assert [judge(REPLY[:size]) for size in range(len(REPLY))] == [None] * len(REPLY)
    assert modbus.bits(REPLY, 8) == (True,) + (False,) * 7


def test_a_write_is_answered_by_its_own_echo_only() -> None:
    judge = modbus.judge_of(BOARD["flash-on relay 0, 700 ms"])
    assert judge(BOARD["flash-on relay 0, 700 ms"]) is not None
    assert judge(BOARD["flash-on relay 0, 500 ms"]) is None


def test_an_exception_is_a_reply_that_says_so() -> None:
    # Modbus application protocol 7: function + 0x80, one code; check sum by another implementation.
    body = bytes.fromhex("01 85 02")
    frame = body + CrcModbus.calc(body).to_bytes(2, "little")
    reply = modbus.judge_of(BOARD["relay 0 on"])(frame)
    assert reply == frame
    assert modbus.refused(frame) == 2
    assert modbus.refused(REPLY) == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"address": 0}, "address: 0"), ({"address": 248}, "address: 248"), ({"first": -1}, "first: -1"),
        ({"value": 65536}, "value: 65536"),
    ],
)  # fmt: skip
def test_what_a_frame_cannot_hold_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        modbus.request(**{"address": 1, "function": 5, "first": 0, "value": 0} | fields)


@given(st.binary(max_size=40))
def test_judges_never_raise(got: bytes) -> None:
    for judge in (modbus.judge_of(INPUTS), olm.judge_of(olm.speak(0, b"x")), onbon.judge):
        reply = judge(got)
        assert reply is None or len(reply) >= 5
