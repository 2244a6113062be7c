"""The delivery queue as a table: order, once by id, set aside, damage."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.ports import Delivery, DeliveryStore, Due
from edge.store import delivery_queries as queries
from edge.store.deliveries import LIVE_MS, Deliveries
from edge.store.errors import StoreError

NOW_MS = 1_790_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Deliveries]:
    opened = Deliveries(tmp_path / "deliveries.db")
    opened.open()
    yield opened
    opened.close()


def delivery(n: int, visit: str = "", kind: str = "carIn", made_ms: int = 0, city: str = "qingdao") -> Delivery:
    return Delivery(0, city, kind, f"{n:032x}", visit, b'{"n":%d}' % n, f"鲁B{n:05d}", made_ms)


def numbers(found: Sequence[Delivery | Due]) -> list[int]:
    return [int(each.item_id, 16) for each in found]


def test_it_is_the_store_that_the_ports_describe(store: Deliveries) -> None:
    as_port: DeliveryStore = store
    assert as_port.cursor() == 0
    assert as_port.counts() == {"waiting": 0, "accepted": 0, "set_aside": 0}


def test_cursor_and_rows_are_one_transaction(store: Deliveries, tmp_path: Path) -> None:
    store.add(5, [delivery(1), delivery(2)])
    broken = Delivery(0, "qingdao", "carIn", "3", "", None, "", 0)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="NOT NULL"):
        store.add(9, [delivery(3), broken])
    assert (store.cursor(), store.counts()["waiting"]) == (5, 2)
    store.add(7, [])
    assert store.cursor() == 7
    with pytest.raises(ValueError, match="cursor is 6, needed 7 or more"):
        store.add(6, [delivery(4)])
    assert store.counts()["waiting"] == 2


def test_a_row_comes_back_as_it_was_given(store: Deliveries) -> None:
    store.add(1, [delivery(1, visit="v1", made_ms=77)])
    assert store.due("qingdao", NOW_MS, 10) == [Due(1, "carIn", f"{1:032x}", b'{"n":1}', 77)]
    assert store.recent(10) == [
        Delivery(1, "qingdao", "carIn", f"{1:032x}", "v1", b'{"n":1}', "鲁B00001", 77)
    ]


def test_the_same_item_is_one_row_but_another_kind_or_city_is_another(store: Deliveries) -> None:
    store.add(1, [delivery(1), delivery(1), delivery(1, kind="carOut"), delivery(1, city="shenzhen")])
    store.add(2, [delivery(1)])
    assert store.counts()["waiting"] == 3
    assert len(store.due("qingdao", NOW_MS, 10)) == 2
    assert len(store.due("shenzhen", NOW_MS, 10)) == 1


def test_of_one_visit_only_the_oldest_waiting_is_due(store: Deliveries) -> None:
    of_visit = [delivery(1, "v"), delivery(2, "v", "carOut"), delivery(3, "v", "carcharge")]
    store.add(1, [*of_visit, delivery(4), delivery(5)])
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [1, 4, 5]
    store.accepted([1], "ok")
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [2, 4, 5]
    store.set_aside([2], "refused")
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [3, 4, 5], "a refused message must block nothing"


def test_a_failed_one_comes_back_at_its_time_and_holds_its_visit_meanwhile(store: Deliveries) -> None:
    store.add(1, [delivery(1, "v"), delivery(2, "v", "carOut"), delivery(3)])
    store.failed([1], NOW_MS + 300_000, "timeout")
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [3]
    assert numbers(store.due("qingdao", NOW_MS + 299_999, 10)) == [3]
    assert numbers(store.due("qingdao", NOW_MS + 300_000, 10)) == [1, 3]
    assert [d.attempts for d in store.due("qingdao", NOW_MS + 300_000, 1)] == [1]
    assert [d.last_answer for d in store.recent(10)] == ["", "", "timeout"]


def test_live_goes_before_backlog_and_an_exit_pulls_its_own_entry_forward(store: Deliveries) -> None:
    old_ms = NOW_MS - LIVE_MS - 1
    backlog = [delivery(n, f"v{n}", made_ms=old_ms) for n in range(1, 6)]
    store.add(1, [*backlog, delivery(6, "v4", "carOut", made_ms=NOW_MS), delivery(7, made_ms=NOW_MS)])
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [4, 7, 1, 2, 3, 5]
    assert numbers(store.due("qingdao", NOW_MS, 2)) == [4, 7]
    store.accepted([4], "ok")
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [6, 7, 1, 2, 3, 5]


def test_what_a_person_repeats_goes_before_the_rest_of_its_visit(store: Deliveries) -> None:
    of_visit = [delivery(1, "v"), delivery(2, "v", "carcharge"), delivery(3, "v", "carOut"), delivery(4)]
    store.add(1, of_visit)
    store.set_aside([1], "refused")
    store.accepted([2], "ok")
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [3, 4]
    assert store.repeat([1]) == 1
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [1, 4]
    store.accepted([1], "ok")
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [3, 4]


def test_accepted_ends_a_delivery_and_counts_follow(store: Deliveries) -> None:
    store.add(1, [delivery(n) for n in range(1, 7)])
    store.accepted([1, 2], "ok")
    store.set_aside([3, 4], "result_code 7")
    store.failed([1, 3, 5], 9, "late")
    assert store.counts() == {"waiting": 2, "accepted": 2, "set_aside": 2}
    by_id = {d.id: d for d in store.recent(10)}
    assert [by_id[n].attempts for n in (1, 3, 5)] == [0, 0, 1], "only what waits can fail"
    store.set_aside([1], "too late")
    assert by_id[1].state == "accepted"
    store.accepted([3], "it had arrived after all")
    assert store.counts() == {"waiting": 2, "accepted": 3, "set_aside": 1}
    assert store.repeat([1, 4, 5]) == 1
    assert store.counts() == {"waiting": 3, "accepted": 3, "set_aside": 0}
    store.accepted([], "nobody")
    assert numbers(store.recent(2)) == [6, 5]


def test_counts_are_the_same_after_a_restart(store: Deliveries, tmp_path: Path) -> None:
    store.add(4, [delivery(n) for n in range(1, 7)])
    store.accepted([1, 2], "ok")
    store.set_aside([3], "no")
    before = (store.cursor(), store.counts(), store.recent(9))
    store.close()
    again = Deliveries(tmp_path / "deliveries.db")
    assert again.open() is None
    assert (again.cursor(), again.counts(), again.recent(9)) == before
    again.close()


def test_search_by_part_of_a_plate_and_by_time(store: Deliveries) -> None:
    store.add(1, [delivery(n, made_ms=n * 1000) for n in range(1, 40)])
    assert numbers(store.search("鲁B0003", 3)) == [39, 38, 37]
    assert numbers(store.search("0007", 10)) == [7]
    assert numbers(store.search("", 10, from_ms=5000, to_ms=8000)) == [7, 6, 5]
    assert store.search("%", 10) == [], "a plate is text and no pattern"


def test_prune_takes_accepted_ones_only_and_oldest_first(store: Deliveries) -> None:
    store.add(1, [delivery(n, made_ms=n) for n in range(1, 11)])
    store.accepted([1, 2, 3, 4, 9], "ok")
    assert store.prune(made_before_ms=4, limit=2) == 2
    assert sorted(numbers(store.recent(20))) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert store.prune(made_before_ms=9) == 2
    assert store.prune(made_before_ms=9) == 0
    assert sorted(numbers(store.recent(20))) == [5, 6, 7, 8, 9, 10]
    assert store.counts() == {"waiting": 5, "accepted": 1, "set_aside": 0}


def test_a_damaged_file_is_moved_aside_and_everything_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "deliveries.db"
    path.write_bytes(b"\0" * 8192)
    store = Deliveries(path)
    found = store.open()
    assert found is not None
    assert found.moved_to.name == "deliveries.damaged-1"
    assert store.cursor() == 0
    store.add(1, [delivery(1)])
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [1]
    store.close()


def test_damage_met_later_is_told_and_the_next_call_works(store: Deliveries, tmp_path: Path) -> None:
    store.add(1, [delivery(n, f"v{n}") for n in range(1, 2000)])
    assert store._conn is not None
    store._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store._conn.execute("PRAGMA cache_size = 0")
    with (tmp_path / "deliveries.db").open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(3).randbytes(100 * 4096))
    with pytest.raises(StoreError) as caught:
        store.due("qingdao", NOW_MS, 10)
    assert caught.value.kind == "damaged"
    assert store.recovery is not None
    assert (store.cursor(), store.counts()["waiting"]) == (0, 0)
    store.add(1, [delivery(1)])
    assert numbers(store.due("qingdao", NOW_MS, 10)) == [1]


def test_a_locked_file_changes_nothing(store: Deliveries, tmp_path: Path) -> None:
    store.add(1, [delivery(1)])
    assert store._conn is not None
    store._conn.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "deliveries.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.add(2, [delivery(2)])
    other.execute("ROLLBACK")
    other.close()
    assert (store.cursor(), store.counts()["waiting"]) == (1, 1)


def test_before_open_and_after_close_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"closed: used before open\(\)"):
        Deliveries(tmp_path / "deliveries.db").cursor()


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "accept", "fail", "aside", "pass time"]), st.integers(0, 11)), max_size=40
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_a_visit_is_accepted_in_its_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Twelve messages of four visits, made in order; the city answers what it likes."""
    store = Deliveries(tmp_path_factory.mktemp("d") / "deliveries.db")
    store.open()
    accepted: list[int] = []
    made, now_ms = 0, NOW_MS
    for what, value in steps:
        due = store.due("qingdao", now_ms, 12)
        assert len({int(d.item_id, 16) % 4 for d in due}) == len(due), "two of one visit at a time"
        if what == "add" and made < 12:
            made += 1
            store.add(made, [delivery(made, f"v{made % 4}", made_ms=now_ms)])
        elif what == "pass time":
            now_ms += 1000 * value
        elif due:
            chosen = due[value % len(due)]
            if what == "accept":
                accepted.append(int(chosen.item_id, 16))
                store.accepted([chosen.id], "ok")
            elif what == "fail":
                store.failed([chosen.id], now_ms + 5000, "timeout")
            elif what == "aside":
                store.set_aside([chosen.id], "refused")
    assert len(set(accepted)) == len(accepted)
    for visit in range(4):
        of_visit = [n for n in accepted if n % 4 == visit]
        assert of_visit == sorted(of_visit)
    assert sum(store.counts().values()) == made
    store.close()


def test_no_question_of_the_queue_walks_through_all_messages(store: Deliveries) -> None:
    """A page of a backlog must cost the same whether a hundred rows wait or a million."""
    values = {"city": "", "now_ms": 0, "live_ms": 0, "limit": 1, "busy": "[]", "ids": "[]", "answer": "", "at_ms": 0}
    insert = dict.fromkeys(map(str, range(1, 10)), "x")
    changes = [*queries.END, queries.ACCEPT_LATE, queries.FAIL, *queries.REPEAT]
    assert store._conn is not None
    for query in (queries.INSERT, queries.LIVE, queries.BACKLOG, *changes):
        bound = tuple(insert.values()) if query == queries.INSERT else {**values, "state": "", "due_ms": 0}
        plan = [str(row[3]) for row in store._conn.execute(f"EXPLAIN QUERY PLAN {query}", bound)]
        walked = {line.split()[1].split("-")[0] for line in plan if line.startswith("SCAN")}
        # What is scanned is a list that went in, or the queue's small rows from one end up to a limit.
        assert walked <= {"CONSTANT", "json_each", "waiting", "w", "newest", "live", "head", "visit", "(subquery"}, plan
