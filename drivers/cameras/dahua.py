"""Dahua ITSAPI pushes (/NotificationInfo/TollgateInfo, KeepAlive, DeviceInfo): JSON with pictures in base64.

Without `{"Result": true}` the camera sends the same record for ever; `OpenStrobe: true` in the reply opens its
relay. Pictures may stand before or behind the plate, or come in a later push of the same record.
"""

import re
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

import msgspec

from drivers.cameras.cut import Cutter, closed, jpeg
from drivers.cameras.http import Head
from drivers.cameras.reading import (
    Damaged,
    Message,
    Reading,
    bounded_time_ms,
    decode_text,
    event_key,
    is_no_plate,
    odd_percent,
    percent,
    plate_text,
)

BEIJING = timezone(timedelta(hours=8))
"""AccurateTime is local; TimeZone beside it is an index into a table that is not public."""

CONFIDENCE_MAX = 255.0
"""ITSAPI 5.3 Plate.Confidence: 0..255 (ParkingInfo's is 0..100 and not read here)."""

# Words seen in published pushes; the appendix with all of them is not public, other words are "unknown".
_COLOURS = {
    "blue": "blue", "yellow": "yellow", "white": "white", "black": "black", "green": "green",
    "yellowgreen": "yellow_green",
}  # fmt: skip

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){6,32}")
"""A plate written as the hex of its bytes: a plain plate never has 12 characters."""


class Plate(msgspec.Struct):
    is_exist: bool = msgspec.field(default=True, name="IsExist")
    number: str | None = msgspec.field(default=None, name="PlateNumber")
    colour: str | None = msgspec.field(default=None, name="PlateColor")
    confidence: float = msgspec.field(default=-1, name="Confidence")
    upload: int | str | None = msgspec.field(default=None, name="UploadNum")


class SnapInfo(msgspec.Struct):
    device_id: str = msgspec.field(default="", name="DeviceID")
    accurate_time: str = msgspec.field(default="", name="AccurateTime")
    snap_time: str = msgspec.field(default="", name="SnapTime")


class Pic(msgspec.Struct):
    name: str | None = msgspec.field(default=None, name="PicName")
    content: str | None = msgspec.field(default=None, name="Content")


class Picture(msgspec.Struct):
    plate: Plate | None = msgspec.field(default=None, name="Plate")
    snap: SnapInfo | None = msgspec.field(default=None, name="SnapInfo")
    normal: Pic = msgspec.field(default_factory=Pic, name="NormalPic")


class Document(msgspec.Struct):
    picture: Picture | None = msgspec.field(default=None, name="Picture")
    device_id: str = msgspec.field(default="", name="DeviceID")
    active: Any = msgspec.field(default=None, name="Active")
    device_name: str | None = msgspec.field(default=None, name="DeviceName")
    device_model: str | None = msgspec.field(default=None, name="DeviceModel")


_DECODER = msgspec.json.Decoder(Document, strict=False)  # numbers come as strings from some firmware


class DahuaMessage(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["plate", "alive", "other"]
    serial: str
    what: str
    picture: Picture = msgspec.field(default_factory=Picture)
    has_picture: bool = False

    def reading(self, vendor: str) -> Reading:
        if vendor != "dahua":
            raise Damaged(f"an ITSAPI push from a camera configured as {vendor}")
        plate = self.picture.plate or Plate()
        snap = self.picture.snap or SnapInfo()
        raw = plate_text(from_hex(plate.number or ""), "Plate.PlateNumber")
        time = snap.accurate_time or snap.snap_time
        return Reading(
            event_id=_event_id(plate, time, self.picture.normal.name or ""),
            plate_raw=raw,
            no_plate=not plate.is_exist or is_no_plate(raw),
            colour=_COLOURS.get((plate.colour or "").lower(), "unknown"),
            confidence_pct=percent(plate.confidence, CONFIDENCE_MAX),
            odd=odd_percent("Confidence", plate.confidence, CONFIDENCE_MAX),
            # BoundingBox is on an 8192 grid, not in pixels: unknown until the picture is measured
            camera_time_ms=_time_ms(time),
            picture=self.has_picture,
        )

    def reply(self, vendor: str, opened: bool) -> bytes:
        if self.what == "KeepAlive":
            return msgspec.json.encode({"Active": True, "DeviceID": self.serial})
        if self.kind != "plate":
            return b'{"Result":true,"Message":"Success"}'
        number = self.picture.plate.number if self.picture.plate else None
        reply: dict[str, Any] = {"Result": True, "DeviceID": self.serial, "PlateNumber": number or ""}
        if opened:
            reply["AllowUser"] = True
        reply["OpenStrobe"] = opened
        return msgspec.json.encode(reply)


def from_hex(number: str) -> str:
    """Some firmware writes the bytes of the plate (UTF-8 or GB2312) in hex."""
    if not _HEX.fullmatch(number):
        return number
    try:
        text = decode_text(bytes.fromhex(number))
    except Damaged:
        return number
    return text if "\u4e00" <= text[:1] <= "\u9fff" else number


def _event_id(plate: Plate, time: str, pic_name: str) -> str:
    """UploadNum can repeat with another time, so both; the picture's name if there is neither."""
    if time:
        return event_key(f"{'' if plate.upload is None else plate.upload}@{time}")
    return event_key(pic_name)


def _time_ms(text: str) -> int:
    try:
        return bounded_time_ms(datetime.fromisoformat(text).replace(tzinfo=BEIJING).timestamp() * 1000)
    except (ValueError, OverflowError):
        return -1


class DahuaPush:
    """One JSON body while it arrives."""

    def __init__(self, head: Head, *, serial_needed: bool) -> None:
        self._path_end = head.path.partition("?")[0].rpartition("/")[2]
        self._serial_needed = serial_needed
        self._cutter = Cutter(("Content",))
        self._looked_at = 0
        self._message: DahuaMessage | None = None
        self._have = 0

    def early(self, body: bytearray, have: int) -> Message | None:
        self._cutter.advance(body, have)
        if self._cutter.begun in (0, self._looked_at):
            return None
        self._looked_at = self._cutter.begun
        try:
            message = self._understand(closed(self._cutter.text(body, have)))
        except Damaged:
            return None  # the whole body will say so
        return msgspec.structs.replace(message, has_picture=True) if self._enough(message) else None

    def _enough(self, message: DahuaMessage) -> bool:
        """Plate and SnapInfo stand whole before the picture that has begun."""
        picture = message.picture
        return (
            picture.plate is not None
            and picture.snap is not None
            and picture.snap.accurate_time != ""
            and (message.serial != "" or not self._serial_needed)
        )

    def finish(self, body: bytearray, have: int) -> Message:
        self._cutter.advance(body, have)
        self._have = have
        message = self._understand(self._cutter.text(body, have))
        span = self._cutter.span(message.picture.normal.content or "", have)
        self._message = msgspec.structs.replace(message, has_picture=span is not None)
        return self._message

    def picture(self, body: bytearray) -> bytes | None:
        assert self._message is not None
        span = self._cutter.span(self._message.picture.normal.content or "", self._have)
        return jpeg(body, span) if span else None

    def _understand(self, text: str) -> DahuaMessage:
        try:
            document = _DECODER.decode(text)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Damaged(f"JSON: {error}"[:200]) from None
        picture = document.picture
        if picture is not None and picture.plate is not None:
            if picture.plate.number is None and picture.plate.is_exist:
                raise Damaged("Picture.Plate.PlateNumber is missing")
            serial = (picture.snap.device_id if picture.snap else "") or document.device_id
            return DahuaMessage(kind="plate", serial=serial, what="TollgateInfo", picture=picture)
        serial = document.device_id or (picture.snap.device_id if picture and picture.snap else "")
        if document.active is not None:
            return DahuaMessage(kind="alive", serial=serial, what="KeepAlive")
        if document.device_name is not None or document.device_model is not None:
            return DahuaMessage(kind="alive", serial=serial, what="DeviceInfo")
        return DahuaMessage(kind="other", serial=serial, what=self._path_end[:40] or "unknown")
