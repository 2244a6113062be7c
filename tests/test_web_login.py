"""Who is at the page, in real Chromium: login, first password, roles, and the end of a session."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from edge.ports import FaultView
from tests.web_fakes import FakeSource, box, fault
from tests.web_house import PASSWORD, Client, House
from tests.web_look import MONITOR, Open, log_in, wait_text

pytest_plugins = ("tests.web_browser",)


def test_a_wrong_password_is_said_and_the_right_one_opens(browser: Browser, page_port: int) -> None:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{page_port}/")
    log_in(page, "admin", "Wrong-1234")
    page.wait_for_selector("#login .answer[data-ok=false]")
    assert page.input_value("#login [name=password]") == ""
    assert page.evaluate("document.activeElement.name") == "password"
    assert page.locator("[data-lane]").count() == 0
    log_in(page, "admin")
    page.wait_for_selector("[data-lane=in1]")
    assert page.is_hidden("#login")
    page.close()


def test_the_first_password_must_be_changed_before_anything_is_seen(
    browser: Browser, tmp_path: Path, page_source: FakeSource
) -> None:
    house = House(tmp_path / "new", page_source, first_boot=True)
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{house.server.start()}/")
    try:
        log_in(page, "admin", house.first_password)
        page.wait_for_selector("#login [name=again]")
        assert page.is_hidden("#tabs")
        page.fill("#login [name=old]", house.first_password)
        for new, again, words in (("Right-1234", "Right-1235", "不同"), ("12345678", "12345678", "")):
            page.fill("#login [name=new]", new)
            page.fill("#login [name=again]", again)
            page.click("#login button[type=submit]")
            page.wait_for_function(
                "words => document.querySelector('#login .answer').dataset.ok === 'false'"
                " && document.querySelector('#login .answer').textContent.includes(words)", arg=words,
            )  # fmt: skip
        for name in ("new", "again"):
            page.fill(f"#login [name={name}]", PASSWORD)
        page.click("#login button[type=submit]")
        page.wait_for_selector("[data-lane=in1]")
    finally:
        page.close()
        house.server.stop()


def by_hand() -> FaultView:
    return fault(code="camera_refused", device="cam-in1", by_hand=True)


@pytest.mark.parametrize(
    ("user", "orders", "blocks"),
    [
        ("vera", 0, {"account"}),
        ("tom", 1, {"account", "programs", "diagnostics", "config"}),
        ("admin", 1, {"account", "users", "programs", "diagnostics", "config", "audit", "update"}),
    ],
)
def test_each_role_sees_what_it_may_do(
    open_page: Open, page_source: FakeSource, user: str, orders: int, blocks: set[str]
) -> None:
    page_source.show(box(faults=(by_hand(),)))
    page = open_page(MONITOR, user=user)
    wait_text(page, "#fault-list", "camera_refused")
    for button in ("[data-lane=in1] [data-action=open]", "#fault-list [data-action]", "#count-action button"):
        assert page.locator(button).count() == orders, button
    page.click("#tabs [data-part=admin]")
    page.wait_for_selector("#account")
    assert set(page.locator("#view-admin .column > .block").evaluate_all("nodes => nodes.map(n => n.id)")) == blocks
    page.click("#tabs [data-part=box]")
    page.wait_for_selector("#devices")
    assert page.locator("#relays, #loops, #cameras").count() == 3 * orders


def test_a_fault_that_ends_by_itself_has_no_button(open_page: Open, page_source: FakeSource) -> None:
    page_source.show(box(faults=(fault(),)))
    page = open_page()
    wait_text(page, "#fault-list", "loop_stuck")
    assert page.locator("#fault-list button").count() == 0


def test_a_session_ended_elsewhere_clears_the_page_at_once(
    open_page: Open, page_port: int, troubles: list[str]
) -> None:
    page = open_page()
    other = Client(page_port)
    assert other.log_in("admin") == 200
    assert other.post("/api/password", {"old": PASSWORD, "new": PASSWORD + "x"})[0] == 200
    wait_text(page, "#login-note", "登录已结束")
    assert page.locator("[data-lane]").count() == 0
    assert page.inner_text("#lot") == ""
    assert troubles == []


def test_somebody_who_presses_nothing_is_asked_before_the_session_ends(
    browser: Browser, page_port: int, house: House
) -> None:
    page: Page = browser.new_page()
    page.clock.install()
    page.goto(f"http://127.0.0.1:{page_port}/")
    log_in(page, "admin")
    page.wait_for_selector("[data-lane=in1]")
    page.clock.run_for(500_000)
    assert page.locator("#idle").count() == 0
    page.clock.run_for(50_000)
    page.wait_for_selector("#idle[role=alert]")
    page.click("#idle button")
    page.wait_for_selector("#idle", state="detached")
    page.clock.run_for(500_000)
    assert page.locator("#idle").count() == 0  # the time began anew
    assert [entry.action for entry in house.audit.entries if entry.action == "login"] == ["login"]
    page.close()
