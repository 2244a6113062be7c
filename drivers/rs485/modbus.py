"""Modbus RTU as far as relay and input boards need it: frames and their replies. Pure.

Written here and not taken from a library: a request is eight bytes, and the one that matters at a gate (flash-on: the
board itself ends the pulse) is a value that the libraries' `write_coil` cannot send (DECISIONS).
"""

from __future__ import annotations

from drivers.rs485.crc import fits, sealed
from drivers.rs485.exchange import Judge

READ_COILS, READ_INPUTS, READ_REGISTERS, WRITE_COIL, WRITE_REGISTER = 0x01, 0x02, 0x03, 0x05, 0x06
EXCEPTION = 0x80
ADDRESSES = range(1, 248)
"""Modbus over serial line 2.2: 0 is a broadcast, 248 and more are reserved."""

NEVER = frozenset({1, 2, 3})
"""Exceptions that another try does not change: illegal function, address, value (Modbus application protocol 7)."""

READS = frozenset({READ_COILS, READ_INPUTS, READ_REGISTERS})


def request(address: int, function: int, first: int, value: int) -> bytes:
    """Every function here has the same shape: two words. Raises `ValueError` beyond what the frame can hold."""
    if address not in ADDRESSES:
        raise ValueError(f"address: {address} is not allowed, {ADDRESSES[0]} to {ADDRESSES[-1]} are")
    for name, word in (("first", first), ("value", value)):
        if not 0 <= word <= 0xFFFF:
            raise ValueError(f"{name}: {word} is not allowed, 0 to 65535 are")
    return sealed(bytes((address, function)) + first.to_bytes(2, "big") + value.to_bytes(2, "big"))


def judge_of(question: bytes) -> Judge:
    """Finds the reply to `question` in what came, whatever noise or stranger's frame stands before it."""
    address, function = question[0], question[1]

    def judge(got: bytes) -> bytes | None:
        for start in range(len(got)):
            frame = _frame(got[start:], address, function)
            if frame is not None and fits(frame) and _belongs(frame, question):
                return frame
        return None

    return judge


def _frame(got: bytes, address: int, function: int) -> bytes | None:
    if len(got) < 5 or got[0] != address or got[1] & ~EXCEPTION != function:
        return None
    if got[1] & EXCEPTION:
        return got[:5]
    length = 5 + got[2] if function in READS else 8
    return got[:length] if len(got) >= length else None


def _belongs(frame: bytes, question: bytes) -> bool:
    """A write is echoed word for word; a read brings as many bytes as were asked for."""
    if frame[1] & EXCEPTION:
        return True
    count = int.from_bytes(question[4:6], "big")
    match question[1]:
        case 0x01 | 0x02:
            return frame[2] == (count + 7) // 8
        case 0x03:
            return frame[2] == 2 * count
    return frame == question


def refused(reply: bytes) -> int:
    """The exception code of a reply, 0 when it is none."""
    return reply[2] if reply[1] & EXCEPTION else 0


def bits(reply: bytes, count: int) -> tuple[bool, ...]:
    """Coils or inputs of a reply, the first asked for first."""
    return tuple(bool(reply[3 + number // 8] >> number % 8 & 1) for number in range(count))


def words(reply: bytes) -> tuple[int, ...]:
    """Registers of a reply."""
    return tuple(int.from_bytes(reply[at : at + 2], "big") for at in range(3, 3 + reply[2], 2))
