"""What stands in the spool by its own headers: pictures whose fact a crash took before it was durable."""

from __future__ import annotations

import os
from pathlib import Path

from edge.evidence.spool import (
    ALIGN,
    HEADER,
    HEADER_BYTES,
    SpoolPlace,
    length_at,
    next_data,
    segment_name,
    segment_numbers,
)


def newest_pictures(folder: Path, count: int) -> list[tuple[str, SpoolPlace]]:
    """(read id, place) of the last `count` records of the newest segment, oldest first."""
    numbers = segment_numbers(folder)
    if not numbers:
        return []
    name = segment_name(numbers[-1])
    found: list[tuple[str, SpoolPlace]] = []
    fd = os.open(folder / name, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        place = 0
        while place + HEADER_BYTES < size:
            length = length_at(fd, place, size)
            if length is None:
                place = next_data(fd, place + ALIGN)
                continue
            _, _, crc, read_id = HEADER.unpack(os.pread(fd, HEADER.size, place))
            found.append((read_id.decode("ascii"), SpoolPlace(name, place + HEADER_BYTES, length, crc)))
            place = -(-(place + HEADER_BYTES + length) // ALIGN) * ALIGN
    finally:
        os.close(fd)
    return found[-count:]
