"""What a seal says, and where it stands in a JPEG. Nothing is judged here: the agent reads it without cryptography."""

from __future__ import annotations

import hashlib

import msgspec

from edge.evidence.look import SEAL_MAGIC

MARKER = b"\xff\xea"  # APP10: not used by JFIF, EXIF, ICC, JUMBF or Adobe
BEFORE_TEXT = len(SEAL_MAGIC) + 1 + 32 + 64  # version, public key, signature


class Claim(msgspec.Struct, frozen=True):
    """What a seal says. Times are Asia/Shanghai with their offset, and UTC milliseconds."""

    record_id: str
    read_id: str
    box: str
    lot: str
    lane: str
    direction: str
    device: str
    plate: str
    taken: str
    taken_ms: int
    passed_ms: int
    code: str
    flags: tuple[str, ...]
    source_sha256: str  # of the camera's JPEG as it came
    chain: int  # number of this seal at its lane, from 1
    previous: str  # digest of the seal before it
    picture_sha256: str = ""
    picture_bytes: int = 0


def segment_of(jpeg: bytes) -> tuple[int, int] | None:
    """Begin and end of the first seal's segment; None: there is none."""
    found = jpeg.find(SEAL_MAGIC)
    if found < 4:
        return None
    return found - 4, found + int.from_bytes(jpeg[found - 2 : found]) - 2


def digest_of(content: bytes) -> str:
    """By which the next seal of the lane names this one."""
    return hashlib.sha256(content).hexdigest()[:32]


def claim_of(jpeg: bytes) -> tuple[Claim, str] | None:
    """What its seal says, unjudged, and the seal's digest; None: no seal that can be read."""
    place = segment_of(jpeg)
    if place is None:
        return None
    content = jpeg[place[0] + 4 : place[1]]
    try:
        return msgspec.json.decode(content[BEFORE_TEXT:], type=Claim), digest_of(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
