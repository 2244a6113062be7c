"""From facts to the city's records: what a passage or a payment becomes, and the clock that it needs."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cities.qingdao.mapping import Mapper, made_up_entry_id
from edge.cities.times import Times
from edge.core.facts import AnyBody, BackedOut, BoxStarted, ClockSet, Fact, Paid, Passed, Stamp
from edge.ports import Delivery
from tests.city_fakes import LOT, PARK_ID, T0_MS, fact, guid, lane, stamp

GATE = "d" * 32


def mapper() -> Mapper:
    return Mapper(LOT, (lane("in1", "in", GATE), lane("out1", "out", GATE)))


def make(*facts: Fact) -> list[Delivery]:
    """The rows of facts none of which is held."""
    times, rows, maker = Times({}), [], mapper()
    for each in facts:
        times.observe(each)
        made = maker.make(each, times)
        assert made is not None
        rows += made
    return rows


def record(row: Delivery) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(row.body)
    return decoded


def out(number: int, **values: Any) -> Fact:
    body = msgspec.structs.replace(Passed("b", "out", "鲁B12345", "blue"), **values)
    return fact(number, body, lane_id="out1")


def test_an_entry_is_one_car_in() -> None:
    (row,) = make(fact(7, Passed("a", "in", "鲁B12345", "blue"), stamp(65)))
    assert (row.city, row.kind, row.item_id, row.visit_id) == ("qingdao", "carIn", guid(7), guid(7))
    assert (row.plate, row.made_ms, row.state) == ("鲁B12345", T0_MS + 65_000, "waiting")
    assert record(row) == {
        "item_id": guid(7),
        "event_type": "BRUSHCARD",
        "car_no": "鲁-B12345",
        "car_color": "BLUE",
        "in_time": "2026-11-22 12:01:05",
        "in_equipment_id": GATE,
        "park_id": PARK_ID,
        "io_type": 1,
        "timestamp": T0_MS + 65_000,
    }


def test_an_exit_is_one_car_out_with_the_sums_of_the_visit() -> None:
    (row,) = make(
        out(9, visit_id=guid(7), entered=stamp(65), due_fen=1500, paid_fen=1000, discount_fen=500),
    )
    assert (row.kind, row.item_id, row.visit_id) == ("carOut", guid(9), guid(7))
    assert b'"ys_money":15.00,"ss_money":10.00,"yh_money":5.00,' in row.body
    assert record(row) == {
        "item_id": guid(9),
        "park_id": PARK_ID,
        "event_type": "BRUSHCARD",
        "car_no": "鲁-B12345",
        "car_color": "BLUE",
        "out_time": "2026-11-22 12:00:09",
        "out_equipment_id": GATE,
        "ys_money": 15.0,
        "ss_money": 10.0,
        "yh_money": 5.0,
        "park_in_id": guid(7),
        "in_time": "2026-11-22 12:00:09",  # the entry's clock was ahead: never after the exit
        "io_type": 2,
        "timestamp": T0_MS + 9_000,
    }


def test_an_exit_that_was_let_go_without_payment_says_so() -> None:
    (row,) = make(out(9, visit_id=guid(7), entered=stamp(1), due_fen=500, how="operator"))
    sent = record(row)
    assert (sent["ys_money"], sent["ss_money"], sent["yh_money"]) == (5.0, 0.0, 5.0)  # QC71: ys = ss + yh
    assert (sent["remark"], sent["event_type"]) == ("未收费放行 5.00 元", "MANWORK")


def test_cash_is_a_charge_with_its_means() -> None:
    (row,) = make(fact(8, Paid("o", guid(7), "鲁B12345", "cash", 500, 500, 0, entered=stamp(1))))
    assert (row.kind, row.item_id, row.visit_id) == ("carcharge", guid(8), guid(7))
    assert record(row) == {
        "item_id": guid(8),
        "park_id": PARK_ID,
        "car_no": "鲁-B12345",
        "in_time": "2026-11-22 12:00:01",
        "charge_time": "2026-11-22 12:00:08",
        "park_in_id": guid(7),
        "ys_money": 5.0,
        "ss_money": 5.0,
        "yh_money": 0.0,
        "charge_type": "NORMAL",
        "pay_type": "XJ",
        "pay_from": "现金",
        "timestamp": T0_MS + 8_000,
        "replace_deduct": 0,
        "pay_status": 1,
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (Paid("o", guid(7), "鲁B1", "free", 500, 0, 500), ("FREE", "YHJM", 5.0, 0.0, 5.0)),
        (Paid("o", guid(7), "鲁B1", "cash", 500, 0, 500), ("DISCNTFREE", "YHJM", 5.0, 0.0, 5.0)),
        (Paid("o", guid(7), "鲁B1", "cash", 500, 300, 200), ("NORMAL", "XJ", 5.0, 3.0, 2.0)),
    ],
)
def test_free_and_discounted_charges(body: Paid, told: tuple[Any, ...]) -> None:
    (row,) = make(fact(8, body))
    sent = record(row)
    names = ("charge_type", "pay_type", "ys_money", "ss_money", "yh_money")
    assert tuple(sent[name] for name in names) == told


def test_a_zero_charge_is_not_reported() -> None:
    assert make(fact(8, Paid("o", guid(7), "鲁B1", "free", 0, 0, 0))) == []


@pytest.mark.parametrize(
    ("how", "event_in", "event_out"),
    [
        ("admitted", "BRUSHCARD", "BRUSHCARD"),
        ("operator", "MANWORK", "MANWORK"),
        ("city", "MANWORK", "MANWORK"),
        ("emergency", "HANDWORK", "HANDWORK"),
        ("uncommanded", "HANDWORK", "HANDWORK"),
        ("tailgate", "OPEN_ON_COIL", "NOCARD"),
        ("restart", "BRUSHCARD", "BRUSHCARD"),
    ],
)
def test_event_types_say_how_the_car_passed(how: Any, event_in: str, event_out: str) -> None:
    (into,) = make(fact(1, Passed("a", "in", "鲁B1", how=how)))
    (left,) = make(out(2, visit_id=guid(1), how=how))
    assert (record(into)["event_type"], record(left)["event_type"]) == (event_in, event_out)


def test_event_types_of_a_corrected_plate_and_of_nobody_admitted() -> None:
    corrected, through = make(
        out(2, visit_id=guid(1), plate_corrected_from="鲁B12346"), out(4, visit_id=guid(3), admitted=False)
    )
    assert record(corrected)["event_type"] == "CHECKCARNO"
    assert record(through)["event_type"] == "HANDWORK"


@pytest.mark.parametrize(
    ("colour", "printed"),
    [
        ("blue", "BLUE"), ("yellow", "YELLOW"), ("white", "WHITE"), ("black", "BLACK"), ("green", "GREEN"),
        ("yellow_green", "GREEN"), ("unknown", "UNKNOW"),
    ],
)  # fmt: skip
def test_colours(colour: str, printed: str) -> None:
    (row,) = make(fact(1, Passed("a", "in", "鲁B1", colour)))
    assert record(row)["car_color"] == printed


def test_a_car_without_plate_is_named_as_such_and_stays_searchable_as_empty() -> None:
    (row,) = make(fact(1, Passed("a", "in", "")))
    assert (record(row)["car_no"], row.plate) == ("无牌车", "")


def test_an_exit_without_known_entry_gets_an_entry_made_up_before_it() -> None:
    entry, exit_ = make(out(9))
    assert (entry.kind, exit_.kind) == ("carIn", "carOut")
    assert entry.item_id == entry.visit_id == exit_.visit_id == record(exit_)["park_in_id"] == made_up_entry_id(guid(9))
    assert entry.item_id != guid(9)
    sent = record(entry)
    assert (sent["event_type"], sent["in_time"], sent["io_type"]) == ("MANWORK", "2026-11-22 12:00:09", 1)
    assert "in_equipment_id" not in sent  # no lane saw it


def test_an_unknown_car_that_pays_and_leaves_has_one_made_up_entry() -> None:
    paid = fact(8, Paid("o", "", "鲁B12345", "cash", 500, 500, 0), lane_id="out1")
    rows = make(paid, out(9, due_fen=500, paid_fen=500), out(12))
    assert [row.kind for row in rows] == ["carIn", "carcharge", "carOut", "carIn", "carOut"]
    entry, charge, left, _, later = (record(row) for row in rows)
    assert entry["item_id"] == charge["park_in_id"] == left["park_in_id"]
    assert entry["in_time"] == left["in_time"] == "2026-11-22 12:00:08"
    assert later["park_in_id"] != left["park_in_id"]  # the next unknown exit of that plate is another visit


def test_other_facts_make_nothing() -> None:
    assert make(fact(1, BoxStarted("1", "box")), fact(2, BackedOut("a", "鲁B1"))) == []


def test_what_the_standard_forbids_is_a_row_with_the_reason_and_its_neighbour_is_whole() -> None:
    bad, good = make(fact(1, Passed("a", "in", "鲁" * 25)), fact(2, Passed("a", "in", "鲁B1")))
    assert "cannot be made: carIn.car_no" in bad.body.decode()
    assert record(good)["item_id"] == guid(2)


# --- the clock -------------------------------------------------------------------------------------------------

EARLY = Stamp("boot-1", 5_000, 1_600_000_000_000, synced=False)
CAR = fact(1, Passed("a", "in", "鲁B1"), EARLY)


def test_a_boot_without_clock_is_held_until_its_clock_is_set() -> None:
    times, maker = Times({}), mapper()
    times.observe(CAR)
    assert maker.make(CAR, times) is None
    times.observe(fact(2, ClockSet(T0_MS), stamp(60)))
    times.observe(fact(3, ClockSet(T0_MS + 999_000), stamp(70)))  # the first set counts for the whole boot
    (row,) = maker.make(CAR, times) or []
    assert record(row)["timestamp"] == T0_MS + 5_000


def test_an_offset_from_before_the_cursor_serves_too() -> None:
    times = Times({"boot-1": T0_MS})
    times.observe(CAR)
    (row,) = mapper().make(CAR, times) or []
    assert record(row)["in_time"] == "2026-11-22 12:00:05"


def test_a_boot_that_ended_without_clock_keeps_what_it_recorded() -> None:
    times = Times({})
    times.observe(CAR)
    times.observe(fact(2, BoxStarted("1", "box"), Stamp("boot-2", 0, 1_600_000_100_000, synced=False)))
    (row,) = mapper().make(CAR, times) or []
    assert record(row)["timestamp"] == 1_600_000_000_000


def test_an_exit_waits_for_the_clock_of_its_entry() -> None:
    left = out(9, visit_id=guid(1), entered=EARLY)
    times = Times({})
    times.observe(fact(1, BoxStarted("1", "box"), EARLY))
    assert mapper().make(left, times) is None
    times.observe(left)  # same boot as the entry, and now its clock is said
    times.observe(fact(10, ClockSet(T0_MS), stamp(60)))
    (row,) = mapper().make(left, times) or []
    assert record(row)["in_time"] == "2026-11-22 12:00:05"


PLATES = st.sampled_from(["", "鲁B12345", "鲁BD12345", "WJ鲁1234X"])
MONEY = st.integers(0, 10_000)
BODIES = st.builds(
    Passed,
    arrival_id=st.just("a"),
    direction=st.sampled_from(["in", "out"]),
    plate=PLATES,
    visit_id=st.sampled_from(["", guid(77)]),
    entered=st.sampled_from([None, stamp(0)]),
    due_fen=MONEY,
    paid_fen=MONEY,
    discount_fen=MONEY,
) | st.builds(
    Paid,
    order_id=st.just("o"),
    visit_id=st.sampled_from(["", guid(77)]),
    plate=PLATES,
    method=st.sampled_from(["cash", "free"]),
    due_fen=MONEY,
    paid_fen=MONEY,
    discount_fen=MONEY,
)  # fmt: skip


@given(st.lists(BODIES, max_size=12))
def test_making_facts_again_gives_byte_equal_rows_and_lawful_sums(bodies: list[AnyBody]) -> None:
    facts = [fact(n, body) for n, body in enumerate(bodies, 1)]
    once = make(*facts)
    times, maker, twice = Times({}), mapper(), []
    for each in facts:
        times.observe(each)
        maker.make(each, times)  # its rows could not be stored
        twice += maker.make(each, times) or []
    assert once == twice
    assert len({(row.kind, row.item_id) for row in once}) == len(once)
    for sent in map(record, once):
        if "ys_money" in sent:
            assert round(sent["ys_money"] * 100) == round(sent["ss_money"] * 100) + round(sent["yh_money"] * 100)
        assert sent.get("in_time", "") <= sent.get("out_time", sent.get("charge_time", "9"))
    entries = {row.item_id for row in once if row.kind == "carIn"} | {guid(77)}
    assert {record(row)["park_in_id"] for row in once if row.kind != "carIn"} <= entries
