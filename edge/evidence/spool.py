"""Camera pictures as they came, kept by the lane program within milliseconds and read by the agent.

Segment files `spool-00000001.bin`, ... are given their full size when they are made, so that keeping a
picture is one write and one fdatasync. A record is a header and the JPEG, at a multiple of 4096 bytes: after a
power cut the writer finds its end by the headers alone, and damage in the middle hides nothing behind it.
Whoever calls `append` does so from one worker thread of its own; it blocks for the disk.
"""

from __future__ import annotations

import errno
import os
import re
import struct
from pathlib import Path
from typing import NamedTuple
from zlib import crc32 as crc32_of

from edge.config.durable import sync_folder

SEGMENT_BYTES = 64_000_000  # two to five hundred pictures; the unit in which old ones are given up
LIMIT_BYTES = 2 << 30  # for the raw pictures only: the agent makes evidence files of them
ALIGN = 4096

_MAGIC = b"PbJ1"
HEADER = struct.Struct("<4sII32s")  # magic, length, crc32 of the JPEG, read id; then the header's own crc32
HEADER_BYTES = HEADER.size + 4
_NAME = re.compile(r"^spool-(\d{8})\.bin$")


class SpoolPlace(NamedTuple):
    """Where a picture is durable (the members of `PictureKept`), and which old segments went for it."""

    spool: str
    offset: int
    length: int
    crc32: int
    removed: tuple[str, ...] = ()


class SpoolWriter:
    """The only writer of its folder. The files are opened by the first `append`, which raises `OSError`."""

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES, segment_bytes: int = SEGMENT_BYTES) -> None:
        if segment_bytes < 2 * ALIGN:
            raise ValueError(f"segment_bytes is {segment_bytes}, needed {2 * ALIGN} or more")
        if limit_bytes < 2 * segment_bytes:
            raise ValueError(f"limit_bytes is {limit_bytes}, needed {2 * segment_bytes} or more")
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._segment_bytes = segment_bytes
        self._fd = -1
        self._number = 0
        self._end = 0

    def append(self, read_id: str, jpeg: bytes) -> SpoolPlace:
        """Durable when it returns. On `OSError` nothing was kept, the next record takes the same place."""
        if not jpeg or len(jpeg) > self._segment_bytes - HEADER_BYTES:
            raise ValueError(f"jpeg is {len(jpeg)} bytes, allowed 1 to {self._segment_bytes - HEADER_BYTES}")
        if len(read_id) != 32 or not read_id.isascii():
            raise ValueError(f"read_id is {read_id!r}, needed 32 hex digits")
        if self._fd < 0:
            self._resume()
        removed: tuple[str, ...] = ()
        if self._fd < 0 or self._end + HEADER_BYTES + len(jpeg) > self._segment_bytes:
            removed = self._begin_segment()
        crc = crc32_of(jpeg)
        head = HEADER.pack(_MAGIC, len(jpeg), crc, read_id.encode())
        head += struct.pack("<I", crc32_of(head))
        _write_whole(self._fd, [head, jpeg], self._end)
        os.fdatasync(self._fd)
        place = SpoolPlace(segment_name(self._number), self._end + HEADER_BYTES, len(jpeg), crc, removed)
        self._end = _aligned(self._end + HEADER_BYTES + len(jpeg))
        return place

    def free_oldest(self) -> str | None:
        """Give up the oldest segment because the disk is full: its name, or None if there is only one."""
        numbers = segment_numbers(self._folder)
        if len(numbers) < 2:
            return None
        name = segment_name(numbers[0])
        (self._folder / name).unlink()
        sync_folder(self._folder)
        return name

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _resume(self) -> None:
        """Go on behind the last whole record of the newest segment."""
        numbers = segment_numbers(self._folder)
        if not numbers:
            return
        self._number = numbers[-1]
        fd = os.open(self._folder / segment_name(self._number), os.O_RDWR)
        try:
            size = os.fstat(fd).st_size
            # Cut off while it was given its size.
            if size < self._segment_bytes:
                os.posix_fallocate(fd, 0, self._segment_bytes)
                os.fsync(fd)
            self._end = _end_of(fd, size)
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd

    def _begin_segment(self) -> tuple[str, ...]:
        """A new file of full size, its name durable; first the oldest go, to stay under the limit."""
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True)
            sync_folder(self._folder.parent)
        removed = []
        while (len(segment_numbers(self._folder)) + 1) * self._segment_bytes > self._limit_bytes:
            name = self.free_oldest()
            if name is None:
                break
            removed.append(name)
        path = self._folder / segment_name(self._number + 1)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o640)
        try:
            os.posix_fallocate(fd, 0, self._segment_bytes)
            os.fsync(fd)
            sync_folder(self._folder)
        except BaseException:
            os.close(fd)
            path.unlink()
            raise
        self.close()
        self._fd, self._number, self._end = fd, self._number + 1, 0
        return tuple(removed)


def read_picture(folder: Path, spool: str, offset: int, length: int, crc32: int) -> bytes | None:
    """The JPEG of a `PictureKept`; None if its segment is gone or its bytes are not those that were kept."""
    if _NAME.match(spool) is None:
        raise ValueError(f"spool is {spool!r}, needed spool-<8 digits>.bin")
    try:
        fd = os.open(folder / spool, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        data = os.pread(fd, length, offset)
    finally:
        os.close(fd)
    return data if len(data) == length and crc32_of(data) == crc32 else None


def segment_name(number: int) -> str:
    return f"spool-{number:08d}.bin"


def segment_numbers(folder: Path) -> list[int]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(int(match[1]) for match in map(_NAME.match, names) if match)


def _write_whole(fd: int, parts: list[bytes], offset: int) -> None:
    """All bytes, or `OSError`: a nearly full disk takes fewer than given and says so only in the count."""
    while parts:
        written = os.pwritev(fd, parts, offset)
        if written <= 0:
            raise OSError(errno.EIO, "the disk took no byte")
        offset += written
        while parts and written >= len(parts[0]):
            written -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][written:]


def _aligned(offset: int) -> int:
    return -(-offset // ALIGN) * ALIGN


def _end_of(fd: int, size: int) -> int:
    """Behind the last whole record. A header that does not fit may be damage and not the end."""
    end = place = 0
    last = -1
    while place + HEADER_BYTES < size:
        length = length_at(fd, place, size)
        if length is None:
            place = next_data(fd, place + ALIGN)
            continue
        last, place = place, _aligned(place + HEADER_BYTES + length)
        end = place
    if last >= 0 and not _whole_at(fd, last):
        return last  # the write that the power cut ended: nobody was told of it
    return end


def length_at(fd: int, place: int, size: int) -> int | None:
    head = os.pread(fd, HEADER_BYTES, place)
    if len(head) < HEADER_BYTES or not head.startswith(_MAGIC):
        return None
    if crc32_of(head[:-4]) != struct.unpack("<I", head[-4:])[0]:
        return None
    length = int(HEADER.unpack(head[:-4])[1])
    return length if place + HEADER_BYTES + length <= size else None


def _whole_at(fd: int, place: int) -> bool:
    _, length, crc, _ = HEADER.unpack(os.pread(fd, HEADER.size, place))
    return crc32_of(os.pread(fd, length, place + HEADER_BYTES)) == int(crc)


def next_data(fd: int, place: int) -> int:
    """The next place that was ever written: a fresh segment is one hole, and need not be read."""
    try:
        return os.lseek(fd, place, os.SEEK_DATA) // ALIGN * ALIGN
    except OSError as error:
        if error.errno == errno.ENXIO:
            return os.fstat(fd).st_size  # nothing but hole up to the end
        raise
