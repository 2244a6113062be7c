"""What a city reads otherwise in a reply is a setting: codes that the print cut off, the form of data_items (B.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.cities.qingdao.replies import LaneTold
from tests.qingdao_orders import ITEMS, FakeLane, downlink, message, said


@pytest.mark.parametrize(("number", "setting", "printed"), [("18", "quote_codes", 9), ("22", "scan_codes", 1019)])
def test_codes_that_the_print_cut_off_are_settings(number: str, setting: str, printed: int) -> None:
    """QC64, QC65."""
    codes: dict[str, Any] = {setting: [{"reason": "not_inside", "code": 2}], "no_order_code": 77}
    wanted = (("not_inside", codes, 2), ("in_grace", codes, printed), ("free_car", codes, 77),
              ("in_grace", {setting: [{"reason": "in_grace", "code": 5}]}, 5))  # fmt: skip
    for reason, settings_given, code in wanted:
        lane = FakeLane()
        lane.told = LaneTold(True, "无", "none", reason)
        (entry,) = said(downlink(lane, **settings_given).handle(message(number)))["data_items"]
        assert entry["error_code"] == code


def test_the_form_of_data_items_and_the_project_are_settings() -> None:
    """QC19, QC86. The printed type of the reply's data_items is String (line 462)."""
    text = said(downlink(FakeLane(), reply_items="string").handle(message("24")))["data_items"]
    alone = said(downlink(FakeLane(), reply_items="object").handle(message("24")))["data_items"]
    (plain,) = said(downlink(FakeLane()).handle(message("24")))["data_items"]
    assert (json.loads(text), alone) == ([plain], plain)
    order = json.loads(message("24"))
    assert "project_code" not in said(downlink(FakeLane()).handle(message("24")))
    echoed = said(downlink(FakeLane(), reply_project=True).handle(message("24")))
    assert echoed["project_code"] == order["project_code"]


def test_a_reply_can_have_the_form_that_its_order_had() -> None:
    """QC19, QC85: a text, an object, an array, or no member of its own at all."""
    item = ITEMS["24"]
    (plain,) = said(downlink(FakeLane()).handle(message("24")))["data_items"]

    def told(**changed: Any) -> Any:
        return said(downlink(FakeLane(), reply_items="request").handle(message("24", **changed)))["data_items"]

    assert told() == [plain]
    assert told(data_items=item) == plain
    assert json.loads(told(data_items=json.dumps(item))) == plain
    assert json.loads(told(data_items=json.dumps([item]))) == [plain]
    assert told(data_items=None, Content=item) == plain
    assert told(data_items=None, **item) == [plain]
    assert isinstance(told(data_items=json.dumps([item])), str)
