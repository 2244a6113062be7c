"""Pictures as cameras really send them, good and bad, drawn by numpy; and a claim to seal them with."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.evidence.claim import Claim

Image = npt.NDArray[np.uint8]

LINES = (
    "2026-11-22 13:42:08  青岛崂山测试停车场  入口1",
    "设备 CAM-0001  车牌 鲁A12345  防伪码 0123456789",
)


def scene(width: int = 1920, height: int = 1080, noise: float = 5.0, light: float = 1.0, seed: int = 1) -> Image:
    """A gradient, some edges and sensor noise: `noise` 5 a day, 25 foliage; `light` 0.01 a black night."""
    rng = np.random.default_rng(seed)
    down = np.linspace(60, 190, height, dtype=np.float32)[:, None, None]
    image: npt.NDArray[np.float64] = np.broadcast_to(down, (height, width, 3)).astype(np.float64)
    for _ in range(12):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        image[y : y + height // 6, x : x + width // 8] = rng.integers(20, 230, 3)
    image = (image + rng.normal(0, noise, image.shape)) * light
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def jpeg(image: Image, quality: int = 80, progressive: bool = False) -> bytes:
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    ok, data = cv2.imencode(".jpg", image, settings)
    assert ok
    return bytes(data.tobytes())


def pixels(data: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def claim(chain: int = 1, previous: str = "", lane: str = "in1", plate: str = "鲁A12345") -> Claim:
    return Claim(
        record_id=f"{chain:032x}",
        read_id="0123456789abcdef" * 2,
        box="box1",
        lot="青岛崂山测试停车场",
        lane=lane,
        direction="in",
        device="CAM-0001",
        plate=plate,
        taken="2026-11-22T13:42:08.123+08:00",
        taken_ms=1_795_326_128_123,
        passed_ms=1_795_326_131_000,
        code="0123456789",
        flags=(),
        source_sha256="ab" * 32,
        chain=chain,
        previous=previous,
    )
