"""What a JPEG says of itself (ITU-T T.81 annex B): its size, colours and segments, without decoding a pixel."""

from __future__ import annotations

from dataclasses import dataclass

# Frames that carry pixels: SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC).
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


class NoJpegError(Exception):
    """What is wrong with the bytes."""


@dataclass(frozen=True, slots=True)
class Head:
    width: int
    height: int
    bits: int
    """Of a pixel in all: 24 is three components of 8."""
    segments: tuple[tuple[int, bytes, int, int], ...]
    """Marker, content, begin and end of each application and comment segment."""


def read_head(data: bytes) -> Head:
    """Raises `NoJpegError`."""
    if data[:2] != b"\xff\xd8":
        raise NoJpegError("不是 JPEG 没有 SOI, no JPEG: it begins without SOI")
    if data[-2:] != b"\xff\xd9":
        raise NoJpegError("JPEG 不完整 没有 EOI, the JPEG is cut off: it ends without EOI")
    frame: tuple[int, int, int] | None = None
    segments = []
    at = 2
    while True:
        if data[at : at + 1] != b"\xff":
            raise NoJpegError(f"位置 {at} 没有标记 no marker there")
        while data[at + 1 : at + 2] == b"\xff":
            at += 1
        if at + 4 > len(data):
            raise NoJpegError("没有图像数据 no image data")
        marker, begin = data[at + 1], at
        at += 2
        if marker in BARE:
            continue
        size = int.from_bytes(data[at : at + 2])
        content = data[at + 2 : at + size]
        if size < 2 or len(content) != size - 2:
            raise NoJpegError(f"FF{marker:02X} 段长度 {size} 不对 its length is wrong")
        at += size
        if marker in FRAMES:
            if len(content) < 6:
                raise NoJpegError("帧头太短 the frame header is too short")
            frame = (int.from_bytes(content[3:5]), int.from_bytes(content[1:3]), content[0] * content[5])
        elif marker == 0xFE or 0xE0 <= marker <= 0xEF:
            segments.append((marker, content, begin, at))
        elif marker == 0xDA:
            break
    if frame is None:
        raise NoJpegError("扫描前没有帧头 no frame header before the scan")
    return Head(*frame, tuple(segments))
