"""The agent's questions over real sockets: the simulated city's purse, a ledger in memory, a lane program's door."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.agent.qingdao_calls import QingdaoCallsLink
from edge.cities.qingdao.conversation import Conversation
from edge.cities.times import Times
from edge.cities.verdict import Answer
from edge.config.model import Box, Cities, Config
from edge.config.qingdao_calls import QingdaoCalls
from edge.config.qingdao_mqtt import QingdaoMqtt
from edge.core.facts import AnyBody, Fact, Passed
from edge.core.facts_money import DeductionAsked, Quoted
from hal_sim.qingdao.purse import Signed
from tests.city_fakes import LANES, LOT, SETTINGS, stamp
from tests.qingdao_house import ACCOUNT, SOON_S, House

VISIT, ORDER, PLATE = "07" * 16, "0f" * 16, "鲁B12345"


class Ledger:
    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def add(self, body: AnyBody, fact_id: str = "", lane: str = "out1") -> None:
        seq = len(self.facts) + 1
        self.facts.append(Fact(fact_id or f"{seq:032x}", lane, stamp(seq), body, seq))

    def read_after(self, seq: int, limit: int) -> Sequence[Fact]:
        return self.facts[seq : seq + limit]

    def last_seq(self) -> int:
        return len(self.facts)


class Till(House):
    """`House` with the questions instead of the orders."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ledger, self.online_now = Ledger(), True
        self.talk = Conversation(ACCOUNT)
        request = self.talk.login()
        got = self.platform.handle(request.path, request.headers["Content-Type"], request.sn, request.body, None)
        assert self.talk.logged_in(request, Answer(got.status, got.body), 0.0).meaning == "accepted"
        self._came = threading.Condition()
        self.door.before_answer = self._tell_came
        mqtt = QingdaoMqtt(host="127.0.0.1", port=self.port)
        calls = QingdaoCalls(poll_s=0.05, signatory_after_min=0.0, deduct_s=3.0)
        qingdao = msgspec.structs.replace(SETTINGS, url=self.url, sub_code="0000001", mqtt=mqtt, calls=calls)
        box = Box(id="box1", data_dir=str(folder), socket=str(folder / "lane.sock"))
        self.calls = QingdaoCallsLink(
            Config(box=box, lot=LOT, lane=LANES, city=Cities(qingdao=qingdao)), qingdao, mqtt, ACCOUNT, self.talk,
            self.ledger, lambda: Times({}), lambda: self.online_now, died=self.failed.append,
        )  # fmt: skip

    def _tell_came(self) -> None:
        with self._came:
            self._came.notify_all()

    def told(self, op: str) -> dict[str, Any]:
        """The first order of that kind that the lane program gets."""
        with self._came:
            assert self._came.wait_for(lambda: any(each["op"] == op for each in self.door.asked), SOON_S)
        order: dict[str, Any] = next(each["order"] for each in self.door.asked if each["op"] == op)
        return order

    def quoted(self) -> None:
        self.ledger.add(Quoted(
            ORDER, VISIT, PLATE, stamp(0), stamp(3600), 3_600_000, 700, 200, 500, leave_min=15, colour="blue", at="arm",
        ))  # fmt: skip

    def close(self) -> None:
        self.calls.stop()
        super().close()


@pytest.fixture
def qingdao_till(tmp_path: Path) -> Iterator[Till]:
    made = Till(tmp_path)
    yield made
    made.close()


def test_a_payment_whose_notice_was_lost_is_found_and_told(qingdao_till: Till) -> None:
    qingdao_till.quoted()
    qingdao_till.calls.start()
    qingdao_till.platform.purse.wait_asked(14, SOON_S)
    assert not any(each["op"] == "payment" for each in qingdao_till.door.asked)
    qingdao_till.platform.purse.pay(ORDER, 500)
    order = qingdao_till.told("payment")
    assert (order["order_id"], order["amount_fen"], order["how"], order["pay_type"]) == (ORDER, 500, "poll", "WX")


def test_the_city_takes_the_money_of_a_signed_plate(qingdao_till: Till) -> None:
    qingdao_till.platform.purse.signed["鲁-B12345"] = Signed("u-1")
    qingdao_till.ledger.add(Passed("a", "in", PLATE, colour="blue"), VISIT, "in1")
    qingdao_till.calls.start()
    seamless = qingdao_till.told("seamless")
    assert (seamless["visit_id"], seamless["signed"], seamless["mode"], seamless["how"]) == (
        VISIT, True, "before", "query",
    )  # fmt: skip
    qingdao_till.quoted()
    qingdao_till.ledger.add(DeductionAsked(ORDER, VISIT, PLATE, "before", 500, "u-1"))
    qingdao_till.calls.kick()
    order = qingdao_till.told("payment")
    assert (order.get("result", "paid"), order["how"], order["amount_fen"]) == ("paid", "deduction", 500)
    assert qingdao_till.platform.purse.wait_asked(13, 0)["out_equip_code"] == "out1"


def test_an_empty_account_is_told_so_that_the_car_pays_another_way(qingdao_till: Till) -> None:
    qingdao_till.platform.purse.signed["鲁-B12345"] = Signed("u-1", has_money=False)
    qingdao_till.quoted()
    qingdao_till.ledger.add(DeductionAsked(ORDER, VISIT, PLATE, "before", 500, "u-1"))
    qingdao_till.calls.start()
    assert qingdao_till.told("payment")["result"] == "failed"


def test_a_city_that_is_away_costs_a_waiting_car_no_more_than_its_bound(qingdao_till: Till) -> None:
    qingdao_till.quoted()
    qingdao_till.ledger.add(DeductionAsked(ORDER, VISIT, PLATE, "before", 500, "u-1"))
    qingdao_till.platform.stop()
    qingdao_till.calls.start()
    assert qingdao_till.told("payment")["result"] == "failed"


def test_a_token_that_has_ended_is_given_back_and_the_question_asked_with_the_next(
    qingdao_till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back, give_back = threading.Event(), qingdao_till.talk.token_refused

    def refused(request: Any) -> None:
        give_back(request)
        given_back.set()

    monkeypatch.setattr(qingdao_till.talk, "token_refused", refused)
    qingdao_till.platform.expire_tokens()
    qingdao_till.platform.purse.pay(ORDER, 500)
    qingdao_till.quoted()
    qingdao_till.calls.start()
    assert given_back.wait(SOON_S)
    assert qingdao_till.talk.token == ""
    request = qingdao_till.talk.login()
    got = qingdao_till.platform.handle(
        request.path, request.headers["Content-Type"], request.sn, request.body, None
    )
    qingdao_till.talk.logged_in(request, Answer(got.status, got.body), 0.0)
    assert qingdao_till.told("payment")["order_id"] == ORDER


def test_the_lane_program_hears_that_payments_can_come(qingdao_till: Till) -> None:
    qingdao_till.calls.start()
    assert qingdao_till.told("city_link")["up"] is True


def test_the_simulated_city_judges_every_member_of_a_question(qingdao_till: Till) -> None:
    top = {"cno": "880001", "subCode": "0000001", "tn": qingdao_till.talk.token, "seq_id": "a" * 32,
           "p": {"data_items": [{"order_no": "T", "park_code": 5}]}}  # fmt: skip
    body = json.dumps(top).encode()
    from edge.cities.qingdao.envelope import sign  # noqa: PLC0415 - one known answer of the standard's rule

    path = "/thirdAPI/cloud/queryOrderStateRequest"
    got = qingdao_till.platform.handle(path, "application/json", sign(body, "key"), body, None)
    assert json.loads(got.body)["result_code"] == 119
    assert "park_code" in json.loads(got.body)["message"]
