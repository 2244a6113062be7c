"""Both real programs with both cities: orders in, a booked car with a coupon through the lot, reports to both."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from hal_sim.free_ports import free_ports
from tests.program_rig import Box, Child, Driver, box_in, platform_on, until
from tests.shenzhen_platform import MiniPlatform
from tests.shenzhen_tools import PARK, platform_request
from tests.shipped_files import toml
from tests.tls_certs import Authority

CHINA = timezone(timedelta(hours=8))
PLATE = "粤B88888"
FLOW = "[flow]\npriority = true\n"


def beijing(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, CHINA).strftime("%Y-%m-%d %H:%M:%S")


class Site:
    """A box that reports to both cities."""

    def __init__(self, folder: Path, qingdao_url: str) -> None:
        self.authority = Authority(folder)
        self.platform = MiniPlatform(self.authority, password="FZz3LAvSqBhbMeI7Hwg+qA==")
        (self.port,) = free_ports(1)
        cert, key = self.authority.issue("box")
        section = {
            "url": self.platform.url, "ca_file": str(self.authority.file), "park_code": PARK, "user": "cadre01",
            "password_file": secret(folder / "sz-password", "password1"),
            "key_file": secret(folder / "sz-key", "12345678"), "retry_s": 1, "reconnect_max_s": 1,
            "site": {
                "operator_id": "B76238DF08", "permit_no": "663434", "charger": "示例公司", "complaint_tel": "12315",
                "public_info": "全天", "longitude": 114.05, "latitude": 22.54, "service_type": 3,
            },
            "callback": {
                "url": f"https://127.0.0.1:{self.port}/api", "host": "127.0.0.1", "port": self.port,
                "cert_file": str(cert), "key_file": str(key),
            },
        }  # fmt: skip
        extra = "\n".join(toml({"city": {"shenzhen": section}})) + "\n" + FLOW
        self.context = box_in(folder / "box", city_url=qingdao_url, free_min=0, extra=extra)

    def order(self, command: int, **element: Any) -> dict[str, Any]:
        """The element of the answer. By the token of the box's own login, as a platform has it."""
        line = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=5, context=ssl.create_default_context(cafile=str(self.authority.file))
        )
        token = next(iter(self.platform.tokens))
        try:
            line.request("POST", f"/api/1.0/{command}", platform_request([element]),
                         {"Authorization": f"bearer {token}"})  # fmt: skip
            answer = json.loads(line.getresponse().read())
        finally:
            line.close()
        assert answer["resultCode"] == 0, answer
        found: dict[str, Any] = answer["data"][0]
        return found

    def booking(self, **changes: Any) -> dict[str, Any]:
        return {
            "bookCode": "YD1", "parkCode": PARK, "carInfo": {"plateNo": PLATE}, "bookTime": beijing(-60),
            "overTime": beijing(3600), "obligatTime": 30, "operateType": 1, **changes,
        }  # fmt: skip


def secret(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Site, Box, Any]]:
    with platform_on() as (theirs, url):
        made = Site(tmp_path, url)
        try:
            with made.context as box:
                yield made, box, theirs
        finally:
            made.platform.stop()


def up(site: Site, *programs: Child) -> None:
    for program in programs:
        program.await_ready()
    site.platform.wait_for(lambda platform: bool(platform.tokens and platform.of("3001")))


def test_a_booked_car_with_a_coupon_and_both_cities_hear_of_it(site: tuple[Site, Box, Any]) -> None:
    shenzhen, box, theirs = site
    with box.lane() as lane, box.agent() as agent:
        up(shenzhen, lane, agent)
        shenzhen.platform.wait_for(lambda platform: bool(platform.of("7001")))
        booking = shenzhen.booking()
        first = shenzhen.order(6001, **booking)
        assert (first["code"], first["restReservedStalls"]) == (0, 999)
        again = shenzhen.order(6001, **booking)
        assert again == {"bookCode": "YD1", "code": 0, "message": "成功"}
        assert shenzhen.order(6001, **{**booking, "obligatTime": 31})["code"] == 1201
        assert shenzhen.order(6002, bookCode="YD1", parkCode=PARK, confirmStatus=1)["code"] == 0
        assert shenzhen.order(6002, bookCode="none", parkCode=PARK, confirmStatus=1)["code"] == 1104
        coupon = {"couponNo": "C1", "plateNo": PLATE, "couponType": 1, "couponValue": 3, "time": beijing(0)}
        assert [shenzhen.order(4002, **coupon)["code"] for _ in range(2)] == [0, 0]
        Driver(box, box.bays["in1"], PLATE).drive(lane)
        leaving = Driver(box, box.bays["out2"], PLATE, "in1")
        leaving.drive(lane)
        assert leaving.due_fen == [200]  # five yuan less three
        platform = shenzhen.platform
        platform.wait_for(lambda all_: bool(all_.of("5005")))
        until(lambda: len(theirs.of_kind("carOut")) == 1, "Qingdao has the exit too")
        assert agent.stop() == 0
        assert lane.stop() == 0
    (charge,), (exit_,) = platform.of("5008"), platform.of("5005")
    assert (charge["receivables"], charge["discount"], charge["received"]) == (5.0, 3.0, 2.0)
    assert [each["couponNo"] for each in charge["listDiscounts"]] == ["C1"]
    assert exit_["chargeIdList"] == [charge["id"]]
    assert platform.of("5004")[0]["id"] == exit_["id"] == charge["recordId"]
    assert [each["operateType"] for each in platform.of("7001")] == [1]
    assert platform.of("5003")[-1]["reservedStalls"] == 0
    assert platform.wrong == []
    given = [fact for fact in box.facts() if fact.kind == "CouponGiven"]
    assert len(given) == 1  # executed once
    locked = [fact for fact in box.facts() if fact.kind == "BookingLocked"]
    assert len(locked) == 1
    assert theirs.summary().internal_errors == ()


def test_orders_while_the_lane_program_is_away_and_after_it_came_back(site: tuple[Site, Box, Any]) -> None:
    shenzhen, box, _ = site
    with box.agent() as agent:
        with box.lane() as lane:
            up(shenzhen, lane, agent)
            assert shenzhen.order(6001, **shenzhen.booking())["code"] == 0
            lane.kill()
            lane.end()
        assert shenzhen.order(6001, **shenzhen.booking(bookCode="YD2"))["code"] == 5100
        with box.lane() as lane:
            lane.await_ready()
            assert until(lambda: shenzhen.order(6001, **shenzhen.booking(bookCode="YD2")).get("code") == 0, "taken")
            assert shenzhen.order(6002, bookCode="YD1", parkCode=PARK, confirmStatus=0)["code"] == 0
            assert shenzhen.order(6002, bookCode="YD1", parkCode=PARK, confirmStatus=1)["code"] == 1401
            assert agent.stop() == 0
    assert sum(fact.kind == "BookingLocked" for fact in box.facts()) == 2


def test_an_agent_that_is_killed_goes_on_where_it_was(site: tuple[Site, Box, Any]) -> None:
    shenzhen, box, _ = site
    with box.lane() as lane:
        with box.agent() as agent:
            up(shenzhen, lane, agent)
            Driver(box, box.bays["in1"], PLATE).drive(lane)
            shenzhen.platform.wait_for(lambda platform: bool(platform.of("5004")))
            agent.kill()
            agent.end()
        Driver(box, box.bays["out2"], PLATE, "in1").drive(lane)
        with box.agent() as agent:
            agent.await_ready()
            shenzhen.platform.wait_for(lambda platform: bool(platform.of("5005")))
            assert agent.stop() == 0
        assert lane.stop() == 0
    entries = {json.dumps(each, sort_keys=True) for each in shenzhen.platform.of("5004")}
    assert len(entries) == 1  # a repetition, if there was one, is the same record
    assert shenzhen.platform.wrong == []
