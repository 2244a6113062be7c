"""The seal: what the box says of a picture, signed, in one segment of the JPEG itself; and the judgement of one.

The segment (APP10) holds `parkbox-seal\\0`, version 1, the public key (32 bytes), the Ed25519 signature (64) and the
claim as JSON. Signed is `parkbox-seal-1\\0` and the claim as it stands. The claim holds the SHA-256 of the file
without the segment, so that any SHA-256 and any Ed25519 can check it. Each claim names the seal before it at its
lane by number and digest: a picture that was taken out leaves a gap.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.evidence.claim import MARKER, Claim, digest_of, segment_of
from edge.evidence.look import SEAL_MAGIC, SEAL_ROOM_BYTES, header_end

VERSION = b"\x01"
SIGNED = b"parkbox-seal-1\0"
FIRST = ""  # `previous` of a lane's first seal

State = Literal["untouched", "picture_changed", "data_changed", "foreign_key", "no_seal"]


class Verdict(msgspec.Struct, frozen=True):
    state: State
    claim: Claim | None = None
    key: bytes = b""
    digest: str = ""  # what the next seal of the lane must name
    also_picture: bool = False  # data changed, and the picture does not fit what it says either


def seal(jpeg: bytes, claim: Claim, key: Ed25519PrivateKey) -> tuple[bytes, str]:
    """The sealed file and the digest of its seal. `picture_*` of the claim are filled in here."""
    claim = msgspec.structs.replace(
        claim, picture_sha256=hashlib.sha256(jpeg).hexdigest(), picture_bytes=len(jpeg)
    )
    text = msgspec.json.encode(claim)
    content = SEAL_MAGIC + VERSION + key.public_key().public_bytes_raw() + key.sign(SIGNED + text) + text
    if len(content) + 4 > SEAL_ROOM_BYTES:
        raise ValueError(f"the seal takes {len(content) + 4} bytes, allowed {SEAL_ROOM_BYTES}: names are too long")
    at = header_end(jpeg)
    segment = MARKER + (len(content) + 2).to_bytes(2) + content
    return jpeg[:at] + segment + jpeg[at:], digest_of(content)


def judge(jpeg: bytes, expected_key: bytes | None = None) -> Verdict:
    """`expected_key` None: whose key it is, is not judged. The first seal in the file counts."""
    place = segment_of(jpeg)
    if place is None:
        return Verdict("no_seal")
    begin, end = place
    content = jpeg[begin + 4 : end]
    at = len(SEAL_MAGIC) + 1
    public, signature, text = content[at : at + 32], content[at + 32 : at + 96], content[at + 96 :]
    try:
        claim = msgspec.json.decode(text, type=Claim)
    except (msgspec.DecodeError, UnicodeDecodeError):
        claim = None
    fits = claim is not None and claim.picture_sha256 == hashlib.sha256(jpeg[:begin] + jpeg[end:]).hexdigest()
    well_formed = jpeg[begin : begin + 2] == MARKER and content[at - 1 : at] == VERSION and claim is not None
    if not well_formed or not _signed(public, signature, text):
        return Verdict("data_changed", claim, public, also_picture=not fits)
    state: State = "untouched" if fits else "picture_changed"
    if expected_key is not None and expected_key != public:
        state = "foreign_key"
    return Verdict(state, claim, public, digest_of(content), state == "foreign_key" and not fits)


def _signed(public: bytes, signature: bytes, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, SIGNED + text)
    except (InvalidSignature, ValueError):
        return False
    return True
