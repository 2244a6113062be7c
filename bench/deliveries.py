"""Reports to the city: CPU of one report, a backlog's drain, and a live record during the drain.

The city is a process of its own that reads a request and answers "accepted" at once: what is measured is the box. The
engine, the queue on the disk and the transport are the agent's own; the lane program does not run.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import requests

from bench.figures import Row, median, percentile, spread
from bench.load import fill
from bench.process import Process
from edge.agent_cities import SystemClock
from edge.cities.engine import DeliveryEngine
from edge.cities.http import HttpTransport
from edge.cities.qingdao.city import qingdao
from edge.cities.qingdao.conversation import Conversation
from edge.cities.qingdao.envelope import Account, Request
from edge.cities.uplink import Uplink
from edge.cities.verdict import Answer
from edge.config.model import Barrier, Camera, Lane, Loops, Lot, Qingdao
from edge.core.facts import Fact, Passed, Stamp
from edge.store.deliveries import Deliveries
from edge.store.errors import StoreError
from edge.store.ledger import Ledger
from edge.store.reader import LedgerFile

ACCOUNT = Account("0000001234", "P-77", "box", "bench", "secret-key")
LOT = Lot(park_id="0a" * 16, code="QD-1", name="性能测试停车场", total_stalls=1000)
RECORD = (
    b'{"item_id":"%032x","event_type":"BRUSHCARD","car_no":"\xe9\xb2\x81-B12345","car_color":"BLUE",'
    b'"in_time":"2026-11-22 12:00:00","park_id":"' + b"0a" * 16 + b'","io_type":1,"timestamp":1795320000000}'
)
BATCH = 100
LIVE_EVERY_S = 0.05
WITHIN_S = 600.0

CITY = """
import socket, sys, threading
answer = b'{"result_code":0,"token":"T","timeOut":-1}'
reply = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(answer) + answer
def serve(line):
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    while True:
        while b"\\r\\n\\r\\n" not in data:
            more = line.recv(262144)
            if not more:
                return
            data += more
        head, _, data = data.partition(b"\\r\\n\\r\\n")
        wanted = int(next(x for x in head.lower().split(b"\\r\\n") if x.startswith(b"content-length"))[15:])
        while len(data) < wanted:
            data += line.recv(262144)
        data = data[wanted:]
        line.sendall(reply)
listener = socket.create_server(("127.0.0.1", 0))
print("city at", listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


def run(folder: Path, *, rounds: int, backlog: int) -> list[Row]:
    with Process([sys.executable, "-c", CITY], folder / "city-reports.log", word="city at ") as city:
        url = f"http://127.0.0.1:{city.line.split()[-1]}"
        return [*_cpu(url, rounds), *_drain(folder / "reports", url, backlog)]


# --- one report ----------------------------------------------------------------------------------------------------


def _cpu(url: str, rounds: int) -> list[Row]:
    """All three in turn within each round."""
    transport = HttpTransport(url, 20.0)
    uplink = Uplink(Conversation(ACCOUNT), transport, SystemClock(True), random.Random(1), rest_max_s=1, live_s=180)
    numbers = iter(range(10**9))
    talk = Conversation(ACCOUNT)
    talk.logged_in(talk.login(), Answer(200, b'{"result_code":0,"token":"T","timeOut":-1}'), 0.0)
    made = talk.request("carIn", "0b" * 16, RECORD % 0)

    def record() -> tuple[str, bytes]:
        number = next(numbers)
        return f"{number:032x}", RECORD % number

    def alone() -> None:
        assert uplink.send_batch("carIn", [record()], repeat=False)[0].meaning == "accepted"

    def batch() -> None:
        assert uplink.send_batch("carIn", [record() for _ in range(BATCH)], repeat=False)[0].meaning == "accepted"

    ratios: dict[str, list[float]] = {"alone": [], "batch": []}
    with requests.Session() as session:
        session.trust_env = True  # as it comes

        def plain() -> None:
            session.post(url + made.path, data=made.body, headers=made.headers, timeout=20).json()

        for each in (alone, batch, plain):
            each()
        for _ in range(rounds):
            floor_s = _cpu_s(plain, 40)
            ratios["alone"].append(_cpu_s(alone, 40) / floor_s)
            ratios["batch"].append(_cpu_s(batch, 10) / BATCH / floor_s)
    transport.close()
    one, many = median(ratios["alone"]), median(ratios["batch"])
    against = "of requests.Session().post"
    return [
        Row("CPU of one report sent alone", f"{spread(ratios['alone'])}x", f"<= 0.5x {against}", one <= 0.5),
        Row(f"CPU of one in a batch of {BATCH}", f"{spread(ratios['batch'])}x", f"<= 0.1x {against}", many <= 0.1),
    ]


def _cpu_s(work: Callable[[], None], times: int) -> float:
    began_s = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began_s) / times


# --- the backlog ---------------------------------------------------------------------------------------------------


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


def _drain(folder: Path, url: str, backlog: int) -> list[Row]:
    """First without live records, for the comparison; then again with them, for their delay."""
    rows = []
    tap, took_s, _ = _drained(folder / "quiet", url, backlog, live=False)
    floor_s = _replayed_s(url, tap.sent)
    share = floor_s / took_s
    rows.append(Row(
        f"backlog of {backlog} records", f"{share:.2f}x ({backlog / took_s:.0f} a second, {len(tap.sent)} requests)",
        ">= 0.6x of the same requests prepared, no storage", share >= 0.6,
    ))  # fmt: skip
    tap, took_s, delays_s = _drained(folder / "live", url, backlog, live=True)
    if not delays_s:
        raise RuntimeError("the backlog was gone before a live record came: a larger one is needed")
    p99_s = percentile(delays_s, 0.99)
    rows.append(Row(
        "live record, event to accepted, during that drain, p99",
        f"{p99_s * 1000:.0f} ms (p50 {median(delays_s) * 1000:.0f} ms, {len(delays_s)} records)", "<= 1 s", p99_s <= 1,
    ))  # fmt: skip
    return rows


def _drained(folder: Path, url: str, backlog: int, *, live: bool) -> tuple[Tap, float, list[float]]:
    folder.mkdir(parents=True)
    fill(folder / "ledger.db", backlog)
    ledger, reader, store = Ledger(folder / "ledger.db"), LedgerFile(folder / "ledger.db"), Deliveries(folder / "d.db")
    ledger.open()
    store.open()
    tap, deaths = Tap(url), list[BaseException]()
    settings = Qingdao(url=url, cno="1", sub_code="2", user="u", password_file="p", passkey_file="k")
    lanes = tuple(_lane(number) for number in range(1, 5))
    engine = DeliveryEngine(
        qingdao(settings, LOT, lanes, ACCOUNT, counts=lambda: None, transport=tap),
        ledger=reader, boot_offsets=reader.boot_offsets, store=store, clock=SystemClock(True),
        random=random.Random(1), storage_errors=(StoreError, OSError), died=deaths.append, changed=lambda: None,
    )  # fmt: skip
    began_s = time.monotonic()
    engine.start()
    events_s: dict[str, float] = {}
    tick = threading.Event()
    while (done := store.counts()["accepted"]) < backlog:
        if deaths or time.monotonic() - began_s > WITHIN_S:
            raise RuntimeError(f"{done} of {backlog} accepted in {time.monotonic() - began_s:.0f} s: {deaths}")
        if live and done:
            now_ms = time.time_ns() // 1_000_000
            stamp = Stamp("live", time.monotonic_ns() // 1_000_000, now_ms, True)
            fact = Fact(f"{len(events_s) + 2**100:032x}", "in1", stamp, Passed("a", "in", "鲁B99999", "blue"))
            events_s[fact.id] = time.monotonic()
            ledger.submit([fact], True, lambda result: engine.kick())
        tick.wait(LIVE_EVERY_S)
    took_s = time.monotonic() - began_s
    engine.stop()
    store.close()
    reader.close()
    ledger.close()
    return tap, took_s, [tap.accepted_s[one] - at_s for one, at_s in events_s.items() if one in tap.accepted_s]


def _replayed_s(url: str, sent: list[Request]) -> float:
    with requests.Session() as session:
        prepared = [requests.Request("POST", url + each.path, each.headers, data=each.body).prepare() for each in sent]
        adapter = session.get_adapter(url)
        began_s = time.monotonic()
        for one in prepared:
            msgspec.json.decode(adapter.send(one, timeout=20).content)
        return time.monotonic() - began_s


def _lane(number: int) -> Lane:
    camera = Camera(id=f"c{number}", vendor="vz", addresses=("10.0.0.2",))
    return Lane(
        id=f"in{number}", name=f"入口{number}", number=number, direction="in", barrier=Barrier(open_pin=5),
        loops=Loops(arrival_pin=6, safety_pin=7), camera=(camera,),
    )  # fmt: skip
