"""Several records in one request: what the answer says of each, and that one bad record costs the others nothing."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from edge.cities.http import HttpTransport
from edge.cities.qingdao.conversation import Conversation
from edge.cities.qingdao.site import lot_maker
from edge.cities.uplink import Uplink
from edge.cities.verdict import Answer
from edge.core.facts import Passed
from hal_sim.qingdao import Account, Kind, QingdaoPlatform
from tests.city_fakes import (
    ACCOUNT,
    LOT,
    PARK_ID,
    SETTINGS,
    T0_MS,
    FakeClock,
    FakeRandom,
    Rig,
    entered,
    fact,
    guid,
    stamp,
)

IDS = [guid(n) for n in (1, 2, 3)]


def meanings(**reply: Any) -> list[str]:
    """Of three records in one request."""
    talk = Conversation(ACCOUNT)
    talk.logged_in(talk.login(), Answer(200, b'{"result_code":0,"token":"T","timeOut":-1}'), 0.0)
    request = talk.batch("carIn", [(each, b'{"item_id":"%s"}' % each.encode()) for each in IDS])
    verdicts = talk.judged_each(request, Answer(200, json.dumps({"result_code": 0, **reply}).encode()))
    return [verdict.meaning for verdict in verdicts]


def item(item_id: str, code: object = 0) -> dict[str, object]:
    return {"item_id": item_id, "error_code": code}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (None, ["accepted"] * 3),  # B.1, line 403: empty is success for all
        ([item(IDS[0]), item(IDS[1], 1), item(IDS[2])], ["accepted", "retry", "accepted"]),
        ([item(IDS[2], "1"), item(IDS[0], ""), item(IDS[1].upper(), "0")], ["accepted", "accepted", "retry"]),
        ([item(IDS[1], 1)], ["retry", "retry", "retry"]),  # the others' fate is open: sent again, ids make it harmless
        ([{"error_code": 0}, {"error_code": 1}, {"error_code": 0}], ["accepted", "retry", "accepted"]),  # QC35
        ([{"error_code": 0}, {"error_code": 0}], ["retry"] * 3),  # two words for three records
        ([item(each) for each in IDS] * 2, ["accepted"] * 3),
        ([*(item(each) for each in IDS), item(IDS[0], 1)], ["retry", "accepted", "accepted"]),
        ([item(guid(77))], ["retry"] * 3),  # somebody else's answer
    ],
)
def test_each_record_has_its_own_word(items: object, expected: list[str]) -> None:
    assert meanings(data_items=items) == expected


@pytest.mark.parametrize(("code", "expected"), [(1, "retry"), (113, "relogin"), (119, "refused"), (112, "link")])
def test_a_word_about_the_whole_request_is_about_each(code: int, expected: str) -> None:
    assert meanings(result_code=code, data_items=[item(IDS[0])]) == [expected] * 3


class BatchRig(Rig):
    """A box with a backlog that goes in batches."""

    def new_engine(self) -> Any:
        self.settings = msgspec.structs.replace(SETTINGS, batch=50)
        return super().new_engine()


def backlog(count: int) -> list[Any]:
    return [entered(n, f"鲁B{n:05d}") for n in range(1, count + 1)]


def test_a_backlog_is_one_request_and_a_live_record_is_another() -> None:
    rig = BatchRig(backlog(60))
    rig.run_until(lambda: len(rig.store.rows) == 60, at_most_s=5)
    rig.ledger.facts.append(fact(61, Passed("a", "in", "鲁B99999"), stamp(rig.clock.now_s)))
    rig.run_until(lambda: rig.store.counts()["accepted"] == 61, at_most_s=5)
    assert sorted(rig.city.batches["carIn"]) == [1, 10, 50]
    assert rig.city.wrong == []


def test_partly_refused_only_those_go_again_each_alone() -> None:
    rig = BatchRig(backlog(6), weather=["fine", "refuse_some"])
    rig.run_for(60)
    assert rig.store.counts() == {"waiting": 3, "accepted": 3, "set_aside": 0}
    rig.run_until(rig.settled)
    assert rig.city.batches["carIn"] == [6, 1, 1, 1]
    assert rig.city.times == {guid(n): 1 for n in range(1, 7)}


def test_a_batch_that_the_city_calls_malformed_is_taken_apart_at_once() -> None:
    rig = BatchRig(backlog(3), weather=["fine", "119", "119"])
    rig.run_until(rig.settled, at_most_s=10)
    assert rig.city.batches["carIn"] == [3, 1, 1, 1]
    assert sorted(row.state for row in rig.store.rows) == ["accepted", "accepted", "set_aside"]


@pytest.mark.parametrize("word", ["duplicate_items", "shuffled", "empty_items", "strings", "double_encoded"])
def test_every_form_of_answer_ends_all_of_them(word: str) -> None:
    rig = BatchRig(backlog(5), weather=["fine", word])
    rig.run_until(rig.settled, at_most_s=5)
    assert rig.city.batches["carIn"] == [5]


def test_what_the_answer_left_out_is_asked_again() -> None:
    rig = BatchRig(backlog(3), weather=["fine", "first_item_only"])
    rig.run_until(rig.settled)
    assert rig.city.batches["carIn"] == [3, 1, 1]
    assert set(rig.city.times) == {guid(1), guid(2), guid(3)}
    assert rig.city.wrong == []


def test_a_batch_whose_answer_was_lost_is_repeated_as_it_was() -> None:
    rig = BatchRig(backlog(4), weather=["fine", "lost"])
    rig.run_until(rig.settled, at_most_s=5)
    assert rig.city.batches["carIn"] == [4, 4]
    assert len(rig.city.seq_ids) == 2  # the lot's and the batch's
    assert rig.city.wrong == []


@pytest.mark.parametrize(
    ("weather", "expected"),
    [("answer_twice", ["accepted"] * 4), ("twice_each", ["accepted"] * 4), ("token_storm", ["link"] * 4),
     ("refuse_some", ["accepted", "retry", "accepted", "retry"])],
)  # fmt: skip
def test_over_the_wire(weather: Kind, expected: list[str]) -> None:
    """Each of these against the simulated platform on a socket, then fair weather on the same line."""
    platform = QingdaoPlatform(Account(**{name: getattr(ACCOUNT, name) for name in ACCOUNT.__struct_fields__}))
    transport = HttpTransport(platform.start(), 10.0)
    clock = FakeClock()
    uplink = Uplink(Conversation(ACCOUNT), transport, clock, FakeRandom(), rest_max_s=300, live_s=180)
    things = [(PARK_ID, lot_maker(LOT)(T0_MS + n)) for n in range(4)]
    records = [(guid(n), message.encode().replace(PARK_ID.encode(), guid(n).encode()))
               for n, (_, made) in enumerate(things) for _, message in made or ()]  # fmt: skip
    try:
        platform.weather.set(weather, path="/thirdAPI/parkininfo")
        verdicts = uplink.send_batch("parkininfo", records, repeat=False)
        assert [verdict.meaning for verdict in verdicts] == expected
        platform.weather.clear()
        verdicts = uplink.send_batch("parkininfo", records, repeat=False)
        assert [verdict.meaning for verdict in verdicts] == ["accepted"] * 4
    finally:
        transport.close()
        platform.stop()
    assert platform.summary().internal_errors == ()
    assert len(platform.of_kind("parkininfo")) == 4
