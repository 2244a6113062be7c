"""Clock: a box that boots without knowing the time, learns it once, and is stepped later."""

from __future__ import annotations

import calendar
from datetime import datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.core.clock import china_datetime, elapsed_ms, true_wall_ms
from edge.core.facts import Stamp

HOUR_MS = 3_600_000
BOOT_2026_MS = 1_795_000_000_000  # some moment of November 2026, UTC
OLD_MS = 1_600_000_000_000  # what the wall clock says before it is set

millis = st.integers(min_value=0, max_value=10 * 365 * 24 * HOUR_MS)


def unset(boot_id: str, mono_ms: int) -> Stamp:
    return Stamp(boot_id, mono_ms, OLD_MS + mono_ms, synced=False)


def test_a_stamp_from_before_the_first_set_gets_its_time_from_the_set() -> None:
    stamp = unset("a", 5_000)
    assert true_wall_ms(stamp, {}) is None
    assert true_wall_ms(stamp, {"b": BOOT_2026_MS}) is None
    assert true_wall_ms(stamp, {"a": BOOT_2026_MS}) == BOOT_2026_MS + 5_000


def test_a_synchronised_stamp_says_it_itself_also_after_a_step() -> None:
    stepped = Stamp("a", 5_000, BOOT_2026_MS + 5_000 + HOUR_MS, synced=True)
    assert true_wall_ms(stepped, {}) == BOOT_2026_MS + 5_000 + HOUR_MS
    assert true_wall_ms(stepped, {"a": BOOT_2026_MS}) == BOOT_2026_MS + 5_000 + HOUR_MS


def test_a_duration_in_one_boot_needs_no_clock() -> None:
    assert elapsed_ms(unset("a", 1_000), unset("a", 61_000), {}) == 60_000


def test_a_duration_across_boots_is_unknown_until_both_have_a_clock() -> None:
    entered = Stamp("a", 1_000, BOOT_2026_MS + 1_000, synced=True)
    now = unset("b", 2_000)
    assert elapsed_ms(entered, now, {"a": BOOT_2026_MS}) is None
    assert elapsed_ms(now, entered, {"a": BOOT_2026_MS}) is None
    offsets = {"a": BOOT_2026_MS, "b": BOOT_2026_MS + 3 * HOUR_MS}
    assert elapsed_ms(entered, now, offsets) == 3 * HOUR_MS + 1_000


def test_synchronised_stamps_have_a_duration_before_their_clock_sets_are_known() -> None:
    entered = Stamp("a", 1_000, BOOT_2026_MS, synced=True)
    now = Stamp("b", 9_000, BOOT_2026_MS + HOUR_MS, synced=True)
    assert elapsed_ms(entered, now, {}) == HOUR_MS


@given(millis, millis, st.integers(-5 * HOUR_MS, 5 * HOUR_MS), st.booleans())
def test_a_step_changes_no_duration(in_mono: int, out_mono: int, step_ms: int, same_boot: bool) -> None:
    exit_boot = {True: "a", False: "b"}[same_boot]
    offsets = {"a": BOOT_2026_MS, "b": BOOT_2026_MS + HOUR_MS}
    entered = Stamp("a", in_mono, offsets["a"] + in_mono, synced=True)
    plain = Stamp(exit_boot, out_mono, offsets[exit_boot] + out_mono, synced=True)
    stepped = Stamp(exit_boot, out_mono, plain.wall_ms + step_ms, synced=True)
    assert elapsed_ms(entered, stepped, offsets) == elapsed_ms(entered, plain, offsets)


stamps = st.builds(Stamp, st.sampled_from("abc"), millis, millis, st.booleans())
offset_maps = st.dictionaries(st.sampled_from("ab"), st.integers(-(10**12), 2 * 10**12))


@given(stamps, stamps, offset_maps)
def test_a_duration_is_never_negative(a: Stamp, b: Stamp, offsets: dict[str, int]) -> None:
    forth, back = elapsed_ms(a, b, offsets), elapsed_ms(b, a, offsets)
    assert (forth is None) == (back is None)
    if forth is not None and back is not None:
        assert min(forth, back) == 0
        assert max(forth, back) >= 0


@pytest.mark.parametrize(
    ("wall_ms", "written"),
    [
        (0, "1970-01-01 08:00:00"),
        (1_686_299_994_687, "2023-06-09 16:39:54"),  # VZ R5 manual: sec 1686299994, dec* 2023-6-9 16:39:54
        (1_714_985_999_999, "2024-05-06 16:59:59"),  # cut off, not rounded
        (-1, "1970-01-01 07:59:59"),
    ],
)
def test_china_datetime(wall_ms: int, written: str) -> None:
    assert china_datetime(wall_ms) == written


@given(st.datetimes())
def test_china_datetime_is_eight_hours_ahead_of_utc(local: datetime) -> None:
    assume(2 <= local.year <= 9998)
    wall_ms = (calendar.timegm(local.timetuple()) - 8 * 3600) * 1000 + local.microsecond // 1000
    assert china_datetime(wall_ms) == local.replace(microsecond=0).isoformat(" ")


@pytest.mark.parametrize("wall_ms", [10**16, -(10**16)])
def test_a_time_without_date_is_refused(wall_ms: int) -> None:
    with pytest.raises(ValueError, match=f"wall_ms: {wall_ms} .* is allowed"):
        china_datetime(wall_ms)


@pytest.mark.parametrize(
    ("wall_ms", "written"),
    [(-62_135_510_400_000, "0001-01-02 08:00:00"), (253_402_128_000_000, "9999-12-30 08:00:00")],
)
def test_the_ends_of_the_calendar_can_be_written(wall_ms: int, written: str) -> None:
    assert china_datetime(wall_ms) == written
