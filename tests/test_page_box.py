"""The page on a running box: what a technician orders happens at the lane, and what he reads is what happened."""

from __future__ import annotations

import io
import json
import socket
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edge.cli import main
from hal_sim.qingdao import QingdaoPlatform
from tests.page_reader import person
from tests.program_books import at_city
from tests.program_rig import Box, Child, Driver, box_in, platform_on, until
from tests.web_house import PASSWORD, Client

CAR = "鲁B7K231"


class Site(NamedTuple):
    box: Box
    lane: Child
    agent: Child
    platform: QingdaoPlatform
    admin: Client
    first_password: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("p")
    with (
        platform_on() as (platform, url),
        box_in(folder, city_url=url, free_min=0) as box,
        box.lane() as lane,
        agent_with_a_damaged_queue(box) as agent,
    ):
        lane.await_ready()
        agent.await_ready()
        first = (box.data / "first-password").read_text("utf-8").split()[1]
        admin = person(box.web_port, box.data)
        until(lambda: admin.get("/api/state")["box"] is not None, "the lane on the page")
        Driver(box, box.bays["in1"], CAR).drive(lane)
        Driver(box, box.bays["out2"], CAR, "in1").drive(lane)
        until(lambda: at_city(platform).total() == 3, "entry, exit and payment at the city")
        until(lambda: not box.bays["out2"].arm_up, "arm down behind the car")
        until(lambda: all(one["reads"][0]["picture"] for one in admin.get("/api/cameras")), "both pictures kept")
        yield Site(box, lane, agent, platform, admin, first)


def agent_with_a_damaged_queue(box: Box) -> Child:
    box.data.mkdir(exist_ok=True)
    (box.data / "deliveries.db").write_bytes(b"no database " * 1000)
    return box.agent()


def test_a_fault_of_the_agent_ends_when_a_person_has_seen_to_it(site: Site) -> None:
    """First of all tests here: the queue was damaged when the agent started."""

    def codes() -> list[str]:
        return [fault["code"] for fault in site.admin.get("/api/state")["agent"]["faults"]]

    (fault,) = [one for one in site.admin.get("/api/state")["agent"]["faults"] if one["by_hand"]]
    assert (fault["code"], fault["device"]) == ("deliveries_damaged", "deliveries")
    named = {"fault": fault["code"], "device": fault["device"]}
    elsewhere = act(site, "acknowledge_fault", **{**named, "device": "audit.db"})
    assert (elsewhere["ok"], "audit.db" in elsewhere["zh"]) == (False, True)
    assert act(site, "acknowledge_fault", fault=fault["code"])["ok"] is False  # the lane program has no such fault
    assert "deliveries_damaged" in codes()
    done = act(site, "acknowledge_fault", **named)
    assert (done["ok"], done["zh"], done["en"]) == (True, "故障已确认", "fault acknowledged")
    assert "deliveries_damaged" not in codes()
    assert act(site, "acknowledge_fault", **named)["ok"] is False
    audit = site.admin.get("/api/audit?action=acknowledge_fault")["rows"]
    assert [row["ok"] for row in audit] == [False, True, False, False]
    assert {row["who"] for row in audit} == {"admin"}
    assert any("deliveries_damaged" in row["target"] for row in audit)


def test_a_line_without_end_to_the_lane_program_is_told_why(site: Site) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(10)
        line.connect(str(site.box.socket))
        line.sendall(b'{"op":"command","why":"' + b"x" * 4_000_000 + b'"}\n')
        answer = json.loads(line.makefile("rb").readline())
        assert (answer["ok"], "65536" in answer["zh"], "65536" in answer["en"]) == (False, True, True)
    assert site.box.view()["lanes"]  # and the next caller is heard


def tell(site: Site, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """As patient as a person: "too often" is answered with how long to wait."""
    while (found := site.admin.post(path, body))[0] == 429:
        threading.Event().wait(found[1]["retry_s"])
    return found


def act(site: Site, action: str, **fields: Any) -> dict[str, Any]:
    status, answer = tell(site, f"/api/actions/{action}", {"why": "试验"} | fields)
    assert status == 200, answer
    return answer


def test_the_lane_does_what_is_ordered_and_keeps_who_and_why(site: Site) -> None:
    bay = site.box.bays["in1"]
    raised = bay.raised
    answer = act(site, "open", lane="in1", command_id="0" * 32)
    assert (answer["ok"], answer["zh"]) == (True, "正在抬杆")
    until(lambda: bay.raised == raised + 1, "arm up")
    assert act(site, "open", lane="in1", command_id="0" * 32)["ok"]  # the same order once more
    until(lambda: act(site, "close", lane="in1")["ok"], "the interlock lets it down")  # 2 s after it saw nobody
    until(lambda: not bay.arm_up, "arm down")
    assert bay.raised == raised + 1
    (row,) = [row for row in site.admin.get("/api/orders?lane=in1")["rows"] if row["action"] == "open"]
    assert (row["who"], row["why"], row["ok"], row["source"]) == ("admin", "试验", True, "operator")
    for path in ("/api/orders", "/api/edges"):
        status, _, body = site.admin.ask("GET", f"{path}?lane=zz")
        assert (status, json.loads(body)["en"]) == (400, "lane: zz: one of in1, out2")
    assert tell(site, "/api/actions/let_in", {"lane": "in1", "why": "x"})[0] == 400  # it must name the car
    gone = act(site, "let_in", lane="in1", arrival_id="a" * 32, seen_plate="鲁B12345")
    assert (gone["ok"], gone["zh"]) == (False, "本命令针对 鲁B12345, 现在没有车; 未执行")
    refused = act(site, "release", lane="in1")
    assert (refused["ok"], refused["zh"]) == (False, "闸杆未被保持")


def test_a_relay_is_tested_only_at_a_locked_lane(site: Site) -> None:
    bay = site.box.bays["in1"]
    assert act(site, "test_relay", lane="in1", relay="open")["ok"] is False
    assert act(site, "lock", lane="in1")["ok"]
    raised = bay.raised
    assert act(site, "test_relay", lane="in1", relay="open")["ok"]
    until(lambda: bay.raised == raised + 1, "arm up")
    until(lambda: act(site, "test_relay", lane="in1", relay="close")["ok"], "the interlock lets it down")
    until(lambda: not bay.arm_up, "arm down")
    until(lambda: "not wired" in act(site, "test_relay", lane="in1", relay="stop")["en"], "arm at rest, no STOP relay")
    assert act(site, "unlock", lane="in1")["ok"]


def test_passages_and_one_visit_from_read_to_the_citys_answer(site: Site) -> None:
    found = site.admin.get("/api/passages?plate=7K2")
    assert [(row["direction"], row["plate"]) for row in found["rows"]] == [("out", CAR), ("in", CAR)]
    assert found["next_before_seq"] == 0
    assert site.admin.get("/api/passages?plate=X999")["rows"] == []
    newest = site.admin.get("/api/passages?limit=1")
    assert [row["direction"] for row in newest["rows"]] == ["out"]
    older = site.admin.get(f"/api/passages?limit=1&before_seq={newest['next_before_seq']}")
    assert [row["direction"] for row in older["rows"]] == ["in"]
    out, came = found["rows"]
    assert site.admin.get(f"/api/passages?from_ms={out['at_ms']}")["rows"][0]["seq"] == out["seq"]
    assert site.admin.get(f"/api/passages?to_ms={out['at_ms']}")["rows"] == [came]
    assert site.admin.get(f"/api/passages?from_ms={out['at_ms'] + 1}")["rows"] == []

    visits = [site.admin.get(f"/api/visit?seq={row['seq']}") for row in found["rows"]]
    assert visits[0] == visits[1]
    visit = visits[0]
    assert (visit["plate"], visit["inside"], visit["due_fen"], visit["paid_fen"]) == (CAR, False, 500, 500)
    assert (visit["entered_ms"], visit["left_ms"]) == (came["at_ms"], out["at_ms"])
    kinds = [row["kind"] for row in visit["rows"]]
    for kind, count in {"read": 2, "passage": 2, "payment": 1, "delivery": 3, "picture": 2}.items():
        assert kinds.count(kind) == count, kinds
    assert kinds.count("decision") >= 2
    assert all(row["picture"] for row in visit["rows"] if row["kind"] == "read")
    assert all("已上报" in row["zh"] for row in visit["rows"] if row["kind"] == "delivery")
    assert [row["at_ms"] for row in visit["rows"]] == sorted(row["at_ms"] for row in visit["rows"])
    assert site.admin.ask("GET", "/api/visit?seq=1")[0] == 404


def test_today_edges_cameras_and_the_machine(site: Site) -> None:
    curve = site.admin.get("/api/curve")
    assert (sum(hour["entered"] for hour in curve["hours"]), sum(hour["left"] for hour in curve["hours"])) == (1, 1)
    assert curve["hours"][-1]["parked"] == site.admin.get("/api/state")["box"]["parked"] == 0
    edges = [edge for edge in site.admin.get("/api/edges?lane=in1")["edges"] if edge["input"] == "safety"]
    assert [edge["on"] for edge in edges][-2:] == [True, False]
    camera = next(one for one in site.admin.get("/api/cameras") if one["id"] == "cam-in1")
    assert [(read["plate"], read["picture"]) for read in camera["reads"]] == [(CAR, True)]
    assert site.admin.ask("GET", f"/picture/{camera['reads'][0]['read_id']}.jpg")[0] == 200
    system = site.admin.get("/api/system")
    assert system["disk"]["free_bytes"] > 0
    assert [(one["up"], one["rss_bytes"] > 10 << 20) for one in system["programs"]] == [(True, True), (True, True)]
    assert system["supervised"] is False


def test_the_city_link_is_checked_step_by_step(site: Site) -> None:
    answer = tell(site, "/api/actions/check_link", {"city": "qingdao"})[1]
    assert answer["ok"] is True, answer
    assert [(step["name"], step["state"]) for step in answer["steps"]] == [
        (name, "ok") for name in ("address", "name", "tcp", "login", "call")
    ]
    site.platform.weather.add("http_500", probability=1.0)
    try:
        answer = tell(site, "/api/actions/check_link", {"city": "qingdao"})[1]
        assert [step["state"] for step in answer["steps"]] == ["ok", "ok", "ok", "failed", "skipped"]
        assert answer["steps"][3]["todo_zh"]
    finally:
        site.platform.weather.clear()


def test_counts_plates_and_money_are_put_right(site: Site) -> None:
    assert act(site, "correct_count", count=7)["ok"]
    until(lambda: site.admin.get("/api/state")["box"]["parked"] == 7, "count corrected")
    assert act(site, "correct_count", count=99_999)["ok"] is False
    assert act(site, "correct_count", count=0)["ok"]
    assert act(site, "correct_plate", plate="鲁B00001", visit_id="f" * 32)["ok"] is False
    assert act(site, "acknowledge_fault", fault="loop_stuck", lane="in1")["ok"] is False
    assert act(site, "repeat_delivery", ids=[1])["ok"] is False


def test_flow_control_is_switched_by_hand(site: Site) -> None:
    for on in (True, False):
        answer = act(site, "priority", on=on)
        assert answer["ok"], answer
    assert act(site, "lane_role", lane="in1", lane_role="mixed")["ok"]
    assert act(site, "lane_role", lane="out2", lane_role="mixed")["ok"] is False


def test_commissioning_ends_in_a_report(site: Site) -> None:
    mark = {"item": "relays", "done": True, "note": "<b>ok</b>"}
    assert tell(site, "/api/actions/commission_mark", mark)[1]["ok"]
    assert tell(site, "/api/actions/commission_mark", {"item": "clock", "done": True})[0] == 400
    form = {"address": "市南区香港中路1号", "gaode": "120.384428, 36.105215", "building": "地面", "district": "市南区"}
    assert tell(site, "/api/actions/commission_form", form)[1]["ok"]
    found = site.admin.get("/api/commissioning")
    items = {item["id"]: item for item in found["items"]}
    assert [items[one]["state"] for one in ("clock", "password", "accepted", "relays", "loops")] == [
        "ok", "ok", "ok", "ok", "open",
    ]  # fmt: skip
    assert found["form"]["district"] == "市南区"
    status, headers, html = site.admin.ask("GET", "/api/commissioning/report")
    page = html.decode()
    assert status == 200
    assert "unsafe" not in headers["content-security-policy"]
    assert "script" not in page
    assert "&lt;b&gt;ok&lt;/b&gt;" in page
    for text in ("试验", "香港中路1号", "项目高德坐标", "120.384428", "1000", "填表时间"):
        assert text in page
    assert "commissioning report" in site.admin.ask("GET", "/api/commissioning/report?lang=en")[2].decode()


def test_the_configuration_goes_out_and_in_and_never_where_it_may_not(site: Site) -> None:
    text = site.admin.ask("GET", "/api/config")[2].decode()
    assert text == site.box.config.read_text("utf-8")
    kept = site.box.config.read_bytes()

    def put(changed: str) -> dict[str, Any]:
        status, answer = tell(site, "/api/config", {"text": changed, "why": "试验"})
        assert status == 200
        return answer

    for wrong, names in (
        (text.replace("total_stalls = 1000", "total_stalls = -1"), "lot.total_stalls"),
        (text.replace(str(site.box.data), "/etc"), "box.data_dir"),
        (text.replace(str(site.box.folder / "password"), "/etc/shadow"), "city.qingdao.password_file"),
        ("not toml at all [", ""),
        (text + "\n[web2]\n", "web2"),
    ):
        answer = put(wrong)
        assert answer["ok"] is False
        assert names in [issue["path"] for issue in answer["issues"]], answer
        assert site.box.config.read_bytes() == kept
    answer = put(text.replace("total_stalls = 1000", "total_stalls = 900"))
    assert answer["ok"] is True, answer
    assert "total_stalls = 900" in site.box.config.read_text("utf-8")
    assert (site.box.folder / "box.toml.previous").read_bytes() == kept
    assert put(text)["ok"]


def test_the_diagnostics_bundle_holds_no_secret(site: Site) -> None:
    password = (site.box.folder / "password").read_text("utf-8").strip()
    kept = site.box.config.read_text("utf-8")
    site.box.config.write_text(f"{kept}\n# somebody noted here: {password}\n", encoding="utf-8")
    status, _, made = site.admin.ask("GET", "/api/diagnostics")
    site.box.config.write_text(kept, encoding="utf-8")
    assert status == 200
    assert len(made) < 10_000_000
    with tarfile.open(fileobj=io.BytesIO(made)) as tar:
        members = {one.name: (tar.extractfile(one) or io.BytesIO()).read() for one in tar.getmembers()}
    wanted = ("config.toml", "machine.json", "facts.jsonl", "lane.log", "audit.jsonl", "box.json", "deliveries.json")
    assert {f"parkbox/{name}" for name in wanted} <= set(members)
    assert json.loads(members["parkbox/box.json"])["box_id"] == "TEST"
    data = site.box.data
    secrets = [(site.box.folder / name).read_text("utf-8").strip() for name in ("password", "passkey")]
    secrets += [PASSWORD, site.first_password, site.admin.cookie.partition("=")[2], site.admin.csrf]
    secrets += [user["hash"] for user in json.loads((data / "accounts.json").read_text())["users"]]
    whole = b"\n".join(members.values()).decode("utf-8", "replace")
    assert "somebody noted here: ******" in whole
    assert [secret for secret in secrets if secret in whole] == []
    assert all(len(secret) > 6 for secret in secrets)


def test_the_audit_is_on_disk_with_every_act(site: Site) -> None:
    page = site.admin.get("/api/audit")
    assert (page["broken_seq"], page["kept_days"]) == (0, 400)
    acts = [row["action"] for row in page["rows"]]
    assert {"login", "password", "open", "test_relay", "config_import", "diagnostics", "check_link"} <= set(acts)
    with closing(sqlite3.connect(f"file:{site.box.data / 'audit.db'}?mode=ro", uri=True)) as conn:
        assert conn.execute("SELECT count(*) FROM audit").fetchone()[0] == len(acts)


def test_programs_end_in_order_when_asked_and_the_agent_asks_for_a_login_again(site: Site) -> None:
    answer = until(lambda: (said := act(site, "restart", program="lane"))["ok"] and said, "no lane in use")
    assert "start it by hand" in answer["en"]
    until(lambda: not site.lane.alive, "lane ended")
    assert site.lane.stop() == 3
    assert all(bay.at_rest() for bay in site.box.bays.values())
    until(lambda: site.admin.get("/api/state")["box"] is None, "the page says that the lane is away")
    status, problem = tell(site, "/api/actions/open", {"lane": "in1", "why": "x"})
    assert (status, problem["code"]) == (503, "lane_silent")
    assert act(site, "restart", program="agent")["ok"]
    until(lambda: not site.agent.alive, "agent ended")
    assert site.agent.stop() == 3
    with site.box.agent() as agent:
        agent.await_ready()
        assert site.admin.ask("GET", "/api/state")[0] == 401
        assert site.admin.log_in("admin") == 200
        assert agent.stop() == 0


def test_diagnose_needs_no_program(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "bundle.tar.gz"
    assert main(["diagnose", str(site.box.config), "-o", str(out)]) == 0
    with tarfile.open(out) as tar:
        names = tar.getnames()
    assert "parkbox/facts.jsonl" in names
