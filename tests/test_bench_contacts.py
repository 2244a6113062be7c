"""A bench on a loaded machine: a relay that comes late is waited for, one that stays away is a miss, load or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.contacts import Contacts, Disturbed

OPEN, CLOSE = 0, 1


class Site:
    """Contacts whose time passes only while somebody waits, a second a look."""

    def __init__(self, *, silent: Callable[[float], bool] = lambda now_s: False) -> None:
        self.now_s = 100.0
        self.coming: list[tuple[int, float]] = []
        self.contacts = Contacts(lambda: silent(self.now_s), lambda: self.now_s)
        self.contacts.next = self._next

    def _next(self) -> tuple[int, float] | None:
        if self.coming and self.coming[0][1] <= self.now_s:
            return self.coming.pop(0)
        self.now_s += 1.0
        return None


def test_a_relay_that_comes_after_half_a_minute_is_taken_and_the_other_passed_over() -> None:
    site = Site()
    site.coming = [(CLOSE, 101.0), (OPEN, 130.5)]
    assert site.contacts.wait(OPEN, 100.5) == 130.5


def test_a_relay_that_never_comes_from_a_board_that_answers_is_a_miss() -> None:
    site = Site()
    site.coming = [(CLOSE, 101.0)]
    with pytest.raises(RuntimeError, match="relay 0 was not switched on within 60 s, and the board answered"):
        site.contacts.wait(OPEN)


def test_an_order_lost_while_the_board_was_too_slow_is_none() -> None:
    site = Site(silent=lambda now_s: now_s > 104)
    with pytest.raises(Disturbed):
        site.contacts.wait(CLOSE)


def test_an_arm_that_goes_up_before_its_edge_is_a_miss_unless_the_board_was_too_slow() -> None:
    site = Site()
    site.coming = [(OPEN, 99.0)]
    with pytest.raises(RuntimeError, match="before it was asked for"):
        site.contacts.wait(OPEN, 100.0)
    site = Site(silent=lambda now_s: True)
    site.coming = [(OPEN, 99.0)]
    with pytest.raises(Disturbed):
        site.contacts.wait(OPEN, 100.0)


def test_a_board_that_was_slow_once_does_not_take_a_relay_away_that_comes() -> None:
    site = Site(silent=lambda now_s: True)
    site.coming = [(OPEN, 100.0)]
    assert site.contacts.wait(OPEN, 99.5) == 100.0
