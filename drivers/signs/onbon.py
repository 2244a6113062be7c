"""仰邦 (Onbon) BX-6K cards: a text in a dynamic area, which lives in the card's memory and needs no answer to stay.

    A5 ×8 | head 14 | data… | CRC | 5A       inside the frame A5 → A6 02, A6 → A6 01, 5A → 5B 02, 5B → 5B 01

    head   target address (FFFE: whoever is there), source 8000, 00×6, FE (any model), 02 (version), length of data
    data   A3 06 (update dynamic areas), 01 (do answer), 00 00, delete 0, update 1, length of the area, the area
    CRC    polynomial A001 from 0, low byte first, over head and data before the escapes

Numbers have their low byte first. The maker's document prints one such frame for a BX-6K3 of 128 x 32 (tests). The card
answers A0 00 (understood), A0 01 (refused), in a frame of the same shape.
"""

from __future__ import annotations

from drivers.rs485.crc import ONBON, fits, sealed
from drivers.rs485.exchange import Judge

ANYBODY = 0xFFFE
START, END = b"\xa5" * 8, b"\x5a"
SOURCE = 0x8000
ROW_PX = 16
"""Height of one row: the cards' smallest Chinese font."""
PIXELS = 0x8000
"""Set in x and width: they count pixels (without it: bytes of eight)."""
TIMEOUT_S = 10
ANSWER_GROUP, ACK = 0xA0, 0x00
_ESCAPES = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
_PLAIN = {escaped: bytes((byte,)) for byte, escaped in _ESCAPES.items()}


def show(address: int, texts: list[bytes], width_px: int, height_px: int) -> bytes:
    r"""Rows of GBK text, one under the other (`\n` in the card's own words)."""
    text = b"\\n".join(texts)
    area = (
        b"\x00" + _low(PIXELS) + _low(0) + _low(PIXELS | width_px) + _low(height_px)
        + b"\x00\x00\x00" + _low(TIMEOUT_S) + bytes(3)  # area 0, no space between rows, mode 0, time-out, reserved
        + bytes((0x02, 0x01, 0x01, 0x00, 0x02, 0x0A))  # rows broken by hand, at once, stays
        + len(text).to_bytes(4, "little") + text
    )  # fmt: skip
    return frame(address, b"\xa3\x06\x01\x00\x00\x00\x01" + _low(len(area)) + area)


def frame(address: int, data: bytes) -> bytes:
    head = _low(address) + _low(SOURCE) + bytes(6) + b"\xfe\x02" + _low(len(data))
    return START + b"".join(_ESCAPES.get(byte, bytes((byte,))) for byte in sealed(head + data, ONBON)) + END


def judge(got: bytes) -> bytes | None:
    """The data of an answer."""
    for piece in got.split(END)[:-1]:
        body = _unescaped(piece.rpartition(b"\xa5")[2])
        if len(body) > 16 and fits(body, ONBON) and body[14] == ANSWER_GROUP:
            return body[14:-2]
    return None


def judge_of(_question: bytes) -> Judge:
    return judge


def understood(answer: bytes) -> bool:
    return answer[1] == ACK


def _unescaped(body: bytes) -> bytes:
    plain, at = b"", 0
    while at < len(body):
        pair = body[at : at + 2]
        plain += _PLAIN.get(pair, pair[:1])
        at += 2 if pair in _PLAIN else 1
    return plain


def _low(number: int) -> bytes:
    return number.to_bytes(2, "little")
