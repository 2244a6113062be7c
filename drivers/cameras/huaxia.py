"""华夏智信 Huaxia HTTP mode 5: one form per event (document V1.12 of 2024-01; published servers).

The body is `a=1&b=2`, percent-encoded UTF-8, whatever the content type says. Its pictures are base64 with `+/=`
written as `-_.`, so that they need no percent signs. `gpio_data` in ANY answer works the camera's relay, heartbeats
included: it is written in one place, for an admitted car alone.
"""

from __future__ import annotations

import binascii
from typing import Literal
from urllib.parse import unquote_to_bytes

import msgspec

from drivers.cameras.cut import checked_jpeg
from drivers.cameras.reading import (
    DOC_LIMIT_BYTES,
    Damaged,
    Message,
    Reading,
    bounded_time_ms,
    decode_text,
    event_key,
    is_no_plate,
    plate_text,
)
from drivers.cameras.words import colour_of_word

ACK = b'{"error_num":0,"error_str":"noerror"}'
"""As a working server answers (cameras survey d1); nothing in it moves anything."""
OPEN = b'{"error_num":"0","error_str":"no error","gpio_data":[{"ionum":"io1","action":"on"}]}'
"""The published answer that opens, its number a string."""

PICTURES = (b"picture", b"closeup_pic")
MAX_FIELDS = 60
_PLAIN = bytes.maketrans(b"-_.", b"+/=")
_TYPES = ("online", "offline", "heartbeat")


class HuaxiaMessage(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["plate", "alive", "other"]
    serial: str
    what: str
    fields: dict[str, str]
    has_picture: bool = False

    def reading(self, vendor: str) -> Reading:
        if vendor != "huaxia":
            raise Damaged(f"a mode 5 form from a camera configured as {vendor}")
        raw = plate_text(self.fields["plate_num"], "plate_num")
        start = self.fields.get("start_time", "")
        return Reading(
            event_id=event_key(start),
            plate_raw=raw,
            no_plate=is_no_plate(raw),
            colour=colour_of_word(self.fields.get("plate_color", "")),
            camera_time_ms=_time_ms(start),
            picture=self.has_picture,
            replay=self.what == "offline",  # kept while nobody answered
        )

    def reply(self, vendor: str, opened: bool) -> bytes:
        return OPEN if opened and self.what == "online" else ACK


def _time_ms(start: str) -> int:
    """`start_time`: Unix seconds."""
    return bounded_time_ms(int(start) * 1000) if start.isdecimal() and len(start) <= 12 else -1


class HuaxiaPush:
    """One form while it arrives."""

    def __init__(self, *, serial_needed: bool) -> None:
        self._serial_needed = serial_needed
        self._looked = False
        self._span = (0, 0)

    def early(self, body: bytearray, have: int) -> Message | None:
        """As soon as the large picture begins, if everything else that is needed stands before it."""
        if self._looked:
            return None
        at = body.find(b"&picture=", 0, min(have, DOC_LIMIT_BYTES))
        if at < 0:
            return None
        begin = at + len(b"&picture=")
        if have == begin:
            return None  # the next byte says whether it is an empty one
        self._looked = True
        try:
            message = self._understand(body, begin)
        except Damaged:
            return None  # the whole body will say so
        known = {"plate_num", "plate_color", "start_time"} <= message.fields.keys()
        if message.kind != "plate" or not known or (self._serial_needed and not message.serial):
            return None
        return msgspec.structs.replace(message, has_picture=body[begin] != ord("&"))

    def finish(self, body: bytearray, have: int) -> Message:
        return self._understand(body, have)

    def picture(self, body: bytearray) -> bytes | None:
        start, end = self._span
        if start == end:
            return None
        text = bytes(body[start:end])
        if b"%" in text:  # some writer percent-encodes all the same
            text = unquote_to_bytes(text)
        plain = text.translate(_PLAIN).rstrip(b"=")
        try:
            return checked_jpeg(binascii.a2b_base64(plain + b"=" * (-len(plain) % 4), strict_mode=True))
        except binascii.Error as error:
            raise Damaged(f"picture is not base64: {error}") from None

    def _understand(self, body: bytearray, have: int) -> HuaxiaMessage:
        fields: dict[str, str] = {}
        at, texts = 0, 0
        while at < have:
            end = body.find(b"&", at, have)
            end = have if end < 0 else end
            equals = body.find(b"=", at, end)
            name_end = end if equals < 0 else equals
            name = bytes(body[at : min(name_end, at + 64)])
            value = (end if equals < 0 else equals + 1, end)
            at = end + 1
            if name in PICTURES:
                if name == b"picture":
                    self._span = value
                continue
            texts += value[1] - value[0]
            if texts > DOC_LIMIT_BYTES or len(fields) == MAX_FIELDS:
                raise Damaged(f"form: over {MAX_FIELDS} fields or {DOC_LIMIT_BYTES} bytes beside the pictures")
            fields.setdefault(decode_text(name), _text(bytes(body[slice(*value)])))
        return self._message(fields)

    def _message(self, fields: dict[str, str]) -> HuaxiaMessage:
        if fields.get("mode", "5") != "5":
            raise Damaged(f"mode: {fields['mode'][:20]!r}, allowed is 5")
        what = fields.get("type", "")
        if what not in _TYPES:
            raise Damaged(f"type: {what[:20]!r}, allowed are {', '.join(_TYPES)}")
        serial = fields.get("cam_id", "")
        if what == "heartbeat":
            return HuaxiaMessage(kind="alive", serial=serial, what=what, fields=fields)
        if "plate_num" not in fields:
            raise Damaged("plate_num is missing")
        has_picture = self._span[1] > self._span[0]
        return HuaxiaMessage(kind="plate", serial=serial, what=what, fields=fields, has_picture=has_picture)


def _text(raw: bytes) -> str:
    return decode_text(unquote_to_bytes(raw.replace(b"+", b" "))).strip()
