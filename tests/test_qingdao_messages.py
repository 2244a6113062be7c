"""The messages against the tables of T/QME 0015-2024, transcribed in tests/vectors/qingdao_interfaces.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.cities.qingdao.calls import Deduct, QueryOrder, QuerySignatory, VehicleInfo
from edge.cities.qingdao.dictionaries import RESULT_CODES
from edge.cities.qingdao.fields import FieldError, Message, yuan
from edge.cities.qingdao.messages import (
    CarCharge,
    CarIn,
    CarOut,
    EquipInfo,
    EquipStatus,
    Login,
    ParkInfo,
    ParkSpace,
    StandardInfo,
)
from edge.cities.qingdao.mqtt_access import BindProjects, MqttLogin, Project
from edge.cities.qingdao.plans import CardTypeInfo, MonthStandardInfo, PlaceStatus, PlanAttach, Week

TABLES = json.loads((Path(__file__).parent / "vectors/qingdao_interfaces.json").read_text(encoding="utf-8"))
ROWS: dict[str, list[dict[str, Any]]] = TABLES["interfaces"]
A, B, C = "a" * 32, "b" * 32, "c" * 32
WHEN, MS = "2026-11-22 12:00:00", 1_795_320_000_000

# One lawful record of each interface, written by hand from the tables.
SAMPLES: dict[type[Message], dict[str, Any]] = {
    Login: {"cno": "0000001234", "usr": "box", "psw": "geheim"},
    ParkInfo: {
        "item_id": A, "park_code": "QD-1", "park_name": "前海停车场", "total_count": 300,
        "total_order_count": 20, "delete_flag": False, "lock_flag": 0, "timestamp": MS,
    },
    ParkSpace: {
        "park_id": A, "in_space_count": 120, "book_space_count": 0, "remain_space_count": 180, "timestamp": MS,
    },
    CarIn: {
        "item_id": B, "event_type": "BRUSHCARD", "car_no": "鲁-B12345", "car_color": "BLUE", "in_time": WHEN,
        "in_equipment_id": C, "park_id": A, "io_type": 1, "timestamp": MS,
    },
    CarOut: {
        "item_id": C, "park_id": A, "event_type": "BRUSHCARD", "car_no": "鲁-B12345", "car_color": "BLUE",
        "out_time": WHEN, "out_equipment_id": C, "ys_money": 500, "ss_money": 300, "yh_money": 200,
        "park_in_id": B, "in_time": WHEN, "remark": "备注", "io_type": 2, "timestamp": MS,
    },
    CarCharge: {
        "item_id": C, "park_id": A, "car_no": "鲁-B12345", "in_time": WHEN, "charge_time": WHEN, "park_in_id": B,
        "ys_money": 500, "ss_money": 300, "yh_money": 200, "charge_type": "NORMAL", "pay_type": "XJ",
        "pay_from": "现金", "timestamp": MS, "replace_deduct": 0, "app_userid": "u", "calc_money": 500,
        "person_name": "张", "pay_status": 1, "paid": 0, "orderId": B, "order_create_time": WHEN,
    },
    StandardInfo: {
        "item_id": C, "park_id": A, "charge_standard_name": "小型车", "charge_standard_content": "首小时5元",
        "timestamp": MS,
    },
    EquipInfo: {
        "item_id": C, "equip_code": "1", "equip_name": "东门", "type_class": "0201", "father_id": B,
        "delete_flag": False, "park_id": A, "timestamp": MS, "channel_no": 1, "io_type": 1,
    },
    EquipStatus: {"equipment_id": C, "equipment_state": "01", "timestamp": MS},
    CardTypeInfo: {
        "item_id": B, "tc_code": 50, "tc_name": "月卡 A", "seal_type": 1, "service_type": "PARK",
        "tc_type": "MONTH_CARD", "delete_flag": False, "start_period": "07:20", "end_period": "20:40",
        "week": Week(day0=False, day1=True, day2=True, day3=True, day4=True, day5=True, day6=False),
        "attach": PlanAttach(count=3), "timestamp": MS,
    },
    MonthStandardInfo: {
        "item_id": C, "month_period": 3, "month_period_money": 90_000, "tc_id": B, "delete_flag": False,
        "timestamp": MS,
    },
    QuerySignatory: {
        "car_no": "鲁-B12345", "vehicle_info": '{"plate_no":"鲁-B12345","plate_color":"BLUE"}', "in_time": WHEN,
        "in_recordid": B,
    },
    Deduct: {
        "order_no": B, "park_code": "QD-1", "car_no": "鲁-B12345",
        "vehicle_info": VehicleInfo(plate_no="鲁-B12345", plate_color="BLUE"), "service_stime": WHEN,
        "service_etime": WHEN, "service_fee_time": 3600, "service_fee": 500, "deduct_fee": 0, "discount_fee": 200,
        "transport_fee": 0, "other_fee": 0, "total_fee": 300, "create_time": WHEN, "free_minute": "15",
        "surplus_minute": "0", "policy_minute": 0, "charge_type": 0, "desc": "停车费", "serial_no": C,
        "out_equip_code": "2",
    },
    QueryOrder: {"order_no": B, "park_code": "QD-1"},
    PlaceStatus: {
        "item_id": C, "code": "A-01", "area": "A", "park_name": "前海停车场", "park_code": "0000001", "floor": "B1",
        "book_flag": "1", "car_no": "鲁-B12345", "reco_time": WHEN, "place_type": "0", "place_status": "2",
        "status": "NORMAL", "park_id": A,
    },
    MqttLogin: {"cno": "0000001234", "usr": "box", "psw": "geheim"},
    BindProjects: {"user_name": "qd-mqtt-1", "projects": (Project(code="0000001"),)},
}  # fmt: skip

# Where the reading of a contradiction differs from the print: what the box sends.
READ_AS: dict[tuple[str, str], dict[str, Any]] = {
    (QuerySignatory.path, "in_recordid"): {"type": "String"},  # QC36: printed Long 32
    (Deduct.path, "out equip_code"): {"name": "out_equip_code"},  # QC58: a blank in the print
    (PlaceStatus.path, "park_id"): {"length": 32},  # QC37: printed 30, and a Guid has 32
    (PlaceStatus.path, "reco_time"): {"length": None},  # 30 printed, and its note gives the form, of 19
    (BindProjects.path, "projects"): {"type": "Array"},  # QC56: a list typed Object
}
for (path, name), read_as in READ_AS.items():
    next(row for row in ROWS[path] if row["name"] == name).update(read_as)
ALL_ROWS = [(message, row) for message in SAMPLES for row in ROWS[message.path]]
PRINTED = [pytest.param(message, row, id=f"{message.kind}.{row['name']}") for message, row in ALL_ROWS]


def made(message: type[Message], **changed: Any) -> dict[str, Any]:
    """What goes over the wire when one value of the sample is another."""
    decoded: dict[str, Any] = json.loads(message(**{**SAMPLES[message], **changed}).encode())
    return decoded


@pytest.mark.parametrize("message", SAMPLES)
def test_members_are_those_of_the_table_in_its_order(message: type[Message]) -> None:
    assert list(made(message)) == [row["name"] for row in ROWS[message.path]]


@pytest.mark.parametrize("message", SAMPLES)
def test_optional_members_may_be_left_out_and_required_ones_not(message: type[Message]) -> None:
    required = [row["name"] for row in ROWS[message.path] if row["required"]]
    least = message(**{name: SAMPLES[message][name] for name in required})
    assert list(json.loads(least.encode())) == required


JSON_TYPES: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Int": (int,),
    "Long": (int,),
    "Boolean": (bool,),
    "Decimal(12,2)": (float,),
    "Object": (dict,),
    "Array": (list,),
}


@pytest.mark.parametrize(("message", "row"), PRINTED)
def test_each_member_has_the_json_type_that_the_table_prints(message: type[Message], row: dict[str, Any]) -> None:
    assert type(made(message)[row["name"]]) in JSON_TYPES[row["type"]]


@pytest.mark.parametrize(("message", "row"), PRINTED)
def test_each_printed_length_is_the_last_one_allowed(message: type[Message], row: dict[str, Any]) -> None:
    length, name = row["length"], row["name"]
    if row["type"] == "Long":
        value: Any = 10**length - 1
        assert made(message, **{name: value})[name] == value
        with pytest.raises(FieldError, match=name):
            made(message, **{name: value + 1})
        with pytest.raises(FieldError, match=name):
            made(message, **{name: 10 ** (length - 1) - 1})
    elif row["type"] == "String" and length is not None and "enum" not in row:
        char = "f" if length == 32 else "车"  # 32 is a Guid: hex digits
        assert made(message, **{name: char * length})[name] == char * length
        with pytest.raises(FieldError, match=name):
            made(message, **{name: char * (length + 1)})
    else:
        with pytest.raises(FieldError, match=name):
            made(message, **{name: ["neither text", "nor number"]})


@pytest.mark.parametrize(("message", "row"), [(message, row) for message, row in ALL_ROWS if "enum" in row])
def test_each_enumeration_is_the_dictionary_and_nothing_else(message: type[Message], row: dict[str, Any]) -> None:
    name, printed = row["name"], row["enum"]
    keys = list(printed) if isinstance(printed, dict) else TABLES["dictionaries"][printed]
    values = [_as_type(key, row["type"]) for key in keys]
    assert [made(message, **{name: value})[name] for value in values] == values
    with pytest.raises(FieldError, match=rf"{message.kind}\.{name} = 'NOPE'"):
        made(message, **{name: "NOPE"})


def _as_type(key: str, printed: str) -> Any:
    return {"Boolean": key == "true", "Int": int(key) if key.lstrip("-").isdecimal() else key}.get(printed, key)


def test_result_codes_are_the_union_of_both_tables() -> None:
    assert sorted(RESULT_CODES) == TABLES["result_codes"]


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (50, "0.50"), (500, "5.00"), (123_456, "1234.56"), (10**12 - 1, "9999999999.99")],
)
def test_money_is_a_number_with_two_decimals_exact_to_the_fen(fen: int, text: str) -> None:
    record = CarOut(**{**SAMPLES[CarOut], "ys_money": fen}).encode()
    assert f'"ys_money":{text},'.encode() in record
    assert str(yuan(fen)) == text


@pytest.mark.parametrize("fen", [-1, 10**12, 5.0, True, "5"])
def test_money_out_of_range_or_not_in_whole_fen_is_refused(fen: Any) -> None:
    with pytest.raises(FieldError, match=r"carOut\.ys_money = .*: allowed is 0\.\.999999999999 fen"):
        made(CarOut, ys_money=fen)


@pytest.mark.parametrize(
    "text", ["2026-11-22T12:00:00", "2026-13-01 00:00:00", "2026-11-22 24:00:00", "20261122120000", "2026-11-22", ""]
)
def test_a_date_time_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(FieldError, match="allowed is yyyy-MM-dd HH:mm:ss"):
        made(CarIn, in_time=text)


@pytest.mark.parametrize("value", ["", A[:31], A + "0", "g" * 32, "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"])
def test_a_guid_of_another_form_is_refused(value: str) -> None:
    with pytest.raises(FieldError, match=r"carIn\.item_id = .*: allowed is 32 hex digits without separators"):
        made(CarIn, item_id=value)


def test_an_error_lists_what_an_enumeration_allows() -> None:
    with pytest.raises(FieldError, match="UNKNOW, WHITE, BLACK, BLUE, YELLOW, GREEN"):
        made(CarIn, car_color="UNKNOWN")  # QC40: the standard prints it without its last N


def test_no_error_shows_a_password() -> None:
    with pytest.raises(FieldError) as caught:
        Login(cno="1", usr="box", psw="correct horse battery staple")
    assert "horse" not in str(caught.value)
    assert "login.psw" in str(caught.value)
