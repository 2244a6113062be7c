"""Debounce: occupied at once, clear only after rest, unknown passes through."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from drivers.debounce import Contact


def reports(levels: Sequence[tuple[int, bool | None]], debounce_ms: int) -> list[tuple[int, bool | None]]:
    """(ms, level) as looked at -> (ms, state) as reported."""
    contact = Contact(debounce_ms)
    return [(ms, contact.reported) for ms, level in levels if contact.see(level, ms)]


def test_occupied_counts_at_the_first_edge() -> None:
    assert reports([(0, False), (100, True), (101, False), (102, True)], 20) == [(0, False), (100, True)]


def test_clear_counts_after_a_rest() -> None:
    levels = [(0, True), (100, False), (105, True), (106, False), (110, False), (125, False), (126, False)]
    assert reports(levels, 20) == [(0, True), (126, False)]


def test_unknown_is_reported_and_a_clear_after_it_rests() -> None:
    assert reports([(0, False), (10, None), (20, False), (39, False), (40, False)], 20) == [
        (0, False), (10, None), (40, False),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from([True, False, None])), max_size=60), st.integers(1, 50))
def test_a_clear_is_never_reported_sooner_than_its_rest(steps: list[tuple[int, bool | None]], debounce_ms: int) -> None:
    ms, levels = 0, [(0, True)]
    seen: list[tuple[int, bool | None]] = list(levels)
    for pause_ms, level in steps:
        ms += pause_ms
        seen.append((ms, level))
    for at_ms, state in reports(seen, debounce_ms):
        if state is False:
            last_not_clear_ms = max(when for when, level in seen if level is not False and when <= at_ms)
            first_clear_ms = min(when for when, level in seen if when > last_not_clear_ms)
            assert at_ms - first_clear_ms >= debounce_ms
        else:
            assert (at_ms, state) in seen
