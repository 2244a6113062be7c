"""kill -9 at random moments and at every statement: what was promised is there, in order, whole and once."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge.core.facts import Fact, PictureKept
from edge.evidence.spool import read_picture
from edge.store.deliveries import Deliveries
from edge.store.reader import LedgerFile
from tests.crash.child import PICTURE_EVERY, Job, picture_of, snapshot_of
from tests.store_tools import build_ledger, passed

ROOT = Path(__file__).parents[1]
ROUNDS = 200
SOAK_ROUNDS = 3000


class Forker:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.forker"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def round(self, job: Job, kill_after_lines: int | None = None, kill_after_us: int = 0) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"job": job, "kill_after_lines": kill_after_lines, "kill_after_us": kill_after_us}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert answer["killed"] or answer["exit"] == 0, f"the child failed by itself: {answer}"
        return answer

    def close(self) -> None:
        self._process.communicate(timeout=20)


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    made = Forker()
    yield made
    made.close()


class LaneFolder:
    """What the lane's child left, read after every round; facts already read once are not read again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seq = 0
        self._reader = LedgerFile(folder / "ledger.db")

    def check(self, lines: list[str]) -> None:
        promised = max((int(line.split()[1]) for line in lines), default=0)
        facts = self._reader.read_after(self.seq, 1_000_000)
        assert [fact.seq for fact in facts] == list(range(self.seq + 1, self.seq + len(facts) + 1))
        for fact in facts:
            self._check_fact(fact)
        self.seq += len(facts)
        assert self.seq >= promised, f"fact {promised} was promised, the last one there is {self.seq}"
        snapshot = self._reader.latest_snapshot()
        if snapshot is not None:
            assert snapshot[0] <= self.seq, "a snapshot of facts that are not there"
            assert snapshot[1] == snapshot_of(snapshot[0])

    def _check_fact(self, fact: Fact) -> None:
        expected = passed(fact.seq)
        assert (fact.id, fact.lane, fact.stamp) == (expected.id, expected.lane, expected.stamp)
        if fact.seq % PICTURE_EVERY:
            assert fact.body == expected.body
            return
        place = fact.body
        assert isinstance(place, PictureKept)
        kept = read_picture(self.folder / "spool", place.spool, place.offset, place.length, place.crc32)
        assert kept == picture_of(fact.seq), f"the picture of fact {fact.seq} is not what was kept"

    def close(self) -> None:
        self._reader.close()


def lane_job(folder: Path, seed: int, count: int = 10_000, kill: str = "", at: int = 0) -> Job:
    return {"job": "lane", "folder": str(folder), "seed": seed, "count": count, "kill": kill, "at": at}


def agent_job(folder: Path, seed: int, count: int = 10_000, kill: str = "", at: int = 0) -> Job:
    return {**lane_job(folder, seed, count, kill, at), "job": "agent"}


def kill_the_lane(forker: Forker, folder: Path, rounds: int) -> int:
    rng = random.Random(rounds)
    left = LaneFolder(folder)
    for n in range(rounds):
        answer = forker.round(lane_job(folder, n), rng.randrange(12), rng.randrange(3000))
        assert answer["killed"]
        left.check(answer["lines"])
    left.close()
    assert not list(folder.glob("*.damaged-*")), "a kill looked like damage"
    return left.seq


def kill_the_agent(forker: Forker, folder: Path, rounds: int) -> int:
    rng = random.Random(rounds)
    facts = rounds * 100
    build_ledger(folder / "ledger.db", facts)
    promised: set[int] = set()
    cursor = 0
    for n in range(rounds):
        answer = forker.round(agent_job(folder, n), rng.randrange(20), rng.randrange(3000))
        assert answer["killed"]
        cursor = check_agent(folder, answer["lines"], promised, cursor)
    return cursor


def check_agent(folder: Path, lines: list[str], promised: set[int], cursor_before: int) -> int:
    store = Deliveries(folder / "deliveries.db")
    assert store.open() is None
    cursor = store.cursor()
    rows = store.recent(1_000_000)
    store.close()
    said = [(what, int(number)) for what, number in (line.split() for line in lines)]
    promised |= {number for what, number in said if what == "ACCEPTED"}
    added = max((number for what, number in said if what == "ADDED"), default=cursor_before)
    assert cursor >= added, f"the cursor was promised at {added} and is at {cursor}"
    numbers = sorted(int(row.item_id, 16) for row in rows)
    assert numbers == list(range(1, cursor + 1)), "a fact before the cursor has no delivery, or has two"
    accepted = {int(row.item_id, 16) for row in rows if row.state == "accepted"}
    assert promised <= accepted, f"accepted by the city, but waiting again: {sorted(promised - accepted)}"
    return cursor


def test_the_lane_killed_at_random_moments(forker: Forker, tmp_path: Path) -> None:
    assert kill_the_lane(forker, tmp_path, ROUNDS) > ROUNDS


def test_the_agent_killed_at_random_moments(forker: Forker, tmp_path: Path) -> None:
    assert kill_the_agent(forker, tmp_path, ROUNDS // 2) > ROUNDS // 2


@pytest.mark.soak
def test_the_lane_killed_thousands_of_times(forker: Forker, tmp_path: Path) -> None:
    assert kill_the_lane(forker, tmp_path, SOAK_ROUNDS) > SOAK_ROUNDS


@pytest.mark.soak
def test_the_agent_killed_thousands_of_times(forker: Forker, tmp_path: Path) -> None:
    assert kill_the_agent(forker, tmp_path, SOAK_ROUNDS // 4) > SOAK_ROUNDS // 4


def at_every(forker: Forker, tmp_path: Path, kill: str, moments: Iterator[int], count: int) -> int:
    """Both programs, killed at each of `moments` from nothing on; then whole on what that left. How many kills."""
    kills = 0
    for at in moments:
        folder = tmp_path / f"{kill}{at}"
        folder.mkdir()
        left = LaneFolder(folder)
        answer = forker.round(lane_job(folder, 7, count, kill, at))
        left.check(answer["lines"])
        left.check(forker.round(lane_job(folder, 8, count))["lines"])
        promised: set[int] = set()
        second = forker.round(agent_job(folder, 7, count, kill, at))
        cursor = check_agent(folder, second["lines"], promised, 0)
        check_agent(folder, forker.round(agent_job(folder, 8, 2 * count))["lines"], promised, cursor)
        left.close()
        shutil.rmtree(folder)
        kills += bool(answer["killed"]) + bool(second["killed"])
        if not answer["killed"] and not second["killed"]:
            return kills
    return kills


def test_killed_before_every_statement(forker: Forker, tmp_path: Path) -> None:
    kills = at_every(forker, tmp_path, "statement", iter(range(1, 200)), 6)
    assert kills > 50, "the list of statements ended too early to have been all"


def test_killed_at_steps_within_statements(forker: Forker, tmp_path: Path) -> None:
    moments = iter(random.Random(5).sample(range(1, 1500), 25))
    assert at_every(forker, tmp_path, "opcode", moments, 6) > 12


@pytest.mark.soak
def test_killed_at_many_steps_within_statements(forker: Forker, tmp_path: Path) -> None:
    moments = iter(random.Random(6).sample(range(1, 1500), 500))
    assert at_every(forker, tmp_path, "opcode", moments, 6) > 300


def test_the_check_finds_what_it_is_for(tmp_path: Path) -> None:
    """A lost fact, a changed one, a lost picture, a lost delivery: each must fail."""
    folder = tmp_path
    build_ledger(folder / "ledger.db", 3, snapshot_every=1000, snapshot=snapshot_of(0))
    with closing(LaneFolder(folder)) as left:
        left.check(["ACK 3"])
    with closing(LaneFolder(folder)) as left, pytest.raises(AssertionError, match="fact 4 was promised"):
        left.check(["ACK 4"])
    store = Deliveries(folder / "deliveries.db")
    store.open()
    store.add(2, [])
    store.close()
    with pytest.raises(AssertionError, match="no delivery, or has two"):
        check_agent(folder, [], set(), 0)
    with pytest.raises(AssertionError, match="promised at 5 and is at 2"):
        check_agent(folder, ["ADDED 5"], set(), 0)
