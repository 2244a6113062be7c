"""The delivery engine with Shenzhen: order, live first, changes told at once, tokens, both cities side by side."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.cities.city import Counts
from edge.cities.engine import DeliveryEngine
from edge.cities.http import HttpTransport, TransportFault
from edge.cities.qingdao.city import qingdao
from edge.cities.shenzhen.city import shenzhen
from edge.cities.shenzhen.conversation import Account, Conversation
from edge.cities.shenzhen.envelope import Request
from edge.cities.verdict import Answer
from edge.config.model import Box, Cities, Config
from edge.core.facts import Passed, PlateCorrected
from edge.core.facts_flow import PrioritySwitched
from edge.ports import Delivery
from edge.store.deliveries import Deliveries
from edge.store.errors import StoreError
from tests.city_fakes import (
    ACCOUNT,
    LANES,
    LOT,
    SETTINGS,
    FakeCity,
    FakeClock,
    FakeRandom,
    MemoryLedger,
    fact,
    guid,
    stamp,
)
from tests.city_fakes import a_visit as visit
from tests.shenzhen_platform import MiniPlatform
from tests.shenzhen_tools import settings
from tests.tls_certs import Authority


def config(**changes: Any) -> Config:
    return Config(
        box=Box(id="B", data_dir="/d", socket="/s"), lot=LOT, lane=LANES, city=Cities(shenzhen=settings(**changes))
    )


class Platform:
    """In memory: `edge.cities.city.Poster`. `say` may give another answer or fault for a business request."""

    def __init__(self) -> None:
        self.records: list[tuple[str, dict[str, Any]]] = []
        self.requests: list[str] = []
        self.say: Callable[[str], Answer | TransportFault | None] = lambda kind: None
        self.tokens = 0
        self.life: Any = 7200

    def post(self, request: Request) -> Answer:
        self.requests.append(request.kind)
        elements = json.loads(request.body)["data"]
        if request.kind in {"1001", "1002"}:
            self.tokens += 1
            return self._answer([{"accessToken": f"T{self.tokens}", "tokenType": "bearer", "expiresIn": self.life}])
        said = self.say(request.kind)
        if isinstance(said, TransportFault):
            raise said
        if said is not None:
            return said
        if request.token != f"T{self.tokens}":
            return self._answer([{"code": 3002}])
        self.records += [(request.kind, element) for element in elements]
        return self._answer([{"code": 0} for _ in elements])

    farewell = post

    def abort(self) -> None: ...

    def close(self) -> None: ...

    def _answer(self, data: list[dict[str, Any]]) -> Answer:
        return Answer(200, json.dumps({"resultCode": 0, "data": data}).encode())


class Rig:
    def __init__(self, facts: list[Any], folder: Path, **changes: Any) -> None:
        self.clock, self.ledger, self.platform = FakeClock(), MemoryLedger(facts), Platform()
        self.counts: Counts | None = Counts(100, 3, 1)
        self.store = Deliveries(folder / "d.db")
        self.store.open()
        self.store.begin(["shenzhen"])
        self.config = config(**changes)
        assert self.config.city.shenzhen is not None
        talk = Conversation(Account("cadre01", "SECRET=="))
        city = shenzhen(
            self.config, self.config.city.shenzhen, talk, counts=lambda: self.counts, transport=self.platform
        )
        self.engine = DeliveryEngine(
            city, ledger=self.ledger, boot_offsets=self.ledger.boot_offsets, store=self.store, clock=self.clock,
            random=FakeRandom(), storage_errors=(StoreError,), died=lambda error: None, changed=lambda: None,
        )  # fmt: skip

    def run(self, seconds: float) -> None:
        until_s = self.clock.now_s + seconds
        while self.clock.now_s < until_s:
            self.clock.now_s += max(0.001, self.engine.run_once())

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.platform.records]


def test_master_data_goes_first_and_a_visit_in_order(tmp_path: Path) -> None:
    rig = Rig(visit(1), tmp_path)
    rig.run(2)
    assert rig.kinds() == ["3001", "3002", "3002", "3005", "5003", "5004", "5008", "5005"]
    assert rig.platform.requests.count("3002") == 1
    entry, charge, leaving = (element for kind, element in rig.platform.records if kind in {"5004", "5008", "5005"})
    assert entry["id"] == charge["recordId"] == leaving["id"] == guid(1)
    assert leaving["chargeIdList"] == [charge["id"]]
    assert rig.store.counts() == {"waiting": 0, "accepted": 3, "set_aside": 0}


def test_corrections_and_switches_are_records(tmp_path: Path) -> None:
    facts = [
        *visit(1)[:1],
        fact(2, PlateCorrected(guid(1), "鲁B12345", "鲁B12346", entered=stamp(1), entry_lane="in1"), lane_id=""),
        fact(3, PrioritySwitched(on=True, cause="start"), lane_id=""),
        fact(4, PrioritySwitched(on=False, cause="operator", who="w"), lane_id=""),
    ]
    rig = Rig(facts, tmp_path)
    rig.run(2)
    assert sorted(rig.kinds()[5:]) == ["5004", "5006", "7001", "7001"]
    assert rig.kinds().index("5004") < rig.kinds().index("5006")
    assert [element["operateType"] for kind, element in rig.platform.records if kind == "7001"] == [1, 0]


def test_counts_are_told_within_three_seconds_of_every_change_and_each_minute(tmp_path: Path) -> None:
    """7.2.1 b), SC75."""
    rig = Rig([], tmp_path)
    rig.run(5)
    assert rig.kinds().count("5003") == 1
    rig.counts = Counts(100, 4, 1)
    changed_s = rig.clock.now_s
    while rig.kinds().count("5003") < 2:
        rig.run(0.1)
    assert rig.clock.now_s - changed_s < 3
    assert rig.platform.records[-1][1]["usedStalls"] == 4
    rig.run(59)
    assert rig.kinds().count("5003") == 2
    rig.run(3)
    assert rig.kinds().count("5003") == 3


def test_a_token_that_is_refused_is_renewed_and_the_record_goes_again(tmp_path: Path) -> None:
    rig = Rig([], tmp_path)
    rig.run(1)
    rig.platform.tokens += 1  # the platform has forgotten ours
    rig.ledger.facts += visit(1)[:1]
    rig.engine.kick()
    rig.run(2)
    assert rig.kinds().count("5004") == 1
    assert rig.platform.requests[-3:] == ["5004", "1002", "5004"]
    assert rig.store.counts()["waiting"] == 0


def test_the_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    rig = Rig([], tmp_path)
    rig.platform.life = 300
    rig.run(301)
    assert rig.platform.requests.count("1001") == 1
    assert rig.platform.requests.count("1002") == 1


@pytest.mark.parametrize(("code", "state"), [(1004, "set_aside"), (1200, "accepted"), (5123, "waiting")])
def test_what_codes_do_to_a_record(tmp_path: Path, code: int, state: str) -> None:
    rig = Rig(visit(1)[:1], tmp_path)
    body = json.dumps({"resultCode": 0, "data": [{"code": code, "message": "x"}]}).encode()
    rig.platform.say = lambda kind: Answer(200, body) if kind == "5004" else None
    rig.run(5)
    assert rig.store.counts()[state] == 1


def test_a_live_record_goes_before_the_backlog(tmp_path: Path) -> None:
    """7.3."""
    rig = Rig([], tmp_path)
    rig.platform.say = lambda kind: TransportFault("断", "cut", "x", sent=False)
    for number in range(50):
        rig.ledger.facts += [fact(10 + number, Passed("a", "in", f"鲁B{number:05d}"), stamp(number))]
    rig.run(200)
    live = fact(99, Passed("b", "in", "鲁B99999"), stamp(rig.clock.now_s + 1))
    rig.ledger.facts.append(live)
    rig.platform.say = lambda kind: None
    rig.clock.now_s += 1
    rig.run(61)
    entries = [element["carInfo"]["plateNo"] for kind, element in rig.platform.records if kind == "5004"]
    assert entries[0] == "鲁B99999"
    assert len(entries) == 51


def test_a_record_that_waited_too_long_is_set_aside(tmp_path: Path) -> None:
    """SC72."""
    rig = Rig(visit(1)[:1], tmp_path, backlog_days=1)
    rig.platform.say = lambda kind: TransportFault("断", "cut", "x", sent=False)
    rig.run(10)
    rig.clock.now_s += 90_000
    rig.platform.say = lambda kind: None
    rig.run(120)
    assert rig.store.counts() == {"waiting": 0, "accepted": 0, "set_aside": 1}


def test_the_backlog_at_the_pace_that_was_asked_for(tmp_path: Path) -> None:
    """SC73."""
    rig = Rig([], tmp_path, backlog_per_s=2.0)
    rig.run(1)
    rig.ledger.facts += [fact(10 + n, Passed("a", "in", f"鲁B{n:05d}"), stamp(-1000)) for n in range(20)]
    rig.run(5)
    assert 8 <= rig.kinds().count("5004") <= 13
    rig.run(8)
    assert rig.kinds().count("5004") == 20


# --- both cities ---------------------------------------------------------------------------------------------------


def test_two_cities_each_with_its_own_cursor_and_retries(tmp_path: Path) -> None:
    """One city down for hours does not hold back the other, and gets everything once when it is back."""
    facts = [each for number in range(0, 30, 3) for each in visit(1 + number, f"鲁B{number:05d}")]
    rig = Rig(facts, tmp_path)
    rig.store.begin(["qingdao", "shenzhen"])
    theirs = FakeCity(rig.clock)
    other = DeliveryEngine(
        qingdao(SETTINGS, LOT, LANES, ACCOUNT, counts=lambda: rig.counts, transport=theirs),
        ledger=rig.ledger, boot_offsets=rig.ledger.boot_offsets, store=rig.store, clock=rig.clock,
        random=FakeRandom(), storage_errors=(StoreError,), died=lambda error: None, changed=lambda: None,
    )  # fmt: skip
    rig.platform.say = lambda kind: TransportFault("断", "cut", "x", sent=False)
    for _ in range(400):
        other.run_once()
        rig.engine.run_once()
        rig.clock.now_s += 0.5
    assert rig.store.cursor("qingdao") == rig.store.cursor("shenzhen") == 30
    assert rig.store.counts() == {"waiting": 30, "accepted": 30, "set_aside": 0}
    assert not rig.engine.link().online
    assert other.link().online
    rig.platform.say = lambda kind: None
    rig.run(130)
    assert rig.store.counts() == {"waiting": 0, "accepted": 60, "set_aside": 0}
    assert [rig.kinds().count(kind) for kind in ("5004", "5008", "5005")] == [10, 10, 10]


def test_an_idle_city_does_not_read_what_another_has_waiting(tmp_path: Path) -> None:
    store = Deliveries(tmp_path / "d.db")
    store.open()
    store.begin(["qingdao", "shenzhen"])

    def row(city: str, number: int) -> Delivery:
        return Delivery(0, city, "carIn", guid(number), guid(number), b"{}", "", made_ms=number)

    store.add(1, [row("qingdao", number) for number in range(1, 50)], "qingdao")
    assert store.due("shenzhen", 10, 5) == []
    looks = reads_of(store)
    assert store.due("shenzhen", 10, 5) == store.live("shenzhen", 10, 5) == []
    assert looks == []
    store.add(2, [row("shenzhen", 99)], "shenzhen")
    (found,) = store.due("shenzhen", 10, 5)
    store.set_aside([found.id], "no")
    assert store.due("shenzhen", 10, 5) == []
    assert store.repeat([found.id]) == 1
    assert [each.id for each in store.due("shenzhen", 10, 5)] == [found.id]
    store.close()


def reads_of(store: Deliveries) -> list[str]:
    """Every statement from now on."""
    found: list[str] = []
    assert store._conn is not None
    store._conn.set_trace_callback(found.append)
    return found


def test_a_city_that_is_new_begins_where_the_others_are(tmp_path: Path) -> None:
    store = Deliveries(tmp_path / "d.db")
    store.open()
    store.begin(["qingdao"])
    store.add(700, [], "qingdao")
    store.begin(["qingdao", "shenzhen"])
    assert (store.cursor("qingdao"), store.cursor("shenzhen")) == (700, 700)
    store.add(701, [], "shenzhen")
    store.begin(["qingdao", "shenzhen"])
    assert (store.cursor("qingdao"), store.cursor("shenzhen")) == (700, 701)
    store.close()


# --- over real TLS -------------------------------------------------------------------------------------------------


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[tuple[MiniPlatform, Authority]]:
    authority = Authority(tmp_path)
    made = MiniPlatform(authority)
    yield made, authority
    made.stop()
    assert made.wrong == []


def test_over_the_wire(platform: tuple[MiniPlatform, Authority], tmp_path: Path) -> None:
    """Sign, token, path and timestamp as another program checks them; 1003 at the end."""
    mini, authority = platform
    store, ledger, clock = Deliveries(tmp_path / "d.db"), MemoryLedger(visit(1)), FakeClock()
    store.open()
    site = config(url=mini.url, ca_file=str(authority.file))
    assert site.city.shenzhen is not None
    talk = Conversation(Account("cadre01", "SECRET=="))
    deaths: list[BaseException] = []
    engine = DeliveryEngine(
        shenzhen(site, site.city.shenzhen, talk, counts=lambda: Counts(100, 3, 0)),
        ledger=ledger, boot_offsets=ledger.boot_offsets, store=store, clock=clock, random=random.Random(1),
        storage_errors=(StoreError,), died=deaths.append, changed=lambda: None,
    )  # fmt: skip
    engine.start()
    try:
        mini.wait_for(lambda all_: any(kind == "5005" for kind, _ in all_.records))
    finally:
        engine.stop()
    store.close()
    assert deaths == []
    assert [code for code, _ in mini.logins] == ["1001", "1003"]
    assert [kind for kind, _ in mini.records][-3:] == ["5004", "5008", "5005"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("shenzhen", "city"))]


def test_a_request_to_a_server_that_is_not_trusted_never_leaves(
    platform: tuple[MiniPlatform, Authority], tmp_path: Path
) -> None:
    mini, _ = platform
    (tmp_path / "other").mkdir()
    transport = HttpTransport(mini.url, 5.0, ca_file=str(Authority(tmp_path / "other").file))
    request = Conversation(Account("u", "SECRET==")).login(1_790_000_000_000)
    with pytest.raises(TransportFault, match="TLS") as caught:
        transport.post(request)
    assert caught.value.sent is False
    assert mini.logins == []
    transport.close()
