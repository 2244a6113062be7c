"""A backlog's drain, and a live record during it while pictures are encoded.

The queue is what an outage leaves: every message made and stored, nothing sent. The engine, the queue on the disk and
the transport are the agent's own, the city (`bench.deliveries.CITY`) a process that answers at once; the lane program
does not run. The comparison sends the very same requests, prepared, from memory.
"""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import msgspec
import numpy as np
import requests

from bench.figures import Row, median, percentile, spread
from bench.load import fill
from edge.agent.cities import SystemClock
from edge.cities.engine import DeliveryEngine
from edge.cities.feed import Feed
from edge.cities.http import HttpTransport
from edge.cities.qingdao.city import qingdao
from edge.cities.qingdao.envelope import Account, Request
from edge.cities.qingdao.mapping import Mapper
from edge.cities.verdict import Answer
from edge.config.model import Barrier, Camera, Lane, Loops, Lot, Qingdao
from edge.core.facts import Fact, Passed, Stamp
from edge.evidence.fit import encode
from edge.evidence.jobs import Child, Job
from edge.evidence.spool import SpoolWriter
from edge.store.deliveries import Deliveries
from edge.store.errors import StoreError
from edge.store.ledger import Ledger
from edge.store.reader import LedgerFile

ACCOUNT = Account("0000001234", "P-77", "box", "bench", "secret-key")
LOT = Lot(park_id="0a" * 16, code="QD-1", name="性能测试停车场", total_stalls=1000)
LIVE_EVERY_S = 0.05
WITHIN_S = 600.0
ROUNDS = 3


class Tap:
    """The transport, with what went through it and when each live record was accepted."""

    def __init__(self, url: str) -> None:
        self._transport = HttpTransport(url, 20.0)
        self.sent: list[Request] = []
        self.accepted_s: dict[str, float] = {}

    def post(self, request: Request) -> Answer:
        answer = self._transport.post(request)
        if not request.more_ids:
            self.accepted_s[request.record_id] = time.monotonic()
        self.sent.append(request)
        return answer

    def farewell(self, request: Request) -> Answer:
        return self._transport.farewell(request)

    def abort(self) -> None:
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()


def run(folder: Path, url: str, backlog: int) -> list[Row]:
    """Drain and comparison in turn, each time from the same queue; then once with live records and pictures."""
    made_s = _queue(folder / "queue", backlog)
    shares, rates = list[float](), list[float]()
    sent = _drained(folder, url, live=False)[0].sent  # warms up, and says what to compare with
    before_s = _replayed_s(url, sent)
    for _ in range(ROUNDS):
        _, took_s, records, _ = _drained(folder, url, live=False)
        after_s = _replayed_s(url, sent)
        shares.append((before_s + after_s) / 2 / took_s)
        rates.append(records / took_s)
        before_s = after_s
    with _encoding(folder / "pictures") as pictures:
        _, _, records, delays_s = _drained(folder, url, live=True)
    if not delays_s:
        raise RuntimeError("the backlog was gone before a live record came: a larger one is needed")
    p99_s = percentile(delays_s, 0.99)
    return [
        Row(
            f"backlog of {backlog} records",
            f"{spread(shares)}x ({median(rates):.0f} a second, {len(sent)} requests)",
            ">= 0.6x of the same requests prepared, no storage", median(shares) >= 0.6,
        ),
        Row("making that queue from the ledger", f"{backlog / made_s:.0f} records a second"),
        Row(
            "live record, event to accepted, during that drain and with pictures being encoded, p99",
            f"{p99_s * 1000:.0f} ms (p50 {median(delays_s) * 1000:.0f} ms, {len(delays_s)} records, "
            f"{len(pictures)} pictures)",
            "<= 1 s", p99_s <= 1,
        ),
    ]  # fmt: skip


def _queue(folder: Path, backlog: int) -> float:
    """A ledger, and its messages in the queue. `fill` lets every second car leave that nobody saw enter, for which
    the city is told of two things. How long the queue took, in seconds."""
    folder.mkdir(parents=True)
    fill(folder / "ledger.db", 2 * backlog // 3 + 1)
    reader, store = LedgerFile(folder / "ledger.db"), Deliveries(folder / "d.db")
    store.open()
    feed = Feed(reader, store, Mapper(LOT, _lanes()), reader.boot_offsets)
    began_s = time.monotonic()
    while feed.advance():
        pass
    took_s = time.monotonic() - began_s
    store.close()
    reader.close()
    return took_s


def _drained(folder: Path, url: str, *, live: bool) -> tuple[Tap, float, int, list[float]]:
    """What went out, how long it took, how many of the queue, and each live record's delay in seconds."""
    work = folder / "work"
    shutil.copytree(folder / "queue", work)
    ledger, reader, store = Ledger(work / "ledger.db"), LedgerFile(work / "ledger.db"), Deliveries(work / "d.db")
    ledger.open()
    store.open()
    backlog = store.counts()["waiting"]
    tap, deaths = Tap(url), list[BaseException]()
    settings = Qingdao(url=url, cno="1", sub_code="2", user="u", password_file="p", passkey_file="k")
    engine = DeliveryEngine(
        qingdao(settings, LOT, _lanes(), ACCOUNT, counts=lambda: None, transport=tap),
        ledger=reader, boot_offsets=reader.boot_offsets, store=store, clock=SystemClock(True),
        random=random.Random(1), storage_errors=(StoreError, OSError), died=deaths.append, changed=lambda: None,
    )  # fmt: skip
    events_s: dict[str, float] = {}
    tick = threading.Event()
    began_s = time.monotonic()
    engine.start()
    while (done := store.counts()["accepted"]) < backlog:
        if deaths or time.monotonic() - began_s > WITHIN_S:
            raise RuntimeError(f"{done} of {backlog} accepted in {time.monotonic() - began_s:.0f} s: {deaths}")
        if live and done:
            stamp = Stamp("live", time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000, True)
            fact = Fact(f"{len(events_s) + 2**100:032x}", "in1", stamp, Passed("a", "in", "鲁B99999", "blue"))
            events_s[fact.id] = time.monotonic()
            ledger.submit([fact], True, lambda result: engine.kick())
        tick.wait(LIVE_EVERY_S if live else 0.005)
    took_s = time.monotonic() - began_s
    engine.stop()
    for each in (store, reader, ledger):
        each.close()
    shutil.rmtree(work)
    delays_s = [tap.accepted_s[one] - at_s for one, at_s in events_s.items() if one in tap.accepted_s]
    return tap, took_s, backlog, delays_s


def _replayed_s(url: str, sent: list[Request]) -> float:
    with requests.Session() as session:
        prepared = [requests.Request("POST", url + each.path, each.headers, data=each.body).prepare() for each in sent]
        adapter = session.get_adapter(url)
        began_s = time.monotonic()
        for one in prepared:
            msgspec.json.decode(adapter.send(one, timeout=20).content)
        return time.monotonic() - began_s


@contextmanager
def _encoding(data: Path) -> Iterator[list[str]]:
    """The box's own picture child at work without a pause, one 1080p picture after the other. The results."""
    data.mkdir(parents=True)
    noise = np.random.default_rng(7).normal(120, 25, (1080, 1920, 3))
    jpeg = encode(np.asarray(np.clip(noise, 0, 255), np.uint8), 80)
    place = SpoolWriter(data / "spool", 128_000_000).append("0" * 32, jpeg)
    job = Job(
        record_id="0" * 32, read_id="0" * 32, spool=place[0], offset=place[1], length=place[2], crc32=place[3],
        box="bench", lot="测试停车场", lane="in1", lane_name="入口1", direction="in", device="c1", plate="鲁A12345",
        overlay=True, taken_ms=0, passed_ms=0, day="20261122", chain=1, previous="",
    )  # fmt: skip
    results: list[str] = []
    ending = threading.Event()
    cv2.setNumThreads(1)
    child = Child(data)

    def work() -> None:
        while not ending.is_set():
            results.append(child.make(job).result)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield results
    finally:
        ending.set()
        thread.join()
        child.end()
    if set(results) != {"made"}:
        raise RuntimeError(f"pictures were not made: {sorted(set(results))}")


def _lanes() -> tuple[Lane, ...]:
    return tuple(_lane(number) for number in range(1, 5))


def _lane(number: int) -> Lane:
    camera = Camera(id=f"c{number}", vendor="vz", addresses=("10.0.0.2",))
    return Lane(
        id=f"in{number}", name=f"入口{number}", number=number, direction="in", barrier=Barrier(open_pin=5),
        loops=Loops(arrival_pin=6, safety_pin=7), camera=(camera,),
    )  # fmt: skip
