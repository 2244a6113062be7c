"""The page in real Chromium: whether what it shows can be trusted.

It says when it is not live, it fits every screen and both languages, and nothing from outside gets in or is fetched.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from edge.web.server import PageServer
from tests.web_fakes import NOON_MS, FakeSource, any_port, box, delivery, fault, lane, link, quiet_agent
from tests.web_house import House
from tests.web_look import MONITOR, SAYS_SO_MS, Open, busy_box, log_in, wait_text
from tests.web_relay import Relay

pytest_plugins = ("tests.web_browser",)


def test_a_cut_line_is_said_within_3_s_and_comes_back_by_itself(
    open_page: Open, page_source: FakeSource, relay: Relay
) -> None:
    page = open_page(port=relay.port)
    live_grey = page.evaluate("getComputedStyle(document.querySelector('.lane')).backgroundColor")
    relay.cut()
    page.wait_for_selector("body[data-line=broken]", timeout=SAYS_SO_MS)
    assert page.inner_text("#verdict") == "连接中断"
    assert "12:00:00" in page.inner_text("#verdict-detail")
    assert page.evaluate("getComputedStyle(document.querySelector('.lane')).backgroundColor") != live_grey

    page_source.show(box(parked=7))
    relay.mend()
    page.wait_for_selector("body[data-line=live]")
    wait_text(page, "#verdict", "全部正常")
    wait_text(page, "#occupancy", "7 / 320")
    assert page.evaluate("window.sameDocument") is True


def test_a_page_program_that_is_gone_is_said_and_one_that_is_new_asks_for_the_login(
    open_page: Open, page_server: PageServer, page_source: FakeSource, page_port: int, tmp_path: Path
) -> None:
    page = open_page()
    page_server.stop()
    page.wait_for_selector("body[data-line=broken]", timeout=SAYS_SO_MS)
    again = House(tmp_path / "new", page_source, web=any_port(page_port)).server
    again.start()
    try:
        page.wait_for_selector("#login form")
        assert page.is_hidden("#view-now")
        assert page.locator("[data-lane]").count() == 0
        log_in(page, "admin")
        page.wait_for_selector("body[data-line=live]")
        page.wait_for_selector("[data-lane=in1]")
        assert page.evaluate("window.sameDocument") is True
    finally:
        again.stop()


def test_a_silent_stream_is_as_broken_as_a_cut_one(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    page_source.going_on.clear()  # the connection stays open; nothing comes any more
    page.wait_for_selector("body[data-line=broken]", timeout=SAYS_SO_MS)
    page_source.going_on.set()
    page.wait_for_selector("body[data-line=live]")


def test_a_dead_lane_program_is_a_fault_and_its_last_state_is_greyed(
    open_page: Open, page_source: FakeSource, troubles: list[str]
) -> None:
    page_source.show(box(lane(arm="up")))
    page = open_page()
    colour = "getComputedStyle(document.querySelector('.lane .state')).color"
    live = page.evaluate(colour)
    page_source.show(None)
    wait_text(page, "#verdict", "1 个故障")
    assert "车道程序无应答" in page.inner_text("#verdict-detail")
    assert page.evaluate(colour) != live
    assert page.evaluate("document.querySelector('[data-lane=in1] .scene').dataset.arm") == "up"
    page_source.show(box())
    wait_text(page, "#verdict", "全部正常")
    assert page.evaluate(colour) == live
    assert troubles == []


def test_a_lot_without_lane_program_from_the_start(browser: Browser, page_port: int, page_source: FakeSource) -> None:
    page_source.show(None)
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{page_port}/")
    log_in(page, "vera")
    wait_text(page, "#fault-list", "车道程序无应答")
    page.close()


def test_an_untrue_clock_is_seen(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    assert page.inner_text("#clock") == "12:00:00 · 已校时"  # Shanghai, whatever the phone's zone
    page_source.show(box(clock_synced=False))
    wait_text(page, "#clock", "时钟未校准")
    wait_text(page, "#verdict-detail", "时钟未校准")


def test_english_is_kept_over_a_reload(open_page: Open, page_source: FakeSource, troubles: list[str]) -> None:
    page_source.show(busy_box())
    page = open_page(MONITOR)
    assert page.get_attribute("html", "lang") == "zh-CN"
    page.click("#language")
    for _ in range(2):
        wait_text(page, "#verdict", "2 faults")
        assert page.get_attribute("html", "lang") == "en"
        assert page.inner_text("[data-lane=in1] .why") == "Full: 2 out 1 in, 1 more must leave"
        assert "Look for a parked car" in page.inner_text("#fault-list")
        assert "Arm position unknown" in page.inner_text("[data-lane=in2]")
        assert "10 over" in page.inner_text("#occupancy")
        page.reload()
        page.wait_for_selector("[data-lane=in1]")
    assert troubles == []


@pytest.mark.parametrize("width_px", [320, 375, 768, 1440])
def test_nothing_is_wider_than_the_screen(
    open_page: Open, page_source: FakeSource, troubles: list[str], width_px: int
) -> None:
    page_source.show(busy_box())
    page_source.show_agent(quiet_agent(
        counts={"waiting": 123_456, "accepted": 12_345_678, "set_aside": 99_999, "held_for_clock": 1_000_000},
        recent=tuple(delivery(n, state="waiting", attempts=50, last_answer="x" * 300) for n in range(1, 21)),
    ))
    page = open_page((width_px, 667))
    for _ in ("zh", "en"):
        assert page.evaluate("document.documentElement.scrollWidth") <= width_px
        page.click("#language")
    assert troubles == []


def test_colours_follow_the_system(open_page: Open) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = (
        sum(int(part) for part in page.evaluate(ground).removeprefix("rgb(").removesuffix(")").split(", "))
        for page in (open_page(scheme="light"), open_page(scheme="dark"))
    )
    assert light > 600  # of 3 x 255
    assert dark < 150


def test_markup_from_outside_is_text(open_page: Open, page_source: FakeSource, troubles: list[str]) -> None:
    page = open_page()
    script = "<script>window.hit = 1</script>"
    image = "<img src=x onerror='window.hit = 1'>"
    elements = "document.querySelectorAll('script, img, iframe').length"
    before = page.evaluate(elements)
    page_source.show(box(
        lane(plate=script, name=image, why_zh=image, last_plate=script, last_read_wall_ms=NOON_MS, state_zh=script),
        lane(id="out1"), lot_name=script, box_id=image, faults=(fault(zh=script, device=image, detail=script),),
        counters={image: 1},
    ))
    page_source.show_agent(quiet_agent(
        links=(link(city=image, zh=script),),
        recent=(
            delivery(1, plate=script, state="waiting", last_answer=image, kind="__proto__"),
            delivery(2, kind="constructor"),
        ),
        version=script,
    ))
    wait_text(page, "#recent", image)
    assert page.inner_text("[data-lane=in1] .plate.big") == script
    assert page.inner_text("[data-lane=in1] h3") == image
    assert page.inner_text("#lot") == script
    assert "constructor" in page.inner_text("#recent")
    assert page.evaluate(elements) == before
    assert page.evaluate("window.hit") is None
    assert troubles == []


def test_the_policy_forbids_what_a_mistake_of_ours_would_allow(open_page: Open) -> None:
    page = open_page()
    page.evaluate("""() => {
        addEventListener("securitypolicyviolation", () => { window.refused = (window.refused ?? 0) + 1; });
        try { document.body.insertAdjacentHTML("beforeend", "<img src=x>"); }
        catch (error) { window.caught = error.name; }
        fetch("http://127.0.0.1:9/").catch(() => {});
    }""")
    page.wait_for_function("() => window.refused >= 2")
    assert page.evaluate("window.caught") == "TypeError"
