"""Two lines of text into a picture (B.1 rules 2 and 10): time, place, device, plate, anti-forgery code.

Drawn by OpenCV 5 with the Chinese font that it brings, on a darkened patch at the top left: plates are read further
down.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import cv2
import numpy as np

from edge.evidence.fit import Image

INK = (255, 255, 255)
WEIGHT = 400
SIZE_OF_HEIGHT = 1 / 40  # 27 px in a 1080p picture, 18 px in 720p
SIZE_MIN_PX = 14

_font = cv2.FontFace("uni")


def draw(image: Image, lines: tuple[str, ...]) -> None:
    """Into the picture itself. A text that is too long gets smaller, then loses its end."""
    width, height = image.shape[1], image.shape[0]
    size = max(SIZE_MIN_PX, round(min(height, width) * SIZE_OF_HEIGHT))
    widest = max(map(_ems, lines))
    size = max(SIZE_MIN_PX, min(size, int((width - 2 * size) / widest)))
    row = round(size * 1.45)
    shade = image[: row * len(lines) + size // 3, : int(widest * size) + size]
    np.right_shift(shade, 2, out=shade)
    for number, line in enumerate(lines, 1):
        place = (size // 2, row * number - size // 4)
        shown = line if widest * size <= width - size else _cut(line, (width - size) / size)
        cv2.putText(image, shown, place, INK, _font, size, WEIGHT)


def _ems(line: str) -> float:
    """Its width in letter heights, on the large side."""
    return sum(map(_em, line))


@cache
def _em(char: str) -> float:
    return 1.05 if unicodedata.east_asian_width(char) in "WF" else 0.62


def _cut(line: str, ems: float) -> str:
    if _ems(line) <= ems:
        return line
    while line and _ems(line) + 1 > ems:
        line = line[:-1]
    return line + "…"
