"""Looking at the opened page: what its tests share beside the fixtures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from edge.ports import BoxView
from tests.web_fakes import NOON_MS, READ_ID, box, exit_lane, fault, lane
from tests.web_house import PASSWORD

CHROMIUM = Path("/usr/bin/chromium")  # Debian's and Ubuntu's package `chromium`
SAYS_SO_MS = 3000  # the page must show within 3 s that it is not live
PHONE = (375, 667)
MONITOR = (1440, 900)

Open = Callable[..., Page]


def log_in(page: Page, user: str, password: str = PASSWORD) -> None:
    page.fill("#login [name=user]", user)
    page.fill("#login [name=password]", password)
    page.click("#login button[type=submit]")


def wait_text(page: Page, selector: str, text: str) -> None:
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.textContent.includes(text)", arg=[selector, text]
    )


def height_of(page: Page, selector: str) -> float:
    return float(page.evaluate("s => document.querySelector(s).getBoundingClientRect().height", selector))


def busy_box() -> BoxView:
    long_name = "地下二层西北角临时入口通道"
    return box(
        lane(state="wait_stall", state_zh="等待车位", state_en="Waiting for a stall", arrival=True, plate="鲁BD12345",
             last_plate="鲁BD12345", last_read_id=READ_ID, last_read_wall_ms=NOON_MS - 12_000,
             why_zh="满位: 出2进1, 还需驶出1辆", why_en="Full: 2 out 1 in, 1 more must leave"),
        exit_lane(state="wait_payment", state_zh="等待缴费", state_en="Waiting for payment", due_fen=123_456_705,
                  arm="moving", arm_asked="up", safety=True, plate="WJ鲁12345"),
        lane(id="in2", name=long_name, arm="unknown", arrival=None, safety=None),
        parked=330, faults=(fault(), fault(code="camera_silent", detail="no_heartbeat_" * 12)),
        counters={"reads": 812, "reads.repeated_by_the_camera_itself": 14},
    )
