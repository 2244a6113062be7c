"""Signs as they hang at a lane: they understand their maker's bytes, show rows and say texts. `flash` counts writes
that would wear the card out."""

from __future__ import annotations

from collections.abc import Callable

from hal_sim.rs485.checks import crc16, right, with_crc


class SimSign:
    """What all signs have: rows, what was said, and somebody who looks."""

    def __init__(self, rows: int = 2) -> None:
        self.rows = [""] * rows
        self.said: list[str] = []
        self.flash = 0
        self.on_change: Callable[[SimSign], None] = lambda sign: None

    def put(self, number: int, text: str) -> None:
        if self.rows[number] != text:
            self.rows[number] = text
            self.on_change(self)


class OlmSign(SimSign):
    """0x64 frames. It answers with its command and one byte 0, or not at all (`mute`)."""

    def __init__(self, address: int = 0, rows: int = 2, mute: bool = False) -> None:
        super().__init__(rows)
        self.address, self.mute = address, mute

    def hear(self, frame: bytes) -> bytes | None:
        if len(frame) < 8 or frame[0] != self.address or frame[1] != 0x64 or frame[2:4] != b"\xff\xff":
            return None
        command, length = frame[4], frame[5]
        if len(frame) != length + 8 or not right(frame):
            return None
        data = frame[6:-2]
        if command == 0x62:
            size = data[17] | data[18] << 8
            text = data[19:]
            if len(text) != size or data[0] >= len(self.rows):
                return None
            self.put(data[0], text.decode("gbk").strip())
        elif command == 0x30:
            self.said.append(data[1:].decode("gbk"))
            self.on_change(self)
        elif command in {0x67, 0x68}:
            self.flash += 1
        return b"" if self.mute else with_crc(bytes((self.address, 0x64, 0xFF, 0xFF, command, 1, 0)))


class Aa55Sign(SimSign):
    def __init__(self) -> None:
        super().__init__(1)

    def hear(self, frame: bytes) -> bytes | None:
        if frame[:2] != b"\xaa\x55" or frame[-1:] != b"\xaf":
            return None
        check = crc16(frame[2:-3] + b"\0\0")
        if frame[-3:-1] != bytes((check >> 8, check & 0xFF)):
            return None
        self.put(0, frame[12:-3].decode("gbk").strip())
        return b""


class OnbonSign(SimSign):
    """BX-6K: one dynamic area. Answers A0 00, as the maker's document prints it."""

    ACK = bytes.fromhex("A5 A5 A5 A5 A5 A5 A5 A5 00 80 FE FF 00 00 00 00 00 00 FE 02 05 00 A0 00 00 00 00 14 AC 5A")

    def hear(self, frame: bytes) -> bytes | None:
        if not frame.startswith(b"\xa5" * 8) or not frame.endswith(b"\x5a"):
            return None
        plain = bytearray()
        pairs = {(0xA6, 2): 0xA5, (0xA6, 1): 0xA6, (0x5B, 2): 0x5A, (0x5B, 1): 0x5B}
        body = frame[8:-1]
        at = 0
        while at < len(body):
            pair = (body[at], body[at + 1] if at + 1 < len(body) else 0)
            plain.append(pairs.get(pair, body[at]))
            at += 2 if pair in pairs else 1
        if not right(bytes(plain), 0) or plain[14:16] != b"\xa3\x06":
            return None
        size = int.from_bytes(plain[46:50], "little")
        rows = bytes(plain[-2 - size : -2]).decode("gbk").split("\\n")
        for number, text in enumerate(rows[: len(self.rows)]):
            self.put(number, text)
        return self.ACK
