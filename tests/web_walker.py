"""A person with a phone or at a monitor, at the page of a box that really runs; what he does is checked at the box."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from playwright.sync_api import Download, Page

from hal_sim.qingdao import QingdaoPlatform
from hal_sim.rs485.bus import Bus
from tests.program_rig import PULSE_S, Box, Child, Driver, until
from tests.program_site import Bay
from tests.web_look import wait_text

WHY = "试验 walk"


def on_wire(plate: str) -> str:
    """As the city gets it (T/QME 0015-2024: 鲁-B12345)."""
    return f"{plate[0]}-{plate[1:]}"


class Site(NamedTuple):
    box: Box
    lanes: list[Child]
    """The last one runs; those before were restarted at the page. `agents` likewise."""
    agents: list[Child]
    platform: QingdaoPlatform
    bus: Bus


class Walker:
    """`page` is logged in. `lane`, `agent` and `box` are what stands behind it."""

    def __init__(self, page: Page, site: Site, language: str, combination: str) -> None:
        """`combination`: screen and language, as "phone-zh"; `tag`: its letters, so that each walk has its own cars."""
        self.page, self.box, self.lane, self.language = page, site.box, site.lanes[-1], language
        self.bus = site.bus
        self.tag = "".join(word[0] for word in combination.split("-")).upper()

    def go(self, part: str) -> None:
        """Open a part by its tab, as a person does (the tab is the same on every screen)."""
        assert self.page.is_hidden("#login"), self.page.inner_text("#login")
        self.page.click(f"#tabs [data-part={part}]")
        self.page.wait_for_selector(f"#view-{part}:not([hidden])")

    def press(self, selector: str) -> None:
        self.page.click(selector)

    def at_lane(self, bay: Bay, action: str, *, ok: bool | None = True, chip: bool = False, **fields: str) -> str:
        """Order `action` at a lane's card: beside the drawing if it stands there, else behind "more"."""
        card = f"[data-lane={bay.id}] .lane-actions"
        self.page.wait_for_selector(f"{card} [data-action=more]")
        if self.page.locator(f"{card} [data-action={action}]").count():
            self.press(f"{card} [data-action={action}]")
        else:
            self.press(f"{card} [data-action=more]")
            self.press(f"#sheet [data-action={action}]")
        return self.order(ok=ok, chip=chip, **fields)

    def order(self, *, ok: bool | None = True, chip: bool = False, **fields: str) -> str:
        """Fill the open sheet and send it; the answer's words. The sheet is closed again. `ok` None: either way."""
        sheet = "#sheet form "
        self.page.wait_for_selector(f"{sheet}[name=why]")
        for name, value in fields.items():
            control = f"{sheet}[name={name}]"
            if self.page.locator(control).evaluate("node => node.tagName") == "SELECT":
                self.page.select_option(control, value)
            else:
                self.page.fill(control, value)
        if chip:
            self.press(f"{sheet}.chip-button >> nth=0")
            assert self.page.input_value(f"{sheet}[name=why]")
        else:
            self.page.fill(f"{sheet}[name=why]", WHY)
        self.press(f"{sheet}button[type=submit]")
        self.page.wait_for_selector("#sheet .answer:is([data-ok=true], [data-ok=false])")
        words = self.page.inner_text("#sheet .answer")
        self.page.keyboard.press("Escape")
        self.page.wait_for_selector("#sheet", state="hidden")
        assert ok is None or words.startswith("✓" if ok else "✕"), words
        return words

    def shows(self, selector: str, text: str) -> None:
        wait_text(self.page, selector, text)

    def seen(self, selector: str) -> None:
        self.page.wait_for_selector(selector)

    def state_of(self, bay: Bay, state: str) -> None:
        until(lambda: self.box.lane_view(bay.id)["state"] == state, f"{bay.id} {state}")

    def locked(self, bay: Bay, locked: bool) -> None:
        until(lambda: self.box.lane_view(bay.id)["locked"] is locked, f"{bay.id} locked {locked}")

    def passage(self, bay: Bay, plate: str) -> None:
        """A car through a lane, as the rig drives it; at an exit it pays by itself."""
        entered = "in1" if bay.direction == "out" else ""
        Driver(self.box, bay, plate, entered).drive(self.lane)

    def stands(self, bay: Bay, plate: str, state: str) -> None:
        """A car comes to the arm and stays there; the page has said so."""
        card = f"[data-lane={bay.id}][data-state]"
        self.page.wait_for_selector(f"{card}:not([data-state={state}])", state="attached")  # that of the car before
        threading.Event().wait(PULSE_S)  # the gap behind the car before
        bay.loop("arrival", on=True)
        until(lambda: self.box.lane_view(bay.id)["arrival"] is True, "arrival seen")
        assert self.box.push(bay.camera.read(plate))[0] == 200
        self.state_of(bay, state)
        self.page.wait_for_selector(f"[data-lane={bay.id}][data-state={state}]", state="attached")

    def backs_out(self, bay: Bay) -> None:
        bay.loop("arrival", on=False)
        until(lambda: self.box.lane_view(bay.id)["arrival"] is False, "arrival clear")

    def drives_on(self, bay: Bay) -> None:
        """The car under the raised arm goes through."""
        for loop, on in (("safety", True), ("arrival", False), ("safety", False)):
            threading.Event().wait(PULSE_S)  # a car has a length
            bay.loop(loop, on=on)
            until(lambda loop=loop, on=on: self.box.lane_view(bay.id)[loop] is on, f"{loop} {on}")  # type: ignore[misc]

    def download(self, press: Callable[[], None]) -> Download:
        with self.page.expect_download() as waiting:
            press()
        return waiting.value
