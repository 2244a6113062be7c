"""cmd_type names that are learned from orders known by their members (QC84), and replies with flat members (QC62)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.agent.cmd_types import FILE, keep_names, read_names
from edge.cities.qingdao.downlink import Downlink
from edge.cities.qingdao.learned import NAMES_MAX, LearnedNames
from edge.cities.qingdao.replies import LaneTold
from edge.config.qingdao_mqtt import QingdaoMqtt
from tests.qingdao_house import House
from tests.qingdao_orders import ITEMS, QUOTE, SITE, FakeLane, StillClock, downlink, message, said


def learning(lane: FakeLane, known: dict[str, str], kept: list[dict[str, str]], **settings: Any) -> Downlink:
    found = msgspec.convert({"host": "127.0.0.1", **settings}, QingdaoMqtt)
    return Downlink(found, SITE, lane.ask, StillClock(), learned=LearnedNames(known), on_learned=kept.append)


def bare(number: str, name: str) -> dict[str, Any]:
    return {key: value for key, value in ITEMS[number].items() if key != name}


def test_a_name_is_learned_once_and_names_what_a_later_order_lacks() -> None:
    lane, kept = FakeLane(), list[dict[str, str]]()
    mine = learning(lane, {}, kept)
    damaged = message("19", bare("19", "trad_state"), cmd_type="PAID", seq_id="a")
    assert "PAID" in said(mine.handle(damaged))["message"]  # nobody knows what it is
    for seq_id in ("b", "c"):
        assert said(mine.handle(message("19", cmd_type="PAID", seq_id=seq_id)))["result_code"] == 0
    assert kept == [{"PAID": "payment"}]
    reply = said(mine.handle(message("19", bare("19", "trad_state"), cmd_type="PAID", seq_id="d")))
    assert (reply["result_code"], "trad_state" in reply["message"]) == (1, True)
    assert len(lane.asked) == 2


def test_members_come_before_a_learned_name_and_a_name_of_two_kinds_means_none() -> None:
    lane, kept = FakeLane(), list[dict[str, str]]()
    mine = learning(lane, {"LIST": "list"}, kept)
    assert said(mine.handle(message("28", cmd_type="LIST", seq_id="a")))["result_code"] == 0
    assert [type(order).__name__ for order in lane.asked] == ["ListDeleteOrder"]
    assert kept == [{"LIST": "several"}]
    reply = said(mine.handle(message("27", bare("27", "blacklist_id"), cmd_type="LIST", seq_id="b")))
    assert (reply["result_code"], "LIST" in reply["message"]) == (1, True)


@pytest.mark.parametrize("number", ["24", "26"])
def test_a_deletion_without_a_name_is_never_guessed(number: str) -> None:
    lane, kept = FakeLane(), list[dict[str, str]]()
    mine = learning(lane, {}, kept)
    for seq_id in ("a", "b"):
        assert said(mine.handle(message(number, cmd_type="DEL", seq_id=seq_id)))["result_code"] == 1
    assert (lane.asked, kept) == ([], [])


@pytest.mark.parametrize("settings", [{"learn": False}, {"recognise": False}])
def test_nothing_is_learned_where_that_is_off(settings: dict[str, Any]) -> None:
    kept = list[dict[str, str]]()
    mine = learning(FakeLane(), {"PAID": "payment"}, kept, **settings)
    mine.handle(message("27", cmd_type="NEW"))
    assert kept == []
    reply = said(mine.handle(message("19", bare("19", "trad_state"), cmd_type="PAID", seq_id="d")))
    assert "PAID" in reply["message"]


def test_a_city_that_makes_names_up_fills_nothing() -> None:
    names = LearnedNames({"odd": "no kind of order"})
    assert [names.note(f"n{number}", "list") for number in range(NAMES_MAX + 5)] == [True] * NAMES_MAX + [False] * 5
    assert "odd" not in names.names


def test_the_file_outlives_a_restart_and_a_damaged_one_is_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_names(tmp_path) == {}
    keep_names(tmp_path, {"PAID": "payment"})
    keep_names(tmp_path, {"PAID": "payment", "L": "list"})
    assert read_names(tmp_path) == {"PAID": "payment", "L": "list"}
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert caplog.records == []
    (tmp_path / FILE).write_text('{"PAID": 3', encoding="utf-8")
    assert read_names(tmp_path) == {}
    keep_names(tmp_path / "gone", {"PAID": "payment"})
    assert len(caplog.records) == 2


def test_what_was_learned_is_shown_at_the_link_also_after_a_restart(tmp_path: Path) -> None:
    house = House(tmp_path)
    link = house.online()
    down = house.platform.downlink
    sent = down.order(27, {**ITEMS["27"], "timestamp": 1_795_305_600_000}, cmd_type="名单下发")
    assert down.wait(sent, 20).result_code == 0
    assert "名单下发 = list" in link.view().zh
    link.stop()
    assert "名单下发 = list" in house.online().view().en
    house.close()


@pytest.mark.parametrize("number", ["18", "22"])
def test_flat_members_stand_beside_data_items(number: str) -> None:
    """QC62: as lines 1223 to 1244 and 1367 to 1383 are printed."""
    lane = FakeLane()
    lane.told = LaneTold(True, "完成", "done", quote=QUOTE)
    nested = said(downlink(lane).handle(message(number)))
    flat = said(downlink(lane, reply_flat=True).handle(message(number)))
    (entry,) = flat["data_items"]
    assert {name: flat[name] for name in entry} == entry
    assert {name: value for name, value in flat.items() if name not in entry} == {
        name: value for name, value in nested.items() if name not in entry
    }  # fmt: skip
    assert "total_fee" in flat
    assert "total_fee" not in nested
    several = said(downlink(lane, reply_flat=True).handle(message(number, ITEMS[number], ITEMS[number])))
    assert "total_fee" not in several  # of which of them would it be


@pytest.mark.parametrize("number", ["16", "27"])
def test_other_replies_are_not_flat(number: str) -> None:
    lane = FakeLane()
    assert said(downlink(lane, reply_flat=True).handle(message(number))) == said(downlink(lane).handle(message(number)))
