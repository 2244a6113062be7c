"""The JPEG quality for a size limit, from probes on a few rows: one full encode instead of a search by full encodes.

Every 16th band of 16 rows is stacked into a small picture; its size at a quality, times 16, is the size of the
whole (measured on lane pictures: mostly within 6 %). Size falls with the coarseness of the tables as a power, so
two probes give the exponent and a third confirms.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from edge.evidence.look import BYTES_MAX, SEAL_ROOM_BYTES

Image = npt.NDArray[np.uint8]

QUALITY_MAX = 85  # above, an evidence picture only grows; the plate is as legible
QUALITY_MIN = 10
TARGET_BYTES = 460_000  # the limit less the error of a prediction
LIMIT_BYTES = BYTES_MAX - SEAL_ROOM_BYTES
BAND_ROWS = 16  # one row of 4:2:0 blocks
EVERY = 16
PROBES_MAX = 4
HEAD_BYTES = 623  # tables and marks of an OpenCV JPEG, the same in the small picture


class EncodeError(RuntimeError):
    """OpenCV made no JPEG of it."""


def encode(image: Image, quality: int) -> bytes:
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise EncodeError(f"no JPEG of {image.shape} at quality {quality}")
    return data.tobytes()


def choose(image: Image, cap: int, hint: int | None = None) -> tuple[int, int]:
    """The highest quality up to `cap` under the target, and its predicted bytes. `hint`: the camera's last one."""
    bands = _bands(image)
    share = image.shape[0] / bands.shape[0]
    known: dict[int, int] = {}

    def size(quality: int) -> int:
        if quality not in known:
            known[quality] = int((len(encode(bands, quality)) - HEAD_BYTES) * share) + HEAD_BYTES
        return known[quality]

    quality = min(cap, hint) if hint is not None else cap
    if size(quality) > TARGET_BYTES or quality < cap:
        quality = _search(size, known, quality, cap)
    return quality, size(quality)


def lower(quality: int, made_bytes: int, limit_bytes: int = TARGET_BYTES) -> int:
    """The quality for a second and last encode, from what the first one really gave; on the safe side."""
    coarse = _coarse(quality) * (made_bytes / (0.9 * limit_bytes)) ** (1 / 0.6)
    return max(QUALITY_MIN, min(quality - 1, _quality(coarse)))


def _search(size: Callable[[int], int], known: dict[int, int], first: int, cap: int) -> int:
    exponent = 0.75
    quality = first
    while len(known) < PROBES_MAX:
        coarse = _coarse(quality) * (size(quality) / (0.97 * TARGET_BYTES)) ** (1 / exponent)
        following = max(QUALITY_MIN, min(cap, _quality(coarse)))
        if following in known:
            break
        bytes_before, bytes_after = size(quality), size(following)
        span = math.log(_coarse(following) / _coarse(quality))
        if bytes_before != bytes_after and span:
            exponent = min(2.0, max(0.3, math.log(bytes_before / bytes_after) / span))
        quality = following
        if 0.93 * TARGET_BYTES <= bytes_after <= TARGET_BYTES:
            break
    fitting = [one for one, bytes_ in known.items() if bytes_ <= TARGET_BYTES]
    if fitting:
        return max(fitting)
    least = min(known)
    return lower(least, known[least])


def _coarse(quality: int) -> float:
    """libjpeg's scale of the tables in percent."""
    return 5000 / quality if quality < 50 else max(2.0, 200 - 2 * quality)


def _quality(coarse: float) -> int:
    return math.floor(5000 / coarse) if coarse > 100 else math.floor((200 - coarse) / 2)


def _bands(image: Image) -> Image:
    rows = image.shape[0] // BAND_ROWS
    step = min(EVERY, max(1, rows // 3))
    parts = [image[at * BAND_ROWS : (at + 1) * BAND_ROWS] for at in range(step // 2, rows, step)]
    return np.concatenate(parts)
