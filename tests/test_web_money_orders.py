"""What an administrator orders in the part about money, in real Chromium: cards, lists, a tariff, money given back."""

from __future__ import annotations

import json

import msgspec
import pytest

from edge.core.money_seen import CardRows, ListRows
from edge.web.api import ActionResult
from edge.web.desk import RefusedError
from tests.web_axe import violations
from tests.web_house import House
from tests.web_look import MONITOR, Open, wait_text

pytest_plugins = ("tests.web_browser",)

NAMES = ("card_add", "card_extend", "card_cancel", "list_add", "list_remove", "tariff_version", "refund")


def ours(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card and the entry are the box's own."""
    money = house.desk.money
    (card,), (_, entry) = money.cards("", 9).rows, money.lists("", 9).rows
    cards = CardRows((msgspec.structs.replace(card, city=""),), 1, False)
    entries = ListRows((msgspec.structs.replace(entry, city=""),), 1, False)
    monkeypatch.setattr(money, "cards", lambda plate, limit: cards)
    monkeypatch.setattr(money, "lists", lambda plate, limit: entries)


def test_a_card_is_added_extended_and_cancelled(
    open_page: Open, house: House, troubles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours(house, monkeypatch)
    page = open_page(user="admin")
    page.evaluate("location.hash = 'money/cards'")
    page.click("#money-found [data-action=card_add]")
    for name, value in (("plates", "鲁B11111 鲁B22222"), ("places", "1"), ("from_day", "2026-11-01"),
                        ("until_day", "2027-10-31"), ("why", "业主申请")):
        page.fill(f"#sheet [name={name}]", value)
    page.click("#sheet button[type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    page.keyboard.press("Escape")
    name, given, actor = house.desk.acts[-1]
    assert (name, given["plates"], given["places"], given["until_day"]) == (
        "card_add", "鲁B11111 鲁B22222", 1, "2027-10-31",
    )  # fmt: skip
    assert (actor.user, given["why"]) == ("admin", "业主申请")
    page.click("#money-found [data-action=card_extend]")
    wait_text(page, "#sheet", "鲁B11111 鲁B22222")
    page.fill("#sheet [name=until_day]", "2028-10-31")
    page.click("#sheet .chip-button >> nth=0")
    page.click("#sheet button[type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    page.keyboard.press("Escape")
    name, given, _ = house.desk.acts[-1]
    assert (name, given["card_id"], given["until_day"], given["why"]) == ("card_extend", "k1", "2028-10-31", "业主申请")
    page.click("#money-found [data-action=card_cancel]")
    wait_text(page, "#sheet", "其车辆从现在起按临时车收费")
    page.click("#sheet .chip-button >> nth=1")
    page.click("#sheet button[type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    assert house.desk.acts[-1][:2] == (
        "card_cancel", {"card_id": "k1", "why": "租户变更", "command_id": house.desk.acts[-1][1]["command_id"]},
    )  # fmt: skip
    assert [entry.action for entry in house.audit.entries[-3:]] == ["card_add", "card_extend", "card_cancel"]
    assert troubles == []


def test_a_plate_goes_on_a_list_and_off_it(
    open_page: Open, house: House, troubles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours(house, monkeypatch)
    page = open_page(user="admin")
    page.evaluate("location.hash = 'money/lists'")
    page.click("#money-found [data-action=list_add]")
    typed = {"plate": "鲁B00009", "from_day": "2026-11-01", "until_day": "2026-12-01", "why": "欠费"}
    for name, value in typed.items():
        page.fill(f"#sheet [name={name}]", value)
    page.select_option("#sheet [name=list_kind]", "white")
    page.click("#sheet button[type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    page.keyboard.press("Escape")
    name, given, _ = house.desk.acts[-1]
    assert (name, given["plate"], given["list_kind"], given["from_day"]) == (
        "list_add", "鲁B00009", "white", "2026-11-01",
    )  # fmt: skip
    page.click("#money-found [data-action=list_remove]")
    page.click("#sheet .chip-button >> nth=0")
    page.click("#sheet button[type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    assert (house.desk.acts[-1][0], house.desk.acts[-1][1]["entry_id"]) == ("list_remove", "e1")
    assert troubles == []


def test_what_a_city_made_has_no_button(open_page: Open) -> None:
    page = open_page(user="admin")
    page.evaluate("location.hash = 'money/cards'")
    wait_text(page, "#money-found", "鲁B11111")
    assert page.locator("#money-found [data-action]").count() == 1  # to add one
    page.evaluate("location.hash = 'money/lists'")
    wait_text(page, "#money-found", "鲁B00002")  # of the configuration
    assert page.locator("#money-found [data-action]").count() == 1


def test_a_new_tariff_is_tried_in_the_calculator_and_put_in_force(
    open_page: Open, house: House, troubles: list[str]
) -> None:
    page = open_page(user="admin")
    page.evaluate("location.hash = 'money/tariffs'")
    wait_text(page, "#tariffs", "已停用, 场内车辆仍适用")
    assert page.is_hidden("#calculator .version")
    assert page.is_hidden("#calculator [data-action=tariff_version]")
    page.select_option("#calculator [name=version]", "new")
    assert page.input_value("#calculator [name=first_fen]") == "5.00"  # as it is now
    page.fill("#calculator [name=first_fen]", "7.50")
    page.fill("#calculator [name=unit_min]", "60")
    page.fill("#calculator [name=leave_min]", "20")
    page.fill("#calculator [name=began]", "2026-11-21T08:00")
    page.fill("#calculator [name=until]", "2026-11-21T10:30")
    page.click("#calculator button[type=submit]")
    wait_text(page, "#price", "¥7.00")
    what, tried = house.desk.money.asked[-1]
    param = json.loads(tried.param)
    assert (what, param["first_fen"], param["rates"][0]["unit_min"], param["free_min"]) == ("try", 750, 60, 15)
    assert tried.until_ms - tried.began_ms == 9_000_000
    page.click("#calculator [data-action=tariff_version]")
    wait_text(page, "#sheet", "场内车辆仍按原标准")
    page.click("#sheet .chip-button >> nth=0")
    page.click("#sheet button[type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    name, given, _ = house.desk.acts[-1]
    assert (name, json.loads(given["param"]), given["leave_min"], given["why"]) == (
        "tariff_version", param, 20, "价格调整",
    )  # fmt: skip
    assert troubles == []


def test_a_tariff_that_the_box_doubts_needs_a_second_press(open_page: Open, house: House) -> None:
    page = open_page(user="admin")
    page.evaluate("location.hash = 'money/tariffs'")
    page.select_option("#calculator [name=version]", "new")
    page.click("#calculator [data-action=tariff_version]")
    page.click("#sheet .chip-button >> nth=0")
    house.desk.result = ActionResult(False, "请核对: 每日封顶只有 30 分", "please check", ask=True)
    page.click("#sheet button[type=submit]")
    wait_text(page, "#sheet .answer[data-ok=false]", "每日封顶只有 30 分")
    assert page.inner_text("#sheet button[type=submit]") == "仍然启用新标准"
    assert house.desk.acts[-1][1]["confirmed"] is False
    house.desk.result = ActionResult(True, "好", "done")
    page.click("#sheet button[type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    assert house.desk.acts[-1][1]["confirmed"] is True


def test_a_tariff_that_is_none_is_refused_in_the_boxs_words(open_page: Open, house: House) -> None:
    page = open_page(user="admin")
    page.evaluate("location.hash = 'money/tariffs'")
    page.select_option("#calculator [name=version]", "new")
    page.fill("#calculator [name=param]", "{")
    page.fill("#calculator [name=free_min]", "20")  # there is no place for it any more
    assert page.input_value("#calculator [name=param]") == "{"
    house.desk.money.failure = RefusedError("bad_request", "收费标准有误: param: no JSON", "param: no JSON")
    page.click("#calculator button[type=submit]")
    wait_text(page, "#calculator .answer", "收费标准有误: param: no JSON")


def test_money_given_back_is_noted_at_its_order(open_page: Open, house: House, troubles: list[str]) -> None:
    page = open_page(user="admin")
    page.evaluate("location.hash = 'money/order/o1'")
    page.click("#view-money [data-action=refund]")
    wait_text(page, "#sheet", "鲁B88888: 最多可退 ¥8.00")
    page.fill("#sheet [name=amount_fen]", "3.00")
    page.click("#sheet .chip-button >> nth=0")
    page.click("#sheet button[type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    name, given, actor = house.desk.acts[-1]
    assert (name, given["order_id"], given["amount_fen"], given["why"], actor.user) == (
        "refund", "o1", 300, "重复缴费", "admin",
    )  # fmt: skip
    assert "order_id=o1" in house.audit.entries[-1].target
    assert troubles == []


@pytest.mark.parametrize("seen", [((320, 568), "dark", "zh"), (MONITOR, "light", "en")])
def test_axe_finds_nothing_at_any_of_them_and_they_fit_the_smallest_phone(
    open_page: Open, house: House, monkeypatch: pytest.MonkeyPatch, seen: tuple[tuple[int, int], str, str]
) -> None:
    size, scheme, language = seen
    ours(house, monkeypatch)
    page = open_page(size, scheme)
    if language == "en":
        page.click("#language")
    found: list[str] = []
    buttons = {"cards": NAMES[:3], "lists": NAMES[3:5], "tariffs": NAMES[5:6], "order/o1": NAMES[6:]}
    for part, names in buttons.items():
        page.evaluate(f"location.hash = 'money/{part}'")
        if part == "tariffs":
            page.select_option("#calculator [name=version]", "new")
        for name in names:
            page.wait_for_selector(f"#view-money [data-action={name}]")
            found += [f"{part}: {one}" for one in violations(page)]
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], part
            page.click(f"#view-money [data-action={name}]")
            page.wait_for_selector("#sheet [name=why]")
            found += [f"{name}: {one}" for one in violations(page)]
            page.keyboard.press("Escape")
    assert found == []


@pytest.mark.parametrize("user", ["vera", "tom"])
def test_nobody_else_sees_a_button_for_it(user: str, open_page: Open) -> None:
    page = open_page(user=user)
    for part, shown in (("cards", "鲁B11111"), ("lists", "鲁B00001"), ("order/o1", "鲁B88888"), ("tariffs", "旧标准")):
        page.evaluate(f"location.hash = 'money/{part}'")
        wait_text(page, "#view-money", shown)
        for name in NAMES:
            assert page.locator(f"#view-money [data-action={name}]:visible").count() == 0
    assert page.locator("#calculator option[value=new]").count() == 0
