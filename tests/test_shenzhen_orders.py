"""Orders of the platform: Annex B, every code of tables 43 and 44 as meant, bulk, time (7.1.4.4, 7.2.2)."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cities.shenzhen.desk import OrderDesk
from edge.cities.shenzhen.orders import LaneAnswer
from edge.core.orders_flow import AnyFlowOrder, BookOrder, ControlOrder, CouponOrder
from tests.shenzhen_tools import PARK, HandClock, Lane, platform_request, read, settings

VECTORS = Path(__file__).parent / "vectors" / "shenzhen"
EXAMPLES = {each["interface"]: each for each in json.loads((VECTORS / "annex_b.json").read_text("utf-8"))}


class Rig:
    def __init__(self, **changes: Any) -> None:
        self.lane, self.clock = Lane(), HandClock()
        ids = (f"{number:032x}" for number in itertools.count(1))
        self.desk = OrderDesk(settings(**changes), self.lane.ask, self.clock, lambda: next(ids))

    def send(self, command: int, *elements: Any) -> dict[str, Any]:
        return read(self.desk.handle(command, platform_request(list(elements))))

    def codes(self, command: int, *elements: Any) -> list[int]:
        answer = self.send(command, *elements)
        assert answer["resultCode"] == 0, answer
        return [each["code"] for each in answer["data"]]


def example(command: int, **changes: Any) -> dict[str, Any]:
    return {**EXAMPLES[command]["request"]["data"][0], **changes}


@pytest.mark.parametrize("command", [4001, 4002, 6001, 6002])
def test_annex_b_decodes_and_our_answer_has_its_shape(command: int) -> None:
    rig = Rig()
    answer = rig.send(command, example(command))
    printed = EXAMPLES[command]["response"]
    assert len(rig.lane.orders) == 1
    assert set(answer) == set(printed)
    # SC58: stallNo only where a fixed stall is kept; SC35: bluetoothAddress is in no table.
    assert set(answer["data"][0]) == set(printed["data"][0]) - {"stallNo", "bluetoothAddress"}
    assert {name: str(value) for name, value in answer["data"][0].items()} == {
        name: str(value) for name, value in printed["data"][0].items() if name in answer["data"][0]
    }


def test_6001_as_the_lane_gets_it() -> None:
    rig = Rig()
    rig.send(6001, example(6001))
    (order,) = rig.lane.orders
    assert order == BookOrder(
        command_id=f"{1:032x}",
        source="city",
        city="shenzhen",
        who="深圳预约停车平台",
        why="6001 车位预订锁定",
        action="lock",
        code="YD201801061235241240001",
        plate="粤B88888",  # printed with a blank (SC32)
        from_ms=1_515_223_945_000,  # 2018-01-06 15:32:25 in Beijing
        until_ms=1_515_227_545_000,
        keep_min=30,
        vehicle="small",
    )


def test_4001_as_the_lane_gets_it() -> None:
    """SC44: dates without time; the end day counts whole. SC45: with and without the wrapper."""
    rig = Rig()
    rig.send(4001, example(4001))
    rig.send(4001, {"blackWhiteGraySheet": example(4001), "status": 2})
    put, removed = rig.lane.orders
    assert isinstance(put, ControlOrder)
    assert isinstance(removed, ControlOrder)
    (entry,) = put.entries
    assert (put.action, entry.plate, entry.strategy) == ("put", "粤B88888", "no_entry_no_exit")
    assert (entry.from_ms, entry.until_ms) == (1_420_041_600_000, 1_577_894_399_000)
    assert (removed.action, removed.entries[0].entry_id) == ("remove", "ff8080814d9be81f014d9beb81090003")


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (0, 0, ("none", 0, 0, 0)),
        (1, 11, ("amount", 1100, 0, 0)),
        (1, "3.50", ("amount", 350, 0, 0)),
        (2, 1.5, ("time", 0, 90, 0)),
        (2, 0.33, ("time", 0, 20, 0)),
        (3, 0.3, ("share", 0, 0, 300)),
        (4, 1, ("all", 0, 0, 0)),
    ],
)
def test_the_four_types_of_4002(kind: int, value: Any, wanted: tuple[str, int, int, int]) -> None:
    rig = Rig()
    assert rig.codes(4002, example(4002, couponType=kind, couponValue=value)) == [0]
    (order,) = rig.lane.orders
    assert isinstance(order, CouponOrder)
    assert (order.coupon, order.amount_fen, order.minutes, order.off_permille) == wanted
    assert (order.plate, order.org_code) == ("粤B88888", "348723498572394")
    assert order.channel == example(4002)["discountChannel"]


def test_a_coupon_acts_once_by_its_content_a_booking_by_its_sending() -> None:
    """A platform may lock, cancel and lock alike again; the same coupon twice is always one."""
    rig = Rig()
    for _ in range(2):
        rig.send(4002, example(4002))
        rig.send(6001, example(6001))
    coupons = [order.command_id for order in rig.lane.orders if isinstance(order, CouponOrder)]
    bookings = [order.command_id for order in rig.lane.orders if isinstance(order, BookOrder)]
    assert len(set(coupons)) == 1
    assert len(set(bookings)) == 2


def test_the_percentage_in_its_other_meaning() -> None:
    """SC48: 0.3 means pay 30 %."""
    rig = Rig(coupon_percent="pay")
    rig.codes(4002, example(4002, couponType=3, couponValue=0.3))
    assert isinstance(rig.lane.orders[0], CouponOrder)
    assert rig.lane.orders[0].off_permille == 700


REASONS = [
    (LaneAnswer(True, "完成", "done", rest=3), 0),
    (LaneAnswer(True, "已受理", "stands", "repeated", rest=3), 0),
    (LaneAnswer(False, "满", "full", "no_stall"), 1501),
    (LaneAnswer(False, "校时", "no clock", "no_clock"), 5100),
    (LaneAnswer(False, "无", "none", "unknown_booking"), 1104),
    (LaneAnswer(False, "有", "exists", "booking_exists"), 1201),
    (LaneAnswer(False, "过期", "expired", "expired"), 1301),
    (LaneAnswer(False, "已用", "used", "used"), 1301),
    (LaneAnswer(False, "取消", "cancelled", "cancelled"), 1401),
    (LaneAnswer(False, "时间", "time", "bad_time"), 5004),
    (LaneAnswer(False, "太晚", "late", "too_late"), 5004),
    (LaneAnswer(False, "不在场", "not inside", "not_inside"), 4001),
    (LaneAnswer(False, "车型", "vehicle", "vehicle_refused"), 5101),
    (LaneAnswer(False, "说不出", "no reason told"), 5101),
    (None, 5100),
]


@pytest.mark.parametrize(("lane", "code"), REASONS)
def test_what_the_lane_says_as_codes_of_table_44(lane: LaneAnswer | None, code: int) -> None:
    rig = Rig()
    rig.lane.say = lambda _: lane
    answer = rig.send(6001, example(6001))["data"][0]
    assert answer["code"] == code
    assert answer["message"]
    assert ("restReservedStalls" in answer) is (lane is not None and lane.ok and lane.reason == "")


def test_a_repeated_booking_by_the_other_reading() -> None:
    """SC53: 1201 instead of 0."""
    rig = Rig(repeated="exists")
    rig.lane.say = lambda _: LaneAnswer(True, "已受理", "stands", "repeated")
    assert rig.codes(6001, example(6001)) == [1201]


CAR = {"plateNo": "粤B88888"}
MEMBERS = [
    (6001, {"parkCode": "44030400100101000011"}, 1101),
    (6001, {"parkCode": int(PARK)}, 0),  # SC24: a number without loss of digits
    (6001, {"bookTime": "2018-01-06"}, 0),
    (6001, {"bookTime": "6 Jan 2018"}, 1005),
    (6001, {"overTime": None}, 1005),
    (6001, {"obligatTime": -1}, 1007),
    (6001, {"obligatTime": None}, 0),  # SC51
    (6001, {"obligatTime": "30"}, 0),
    (6001, {"obligatTime": True}, 1005),
    (6001, {"operateType": 3}, 1007),
    (6001, {"carInfo": "粤B88888"}, 1005),
    (6001, {"carInfo": CAR}, 0),
    (6001, {"carInfo": {"plateNo": "无牌"}}, 1007),
    (6001, {"carInfo": {**CAR, "carModel": 4}}, 1007),
    (6001, {"extra": {"ignored": []}}, 0),  # SC35
    (6002, {"confirmStatus": 2}, 1007),
    (6002, {"confirmStatus": "0"}, 0),
    (4001, {"strategyType": 6}, 1007),
    (4001, {"beginDate": ""}, 0),  # 不提供时, 立即生效
    (4001, {"endDate": ""}, 1005),
    (4001, {"strategyFrom": "x" * 51}, 1004),
    (4001, {"status": 3}, 1007),
    (4002, {"couponType": 5}, 1007),
    (4002, {"couponType": 3, "couponValue": 1.2}, 1007),
    (4002, {"couponValue": 0.005}, 1007),
    (4002, {"couponValue": -1}, 1007),
    (4002, {"couponValue": "viel"}, 1005),
    (4002, {"couponValue": 1e300}, 1005),
    (4002, {"time": "1999-01-01 00:00:00"}, 1007),
    (4002, {"discountChannel": None}, 0),
]


@pytest.mark.parametrize(("command", "changes", "code"), MEMBERS)
def test_every_bad_member_has_its_code_and_its_name(command: int, changes: dict[str, Any], code: int) -> None:
    rig = Rig()
    answer = rig.send(command, example(command, **changes))
    assert answer["resultCode"] == 0
    assert answer["data"][0]["code"] == code
    assert len(rig.lane.orders) == (code == 0)
    if code:
        assert list(changes)[-1] in answer["data"][0]["message"]


def test_elements_are_answered_alone_in_their_order() -> None:
    rig = Rig()
    rig.lane.say = lambda order: LaneAnswer(
        isinstance(order, BookOrder) and order.code != "B", "满", "full", "" if order.code != "B" else "no_stall"  # type: ignore[union-attr]
    )
    answer = rig.send(
        6001, example(6001, bookCode="A"), example(6001, bookCode="B"), example(6001, bookCode="C", operateType=9), 7
    )
    assert answer["resultCode"] == 0
    assert [(each.get("bookCode"), each["code"]) for each in answer["data"]] == [
        ("A", 0), ("B", 1501), ("C", 1007), (None, 1005),
    ]  # fmt: skip


def test_a_bulk_of_4001_goes_in_few_orders_and_alone_when_refused_together() -> None:
    rig = Rig()
    elements = [example(4001, id=f"{number:032x}") for number in range(250)]
    assert rig.codes(4001, *elements) == [0] * 250
    assert [len(order.entries) for order in rig.lane.orders if isinstance(order, ControlOrder)] == [100, 100, 50]

    def refuse_seven(order: AnyFlowOrder) -> LaneAnswer:
        assert isinstance(order, ControlOrder)
        bad = any(entry.entry_id == f"{7:032x}" for entry in order.entries)
        return LaneAnswer(not bad, "", "", "bad_value" if bad else "")

    rig.lane.say = refuse_seven
    codes = rig.codes(4001, *elements[:20])
    assert codes == [0] * 7 + [1007] + [0] * 12


def test_the_answer_leaves_in_time_whatever_the_lane_does() -> None:
    """7.2.2: what was not asked within our part of the 3 s is answered "not now"."""
    rig = Rig()

    def slow(order: AnyFlowOrder) -> LaneAnswer:
        rig.clock.now_s += 1.0
        return LaneAnswer(True, "", "")

    rig.lane.say = slow
    assert rig.codes(6001, *[example(6001, bookCode=str(number)) for number in range(5)]) == [0, 0, 0, 5100, 5100]
    assert len(rig.lane.orders) == 3


ENVELOPES = [
    (b"", 2),
    (b"{", 2),
    (b"\xff\xfe", 2),
    (b'{"data":' + b"[" * 100_000, 2),
    (b"[]", 3),
    (b"3", 3),
    (b'{"sign":"","timestamp":1}', 3),
    (platform_request([]), 3),
    (platform_request("x"), 3),
    (platform_request([example(6002)], sign="3535346546be81f014d9beb8098765"), 3),
    (platform_request([example(6002)], sign=""), 3),
    (platform_request([{"parkCode": PARK}]), 4),
    (platform_request([7]), 4),
    (platform_request(example(6002)), 0),  # one object instead of a list
]


@pytest.mark.parametrize(("body", "code"), ENVELOPES)
def test_a_request_that_is_none_gets_its_code_of_table_43(body: bytes, code: int) -> None:
    rig = Rig()
    answer = read(rig.desk.handle(6002, body))
    assert answer["resultCode"] == code
    if code:
        assert answer["data"] == []  # SC22
        assert rig.lane.orders == []


def test_unknown_commands_and_orders_before_login() -> None:
    rig = Rig()
    assert read(rig.desk.handle(5004, platform_request([example(6002)])))["resultCode"] == 5
    early = read(rig.desk.handle(6002, platform_request([example(6002)]), welcome=False))  # SC69
    assert [each["code"] for each in early["data"]] == [3002]
    assert rig.lane.orders == []


def test_sign_and_replay_by_setting() -> None:
    unsigned = platform_request([example(6002)], sign="x")
    assert read(Rig(check_sign=False).desk.handle(6002, unsigned))["resultCode"] == 0
    strict = Rig(replay_window_s=300.0).desk
    for timestamp, code in ((1_790_000_200, 0), ("1790000200123", 0), (1_790_000_400, 3), (None, 3), ("x", 3)):
        body = platform_request([example(6002)], timestamp=timestamp)
        assert read(strict.handle(6002, body))["resultCode"] == code


def test_codes_as_text_by_setting() -> None:
    answer = Rig(codes_as_text=True).send(6002, example(6002))
    assert (answer["resultCode"], answer["data"][0]["code"]) == ("0", "0")


def test_over_tcp_the_envelope_may_be_missing() -> None:
    """SC61: a bare list or object."""
    rig = Rig()
    for body in (json.dumps([example(6002)]), json.dumps(example(6002))):
        assert read(rig.desk.handle(6002, body.encode(), bare=True))["data"][0]["code"] == 0
    assert read(rig.desk.handle(6002, json.dumps([example(6002)]).encode()))["resultCode"] == 3


@given(st.sampled_from([4001, 4002, 6001, 6002]), st.binary(max_size=60))
def test_whatever_comes_is_answered(command: int, body: bytes) -> None:
    answer = read(Rig().desk.handle(command, body, bare=True))
    assert answer["resultCode"] in {0, 2, 3, 4}


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.just({}),
)


@given(st.sampled_from([4001, 4002, 6001, 6002]), st.data())
def test_any_member_may_be_anything(command: int, data: st.DataObject) -> None:
    """It is answered with a code of the tables; only a whole order reaches the lane."""
    name = data.draw(st.sampled_from(sorted(example(command))))
    rig = Rig()
    answer = rig.send(command, example(command, **{name: data.draw(VALUES)}))
    codes = {each["code"] for each in answer["data"]}
    assert answer["resultCode"] in {0, 4}
    assert codes <= {0, 1004, 1005, 1007, 1101}
    assert len(rig.lane.orders) == (0 in codes)
