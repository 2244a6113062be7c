"""RK "V5" pushes: an AlarmInfoPlate of its own kind (http_post_v5 firmware source, generat_http_data.c).

It looks like VZ's and is not: the serial number's key is `seriaIno` with a capital I, times are `recotime` in words
and a `TimeVal` of zeros, colours are Chinese words, `imageFileLen` is the length of the base64, and the content type
says UTF-8 of a GB2312 body and the other way round. A setting (`data_type`) drops whole groups of fields. A car
without plate has an empty `license`.

Only `barrier_control` and `Open` move the barrier. One published version of the firmware opens it at "close" too,
so the box never says "close".
"""

from datetime import datetime, timedelta, timezone
from typing import Literal

import msgspec

from drivers.cameras.one_look import OneLook
from drivers.cameras.reading import (
    Damaged,
    Message,
    Reading,
    bounded_time_ms,
    event_key,
    is_no_plate,
    odd_percent,
    percent,
    plate_text,
)
from drivers.cameras.words import colour_of_word

BEIJING = timezone(timedelta(hours=8))
"""`recotime` is the camera's local time."""

KEEP = b'{"Response":{}}'
"""The firmware calls an answer without `Response` a failure."""
OPEN = b'{"Response":{"barrier_control":{"action":"open"}}}'

RESENT = 1
"""`resultType`: 0 live, 1 sent again after a failure (RESULT_TYPE_ABNORMAL)."""


class Rect(msgspec.Struct):
    left: float = 0
    right: float = 0


class Location(msgspec.Struct):
    rect: Rect = msgspec.field(default_factory=Rect, name="RECT")


class PlateResult(msgspec.Struct):
    license: str | None = None
    colour: str | None = msgspec.field(default=None, name="platecolor")
    time: str | None = msgspec.field(default=None, name="recotime")
    confidence: float = -1
    location: Location | None = None
    image: str | None = msgspec.field(default=None, name="imageFile")


class Result(msgspec.Struct):
    plate: PlateResult | None = msgspec.field(default=None, name="PlateResult")


class Alarm(msgspec.Struct):
    result: Result | None = None
    result_type: int | None = msgspec.field(default=None, name="resultType")
    serial: str = msgspec.field(default="", name="seriaIno")
    number: str = msgspec.field(default="", name="sn")


class KeepAlive(msgspec.Struct):
    rom: str = msgspec.field(default="", name="ROMID")
    number: str = msgspec.field(default="", name="SN")


class IoState(msgspec.Struct):
    rom_id: str = ""


class Document(msgspec.Struct):
    alarm: Alarm | None = msgspec.field(default=None, name="AlarmInfoPlate")
    alive: KeepAlive | None = msgspec.field(default=None, name="KeepAlive")
    io: IoState | None = msgspec.field(default=None, name="gpio_state")


_DECODER = msgspec.json.Decoder(Document, strict=False)


class RkMessage(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["plate", "alive", "other"]
    serial: str = ""
    what: str = "plate"
    plate: PlateResult = msgspec.field(default_factory=PlateResult)
    resent: bool = False
    has_picture: bool = False

    def reading(self, vendor: str) -> Reading:
        if vendor != "rk_v5":
            raise Damaged(f"an RK V5 push from a camera configured as {vendor}")
        plate = self.plate
        raw = plate_text(plate.license, "license")
        rect = plate.location.rect if plate.location else Rect()
        width = rect.right - rect.left
        return Reading(
            event_id=event_key(plate.time or ""),
            plate_raw=raw,
            no_plate=is_no_plate(raw),
            colour=colour_of_word(plate.colour or ""),
            confidence_pct=percent(plate.confidence),
            plate_width_px=int(width) if 0 < width < 10_000 else -1,
            camera_time_ms=_time_ms(plate.time or ""),
            picture=self.has_picture,
            replay=self.resent,
            odd=odd_percent("confidence", plate.confidence),
        )

    def reply(self, vendor: str, opened: bool) -> bytes:
        return OPEN if opened and self.kind == "plate" and not self.resent else KEEP


def _time_ms(text: str) -> int:
    try:
        time = datetime.fromisoformat(text.strip())
        return bounded_time_ms(time.replace(tzinfo=BEIJING).timestamp() * 1000)
    except (ValueError, OverflowError):
        return -1


class RkPush:
    """One JSON body while it arrives. The serial number stands behind the pictures."""

    def __init__(self, *, serial_needed: bool) -> None:
        self._serial_needed = serial_needed
        self._look = OneLook("imageFile", "imageFragmentFile")
        self._image = ""

    def early(self, body: bytearray, have: int) -> Message | None:
        """The firmware writes `resultType`, the plate and its time before the picture."""
        text = None if self._serial_needed else self._look.before(body, have)
        if text is None:
            return None
        try:
            message = self._understand(text)
        except Damaged:
            return None  # the whole body will say so
        plate = message.plate
        enough = message.what == "plate" and None not in (plate.license, plate.colour, plate.time)
        return msgspec.structs.replace(message, has_picture=True) if enough else None

    def finish(self, body: bytearray, have: int) -> Message:
        message = self._understand(self._look.whole(body, have))
        self._image = message.plate.image or ""
        return msgspec.structs.replace(message, has_picture=self._look.has(self._image))

    def picture(self, body: bytearray) -> bytes | None:
        return self._look.picture(body, self._image)

    def _understand(self, text: str) -> RkMessage:
        try:
            document = _DECODER.decode(text)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Damaged(f"JSON: {error}"[:200]) from None
        if document.alive is not None:
            serial = document.alive.rom or document.alive.number
            return RkMessage(kind="alive", serial=serial, what="KeepAlive")
        if document.alarm is None:
            io = document.io
            return RkMessage(
                kind="other", serial=io.rom_id if io else "", what="gpio_state" if io else "unknown"
            )
        plate = document.alarm.result.plate if document.alarm.result else None
        if plate is None or plate.license is None:
            raise Damaged("AlarmInfoPlate.result.PlateResult.license is missing")
        return RkMessage(
            kind="plate",
            serial=document.alarm.serial or document.alarm.number,
            plate=plate,
            resent=document.alarm.result_type == RESENT,
        )
