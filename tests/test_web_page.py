"""The page in real Chromium: what a guard sees, and that it changes by itself.

Every test opens the page once and then changes the world behind it; what must show, shows without a reload.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from edge.ports import EvidenceView
from edge.web.api_views import PassageRow
from tests.web_fakes import (
    ARRIVAL,
    NOON_MS,
    ORDER,
    READ_ID,
    TINY_JPEG,
    FakeSource,
    box,
    delivery,
    exit_lane,
    fault,
    lane,
    link,
    quiet_agent,
)
from tests.web_house import House
from tests.web_look import PHONE, Open, height_of, log_in, wait_text

pytest_plugins = ("tests.web_browser",)


def test_a_change_appears_without_reload_and_the_drawn_arm_moves(
    open_page: Open, page_source: FakeSource, troubles: list[str]
) -> None:
    page = open_page()
    down_px = height_of(page, "[data-lane=in1] .arm")
    page_source.show(box(lane(arm="up", state="PASSING", state_zh="通行中", safety=True), exit_lane()))
    page.wait_for_selector("[data-lane=in1] [data-arm=up]")
    assert height_of(page, "[data-lane=in1] .arm") > 5 * down_px
    assert page.inner_text("[data-lane=in1] .state") == "通行中"
    assert page.inner_text("[data-lane=in1] .arm-word") == "闸杆 抬起"
    assert page.inner_text("[data-lane=out1] .arm-word") == "闸杆 落下"
    assert page.evaluate("window.sameDocument") is True
    assert troubles == []


def test_an_arm_without_limit_switch_is_drawn_as_unknown_with_what_was_asked(
    open_page: Open, page_source: FakeSource
) -> None:
    page = open_page()
    page_source.show(box(lane(arm="unknown", arm_asked="up")))
    page.wait_for_selector("[data-lane=in1] [data-arm=unknown]")
    shown = "s => getComputedStyle(document.querySelector(s)).opacity"
    assert page.evaluate(shown, ".arm") == "0"
    assert page.evaluate(shown, ".ghost-up") == "1"
    assert page.evaluate(shown, ".ghost-down") == "1"
    assert "已命令抬起" in page.inner_text("[data-lane=in1] .asked")


def test_loops_light_up_carry_a_car_and_are_hatched_when_unknown(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    opacity = "s => getComputedStyle(document.querySelector('[data-lane=in1] ' + s)).opacity"
    colour = "s => getComputedStyle(document.querySelector('[data-lane=in1] ' + s)).fill"
    clear = page.evaluate(colour, ".loop-arrival .loop-field")
    assert page.evaluate(opacity, ".car") == "0"

    page_source.show(box(lane(arrival=True)))
    page.wait_for_selector("[data-lane=in1] [data-arrival=true]")
    assert page.evaluate(opacity, ".car") == "1"
    assert page.evaluate(colour, ".loop-arrival .loop-field") != clear
    assert page.evaluate(colour, ".loop-safety .loop-field") == clear
    waiting_px = page.evaluate("document.querySelector('[data-lane=in1] .car').getBoundingClientRect().x")

    page_source.show(box(lane(safety=True)))
    page.wait_for_selector("[data-lane=in1] [data-car=safety]")
    assert page.evaluate("document.querySelector('[data-lane=in1] .car').getBoundingClientRect().x") > waiting_px

    page_source.show(box(lane(arrival=None, safety=None)))
    page.wait_for_selector("[data-lane=in1] [data-safety=unknown]")
    assert page.evaluate(opacity, ".car") == "0"
    assert page.evaluate(opacity, ".loop-safety .loop-hatch") == "1"
    assert "未知" in page.inner_text("[data-lane=in1] .at-arm")


def test_a_fault_is_the_first_thing_seen_and_goes_when_it_clears(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    wait_text(page, "#verdict", "全部正常")
    assert page.is_hidden("#faults")
    page_source.show(box(faults=(fault(),)))
    wait_text(page, "#verdict", "1 个故障")
    assert page.inner_text("#verdict-detail") == "东门入口 触发地感: 触发地感持续有车"
    card = page.inner_text(".fault")
    for words in ("触发地感持续有车", "等待人工", "检查车检器", "1 分钟前", "loop_stuck: occupied for 300 s"):
        assert words in card
    below_strip_px = page.evaluate("document.querySelector('.fault').getBoundingClientRect().y")
    assert below_strip_px < PHONE[1] / 3
    page_source.show_agent(quiet_agent(faults=(fault(code="disk_full", device="盒子"), fault())))
    wait_text(page, "#verdict", "2 个故障")
    page_source.show(box())
    page_source.show_agent(quiet_agent())
    wait_text(page, "#verdict", "全部正常")
    assert page.is_hidden("#faults")


def test_refused_master_data_is_named_in_chinese_beside_its_interface(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    page_source.show_agent(quiet_agent(faults=(fault(code="delivery_set_aside", device="equipinfo"),)))
    wait_text(page, "#fault-list .fault-device", "设备信息 equipinfo")
    page.click("#language")
    page.wait_for_function("() => document.querySelector('#fault-list .fault-device').textContent === 'equipinfo'")


def test_a_mild_fault_is_no_alarm(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    page_source.show_agent(quiet_agent(faults=(fault(code="certificate_ending", zh="证书还有 9 天到期", mild=True),)))
    wait_text(page, "#verdict", "1 项需留意")
    assert "证书还有 9 天到期" in page.inner_text("#verdict-detail")
    assert page.get_attribute("body", "data-level") == "notice"
    assert page.get_attribute(".fault", "data-mild") == "true"


def test_each_fault_says_how_it_ends_and_one_of_the_agent_is_acknowledged(
    open_page: Open, page_source: FakeSource, house: House
) -> None:
    page = open_page()
    page_source.show(box(faults=(fault(),)))
    page_source.show_agent(quiet_agent(faults=(fault(code="deliveries_damaged", device="deliveries", by_hand=True),)))
    wait_text(page, "#fault-list li[data-key^=loop_stuck]", "原因消除后自动恢复")
    page.click("#fault-list li[data-key^=deliveries_damaged] [data-action=acknowledge_fault]")
    assert page.locator("#sheet form [name=device]").count() == 0  # it is known: nobody types it
    page.fill("#sheet [name=why]", "已换卡")
    page.click("#sheet button[type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    name, order, _ = house.desk.acts[-1]
    assert (name, order["fault"], order["device"], order.get("lane")) == (
        "acknowledge_fault", "deliveries_damaged", "deliveries", None,
    )  # fmt: skip


def test_a_viewer_reads_that_a_technician_must_acknowledge(open_page: Open, page_source: FakeSource) -> None:
    page = open_page(user="vera")
    page_source.show_agent(quiet_agent(faults=(fault(code="deliveries_damaged", device="deliveries", by_hand=True),)))
    wait_text(page, "#fault-list li", "须由技术员确认")
    assert page.locator("#fault-list button").count() == 0


def test_what_waits_in_the_list_is_short_names_its_city_and_follows_the_language(
    open_page: Open, page_source: FakeSource
) -> None:
    page = open_page()
    cities = ("qingdao", "shenzhen")
    page_source.show_agent(quiet_agent(
        links=(link(city="shenzhen-callback", last_ok_wall_ms=0, receives=True),),
        recent=tuple(delivery(n, city=cities[n % 2], last_answer="已接收 / accepted") for n in range(1, 13)),
    ))
    wait_text(page, "#recent", "深圳")
    rows = page.locator("#recent li").all_inner_texts()
    assert len(rows) == 5
    assert [row.count("已接收") for row in rows] == [1] * 5
    assert not any("accepted" in row for row in rows)
    assert "尚无成功" not in page.inner_text("#links")
    page.click("#language")
    wait_text(page, "#recent", "Qingdao")
    assert not any("已接收" in row for row in page.locator("#recent li").all_inner_texts())
    wait_text(page, "#count-action", "Correct the count")


def test_a_lane_that_waits_says_why_and_what_is_owed(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    page_source.show(box(exit_lane(state="WAIT_PAYMENT", state_zh="等待缴费", plate="鲁B88888", due_fen=1205,
                              why_zh="等待现金或扫码", arrival=True), lane()))
    wait_text(page, "[data-lane=out1] .due", "应缴 ¥12.05")
    assert page.inner_text("[data-lane=out1] .why") == "等待现金或扫码"
    assert page.inner_text("[data-lane=out1] .plate.big") == "鲁B88888"
    assert page.get_attribute("body", "data-level") == "ok"  # a car that pays is what an exit is for
    page_source.show(box(exit_lane(state="refused", state_zh="拒绝", plate="鲁B88888", due_fen=1205, arrival=True)))
    wait_text(page, "#verdict", "1 项需留意")  # nobody paid and its wait is over
    assert page.get_attribute("body", "data-level") == "notice"


def test_who_is_not_logged_in_reads_that_and_not_of_a_connection(browser: Browser, page_port: int) -> None:
    with browser.new_page() as page:
        page.goto(f"http://127.0.0.1:{page_port}/")
        page.wait_for_selector("#login [name=user]")
        wait_text(page, "#verdict", "请登录")
        assert "连接" not in page.inner_text("body")


def test_a_first_password_is_asked_for_in_the_strip_too(browser: Browser, page_port: int, house: House) -> None:
    first = house.accounts.reset("tom")
    with browser.new_page() as page:
        page.goto(f"http://127.0.0.1:{page_port}/")
        log_in(page, "tom", first)
        page.wait_for_selector("#login [name=again]")
        wait_text(page, "#verdict", "请先更改首次密码")
        assert "登录后才能" not in page.inner_text(".verdict")  # he has logged in
        page.reload()
        page.wait_for_selector("#login [name=again]")
        wait_text(page, "#verdict", "请先更改首次密码")
        assert "标签上的密码只用一次" in page.inner_text(".verdict")


def offered(page: Page, lane_id: str) -> set[str]:
    page.click(f"[data-lane={lane_id}] [data-action=more]")
    names = page.eval_on_selector_all("#sheet [data-action]", "nodes => nodes.map((node) => node.dataset.action)")
    page.keyboard.press("Escape")
    page.wait_for_selector("#sheet", state="hidden")
    return set(names)


def test_only_what_makes_sense_at_a_lane_is_offered(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    page_source.show(box(lane(state="down"), exit_lane(state="down")))
    page.wait_for_selector("[data-lane=in1][data-state=down]", state="attached")
    nobody_there = {"open", "close", "hold_open", "lock"}
    assert offered(page, "in1") == nobody_there == offered(page, "out1")
    page_source.show(box(lane(state="wait_confirm", arrival=True), exit_lane(state="locked", locked=True)))
    page.wait_for_selector("[data-lane=out1][data-state=locked]", state="attached")
    # The arm may be held above a car that waits.
    assert offered(page, "in1") == nobody_there | {"release", "let_in", "correct_plate"}
    assert offered(page, "out1") == nobody_there - {"hold_open", "lock"} | {"unlock", "release"}
    waiting = exit_lane(state="wait_payment", plate="鲁B88888", due_fen=500, arrival=True)
    page_source.show(box(lane(state="held_open"), waiting))
    page.wait_for_selector("[data-lane=out1][data-state=wait_payment]", state="attached")
    assert offered(page, "in1") == nobody_there - {"hold_open"} | {"release"}
    assert {"pay_cash", "pay_free", "let_in", "correct_plate"} <= offered(page, "out1")


def test_cash_below_the_fee_says_what_becomes_of_the_rest(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    page_source.show(box(exit_lane(state="wait_payment", plate="鲁B88888", due_fen=500, arrival=True)))
    page.wait_for_selector("[data-lane=out1] [data-action=pay_cash]")
    page.click("[data-lane=out1] [data-action=more]")
    page.click("#sheet [data-action=pay_cash]")
    assert "应缴 ¥5.00" in page.inner_text("#sheet .sheet-note >> nth=0")
    page.fill("#sheet [name=amount_fen]", "3")
    assert page.inner_text("#sheet [type=submit]") == "收现金 ¥3.00, 其余 ¥2.00 记为现场减免"
    page.fill("#sheet [name=amount_fen]", "5")
    assert page.inner_text("#sheet [type=submit]") == "收现金 ¥5.00"


CAR = {"state": "wait_payment", "plate": "粤BS7744", "due_fen": 500, "arrival": True}
NEXT = CAR | {"plate": "粤BL4477", "arrival_id": "b" * 32, "order_id": "c" * 32}


def test_an_order_for_the_car_names_it(open_page: Open, page_source: FakeSource, house: House) -> None:
    page = open_page()
    page_source.show(box(exit_lane(**CAR)))
    for action in ("pay_cash", "pay_free", "let_in", "correct_plate"):
        page.click("[data-lane=out1] [data-action=more]")
        page.click(f"#sheet [data-action={action}]")
        if action == "pay_cash":
            page.fill("#sheet [name=amount_fen]", "5")
        if action == "correct_plate":
            page.fill("#sheet [name=plate]", "粤B12345")
        page.fill("#sheet [name=why]", "岗亭")
        page.click("#sheet [type=submit]")
        page.wait_for_selector("#sheet .answer[data-ok=true]")
        name, given, _ = house.desk.acts[-1]
        assert (name, given["lane"], given["arrival_id"], given["seen_plate"]) == (action, "out1", ARRIVAL, "粤BS7744")
        assert given.get("order_id", ORDER) == ORDER
        page.keyboard.press("Escape")
    page.click("[data-lane=out1] [data-action=more]")
    page.click("#sheet [data-action=open]")  # of the lane, whoever stands there
    page.fill("#sheet [name=why]", "检修")
    page.click("#sheet [type=submit]")
    page.wait_for_selector("#sheet .answer[data-ok=true]")
    assert set(house.desk.acts[-1][1]) == {"lane", "why", "command_id"}


def test_a_sheet_ends_when_another_car_stands_there(
    open_page: Open, page_source: FakeSource, house: House, troubles: list[str]
) -> None:
    page = open_page()
    page_source.show(box(exit_lane(**CAR)))
    page.click("[data-lane=out1] [data-action=pay_cash]")
    page.fill("#sheet [name=why]", "岗亭")
    page_source.show(box(exit_lane(**CAR | {"passed": 1})))  # the same car: the form stays
    wait_text(page, "[data-lane=out1] .passed", "1")
    assert page.input_value("#sheet [name=why]") == "岗亭"
    page_source.show(box(exit_lane(**NEXT)))
    wait_text(page, "#sheet .answer[data-ok=false]", "此单针对 粤BS7744, 现在是 粤BL4477")
    assert page.locator("#sheet form *").count() == 0
    assert house.desk.acts == []
    page.keyboard.press("Escape")
    page.click("[data-lane=out1] [data-action=more]")  # the list follows the car, and so does what is pressed in it
    page_source.show(box(exit_lane(**CAR)))
    wait_text(page, "[data-lane=out1] .plate.big", "粤BS7744")
    page.click("#sheet [data-action=pay_cash]")
    wait_text(page, "#sheet .sheet-note", "粤BS7744")
    page_source.show(box(exit_lane()))
    wait_text(page, "#sheet .answer[data-ok=false]", "现在是 闸前无车")
    assert troubles == []


def test_the_last_read_shows_its_picture_and_enlarges_it(
    open_page: Open, page_source: FakeSource, troubles: list[str]
) -> None:
    page = open_page()
    later = "f" * 32
    page_source.show(box(lane(last_read_id=later, last_plate="鲁B12345", last_read_wall_ms=NOON_MS - 90_000)))
    wait_text(page, "[data-lane=in1] .read", "鲁B12345")
    assert page.inner_text("[data-lane=in1] .thumb") == "无图片"
    assert "11:58:30 · 1 分钟前" in page.inner_text("[data-lane=in1] .read")
    page_source.pictures[later] = TINY_JPEG  # the picture comes after the read
    page.wait_for_function("() => document.querySelector('[data-lane=in1] .thumb img').naturalWidth === 16")
    page.click("[data-lane=in1] .thumb")
    page.wait_for_function("() => document.getElementById('viewer-image').naturalWidth === 16")
    assert page.is_visible("#viewer")
    page.keyboard.press("Escape")
    page.wait_for_selector("#viewer", state="hidden")
    assert troubles == []


def test_where_no_picture_is_there_is_no_empty_frame(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    wait_text(page, "[data-lane=in1] .read", "尚无识别")
    assert page.is_hidden("[data-lane=in1] .thumb")
    gone = "e" * 32  # told of, and deleted before the page asks for it
    page_source.pictures[gone] = b""
    page_source.show(box(lane(last_read_id=gone, last_plate="鲁B12345", last_read_wall_ms=NOON_MS)))
    wait_text(page, "[data-lane=in1] .thumb", "无图片")
    page_source.pictures[READ_ID] = TINY_JPEG
    page_source.show(box(lane(last_read_id=READ_ID, last_plate="鲁B12345", last_read_wall_ms=NOON_MS)))
    page.wait_for_function("() => document.querySelector('[data-lane=in1] .thumb img').naturalWidth === 16")
    assert page.inner_text("[data-lane=in1] .thumb") == ""


def test_the_evidence_picture_takes_the_place_of_the_cameras(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    read_id = "e" * 32
    page_source.pictures[read_id] = TINY_JPEG
    page_source.show(box(lane(last_read_id=read_id, last_plate="鲁B12345", last_read_wall_ms=NOON_MS)))
    page.wait_for_function("() => document.querySelector('[data-lane=in1] .thumb img').naturalWidth === 16")
    page_source.pictures[read_id] = bytes(cv2.imencode(".jpg", np.zeros((18, 32, 3), np.uint8))[1])
    page_source.evidence.add(read_id)
    view = EvidenceView(lane="in1", passages=200, pictures=197, missing=2, failed=1, plates=150, narrow=4, small=0)
    page_source.show_agent(quiet_agent(evidence=(view,)))
    page.wait_for_function("() => document.querySelector('[data-lane=in1] .thumb img').naturalWidth === 32")
    shown = page.inner_text("#evidence")
    for words in ("98.5%", "200 辆中 197 辆有图", "缺 2", "不可用 1", "车牌不足 100 像素 4/150"):
        assert words in shown
    assert page.get_attribute("#evidence li", "data-wrong") == "true"


def test_stalls_and_deliveries(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    wait_text(page, "#occupancy", "非饱和, 占用 61%")
    page_source.show(box(parked=300))
    wait_text(page, "#occupancy", "满位, 占用 94%")
    assert "余 20 位" in page.inner_text("#occupancy")
    filled, whole = (page.evaluate("s => document.querySelector(s).getBoundingClientRect().width", s)
                     for s in (".bar-fill", ".bar-back"))
    assert filled / whole == pytest.approx(300 / 320, abs=0.01)

    assert "尚无上传记录" in page.inner_text("#recent")
    page_source.show_agent(quiet_agent(
        links=(link(online=False, zh="离线: 连接被拒绝", last_ok_wall_ms=NOON_MS - 7_200_000),),
        counts={"waiting": 37, "accepted": 1284, "set_aside": 1, "held_for_clock": 5},
        recent=(delivery(1, state="set_aside", last_answer="1003 车牌号码格式错误"),
                delivery(2, state="waiting", attempts=4, kind="carOut", last_answer="连接被拒绝"),
                delivery(3, state="accepted", kind="a_new_kind", plate="")),
    ))
    wait_text(page, "#verdict", "2 项需留意")
    assert page.inner_text("#verdict-detail") == "青岛 离线 · 1 条上传被城市平台退回"
    assert page.locator("#counts dd").all_inner_texts() == ["37", "1284", "1", "5"]
    assert "2 小时前" in page.inner_text("#links")
    rows = page.locator("#recent li").all_inner_texts()
    assert len(rows) == 3
    for row, words in zip(rows, (("入场", "鲁B12345", "已搁置", "1003"), ("出场", "待上传 · 第 4 次", "连接被拒绝"),
                                 ("a_new_kind", "青岛", "已接收")), strict=True):
        assert [word for word in words if word not in row] == []


def test_what_was_waived_is_not_listed_as_owing(open_page: Open, house: House, troubles: list[str]) -> None:
    def row(seq: int, due_fen: int, paid_fen: int, discount_fen: int) -> PassageRow:
        return PassageRow(
            seq, NOON_MS, True, "out1", "out", f"豫C0000{seq}", "blue", True, "admitted", "paid", "f" * 32, "",
            due_fen, paid_fen, discount_fen, "",
        )  # fmt: skip

    house.desk.passage_rows = (row(1, 500, 0, 500), row(2, 500, 300, 200), row(3, 500, 0, 0), row(4, 500, 500, 0))
    page = open_page()
    page.evaluate("location.hash = 'records/passages'")
    wait_text(page, "#found", "豫C00004")
    assert page.locator("#found .row-notes").all_inner_texts() == [
        "减免 ¥5.00", "¥3.00 · 减免 ¥2.00", "欠 ¥5.00", "¥5.00",
    ]  # fmt: skip
    assert troubles == []
