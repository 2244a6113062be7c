"""方控/科发 OLM cards (and the many boards that speak the same 0x64 frames): text and voice.

    DA  VR  PN    CMD  DL  DATA…  CRC          DA address, VR 0x64 = version 1.00 (DL: one byte), PN FFFF = one packet
    00  64  FFFF  62   25  …      F4 F5        CRC-16/Modbus over all before it, low byte first

Text goes by 0x62 (one row, until the next one), voice by 0x30; both live in the card's memory. 0x67 and 0x68 write its
flash and are not here. 0x6E (several rows) was withdrawn by V2.0 of the document, 0x6F has no published frame with its
check sum: rows are sent one by one. The document's answer to a command is not published: any whole frame with the
right check sum and the same command counts as one.
"""

from __future__ import annotations

from drivers.rs485.crc import fits, sealed
from drivers.rs485.exchange import Judge

VERSION = 0x64
ONE_PACKET = b"\xff\xff"
SHOW_ROW, SPEAK, BRIGHTNESS, CONNECT = 0x62, 0x30, 0x0C, 0x00
DATA_MAX = 255
ROW_HEAD = 19
"""Bytes of a 0x62 frame's data before its text."""

AT_ONCE, LEFT = 0x00, 0x15
"""How a text comes in: at once and stays; runs to the left without end."""
SPEED = 0x01
STAY_S = 0x02
FONT = 0x03
FOREVER = 0x00
"""Times that it is shown: 0 = until the next one."""
QUEUE_AND_PLAY, ANEW = 0x01, 0x02
"""Voice behind what is being spoken; in place of it."""

COLOURS = {"red": b"\xff\x00\x00\x00", "green": b"\x00\xff\x00\x00", "yellow": b"\xff\xff\x00\x00"}
"""R G B and a reserved byte."""


def frame(address: int, command: int, data: bytes) -> bytes:
    """Raises `ValueError` when it does not fit."""
    if not 0 <= address <= 0xFF:
        raise ValueError(f"address: {address} is not allowed, 0 to 255 are")
    if len(data) > DATA_MAX:
        raise ValueError(f"data: {len(data)} bytes are not allowed, at most {DATA_MAX} are")
    return sealed(bytes((address, VERSION)) + ONE_PACKET + bytes((command, len(data))) + data)


def row(address: int, number: int, text: bytes, colour: str = "red", entry: int = AT_ONCE) -> bytes:
    """`text` (GBK) in the row `number`, from 0, until another one comes."""
    look = bytes((number, entry, SPEED, 0, STAY_S, entry, SPEED, FONT, FOREVER)) + COLOURS[colour] + bytes(4)
    return frame(address, SHOW_ROW, look + len(text).to_bytes(2, "little") + text)


def speak(address: int, text: bytes, mode: int = ANEW) -> bytes:
    """`text` in GBK; a new one ends what is being spoken."""
    return frame(address, SPEAK, bytes((mode,)) + text)


def judge_of(question: bytes) -> Judge:
    command = question[4]

    def judge(got: bytes) -> bytes | None:
        for start in range(len(got) - 7):
            if got[start + 1] == VERSION and got[start + 4] == command:
                reply = got[start : start + 8 + got[start + 5]]
                if fits(reply):
                    return reply
        return None

    return judge
