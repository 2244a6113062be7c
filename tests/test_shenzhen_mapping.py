"""Facts to messages of the Shenzhen platform: every kind, the id of a stay, held clocks, coupons, settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.cities.city import Counts
from edge.cities.shenzhen.mapping import Mapper
from edge.cities.shenzhen.messages import REPORTED
from edge.cities.shenzhen.site import Site, picture
from edge.cities.times import Times
from edge.config.load import load
from edge.config.model import Config
from edge.core.facts import AnyBody, BoxStarted, ClockSet, Decided, Fact, Paid, Passed, PlateCorrected, Stamp
from edge.core.facts_flow import CouponUsed, PrioritySwitched
from tests.shenzhen_tools import PARK, settings

ROOT = Path(__file__).resolve().parent.parent
VECTORS = Path(__file__).parent / "vectors" / "shenzhen"
EXAMPLES = {str(each["interface"]): each for each in json.loads((VECTORS / "annex_b.json").read_text("utf-8"))}

IN_MS = 1_790_000_000_000  # 2026-09-21 22:13:20 in Beijing
HOUR_MS = 3_600_000
ENTRY, EXIT, PAYMENT, CORRECTION = (f"{number:032x}" for number in (1, 2, 3, 4))
GATE_IN, GATE_OUT = "00000000000000000000000000000a01", "00000000000000000000000000000a02"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    path = tmp_path_factory.mktemp("config") / "box.toml"
    text = (ROOT / "configs" / "entry-exit.toml").read_text("utf-8")
    path.write_text(text.replace("/var/lib/", "./").replace("/run/", "./"), "utf-8")
    return load(path)


def stamp(wall_ms: int = IN_MS, synced: bool = True) -> Stamp:
    return Stamp("boot", wall_ms - IN_MS + 1000, wall_ms, synced)


def fact(body: AnyBody, fact_id: str = ENTRY, lane: str = "in1", at: Stamp | None = None) -> Fact:
    return Fact(fact_id, lane, at or stamp(), body)


class Made:
    def __init__(self, config: Config, **changes: Any) -> None:
        self.mapper = Mapper(settings(**changes), config.lane)
        self.times = Times({})

    def rows(self, *facts: Fact) -> list[tuple[str, str, str, dict[str, Any]]]:
        found = []
        for each in facts:
            self.times.observe(each)
            rows = self.mapper.make(each, self.times)
            assert rows is not None
            assert rows == self.mapper.make(each, self.times), "making a fact again gives other rows"
            for row in rows:
                msgspec.json.decode(row.body, type=REPORTED[row.kind])
                found.append((row.kind, row.item_id, row.visit_id, json.loads(row.body)))
        return found


def entry(plate: str = "粤B88888", arrival: str = "a1") -> Fact:
    return fact(Passed(arrival, "in", plate, "blue", read_id="r1"))


def exit_(**changes: Any) -> Fact:
    values: dict[str, Any] = {
        "visit_id": ENTRY, "entered": stamp(), "entry_lane": "in1", "due_fen": 2100, "paid_fen": 1000,
        "discount_fen": 1100,
    }  # fmt: skip
    body = Passed("a2", "out", "粤B88888", "blue", **(values | changes))
    return fact(body, EXIT, "out1", stamp(IN_MS + 3 * HOUR_MS))


def paid(**changes: Any) -> Fact:
    used = CouponUsed("35238475923475", "amount", 1100, amount_fen=1100, channel="本院", org_code="348723498572394")
    values: dict[str, Any] = {"coupons": (used,), "entered": stamp(), "visit_id": ENTRY}
    values |= changes
    body = Paid("order1", values.pop("visit_id"), "粤B88888", "cash", 2100, 1000, 1100, colour="blue", **values)
    return fact(body, PAYMENT, "out1", stamp(IN_MS + 3 * HOUR_MS - 5000))


def shape(kind: str) -> set[str]:
    return set(EXAMPLES[kind]["request"]["data"][0])


@pytest.mark.parametrize(
    ("pay_type", "pay_from", "told"),
    [
        ("WX", "微信公众号", (2, "微信公众号")),
        ("ZFB", "", (3, "线上缴费")),
        ("YLK", "x" * 20, (4, "x" * 10)),
        ("JSJK", "", (6, "线上缴费")),
    ],
)
def test_money_that_a_platform_took_is_told_by_its_means(
    config: Config, pay_type: str, pay_from: str, told: tuple[int, str]
) -> None:
    """Table 9: 1 现金 2 微信 3 支付宝 4 银联 5 ETC 6 其它; payFrom has 10 characters."""
    cash = paid()
    assert isinstance(cash.body, Paid)
    online = msgspec.structs.replace(cash.body, method="online", pay_type=pay_type, pay_from=pay_from)
    (_, charged) = Made(config).rows(entry(), msgspec.structs.replace(cash, body=online))
    assert (charged[3]["payType"], charged[3]["payFrom"]) == told


def test_a_whole_stay_as_the_standard_prints_it(config: Config) -> None:
    """Three hours, 21 yuan, a coupon of 11 (7.1.3.7): 5004, 5008 with the discount, 5005 with the charge's id."""
    entered, charged, left = Made(config).rows(entry(), paid(), exit_())
    assert entered == (
        "5004",
        ENTRY,
        ENTRY,
        {
            "id": ENTRY,
            "parkCode": PARK,
            "carInfo": {"plateNo": "粤B88888", "plateColor": "蓝色"},
            "enterTime": "2026-09-21 22:13:20",
            "inEquipmentId": GATE_IN,
            "receivables": 0.0,
            "discount": 0.0,
            "received": 0.0,
        },
    )
    assert set(entered[3]) == shape("5004") - {"stallNo"}
    kind, item_id, stay, body = charged
    assert (kind, item_id, stay) == ("5008", PAYMENT, ENTRY)
    assert set(body) == shape("5008")
    assert (body["id"], body["recordId"], body["orderNo"]) == (PAYMENT, ENTRY, "order1")
    assert (body["receivables"], body["discount"], body["received"]) == (21.0, 11.0, 10.0)
    assert (body["payType"], body["payFrom"], body["payTime"]) == (1, "线下缴费", "2026-09-22 01:13:15")
    (discount,) = body["listDiscounts"]
    assert set(discount) == set(EXAMPLES["5008"]["request"]["data"][0]["listDiscounts"][0])
    assert (discount["couponNo"], discount["couponType"], discount["couponValue"]) == ("35238475923475", 1, 11.0)
    kind, item_id, stay, body = left
    assert (kind, item_id, stay) == ("5005", EXIT, ENTRY)
    assert set(body) == shape("5005") - {"stallNo"}
    assert body["id"] == ENTRY
    assert (body["enterTime"], body["leaveTime"]) == ("2026-09-21 22:13:20", "2026-09-22 01:13:20")
    assert (body["inEquipmentId"], body["outEquipmentId"]) == (GATE_IN, GATE_OUT)
    assert body["chargeIdList"] == [PAYMENT]
    assert (body["receivables"], body["discount"], body["received"]) == (21.0, 11.0, 10.0)


@pytest.mark.parametrize(
    ("used", "kind", "value"),
    [
        (CouponUsed("n", "time", 300, minutes=90), 2, 1.5),
        (CouponUsed("n", "share", 630, off_permille=300), 3, 0.3),
        (CouponUsed("n", "all", 2100), 4, 1.0),
    ],
)
def test_the_other_types_of_discount_as_table_9(config: Config, used: CouponUsed, kind: int, value: float) -> None:
    (row,) = Made(config).rows(paid(coupons=(used,)))
    (discount,) = row[3]["listDiscounts"]
    assert (discount["couponType"], discount["couponValue"]) == (kind, value)


def test_an_exit_without_entry_tells_one_first(config: Config) -> None:
    made = Made(config)
    first, second = made.rows(exit_(visit_id="", entered=None, entry_lane=""))
    assert (first[0], second[0]) == ("5004", "5005")
    assert first[3]["id"] == second[3]["id"] == first[1] == second[2]
    assert "inEquipmentId" not in first[3]
    assert second[3]["chargeIdList"] == []


def test_an_unknown_car_that_pays_first_keeps_one_stay(config: Config) -> None:
    made = Made(config)
    rows = made.rows(paid(visit_id="", entered=None), exit_(visit_id="", entered=None))
    assert [row[0] for row in rows] == ["5004", "5008", "5005"]
    assert len({row[2] for row in rows}) == 1
    assert rows[2][3]["chargeIdList"] == [PAYMENT]
    again = made.rows(fact(exit_(visit_id="", entered=None).body, "f" * 32, "out1", stamp(IN_MS + 4 * HOUR_MS)))
    assert [row[0] for row in again] == ["5004", "5005"]


def test_a_correction_tells_the_whole_record_under_the_same_id(config: Config) -> None:
    body = PlateCorrected(ENTRY, "粤B8888B", "粤B88888", colour="blue", entered=stamp(), entry_lane="in1")
    (row,) = Made(config).rows(fact(body, CORRECTION, "", stamp(IN_MS + HOUR_MS)))
    assert (row[0], row[1], row[2]) == ("5006", CORRECTION, ENTRY)
    assert set(row[3]) == shape("5006") - {"stallNo"}
    assert row[3]["id"] == ENTRY
    assert row[3]["carInfo"]["plateNo"] == "粤B88888"
    assert row[3]["enterTime"] == "2026-09-21 22:13:20"


def test_every_switch_of_priority_is_a_7001(config: Config) -> None:
    switched = fact(PrioritySwitched(on=True, cause="schedule"), lane="")
    started = fact(PrioritySwitched(on=False, cause="start", why="restart"), CORRECTION, "")
    on, off = Made(config).rows(switched, started)
    assert set(on[3]) == shape("7001")
    assert (on[3]["operateType"], off[3]["operateType"]) == (1, 0)
    assert on[3]["remark"] == "按时段切换"
    assert Made(config, priority_at_start=False).rows(started) == []


def test_a_fact_without_a_true_clock_is_held(config: Config) -> None:
    made = Made(config)
    unset = fact(Passed("a1", "in", "粤B88888"), at=stamp(synced=False))
    made.times.observe(unset)
    assert made.mapper.make(unset, made.times) is None
    clock = fact(ClockSet(IN_MS + 5000), "9" * 32, "", stamp(synced=False))
    made.times.observe(clock)
    rows = made.mapper.make(unset, made.times)
    assert rows is not None
    assert json.loads(rows[0].body)["enterTime"] == "2026-09-21 22:13:26"


def test_nothing_is_told_of_what_cost_nothing_or_means_nothing(config: Config) -> None:
    free = fact(Paid("o", ENTRY, "粤B88888", "free", 0, 0, 0))
    assert Made(config).rows(free, fact(BoxStarted("1", "b"))) == []


def test_a_car_without_plate(config: Config) -> None:
    (row,) = Made(config).rows(fact(Passed("a1", "in", "")))
    assert row[3]["carInfo"] == {"plateNo": "无牌车"}


def test_only_booked_cars_by_setting(config: Config) -> None:
    """SC82."""
    made = Made(config, report="reserved")
    booked = fact(Decided("a1", "r", "粤B88888", "admit", "r", "z", "e", booking="YD1"), "d" * 32)
    assert [row[0] for row in made.rows(entry(arrival="other"), exit_(booking=""))] == []
    assert [row[0] for row in made.rows(booked, entry(), exit_(booking="YD1"))] == ["5004", "5005"]


def test_what_cannot_be_made_says_why(config: Config) -> None:
    made = Made(config, too_long="refuse")
    long = fact(Passed("a1", "in", "粤B88888" * 2))
    made.times.observe(long)
    rows = made.mapper.make(long, made.times)
    assert rows is not None
    assert "plateNo" in rows[0].body.decode()
    assert "at most 10 characters" in rows[0].body.decode()


def test_the_site_as_the_standard_prints_it(config: Config) -> None:
    makers = Site(config, settings(), lambda _: None).makers(lambda: Counts(120, 50, 10))
    made = {kind: [json.loads(message.encode()) for _, message in make(IN_MS) or ()] for kind, make in makers.items()}
    for kind, elements in made.items():
        for element in elements:
            msgspec.json.decode(json.dumps(element), type=REPORTED[kind])
    (park,) = made["3001"]
    assert park["status"] == 1
    assert park["parkInfo"]["parkName"] == "示例停车场"
    assert park["parkInfo"]["reservableStalls"] == 120
    assert park["parkInfo"]["charging"] == made["3005"][0]  # SC38: both
    assert "totalStalls" not in park["parkInfo"]  # SC35
    assert [(each["entranceExitInfo"]["type"], each["entranceExitInfo"]["name"]) for each in made["3002"]] == [
        (1, "东门入口"),
        (2, "东门出口"),
    ]
    assert len({each["entranceExitInfo"]["id"] for each in made["3002"]}) == 2
    assert made["5003"] == [{"parkCode": PARK, "usedStalls": 50, "unusedStalls": 60, "reservedStalls": 10}]
    assert set(made["5003"][0]) == shape("5003")
    (item,) = made["3005"][0]["items"]
    assert item["chargeDesc"] == "15分钟内免费, 首60分钟5.00元, 之后每30分钟2.00元, 每24小时最高收费30.00元"


def test_nobody_knows_the_counts_yet(config: Config) -> None:
    assert Site(config, settings(), lambda _: None).makers(lambda: None)["5003"](IN_MS) is None


def test_pictures(tmp_path: Path) -> None:
    """SC36: JPEG or PNG, left out when too large."""
    jpeg = tmp_path / "plan.jpg"
    jpeg.write_bytes(b"\xff\xd8\xff" + b"x" * 100)
    assert picture("", 1000) is None
    assert picture(str(jpeg), 50) is None
    assert picture(str(jpeg), 1000) is not None
    (tmp_path / "plan.gif").write_bytes(b"GIF89a")
    with pytest.raises(ValueError, match="no JPEG"):
        picture(str(tmp_path / "plan.gif"), 1000)
