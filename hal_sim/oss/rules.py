"""What the city demands of a picture and its place: T/QME 0015-2024 B.1 图片存储及格式规范, B.3 文件接口协议.

Each judgement is a list of sentences, empty when all is right. What only eyes see (a legible plate, its width) is
not judged; time, place, device and anti-forgery code are asked of the seal, whose form docs/evidence.md describes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hal_sim.oss.jpeg import Head, NoJpegError, read_head

CHINA = timezone(timedelta(hours=8))
WIDTH_MIN_PX, HEIGHT_MIN_PX = 1280, 720  # rule 6
BITS_MIN = 24  # rule 7
BYTES_MIN, BYTES_MAX = 20_480, 500_000  # rule 8, inside both meanings of KB
ACL = "public-read-write"  # rule 11: 公共读写
CONTENT_TYPE = "image/jpeg"

FOLDERS = {"NISSP_IMG_PARK_IN": "in", "NISSP_IMG_PARK_OUT": "out"}  # lines 737 and 738
_KEY = re.compile(r"([^/]+)/([^/]+)/(\d{8})/([0-9a-fA-F]{32})")
SEAL_MARKER, SEAL_NAME = 0xEA, b"parkbox-seal\0"
SAID = ("taken", "lot", "lane", "device", "code")
"""Rule 10: time, place, device and anti-forgery data."""


@dataclass(frozen=True, slots=True)
class Place:
    """An object key, taken apart."""

    project: str
    direction: str
    day: str
    record_id: str


def place_of(key: str) -> Place | None:
    """None: no path of interface 5."""
    found = _KEY.fullmatch(key)
    if found is None or found[2] not in FOLDERS or _day(found[3]) is None:
        return None
    return Place(found[1], FOLDERS[found[2]], found[3], found[4])


def wrong_place(key: str, project: str) -> list[str]:
    place = place_of(key)
    if place is None:
        return [f"路径 key {key!r} 须为 must be 项目编号/NISSP_IMG_PARK_IN|OUT/yyyyMMdd/32 位记录 ID"]
    if place.project != project:
        return [f"项目编号 project {place.project!r} 须为 must be {project!r}"]
    return []


def wrong_headers(headers: Mapping[str, str], acl: str) -> list[str]:
    """`acl`: what the city wants, "" = nothing said."""
    wrong = []
    if headers.get("content-type") != CONTENT_TYPE:
        wrong.append(f"Content-Type {headers.get('content-type')!r} 须为 must be {CONTENT_TYPE}")
    if headers.get("x-oss-object-acl", "") != acl:
        wrong.append(f"x-oss-object-acl {headers.get('x-oss-object-acl')!r} 须为 must be {acl or 'left out'}")
    return wrong


def wrong_picture(data: bytes, place: Place | None) -> list[str]:
    wrong = []
    if not BYTES_MIN <= len(data) <= BYTES_MAX:
        wrong.append(f"大小 size {len(data)} 须为 must be {BYTES_MIN} to {BYTES_MAX}")
    try:
        head = read_head(data)
    except NoJpegError as error:
        return [*wrong, str(error)]
    if head.width < WIDTH_MIN_PX or head.height < HEIGHT_MIN_PX:
        wrong.append(f"分辨率 {head.width}x{head.height} 不低于 at least {WIDTH_MIN_PX}x{HEIGHT_MIN_PX}")
    if head.bits < BITS_MIN:
        wrong.append(f"颜色 {head.bits} 位 bit 不低于 at least {BITS_MIN}")
    return wrong + _wrong_seal(data, head, place)


def day_of(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(CHINA).strftime("%Y%m%d")


def _wrong_seal(data: bytes, head: Head, place: Place | None) -> list[str]:
    """Rule 3: the seal fits the picture and the claim; and it is the seal of this record, in its day's folder."""
    found = [one for one in head.segments if one[0] == SEAL_MARKER and one[1].startswith(SEAL_NAME)]
    if len(found) != 1:
        return [f"防篡改 seals: {len(found)}, 须为 must be 1"]
    _, content, begin, end = found[0]
    rest = content[len(SEAL_NAME) + 1 :]
    public, signature, text = rest[:32], rest[32:96], rest[96:]
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, b"parkbox-seal-1\0" + text)
        claim = json.loads(text)
    except (InvalidSignature, ValueError) as error:
        return [f"防篡改 the seal is not genuine: {type(error).__name__}"]
    wrong = []
    if claim["picture_sha256"] != hashlib.sha256(data[:begin] + data[end:]).hexdigest():
        wrong.append("防篡改 the picture is not the one that was sealed")
    wrong += [f"{name}: 缺少 is missing in the seal" for name in SAID if not claim.get(name)]
    if place is not None:
        said = (claim["record_id"], claim["direction"], day_of(claim["passed_ms"]))
        if said != (place.record_id, place.direction, place.day):
            wrong.append(f"路径 {place} 与图片所记 {said} 不符, the picture is of another passage or day")
    return wrong


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=CHINA)
    except ValueError:
        return None
