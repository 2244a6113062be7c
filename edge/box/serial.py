"""Which box this is: the serial number that the board carries, printed on no case and changed by nobody.

A Raspberry Pi tells it through the device tree (16 hex digits on a Pi 3 to 5); a PC or a virtual machine through DMI.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

SOURCES = (
    Path("/proc/device-tree/serial-number"),
    Path("/sys/firmware/devicetree/base/serial-number"),
    Path("/sys/class/dmi/id/product_serial"),
)
PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
WORDS = "letters, digits, - and _, at most 40"


def right_serial(text: str) -> bool:
    """It becomes the name of a folder and of a file."""
    return re.fullmatch(PATTERN[1:-1], text) is not None


def read_serial(sources: Sequence[Path] = SOURCES) -> str:
    """The first that says something usable, in small letters; "" when none does (a device tree ends texts with a zero
    byte, devicetree specification 2.2.4)."""
    for source in sources:
        try:
            text = source.read_bytes().rstrip(b"\0\n ").decode("ascii")
        except (OSError, UnicodeDecodeError):
            continue  # this board tells it elsewhere
        if right_serial(text):
            return text.lower()
    return ""
