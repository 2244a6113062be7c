"""SZTC frames: table 14 of T/SZPIA 001-2020, and every kind of damage a line can do."""

from __future__ import annotations

import binascii

import pytest
from crccheck.crc import CrcXmodem
from hypothesis import given
from hypothesis import strategies as st

from edge.cities.shenzhen.frames import PACKET_MAX, Frame, FrameError, FrameReader, encode, next_packet_no

# The heartbeat of B.6 as a frame, put together by hand from table 14: version 1.0, packetNo 7, request, 1006 = 0x03EE.
DATA = b'{"timestamp":1257894000,"sign":"","data":[]}'
HEAD = bytes.fromhex("535a5443 0100 00000007") + len(DATA).to_bytes(4, "big") + bytes.fromhex("00 03ee")
WIRE = HEAD + DATA + CrcXmodem.calc(HEAD + DATA).to_bytes(2, "big")
HEARTBEAT = Frame(1006, 7, 0, DATA, (1, 0))


def test_the_crc_of_the_catalogue() -> None:
    """CRC-16/XMODEM of "123456789" is 31C3 in every catalogue; crccheck agrees, so it may judge our frames."""
    assert CrcXmodem.calc(b"123456789") == 0x31C3 == binascii.crc_hqx(b"123456789", 0)


def test_a_frame_is_the_bytes_of_table_14() -> None:
    assert encode(HEARTBEAT) == WIRE
    assert FrameReader().feed(WIRE) == [HEARTBEAT]


@given(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(0, 1), st.binary(max_size=300))
def test_every_frame_carries_the_crc_of_another_implementation(
    command: int, packet_no: int, direction: int, data: bytes
) -> None:
    wire = encode(Frame(command, packet_no, direction, data))
    assert wire[-2:] == CrcXmodem.calc(wire[:-2]).to_bytes(2, "big")
    assert FrameReader().feed(wire) == [Frame(command, packet_no, direction, data)]


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6), st.lists(st.integers(1, 40), max_size=40))
def test_frames_split_and_glued_anywhere(bodies: list[bytes], cuts: list[int]) -> None:
    frames = [Frame(6001, number + 1, 0, body) for number, body in enumerate(bodies)]
    wire = b"".join(map(encode, frames))
    reader, found = FrameReader(), []
    for cut in cuts:
        found += reader.feed(wire[:cut])
        wire = wire[cut:]
    found += reader.feed(wire)
    assert found == frames
    assert reader.bad == 0


def damaged(at: int, bits: int = 0xFF) -> bytes:
    wire = bytearray(WIRE)
    wire[at] ^= bits
    return bytes(wire)


LYING_SHORT = WIRE[:10] + (len(DATA) - 5).to_bytes(4, "big") + WIRE[14:]
LYING_LONG = WIRE[:10] + (len(DATA) + 5).to_bytes(4, "big") + WIRE[14:]


@pytest.mark.parametrize(
    "bad",
    [
        damaged(0),  # wrong magic
        damaged(25),  # data
        damaged(-1),  # crc
        damaged(9),  # packetNo
        WIRE[:14] + b"\x02" + WIRE[15:-2] + CrcXmodem.calc(WIRE[:14] + b"\x02" + WIRE[15:-2]).to_bytes(2, "big"),
        b"noise",
        b"SZT",
        b"SZTSZTC"[:4],
        LYING_SHORT,
        LYING_LONG,  # reaches into the next frame, which must not be lost
        WIRE[:-9],  # cut off: the next frame follows within its length
    ],
)
def test_damage_costs_one_frame_and_no_other(bad: bytes) -> None:
    reader = FrameReader()
    after = Frame(6002, 8, 0, b"[]")
    found = reader.feed(encode(HEARTBEAT) + bad + encode(after) + encode(after))
    assert found == [HEARTBEAT, after, after]
    assert reader.bad == 1


def test_damage_is_found_byte_by_byte_too() -> None:
    reader, found = FrameReader(), []
    for number in damaged(30) + WIRE:
        found += reader.feed(bytes([number]))
    assert found == [HEARTBEAT]
    assert reader.bad == 1


def test_a_length_over_the_limit_ends_the_line() -> None:
    with pytest.raises(FrameError, match="10485761 bytes announced"):
        FrameReader().feed(WIRE[:10] + (10_485_761).to_bytes(4, "big") + WIRE[14:])


def test_the_largest_frame_comes_in_pieces() -> None:
    frame = Frame(4001, 1, 0, b"x" * 10_485_760)
    wire, reader, found = encode(frame), FrameReader(), []
    for start in range(0, len(wire), 65_536):
        found += reader.feed(wire[start : start + 65_536])
    assert found == [frame]
    with pytest.raises(ValueError, match="up to 10485760"):
        encode(Frame(4001, 1, 0, b"x" * 10_485_761))


def test_three_bad_frames_in_a_row_end_the_line() -> None:
    reader = FrameReader()
    reader.feed(damaged(25) + damaged(25) + WIRE)
    with pytest.raises(FrameError, match="3 bad frames in a row"):
        reader.feed(damaged(25) * 3)


@given(st.binary(max_size=400))
def test_whatever_comes_it_is_frames_or_a_frame_error(noise: bytes) -> None:
    reader = FrameReader()
    try:
        reader.feed(noise)
        reader.feed(b"SZTC" + noise)
    except FrameError:
        return


def test_little_endian_crc_by_setting() -> None:
    wire = encode(HEARTBEAT, "little")
    assert wire[-2:] == WIRE[:-3:-1]
    assert FrameReader(crc_order="little").feed(wire) == [HEARTBEAT]


def test_packet_numbers_go_round() -> None:
    assert next_packet_no(0) == 1
    assert next_packet_no(PACKET_MAX) == 1
