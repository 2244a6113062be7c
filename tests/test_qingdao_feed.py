"""The cursor: rows and cursor together, held facts, restarts, and a queue that began anew."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from edge.cities.feed import BATCH, PERSIST_EVERY, Feed
from edge.cities.qingdao.mapping import Mapper
from edge.core.facts import BackedOut, BoxStarted, ClockSet, Fact, Paid, Passed
from tests.city_fakes import LANES, LOT, MemoryLedger, MemoryStore, entered, fact, guid, stamp


def feed(ledger: MemoryLedger, store: MemoryStore) -> Feed:
    return Feed(ledger, store, Mapper(LOT, LANES), ledger.boot_offsets)


def quiet(number: int) -> Fact:
    """A fact that makes no message."""
    return fact(number, BackedOut("a", "鲁B1"))


def drain(into: Feed) -> None:
    while into.advance():
        pass


def test_rows_and_cursor_move_together() -> None:
    ledger, store = MemoryLedger([quiet(1), entered(2), quiet(3), entered(4)]), MemoryStore()
    drain(feed(ledger, store))
    assert (store.at, [row.item_id for row in store.rows], store.adds) == (4, [guid(2), guid(4)], 1)


def test_facts_without_message_cost_no_transaction_each() -> None:
    ledger, store = MemoryLedger(map(quiet, range(1, 200))), MemoryStore()
    mine = feed(ledger, store)
    drain(mine)
    assert store.adds == 0
    ledger.facts += map(quiet, range(200, 200 + PERSIST_EVERY))
    drain(mine)
    assert store.adds == 1
    assert store.at >= PERSIST_EVERY
    ledger.facts += map(quiet, range(200 + PERSIST_EVERY, 300 + PERSIST_EVERY))
    drain(mine)
    assert store.adds == 1


def test_a_long_ledger_is_read_in_batches_each_fact_once() -> None:
    ledger, store = MemoryLedger(map(entered, range(1, 3 * BATCH + 2))), MemoryStore()
    drain(feed(ledger, store))
    assert len(store.rows) == 3 * BATCH + 1
    assert ledger.reads <= 6


def test_an_idle_feed_reads_once_a_round_and_writes_nothing() -> None:
    ledger, store = MemoryLedger([entered(1)]), MemoryStore()
    mine = feed(ledger, store)
    drain(mine)
    reads, adds = ledger.reads, store.adds
    assert not mine.advance()
    assert (ledger.reads, store.adds) == (reads + 1, adds)


def test_the_cursor_stops_before_the_first_held_fact() -> None:
    unset = [fact(n, Passed("a", "in", "鲁B1"), stamp(n, synced=False)) for n in (3, 4)]
    boot0 = fact(1, Passed("a", "in", "鲁B1"), stamp(1, boot="boot-0"))
    ledger, store = MemoryLedger([boot0, quiet(2), *unset, quiet(5)]), MemoryStore()
    mine = feed(ledger, store)
    drain(mine)
    assert ([row.item_id for row in store.rows], store.at, mine.held) == ([guid(1)], 2, 2)
    # Hundreds more pile up behind it, more than a batch.
    ledger.facts += [fact(n, Passed("a", "in", "鲁B1"), stamp(n, synced=False)) for n in range(6, 6 + 2 * BATCH)]
    drain(mine)
    assert (store.at, mine.held) == (2, 2 + 2 * BATCH)
    mine.reset()
    drain(mine)
    assert (store.at, mine.held) == (2, 2 + 2 * BATCH)
    ledger.facts.append(fact(6 + 2 * BATCH, ClockSet(0), stamp(900)))
    drain(mine)
    assert mine.held == 0
    assert len(store.rows) == 1 + 2 + 2 * BATCH
    assert [row.id for row in store.rows] == list(range(1, 4 + 2 * BATCH))


def test_a_later_boot_frees_what_an_earlier_one_held() -> None:
    ledger = MemoryLedger([fact(1, Passed("a", "in", "鲁B1"), stamp(1, synced=False))])
    store = MemoryStore()
    mine = feed(ledger, store)
    drain(mine)
    assert store.rows == []
    ledger.facts.append(fact(2, BoxStarted("1", "box"), stamp(2, boot="boot-2", synced=False)))
    drain(mine)
    assert [row.item_id for row in store.rows] == [guid(1)]


def test_after_a_restart_an_offset_from_before_the_cursor_is_known() -> None:
    late = fact(3, Passed("a", "in", "鲁B1"), stamp(3, synced=False))  # stamped before, stored after the set
    ledger = MemoryLedger([entered(1), fact(2, ClockSet(0), stamp(2))])
    store = MemoryStore()
    drain(feed(ledger, store))
    store.at = 2
    ledger.facts.append(late)
    ledger.offsets = {"boot-1": 5}
    drain(feed(ledger, store))
    assert store.rows[-1].made_ms == 3_005


def test_a_restart_between_payment_and_exit_of_an_unknown_car_keeps_its_made_up_entry() -> None:
    paid = fact(1, Paid("o", "", "鲁B1", "cash", 500, 500, 0), lane_id="out1")
    left = fact(2, Passed("b", "out", "鲁B1", paid_fen=500, due_fen=500), lane_id="out1")
    ledger, store = MemoryLedger([paid]), MemoryStore()
    drain(feed(ledger, store))
    ledger.facts.append(left)
    drain(feed(ledger, store))
    assert [row.kind for row in store.rows] == ["carIn", "carcharge", "carOut"]
    assert len({row.visit_id for row in store.rows}) == 1


def test_a_queue_that_began_anew_gets_the_same_rows_again() -> None:
    unset = fact(1, Passed("a", "in", "鲁B1"), stamp(1, boot="boot-0", synced=False))
    ledger, store = MemoryLedger([unset, *map(entered, range(2, 2 * BATCH))]), MemoryStore()
    mine = feed(ledger, store)
    drain(mine)
    rows = store.rows
    store.rows, store.at = [], 0
    mine.reset()
    drain(mine)
    assert [replace(row, id=0) for row in store.rows] == [replace(row, id=0) for row in rows]


def test_rows_that_could_not_be_stored_are_made_again() -> None:
    ledger, store = MemoryLedger([entered(1)]), MemoryStore()
    mine = feed(ledger, store)
    mine.advance()
    ledger.facts.append(entered(2))
    store.broken = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left"):
        mine.advance()
    mine.reset()
    store.broken = None
    drain(mine)
    assert ([row.item_id for row in store.rows], store.at) == ([guid(1), guid(2)], 2)
