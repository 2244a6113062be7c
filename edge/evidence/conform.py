"""A camera's JPEG to one that obeys the rules: at most one decode and, in all but rare cases, one encode.

What already obeys and carries the camera's own overlay stays as it is. Smaller pictures are scaled up and flagged
(the camera is to be set right), pictures too rich for 500 KB lose quality and then size, dark ones under 20 KB
are filled up with a comment.
"""

from __future__ import annotations

import cv2
import msgspec
import numpy as np

from edge.evidence.fit import LIMIT_BYTES, QUALITY_MAX, Image, choose, encode, lower
from edge.evidence.look import (
    BYTES_MIN,
    HEIGHT_MIN_PX,
    PIXELS_MAX,
    WIDTH_MIN_PX,
    Look,
    NotAPictureError,
    header_end,
    look,
    wrong,
)
from edge.evidence.overlay import draw

SCALED_MAX_PX = 16_000_000
"""A picture that would grow beyond is a line or a dot, not a scene."""
QUALITY_FLOOR = 45
"""Under this a picture is halved instead: fewer pixels at a decent quality show more than many at a bad one."""
SOURCE_QUALITY_MIN = 70  # a source worse than this is not made worse still
RAISED_QUALITY = 95  # for pictures that come out under 20 KB
FILL_MAX_BYTES = 65_533
SURE_BYTES = 380_000
"""A camera's JPEG up to this size fits without a probe: re-encoded at no higher quality it grew by 4 % at most (scenes
of the bench); a quarter is left for encoders that are cleverer than ours, and there is a second encode."""


class Conformed(msgspec.Struct, frozen=True):
    jpeg: bytes
    flags: tuple[str, ...]
    """small, colours, turned, truncated, large_file, sealed: what the camera's was; scaled_up, halved, filled,
    over_limit: what became of it. Empty for a camera that is set right."""
    width: int
    height: int
    source_width: int
    encodes: int
    quality: int  # 0 = not encoded here


def conform(jpeg: bytes, lines: tuple[str, ...], hint: int | None = None) -> Conformed:
    """`lines` empty: the camera prints its own overlay. `hint`: the quality of this camera's last picture.

    Raises `NotAPictureError`.
    """
    seen = look(jpeg)
    flags = list(wrong(seen))
    if not lines and not flags:
        kept, filled = _filled(jpeg[: seen.end])
        return Conformed(kept, filled, seen.width, seen.height, seen.width, 0, 0)
    image = _decode(jpeg, seen)
    image, scaled = _scaled_up(image)
    flags += scaled
    cap = min(QUALITY_MAX, max(SOURCE_QUALITY_MIN, seen.quality))
    if not scaled and cap <= seen.quality and BYTES_MIN * 2 < seen.bytes < SURE_BYTES:
        quality, predicted = cap, seen.bytes  # no coarser than it came, it would be about as large: nothing to find out
    else:
        quality, predicted = choose(image, cap, hint)
    if quality < QUALITY_FLOOR and image.shape[1] >= 2 * WIDTH_MIN_PX and image.shape[0] >= 2 * HEIGHT_MIN_PX:
        image = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        flags.append("halved")
        quality, predicted = choose(image, cap)
    if predicted < BYTES_MIN:
        quality = RAISED_QUALITY
    if lines:
        draw(image, lines)
    made, encodes = encode(image, quality), 1
    if len(made) > LIMIT_BYTES:
        quality = lower(quality, len(made))
        made, encodes = encode(image, quality), 2
    if len(made) > LIMIT_BYTES:
        flags.append("over_limit")
    made, filled = _filled(made)
    return Conformed(made, (*flags, *filled), image.shape[1], image.shape[0], seen.width, encodes, quality)


def _decode(jpeg: bytes, seen: Look) -> Image:
    """24 bit, upright; of a truncated picture what there is, the rest grey."""
    whole = jpeg if seen.end else jpeg + b"\xff\xd9"  # without an end OpenCV refuses what it has already decoded
    image = cv2.imdecode(np.frombuffer(whole, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise NotAPictureError(f"{seen.width} x {seen.height} px by its header, but its pixels cannot be decoded")
    return np.asarray(image, np.uint8)


def _scaled_up(image: Image) -> tuple[Image, list[str]]:
    height, width = image.shape[:2]
    factor = max(WIDTH_MIN_PX / width, HEIGHT_MIN_PX / height)
    if factor <= 1:
        return image, []
    size = (max(WIDTH_MIN_PX, round(width * factor)), max(HEIGHT_MIN_PX, round(height * factor)))
    if size[0] * size[1] > min(SCALED_MAX_PX, PIXELS_MAX):
        raise NotAPictureError(f"{width} x {height} px is no shape of a scene")
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8), ["scaled_up"]


def _filled(jpeg: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Up to 20 KB with a comment segment: a black night holds no more than its few bytes."""
    need = BYTES_MIN - len(jpeg)
    if need <= 0:
        return jpeg, ()
    content = min(FILL_MAX_BYTES, max(0, need - 4))
    at = header_end(jpeg)
    fill = b"\xff\xfe" + (content + 2).to_bytes(2) + b" " * content
    return jpeg[:at] + fill + jpeg[at:], ("filled",)
