"""What is well formed and yet hardly meant: tariffs with absurd amounts, cards and entries that are over or overlap,
an exported configuration whose tariff is not the one in force."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.agent import money_hints
from edge.core.money_seen import CardRow, CardRows, ListRow, ListRows, TariffRow
from edge.core.tariff_doubts import doubts
from edge.core.tariff_param import read_param
from edge.web import api_money
from edge.web.desk import RefusedError

WHY: dict[str, Any] = {"why": "业主申请", "command_id": "c" * 32}
NOV_1_MS, DAY_MS = 1_793_462_400_000, 86_400_000  # 2026-11-01 00:00 in Shanghai
USUAL: dict[str, Any] = {
    "form": "parkbox-1", "free_min": 15, "first_min": 60, "first_fen": 500,
    "rates": [{"unit_min": 30, "unit_fen": 200}], "day_cap_fen": 3000,
}  # fmt: skip


def param(**changes: Any) -> str:
    return json.dumps(USUAL | changes)


class Books:
    def __init__(self) -> None:
        self.card_rows: list[CardRow] = []
        self.list_rows: list[ListRow] = []
        self.own: tuple[TariffRow, int] | None = None
        self.silent = False

    def cards(self, plate: str, limit: int) -> CardRows:
        return CardRows(tuple(self.card_rows), len(self.card_rows), False)

    def lists(self, plate: str, limit: int) -> ListRows:
        return ListRows(tuple(self.list_rows), len(self.list_rows), False)

    def own_tariff(self) -> tuple[TariffRow, int] | None:
        if self.silent:
            raise RefusedError("lane_silent", "车道程序没有应答:\nx = 1", "no answer:\nx = 1")
        return self.own


def card(card_id: str, plate: str, from_ms: int, until_ms: int) -> CardRow:
    return CardRow(
        card_id=card_id, plates=(plate,), places=1, taken=0, from_ms=from_ms, until_ms=until_ms, standing="valid",
        hours=(), plan="", expired="temporary", full="temporary", city="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"day_cap_fen": 30}, "30 fen"),  # yuan were meant
        ({"day_cap_fen": 400}, "below the first hour's 5.00"),
        ({"visit_cap_fen": 499}, "cap of a visit, 4.99 yuan"),
        ({"first_fen": 50_000, "day_cap_fen": 0}, "first hour costs 500.00"),
        ({"first_min": 0, "first_fen": 0, "rates": [{"unit_min": 1, "unit_fen": 200}], "day_cap_fen": 0}, "120.00"),
        ({"first_min": 0, "rates": [{"unit_min": 30, "unit_fen": 0}], "day_cap_fen": 0}, "nobody ever pays"),
        ({"rates": [{"unit_min": 30, "unit_fen": 200, "cap_fen": 99}]}, "cap of a rate is 99 fen"),
        ({"free_min": 1440}, "1440 free minutes"),
        ({"classes": {"large": {"rates": [{"unit_min": 60, "unit_fen": 10_001}]}}}, "large: the first hour"),
    ],
)
def test_an_absurd_amount_is_doubted(changes: dict[str, Any], says: str) -> None:
    found = doubts(read_param(param(**changes)))
    assert [one.en for one in found if says in one.en] != [], found


@pytest.mark.parametrize(
    "changes",
    [
        {}, {"day_cap_fen": 0}, {"first_fen": 0}, {"day_cap_fen": 500}, {"day_cap_fen": 100, "first_fen": 100},
        {"first_min": 30, "first_fen": 9_800, "day_cap_fen": 0}, {"free_min": 1439},
        {"rates": [{"unit_min": 720, "unit_fen": 3000}], "first_min": 0, "first_fen": 0},
    ],
)  # fmt: skip
def test_a_usual_tariff_is_not(changes: dict[str, Any]) -> None:
    assert doubts(read_param(param(**changes))) == ()


def test_a_doubted_tariff_waits_for_a_second_press() -> None:
    odd = api_money.TariffVersion(param=param(day_cap_fen=30), leave_min=15, **WHY)
    hint = money_hints.of(odd, Books(), NOV_1_MS)
    assert hint.ask
    assert "30 分" in hint.zh
    sure = api_money.TariffVersion(param=odd.param, leave_min=15, confirmed=True, **WHY)
    assert money_hints.of(sure, Books(), NOV_1_MS) == money_hints.Hint()
    usual = api_money.TariffVersion(param=param(), leave_min=15, **WHY)
    assert money_hints.of(usual, Books(), NOV_1_MS) == money_hints.Hint()
    unreadable = api_money.TariffVersion(param="{}", leave_min=15, **WHY)  # the lane says what is wrong with it
    assert money_hints.of(unreadable, Books(), NOV_1_MS) == money_hints.Hint()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"form":"parkbox-1","rates":[{"unit_min":30,"unit_fen":200}],"free_min":1,"free_min":9}', "free_min"),
        ('{"form":"parkbox-1","rates":[{"unit_min":30,"unit_fen":200,"unit_fen":2}]}', "unit_fen"),
        ('{"form":"parkbox-1","form":"parkbox-1","rates":[{"unit_min":30,"unit_fen":200}]}', "form"),
    ],
)  # fmt: skip
def test_a_member_that_stands_twice_is_refused_by_its_name(text: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"param: '{name}' stands twice"):
        read_param(text)


def test_a_card_that_is_over_or_overlaps_says_so() -> None:
    books = Books()
    add = api_money.CardAdd(
        plates="鲁B11111 鲁B22222", places=1, from_day="2026-11-01", until_day="2026-11-30", **WHY
    )  # fmt: skip
    assert money_hints.of(add, books, NOV_1_MS) == money_hints.Hint()
    books.card_rows = [
        card("a", "鲁B22222", NOV_1_MS - DAY_MS, NOV_1_MS + DAY_MS - 1),
        card("b", "鲁B22222", NOV_1_MS - 9 * DAY_MS, NOV_1_MS - 1),  # ended the day before
        card("d", "鲁B222222", NOV_1_MS, NOV_1_MS + DAY_MS),  # found by a part of its plate
    ]
    hint = money_hints.of(add, books, NOV_1_MS)
    assert (hint.zh, hint.ask) == ("; 注意: 鲁B22222 已有月卡, 至 2026-11-01", False)
    books.card_rows = [card("c" * 32, "鲁B11111", NOV_1_MS, NOV_1_MS + DAY_MS)]  # the order itself, sent again
    assert money_hints.of(add, books, NOV_1_MS) == money_hints.Hint()
    late = money_hints.of(add, books, NOV_1_MS + 30 * DAY_MS)
    assert late.en == "; note: 2026-11-30 is over, it has no effect"
    longer = api_money.CardExtend(card_id="a", until_day="2026-10-31", **WHY)
    assert "2026-10-31 已过" in money_hints.of(longer, books, NOV_1_MS).zh


def test_an_entry_that_is_over_or_overlaps_says_so() -> None:
    books = Books()
    books.list_rows = [ListRow(
        entry_id="", plate="鲁B11111", strategy="free_pass", from_ms=0, until_ms=0, in_force=True,
        origin="config", city="",
    )]  # fmt: skip
    add = api_money.ListAdd(plate="鲁b11111", list_kind="black", from_day="2026-11-01", until_day="2026-11-30", **WHY)
    assert money_hints.of(add, books, NOV_1_MS).en == "; note: 鲁B11111 is on a list already (free_pass)"
    books.list_rows = []
    assert money_hints.of(add, books, NOV_1_MS + 31 * DAY_MS).zh == "; 注意: 2026-11-30 已过, 不起作用"


def test_the_exported_configuration_names_a_tariff_of_the_page() -> None:
    books, text = Books(), "[box]\nid = 'x'\n"
    assert money_hints.export(text, books) == text
    row = TariffRow(
        version="v" * 16, tariff_id="local", name="", car_type="", city="", in_force=True, cars=0, leave_min=15,
        zh="每30分钟2.00元", en="2 yuan each 30 min", param="{}", who="li",
    )  # fmt: skip
    books.own = (row, NOV_1_MS)
    once = money_hints.export(text, books)
    for words in ("li", "2026-11-01 00:00", "v" * 16, "每30分钟2.00元"):
        assert words in once
    assert money_hints.export(once, books) == once  # imported and exported again
    books.silent = True
    for line in money_hints.export(once, books).splitlines():
        assert line.startswith(money_hints.NOTE) or line in text
