"""What every vendor's push comes to: a message, and for a plate a reading in one vocabulary.

Vendors differ in codes, charsets and spellings; from here on nobody needs to know. The tables and traps come from
vendor manuals and integrators' reports (cameras survey, sections 0, b2, c1 and 6).
"""

from __future__ import annotations

import re
from typing import Literal, Protocol

import msgspec

DOC_LIMIT_BYTES = 65_536
"""A push without its pictures is 0.3 to 6 KB in every known format; ten times that is not one of ours."""

# Spellings of "a car without plate, or none could be read": VZ and Qianyi `_无_`, the list of an integrator,
# Hikvision noPlate and unknown, Dahua "", "--" and unlicensed.
NO_PLATE = frozenset(
    {"", "_无_", "无牌车", "无车牌", "无牌", "车牌", "-", "--", "—", "null", "noplate", "unknown", "unlicensed"}
)

MAX_PLATE_CHARS = 32
"""Chinese plates have 7 or 8 characters, Hikvision adds a colour, overseas plates reach 15; no plate has 32."""

MAX_EVENT_ID_CHARS = 128


class Damaged(Exception):
    """The push cannot be understood: what is wrong with it. Never carries the push itself (passwords)."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A plate push in one vocabulary. The plate stands as the camera wrote it; the core normalises."""

    event_id: str
    plate_raw: str
    no_plate: bool
    colour: str = "unknown"
    confidence_pct: int = -1
    plate_width_px: int = -1
    camera_time_ms: int = -1
    picture: bool = False
    replay: bool = False
    odd: tuple[str, ...] = ()
    """Fields whose value no table of the make has: taken as unknown, counted, and the car is read all the same."""


class Message(Protocol):
    """One understood push. `vendor` is the camera's dialect by the config, known once the camera is."""

    @property
    def kind(self) -> Literal["plate", "alive", "other"]: ...

    @property
    def serial(self) -> str:
        """Serial number or device id, "" if the push has none."""

    @property
    def what(self) -> str:
        """The vendor's own name of this message, for the counter and the log."""

    def reading(self, vendor: str) -> Reading:
        """Only for kind `plate`. Raises `Damaged`."""

    def reply(self, vendor: str, opened: bool) -> bytes:
        """The body that this vendor expects. `opened` is the only way to a reply that moves an arm."""


class Push(Protocol):
    """One body while it arrives: vendors look at the part that is there."""

    def early(self, body: bytearray, have: int) -> Message | None:
        """The message if everything that a reading needs stands in the first `have` bytes. Cheap, never raises."""

    def finish(self, body: bytearray, have: int) -> Message:
        """The message of the whole body. Raises `Damaged`."""

    def picture(self, body: bytearray) -> bytes | None:
        """The scene picture, None if the push has none. After `finish`. Raises `Damaged`."""


def decode_text(raw: bytes | bytearray) -> str:
    """UTF-8 or GB18030, whatever the header says (one firmware labels each as the other).

    GB2312 bytes of 鲁 (C2 B3) and 豫 (D4 A5), first characters of whole provinces, are valid UTF-8 of two bytes
    each ("³", "ԥ"), so a strict decoder takes them without complaint. Chinese in UTF-8 always has three-byte
    characters: text whose only non-ASCII characters are two-byte ones is GB. `·` (C2 B7) alone proves nothing.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    else:
        if _HAS_WIDE.search(raw) or not _SUSPICIOUS.search(raw):
            return text
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError as error:
        if text:
            return text
        raise Damaged(f"text: neither UTF-8 nor GB18030 at byte {error.start}") from None


# Of valid UTF-8: the first byte of a longer character, and a two-byte character other than `·`.
_HAS_WIDE = re.compile(rb"[\xe0-\xf4]")
_SUSPICIOUS = re.compile(rb"[\xc3-\xdf]|\xc2[^\xb7]")


def plate_text(text: str | None, field: str) -> str:
    """The plate, bounded. A camera that sends more than a plate in the plate field is not believed."""
    plate = (text or "").strip()
    if len(plate) > MAX_PLATE_CHARS or not plate.isprintable():
        raise Damaged(f"{field}: {plate[:40]!r} is no plate; allowed are {MAX_PLATE_CHARS} printable characters")
    return plate


def is_no_plate(plate: str) -> bool:
    return plate.lower() in NO_PLATE


def percent(value: float, scale: float = 100.0) -> int:
    """A confidence as 0..100, -1 if it is none."""
    return round(value / scale * 100) if 0 <= value <= scale else -1


def odd_percent(field: str, value: float, scale: float = 100.0) -> tuple[str, ...]:
    """`value` -1: the field was not there."""
    return () if value == -1 or 0 <= value <= scale else (f"{field} = {value:g}, allowed are 0 to {scale:g}",)


def bounded_time_ms(value: float) -> int:
    """A camera's epoch in ms, -1 if it is none: 0 (unset clock), negative, or beyond the year 2100."""
    return int(value) if 0 < value < 4_102_444_800_000 else -1


def event_key(text: str) -> str:
    """A camera's own event id, bounded."""
    if len(text) > MAX_EVENT_ID_CHARS or not text.isprintable():
        raise Damaged(f"event id: {len(text)} characters, allowed are {MAX_EVENT_ID_CHARS} printable ones")
    return text
