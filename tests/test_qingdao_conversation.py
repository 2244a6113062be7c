"""The login and what each answer means, by the result codes of B.1.1.4 and the readings QC12, QC13, QC22 to QC28."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from edge.cities.qingdao.conversation import Conversation
from edge.cities.qingdao.envelope import Account
from edge.cities.qingdao.fields import FieldError
from edge.cities.verdict import Answer
from tests.city_fakes import ACCOUNT

ID, OTHER = "0a" * 16, "0b" * 16
RECORD = b'{"item_id":"' + ID.encode() + b'"}'


def said(status: int = 200, **reply: Any) -> Answer:
    return Answer(status, json.dumps(reply).encode())


def logged_in(**reply: Any) -> Conversation:
    talk = Conversation(ACCOUNT)
    assert talk.logged_in(talk.login(), said(result_code=0, token="T1", **reply), 1000.0).meaning == "accepted"
    return talk


def meaning(**reply: Any) -> tuple[str, bool]:
    talk = logged_in()
    verdict = talk.judged(talk.request("carIn", ID, RECORD), said(**reply))
    return verdict.meaning, verdict.rests


@pytest.mark.parametrize(("life", "renew_at_s"), [({"timeOut": 7200}, 1000 + 6480), ({"timeOut": "600"}, 1000 + 540)])
def test_a_token_is_renewed_at_ninety_percent_of_its_life(life: dict[str, Any], renew_at_s: float) -> None:
    talk = logged_in(**life)
    assert not talk.needs_login(renew_at_s - 0.001)
    assert talk.needs_login(renew_at_s)


@pytest.mark.parametrize("life", [{"timeOut": -1}, {"timeOut": 0}, {}])
def test_a_token_without_end_or_of_unknown_life_is_used_until_it_is_refused(life: dict[str, Any]) -> None:
    talk = logged_in(**life)
    assert not talk.needs_login(1e12)
    talk.token_refused(talk.request("carIn", ID, RECORD))
    assert talk.needs_login(1000.0)


def test_an_old_requests_refusal_does_not_end_a_newer_token() -> None:
    talk = logged_in()
    old = talk.request("carIn", ID, RECORD)
    talk.logged_in(talk.login(), said(result_code=0, token="T2", timeOut=-1), 1001.0)
    talk.token_refused(old)
    assert not talk.needs_login(1001.0)
    assert talk.request("carIn", ID, RECORD).token == "T2"


def test_nothing_is_sent_without_a_token() -> None:
    with pytest.raises(RuntimeError, match="log in first"):
        Conversation(ACCOUNT).request("carIn", ID, RECORD)


@pytest.mark.parametrize(
    "answer",
    [
        said(result_code=111),
        said(result_code=113),
        said(result_code=1, message="busy"),
        said(result_code=0),
        said(result_code=0, token=""),
        said(500),
        said(404),
        Answer(200, b"<html>"),
    ],
)
def test_a_login_that_fails_is_the_links_trouble_and_leaves_no_token(answer: Answer) -> None:
    talk = Conversation(ACCOUNT)
    verdict = talk.logged_in(talk.login(), answer, 0.0)
    assert (verdict.meaning, verdict.rests) == ("link", True)
    assert talk.needs_login(0.0)


def test_an_account_that_the_city_could_not_take_is_an_error_at_start() -> None:
    bad: Account = msgspec.structs.replace(ACCOUNT, user="a-name-of-21-characters")
    with pytest.raises(FieldError, match=r"login\.usr = 'a-name-of-21-characters': allowed is 1 to 20 characters"):
        Conversation(bad)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1, ("retry", False)),
        *[(code, ("link", True)) for code in (100, 101, 102, 103, 104, 110, 111, 112, 115, 116, 117)],
        *[(code, ("relogin", False)) for code in (105, 113, 118)],
        *[(code, ("refused", True)) for code in (106, 107, 114, 119)],
        (999, ("retry", False)),
        (-1, ("retry", False)),
    ],
)
def test_result_codes(code: int, expected: tuple[str, bool]) -> None:
    assert meaning(result_code=code) == expected
    assert meaning(result_code=str(code), message="x") == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({}, "accepted"),
        ({"data_items": []}, "accepted"),
        ({"data_items": [{"item_id": ID, "error_code": 0}]}, "accepted"),
        ({"data_items": [{"item_id": ID.upper(), "error_code": 0}]}, "accepted"),
        ({"data_items": [{"item_id": ID, "error_code": 1}]}, "retry"),
        ({"data_items": [{"error_code": 1}]}, "retry"),  # QC35: by position
        ({"data_items": [{"error_code": 0}]}, "accepted"),
        ({"data_items": [{"item_id": OTHER, "error_code": 0}]}, "retry"),
        ({"data_items": [{"item_id": OTHER, "error_code": 1}, {"item_id": ID, "error_code": 0}]}, "accepted"),
        ({"data_items": [{"item_id": OTHER, "error_code": 0}, {"item_id": ID, "error_code": 1}]}, "retry"),
        ({"item_id": ID, "error_code": 1}, "retry"),
        ({"item_id": ID}, "accepted"),
    ],
)
def test_the_records_own_item_decides(reply: dict[str, Any], expected: str) -> None:
    assert meaning(result_code=0, **reply)[0] == expected


def test_seq_id_may_be_missing_or_in_capitals_but_not_another() -> None:
    talk = logged_in()
    request = talk.request("carIn", ID, RECORD)
    assert talk.judged(request, said(result_code=0)).meaning == "accepted"
    assert talk.judged(request, said(result_code=0, seq_id=request.seq_id.upper())).meaning == "accepted"
    foreign = talk.judged(request, said(result_code=0, seq_id="f" * 32))
    assert (foreign.meaning, foreign.rests) == ("retry", True)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(500, "retry"), (503, "retry"), (301, "link"), (302, "link"), (404, "link"), (403, "link"), (201, "accepted")],
)
def test_http_statuses(status: int, expected: str) -> None:
    talk = logged_in()
    assert talk.judged(talk.request("carIn", ID, RECORD), said(status, result_code=0)).meaning == expected


def test_what_the_city_said_reaches_people_on_one_bounded_line() -> None:
    talk = logged_in()
    request = talk.request("carIn", ID, RECORD)
    verdict = talk.judged(request, said(result_code=112, message="签名\n不符\x00\u202e" + "x" * 500))
    assert verdict.answer.startswith("无效的数据签名 (112): 签名 不符")
    assert verdict.answer.endswith("/ signature does not match (112)")
    assert verdict.answer.isprintable()
    assert len(verdict.answer) < 300
