"""VZ AlarmInfoPlate pushes and their family: Boyue, Qianyi, AlphaDigi (VZ HTTP push manual, 2.1 to 2.6).

A plate comes as JSON with the pictures in base64 inside. VZ's own firmware sorts keys, so `imageFile` stands before
`license` and the reading waits for the body; Boyue and settings without picture put it last or leave it out, and the
reading is ready at once.
"""

import re
from typing import Literal
from urllib.parse import parse_qsl

import msgspec

from drivers.cameras import multipart
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
from drivers.cameras.vz_dialects import (
    ALPHADIGI_HEARTBEAT,
    NOTHING,
    SERIAL_DATA,
    colour,
    dialect_of,
    odd_colour,
    plate_reply,
)

MS_FROM = 100_000_000_000
"""A `sec` from here on is milliseconds (Boyue): as seconds it would be the year 5138."""


class Timeval(msgspec.Struct):
    sec: float = 0
    usec: float = 0


class TimeStamp(msgspec.Struct):
    timeval: Timeval | None = msgspec.field(default=None, name="Timeval")


class Rect(msgspec.Struct):
    left: float = 0
    right: float = 0


class Location(msgspec.Struct):
    rect: Rect = msgspec.field(default_factory=Rect, name="RECT")


class OnePlate(msgspec.Struct):
    plate_width: float = 0


class PlateResult(msgspec.Struct):
    """Only what is used. `None`: the field was not there (yet)."""

    license: str | None = None
    plateid: int | str | None = None
    colour_type: int | None = msgspec.field(default=None, name="colorType")
    type: int = 0
    confidence: float = -1
    isoffline: int | None = None
    location: Location | None = None
    plates: list[OnePlate] = msgspec.field(default_factory=list)
    stamp: TimeStamp | None = msgspec.field(default=None, name="timeStamp")
    image: str | None = msgspec.field(default=None, name="imageFile")


class Result(msgspec.Struct):
    plate: PlateResult | None = msgspec.field(default=None, name="PlateResult")


class Alarm(msgspec.Struct):
    result: Result | None = None
    serialno: str | None = None


class Other(msgspec.Struct):
    """Inside of a push that is no plate: only the sender matters."""

    serialno: str = ""


class Document(msgspec.Struct):
    alarm: Alarm | None = msgspec.field(default=None, name="AlarmInfoPlate")
    gio_in: Other | None = msgspec.field(default=None, name="AlarmGioIn")
    serial_data: Other | None = msgspec.field(default=None, name="SerialData")
    trigger_image: Other | None = msgspec.field(default=None, name="TriggerImage")


# strict=False: numbers come as strings from some firmware ("ionum": "0" beside "ionum": 1 in the manual's own samples).
_DECODER = msgspec.json.Decoder(Document, strict=False)


class VzMessage(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["plate", "alive", "other"]
    serial: str = ""
    what: str = "plate"
    plate: PlateResult = msgspec.field(default_factory=PlateResult)
    has_picture: bool = False
    repaired: bool = False

    def reading(self, vendor: str) -> Reading:
        dialect = dialect_of(vendor)
        if self.repaired and not dialect.repairs:
            raise Damaged("JSON is cut off")
        plate = self.plate
        raw = plate_text(plate.license, "license")
        colour_type = plate.colour_type if plate.colour_type is not None else 0
        return Reading(
            event_id=_event_id(plate),
            plate_raw=raw,
            no_plate=is_no_plate(raw) or plate.type == dialect.no_plate_type,
            colour=colour(dialect, colour_type, plate.type),
            confidence_pct=percent(plate.confidence),
            plate_width_px=_plate_width_px(plate),
            camera_time_ms=bounded_time_ms(_epoch_s(plate) * 1000),
            picture=self.has_picture,
            replay=dialect.replays and plate.isoffline == 1,
            odd=odd_percent("confidence", plate.confidence) + odd_colour(colour_type),
        )

    def reply(self, vendor: str, opened: bool) -> bytes:
        if self.kind == "alive":
            return ALPHADIGI_HEARTBEAT if vendor == "alphadigi" else NOTHING
        if self.kind == "other":
            return SERIAL_DATA if self.what == "SerialData" else NOTHING
        dialect = dialect_of(vendor)
        replay = dialect.replays and self.plate.isoffline == 1
        return plate_reply(dialect, self.plate.plateid, replay=replay, opened=opened)


def _epoch_s(plate: PlateResult) -> float:
    """`sec` is true UTC; the `dec*` parts are local and in the manual's own sample nine years apart from it."""
    time = plate.stamp.timeval if plate.stamp else None
    if time is None:
        return 0
    if time.sec >= MS_FROM:
        return time.sec / 1000
    return time.sec + time.usec / 1e6 if 0 <= time.usec < 1e6 else time.sec


def _event_id(plate: PlateResult) -> str:
    """`plateid` counts from the camera's start, so the camera's time belongs to it; "" if it sends neither."""
    epoch_ms = bounded_time_ms(_epoch_s(plate) * 1000)
    if plate.plateid is None and epoch_ms < 0:
        return ""
    return event_key(f"{'' if plate.plateid is None else plate.plateid}@{max(epoch_ms, 0)}")


def _plate_width_px(plate: PlateResult) -> int:
    """Evidence rule: plate width. `plates` first, then the rectangle; `plate_true_width` is centimetres."""
    if plate.plates and 0 < plate.plates[0].plate_width < 10_000:
        return int(plate.plates[0].plate_width)
    if plate.location is None:
        return -1
    width = plate.location.rect.right - plate.location.rect.left
    return int(width) if 0 < width < 10_000 else -1


class VzPush:
    """One JSON body while it arrives."""

    def __init__(self, *, serial_needed: bool, replays: bool) -> None:
        self._serial_needed = serial_needed
        self._replays = replays
        self._cutter = Cutter(("imageFile", "imageFragmentFile"))
        self._looked_at = 0
        self._message: VzMessage | None = None
        self._have = 0

    def early(self, body: bytearray, have: int) -> Message | None:
        self._cutter.advance(body, have)
        if self._cutter.begun == self._looked_at or not self._cutter.begun:
            return None
        self._looked_at = self._cutter.begun  # once a picture: what stands before it does not change any more
        try:
            message = _message(_document(closed(self._cutter.text(body, have))))
        except Damaged:
            return None  # the whole body will say so
        # A picture that has begun and shows no byte yet is one: an empty one would have ended with its next byte.
        return message if message.kind == "plate" and self._enough(message) else None

    def _enough(self, message: VzMessage) -> bool:
        """Nothing that names, identifies or judges the car may still come."""
        plate = message.plate
        known = (plate.license, plate.plateid, plate.colour_type, plate.stamp)
        return (
            None not in known
            and (plate.isoffline is not None or not self._replays)
            and (message.serial != "" or not self._serial_needed)
        )

    def finish(self, body: bytearray, have: int) -> Message:
        self._cutter.advance(body, have)
        self._have = have
        text = self._cutter.text(body, have)
        repaired = False
        try:
            document = _document(text)
        except Damaged:
            whole = closed(text)
            if whole == text:
                raise
            document = _document(whole)
            repaired = True
        message = _message(document)
        if repaired and message.kind != "plate":
            raise Damaged("JSON is cut off")
        span = self._cutter.span(message.plate.image or "", have)
        self._message = msgspec.structs.replace(message, repaired=repaired, has_picture=span is not None)
        return self._message

    def picture(self, body: bytearray) -> bytes | None:
        assert self._message is not None
        span = self._cutter.span(self._message.plate.image or "", self._have)
        return jpeg(body, span, whole=not self._message.repaired) if span else None


def _document(text: str) -> Document:
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Damaged(f"JSON: {error}"[:200]) from None


def _message(document: Document) -> VzMessage:
    if document.alarm is not None:
        plate = document.alarm.result.plate if document.alarm.result else None
        if plate is None or plate.license is None:
            raise Damaged("AlarmInfoPlate.result.PlateResult.license is missing")
        return VzMessage(
            kind="plate", serial=document.alarm.serialno or "", plate=plate, has_picture=bool(plate.image)
        )
    for what, other in (
        ("AlarmGioIn", document.gio_in), ("SerialData", document.serial_data), ("TriggerImage", document.trigger_image),
    ):  # fmt: skip
        if other is not None:
            return VzMessage(kind="other", serial=other.serialno, what=what)
    return VzMessage(kind="other", what="unknown")


class VzForm:
    """A heartbeat: form fields with the serial number, and the camera's admin password, which nobody keeps."""

    def __init__(self, head: Head) -> None:
        self._content_type = head.fields.get("content-type", "")

    def early(self, body: bytearray, have: int) -> Message | None:
        return None

    def finish(self, body: bytearray, have: int) -> Message:
        if self._content_type.lower().startswith("multipart/"):
            fields = {
                part.name: decode_text(part.content(body))
                for part in multipart.split(body, have, self._content_type)
                if part.end - part.start <= MAX_FIELD_BYTES
            }
        else:
            fields = dict(parse_qsl(decode_text(body[:have][:MAX_FORM_BYTES]), max_num_fields=50))
        if "serialno" not in fields and "ipaddr" not in fields:
            raise Damaged("heartbeat without serialno and ipaddr")
        return VzMessage(kind="alive", serial=fields.get("serialno", "").strip(), what="heartbeat")

    def picture(self, body: bytearray) -> bytes | None:
        return None


MAX_FIELD_BYTES = 256
MAX_FORM_BYTES = 4096
_HEARTBEAT_TYPE = re.compile(r"(?:multipart/form-data|application/x-www-form-urlencoded)\b", re.IGNORECASE)


def is_form(head: Head) -> bool:
    return _HEARTBEAT_TYPE.match(head.fields.get("content-type", "")) is not None
