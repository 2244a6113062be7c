"""What a lane camera sees: a road, an arm, a car and its plate, as JPEG of a real camera's size.

A dozen scenes are painted once; a picture is a scene with the car's plate written on it, so it costs a
copy, a line of text and one encode. Noise makes the sizes real (60 to 400 KB): a clean drawing would
compress to nothing.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

SCENES = 12
SIZES = ((1280, 720), (1280, 720), (1920, 1080))
"""720p is the least that Qingdao B.1 accepts; most lot cameras send 1080p."""

PLATE_COLOURS = {  # GA 36-2018: blue, yellow, white, black plates and the new-energy green; BGR
    "blue": ((160, 70, 10), (255, 255, 255)),
    "yellow": ((20, 170, 235), (20, 20, 20)),
    "green": ((130, 205, 110), (20, 20, 20)),
    "white": ((235, 235, 235), (20, 20, 20)),
    "black": ((25, 25, 25), (240, 240, 240)),
}


@dataclass(frozen=True)
class Picture:
    jpeg: bytes
    plate_jpeg: bytes
    width: int
    height: int
    plate_box: tuple[int, int, int, int]  # left, top, right, bottom in px


@dataclass(frozen=True)
class _Scene:
    image: Image
    plate_box: tuple[int, int, int, int]
    quality: int


class Painter:
    """Paints pictures; safe to use from several threads. The same seed paints the same scenes."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._scenes: list[_Scene] = []
        self._lock = threading.Lock()
        self._font = cv2.FontFace("uni")  # OpenCV 5's own font with Chinese characters

    def paint(self, plate: str, colour: str, variant: int) -> Picture:
        """The picture of a car with this plate ("" = none to be seen) in scene `variant`."""
        scene = self._scene(variant % SCENES)
        image = scene.image.copy()
        left, top, right, bottom = scene.plate_box
        if plate:
            ground, ink = PLATE_COLOURS.get(colour, PLATE_COLOURS["blue"])
            image[top:bottom, left:right] = ground
            cv2.rectangle(image, (left + 2, top + 2), (right - 3, bottom - 3), ink, 2)
            height = bottom - top
            size = int(height * 0.62)
            text = plate[:2] + "·" + plate[2:]
            room = right - left - 12
            (_, _, wide, _), _end = _text_size(text, self._font, size)
            if wide > room:
                size = max(8, int(size * room / wide))
                (_, _, wide, _), _end = _text_size(text, self._font, size)
            at = (left + (right - left - wide) // 2, top + int(height * 0.5 + size * 0.36))
            cv2.putText(image, text, at, ink, self._font, size, 700)
        jpeg = _encode(image, scene.quality)
        crop = _encode(np.ascontiguousarray(image[top - 4 : bottom + 4, left - 4 : right + 4]), 85)
        return Picture(jpeg, crop, image.shape[1], image.shape[0], scene.plate_box)

    def prepare(self) -> None:
        """Paint all scenes now (about a second), so that the first cars are not later than the others."""
        for number in range(SCENES):
            self._scene(number)

    def _scene(self, number: int) -> _Scene:
        with self._lock:
            while len(self._scenes) <= number:
                self._scenes.append(_paint_scene(self._seed * 1000 + len(self._scenes)))
            return self._scenes[number]


def _text_size(text: str, font: Any, size: int) -> tuple[tuple[int, int, int, int], Any]:
    box = cv2.getTextSize((4000, 4000), text, (0, 0), font, size, 700)
    return (int(box[0]), int(box[1]), int(box[2]), int(box[3])), None


def _encode(image: Image, quality: int) -> bytes:
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise RuntimeError("OpenCV could not encode a picture")
    return bytes(data.tobytes())


def _paint_scene(seed: int) -> _Scene:
    """Sky or wall, road with markings, a car from the front, the barrier's arm, then light and noise."""
    dice = random.Random(seed)
    width, height = SIZES[seed % len(SIZES)]
    light = dice.uniform(0.45, 1.15)
    horizon = int(height * dice.uniform(0.25, 0.36))
    image: Image = np.zeros((height, width, 3), np.uint8)
    grey = dice.randint(130, 190)
    sky = (grey + 25, grey + 10, grey)
    image[:horizon] = sky
    image[horizon:] = (96, 98, 100)
    for _ in range(5):  # buildings
        x, w = dice.randint(0, width), dice.randint(width // 12, width // 5)
        y = int(horizon * dice.uniform(0.1, 0.8))
        shade = dice.randint(70, 150)
        cv2.rectangle(image, (x, y), (x + w, horizon), (shade, shade + 6, shade + 10), -1)
        for wx in range(x + 8, x + w - 8, 22):
            for wy in range(y + 10, horizon - 12, 26):
                cv2.rectangle(
                    image, (wx, wy), (wx + 11, wy + 13), (shade // 2, shade // 2, shade // 2 + 20), -1
                )
    centre = width // 2 + dice.randint(-width // 12, width // 12)
    for side in (-1, 1):  # lane edges
        far, near = (centre + side * width // 7, horizon), (centre + side * width // 2, height)
        cv2.line(image, far, near, (215, 220, 220), max(4, width // 220), cv2.LINE_AA)
    plate_box = _paint_car(image, dice, centre, width, height)
    arm_y = int(height * dice.uniform(0.30, 0.4))
    for i in range(10):  # the arm, red and white
        x0, x1 = width * i // 10, width * (i + 1) // 10
        cv2.line(image, (x0, arm_y), (x1, arm_y), ((40, 40, 205), (235, 235, 235))[i % 2], height // 60)
    lit = image.astype(np.float32) * light
    noise = np.random.default_rng(seed)
    coarse = cv2.resize(noise.normal(0, 9, (height // 8, width // 8)).astype(np.float32), (width, height))
    lit += coarse[:, :, None]
    lit += noise.normal(0, dice.uniform(4, 9), lit.shape).astype(np.float32)
    return _Scene(np.clip(lit, 0, 255).astype(np.uint8), plate_box, dice.randint(72, 84))


def _paint_car(
    image: Image, dice: random.Random, centre: int, width: int, height: int
) -> tuple[int, int, int, int]:
    paint = tuple(dice.randint(30, 210) for _ in range(3))
    dark = tuple(c // 2 for c in paint)
    w, h = int(width * dice.uniform(0.38, 0.46)), int(height * dice.uniform(0.5, 0.58))
    left, bottom = centre - w // 2, int(height * 0.93)
    top = bottom - h
    cv2.ellipse(image, (centre, bottom), (int(w * 0.56), h // 14), 0, 0, 360, (45, 45, 45), -1)
    roof = [(left + w // 5, top), (left + w * 4 // 5, top), (left + w, top + h // 2), (left, top + h // 2)]
    cv2.fillPoly(image, [np.array(roof, np.int32)], paint)
    glass = [
        (left + w // 4, top + h // 16),
        (left + w * 3 // 4, top + h // 16),
        (left + w * 9 // 10, top + h * 7 // 16),
        (left + w // 10, top + h * 7 // 16),
    ]
    cv2.fillPoly(image, [np.array(glass, np.int32)], (70, 60, 52))
    cv2.rectangle(image, (left, top + h // 2), (left + w, bottom - h // 10), paint, -1)
    cv2.rectangle(
        image, (left + w // 4, top + h * 9 // 16), (left + w * 3 // 4, top + h * 11 // 16), dark, -1
    )
    for x in (left + w // 8, left + w * 7 // 8):
        cv2.ellipse(image, (x, top + h * 10 // 16), (w // 11, h // 18), 0, 0, 360, (225, 235, 240), -1)
        cv2.rectangle(image, (x - w // 12, bottom - h // 8), (x + w // 12, bottom), (25, 25, 25), -1)
    plate_w = int(width * dice.uniform(0.125, 0.15))
    plate_h = int(plate_w * 140 / 440)  # GA 36-2018: 440 mm x 140 mm
    x0, y0 = centre - plate_w // 2, top + h * 12 // 16
    cv2.rectangle(image, (x0, y0), (x0 + plate_w, y0 + plate_h), (60, 60, 60), -1)
    return (x0, y0, x0 + plate_w, y0 + plate_h)
