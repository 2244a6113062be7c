"""The city's thirteen orders against the tables of T/QME 0015-2024 B.4 (tests/vectors/qingdao_downlink.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.cities.qingdao.replies import LaneTold
from edge.core.facts_money import CardCar, CardTerms, PlanPrice
from edge.core.orders_money import (
    MONEY_OPS,
    CardCancelOrder,
    CardOrder,
    ListDeleteOrder,
    ListOrder,
    PaymentOrder,
    PlanDeleteOrder,
    PlanOrder,
    QuoteOrder,
    QuoteTold,
    ScanCoupon,
    ScanOrder,
    SeamlessOrder,
    TariffDeleteOrder,
    TariffOrder,
)
from tests.qingdao_orders import ENTRY, ITEMS, MS, QUOTE, SEQ, FakeLane, downlink, message, said

TABLES = json.loads((Path(__file__).parent / "vectors/qingdao_downlink.json").read_text(encoding="utf-8"))
ROWS: dict[str, dict[str, list[dict[str, Any]]]] = TABLES["interfaces"]

# What a table requires and we can do without, with the reading that says so.
MAY_BE_MISSING = {
    ("16", "region_id_list"): "QC90: the lot has no regions of its own",
    ("18", "vehicle_info"): "QC105: car_no decides",
    ("20", "user_id"): "QC109", ("21", "user_id"): "QC109", ("21", "item_id"): "echoed when it is there",
    ("21", "withhold_mode"): "an unsigned plate has none",
    ("22", "credential_no"): "QC78: equip_code decides the lane",
    ("19", "fee_type"): "line 1260: 默认值 1",
    ("25", "temp_seal_id"): "of meaning only where something turns into a temporary car",
    **{(number, "timestamp"): "QC14: only used to tell older from newer" for number in ITEMS},
}  # fmt: skip
REQUIRED = [
    pytest.param(number, row["name"], id=f"{number}.{row['name']}")
    for number in ITEMS
    for row in ROWS[number]["request"]
    if row["required"]
]


def test_samples_have_every_printed_member() -> None:
    for number, item in ITEMS.items():
        printed = {row["name"] for row in ROWS[number]["request"]}
        assert printed - set(item) <= {"vehicle_info"} if number == "22" else printed == set(item), number


@pytest.mark.parametrize(("number", "name"), REQUIRED)
def test_a_required_member_that_is_missing_is_named(number: str, name: str) -> None:
    lane = FakeLane()
    item = {key: value for key, value in ITEMS[number].items() if key != name}
    reply = said(downlink(lane).handle(message(number, item)))
    if (number, name) in MAY_BE_MISSING:
        assert lane.asked
    else:
        assert reply["result_code"] == 1
        assert name in reply["message"]
        assert lane.asked == []


@pytest.mark.parametrize("number", ITEMS)
@pytest.mark.parametrize("form", ["array", "object", "text", "content", "top"])
def test_every_form_of_data_items_is_the_same_order(number: str, form: str) -> None:
    lane, plain = FakeLane(), FakeLane()
    downlink(plain).handle(message(number))
    item = ITEMS[number]
    forms: dict[str, dict[str, Any]] = {
        "array": {"data_items": [item]},
        "object": {"data_items": item},
        "text": {"data_items": json.dumps([item], ensure_ascii=False)},
        "content": {"data_items": None, "Content": json.dumps(item, ensure_ascii=False)},
        "top": {"data_items": None, **item},
    }
    reply = said(downlink(lane).handle(message(number, **forms[form])))
    assert reply["result_code"] == 0 or number in ("18", "22")  # these are answered with an order, or why there is none
    assert lane.asked == plain.asked
    assert len(lane.asked) == 1


def order_of(number: str, **changed: Any) -> Any:
    lane = FakeLane()
    downlink(lane).handle(message(number, {**ITEMS[number], **changed}))
    return lane.asked[0]


BASE: dict[str, Any] = {"source": "city", "city": "qingdao", "who": "青岛智慧停车一体化平台"}
# 2026-11-01 00:00:00 to 2026-11-30 23:59:59
NOV: dict[str, Any] = {"from_ms": 1_793_462_400_000, "until_ms": 1_796_054_399_000}


def test_16_to_28_in_the_words_of_the_core() -> None:
    expected: dict[str, Any] = {
        "16": CardOrder(
            command_id="", why="", operation="open", card_id="s-1",
            cars=(CardCar("鲁B12345", "blue", "c-1"), CardCar("鲁B67890", "green", "c-2")),  # c-3 is reported lost
            places=1, plan_id="plan-1", regions=("A", "B"), person_id="p-1", person_name="张三",
            phone="13800000000", months=1, due_fen=35_050, paid_fen=30_000, pay_type="WX", city_ms=MS, **NOV, **BASE,
        ),
        "17": CardCancelOrder(command_id="", why="", card_id="s-1", city_ms=MS, **BASE),
        "18": QuoteOrder(command_id="", why="", plate="鲁B12345", colour="blue", city_ms=MS, **BASE),
        "19": PaymentOrder(
            command_id="", why="", order_id="T-1", amount_fen=500, pay_type="ZFB", pay_from="支付宝",
            paid_at_ms=MS, **BASE,
        ),
        "20": SeamlessOrder(
            command_id="", why="", plate="鲁B12345", signed=True, mode="before", visit_id=ENTRY, user_id="u-1",
            channel="WX", limit_fen=5000, balance_fen=12_030, code=1000, **BASE,
        ),
        "21": SeamlessOrder(
            command_id="", why="", plate="鲁B12345", signed=False, mode="after", visit_id=ENTRY, user_id="u-1",
            how="change", **BASE,
        ),
        "22": ScanOrder(
            command_id="", why="", lane="out1", credential="V-00017",
            coupons=(
                ScanCoupon(coupon_no="k1", coupon="amount", amount_fen=150, channel="ch"),
                ScanCoupon(coupon_no="k2", coupon="time", minutes=30, channel="ch"),
                ScanCoupon(coupon_no="k3", coupon="all", channel="ch"),
            ),
            **BASE,
        ),
        "23": TariffOrder(
            command_id="", why="", tariff_id="t-1", param='{"free_min":15}', leave_min=15, code="55", name="临时 B",
            car_type="小型车", place_type="0", remark="试行", city_ms=MS, **BASE,
        ),
        "24": TariffDeleteOrder(command_id="", why="", tariff_id="t-1", city_ms=MS, **BASE),
        "25": PlanOrder(
            command_id="", why="", plan_id="plan-1", terms=CardTerms("keep_in", "refuse", "t-1"), code="50",
            name="月卡 A", prices=(PlanPrice(1, 30_000), PlanPrice(3, 85_000)), refundable=True, city_ms=MS, **BASE,
        ),
        "26": PlanDeleteOrder(command_id="", why="", plan_id="plan-1", city_ms=MS, **BASE),
        "27": ListOrder(
            command_id="", why="", entry_id="b-1", plate="鲁B12345", kind="black", colour="blue", remark="欠费",
            city_ms=MS, **NOV, **BASE,
        ),
        "28": ListDeleteOrder(command_id="", why="", entry_id="b-1", city_ms=MS, **BASE),
    }  # fmt: skip
    for number, order in expected.items():
        found = order_of(number)
        assert found.why.startswith(f"{number} ")
        assert msgspec.structs.replace(found, command_id="", why="") == order, number


def test_every_order_passes_the_bounds_of_the_lanes_socket() -> None:
    ops = {kind: op for op, kind in MONEY_OPS.items()}
    for number in ITEMS:
        order = order_of(number)
        assert msgspec.json.decode(msgspec.json.encode(order), type=MONEY_OPS[ops[type(order)]]) == order


WRONG = [
    ("16", "operate_type", "RENT"), ("16", "place_num", 1.5), ("16", "start_time", "soon"), ("16", "money", "3.005"),
    ("16", "end_time", "2026-10-01"), ("16", "credential", "鲁B12345"), ("16", "pay_type", "GOLD"),
    ("16", "operate_type", "open"), ("16", "place_num", -1), ("19", "total_fee", -1), ("19", "total_fee", 5.5),
    ("19", "fee_type", 2), ("19", "time_end", ""), ("20", "is_signatory", 2), ("20", "withhold_limit", -1),
    ("20", "signatory_code", 2000), ("21", "car_no", "无牌车"),
    ("27", "car_no", "\ufdfa" * 2), ("22", "park_code", "QD-9"), ("22", "equip_code", "x9"),
    ("22", "coupon_list", [{"couponNum": "k", "tacticsWay": 3, "couponMoney": 1}]), ("23", "absolve_minute", 1441),
    ("23", "park_id", "ff" * 16), ("23", "param", ""), ("25", "expired_mode", 3), ("25", "multiPlace_full_mode", 2),
    ("25", "charge_standard", []), ("25", "allow_refund", "yes"), ("27", "type", 4), ("27", "end_date", "2026-10-31"),
    ("27", "car_no", "x" * 21), ("28", "blacklist_id", "b" * 65),
]  # fmt: skip


@pytest.mark.parametrize(("number", "name", "value"), WRONG)
def test_a_value_that_is_not_allowed_is_named_and_nothing_carried_out(number: str, name: str, value: Any) -> None:
    lane = FakeLane()
    reply = said(downlink(lane).handle(message(number, {**ITEMS[number], name: value})))
    assert lane.asked == []
    assert (reply["result_code"], reply["seq_id"]) == (1, SEQ)
    inner = {"coupon_list": "tacticsWay"}.get(name, name)
    assert inner in reply["message"]
    if number != "19":
        (entry,) = reply["data_items"]
        assert entry["error_code"] == 1
        assert entry.get("item_id") == ITEMS[number].get("item_id")


def test_a_payment_that_failed_opens_nothing_and_is_taken_note_of() -> None:
    for name in ("trad_state", "trade_state"):
        lane = FakeLane()
        item = {key: value for key, value in ITEMS["19"].items() if key != "trad_state"}
        reply = said(downlink(lane).handle(message("19", {**item, name: 7}, seq_id=name)))
        assert (reply["result_code"], lane.asked) == (0, [])


def test_a_plate_as_credential_is_a_plate_and_a_lane_may_be_named_by_device_id() -> None:
    found = order_of("22", credential_no="鲁-B12345", equip_code="2b" * 16, coupon_list=None, park_code="0000001")
    assert (found.plate, found.credential, found.lane) == ("鲁B12345", "", "out1")


@pytest.mark.parametrize("number", [number for number in ITEMS if number not in ("24", "26")])
def test_an_unknown_cmd_type_is_known_by_its_members(number: str) -> None:
    lane, plain = FakeLane(), FakeLane()
    mine = downlink(lane)
    reply = said(mine.handle(message(number, cmd_type="NEW_ONE")))
    downlink(plain).handle(message(number))
    assert lane.asked == plain.asked
    assert reply["cmd_type"] == "NEW_ONE"
    assert mine.unknown == {"NEW_ONE": 1}


@pytest.mark.parametrize(("number", "settings_"), [("24", {}), ("26", {}), ("17", {"recognise": False})])
def test_what_is_not_known_by_name_or_members_is_refused(number: str, settings_: dict[str, Any]) -> None:
    lane = FakeLane()
    reply = said(downlink(lane, **settings_).handle(message(number, cmd_type="NEW_ONE")))
    assert (reply["result_code"], reply["cmd_type"], reply["seq_id"], lane.asked) == (1, "NEW_ONE", SEQ, [])
    assert "NEW_ONE" in reply["message"]


def test_cmd_types_come_from_the_config() -> None:
    lane = FakeLane()
    reply = said(downlink(lane, cmd_types={"tariff_delete": ["P24", "Q24"]}).handle(message("24", cmd_type="Q24")))
    assert (reply["result_code"], type(lane.asked[0])) == (0, TariffDeleteOrder)


PRINTED_IN_18_AND_22 = {"18": "quote", "22": "scan"}


@pytest.mark.parametrize("number", ITEMS)
def test_a_reply_has_the_printed_members_with_their_types(number: str) -> None:
    lane = FakeLane()
    lane.told = LaneTold(True, "完成", "done", quote=QUOTE if number in PRINTED_IN_18_AND_22 else None)
    reply = said(downlink(lane).handle(message(number)))
    rows = {row["name"]: row for row in ROWS[number]["response"]}
    assert set(reply) == set(rows)
    assert (reply["result_code"], reply["seq_id"]) == (0, SEQ)
    if number == "19":
        return
    (entry,) = reply["data_items"]
    inner = {row["name"]: row for row in rows["data_items"]["children"]}
    extra = {"item_id"} if number == "21" else set()  # QC86: echoed when the request had one
    required = {name for name, row in inner.items() if row["required"]}
    assert required <= set(entry) <= set(inner) | extra
    types = {"String": str, "Int": int, "int": int, "Long": int}
    for name, value in entry.items():
        assert type(value) is types[inner.get(name, {"type": "String"})["type"]], name


def test_18_and_22_tell_the_order_in_fen() -> None:
    lane = FakeLane()
    lane.told = LaneTold(True, "完成", "done", quote=QUOTE)
    (told,) = said(downlink(lane).handle(message("18")))["data_items"]
    assert (told["service_fee"], told["discount_fee"], told["total_fee"]) == (700, 200, 500)
    assert (told["out_trade_no"], told["partner"], told["car_no"]) == ("T-1", "m-9", "鲁-B12345")
    assert (told["service_stime"], told["service_etime"]) == ("2026-11-22 07:00:00", "2026-11-22 08:00:00")
    (told,) = said(downlink(lane).handle(message("22", seq_id="other")))["data_items"]
    assert (told["service_fee"], told["total_fee"], told["paid"]) == ("700", "500", "100")


@pytest.mark.parametrize(
    ("number", "reason", "code"),
    [("18", "in_grace", 9), ("18", "free_time", 10), ("18", "not_inside", 77), ("22", "admitted", 1013),
     ("22", "barred", 1014), ("22", "card_frozen", 1015), ("22", "no_car", 1018), ("22", "in_grace", 1019),
     ("22", "nothing_due", 77)],
)  # fmt: skip
def test_why_there_is_no_order_is_told_by_the_printed_code(number: str, reason: str, code: int) -> None:
    lane = FakeLane()
    lane.told = LaneTold(True, "原因", "why", reason, QuoteTold(plate="鲁B12345"))
    reply = said(downlink(lane, no_order_code=77).handle(message(number)))
    (entry,) = reply["data_items"]
    assert (reply["result_code"], entry["error_code"]) == (0, code)
    assert "out_trade_no" not in entry
    assert "out_no" not in entry


def test_each_entry_has_its_own_result_and_all_failed_is_result_code_1() -> None:
    lane = FakeLane()
    good, bad = ITEMS["28"], {**ITEMS["28"], "item_id": "bad", "blacklist_id": ""}
    reply = said(downlink(lane).handle(message("28", good, bad)))
    assert reply["result_code"] == 0
    assert [(entry["item_id"], entry["error_code"]) for entry in reply["data_items"]] == [("r28", 0), ("bad", 1)]
    lane.told = LaneTold(False, "名单不存在", "no such entry", "unknown_entry")
    reply = said(downlink(lane).handle(message("28", good, bad, seq_id="2nd")))
    assert (reply["result_code"], [entry["error_code"] for entry in reply["data_items"]]) == (1, [1, 1])


def test_a_repeat_is_answered_alike_and_carried_out_once() -> None:
    lane = FakeLane()
    mine = downlink(lane)
    first = mine.handle(message("19"))
    lane.told = LaneTold(False, "不同", "other")
    assert mine.handle(message("19")) == first
    assert mine.handle(message("19", seq_id=SEQ.upper())) == first  # QC13
    assert len(lane.asked) == 1


def test_after_a_restart_the_lane_program_knows_the_repeat() -> None:
    lane = FakeLane()
    first = downlink(lane).handle(message("16"))
    lane.told = LaneTold(False, "不同", "other")
    assert downlink(lane).handle(message("16")) == first
    assert len(lane.asked) == 2
    assert len(lane.done) == 1


def test_entries_of_one_message_act_each_once() -> None:
    lane = FakeLane()
    downlink(lane).handle(message("28", ITEMS["28"], {**ITEMS["28"], "blacklist_id": "b-2"}))
    assert len({order.command_id for order in lane.asked}) == 2


def test_the_same_seq_id_with_another_order_is_refused_and_with_another_timestamp_it_is_the_same() -> None:
    lane = FakeLane()
    mine = downlink(lane)
    first = mine.handle(message("28"))
    assert mine.handle(message("28", {**ITEMS["28"], "timestamp": MS + 1})) == first
    other = said(mine.handle(message("28", {**ITEMS["28"], "blacklist_id": "b-2"})))
    assert (other["result_code"], len(lane.asked)) == (1, 1)
    assert "seq_id" in other["message"]


def test_while_the_lane_program_is_away_the_city_is_told_to_come_again_and_then_it_is_done() -> None:
    lane = FakeLane()
    mine = downlink(lane)
    lane.silent = True
    assert said(mine.handle(message("28")))["result_code"] == 1
    lane.silent = False
    assert said(mine.handle(message("28")))["result_code"] == 0


@pytest.mark.parametrize(
    ("damaged", "said_of_it"),
    [
        (b"", "JSON"), (b"\xff\xfe", "JSON"), (message("28")[:-2], "JSON"), (b"[1]", "must be an object"),
        (message("28", project_code="9999999"), "9999999"), (message("28", seq_id=None), "seq_id"),
        (message("28", cmd_type=""), "cmd_type"), (message("28", data_items=[1]), "must be an object"),
        (message("28", data_items=[ITEMS["28"]] * 501), "501"), (message("28", padding="x" * 70_000), "60000"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "JSON"),
    ],
)  # fmt: skip
def test_damaged_oversized_and_foreign_messages_are_answered_with_the_reason(damaged: bytes, said_of_it: str) -> None:
    lane = FakeLane()
    reply = said(downlink(lane).handle(damaged))
    assert (reply["result_code"], lane.asked) == (1, [])
    assert said_of_it in reply["message"]


def test_what_can_be_found_in_a_damaged_message_is_echoed() -> None:
    reply = said(downlink(FakeLane()).handle(message("28")[:-2]))
    assert (reply["seq_id"], reply["cmd_type"]) == (SEQ, "blackWhiteListDelete")


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(number=st.sampled_from(sorted(ITEMS)), data=st.data())
def test_whatever_stands_in_a_member_there_is_a_reply_and_no_order_out_of_bounds(
    number: str, data: st.DataObject
) -> None:
    lane = FakeLane()
    name = data.draw(st.sampled_from(sorted(ITEMS[number])))
    reply = said(downlink(lane).handle(message(number, {**ITEMS[number], name: data.draw(JSONS)})))
    assert reply["result_code"] in (0, 1)
    ops = {kind: op for op, kind in MONEY_OPS.items()}
    for order in lane.asked:
        assert msgspec.json.decode(msgspec.json.encode(order), type=MONEY_OPS[ops[type(order)]]) == order


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered_with_result_code_1(message_: bytes) -> None:
    lane = FakeLane()
    assert said(downlink(lane).handle(message_))["result_code"] == 1
    assert lane.asked == []
