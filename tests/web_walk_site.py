"""Fixtures of the walk: the box with its city and one sign, and who walks through its page, once for each screen and
language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from hal_sim.rs485.bus import Bus
from hal_sim.rs485.signs import OlmSign
from tests.program_rig import box_in, platform_on
from tests.web_house import PASSWORD
from tests.web_look import MONITOR, PHONE, log_in
from tests.web_walker import Site, Walker

SIGN = """
[[lane.sign]]
id = "sign-out2"
line = "bus"
model = "olm"
answers = true
voice = true
answer_ms = 1000

[[line]]
id = "bus"
device = "{tty}"
baud = 115200
"""

COMBINATIONS = {
    "phone-zh": (PHONE, "zh"), "monitor-en": (MONITOR, "en"), "phone-en": (PHONE, "en"), "monitor-zh": (MONITOR, "zh"),
}  # fmt: skip
LONG = frozenset({"phone-en", "monitor-zh"})  # every screen and every language is walked without them; 40 s each


@pytest.fixture(scope="module")
def walk_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("walk")
    with ExitStack() as stack:
        platform, url = stack.enter_context(platform_on())
        sign = SIGN.format(tty=folder / "tty")
        box = stack.enter_context(box_in(folder, city_url=url, free_min=0, extra=f"[flow]\n{sign}"))
        bus = Bus(folder / "tty", [OlmSign()])
        bus.plug()
        stack.callback(bus.unplug)
        quick = box.config.read_text("utf-8").replace("retry_s = 0.5", "retry_s = 0.1\nretries = 2")
        box.config.write_text(quick, "utf-8")
        first = stack.enter_context(box.lane())
        site = Site(box, [first.await_ready()], [], platform, bus)
        yield site
        for lane in site.lanes[1:]:
            lane.stop()


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.soak) if name in LONG else name for name in COMBINATIONS],
)
def walker(browser: Browser, walk_site: Site, request: pytest.FixtureRequest) -> Iterator[Walker]:
    site = walk_site
    size, language = COMBINATIONS[request.param]
    if not site.lanes[-1].alive:
        site.lanes.append(site.box.lane().await_ready())
    site.agents.append(site.box.agent().await_ready())  # the walk before ended with its programs
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", accept_downloads=True,
        has_touch=size == PHONE,
    )
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{site.box.web_port}/")
    if language == "en":
        page.click("#language")
    first = site.box.data / "first-password"
    if first.exists():
        user, password = first.read_text("utf-8").split()
        log_in(page, user, password)
        page.wait_for_selector("#login [name=again]")
        assert page.is_hidden("#tabs")  # nothing else before it is changed
        page.fill("#login [name=old]", password)
        for name in ("new", "again"):
            page.fill(f"#login [name={name}]", PASSWORD)
        page.click("#login button[type=submit]")
    else:
        log_in(page, "admin")
    page.wait_for_selector("[data-lane=in1]")
    yield Walker(page, site, language, request.param)
    context.close()
    site.agents[-1].stop()
