"""The page attacked from outside: without login, with the wrong role, by another site, by guessing, by stealing."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from edge.web.actions import ACTIONS
from edge.web.door import FAILED_TOLD_A_MINUTE, Limits
from edge.web.lockout import LOCK_S, TRIES, TRIES_WIDE
from edge.web.rate import Rate
from edge.web.roles import ROLES, may
from edge.web.routes import ROUTES, Route
from tests.web_fakes import NOON_MS, READ_ID, FakeSource, box
from tests.web_house import PASSWORD, WIDE, Client, Clock, House

pytest_plugins = ("tests.web_people",)

GOOD: dict[str, Any] = {"why": "测试", "lane": "in1", "amount_fen": 500, "plate": "鲁B12345", "count": 3,
                        "fault": "loop_stuck", "relay": "open", "ids": [1], "city": "qingdao", "program": "lane",
                        "name": "newbie", "role": "viewer", "item": "relays", "done": True, "on": True,
                        "lane_role": "mixed", "plates": "鲁B12345", "places": 1, "from_day": "2026-11-01",
                        "until_day": "2026-11-30", "list_kind": "grey", "card_id": "k1", "entry_id": "e1",
                        "order_id": "d" * 32, "arrival_id": "a" * 32, "seen_plate": "鲁B12345",
                        "param": "{}", "leave_min": 15, "began_ms": 0, "until_ms": 1,
                        "at": 0, "data": "AAAA", "size": 3}  # fmt: skip


def body_of(route: Route) -> dict[str, Any]:
    if route.body is None:
        return {}
    wanted = {name: value for name, value in GOOD.items() if name in route.body.__struct_fields__}
    return wanted | ({"text": "[box]"} if "text" in route.body.__struct_fields__ else {})


def path_of(route: Route) -> str:
    path = route.path.replace("{read_id}", READ_ID)
    needed = [f"{one.name}=1" for one in route.query if one.required]
    return f"{path}?{'&'.join(needed)}" if needed else path


GUARDED = [route for route in ROUTES if route.role is not None]


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{route.method} {route.path}")
def test_nothing_without_login(staffed_port: int, staffed: House, route: Route) -> None:
    status, _, body = Client(staffed_port).ask(route.method, path_of(route), body_of(route))
    assert (status, json.loads(body)["code"]) == (401, "login_needed")
    assert staffed.desk.acts == []
    assert staffed.desk.imported == []


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{route.method} {route.path}")
def test_each_role_may_what_the_table_says(people: dict[str, Client], route: Route) -> None:
    if route.name in {"events", "logout", "password"}:
        return
    assert route.role is not None
    for role in ROLES:
        status, _, body = people[role].ask(route.method, path_of(route), body_of(route))
        if may(role, route.role):
            assert status == 200, (role, body)
        else:
            assert (status, json.loads(body)["code"]) == (403, "role")


def test_only_login_page_files_and_health_are_public() -> None:
    assert {route.path for route in ROUTES if route.role is None} == {"/healthz", "/api/login"}


def test_health_tells_nothing_but_health(staffed_port: int) -> None:
    assert json.loads(Client(staffed_port).ask("GET", "/healthz")[2]) == {"ok": True, "pictures": ""}


# --- cross-site requests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [action.name for action in ACTIONS])
def test_an_order_without_the_token_is_refused(people: dict[str, Client], staffed: House, action: str) -> None:
    admin = people["admin"]
    route = next(one for one in ROUTES if one.path == f"/api/actions/{action}")
    for token in ("", "guess", people["viewer"].csrf):
        status, _, body = admin.ask("POST", route.path, body_of(route), {"X-CSRF-Token": token})
        assert (status, json.loads(body)["code"]) == (403, "csrf")
    assert staffed.desk.acts == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://127.0.0.1.evil.example"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/actions/open", "/api/login", "/api/logout"])
def test_a_post_of_another_site_is_refused_with_the_right_token_too(
    people: dict[str, Client], path: str, headers: dict[str, str]
) -> None:
    status, _, body = people["technician"].ask("POST", path, {"lane": "in1", "why": "x"}, headers)
    assert (status, json.loads(body)["code"]) == (403, "csrf")


def test_a_post_of_our_own_page_goes_through(people: dict[str, Client], staffed_port: int) -> None:
    headers = {"Origin": f"http://127.0.0.1:{staffed_port}", "Sec-Fetch-Site": "same-origin"}
    assert people["technician"].ask("POST", "/api/actions/open", {"lane": "in1", "why": "x"}, headers)[0] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_plain_form_can_send_is_no_order(people: dict[str, Client], kind: str, staffed: House) -> None:
    status, _, _ = people["technician"].ask(
        "POST", "/api/actions/open", b'{"lane":"in1","why":"x"}', {"Content-Type": kind}
    )
    assert status == 415
    assert staffed.desk.acts == []


# --- guessing --------------------------------------------------------------------------------------------------


def test_five_wrong_passwords_lock_the_user_also_for_the_right_one(
    staffed_port: int, house_clock: Clock, staffed: House
) -> None:
    client = Client(staffed_port)
    for _ in range(TRIES):
        assert client.log_in("tom", "Wrong-1234") == 401
    status, body = client.post("/api/login", {"user": "tom", "password": PASSWORD})
    assert (status, body["code"], body["retry_s"]) == (429, "locked", LOCK_S + 1)
    house_clock.now_s += LOCK_S - 1
    assert client.log_in("tom") == 429
    house_clock.now_s += 2
    assert client.log_in("tom") == 200
    failed = [line for line in staffed.audit.entries if not line.ok]
    assert [(line.who, line.action, line.address) for line in failed] == [("tom", "login", "127.0.0.1")] * TRIES
    assert "locked" in failed[-1].en


def test_the_address_is_locked_for_every_name(staffed_port: int) -> None:
    client = Client(staffed_port)
    for number in range(TRIES_WIDE):
        assert client.log_in(f"nobody{number}", "Wrong-1234") == 401
    assert client.log_in("tom") == 429


def test_a_name_that_does_not_exist_is_answered_alike_and_not_written_down(staffed_port: int, staffed: House) -> None:
    client = Client(staffed_port)
    known = client.ask("POST", "/api/login", {"user": "tom", "password": "x"})
    unknown = client.ask("POST", "/api/login", {"user": "My-Passw0rd", "password": "x"})
    assert known[0] == unknown[0] == 401
    assert known[2] == unknown[2]
    assert [line.who for line in staffed.audit.entries] == ["tom", "?"]


def test_a_hundred_tries_at_once_are_not_a_hundred_tries(staffed_port: int, staffed: House) -> None:
    statuses: list[int] = []
    together = threading.Barrier(20)

    def guess() -> None:
        client = Client(staffed_port)
        together.wait(20)
        statuses.extend(client.log_in("tom", "Wrong-1234") for _ in range(3))

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(statuses) == 60
    assert statuses.count(401) <= TRIES
    assert set(statuses) <= {401, 429, 503}


def test_wrong_old_passwords_lock_too(people: dict[str, Client], staffed_port: int) -> None:
    for _ in range(TRIES):
        assert people["technician"].post("/api/password", {"old": "Wrong-1", "new": "Better-1234"})[0] == 401
    assert people["technician"].post("/api/password", {"old": PASSWORD, "new": "Better-1234"})[0] == 429


def test_who_is_logged_in_goes_on_while_somebody_guesses_at_his_address(
    people: dict[str, Client], staffed_port: int
) -> None:
    """The guard's phone and the guesser's stand behind one router; the guesser locks the address and tom's name."""
    guesser = Client(staffed_port)
    for _ in range(TRIES):
        guesser.log_in("tom", "Wrong-1234")
    assert guesser.log_in("tom") == 429
    assert guesser.log_in("vera") == 200  # her name was not guessed at
    for number in range(TRIES_WIDE):
        guesser.log_in(f"nobody{number}", "Wrong-1234")
    assert guesser.log_in("vera") == 429
    tom = people["technician"]
    assert tom.post("/api/actions/open", {"lane": "in1", "why": "x"})[0] == 200
    status, session = tom.post("/api/password", {"old": PASSWORD, "new": "Better-1234"})  # just now he wants to
    assert status == 200
    tom.csrf = session["csrf"]
    assert tom.get("/api/session")["user"] == "tom"


def test_a_flood_from_an_address_does_not_stop_who_is_logged_in_there(tmp_path: Path, house_clock: Clock) -> None:
    limits = Limits(any_=Rate(6, 1), orders=WIDE.orders, heavy=WIDE.heavy, logins=WIDE.logins)
    staffed = House(tmp_path, FakeSource(box()), mono_s=house_clock, limits=limits)
    port = staffed.server.start()
    try:
        tom, flood = Client(port), Client(port)
        assert tom.log_in("tom") == 200
        assert [flood.ask("GET", "/api/state")[0] for _ in range(7)] == [401] * 5 + [429] * 2
        assert [tom.ask("GET", "/api/session")[0] for _ in range(7)] == [200] * 6 + [429]  # his own rate
        assert flood.log_in("vera") == 429
    finally:
        staffed.server.stop()


def test_a_flood_of_failures_is_few_lines_of_audit(staffed: House, staffed_port: int, house_clock: Clock) -> None:
    client = Client(staffed_port)
    for number in range(FAILED_TOLD_A_MINUTE + 20):
        staffed.door.lockout.right(["address 127.0.0.1"])  # as if each came from another address
        assert client.log_in(f"nobody{number}", "x") == 401
    assert len(staffed.audit.entries) == FAILED_TOLD_A_MINUTE
    house_clock.now_s += 61
    staffed.door.lockout.right(["address 127.0.0.1"])
    client.log_in("nobody", "x")
    assert "20 more" in staffed.audit.entries[-1].en


def test_logins_and_requests_have_a_rate(tmp_path: Path, house_clock: Clock) -> None:
    limits = Limits(any_=Rate(6, 1), orders=WIDE.orders, heavy=WIDE.heavy, logins=Rate(2, 1))
    staffed = House(tmp_path, FakeSource(box()), mono_s=house_clock, limits=limits)
    client = Client(staffed.server.start())
    try:
        assert [client.log_in("tom") for _ in range(3)] == [200, 200, 429]
        house_clock.now_s += 3
        answers = [client.ask("GET", "/api/session") for _ in range(7)]
        assert [answer[0] for answer in answers] == [200] * 6 + [429]
        assert answers[-1][1]["retry-after"] == "2"
        assert json.loads(answers[-1][2])["code"] == "too_many"
    finally:
        staffed.server.stop()


# --- sessions --------------------------------------------------------------------------------------------------


def test_the_cookie_is_not_for_scripts_or_other_sites(staffed_port: int) -> None:
    client = Client(staffed_port)
    _, headers, _ = client.ask("POST", "/api/login", {"user": "tom", "password": PASSWORD})
    parts = headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(parts)
    assert "Domain" not in headers["set-cookie"]


def test_a_session_id_from_before_the_login_is_worth_nothing(staffed_port: int) -> None:
    """Session fixation: an id that an attacker planted does not become the victim's."""
    victim = Client(staffed_port)
    victim.cookie = "parkbox=planted-by-somebody-else-0123456789"
    assert victim.log_in("tom") == 200
    assert victim.cookie != "parkbox=planted-by-somebody-else-0123456789"
    attacker = Client(staffed_port)
    attacker.cookie = "parkbox=planted-by-somebody-else-0123456789"
    assert attacker.ask("GET", "/api/state")[0] == 401


def test_a_login_ends_the_session_before_it(staffed_port: int) -> None:
    client = Client(staffed_port)
    client.log_in("vera")
    old = client.cookie
    client.log_in("tom")
    assert client.cookie != old
    client.cookie = old
    assert client.ask("GET", "/api/session")[0] == 401


def test_idle_and_logout_and_a_new_password_end_sessions(
    people: dict[str, Client], house_clock: Clock, staffed_port: int
) -> None:
    viewer, technician, admin = (people[role] for role in ROLES)
    house_clock.now_s += 599
    assert viewer.ask("GET", "/api/state")[0] == 200
    house_clock.now_s += 2
    assert viewer.ask("GET", "/api/state")[0] == 200
    assert technician.ask("GET", "/api/state")[0] == 401  # idle for 601 s
    assert technician.log_in("tom") == 200
    other = Client(staffed_port)
    other.log_in("tom")
    status, session = technician.post("/api/password", {"old": PASSWORD, "new": "Other-5678"})
    assert status == 200
    assert other.ask("GET", "/api/state")[0] == 401
    assert technician.ask("GET", "/api/state")[0] == 200
    technician.csrf = session["csrf"]
    assert technician.post("/api/logout")[0] == 200
    assert technician.ask("GET", "/api/state")[0] == 401
    assert admin.log_in("admin") == 200


def test_a_request_that_the_page_makes_by_itself_keeps_no_session_alive(staffed_port: int, house_clock: Clock) -> None:
    client = Client(staffed_port)
    client.log_in("vera")
    for _ in range(3):
        house_clock.now_s += 250
        client.ask("GET", "/api/system", headers={"X-Automatic": "1"})
    assert client.ask("GET", "/api/state")[0] == 401


def test_a_changed_role_or_a_removed_user_ends_the_sessions(people: dict[str, Client]) -> None:
    admin = people["admin"]
    assert admin.post("/api/actions/user_role", {"name": "tom", "role": "viewer", "why": "x"})[1]["ok"]
    assert people["technician"].ask("GET", "/api/state")[0] == 401
    assert admin.post("/api/actions/user_remove", {"name": "vera", "why": "x"})[1]["ok"]
    assert people["viewer"].ask("GET", "/api/state")[0] == 401
    for name in ("admin",):
        assert admin.post("/api/actions/user_remove", {"name": name, "why": "x"})[1]["ok"] is False
    assert [row["name"] for row in admin.get("/api/users")] == ["admin", "tom"]


def test_the_first_password_opens_nothing_but_its_change(tmp_path: Path) -> None:
    staffed = House(tmp_path, FakeSource(box()), first_boot=True)
    client = Client(staffed.server.start())
    try:
        assert client.log_in("admin", staffed.first_password) == 200
        assert client.get("/api/session")["must_change_password"] is True
        for path in ("/api/state", "/events", "/api/users", "/api/audit", "/api/config"):
            status, _, body = client.ask("GET", path)
            assert (status, json.loads(body)["code"]) == (403, "must_change_password")
        for weak in ("short1A", "alllowercase", staffed.first_password, "admin-A123456"):
            status, problem = client.post("/api/password", {"old": staffed.first_password, "new": weak})
            assert (status, problem["code"]) == (400, "weak_password")
        client.log_in_first_time(tmp_path)
        assert client.ask("GET", "/api/state")[0] == 200
        assert not (tmp_path / "first-password").exists()
    finally:
        staffed.server.stop()


# --- the audit ---------------------------------------------------------------------------------------------------


def test_who_when_from_where_what_and_the_result_are_kept(people: dict[str, Client], staffed: House) -> None:
    staffed.audit.entries.clear()
    people["technician"].post("/api/actions/open", {"lane": "in1", "why": "访客 王"})
    line = staffed.audit.entries[-1]
    assert (line.who, line.role, line.address) == ("tom", "technician", "127.0.0.1")
    assert (line.action, line.target, line.why, line.ok, line.zh) == ("open", "lane=in1", "访客 王", True, "好")
    for path in ("/api/diagnostics", "/api/config", "/api/commissioning/report"):
        people["technician"].ask("GET", path)
    people["admin"].ask("GET", "/api/audit.csv")
    people["admin"].post("/api/config", {"text": "[box]", "why": "新车道"})
    people["admin"].post("/api/actions/user_add", {"name": "newbie", "role": "viewer", "why": "x"})
    assert [one.action for one in staffed.audit.entries[1:]] == [
        "diagnostics", "config_export", "report", "audit_export", "config_import", "user_add",
    ]  # fmt: skip


def test_an_order_beyond_the_role_is_audited_and_a_look_is_not(people: dict[str, Client], staffed: House) -> None:
    staffed.audit.entries.clear()
    assert people["viewer"].post("/api/actions/open", {"lane": "in1", "why": "x"})[0] == 403
    assert people["viewer"].ask("GET", "/api/audit")[0] == 403
    (line,) = staffed.audit.entries
    assert (line.who, line.role, line.action, line.ok) == ("vera", "viewer", "open", False)


def test_no_password_stands_in_the_audit(people: dict[str, Client], staffed: House) -> None:
    answer = people["admin"].post("/api/actions/user_add", {"name": "newbie", "role": "viewer", "why": "x"})[1]
    people["technician"].post("/api/password", {"old": PASSWORD, "new": "Secret-9876"})
    kept = repr(staffed.audit.entries)
    assert len(answer["password"]) >= 8
    for secret in (answer["password"], PASSWORD, "Secret-9876"):
        assert secret not in kept


def test_a_disk_that_does_not_take_the_audit_is_said_with_the_answer(people: dict[str, Client], staffed: House) -> None:
    staffed.audit.works = False
    _, answer = people["technician"].post("/api/actions/open", {"lane": "in1", "why": "x"})
    assert answer["ok"] is True
    assert "not in the audit" in answer["en"]


def test_the_export_is_whole_and_no_cell_is_calculated(people: dict[str, Client]) -> None:
    people["technician"].post("/api/actions/open", {"lane": "in1", "why": "=HYPERLINK(1)"})
    people["technician"].post("/api/actions/open", {"lane": "in1", "why": "a,b\"c;d"})
    status, headers, body = people["admin"].ask("GET", "/api/audit.csv")
    assert status == 200
    assert headers["content-disposition"].startswith("attachment")
    assert "'=HYPERLINK(1)" in body.decode()
    head, *rows_text = body.decode("utf-8-sig").splitlines()
    assert head.startswith("seq,at_ms,time,clock_true,")
    at_ms, time_text = rows_text[0].split(",")[1:3]
    assert (at_ms, time_text) == (str(NOON_MS), "2026-11-21 12:00:00")  # Beijing's noon, as a person reads it
    lines = people["admin"].ask("GET", "/api/audit.jsonl")[2].decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["why"] for row in rows if row["action"] == "open"] == ["=HYPERLINK(1)", 'a,b"c;d']
