"""Hikvision ISAPI event pushes: multipart with an XML part first, or XML alone (ISAPI, EventNotificationAlert).

The XML stands before the pictures, so a read is ready when its end tag has arrived. XML is read with expat: no
tree, no entities, a DOCTYPE is refused. Namespaces differ (isapi.org, hikvision.com, std-cgi ver10, `ns1:` from a
recorder) and mean nothing: local names do. The reply never opens anything, Hikvision has no such reply.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, Literal
from xml.parsers import expat

import msgspec

from drivers.cameras import multipart
from drivers.cameras.cut import JPEG_START, checked_jpeg
from drivers.cameras.http import Head
from drivers.cameras.reading import (
    DOC_LIMIT_BYTES,
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

MAX_DEPTH = 32
_OVERLAP_BYTES = 64
_START = re.compile(rb"<(?:\?xml|!DOCTYPE|(?:\w{1,20}:)?EventNotificationAlert)\b")
_END = re.compile(rb"</(?:\w{1,20}:)?EventNotificationAlert\s*>")

BEIJING = timezone(timedelta(hours=8))
"""A time without zone is the camera's local one."""

# ISAPI plateColor; golden, orange, red, mixedColor, brown and other are no plate colours of China.
_COLOURS = {
    "blue": "blue", "yellow": "yellow", "white": "white", "black": "black", "green": "green",
    "newEnergyGreen": "green", "newEnergyYellowGreen": "yellow_green",
    "civilAviationBlack": "black", "civilAviationGreen": "green",
}  # fmt: skip
_PREFIXES = {"蓝": "blue", "黄": "yellow", "白": "white", "黑": "black", "绿": "green"}
_HEARTBEAT = ("videoloss", "inactive")
"""ISAPI has no heartbeat of its own: cameras send "no video loss" every few seconds."""


class HikMessage(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["plate", "alive", "other"]
    serial: str
    what: str
    fields: dict[str, str]
    has_picture: bool

    def reading(self, vendor: str) -> Reading:
        if vendor != "hikvision":
            raise Damaged(f"an ISAPI push from a camera configured as {vendor}")
        fields = self.fields
        written = plate_text(_plate(fields), "licensePlate")
        plate, prefix_colour = without_colour(written)
        known = _COLOURS.get(fields.get("ANPR/plateColor", ""), "unknown")
        return Reading(
            event_id=_event_id(fields),
            plate_raw=plate,
            no_plate=is_no_plate(plate),
            colour=prefix_colour if known == "unknown" else known,
            confidence_pct=percent(_number(fields.get("ANPR/confidenceLevel", ""))),
            odd=odd_percent("confidenceLevel", _number(fields.get("ANPR/confidenceLevel", ""))),
            # plateRect is on a 0..1000 grid, not in pixels: unknown until the picture is measured
            camera_time_ms=_time_ms(fields.get("dateTime", "")),
            picture=self.has_picture,
            replay=fields.get("ANPR/alarmDataType") == "1",
        )

    def reply(self, vendor: str, opened: bool) -> bytes:
        return b""


def _plate(fields: dict[str, str]) -> str | None:
    for name in ("ANPR/licensePlate", "ANPR/plateNumber", "ANPR/originalLicensePlate"):
        if name in fields:
            return fields[name]
    return None


def without_colour(written: str) -> tuple[str, str]:
    """Chinese plates carry their colour in front: 蓝浙AX2P12. 黑 is a colour and a province (黑A12345)."""
    colour = _PREFIXES.get(written[:1], "")
    rest = written[1:]
    province = written[:1] == "黑" and rest[:1].isascii() and rest[:1].isalpha()
    if not colour or not rest or province:
        return written, "unknown"
    if colour == "yellow" and rest.startswith("绿"):
        return rest[1:], "yellow_green"
    return rest, colour


def _event_id(fields: dict[str, str]) -> str:
    """UUID; older ones have none and count `activePostCount` up with each re-send, so their time has to do."""
    uuid = fields.get("UUID", "")
    time = fields.get("dateTime", "")
    return event_key(uuid or (f"{fields.get('channelID', '')}@{time}" if time else ""))


def _number(text: str) -> float:
    """Confidence comes as "98" and as "92.5"."""
    try:
        return float(text)
    except ValueError:
        return -1


def _time_ms(text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return -1
    if time.tzinfo is None:
        time = time.replace(tzinfo=BEIJING)
    try:
        return bounded_time_ms(time.timestamp() * 1000)
    except (OverflowError, ValueError):
        return -1


def parse_xml(raw: bytes) -> dict[str, str]:
    """Texts by path below the root, in local names; of a repeated path the first. Raises `Damaged`."""
    if len(raw) > DOC_LIMIT_BYTES:
        raise Damaged(f"XML of {len(raw)} bytes, allowed are {DOC_LIMIT_BYTES}")
    fields: dict[str, str] = {}
    stack: list[str] = []
    texts: list[list[str]] = []

    def start(name: str, attributes: Any) -> None:
        stack.append(name.rpartition(":")[2])
        texts.append([])
        if len(stack) > MAX_DEPTH:
            raise Damaged(f"XML deeper than {MAX_DEPTH}")

    def end(name: str) -> None:
        path = "/".join(stack[1:])
        stack.pop()
        fields.setdefault(path, "".join(texts.pop()).strip())

    def text(piece: str) -> None:
        texts[-1].append(piece)

    def doctype(*_: Any) -> None:
        raise Damaged("XML with a DOCTYPE")

    parser = expat.ParserCreate("utf-8")  # whatever the declaration says: the text is decoded already
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(decode_text(raw).encode("utf-8"), True)
    except expat.ExpatError as error:
        raise Damaged(f"XML: {error}") from None
    return fields


def message_of(raw: bytes) -> HikMessage:
    """One event of a stream, whose pictures come behind it. Raises `Damaged`."""
    body = bytearray(raw)
    match = _END.search(body)
    if match is None:
        raise Damaged("no whole EventNotificationAlert in the part")
    return _understood(body, match.end(), pictures=True)


def _understood(body: bytearray, end: int, pictures: bool) -> HikMessage:
    """The event that ends here; `pictures`: some may come with it."""
    start = _START.search(body, 0, end)
    if start is None:
        raise Damaged("no EventNotificationAlert in the push")
    fields = parse_xml(bytes(body[start.start() : end]))
    event = fields.get("eventType", "")
    kind: Literal["plate", "alive", "other"] = "other"
    if event == "ANPR" or (_plate(fields) is not None and not event):
        kind = "plate"
        if _plate(fields) is None:
            raise Damaged("ANPR/licensePlate is missing")
    elif (event, fields.get("eventState")) == _HEARTBEAT:
        kind = "alive"
    return HikMessage(
        kind=kind,
        serial=fields.get("deviceUUID") or fields.get("macAddress", ""),
        what=event[:40] or "unknown",
        fields=fields,
        has_picture=pictures and fields.get("picNum") != "0",
    )


class HikPush:
    """One body while it arrives."""

    def __init__(self, head: Head) -> None:
        self._content_type = head.fields.get("content-type", "")
        self._multipart = self._content_type.lower().startswith("multipart/")
        self._seek = 0
        self._looked = False
        self._have = 0

    def early(self, body: bytearray, have: int) -> Message | None:
        if self._looked:
            return None
        end = self._document_end(body, have)
        if end < 0:
            return None
        self._looked = True
        try:
            message = self._message(body, end)
        except Damaged:
            return None  # the whole body will say so
        return message if message.kind == "plate" else None

    def _document_end(self, body: bytearray, have: int) -> int:
        match = _END.search(body, self._seek, have)
        if match is None:
            self._seek = max(self._seek, have - _OVERLAP_BYTES)
            self._looked = have > 2 * DOC_LIMIT_BYTES  # no XML of ours: stop searching in pictures
            return -1
        return match.end()

    def finish(self, body: bytearray, have: int) -> Message:
        self._have = have
        match = _END.search(body, 0, min(have, 2 * DOC_LIMIT_BYTES))
        if match is None:
            raise Damaged("no whole EventNotificationAlert in the push")
        return self._message(body, match.end())

    def _message(self, body: bytearray, end: int) -> HikMessage:
        return _understood(body, end, self._multipart)

    def picture(self, body: bytearray) -> bytes | None:
        """The detection picture, else the largest that is not the plate's crop."""
        if not self._multipart:
            return None
        scenes = [
            part
            for part in multipart.split(body, self._have, self._content_type)
            if body.startswith(JPEG_START, part.start, part.end) and not _named(part, "licensePlate")
        ]
        if not scenes:
            return None
        best = max(scenes, key=lambda part: (_named(part, "detectionPicture"), part.end - part.start))
        content = best.content(body)
        if best.end < self._have:
            return checked_jpeg(content)
        return checked_jpeg(content.removesuffix(b"\r\n"), whole=False)  # its end boundary is missing


def _named(part: multipart.Part, start: str) -> bool:
    return part.name.startswith(start) or part.filename.startswith(start)
