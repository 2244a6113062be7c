"""The last word of a person counts: a close, release or lock ends an order to open that is not durable yet."""

from __future__ import annotations

import pytest

from edge.core.commands import RaiseArm
from edge.core.lane_table import Gate
from tests.lane_bench import Bench


@pytest.mark.parametrize("first", ["open", "hold_open"])
@pytest.mark.parametrize("then", ["close", "release", "lock"])
def test_an_arm_that_has_not_moved_stays_down(first: str, then: str) -> None:
    bench = Bench()
    assert bench.order("in", first).ok
    assert bench.order("in", then).ok
    bench.store()
    bench.wait(10_000)
    assert bench.count(RaiseArm) == 0
    assert bench.box._lanes["in"].gate is Gate.DOWN


def test_a_hold_repeated_and_released_ends_the_hold() -> None:
    bench = Bench()
    assert bench.order("in", "hold_open").ok
    bench.store()
    bench.wait(3_000)
    assert bench.order("in", "hold_open").ok
    assert bench.order("in", "release").ok
    bench.store()
    bench.wait(30_000)
    assert bench.count(RaiseArm) == 1
    assert bench.box._lanes["in"].gate is Gate.DOWN


def test_without_an_order_there_is_nothing_to_release() -> None:
    assert not Bench().order("in", "release").ok


def test_the_next_order_to_open_is_taken() -> None:
    bench = Bench()
    assert bench.order("in", "open").ok
    assert bench.order("in", "close").ok
    assert bench.order("in", "open").ok
    bench.store()
    assert bench.count(RaiseArm) == 1
