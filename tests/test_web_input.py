"""What a person with a login sends and should not: damaged orders, paths that lead out, queries that are none."""

from __future__ import annotations

import json

import pytest

from tests.web_fakes import parsed, send
from tests.web_house import Client, House

pytest_plugins = ("tests.web_people",)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b'"x"', b"{}", b'{"lane":"in1"}', b'{"lane":"in1","why":""}', b"\xff\xfe",
        b'{"lane":"../in1","why":"x"}', b'{"lane":"in1","why":"x","lane2":1}', b'{"lane":"in1","why":5}',
        b'{"lane":"in1","why":"' + b"x" * 201 + b'"}', b'{"lane":"in1","why":"x","command_id":"1"}',
        b"[" * 60_000,
    ],
)  # fmt: skip
def test_an_order_that_is_none_is_refused_by_name(people: dict[str, Client], staffed: House, body: bytes) -> None:
    status, _, answer = people["technician"].ask("POST", "/api/actions/open", body)
    assert (status, json.loads(answer)["code"]) == (400, "bad_request")
    assert staffed.desk.acts == []


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/static/../server.py", "/%2e%2e/%2e%2e/etc/passwd", "/..%5c..%5cwindows",
        "/page.js%00.html",
        "//etc/passwd", "/picture/../accounts.json", "/picture/%2e%2e%2faccounts.json", "/accounts.json",
        "/first-password", "/api/../healthz", "/.git/config",
    ],
)  # fmt: skip
def test_no_path_leads_out(people: dict[str, Client], path: str, staffed_port: int) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {people['admin'].cookie}\r\n\r\n"
    status, _, body = parsed(send(staffed_port, request.encode()))
    assert status == 404
    assert json.loads(body)["code"] == "not_found"


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "limit=1e3", "limit=101", "before_seq=x", "plate=%ff%fe", "plate=" + "x" * 21, "plate=%00", "from_ms=",
     "&".join(f"a{n}=1" for n in range(30))],
)  # fmt: skip
def test_a_query_that_is_none_is_refused_or_means_nothing(people: dict[str, Client], query: str) -> None:
    status, _, body = people["viewer"].ask("GET", f"/api/passages?{query}")
    assert status == (200 if query == "from_ms=" else 400), body


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/api/passages?form_ms=5", "form_ms"), ("/api/state?x=1", "x"), ("/api/audit?user=tom", "user"),
        ("/api/passages?limit=1&limit=100", "limit"), ("/api/passages?%00=1", "x00"),
    ],
)  # fmt: skip
def test_a_parameter_that_is_not_known_or_there_twice_is_refused_by_name(
    people: dict[str, Client], path: str, names: str
) -> None:
    """A misspelt limit of time must not answer for all time."""
    status, _, body = people["admin"].ask("GET", path)
    answer = json.loads(body)
    assert (status, answer["code"]) == (400, "bad_request")
    assert names in answer["zh"]
    assert names in answer["en"]


def test_a_body_of_the_wrong_type_is_told_in_words(people: dict[str, Client]) -> None:
    _, _, answer = people["technician"].ask("POST", "/api/actions/correct_count", b'{"count":"7","why":"x"}')
    told = json.loads(answer)
    assert (told["zh"], told["en"]) == ("count: 须为整数, 不是文字", "count: must be a whole number, not text")
