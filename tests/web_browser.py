"""Fixtures of the tests that open the page in real Chromium; a test file asks for them with `pytest_plugins`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from edge.web.server import PageServer
from tests.web_fakes import READ_ID, TINY_JPEG, FakeSource, box
from tests.web_house import House
from tests.web_look import CHROMIUM, PHONE, Open, log_in
from tests.web_relay import Relay

QUIET_FLAGS = [  # no outside request of the browser's own, no GPU, no sandbox (the tests may run as root)
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        assert "CI" not in os.environ, f"{CHROMIUM} is missing: install the package chromium"
        pytest.skip(f"{CHROMIUM} is missing: install the package chromium to test the page")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page_source() -> FakeSource:
    fake = FakeSource(box())
    fake.pictures[READ_ID] = TINY_JPEG
    return fake


@pytest.fixture
def house(tmp_path: Path, page_source: FakeSource) -> House:
    return House(tmp_path, page_source)


@pytest.fixture
def page_server(house: House, page_source: FakeSource) -> Iterator[PageServer]:
    yield house.server
    page_source.going_on.set()
    house.server.stop()


@pytest.fixture
def page_port(page_server: PageServer) -> int:
    return page_server.start()


@pytest.fixture
def relay(page_port: int) -> Iterator[Relay]:
    relay = Relay(page_port)
    yield relay
    relay.close()


@pytest.fixture
def troubles() -> list[str]:
    """Console errors, script errors and requests to anything but this server."""
    return []


def is_trouble(message: ConsoleMessage) -> bool:
    """An error, but for the 401 that tells the page that nobody is logged in: Chromium notes it by itself."""
    return message.type == "error" and "status of 401" not in message.text


@pytest.fixture
def open_page(browser: Browser, page_port: int, troubles: list[str]) -> Iterator[Open]:
    contexts = []

    def open_it(
        size: tuple[int, int] = PHONE, scheme: str = "light", user: str = "admin", port: int = page_port
    ) -> Page:
        own = f"http://127.0.0.1:{port}/"
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",  # end positions at once: no waiting for transitions
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text) if is_trouble(message) else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(own) else troubles.append(request.url))
        page.goto(own)
        log_in(page, user)
        page.wait_for_selector("[data-lane=in1]")
        page.evaluate("window.sameDocument = true")
        return page

    yield open_it
    for context in contexts:
        context.close()
