"""A start from a million facts reads no more than one from some hundred: counted in bytes and facts, not in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.store.ledger import Ledger
from tests.store_tools import build_ledger

SNAPSHOT_EVERY = 256
MILLION = 1_000_000


def bytes_read() -> int:
    """What this process has asked of read calls so far (proc(5), rchar)."""
    for line in Path("/proc/self/io").read_text().splitlines():
        name, value = line.split(": ")
        if name == "rchar":
            return int(value)
    raise AssertionError("no rchar in /proc/self/io")


def start(path: Path) -> tuple[int, int, int]:
    """(facts after the snapshot, last seq, bytes read), as the lane program starts."""
    before = bytes_read()
    ledger = Ledger(path)
    opened = ledger.open()
    snapshot = ledger.latest_snapshot()
    assert snapshot is not None
    facts = ledger.read_after(snapshot[0], 10_000)
    ledger.boot_offsets()
    read = bytes_read() - before
    ledger.close()
    assert opened.damage == ""
    return len(facts), opened.last_seq, read


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="counts bytes by /proc/self/io, which is not here")
def test_a_million_facts_cost_a_start_no_more_than_some_hundred(tmp_path: Path) -> None:
    build_ledger(tmp_path / "small.db", SNAPSHOT_EVERY + 200)
    build_ledger(tmp_path / "large.db", MILLION)
    small = start(tmp_path / "small.db")
    large = start(tmp_path / "large.db")
    (tmp_path / "large.db").unlink()
    assert large[0] == MILLION % SNAPSHOT_EVERY
    assert large[1] == MILLION
    assert small[0] == 200
    # The tree of a million rows is two levels deeper, and its schema is read twice (writer and reader).
    assert large[2] <= small[2] + 32 * 4096, f"{large[2]} bytes read from a million facts, {small[2]} from 456"
