"""The part about money in real Chromium: the exit desk, an order's story, the calculator, cards and lists."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from edge.web.api_views import OrderRow
from edge.web.desk import RefusedError
from edge.web.span import Span
from tests.web_fakes import ARRIVAL, ORDER, FakeSource, box, exit_lane, lane
from tests.web_house import House
from tests.web_look import MONITOR, Open, wait_text
from tests.web_money import car, desk, order

pytest_plugins = ("tests.web_browser",)

WAITING = exit_lane(state="wait_payment", state_zh="等待缴费", plate="鲁B88888", due_fen=1200, arrival=True)
CHINA = timezone(timedelta(hours=8))


def test_the_exit_desk_says_what_the_car_owes_and_why_and_takes_the_money(
    open_page: Open, page_source: FakeSource, house: House, troubles: list[str]
) -> None:
    page_source.show(box(lane(), WAITING))
    page = open_page()
    page.click("#tabs [data-part=money]")
    wait_text(page, "[data-exit=out1]", "鲁B88888")
    shown = page.inner_text("[data-exit=out1]")
    for words in ("待缴 ¥12.00", "缴费后超时: 须缴费", "2 小时 0 分", "¥14.00", "¥2.00 (c7 ¥2.00)", "¥5.00",
                  "首60分钟5.00元", "东门入口"):
        assert words in shown
    page.click("[data-exit=out1] [data-action=pay_cash]")
    page.fill("#sheet [name=why]", "岗亭")
    page.click("#sheet button[type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    name, given, _ = house.desk.acts[-1]
    assert (name, given["lane"], given["amount_fen"], given["why"]) == ("pay_cash", "out1", 1200, "岗亭")
    assert (given["arrival_id"], given["seen_plate"], given["order_id"]) == (ARRIVAL, "鲁B88888", ORDER)
    assert troubles == []


def test_the_exit_desk_follows_the_lane_without_a_press(open_page: Open, page_source: FakeSource, house: House) -> None:
    house.desk.money.desk = desk(None, "idle")
    page = open_page()
    page.click("#tabs [data-part=money]")
    wait_text(page, "[data-exit=out1]", "闸前无车")
    assert page.locator("[data-exit=out1] [data-action=pay_cash]").count() == 0
    stranger = car(plate="鲁B77777", visit_id="", entered_ms=0, why="", why_zh="", owed_fen=0)
    house.desk.money.desk = desk(stranger, "wait_confirm")
    page_source.show(box(lane(), exit_lane(state="wait_confirm", plate="鲁B77777", arrival=True)))
    wait_text(page, "[data-exit=out1]", "鲁B77777")
    shown = page.inner_text("[data-exit=out1]")
    assert "无需缴费" not in shown  # nobody knows what it owes
    assert "入场未知" in shown
    page.click("[data-exit=out1] [data-action=let_in]")  # opened for this car, and the sheet asks why
    page.wait_for_selector("#sheet [name=why]")


def test_a_viewer_sees_the_bill_and_can_order_nothing(open_page: Open, page_source: FakeSource) -> None:
    page_source.show(box(lane(), WAITING))
    page = open_page(user="vera")
    page.click("#tabs [data-part=money]")
    wait_text(page, "[data-exit=out1]", "待缴 ¥12.00")
    assert page.locator("[data-exit=out1] [data-action]").count() == 0


def test_an_order_tells_its_story(open_page: Open, house: House, troubles: list[str]) -> None:
    page = open_page(MONITOR)
    page.click("#tabs [data-part=money]")
    page.click("#view-money a[href='#money/orders']")
    wait_text(page, "#money-found", "待退款 ¥3.00")
    page.fill("#view-money [name=plate]", "B888")
    page.click("#view-money form button")
    wait_text(page, "#money-found", "缴费后超时")
    assert house.desk.money.asked[-1] == ("orders", Span("B888", 0, 10**15), "", 30)
    page.fill("#view-money [name=day]", "2026-11-21")
    page.click("#view-money form button")
    wait_text(page, "#money-found", "缴费后超时")
    began = int(datetime(2026, 11, 21, tzinfo=CHINA).timestamp() * 1000)
    assert house.desk.money.asked[-1] == ("orders", Span("B888", began, began + 86_400_000), "", 30)
    page.click("#money-found a")
    wait_text(page, "#view-money .timeline", "待退款: 重复支付")
    assert page.locator("#view-money .step").count() == 2
    assert page.get_attribute("#view-money .step >> nth=1", "data-ok") == "false"
    assert page.get_attribute("#view-money a[href^='#records/visit']", "href") == "#records/visit/41"
    page.click("#language")
    wait_text(page, "#view-money .timeline", "to be given back: paid twice")
    assert troubles == []


def test_older_orders_come_page_by_page(open_page: Open, house: House, troubles: list[str]) -> None:
    house.desk.money.rows = tuple(order(order_id=f"o{number}", plate=f"鲁B{number:05d}") for number in range(70))
    page = open_page()
    page.evaluate("location.hash = 'money/orders'")
    for shown, last in ((30, "鲁B00059"), (60, "鲁B00069")):
        page.wait_for_function("count => document.querySelectorAll('#money-found li').length === count", arg=shown)
        page.click("#money-found .list-foot button")
        wait_text(page, "#money-found", last)
    assert page.locator("#money-found li").count() == 70
    assert page.locator("#money-found .list-foot button").count() == 0  # there are none any more
    assert [asked[2] for asked in house.desk.money.asked if asked[0] == "orders"] == ["", "o29", "o59"]
    assert troubles == []


def test_what_was_ordered_is_searched_and_paged_too(open_page: Open, house: House, troubles: list[str]) -> None:
    house.desk.order_rows = tuple(
        OrderRow(seq, 0, "in1", "open", "operator", "tom", f"原因{seq}", True, "好", "done", "", 0.0)
        for seq in range(50, 0, -1)
    )
    page = open_page()
    page.evaluate("location.hash = 'records/orders'")
    wait_text(page, "#found", "原因21")
    page.click("#found .list-foot button")
    wait_text(page, "#found", "原因1")
    page.fill("#search-plate", "B888")
    page.fill("#search-day", "2026-11-21")
    page.click("#search button")
    page.wait_for_function("() => document.querySelectorAll('#found li').length === 30")
    began = int(datetime(2026, 11, 21, tzinfo=CHINA).timestamp() * 1000)
    assert house.desk.searched[1:] == [
        ("", Span("", 0, 10**15), 21, 30), ("", Span("B888", began, began + 86_400_000), 0, 30),
    ]  # fmt: skip
    assert troubles == []


def test_a_citys_order_has_words_and_not_the_ledgers_name(open_page: Open, house: House) -> None:
    house.desk.order_rows = tuple(
        OrderRow(seq, 0, "in1", name, "city", "6001", "预订", True, "好", "done", "", 0.0)
        for seq, name in enumerate(("open", "book_lock", "card_freeze", "of_tomorrow"), 1)
    )
    page = open_page()
    page.evaluate("location.hash = 'records/orders'")
    wait_text(page, "#found", "of_tomorrow")
    assert page.locator("#found li strong").all_inner_texts() == ["抬杆", "锁定预约车位", "冻结月卡", "of_tomorrow"]


def test_the_calculator_asks_in_the_lots_time_and_shows_how_the_sum_comes_about(
    open_page: Open, house: House, troubles: list[str]
) -> None:
    page = open_page()
    page.evaluate("location.hash = 'money/tariffs'")
    wait_text(page, "#tariffs", "已停用, 场内车辆仍适用")
    page.fill("#calculator [name=began]", "2026-11-21T08:00")
    page.fill("#calculator [name=until]", "2026-11-21T10:30")
    page.select_option("#calculator [name=version]", "v1")
    page.select_option("#calculator [name=vehicle]", "large")
    page.click("#calculator button")
    wait_text(page, "#price", "¥4.00")
    shown = page.inner_text("#price")
    for words in ("第1日 首60分钟", "¥5.00", "单次封顶", "-¥1.00", "2 小时 30 分"):
        assert words in shown
    began = datetime(2026, 11, 21, 8, 0, tzinfo=CHINA).timestamp() * 1000
    assert house.desk.money.asked[-1] == ("price", "v1", "large", began, began + 9_000_000)
    house.desk.money.failure = RefusedError("bad_request", "出场时间须不早于入场时间", "no")
    page.click("#calculator button")
    wait_text(page, "#calculator .answer", "出场时间须不早于入场时间")
    page.fill("#calculator [name=began]", "")
    page.click("#calculator button")
    wait_text(page, "#calculator .answer", "请填写入场和出场时间")
    assert [one for one in troubles if "status of 400" not in one] == []


def test_cards_and_lists_say_whom_they_are_for_and_until_when(open_page: Open, troubles: list[str]) -> None:
    page = open_page()
    page.evaluate("location.hash = 'money/cards'")
    wait_text(page, "#money-found", "鲁B11111 鲁B22222")
    shown = page.inner_text("#money-found")
    for words in ("车位已占满", "车位 1/1", "一 五 20:00–08:00", "业主月卡", "过期禁止入场", "2026-11-21 13:00"):
        assert words in shown
    page.evaluate("location.hash = 'money/lists'")
    wait_text(page, "#money-found", "鲁B00001")
    shown = page.inner_text("#money-found")
    for words in ("名单共 2 条", "禁止入场", "深圳 公安", "免费通行", "长期", "本机配置", "请输入完整车牌"):
        assert words in shown
    assert troubles == []
