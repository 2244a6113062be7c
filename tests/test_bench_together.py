"""Measurements at the same time: all of them end, and a failure comes out on the caller's thread."""

from __future__ import annotations

import threading

import pytest

from bench.together import together

WAIT_S = 20.0


def test_all_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3)

    def meets() -> None:
        meeting.wait(WAIT_S)

    together([meets] * 3)
    assert not meeting.broken


def test_a_failure_comes_out_when_the_others_have_ended() -> None:
    failed, ended = threading.Event(), threading.Event()

    def fails() -> None:
        failed.set()
        raise RuntimeError("the arm stayed down")

    def goes_on() -> None:
        assert failed.wait(WAIT_S)
        ended.set()

    with pytest.raises(RuntimeError, match="the arm stayed down"):
        together([fails, goes_on])
    assert ended.is_set()
