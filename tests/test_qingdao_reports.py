"""What the city is told beside the records: devices, their states, the tariff, and the goodbye; each by its class."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from edge.cities.engine import DeliveryEngine
from edge.cities.qingdao.city import qingdao
from edge.cities.qingdao.classes import classes_of
from edge.cities.qingdao.site import devices_of, makers, states, tariff_text
from edge.config.model import Box, Cities, Config, Lane, Tariff
from edge.ports import BoxView
from hal_sim.qingdao import QingdaoPlatform
from hal_sim.qingdao.tables import BY_KIND
from hal_sim.qingdao.values import faults
from hal_sim.strict_json import decode
from tests.city_fakes import ACCOUNT, LOT, PARK_ID, SETTINGS, T0_MS, FakeRandom, Rig, entered, lane
from tests.program_rig import account, box_in, until
from tests.web_fakes import box as box_view
from tests.web_fakes import fault

GATE = "c" * 32
OUT = lane("out1", "out")
# A camera may be named like its lane: what the city knows them by must differ.
OUT = msgspec.structs.replace(OUT, camera=(msgspec.structs.replace(OUT.camera[0], id="out1"),))


def site(*lanes: Lane, **city: Any) -> Config:
    settings = msgspec.structs.replace(SETTINGS, **city)
    return Config(
        box=Box(id="QD-000001", data_dir="/d", socket="/s"),
        lot=LOT,
        lane=lanes or (lane("in1", "in", GATE), OUT),
        city=Cities(qingdao=settings),
    )


class SiteRig(Rig):
    """A rig whose engine tells of the whole site."""

    config = site()
    view: BoxView | None = box_view()

    def new_engine(self) -> DeliveryEngine:
        return DeliveryEngine(
            qingdao(self.settings, LOT, self.config.lane, ACCOUNT, counts=lambda: self.counts,
                    makers=makers(self.config, lambda: self.view), transport=self.city),
            ledger=self.ledger, boot_offsets=self.ledger.boot_offsets, store=self.store, clock=self.clock,
            random=FakeRandom(), storage_errors=(OSError,), died=self.deaths.append, changed=self._changed,
        )  # fmt: skip

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [record for each, record in self.city.requests if each == kind]


def test_every_class_has_a_policy_and_the_cadence_that_the_standard_prints() -> None:
    """B.3.1.1, 2, 6, 7, 8, 9 and 10: 24 h, 1 min, 24 h, 24 h, 1 min, 24 h, 24 h; QC26: 2 and 9 are never repeated."""
    printed = {each.kind: (each.policy, each.every_s) for each in classes_of(SETTINGS)}
    assert printed == {
        "parkininfo": ("master", 86_400), "equipinfo": ("master", 86_400), "standardinfo": ("master", 86_400),
        "cardtypeinfo": ("master", 86_400), "monthstandardinfo": ("master", 86_400),
        "parkspace": ("state", 60), "equipstatus": ("state", 60),
        "carIn": ("record", 0), "carOut": ("record", 0), "carcharge": ("record", 0),
        "picture": ("record", 0),
    }  # fmt: skip
    assert {kind for kind, (policy, _) in printed.items() if policy == "state"} == {
        kind for kind in printed.keys() & BY_KIND.keys() if not BY_KIND[kind].repeated
    }


def test_devices_are_the_box_its_gates_and_their_cameras() -> None:
    told = {each.code: each for each in devices_of(site(), "0207")}
    assert [each.type_class for each in told.values()] == ["0701", "0201", "0207", "0201", "0207"]
    assert len(told) == 5
    assert told["in1"].id == GATE
    assert (told["QD-000001"].father_id, told["QD-000001"].channel_no, told["QD-000001"].io_type) == (None, 0, 0)
    assert (told["in1"].father_id, told["in1"].channel_no, told["in1"].io_type) == (told["QD-000001"].id, 1, 1)
    assert (told["out1"].io_type, told["cam"].lane) == (2, "in1")
    assert len({each.id for each in told.values()}) == 5
    assert devices_of(site(), "0207") == list(told.values())  # the same ids at every start
    assert [each.type_class for each in devices_of(site(), "")] == ["0701", "0201", "0201"]


@pytest.mark.parametrize("name", ["东", "地下二层西北角临时入口通道甲乙丙丁戊己庚辛壬癸子丑寅卯"])
def test_every_message_is_as_the_table_of_the_standard_prints_it(name: str) -> None:
    config = site(msgspec.structs.replace(lane("a" * 20, "in"), name=name))
    config = msgspec.structs.replace(config, box=msgspec.structs.replace(config.box, id="B" * 20))
    for kind, make in makers(config, box_view).items():
        things = make(T0_MS)
        assert things
        for thing_id, message in things:
            record = decode(message.encode())
            assert isinstance(record, dict)
            assert faults(BY_KIND[kind].fields, record) == []
            assert record[BY_KIND[kind].key] == thing_id


def test_a_device_is_offline_when_its_fault_says_that_it_does_not_work() -> None:
    devices = devices_of(site(), "0207")

    def offline(view: BoxView | None) -> set[str]:
        things = states(devices, view, T0_MS)
        told = {thing_id: json.loads(message.encode())["equipment_state"] for thing_id, message in things}
        assert set(told.values()) <= {"01", "02"}
        return {f"{each.lane} {each.type_class}" for each in devices if told[each.id] == "02"}

    def at(code: str, device: str) -> BoxView:
        return box_view(faults=(fault(code=code, device=device),))

    assert offline(box_view()) == set()
    assert offline(at("camera_silent", "in1/cam")) == {"in1 0207"}
    assert offline(at("camera_silent", "out1")) == {"out1 0207"}
    assert offline(at("barrier_down", "out1/gpio:5")) == {"out1 0201"}
    assert offline(at("listener_down", "listener")) == {"in1 0207", "out1 0207"}
    assert offline(at("loop_stuck", "in1/arrival")) == set()
    assert offline(None) == {"in1 0201", "in1 0207", "out1 0201", "out1 0207"}  # the lane program is down


BOARD = """{"form": "parkbox-1", "free_min": 15, "day": "calendar", "day_cap_fen": 3000,
 "rates": [{"from": "08:00", "until": "20:00", "unit_min": 30, "unit_fen": 200},
           {"from": "20:00", "until": "08:00", "unit_min": 60, "unit_fen": 100, "cap_fen": 500}],
 "classes": {"large": {"first_min": 60, "first_fen": 1000, "rates": [{"unit_min": 30, "unit_fen": 400}],
                       "visit_cap_fen": 8000}}}"""


@pytest.mark.parametrize(
    ("tariff", "text"),
    [
        (Tariff(), "15分钟以内(含)免费; 首60分钟5.00元; 之后每30分钟2.00元, 不足30分钟按30分钟计; 每24小时最高30.00元"),
        (Tariff(free_min=0, first_period_min=0, unit_min=60, unit_fen=105, daily_cap_fen=0),
         "无免费时间; 每60分钟1.05元, 不足60分钟按60分钟计"),
        (Tariff(param=BOARD),
         ("15分钟以内(含)免费; 08:00-20:00 每30分钟2.00元, 不足按30分钟计; "
         "20:00-08:00 每60分钟1.00元, 不足按60分钟计 (该时段最高5.00元); 每个自然日最高30.00元; "
         "大型车: 每日首60分钟10.00元, 每30分钟4.00元, 不足按30分钟计, 单次最高80.00元")),
    ],
)  # fmt: skip
def test_the_tariff_reads_like_the_board_at_the_entry(tariff: Tariff, text: str) -> None:
    assert tariff_text(tariff) == text


def test_the_lot_goes_first_then_its_devices_then_everything_that_refers_to_them() -> None:
    rig = SiteRig([entered(1)])
    rig.run_until(rig.settled)
    kinds = list(dict.fromkeys(rig.kinds()))
    assert kinds == ["parkininfo", "equipinfo", "standardinfo", "equipstatus", "carIn"]
    assert len(rig.records("equipinfo")) == 5
    assert rig.records("equipinfo")[0]["father_id"] is None
    assert rig.city.batches["equipinfo"] == [5]  # QC31, QC111: all of a kind in one request
    assert rig.city.batches["equipstatus"] == [5]
    assert rig.records("standardinfo")[0]["park_id"] == PARK_ID


def test_states_go_every_minute_and_a_failed_one_is_dropped() -> None:
    rig = SiteRig(weather=["fine", "fine", "fine", "1", "hang", "fine"])
    rig.run_for(210)
    assert rig.city.batches["equipstatus"] == [5] * 4
    assert len({record["timestamp"] for record in rig.records("equipstatus")}) == 4
    assert rig.city.wrong == []


def test_an_agent_that_is_started_again_tells_devices_and_states_as_before() -> None:
    rig = SiteRig()
    rig.run_for(70)
    rig.engine.stop()
    rig.clock.now_s += 5
    rig.engine = rig.new_engine()
    rig.run_for(70)
    assert rig.city.batches["equipinfo"] == [5, 5]
    assert rig.city.batches["equipstatus"] == [5] * 4
    assert (rig.city.wrong, rig.engine.faults()) == ([], [])


def test_a_device_that_the_city_refuses_is_repeated_alone_and_its_state_is_not_sent() -> None:
    rig = SiteRig(weather=["fine", "refuse_first_item"])
    rig.run_for(400)
    assert rig.city.batches["equipinfo"] == [5, 1]
    first, *_, again = rig.records("equipinfo")
    assert first == again  # QC16: a repetition keeps its timestamp
    assert rig.city.batches["equipstatus"][0] == 4
    assert rig.city.batches["equipstatus"][-1] == 5
    assert rig.engine.faults() == []


def test_a_city_that_never_takes_the_devices_gets_its_records_all_the_same() -> None:
    rig = SiteRig([entered(1)], weather=["fine", "1"])
    rig.run_until(rig.settled, at_most_s=10)
    assert [(each.code, each.device) for each in rig.engine.faults()] == [("delivery_set_aside", "equipinfo")]
    assert "equipstatus" not in rig.kinds()


def test_master_data_goes_again_every_24_hours() -> None:
    rig = SiteRig()
    rig.run_until(lambda: len(rig.city.batches.get("standardinfo", [])) == 2, at_most_s=86_500, step_s=5)
    assert len(rig.city.batches["equipinfo"]) == 2
    assert len(rig.city.batches["parkininfo"]) == 2
    assert rig.city.wrong == []


def test_stop_logs_out_with_the_token_while_the_city_listens() -> None:
    rig = Rig([entered(1)])
    rig.run_until(rig.settled)
    rig.engine.stop()
    assert rig.city.goodbyes == [{"cno": ACCOUNT.cno, "tn": "token-1"}]
    rig.engine.stop()
    assert len(rig.city.goodbyes) == 1


@pytest.mark.parametrize("weather", [["no_route"] * 9, ["fine", "http_500", "http_500"]])
def test_stop_says_no_goodbye_to_a_city_that_does_not_answer(weather: list[str]) -> None:
    rig = Rig([entered(1)], weather=weather)
    rig.run_for(3)
    rig.engine.stop()
    assert rig.city.goodbyes == []


def test_the_programs_tell_the_simulated_city_of_the_site_and_log_out(tmp_path: Any) -> None:
    said: list[str] = []
    platform = QingdaoPlatform(account(), listener=said.append)
    try:
        with box_in(tmp_path, city_url=platform.start()) as box, box.agent() as agent:
            agent.await_ready()
            until(lambda: len(platform.of_kind("equipstatus")) > 0, "states told")
            assert agent.stop() == 0
    finally:
        platform.stop()
    lanes = len(box.bays)
    assert platform.summary().accepted == {
        "parkininfo": 1, "equipinfo": 1 + 2 * lanes, "standardinfo": 1, "equipstatus": 1 + 2 * lanes,
    }  # fmt: skip
    assert platform.summary().refusals == ()
    assert [line for line in said if "/logout" in line] == ["/logout 0 已注销 logged out"]
