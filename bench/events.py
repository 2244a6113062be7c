"""The measured event: a camera's push of 400 KB (300 KB picture in base64), as the simulated VZ camera writes it."""

from __future__ import annotations

import functools
import random
import time
import uuid

from hal_sim.cameras.event import CameraEvent, Push
from hal_sim.cameras.pictures import Picture
from hal_sim.cameras.vz import Vz

PICTURE_BYTES = 300_000
CROP_BYTES = 4_000
FIRST_NUMBER = 1_000


@functools.cache
def _picture() -> Picture:
    """Marks of a JPEG around noise: nobody on the measured way decodes it, and base64 costs the same."""
    dice = random.Random(0)

    def jpeg(size: int) -> bytes:
        return b"\xff\xd8\xff\xe0" + dice.randbytes(size - 6) + b"\xff\xd9"

    return Picture(jpeg(PICTURE_BYTES), jpeg(CROP_BYTES), 1920, 1080, (800, 700, 960, 750))


def plate_of(number: int) -> str:
    """One plate a number. Only digits differ: no digit is taken for another one, as letters are (8/B, 0/D/Q)."""
    return f"鲁A{number % 100_000:05d}"


def push(serial: str, number: int, *, plate: str, plate_first: bool, picture: bool | Picture = True) -> Push:
    """Event `number` of this camera. The simulated camera puts the plate first in every second event."""
    own = FIRST_NUMBER + 2 * number + (0 if plate_first else 1)
    shown = picture if isinstance(picture, Picture) else _picture() if picture else None
    event = CameraEvent(own, str(uuid.uuid4()), plate, "blue", time.time_ns() // 1_000_000, shown)
    return Vz(serial).plate_push(event, 0)


def request(push_: Push, port: int) -> bytes:
    """The whole request as it goes over the wire, and nothing to be computed while the clock runs."""
    head = (
        f"POST {push_.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\nContent-Type: {push_.content_type}\r\n"
        f"Content-Length: {len(push_.body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + push_.body
