"""What a city reads otherwise in a reply is a setting: codes that the print cut off, the form of data_items (B.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.cities.qingdao.replies import LaneTold
from tests.qingdao_orders import FakeLane, downlink, message, said


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
