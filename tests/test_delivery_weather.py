"""The delivery engine in any weather (property), and as a thread."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city_fakes import Rig, a_visit, entered, guid

WORDS = [
    "fine", "fine", "fine", "1", "refuse_item", "hang", "cut_off", "lost", "http_500", "garbage", "no_route",
    "expire", "113", "112", "119", "107", "not_found", "double_encoded", "strings",
]  # fmt: skip


@settings(max_examples=150)
@given(
    weather=st.lists(st.sampled_from(WORDS), max_size=120),
    visits=st.integers(1, 5),
    restart_at=st.integers(0, 200),
)
def test_in_any_weather_each_record_is_at_the_city_once_by_id_or_set_aside(
    weather: list[str], visits: int, restart_at: int
) -> None:
    rig = Rig([each for n in range(visits) for each in a_visit(1 + 3 * n, f"鲁B0000{n}")], weather)
    rounds = 0
    while not rig.settled():
        rounds += 1
        assert rounds < 20_000, rig.store.counts()
        if rounds == restart_at:
            rig.engine = rig.new_engine()  # nothing but the queue is remembered
        wait_s = rig.engine.run_once()
        rig.clock.now_s += max(20.0, wait_s) if wait_s else 0.001
    aside = {row.item_id for row in rig.store.rows if row.state == "set_aside"}
    noted = {row.item_id for row in rig.store.rows if row.state == "accepted"}
    everything = {guid(n) for n in range(1, 1 + 3 * visits)}
    assert noted | aside == everything
    assert noted & aside == set()
    assert noted <= set(rig.city.accepted)
    order = list(rig.city.accepted)
    for n in range(visits):
        mine = [guid(1 + 3 * n + k) for k in range(3)]
        there = [item for item in order if item in mine]
        assert there == [item for item in mine if item in there]  # entry, charge, exit
    assert [text for text in rig.city.wrong if "before its carIn" not in text or not aside] == []
    # Only the city's word or the rule's end sets a record aside.
    for row in rig.store.rows:
        assert row.attempts <= 50


# --- the thread ------------------------------------------------------------------------------------------------


class Gate(Rig):
    """The city holds the first carIn until the test lets it go or the engine aborts."""

    def __init__(self) -> None:
        super().__init__([entered(1), entered(2)])
        self.reached, self.let_go = threading.Event(), threading.Event()
        post, abort = self.city.post, self.city.abort

        def held_post(request: Any) -> Any:
            if request.kind == "carIn":
                self.reached.set()
                assert self.let_go.wait(10)
            return post(request)

        def freeing_abort() -> None:
            abort()
            self.let_go.set()

        self.city.post = held_post  # type: ignore[method-assign]
        self.city.abort = freeing_abort  # type: ignore[method-assign]


def test_stop_ends_the_thread_and_what_was_accepted_is_noted() -> None:
    rig = Gate()
    rig.engine.start()
    assert rig.reached.wait(10)
    rig.engine.stop()
    assert [row.state for row in rig.store.rows] == ["accepted", "waiting"]
    assert rig.deaths == []


def test_a_kick_wakes_the_thread_for_a_new_fact() -> None:
    rig = Gate()
    rig.let_go.set()
    rig.ledger.facts = []
    rig.engine.start()
    rig.ledger.facts.append(entered(1))
    rig.engine.kick()
    assert rig.reached.wait(10)
    rig.engine.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_that_nobody_foresaw_is_told_and_not_swallowed() -> None:
    rig = Rig()
    died = threading.Event()
    error = RuntimeError("unforeseen")
    rig.store.broken = error
    rig.deaths = Deaths(died)
    rig.engine = rig.new_engine()
    rig.engine.start()
    assert died.wait(10)
    rig.engine.stop()
    assert rig.deaths == [error]


class Deaths(list[BaseException]):
    def __init__(self, died: threading.Event) -> None:
        super().__init__()
        self._died = died

    def append(self, error: BaseException) -> None:
        super().append(error)
        self._died.set()
