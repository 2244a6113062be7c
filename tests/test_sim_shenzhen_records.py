"""The books of the simulated Shenzhen platform: rules between records, doubles, and what only shows at rest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hal_sim.shenzhen import ShenzhenPlatform
from tests.shenzhen_wire import ENTRY_ID, LOT, Sender, example, logged_in, platform_in, sorted_text


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[ShenzhenPlatform]:
    with platform_in(tmp_path) as running:
        yield running


@pytest.fixture
def sender(platform: ShenzhenPlatform) -> Sender:
    return logged_in(platform)


def fields(platform: ShenzhenPlatform) -> list[str]:
    return [violation.field for violation in platform.summary().violations]


def one(code: int, **members: Any) -> str:
    """The example's element with a string parkCode and these members, as text."""
    element = example(code)["data"][0] | {"parkCode": LOT} | members
    if code == 5008:
        del element["parkCode"]
    return sorted_text([element])


def code_of(answer: dict[str, Any]) -> int:
    return int(answer["data"][0]["code"])


def test_the_same_record_twice_is_one_and_counted(platform: ShenzhenPlatform, sender: Sender) -> None:
    assert [code_of(sender.send(5004, one(5004))) for _ in range(3)] == [0, 0, 0]
    summary = platform.summary()
    assert (summary.accepted, summary.repeats, summary.violated) == ({5004: 1}, {5004: 2}, 0)
    assert platform.by_id(ENTRY_ID)[0].times_seen == 3


def test_the_same_id_in_other_letters_is_the_same_record(platform: ShenzhenPlatform, sender: Sender) -> None:
    sender.send(5004, one(5004))
    assert code_of(sender.send(5004, one(5004, id=ENTRY_ID.lower()))) != 0
    assert platform.summary().accepted == {5004: 1}


def test_a_record_sent_again_with_other_content_is_a_violation(platform: ShenzhenPlatform, sender: Sender) -> None:
    sender.send(5004, one(5004))
    assert code_of(sender.send(5004, one(5004, enterTime="2018-01-01 01:01:02"))) == 1200
    assert platform.summary().changed == (f"5004 {ENTRY_ID}: enterTime",)
    assert fields(platform) == ["id"]


RULES: list[tuple[int, dict[str, Any], str]] = [
    (5004, {"receivables": "#20.01#"}, "receivables"),
    (5004, {"enterTime": "2999-01-01 00:00:00"}, "enterTime"),
    (5005, {"leaveTime": "2017-12-31 23:59:59"}, "leaveTime"),
    (5005, {"enterTime": "2018-01-01 01:01:02"}, "enterTime"),
    (5005, {"receivables": "#19.00#"}, "receivables"),
    (5006, {"id": "F" * 32}, "id"),
    (5008, {"received": "#16.99#"}, "receivables"),
    (5008, {"payTime": "2999-01-01 00:00:00"}, "payTime"),
    (7001, {"parkCode": "44030400100101000099"}, "parkCode"),
    (7001, {"time": "2999-01-01 00:00:00"}, "time"),
]


@pytest.mark.parametrize(("code", "members", "field"), RULES, ids=[f"{code}-{field}" for code, _, field in RULES])
def test_a_record_that_does_not_fit_is_refused(
    platform: ShenzhenPlatform, sender: Sender, code: int, members: dict[str, Any], field: str
) -> None:
    if code != 5004:
        sender.send(5004, one(5004))
    assert code_of(sender.send(code, one(code, **members))) != 0
    assert fields(platform) == [field]


def test_a_lot_inside_a_record_must_be_ours(platform: ShenzhenPlatform, sender: Sender) -> None:
    element = example(3001)["data"][0]
    element["parkInfo"]["charging"]["parkCode"] = "44030400100101000099"
    assert code_of(sender.send(3001, sorted_text([element]))) == 1101
    assert fields(platform) == ["parkInfo.charging.parkCode"]


@pytest.mark.parametrize("late", [5005, 5008])
def test_an_entry_after_what_belongs_to_it_is_a_violation_and_kept(
    platform: ShenzhenPlatform, sender: Sender, late: int
) -> None:
    assert code_of(sender.send(late, one(late))) == 0
    assert fields(platform) == []
    assert code_of(sender.send(5004, one(5004))) == 0
    assert fields(platform) == ["id"]
    assert str(late) in platform.summary().violations[0].allowed
    assert platform.summary().accepted[5004] == 1


def visit(sender: Sender, **left: Any) -> None:
    """Entry, payment of 17.00, exit with the members of `left`."""
    charge = example(5008)["data"][0]
    money = {"receivables": "#20.00#", "discount": "#3.00#", "received": "#17.00#", "chargeIdList": [charge["id"]]}
    for code, members in ((5004, {}), (5008, {}), (5005, money | left)):
        assert code_of(sender.send(code, one(code, **members))) == 0


def test_books_that_agree(platform: ShenzhenPlatform, sender: Sender) -> None:
    visit(sender)
    summary = platform.summary()
    assert (summary.charge_differs, summary.plate_differs, summary.violated) == ((), (), 0)


@pytest.mark.parametrize("left", [{"chargeIdList": []}, {"received": "#16.00#", "discount": "#4.00#"}])
def test_an_exit_whose_money_is_not_that_of_its_payments_is_found(
    platform: ShenzhenPlatform, sender: Sender, left: dict[str, Any]
) -> None:
    visit(sender, **left)
    assert platform.summary().charge_differs == (ENTRY_ID,)


def test_an_exit_under_another_plate_needs_a_correction(platform: ShenzhenPlatform, sender: Sender) -> None:
    other = {"carInfo": {"plateNo": "粤B88883"}}
    visit(sender, **other)
    assert len(platform.summary().plate_differs) == 1
    assert code_of(sender.send(5006, one(5006, **other))) == 0
    assert platform.summary().plate_differs == ()


def test_late_records_and_double_entries_are_counted(platform: ShenzhenPlatform, sender: Sender) -> None:
    sender.send(5004, one(5004))
    sender.send(5004, one(5004, id="A" * 32))
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
    sender.send(5004, one(5004, id="B" * 32, enterTime=now, carInfo={"plateNo": "粤B00001"}))
    summary = platform.summary()
    assert (summary.late, summary.notes["entered_twice"]) == ({5004: 2}, 1)
    assert [record.plate for record in platform.by_plate("粤B00001")] == ["粤B00001"]
