"""The parts and calls of Qingdao's interfaces 10 to 15 and of its MQTT access: nested tables, enumerations, answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from edge.cities.qingdao import dictionaries, dictionaries_plans
from edge.cities.qingdao.calls import OrderState, VehicleInfo, read_order_state, read_signatory
from edge.cities.qingdao.envelope import Account, ReplyError, parse_reply, sign
from edge.cities.qingdao.fields import FieldError, Message
from edge.cities.qingdao.mqtt_access import (
    BindProjects,
    MqttAccount,
    Project,
    bind_request,
    mqtt_login_request,
    read_account,
    refused,
)
from edge.cities.qingdao.plans import PlanAttach, Week
from edge.cities.qingdao.reading import BadMember, Members

TABLES = json.loads((Path(__file__).parent / "vectors/qingdao_interfaces.json").read_text(encoding="utf-8"))
ROWS: dict[str, list[dict[str, Any]]] = TABLES["interfaces"]
ACCOUNT = Account("880001", "0000001", "parkbox", "Parkbox-1", "key")
ENTRY = "1a" * 16

PARTS: list[tuple[Message, str, str]] = [
    (Week(**{f"day{day}": day > 0 for day in range(7)}), "/thirdAPI/cardtypeinfo", "week"),
    (PlanAttach(count=3), "/thirdAPI/cardtypeinfo", "attach"),
    (VehicleInfo(plate_no="鲁-B12345", plate_color="BLUE"), "/thirdAPI/cloud/dkOrderRequest", "vehicle_info"),
    (Project(code="0000001"), "/mqtt/bindprojects", "projects"),
]


@pytest.mark.parametrize(("part", "path", "name"), PARTS)
def test_nested_members_are_those_of_the_print_with_their_types(part: Message, path: str, name: str) -> None:
    rows = next(row for row in ROWS[path] if row["name"] == name)["children"]
    sent = json.loads(part.encode())
    assert list(sent) == [row["name"] for row in rows]
    types = {"String": str, "Int": int, "int": int, "Boolean": bool}
    assert [type(value) for value in sent.values()] == [types[row["type"]] for row in rows]


@pytest.mark.parametrize(
    ("hint", "clause"),
    [
        (dictionaries.DeviceType, "B.6.1.1"), (dictionaries.DeviceState, "B.6.1.2"),
        (dictionaries_plans.ServiceType, "B.6.1.3"), (dictionaries.EventType, "B.6.1.7"),
        (dictionaries.PayType, "B.6.1.9"), (dictionaries_plans.Medium, "B.6.1.12"),
        (dictionaries_plans.CardOperation, "B.6.1.18"), (dictionaries_plans.CardState, "B.6.1.20"),
        (dictionaries_plans.CardType, "B.6.1.22"), (dictionaries.PlateColour, "B.6.1.26"),
        (dictionaries.ChargeType, "B.6.1.27"), (dictionaries.IoType, "B.6.1.30"),
        (dictionaries_plans.PlanCode, "B.6.1.31"),
    ],
)  # fmt: skip
def test_enumerations_are_the_printed_lists_whole(hint: Any, clause: str) -> None:
    assert sorted(map(str, get_args(hint))) == sorted(TABLES["dictionaries"][clause])


def test_part_with_a_value_that_is_not_allowed_names_it() -> None:
    with pytest.raises(FieldError, match=r"cardtypeinfo\.attach\.count = -1: allowed is 0\.\.2147483647"):
        PlanAttach(count=-1)
    with pytest.raises(FieldError, match=r"vehicle_info\.plate_color = 'RED'"):
        VehicleInfo(plate_no="鲁-B12345", plate_color="RED")  # type: ignore[arg-type]


SIGNED: dict[str, Any] = {
    "user_id": "u-7", "car_no": "鲁-B 12345", "in_recordid": ENTRY, "is_signatory": "1", "withhold_mode": 1,
    "withhold_channel": "WX", "withhold_limit": "50.00", "withhold_balance": -3.5, "signatory_code": 1012,
}  # fmt: skip


def test_a_signed_plate_is_read_with_its_limits_in_fen() -> None:
    said = read_signatory(Members(json.dumps(SIGNED)), with_code=True)
    assert (said.car_no, said.signed, said.mode, said.limit_fen, said.balance_fen, said.code) == (
        "鲁B12345", True, "pay_first", 5000, -350, 1012,
    )  # fmt: skip


def test_an_unsigned_plate_needs_no_mode_and_a_signed_one_does() -> None:
    bare = {"car_no": "鲁B12345", "is_signatory": 0, "signatory_code": 1007}
    assert read_signatory(Members(bare), with_code=True).signed is False
    with pytest.raises(BadMember, match="withhold_mode"):
        read_signatory(Members({**bare, "is_signatory": 1}), with_code=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("is_signatory", 2), ("withhold_limit", "5.005"), ("signatory_code", 999), ("car_no", "无牌车"), ("user_id", [1])],
)
def test_an_answer_that_the_table_does_not_allow_is_named(name: str, value: object) -> None:
    with pytest.raises(BadMember, match=rf"^{name} = "):
        read_signatory(Members(json.dumps({**SIGNED, name: value})), with_code=True)


@pytest.mark.parametrize(
    ("status", "paid"), [(-1, False), ("0", True), (1, False), (100, True), ("100", True), (300, False), (500, False)]
)
def test_states_0_and_100_are_paid_and_no_other(status: object, paid: bool) -> None:
    said = read_order_state(Members({"order_no": "T1", "status": status, "total_fee": "300"}))
    assert (said.paid, said.total_fen) == (paid, 300)


def test_what_belongs_to_a_payment_may_be_missing_without_one() -> None:
    said = read_order_state(Members({"order_no": "T1", "status": -1, "pay_time": "", "transaction_id": None}))
    assert said == OrderState(order_no="T1", status=-1)


def test_mqtt_login_is_flat_and_signed() -> None:
    request = mqtt_login_request(ACCOUNT)
    assert request.path == "/mqtt/login"
    assert json.loads(request.body) == {"cno": "880001", "usr": "parkbox", "psw": "Parkbox-1"}
    assert request.sn == sign(request.body, "key")


@pytest.mark.parametrize("place", ["top", "array", "object"])
def test_the_mqtt_account_is_found_at_the_top_or_in_data_items(place: str) -> None:
    account = {"client_id": "c1", "client_user_name": "qd-1", "client_password": "pw"}
    inside: object = [account] if place == "array" else account
    reply = {"result_code": 0, **(account if place == "top" else {"data_items": inside})}
    assert read_account(json.dumps(reply).encode()) == MqttAccount("c1", "qd-1", "pw")


def test_a_refused_or_senseless_mqtt_login_is_told_and_no_password_shown() -> None:
    refusal = read_account(b'{"result_code":111,"message":"no"}')
    assert not isinstance(refusal, MqttAccount)
    assert refused(refusal) == 111
    with pytest.raises(ReplyError, match="client_id"):
        read_account(b'{"result_code":0}')
    with pytest.raises(ReplyError) as caught:
        read_account(json.dumps(
            {"result_code": 0, "client_id": "c", "client_user_name": "u", "client_password": "geheim" * 40}
        ).encode())  # fmt: skip
    assert "geheim" not in str(caught.value)
    assert "pw" not in repr(MqttAccount("c", "u", "pw"))


def test_bindprojects_sends_the_printed_members_and_the_token_when_the_city_asks_for_it() -> None:
    printed = bind_request(ACCOUNT, "qd-1", "0000002")
    assert json.loads(printed.body) == {"user_name": "qd-1", "projects": [{"code": "0000002", "status": 1}]}
    with_token = bind_request(ACCOUNT, "qd-1", "0000002", token="t" * 32)
    assert json.loads(with_token.body) == {"cno": "880001", "tn": "t" * 32, **json.loads(printed.body)}
    assert with_token.sn == sign(with_token.body, "key")
    with pytest.raises(FieldError, match="user_name"):
        BindProjects(user_name="x" * 21, projects=(Project(code="1"),))


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (b'{"result_code":0}', 0), (b'{"result_code":"0","data_items":[{"error_code":0}]}', 0),
        (b'{"result_code":0,"data_items":{"error_code":1,"error_message":"?"}}', 1), (b'{"result_code":105}', 105),
    ],
)  # fmt: skip
def test_a_project_that_was_not_bound_is_a_refusal(reply: bytes, code: int) -> None:
    assert refused(parse_reply(reply)) == code


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-22 08:00:00", 1_795_305_600_000), ("20261122080000", 1_795_305_600_000),
        ("1795305600", 1_795_305_600_000), (1_795_305_600_123, 1_795_305_600_123),
        ("2026-11-22 8:00:00", 1_795_305_600_000),
        ("2017-08-10 12:20:35", 1_502_338_835_000),  # T/QME 0015-2024 line 533
    ],
)  # fmt: skip
def test_instants_of_every_accepted_form(text: object, ms: int) -> None:
    assert Members({"at": text}).instant_ms("at") == ms


def test_a_date_is_its_beginning_or_its_last_second() -> None:
    day = Members({"at": "2026-11-22"})
    assert day.instant_ms("at", end_of_day=True) - day.instant_ms("at") == 86_399_000


@pytest.mark.parametrize("value", ["soon", "2026-13-01", "1899-01-01 00:00:00", "", None, True, "17953056000"])
def test_what_is_no_instant_is_refused(value: object) -> None:
    with pytest.raises(BadMember, match=r"^at = "):
        Members({"at": value}).instant_ms("at")
