"""What a JPEG says of itself, read from its segments without decoding a pixel, and what is wrong with it by the rules.

The rules are T/QME 0015-2024 B.1, "图片存储及格式规范", eleven of them; 5 to 8 can be judged here. Where a rule has two
readings the limits lie inside both.
"""

from __future__ import annotations

import struct

import msgspec

WIDTH_MIN_PX, HEIGHT_MIN_PX = 1280, 720  # rule 6; a portrait picture is held to it too: nobody says "or turned"
BYTES_MIN = 20_480  # rule 8, "20KB": 1024 is the stricter reading (QC100)
BYTES_MAX = 500_000  # rule 8, "500KB": 1000 is the stricter reading (QC100)
PIXELS_MAX = 50_000_000
"""More than any camera has; decoded, 150 MB. A header may claim 65535 x 65535."""
SEAL_ROOM_BYTES = 2_000
"""What the seal adds at most; a picture must be under the limit with it."""
SEAL_MAGIC = b"parkbox-seal\0"

# ITU-T T.81 table K.1 in zigzag order, the base of every quality scale that cameras use.
_LUMINANCE = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51,
    61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77,
    113, 121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip
_SOI, _EOI, _SOS, _DQT, _APP1, _APP14 = 0xD8, 0xD9, 0xDA, 0xDB, 0xE1, 0xEE
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended sequential, progressive: what decoders read
_OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}


class NotAPictureError(ValueError):
    """No JPEG that can be read; the message says what it is instead."""


class Look(msgspec.Struct, frozen=True):
    width: int
    height: int
    components: int  # 1 grey, 3 colour, 4 CMYK
    bits: int
    progressive: bool
    orientation: int  # EXIF 1..8; 1 = upright
    quality: int  # 1..100 on the usual scale, judged by the luminance table
    end: int  # behind the last EOI; 0 = it was cut off
    bytes: int
    sealed: bool


def look(jpeg: bytes) -> Look:
    """Raises `NotAPictureError`."""
    if not jpeg.startswith(b"\xff\xd8"):
        raise NotAPictureError(f"begins with {jpeg[:4].hex() or 'nothing'}, a JPEG begins with ffd8")
    frame: tuple[int, int, int, int, int] | None = None
    orientation = 1
    quality = 0
    at = 2
    while True:
        marker, at, end = _segment(jpeg, at)
        if marker == _SOS:
            break
        part = jpeg[at:end]
        if marker in _FRAMES:
            if len(part) < 6:
                raise NotAPictureError("its frame header is cut off")
            bits, height, width, components = struct.unpack_from(">BHHB", part)
            frame = (marker, bits, height, width, components)
        elif marker in _OTHER_FRAMES:
            raise NotAPictureError(f"coded as SOF{marker - 0xC0} (lossless, hierarchical or arithmetic)")
        elif marker == _DQT and not quality:
            quality = _quality(part)
        elif marker == _APP1 and part.startswith(b"Exif\0\0"):
            orientation = _orientation(part[6:])
        at = end
    if frame is None:
        raise NotAPictureError("pixels without a frame header")
    marker, bits, height, width, components = frame
    if not width or not height or width * height > PIXELS_MAX:
        raise NotAPictureError(f"claims {width} x {height} px, allowed 1 to {PIXELS_MAX} px")
    if components not in (1, 3, 4):
        raise NotAPictureError(f"has {components} colour components, known are 1, 3 and 4")
    # Within pixels ff is always followed by 00 or a restart mark: the last ffd9 is the end.
    last = jpeg.rfind(b"\xff\xd9", at)
    return Look(
        width=width,
        height=height,
        components=components,
        bits=bits,
        progressive=marker == 0xC2,
        orientation=orientation,
        quality=quality or 75,
        end=last + 2 if last >= 0 else 0,
        bytes=len(jpeg),
        sealed=SEAL_MAGIC in jpeg,
    )


def wrong(seen: Look) -> tuple[str, ...]:
    """Why it must be encoded again; empty: it can stay as it is."""
    found = (
        ("small", seen.width < WIDTH_MIN_PX or seen.height < HEIGHT_MIN_PX),
        ("colours", seen.components != 3 or seen.bits != 8),
        ("turned", seen.orientation != 1),
        ("truncated", not seen.end),
        ("large_file", seen.bytes > BYTES_MAX - SEAL_ROOM_BYTES),
        ("sealed", seen.sealed),  # a seal that is not this picture's would be found first
    )
    return tuple(name for name, yes in found if yes)


def header_end(jpeg: bytes) -> int:
    """Behind the leading JFIF and EXIF segments, which their standards want first: where a segment may be put."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] in (0xE0, _APP1):
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return at


def _segment(jpeg: bytes, at: int) -> tuple[int, int, int]:
    """Marker, begin and end of the next segment's content."""
    while True:
        if at + 4 > len(jpeg):
            raise NotAPictureError("cut off before its pixels")
        if jpeg[at] != 0xFF:
            raise NotAPictureError(f"damaged before its pixels, at byte {at}")
        marker = jpeg[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= _SOI:  # marks without content
            at += 2
        else:
            break
    if marker in (0x00, _EOI):
        raise NotAPictureError(f"holds no pixels, ends at byte {at}")
    length = int.from_bytes(jpeg[at + 2 : at + 4])
    if length < 2 or at + 2 + length > len(jpeg):
        raise NotAPictureError("cut off before its pixels")
    return marker, at + 4, at + 2 + length


def _quality(tables: bytes) -> int:
    """The inverse of libjpeg's quality scaling, from the mean over the first table."""
    if not tables:
        return 0
    wide = tables[0] >> 4
    need = 129 if wide else 65
    if len(tables) < need:
        return 0
    steps: tuple[int, ...] = struct.unpack_from(">64H" if wide else ">64B", tables, 1)
    scale: float = 100 * sum(steps) / sum(_LUMINANCE)
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return min(100, max(1, round(quality)))


def _orientation(tiff: bytes) -> int:
    """Tag 0x0112 of the first directory (EXIF 2.32, 4.6.4); 1 where it cannot be read."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    try:
        if order is None:
            return 1
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, first)
        for entry in range(min(count, 200)):
            tag, _kind, _count, value = struct.unpack_from(order + "HHIH", tiff, first + 2 + 12 * entry)
            if tag == 0x0112:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1  # damaged EXIF data says nothing: the picture is taken as it lies
    return 1
