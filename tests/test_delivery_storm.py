"""Engine, queue on the disk and simulated platform through random weather, random kills and days without a line.

At the end every record is accepted exactly once by its id, or set aside with its reason; what is told every minute was
never sent twice. A kill is what a crash leaves: the engine is gone at that moment, and only the disk remembers.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.cities import pages
from edge.cities.city import Counts
from edge.cities.engine import DeliveryEngine
from edge.cities.http import TransportFault
from edge.cities.qingdao.city import qingdao
from edge.cities.qingdao.envelope import Request
from edge.cities.sender import requests_of
from edge.cities.verdict import Answer
from edge.ports import Due
from edge.store.deliveries import Deliveries
from edge.store.errors import StoreError
from hal_sim.qingdao import Account, Kind
from hal_sim.qingdao.platform import Platform
from tests.city_fakes import ACCOUNT, LANES, LOT, SETTINGS, T0_MS, FakeClock, FakeRandom, MemoryLedger, a_visit, guid

NUMBERS = itertools.count()
VISITS = 10
BUDGET_S = 60 * 86_400.0
WEATHER: tuple[Kind | str, ...] = (
    "refuse", "refuse_item", "refuse_some", "http_500", "cut_off", "drop_answer", "expire_token", "token_storm",
    "garbage", "double_encoded", "wrong_content_type", "twice_each", "hang", "no_route", "days_offline",
)  # fmt: skip


class Killed(BaseException):
    """kill -9 at this very moment."""


class Line:
    """The platform without its sockets, behind weather; some calls end in a kill before or after they were served."""

    def __init__(self, platform: Platform, clock: FakeClock, dice: random.Random, bad: float, kills: int) -> None:
        self.platform, self.clock, self.dice, self.bad, self.kills = platform, clock, dice, bad, kills
        self.offline_until_s = 0.0
        self.outages = 2
        self.states: list[bytes] = []

    def post(self, request: Request) -> Answer:
        self._maybe_kill()
        word = self.dice.choice(WEATHER) if self.dice.random() < self.bad else None
        if word == "days_offline" and self.outages:
            self.outages -= 1
            self.offline_until_s = self.clock.now_s + self.dice.uniform(1, 5) * 86_400
        if word == "no_route" or self.clock.now_s < self.offline_until_s:
            raise TransportFault("连接不上市平台", "city not reachable", "refused", sent=False)
        if request.kind in ("parkspace", "equipstatus"):
            self.states.append(request.body)
        if word == "hang":
            self.clock.now_s += 20
            raise TransportFault("超时 20 s", "no answer within 20 s", "", sent=True)
        answer = self.platform.handle(
            request.path, request.headers["Content-Type"], request.headers["sn"], request.body, self._kind(word)
        )
        self._maybe_kill()
        if answer.cut != "none":
            raise TransportFault("连接中断", "connection cut", "", sent=True)
        return Answer(answer.status, answer.body)

    @staticmethod
    def _kind(word: str | None) -> Kind | None:
        return None if word is None or word in ("days_offline", "no_route") else msgspec.convert(word, Kind)

    def _maybe_kill(self) -> None:
        if self.kills and self.dice.random() < 0.1:
            self.kills -= 1
            raise Killed

    def farewell(self, request: Request) -> Answer:
        raise AssertionError("a killed engine says no goodbye")

    def abort(self) -> None: ...

    def close(self) -> None: ...


def run(
    folder: Path, *, seed: int, bad: float, kills: int, batch: int, outage_s: float
) -> tuple[Platform, Line, Deliveries]:
    dice = random.Random(seed)
    clock = FakeClock()
    account = Account(*(getattr(ACCOUNT, name) for name in ("cno", "sub_code", "user", "password", "passkey")))
    platform = Platform(account, seed=seed, token_life_s=7200, now=lambda: clock.now_s)
    line = Line(platform, clock, dice, bad, kills)
    clock.now_s += outage_s  # the facts are a backlog when the line comes up
    ledger = MemoryLedger(each for n in range(VISITS) for each in a_visit(1 + 3 * n, f"鲁B{n:05d}"))
    path = folder / f"{next(NUMBERS)}.db"  # hypothesis runs an example again in the same folder
    store = Deliveries(path)
    store.open()

    def new_engine() -> DeliveryEngine:
        return DeliveryEngine(
            qingdao(msgspec.structs.replace(SETTINGS, batch=batch), LOT, LANES, ACCOUNT,
                    counts=lambda: Counts(100, 3, 0), transport=line),
            ledger=ledger, boot_offsets=ledger.boot_offsets, store=store, clock=clock, random=FakeRandom(),
            storage_errors=(StoreError,), died=lambda error: None, changed=lambda: None,
        )  # fmt: skip

    engine = new_engine()
    until_s = clock.now_s + BUDGET_S
    while store.counts()["accepted"] + store.counts()["set_aside"] != 3 * VISITS:
        assert clock.now_s < until_s, store.counts()
        try:
            wait_s = engine.run_once()
        except Killed:
            engine._sender.reset()  # its thread dies with it, whatever it was at
            store.close()
            store = Deliveries(path)
            store.open()
            engine = new_engine()
            wait_s = 1.0
        step_s = 600.0 if clock.now_s < line.offline_until_s else 20.0
        clock.now_s += max(step_s, wait_s) if wait_s else 0.01
    engine._sender.reset()
    return platform, line, store


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32), bad=st.sampled_from([0.0, 0.1, 0.3, 0.5]), kills=st.integers(0, 6),
    batch=st.sampled_from([1, 2, 5, 50]), outage_s=st.sampled_from([0.0, 100.0, 4 * 86_400.0]),
)  # fmt: skip
def test_every_record_is_accepted_once_by_id_or_set_aside_with_its_reason(
    tmp_path: Path, *, seed: int, bad: float, kills: int, batch: int, outage_s: float
) -> None:
    platform, line, store = run(
        tmp_path, seed=seed, bad=bad, kills=kills, batch=batch, outage_s=outage_s
    )
    rows = store.search("", 1000)
    store.close()
    assert {row.item_id for row in rows} == {guid(n) for n in range(1, 1 + 3 * VISITS)}
    assert len(rows) == 3 * VISITS
    summary = platform.summary()
    assert (summary.changed, summary.internal_errors) == ((), ())
    there = {record.item_id: record for kind in ("carIn", "carcharge", "carOut") for record in platform.of_kind(kind)}
    for row in rows:
        assert row.state in ("accepted", "set_aside")
        if row.state == "accepted":
            assert json.dumps(json.loads(row.body), sort_keys=True) == told(there[row.item_id].item)
        else:
            assert row.last_answer != ""
            assert row.attempts <= 50
    for n in range(VISITS):
        mine = [there[guid(1 + 3 * n + k)].rank for k in range(3) if guid(1 + 3 * n + k) in there]
        assert mine == sorted(mine)  # entry, charge, exit
    assert len(set(line.states)) == len(line.states)  # never repeated


def told(item: dict[str, Any]) -> str:
    """The record as the platform kept it, its decimals as numbers again."""
    return json.dumps(
        {name: float(value.written) if hasattr(value, "written") else value for name, value in item.items()},
        sort_keys=True,
    )


def test_a_backlog_goes_in_batches(tmp_path: Path) -> None:
    platform, _, store = run(tmp_path, seed=1, bad=0.0, kills=0, batch=50, outage_s=86_400.0)
    store.close()
    sent = platform.summary().requests
    assert sent <= 3 + 3  # login, lot, counts, and one request a kind instead of 18


@pytest.mark.parametrize(
    ("change", "sizes"),
    [
        (lambda row, n: row, [5, 5, 2]),
        (lambda row, n: msgspec.structs.replace(row, attempts=int(n == 3)), [5, 1, 5, 1]),
        (lambda row, n: msgspec.structs.replace(row, made_ms=T0_MS if n == 0 else row.made_ms), [1, 5, 5, 1]),
        (lambda row, n: msgspec.structs.replace(row, body=b"{" + b"x" * 399), [2, 2, 2, 2, 2, 2]),
        (lambda row, n: msgspec.structs.replace(row, body=b"{" + b"x" * 4000), [1] * 12),
    ],
    ids=["by count", "failed before", "live", "by size", "each too large"],
)
def test_batches_are_bounded_and_live_or_failed_ones_go_alone(change: Callable[..., Any], sizes: list[int]) -> None:
    rows = [change(Due(n, "carIn", guid(n), b"{}", T0_MS - 10**6), n) for n in range(12)]
    requests = requests_of(rows, T0_MS + 1000, 5, 1000)
    assert [len(request) for request in requests] == sizes
    assert sorted(row.id for request in requests for row in request) == list(range(12))


@pytest.mark.parametrize("seed", range(4))
def test_pages_that_are_fetched_ahead_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(pages, "PAGE", 4)
    platform, _, store = run(tmp_path, seed=seed, bad=0.2, kills=4, batch=3, outage_s=86_400.0)
    rows = store.search("", 1000)
    store.close()
    summary = platform.summary()
    assert (summary.changed, summary.internal_errors) == ((), ())
    there = {record.item_id for kind in ("carIn", "carcharge", "carOut") for record in platform.of_kind(kind)}
    assert there == {row.item_id for row in rows if row.state == "accepted"}
    assert len(rows) == 3 * VISITS


def test_without_trouble_every_record_of_a_long_backlog_is_sent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 4)
    platform, _, store = run(tmp_path, seed=1, bad=0.0, kills=0, batch=3, outage_s=86_400.0)
    assert store.counts() == {"waiting": 0, "accepted": 3 * VISITS, "set_aside": 0}
    store.close()
    assert {kind: n for kind, n in platform.summary().repeats.items() if n} == {}
