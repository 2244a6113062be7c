"""What a line does to replies: each a function from the reply that a device gives to the bytes that come over the wire.

Made from the faults that integrators report of RS485 at lanes: a cable off, bursts of noise, two who talk at once, an
address given twice, a converter that buffers.
"""

from __future__ import annotations

from collections.abc import Callable

from hal_sim.rs485.checks import with_crc

Weather = Callable[[bytes], bytes]


def silence(reply: bytes) -> bytes:
    """Heard and obeyed, and the answer never comes."""
    return b""


def damage(reply: bytes) -> bytes:
    """One bit of the check sum."""
    return reply[:-1] + bytes((reply[-1] ^ 1,)) if reply else b""


def cut(reply: bytes) -> bytes:
    """The end is missing."""
    return reply[: len(reply) // 2]


def collision(reply: bytes) -> bytes:
    """Somebody else talks at the same time: what comes is both, bit by bit."""
    return bytes(a & b for a, b in zip(reply, reply[::-1], strict=True))


def wrong_slave(reply: bytes) -> bytes:
    """Another address answers, with a right check sum, and what it has in mind."""
    return with_crc(bytes((reply[0] % 247 + 1,)) + reply[1:-2]) if reply else b""


def stranger(reply: bytes) -> bytes:
    """An answer to a question that nobody of ours has asked."""
    return with_crc(bytes((reply[0], 0x04, 2, 0, 1))) if reply else b""


class Late:
    """A converter that buffers: each reply comes in the place of the next one."""

    def __init__(self) -> None:
        self._held = b""

    def __call__(self, reply: bytes) -> bytes:
        self._held, late = reply, self._held
        return late


FAULTS: dict[str, Callable[[], Weather]] = {
    "silence": lambda: silence, "damage": lambda: damage, "cut": lambda: cut, "collision": lambda: collision,
    "wrong slave": lambda: wrong_slave, "stranger": lambda: stranger, "late": Late,
}  # fmt: skip
