"""A Qingdao platform in memory, a queue and a ledger in memory, and a clock that only tests move.

The platform is strict about what the box must get right (signature, token, seq_id, order of a visit) and reads
requests with the standard library's json. Weather is a list of words, one a business request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec

from edge.cities.city import Counts
from edge.cities.engine import DeliveryEngine
from edge.cities.http import TransportFault
from edge.cities.qingdao.city import qingdao
from edge.cities.qingdao.envelope import Account, Request
from edge.cities.verdict import Answer
from edge.config.model import Barrier, Camera, Lane, Loops, Lot, Qingdao
from edge.core.facts import AnyBody, Fact, Paid, Passed, Stamp
from edge.ports import Delivery, Due

PARK_ID = "0a" * 16
ACCOUNT = Account("0000001234", "P-77", "box", "geheim", "secret-key")
SETTINGS = Qingdao(
    url="http://127.0.0.1:1",
    cno=ACCOUNT.cno,
    sub_code=ACCOUNT.sub_code,
    user=ACCOUNT.user,
    password_file="p",
    passkey_file="k",
    batch=1,  # tests of single records; those of batches say more
)
LOT = Lot(park_id=PARK_ID, code="QD-1", name="前海停车场", total_stalls=100)
T0_MS = 1_795_320_000_000  # 2026-11-22 12:00:00 in Beijing


def lane(lane_id: str, direction: Literal["in", "out"], equipment_id: str | None = None) -> Lane:
    return Lane(
        id=lane_id,
        name=lane_id,
        number=1,
        direction=direction,
        equipment_id=equipment_id,
        barrier=Barrier(open_pin=5),
        loops=Loops(arrival_pin=6, safety_pin=7),
        camera=(Camera(id="cam", vendor="vz", addresses=("10.0.0.2",)),),
    )


LANES = (lane("in1", "in"), lane("out1", "out"))


def stamp(at_s: float = 0, *, boot: str = "boot-1", synced: bool = True) -> Stamp:
    return Stamp(boot, round(at_s * 1000), T0_MS + round(at_s * 1000), synced)


def guid(number: int) -> str:
    return f"{number:032x}"


def fact(number: int, body: AnyBody, at: Stamp | None = None, lane_id: str = "in1") -> Fact:
    return Fact(guid(number), lane_id, at or stamp(number), body, seq=number)


def entered(number: int, plate: str = "鲁B12345") -> Fact:
    return fact(number, Passed("a", "in", plate, "blue"))


def a_visit(first: int, plate: str = "鲁B12345") -> list[Fact]:
    """In, paid, out: three facts numbered from `first`."""
    return [
        fact(first, Passed("a", "in", plate, "blue")),
        fact(first + 1, Paid("o", guid(first), plate, "cash", 500, 500, 0, entered=stamp(first))),
        fact(
            first + 2,
            Passed("b", "out", plate, "blue", visit_id=guid(first), entered=stamp(first), due_fen=500, paid_fen=500),
            lane_id="out1",
        ),
    ]


class MemoryLedger:
    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.facts = list(facts)
        self.offsets: dict[str, int] = {}
        self.reads = 0

    def read_after(self, seq: int, limit: int) -> list[Fact]:
        self.reads += 1
        return [each for each in self.facts if each.seq > seq][:limit]

    def boot_offsets(self) -> dict[str, int]:
        return dict(self.offsets)


def _due(row: Delivery) -> Due:
    return Due(row.id, row.kind, row.item_id, row.body, row.made_ms, row.attempts)


class MemoryStore:
    """The queue as `ports.DeliveryStore` describes it. `broken` makes every call fail."""

    def __init__(self) -> None:
        self.rows: list[Delivery] = []
        self.at = 0
        self.broken: Exception | None = None
        self.adds = 0
        self._ids = 0

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken

    def cursor(self, city: str = "qingdao") -> int:
        self._check()
        return self.at

    def add(self, cursor: int, new: Sequence[Delivery], city: str = "qingdao") -> None:
        self._check()
        self.adds += 1
        assert cursor >= self.at
        self.at = cursor
        have = {(row.city, row.kind, row.item_id) for row in self.rows}
        for row in new:
            if (row.city, row.kind, row.item_id) not in have:
                self._ids += 1
                self.rows.append(msgspec.structs.replace(row, id=self._ids))

    def due(self, city: str, now_ms: int, limit: int, busy: Sequence[int] = ()) -> list[Due]:
        self._check()
        return [_due(row) for row in self._heads(city) if row.due_ms <= now_ms and row.id not in busy][:limit]

    def live(self, city: str, now_ms: int, limit: int, busy: Sequence[int] = ()) -> list[Due]:
        fresh = {
            row.visit_id or f"#{row.id}"
            for row in self.rows
            if row.state == "waiting" and row.city == city and row.made_ms >= now_ms - 60_000
        }
        heads = [row for row in self._heads(city) if (row.visit_id or f"#{row.id}") in fresh]
        return [_due(row) for row in heads if row.due_ms <= now_ms and row.id not in busy][:limit]

    def _heads(self, city: str) -> list[Delivery]:
        """Of each visit the oldest waiting row."""
        heads: dict[str, Delivery] = {}
        for row in self.rows:
            if row.state == "waiting" and row.city == city:
                heads.setdefault(row.visit_id or f"#{row.id}", row)
        return list(heads.values())

    def _change(self, ids: Sequence[int], change: Callable[[Delivery], Delivery]) -> None:
        self._check()
        self.rows = [change(row) if row.id in ids else row for row in self.rows]

    def accepted(self, ids: Sequence[int], answer: str, at_ms: int = 0) -> None:
        self._end(ids, "accepted", answer, at_ms)

    def failed(self, ids: Sequence[int], due_ms: int, answer: str, at_ms: int = 0) -> None:
        change = msgspec.structs.replace
        self._change(
            ids,
            lambda row: change(
                row, attempts=row.attempts + 1, due_ms=due_ms, last_answer=answer, answered_ms=at_ms
            ),
        )

    def set_aside(self, ids: Sequence[int], answer: str, at_ms: int = 0) -> None:
        self._end(ids, "set_aside", answer, at_ms)

    def _end(self, ids: Sequence[int], state: Literal["accepted", "set_aside"], answer: str, at_ms: int) -> None:
        change = msgspec.structs.replace
        self._change(ids, lambda row: change(row, state=state, last_answer=answer, answered_ms=at_ms))

    def counts(self) -> dict[str, int]:
        self._check()
        states = [row.state for row in self.rows]
        return {state: states.count(state) for state in ("waiting", "accepted", "set_aside")}

    def prune(self, made_before_ms: int, limit: int = 1000) -> int:
        old = [row for row in self.rows if row.state == "accepted" and row.made_ms < made_before_ms][:limit]
        self.rows = [row for row in self.rows if row not in old]
        return len(old)

    def recent(self, limit: int) -> list[Delivery]:
        return self.rows[::-1][:limit]

    def search(self, plate: str, limit: int, from_ms: int = 0, to_ms: int = 1 << 62) -> list[Delivery]:
        found = [row for row in self.rows[::-1] if plate in row.plate and from_ms <= row.made_ms < to_ms]
        return found[:limit]


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 1000.0
        self.true = True

    def mono_s(self) -> float:
        return self.now_s

    def wall_ms(self) -> int:
        return T0_MS + round(self.now_s * 1000)

    def wall_is_true(self) -> bool:
        return self.true


class FakeRandom:
    """Full jitter at its upper end: the test knows the rest."""

    def uniform(self, a: float, b: float, /) -> float:
        return b


class FakeCity:
    """Implements `Poster`. `weather` is used up from the front by business requests, then it is fine."""

    def __init__(self, clock: FakeClock, weather: Iterable[str] = (), life_s: int = 7200) -> None:
        self.clock, self.weather, self.life_s = clock, list(weather), life_s
        self.login_weather: list[str] = []
        self.token = ""
        self.token_until_s = 0.0
        self.logins = 0
        self.requests: list[tuple[str, dict[str, Any]]] = []  # business: kind, record
        self.seq_ids: dict[str, tuple[str, str]] = {}
        self.accepted: dict[str, dict[str, Any]] = {}  # carIn, carOut, carcharge by item_id, in order
        self.times: dict[str, int] = {}
        self.wrong: list[str] = []  # what a strict platform holds against the box
        self.closed = False
        self.batches: dict[str, list[int]] = {}  # kind: records of each request
        self.goodbyes: list[dict[str, Any]] = []

    def abort(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    def farewell(self, request: Request) -> Answer:
        self.goodbyes.append(json.loads(request.body))
        return self._said({"result_code": 0})

    def post(self, request: Request) -> Answer:
        sn = hashlib.md5(request.body + b"secret-key").hexdigest().upper()
        if request.headers["sn"] != sn:
            return self._said({"result_code": 112, "message": "sign"})
        body = json.loads(request.body)
        if request.path == "/login":
            return self._login(body)
        kind = request.path.removeprefix("/thirdAPI/")
        records = body["p"]["data_items"]
        self.requests += [(kind, record) for record in records]
        self.batches.setdefault(kind, []).append(len(records))
        word = self.weather.pop(0) if self.weather else "fine"
        if word == "no_route":
            raise TransportFault("连接不上市平台", "city not reachable", "refused", sent=False)
        if word == "hang":
            self.clock.now_s += 20
            raise TransportFault("超时 20 s", "no answer within 20 s", "", sent=True)
        if word == "cut_off":
            raise TransportFault("连接中断", "connection cut", "", sent=True)
        if word == "http_500":
            return Answer(500, b"<h1>Internal Server Error</h1>")
        if word == "not_found":
            return Answer(404, b"")
        if word == "garbage":
            return Answer(200, b"\xff\xfe<html>")
        if word == "expire":
            self.token = ""
        if body["tn"] != self.token or self.clock.now_s >= self.token_until_s:
            return self._said({"result_code": 113, "message": "token", "seq_id": body["seq_id"]})
        if word.isdecimal():
            return self._said({"result_code": int(word), "message": "no", "seq_id": body["seq_id"]})
        text = json.dumps(body["p"], sort_keys=True)
        if self.seq_ids.setdefault(body["seq_id"].lower(), (kind, text)) != (kind, text):
            self.wrong.append(f"seq_id {body['seq_id']} for two requests to {kind}")
            return self._said({"result_code": 119, "message": "seq_id", "seq_id": body["seq_id"]})
        return self._business(word, kind, records, body["seq_id"])

    def _login(self, body: dict[str, Any]) -> Answer:
        word = self.login_weather.pop(0) if self.login_weather else "fine"
        if word == "no_route":
            raise TransportFault("连接不上市平台", "city not reachable", "refused", sent=False)
        if word.isdecimal():
            return self._said({"result_code": int(word), "message": "no"})
        if body != {"cno": "0000001234", "usr": "box", "psw": "geheim"}:
            return self._said({"result_code": 111, "message": "psw"})
        self.logins += 1
        self.token = f"token-{self.logins}"
        self.token_until_s = self.clock.now_s + self.life_s
        return self._said({"result_code": 0, "token": self.token, "timeOut": self.life_s})

    def _business(self, word: str, kind: str, records: list[dict[str, Any]], seq_id: str) -> Answer:
        items = [self._item(word, kind, record, place) for place, record in enumerate(records)]
        if word == "lost":
            raise TransportFault("连接中断", "connection cut", "after processing", sent=True)
        if word == "duplicate_items":
            items *= 2
        if word == "shuffled":
            items.reverse()
        if word == "first_item_only":
            del items[1:]
        if word == "empty_items":
            items = []
        reply: dict[str, Any] = {"result_code": 0, "message": "", "seq_id": seq_id, "data_items": items}
        if word == "double_encoded":
            return Answer(200, json.dumps(json.dumps(reply)).encode())
        if word == "strings":
            texts = [{**item, "error_code": str(item["error_code"])} for item in items]
            reply = {"result_code": "0", "data_items": json.dumps(texts)}
        return self._said(reply)

    def _item(self, word: str, kind: str, record: dict[str, Any], place: int) -> dict[str, Any]:
        """One record judged by itself; what is refused is not kept."""
        item_id = str(record.get("item_id", record.get("equipment_id", record.get("park_id"))))
        strikes = {"refuse_item": True, "refuse_first_item": place == 0, "refuse_some": place % 2 == 1}
        if strikes.get(word):
            return {"item_id": item_id, "error_code": 1}
        if kind in ("carIn", "carOut", "carcharge"):
            if self.accepted.setdefault(item_id, record) != record:
                self.wrong.append(f"{kind} {item_id} changed")
            if kind != "carIn" and record["park_in_id"] not in self.accepted:
                self.wrong.append(f"{kind} {item_id} before its carIn")
            self.times[item_id] = self.times.get(item_id, 0) + 1
        return {"item_id": item_id, "error_code": 0}

    def _said(self, reply: dict[str, Any]) -> Answer:
        return Answer(200, json.dumps(reply).encode())


class Rig:
    """An engine with everything around it in memory."""

    def __init__(self, facts: Iterable[Fact] = (), weather: Iterable[str] = (), life_s: int = 7200) -> None:
        self.clock = FakeClock()
        self.city = FakeCity(self.clock, weather, life_s)
        self.ledger = MemoryLedger(facts)
        self.store = MemoryStore()
        self.counts: Counts | None = None
        self.changes = 0
        self.deaths: list[BaseException] = []
        self.settings = SETTINGS
        self.engine = self.new_engine()

    def new_engine(self) -> DeliveryEngine:
        return DeliveryEngine(
            qingdao(self.settings, LOT, LANES, ACCOUNT, counts=lambda: self.counts, transport=self.city),
            ledger=self.ledger,
            boot_offsets=self.ledger.boot_offsets,
            store=self.store,
            clock=self.clock,
            random=FakeRandom(),
            storage_errors=(OSError,),
            died=self.deaths.append,
            changed=self._changed,
        )

    def _changed(self) -> None:
        self.changes += 1

    def run_for(self, seconds: float, step_s: float = 0.001) -> None:
        """Rounds until so much (virtual) time has passed."""
        until_s = self.clock.now_s + seconds
        while self.clock.now_s < until_s:
            wait_s = self.engine.run_once()
            self.clock.now_s += max(step_s, wait_s) if wait_s else 0.001

    def run_until(self, done: Callable[[], bool], at_most_s: float = 86_400, step_s: float = 0.001) -> None:
        """Rounds until `done`. `step_s`: an idle engine is asked only this often."""
        until_s = self.clock.now_s + at_most_s
        while not done():
            assert self.clock.now_s < until_s, f"not done after {at_most_s} s: {self.store.counts()}"
            wait_s = self.engine.run_once()
            self.clock.now_s += max(step_s, wait_s) if wait_s else 0.001

    def settled(self) -> bool:
        return self.engine.held == 0 and bool(self.store.rows) and self.store.counts()["waiting"] == 0

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.city.requests]
