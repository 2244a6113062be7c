"""The ledger looked through backwards: windows, times found by halving, a plate in a million facts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.agent import past
from edge.core.facts import Fact, Ordered, Stamp
from edge.store import history
from edge.store.history import LedgerHistory
from edge.store.ledger import Ledger
from edge.web.api_views import Orders
from edge.web.span import Span
from tests.store_tools import build_ledger, keep
from tests.web_fakes import box

EVER = Span("", 0, 10**15)
FIRST_MS = 1_790_000_000_000  # the n-th fact is n ms later (store_tools)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerHistory]:
    build_ledger(tmp_path / "ledger.db", 1000)
    reader = LedgerHistory(tmp_path / "ledger.db")
    yield reader
    reader.close()


def seqs(found: tuple[list[Fact], int]) -> list[int]:
    return [fact.seq for fact in found[0]]


def test_pages_follow_one_another_without_gap_or_repeat(ledger: LedgerHistory) -> None:
    seen: list[int] = []
    before, last = 0, ledger.last_seq()
    while True:
        found = ledger.newest_before(before, ("Passed",), 70)
        seen += seqs(found)
        before = found[1]
        if not before:
            break
    assert seen == list(range(last, last - 1000, -1))


def test_a_window_without_a_hit_says_where_to_go_on(ledger: LedgerHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "WINDOW", 100)
    last = ledger.last_seq()
    first = last - 999
    found = ledger.newest_before(0, ("Passed",), 10, text="粤B00005")
    steps = 0
    while not found[0] and found[1]:
        steps += 1
        found = ledger.newest_before(found[1], ("Passed",), 10, text="粤B00005")
    assert steps == 9
    assert seqs(found) == [first + 4]
    assert ledger.newest_before(0, ("Ordered",), 10)[0] == []
    assert ledger.newest_before(first, ("Passed",), 10) == ([], 0)
    assert ledger.newest_before(0, ("Passed",), 10, not_before_seq=last)[1] == 0


def test_a_time_is_found_by_halving(ledger: LedgerHistory) -> None:
    last = ledger.last_seq()
    first = last - 999
    for number in (1, 2, 500, 999, 1000):
        assert ledger.seq_at(FIRST_MS + number) == first + number - 1
    assert ledger.seq_at(0) == first
    assert ledger.seq_at(FIRST_MS + 1001) == last + 1


def test_one_fact_is_found_by_id_or_text_within_a_window(
    ledger: LedgerHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ledger.last_seq() - 999
    found = ledger.find(first, "Passed", fact_id=f"{700:032x}")
    assert found is not None
    assert found.seq == first + 699
    assert ledger.find(first, "Passed", text="粤B00700") == found
    assert ledger.find(first, "ReadTaken", text="粤B00700") is None
    monkeypatch.setattr(history, "WINDOW", 100)
    assert ledger.find(first, "Passed", fact_id=f"{700:032x}") is None
    assert [fact.seq for fact in ledger.between(first + 3, first + 5)] == [first + 3, first + 4, first + 5]


def test_hours_are_counted_by_direction(ledger: LedgerHistory) -> None:
    assert ledger.by_hour(0, FIRST_MS + 1) == [(0, "in", 1000)]
    assert ledger.by_hour(0, FIRST_MS + 501) == [(0, "in", 500)]
    assert ledger.last_of(0, "Passed") == FIRST_MS + 1000
    assert ledger.last_of(0, "CountCorrected") == 0


def test_the_day_is_not_known_before_the_first_fact(ledger: LedgerHistory) -> None:
    night_box = box(total=100, parked=10)
    hours = past.curve(ledger, night_box, FIRST_MS + 2000).hours
    # 1_790_000_000 s is 2026-09-21 22:13:20 in Shanghai: 22 whole hours lie before the box's first fact
    assert [hour.parked for hour in hours] == [-1] * 22 + [10]


def test_orders_are_paged_and_found_by_lane_plate_and_time(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.open()
    plates = ["粤B00001", "粤B00002", "粤B00001", "粤B00003", "粤B00001"]
    keep(ledger, [
        Fact(f"{number:032x}", f"in{number % 2}", Stamp("b", number * 60_000, FIRST_MS + number * 60_000, True),
             Ordered(f"c{number}", "correct_plate", "operator", "tom", "x", True, "好", "ok", target=plate))
        for number, plate in enumerate(plates)
    ])  # fmt: skip
    ledger.close()
    reader = LedgerHistory(tmp_path / "ledger.db")

    def ask(span: Span, lane: str = "", before: int = 0, limit: int = 10) -> tuple[list[int], int]:
        told = past.orders(reader, lane, span, before, limit, lambda read_id: True)
        return [(row.at_ms - FIRST_MS) // 60_000 for row in told.rows], told.next_before_seq

    assert ask(EVER) == ([4, 3, 2, 1, 0], 0)
    first, before = ask(EVER, limit=2)
    second, before = ask(EVER, before=before, limit=2)
    assert (first, second, ask(EVER, before=before, limit=2)) == ([4, 3], [2, 1], ([0], 0))
    assert ask(Span("B00001", 0, 10**15))[0] == [4, 2, 0]
    assert ask(Span("粤b00001", 0, 10**15), lane="in0")[0] == [4, 2, 0]
    assert ask(EVER, lane="in1")[0] == [3, 1]
    assert ask(Span("", FIRST_MS + 60_000, FIRST_MS + 180_000))[0] == [2, 1]
    reader.close()


def test_before_there_is_a_ledger_there_is_no_past(tmp_path: Path) -> None:
    reader = LedgerHistory(tmp_path / "ledger.db")
    assert reader.newest_before(0, ("Passed",), 10) == ([], 0)
    assert reader.by_hour(0, 0) == []
    assert past.passages(reader, "", 0, 10**15, 0, 10).rows == ()
    assert past.orders(reader, "", EVER, 0, 10, lambda read_id: True) == Orders((), 0)
    assert [hour.parked for hour in past.curve(reader, None, 1_795_233_600_000).hours] == [-1] * 13
    reader.close()


def test_a_search_through_a_large_ledger_is_bounded(tmp_path: Path) -> None:
    """300,000 facts: one request looks through 50,000 of them, whatever it finds."""
    build_ledger(tmp_path / "ledger.db", 300_000)
    reader = LedgerHistory(tmp_path / "ledger.db")
    began_s = time.process_time()
    found = past.passages(reader, "京X", 0, 10**15, 0, 100)
    assert found.rows == ()
    assert found.next_before_seq == reader.last_seq() + 1 - history.WINDOW
    assert time.process_time() - began_s < 5  # some 50 ms; twenty times that is another algorithm
    reader.close()
