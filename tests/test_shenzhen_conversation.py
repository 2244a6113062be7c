"""The HTTPS conversation: login, renewal, what each answer means (T/SZPIA 001-2020 7.1.4.2, 7.1.5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.cities.shenzhen.conversation import Account, Conversation
from edge.cities.shenzhen.envelope import ReplyError, Request, parse_reply
from edge.cities.shenzhen.sign import Signing, fits
from edge.cities.verdict import Answer

VECTORS = Path(__file__).parent / "vectors" / "shenzhen"
EXAMPLES = {str(each["interface"]): each for each in json.loads((VECTORS / "annex_b.json").read_text("utf-8"))}
WALL_MS = 1_790_000_000_123
ACCOUNT = Account("cadre01", "SECRET==", callback="https://box.example/api")


def answer(data: Any, code: Any = 0, status: int = 200, message: str = "成功") -> Answer:
    body = {"resultCode": code, "resultMsg": message, "timestamp": 1, "data": data}
    return Answer(status, json.dumps(body, ensure_ascii=False).encode())


def token(access: str, expires: Any = 100) -> list[dict[str, Any]]:
    return [{"code": 0, "scope": "default", "tokenType": "bearer", "expiresIn": expires, "accessToken": access,
             "refreshToken": "r-" + access}]  # fmt: skip


def logged_in(account: Account = ACCOUNT, expires: Any = 100) -> Conversation:
    talk = Conversation(account)
    assert talk.logged_in(talk.login(WALL_MS), answer(token("T1", expires)), 10.0).meaning == "accepted"
    return talk


def record(number: int) -> tuple[str, bytes]:
    return f"fact{number}", json.dumps({"id": f"{number:032x}", "x": 1}).encode()


def body_of(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.body)
    raw = request.body[request.body.index(b'"data":') + 7 : -1]
    assert fits(body["sign"], raw)
    return body


@pytest.mark.parametrize("kind", ["1001", "1002", "1003", "3001", "3002", "3005", "5003", "5004", "5005", "5006",
                                  "5008", "7001"])  # fmt: skip
def test_every_answer_of_annex_b_is_a_success(kind: str) -> None:
    """Codes are text there (SC18)."""
    reply = parse_reply(json.dumps(EXAMPLES[kind]["response"]).encode())
    assert reply.result_code == 0
    assert [element.code for element in reply.elements] == [0]


def test_the_login_is_table_15_and_carries_no_token() -> None:
    request = Conversation(ACCOUNT).login(WALL_MS)
    body = body_of(request)
    assert (request.path, "Authorization" in request.headers) == ("/1.0/1001", False)
    assert body["timestamp"] == 1_790_000_000
    assert body["data"] == [
        {"userId": "cadre01", "password": "SECRET==", "callbackServer": "https://box.example/api"}
    ]
    assert set(EXAMPLES["1001"]["request"]["data"][0]) - {"onlineOrderUrl"} == set(body["data"][0])


def test_records_carry_the_token_and_the_time_of_each_sending() -> None:
    talk = logged_in()
    request = talk.batch("5004", [record(1)], WALL_MS)
    assert request.headers["Authorization"] == "bearer T1"
    assert request.path == "/1.0/5004"
    assert body_of(request)["timestamp"] == 1_790_000_000
    assert body_of(talk.batch("5004", [record(1)], WALL_MS + 5000))["timestamp"] == 1_790_000_005


def test_authorization_by_setting() -> None:
    account = Account("u", "p", token_prefix="Bearer", token_blank=False)
    assert logged_in(account).batch("5004", [record(1)], WALL_MS).headers["Authorization"] == "BearerT1"


def test_the_token_is_renewed_at_four_fifths_of_its_life() -> None:
    talk = logged_in()
    assert not talk.needs_login(89.9)
    assert talk.needs_login(90.0)
    request = talk.login(WALL_MS)
    assert request.path == "/1.0/1002"
    assert request.headers["Authorization"] == "bearer T1"
    assert body_of(request)["data"] == [{"userId": "cadre01", "password": "SECRET==", "accessToken": "T1"}]
    assert talk.logged_in(request, answer(token("T2")), 90.0).meaning == "accepted"
    assert talk.access_token == "T2"
    assert not talk.needs_login(169.0)


@pytest.mark.parametrize(("expires", "due_s"), [("100", 90.0), (100.0, 90.0), ("*****", None), (None, None), (0, None)])
def test_life_as_number_or_text_or_not_told(expires: Any, due_s: float | None) -> None:
    talk = logged_in(expires=expires)
    assert talk.needs_login(89.0) is False
    assert talk.needs_login(1e9) is (due_s is not None)


@pytest.mark.parametrize("refusal", [answer([], 3002), answer([{"code": 3002}]), Answer(401, b"")])
def test_a_refused_token_is_renewed_then_logged_in_anew(refusal: Answer) -> None:
    """SC10: refresh first, then 1001."""
    talk = logged_in()
    request = talk.batch("5004", [record(1)], WALL_MS)
    assert [each.meaning for each in talk.judged_each(request, refusal)] == ["relogin"]
    talk.token_refused(request)
    assert talk.access_token == ""
    renewal = talk.login(WALL_MS)
    assert renewal.kind == "1002"
    assert talk.logged_in(renewal, refusal, 20.0).meaning == "relogin"
    assert talk.login(WALL_MS).kind == "1001"


def test_one_login_serves_all_senders() -> None:
    talk = logged_in()
    old = talk.batch("5004", [record(1)], WALL_MS)
    talk.logged_in(talk.login(WALL_MS), answer(token("T2")), 20.0)
    talk.token_refused(old)
    assert talk.access_token == "T2"


def test_a_renewal_that_nobody_answered_keeps_the_token() -> None:
    talk = logged_in()
    verdict = talk.logged_in(talk.login(WALL_MS), Answer(502, b"bad gateway"), 95.0)
    assert (verdict.meaning, verdict.rests) == ("link", True)
    assert talk.login(WALL_MS).kind == "1002"


@pytest.mark.parametrize("bad", [answer([], 3001), answer([{"code": "3001", "message": "密码错误"}]), answer([]),
                                 answer([{"code": 0}]), Answer(200, b"<html>")])  # fmt: skip
def test_a_login_that_failed_rests_the_link_and_blames_no_record(bad: Answer) -> None:
    talk = Conversation(ACCOUNT)
    verdict = talk.logged_in(talk.login(WALL_MS), bad, 0.0)
    assert (verdict.meaning, verdict.rests) == ("link", True)
    assert talk.needs_login(0.0)


MEANINGS = [
    (answer([{"code": 0}]), "accepted"),
    (answer([{"code": "0"}]), "accepted"),
    (answer([{}]), "accepted"),
    (answer([]), "accepted"),
    (answer(None), "accepted"),
    (answer([{"id": f"{1:032X}", "code": 0}]), "accepted"),  # SC27: any case
    (answer([{"code": 1200}]), "accepted"),  # it has it already
    (answer([{"code": 1004}]), "refused"),
    (answer([{"code": 1101}]), "refused"),
    (answer([], 4), "refused"),
    (answer([], 2), "retry"),
    (answer([], 5), "retry"),
    (answer([{"code": 5123}]), "retry"),
    (answer([], 3), "link"),
    (answer([], 3001), "link"),
    (answer([{"id": f"{2:032x}", "code": 0}]), "retry"),  # another record's
    (answer([], 0, 500), "retry"),
    (answer([], 5, 500), "retry"),
    (answer([{"code": 1005}], 4, 400), "refused"),
    (Answer(500, b""), "retry"),
    (Answer(200, b"{"), "retry"),
    (Answer(200, b'{"data":[]}'), "retry"),
    (Answer(200, b'{"resultCode":true}'), "retry"),
    (Answer(302, b""), "link"),
    (Answer(404, b"<html>"), "link"),
]


@pytest.mark.parametrize(("given", "meaning"), MEANINGS)
def test_what_an_answer_means_for_one_record(given: Answer, meaning: str) -> None:
    talk = logged_in()
    assert [each.meaning for each in talk.judged_each(talk.batch("5004", [record(1)], WALL_MS), given)] == [meaning]


def test_partial_success_is_matched_by_id_else_by_place() -> None:
    talk = logged_in()
    request = talk.batch("5004", [record(1), record(2), record(3)], WALL_MS)
    by_id = answer([{"id": f"{3:032x}", "code": 1005}, {"id": f"{1:032x}", "code": 0}])
    assert [each.meaning for each in talk.judged_each(request, by_id)] == ["accepted", "retry", "refused"]
    by_place = answer([{"code": 0}, {"code": 5}, {"code": 0}])
    assert [each.meaning for each in talk.judged_each(request, by_place)] == ["accepted", "retry", "accepted"]


def test_the_goodbye() -> None:
    talk = logged_in()
    request = talk.logout(WALL_MS)
    assert request is not None
    assert (request.path, body_of(request)["data"]) == ("/1.0/1003", [{"accessToken": "T1"}])
    assert talk.logout(WALL_MS) is None
    assert Conversation(ACCOUNT).logout(WALL_MS) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"resultCode":"a"}', b"[" * 5000,
                                  b'{"resultCode":0,"data":[3]}'])  # fmt: skip
def test_what_is_no_answer_is_said_so(body: bytes) -> None:
    with pytest.raises(ReplyError):
        parse_reply(body)


def test_no_secret_is_shown() -> None:
    account = Account("cadre01", "SECRET==", Signing(secret="HUSH"))
    assert "SECRET" not in repr(account)
    assert "HUSH" not in repr(account)
