"""Clock: from what a box without RTC stamped to the true time, and from two stamps to a duration (DESIGN 4).

`offsets` holds `ClockSet.offset_ms` of each boot whose clock was ever set: wall = monotonic + offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from edge.core.facts import Stamp

# China has one time zone and has had no summer time since 1991: a fixed offset needs no tzdata on the box.
CHINA = timezone(timedelta(hours=8))

# What `datetime` can hold, in UTC ms: 0001-01-02 to 9999-12-30. One day of margin each side for the zone.
_WALL_MS_MIN = -62_135_510_400_000
_WALL_MS_MAX = 253_402_128_000_000


def true_wall_ms(stamp: Stamp, offsets: Mapping[str, int]) -> int | None:
    """UTC ms of the moment `stamp` was made; None: that boot had no clock yet.

    A synchronised stamp says it itself, later steps included; an earlier one gets it from its boot's first
    clock set.
    """
    if stamp.synced:
        return stamp.wall_ms
    return _anchored_ms(stamp, offsets)


def elapsed_ms(a: Stamp, b: Stamp, offsets: Mapping[str, int]) -> int | None:
    """Time from `a` to `b`, never negative; None: not known, a boot had no clock yet.

    In one boot it is the monotonic difference. Across boots both ends count from their boot's first clock set
    and not from the wall clock, so that a later step (`ClockStepped`) changes no duration and no fee.
    """
    if a.boot_id == b.boot_id:
        return max(0, b.mono_ms - a.mono_ms)
    from_ms = _step_proof_ms(a, offsets)
    to_ms = _step_proof_ms(b, offsets)
    if from_ms is None or to_ms is None:
        return None
    return max(0, to_ms - from_ms)


def china_datetime(wall_ms: int) -> str:
    """Asia/Shanghai time as both city standards write it, yyyy-MM-dd HH:mm:ss; milliseconds are cut off."""
    if not _WALL_MS_MIN <= wall_ms <= _WALL_MS_MAX:
        raise ValueError(f"wall_ms: {wall_ms} is no date, {_WALL_MS_MIN}..{_WALL_MS_MAX} is allowed")
    return datetime.fromtimestamp(wall_ms // 1000, tz=CHINA).replace(tzinfo=None).isoformat(" ")


def _anchored_ms(stamp: Stamp, offsets: Mapping[str, int]) -> int | None:
    offset_ms = offsets.get(stamp.boot_id)
    return None if offset_ms is None else stamp.mono_ms + offset_ms


def _step_proof_ms(stamp: Stamp, offsets: Mapping[str, int]) -> int | None:
    anchored_ms = _anchored_ms(stamp, offsets)
    if anchored_ms is not None:
        return anchored_ms
    return stamp.wall_ms if stamp.synced else None
