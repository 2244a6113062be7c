"""Pulses: length, opposite orders, errors in the middle. Time is a list of timers that the test fires."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.pulse import PulseGroup

OPEN, CLOSE = 5, 6


class Relays:
    """Two relays and the clock that ends their pulses."""

    def __init__(self) -> None:
        self.on: set[int] = set()
        self.both_seen = False
        self.timers: dict[int, tuple[float, Callable[[], None]]] = {}
        self.broken = False
        self.write_fails = False
        self._number = 0

    def write(self, pin: int, on: bool) -> None:
        if self.broken and on:
            raise OSError("no such chip")
        if self.write_fails:
            raise OSError("bus error")
        if on:
            self.on.add(pin)
        else:
            self.on.discard(pin)
        self.both_seen = self.both_seen or self.on >= {OPEN, CLOSE}

    def after(self, seconds: float, what: Callable[[], None]) -> Callable[[], None]:
        self._number += 1
        number = self._number
        self.timers[number] = (seconds, what)
        return lambda: self.timers.pop(number, None) and None

    def fire(self) -> None:
        due, self.timers = list(self.timers.values()), {}
        for _, what in due:
            what()


@pytest.fixture
def relays() -> Relays:
    return Relays()


@pytest.fixture
def group(relays: Relays) -> PulseGroup:
    return PulseGroup(relays.write, 500, relays.after)


def test_a_pulse_is_on_at_once_and_off_after_its_time(relays: Relays, group: PulseGroup) -> None:
    group.pulse(OPEN)
    assert relays.on == {OPEN}
    assert [seconds for seconds, _ in relays.timers.values()] == [0.5]
    relays.fire()
    assert relays.on == set()


def test_an_opposite_order_ends_the_running_pulse_first(relays: Relays, group: PulseGroup) -> None:
    group.pulse(CLOSE)
    group.pulse(OPEN)
    assert relays.on == {OPEN}
    assert not relays.both_seen
    relays.fire()
    assert relays.on == set()


def test_an_old_timer_that_fires_late_does_not_cut_the_new_pulse(relays: Relays, group: PulseGroup) -> None:
    group.pulse(CLOSE)
    late = [what for _, what in relays.timers.values()]
    group.pulse(OPEN)
    for what in late:
        what()
    assert relays.on == {OPEN}


def test_a_relay_that_cannot_be_switched_leaves_everything_off(relays: Relays, group: PulseGroup) -> None:
    relays.broken = True
    with pytest.raises(OSError, match="no such chip"):
        group.pulse(OPEN)
    assert relays.on == set()
    assert relays.timers == {}
    relays.broken = False
    group.pulse(OPEN)
    assert relays.on == {OPEN}


def test_no_timer_no_pulse(relays: Relays) -> None:
    def refuse(_seconds: float, _what: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("can't start new thread")

    group = PulseGroup(relays.write, 500, refuse)
    with pytest.raises(RuntimeError):
        group.pulse(OPEN)
    assert relays.on == set()


def test_release_ends_a_running_pulse(relays: Relays, group: PulseGroup) -> None:
    group.pulse(OPEN)
    group.release()
    assert relays.on == set()
    relays.fire()
    assert relays.on == set()


def test_a_relay_that_does_not_open_is_tried_again(relays: Relays, group: PulseGroup) -> None:
    group.pulse(OPEN)
    stuck, relays.write_fails = relays.on, True
    relays.fire()
    assert stuck == {OPEN}
    assert relays.timers
    relays.write_fails = False
    relays.fire()
    assert relays.on == set()
