"""Every action of the page, walked in Chromium: on a phone and at a monitor, in Chinese and in English.

Behind the page are the two real programs, simulated pins, cameras and city. What an action did is looked up where
it must show: at the relay, in the lane program's own view, in the ledger, at the city, in the file that came down.
"""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

from edge.log_ring import ASKED_EXIT
from hal_sim.cameras.pictures import Painter
from hal_sim.ledger_view import delivery_counts
from hal_sim.rs485.signs import OlmSign
from tests.program_rig import until
from tests.web_house import PASSWORD
from tests.web_look import log_in, wait_text
from tests.web_walker import WHY, Site, Walker, on_wire

pytest_plugins = ("tests.web_browser", "tests.web_walk_site")

def test_arm_orders_move_the_relay_and_show_in_the_drawing(walker: Walker) -> None:
    bay = walker.box.bays["in1"]
    walker.go("now")
    raised = bay.raised
    walker.at_lane(bay, "open")
    until(lambda: bay.raised == raised + 1, "OPEN pulsed")
    walker.seen("[data-lane=in1] .scene[data-asked=up]")
    # Just raised, the lane refuses in words; when its hold time is over it obeys.
    until(lambda: walker.at_lane(bay, "close", ok=None).startswith("✓"), "close obeyed")
    until(lambda: not bay.arm_up, "CLOSE pulsed")
    walker.at_lane(bay, "hold_open", chip=True)
    walker.state_of(bay, "held_open")
    walker.seen("[data-lane=in1][data-look=true]")
    walker.at_lane(bay, "release")
    until(lambda: not bay.arm_up, "lowered")
    done = [fact.body for fact in walker.box.facts() if fact.kind == "Ordered" and fact.body["ok"]][-4:]
    assert [body["action"] for body in done] == ["open", "close", "hold_open", "release"]
    assert {body["who"] for body in done} == {"admin"}
    assert done[0]["why"] == WHY


def test_a_relay_is_tested_at_a_locked_empty_lane_only(walker: Walker) -> None:
    bay = walker.box.bays["in1"]
    walker.go("box")
    row = "#relay-list [data-lane=in1] "
    walker.seen(f"{row}[data-relay=open]:disabled")
    walker.press(f"{row}[data-action=lock]")
    walker.order()
    walker.locked(bay, True)
    walker.shows("[data-lane=in1] .state", {"zh": "车道锁定", "en": "Lane locked"}[walker.language])
    walker.seen(f"{row}[data-relay=open]:not(:disabled)")
    raised = bay.raised
    walker.press(f"{row}[data-relay=open]")
    walker.order()
    until(lambda: bay.raised == raised + 1, "the OPEN relay pulsed")
    until(bay.at_rest, "and is off again")
    until(lambda: not bay.arm_up, "the arm came down by itself")
    walker.press(f"{row}[data-relay=close]")
    walker.order()

    def stop() -> str:
        walker.press(f"{row}[data-relay=stop]")
        return walker.order(ok=False)

    until(lambda: "stop" in stop(), "the arm is down; not wired here, says the lane")
    walker.press(f"{row}[data-action=unlock]")
    walker.order()
    walker.locked(bay, False)


def test_a_sign_is_tested_and_says_what_its_line_answered(walker: Walker) -> None:
    (sign,) = walker.bus.devices
    assert isinstance(sign, OlmSign)
    walker.go("box")
    row = "#sign-list [data-sign=sign-out2]"
    walker.shows(f"{row} .sign-rows", "余位")
    walker.seen(f"{row}[data-outcome=answered]")
    shown: list[str] = []
    sign.on_change = lambda one: shown.append(one.rows[0])
    walker.press(f"{row} [data-action=test_sign]")
    words = walker.order()
    assert {"zh": "有应答", "en": "answered"}[walker.language] in words
    assert "测试 TEST" in shown
    assert sign.said[-1] == "测试"
    walker.shows(f"{row} .sign-rows", "测试 TEST")
    walker.bus.weather = lambda reply: reply[:5]  # a bad wire
    walker.press(f"{row} [data-action=test_sign]")
    words = walker.order(ok=False)
    assert {"zh": "应答损坏", "en": "damaged answer"}[walker.language] in words
    walker.seen(f"{row}[data-outcome=damaged]")
    walker.bus.weather = lambda reply: reply
    walker.press(f"{row} [data-action=test_sign]")
    walker.order()


def test_a_waiting_car_is_corrected_or_let_in(walker: Walker) -> None:
    bay = walker.box.bays["in1"]
    plate = f"鲁B{walker.tag}001"
    walker.go("now")
    walker.stands(bay, "", "wait_confirm")
    walker.seen("[data-lane=in1] .lane-actions .primary")
    raised = bay.raised
    walker.at_lane(bay, "correct_plate", plate=plate)
    until(lambda: bay.raised == raised + 1, "the car with its plate is admitted")
    walker.shows("[data-lane=in1] .plate.big", plate)
    walker.drives_on(bay)
    until(lambda: not bay.arm_up, "lowered")
    walker.stands(bay, "", "wait_confirm")
    walker.at_lane(bay, "let_in")
    until(lambda: bay.raised == raised + 2, "let in")
    walker.drives_on(bay)
    until(lambda: not bay.arm_up, "lowered")


def test_a_car_pays_in_cash_or_goes_free(walker: Walker) -> None:
    entry, bay = walker.box.bays["in1"], walker.box.bays["out2"]
    cars = {"pay_cash": f"鲁C{walker.tag}111", "pay_free": f"鲁C{walker.tag}222"}
    walker.go("now")
    for action, plate in cars.items():
        walker.passage(entry, plate)
        walker.stands(bay, plate, "wait_payment")
        walker.shows("[data-lane=out2] .due", "¥")
        due_fen = walker.box.lane_view("out2")["due_fen"]
        walker.at_lane(bay, action)
        until(lambda: bay.arm_up, "paid, raised")
        paid = [fact.body for fact in walker.box.facts() if fact.kind == "Paid"][-1]
        expected = (plate, due_fen if action == "pay_cash" else 0, action.removeprefix("pay_"))
        assert (paid["plate"], paid["paid_fen"], paid["method"]) == expected
        walker.drives_on(bay)
        until(lambda: not bay.arm_up, "lowered")


def test_the_count_is_corrected(walker: Walker) -> None:
    walker.go("now")
    walker.press("#count-action button")
    walker.order(count="17")
    until(lambda: walker.box.view()["parked"] == 17, "17 parked")
    walker.shows("#occupancy-body", "17 / 1000")
    walker.go("records")
    walker.press("#view-records a[href='#records/orders']")
    walker.shows("#found", WHY)  # as the lane recorded it
    walker.press("#view-records a[href='#records/passages']")


def test_priority_and_the_role_of_an_entrance_are_switched(walker: Walker) -> None:
    walker.go("now")
    walker.seen("#flow:not([hidden]) [data-action=priority]")
    before = walker.box.view()["flow"]["priority"]
    walker.press("#flow [data-action=priority]")
    walker.order(chip=True)
    until(lambda: walker.box.view()["flow"]["priority"] is not before, "priority switched")
    for role in ("reserved", "mixed"):
        walker.press("#flow [data-entrance=in1] [data-action=lane_role]")
        walker.order(lane_role=role)
        until(lambda role=role: walker.box.view()["flow"]["entrances"][0]["role"] == role, role)  # type: ignore[misc]
        words = {"reserved": ("只收预约车", "Reserved cars only"), "mixed": ("混合", "Mixed")}[role]
        walker.shows("#flow [data-entrance=in1]", words[walker.language == "en"])
    switched = [fact.body for fact in walker.box.facts() if fact.kind in {"PrioritySwitched", "RoleSwitched"}]
    assert {body["who"] for body in switched[-3:]} == {"admin"}


def test_a_fault_is_acknowledged(walker: Walker) -> None:
    bay = walker.box.bays["in1"]
    walker.go("now")
    for _ in range(2):  # two cars back out of a raised arm that no loop saw used: is the safety loop dead?
        raised = bay.raised
        walker.stands(bay, f"鲁D{walker.tag}333", "admitted")
        until(lambda raised=raised: bay.raised > raised, "raised")  # type: ignore[misc]
        walker.backs_out(bay)
        until(lambda: not bay.arm_up or "safety_unproven" in walker.box.faults(), "lowered, or no more")
    until(lambda: "safety_unproven" in walker.box.faults(), "fault raised")
    walker.press("#fault-list .fault:has-text('safety_unproven') [data-action=acknowledge_fault]")
    walker.order()
    until(lambda: "safety_unproven" not in walker.box.faults(), "fault ended")
    walker.page.wait_for_selector("#fault-list .fault:has-text('safety_unproven')", state="hidden")
    until(lambda: not bay.arm_up or walker.at_lane(bay, "close", ok=None).startswith("✓"), "close obeyed")


def test_loops_are_watched_live(walker: Walker) -> None:
    bay = walker.box.bays["out2"]
    walker.go("box")
    walker.page.select_option("#loops select", "out2")
    walker.seen("#loops .tracks")
    bay.loop("arrival", on=True)
    walker.seen("#loops .track-on")
    bay.loop("arrival", on=False)
    until(lambda: walker.box.lane_view("out2")["arrival"] is False, "clear again")


def test_a_camera_is_aimed_by_its_last_pictures(walker: Walker) -> None:
    plate = f"鲁C{walker.tag}555"
    painted = Painter(1).paint(plate, "blue", 1)  # the walk's other pictures are none that a browser could draw
    assert walker.box.push(walker.box.bays["in1"].camera.read(plate, painted))[0] == 200
    until(lambda: walker.box.lane_view("in1")["last_plate"] == plate, "read")
    walker.go("box")
    shot = f"#cameras .thumb[aria-label*='{plate}']"
    walker.seen(f"{shot} img")
    assert "px" in walker.page.inner_text("#cameras") or "像素" in walker.page.inner_text("#cameras")
    walker.press(shot)
    walker.seen("#viewer[open] img[src*='/picture/']")
    walker.page.keyboard.press("Escape")


def test_a_city_link_is_checked_step_by_step(walker: Walker) -> None:
    walker.go("box")
    walker.press("#city-links [data-action=check_link]")
    walker.seen("#city-links .answer[data-ok=true]")
    states = walker.page.locator("#city-links .check-step").evaluate_all("nodes => nodes.map(n => n.dataset.state)")
    assert states[-2:] == ["ok", "ok"]  # login, one harmless call
    assert "failed" not in states


def test_a_visit_is_found_and_its_plate_corrected(walker: Walker, walk_site: Site) -> None:
    plate, better = f"鲁E{walker.tag}444", f"鲁E{walker.tag}555"
    walker.passage(walker.box.bays["in1"], plate)
    until(lambda: walk_site.platform.by_plate(on_wire(plate)), "reported")
    walker.go("records")
    walker.page.fill("#search-plate", plate)
    walker.page.press("#search-plate", "Enter")
    walker.shows("#found", plate)
    walker.press("#found .passage")
    walker.seen(".timeline [data-kind=passage]")
    walker.seen(".timeline [data-kind=decision]")
    walker.seen(".timeline [data-kind=delivery] .step-answer")
    walker.press("#view-records [data-action=correct_plate]")
    walker.order(plate=better)
    walker.shows(".timeline", better)
    corrected = [fact.body for fact in walker.box.facts() if fact.kind == "PlateCorrected"][-1]
    assert (corrected["old"], corrected["new"]) == (plate, better)


def test_a_delivery_that_was_set_aside_is_sent_again(walker: Walker, walk_site: Site) -> None:
    plate = f"鲁F{walker.tag}666"
    queue = walker.box.data / "deliveries.db"
    before = delivery_counts(queue).get("set_aside", 0)
    walk_site.platform.weather.set("refuse_item")
    walker.passage(walker.box.bays["in1"], plate)
    walker.go("records")
    walker.press("#view-records .segment >> nth=1")
    walker.page.fill("#search-plate", plate)
    until(lambda: delivery_counts(queue).get("set_aside", 0) > before, "tried, set aside")
    walk_site.platform.weather.clear()
    walker.page.press("#search-plate", "Enter")
    walker.seen("#found [data-state=set_aside]")
    assert not walk_site.platform.by_plate(on_wire(plate))
    walker.press("#found [data-action=repeat_delivery]")
    walker.order()
    until(lambda: walk_site.platform.by_plate(on_wire(plate)), "the city has it")


def test_commissioning_is_walked_and_reported(walker: Walker) -> None:
    walker.go("setup")
    item = walker.page.locator("#view-setup .item:has(form)").first
    name = item.get_attribute("data-item")
    before = item.get_attribute("data-state")
    if before != "ok":
        item.locator("[name=note]").fill(WHY)
    item.locator("button").click()
    wanted = "ok" if before != "ok" else "open"
    walker.seen(f"[data-item={name}][data-state={wanted}]")
    address = f"试验路 {walker.tag} 1 号"
    walker.page.fill("#application [name=address]", address)
    walker.press("#application button[type=submit]")
    walker.page.wait_for_function(
        "address => document.querySelector('#application [name=address]')?.value === address", arg=address
    )
    with walker.page.context.expect_page() as waiting:
        walker.press("#view-setup a[href^='/api/commissioning/report']")
    report = waiting.value
    report.wait_for_load_state()
    assert address in report.inner_text("body")
    assert report.evaluate("document.documentElement.lang").startswith(walker.language)
    report.close()


def test_the_configuration_goes_out_and_in(walker: Walker, tmp_path: Path) -> None:
    walker.go("admin")
    down = walker.download(lambda: walker.press("#config button >> nth=0"))
    text = Path(down.path()).read_text("utf-8")
    assert "total_stalls = 1000" in text
    assert "Parkbox-1" not in text
    bad, good = tmp_path / "bad.toml", tmp_path / "good.toml"
    bad.write_text(text.replace("total_stalls = 1000", "total_stalls = -1"), "utf-8")
    good.write_text(text.replace("total_stalls = 1000", "total_stalls = 999"), "utf-8")
    for file, ok, words in ((bad, "false", "total_stalls"), (good, "true", "")):
        walker.page.set_input_files("#config [name=file]", file)
        walker.page.fill("#config [name=why]", WHY)
        walker.press("#config form button")
        walker.seen(f"#config form .answer[data-ok={ok}]")
        assert words in walker.page.inner_text("#config form .answer")
    assert "total_stalls = 999" in walker.box.config.read_text("utf-8")
    walker.page.set_input_files("#config [name=file]", bad)  # leave it as it was: the next walk reads it, too
    good.write_text(text, "utf-8")
    walker.page.set_input_files("#config [name=file]", good)
    walker.press("#config form button")
    until(lambda: "total_stalls = 1000" in walker.box.config.read_text("utf-8"), "the old one is back")


def test_the_diagnostics_bundle_comes_down(walker: Walker) -> None:
    walker.go("admin")
    down = walker.download(lambda: walker.press("#diagnostics button"))
    data = gzip.decompress(Path(down.path()).read_bytes())
    assert b"Parkbox-1" not in data
    assert len(data) > 1000


def test_users_are_made_changed_and_removed(walker: Walker) -> None:
    name = f"wang-{walker.tag.lower()}"
    walker.go("admin")
    walker.press("#users [data-action=user_add]")
    words = walker.order(name=name, role="viewer")
    assert len(words.splitlines()) > 1  # the first password is shown once
    row = f"[data-user={name}] "
    walker.seen(row)
    walker.press(f"{row}[data-action=user_role]")
    walker.order(role="technician")
    role = {"zh": "技术员", "en": "Technician"}[walker.language]
    walker.shows(f"{row}.row-state", role)
    walker.press(f"{row}[data-action=user_reset]")
    walker.order()
    walker.press(f"{row}[data-action=user_remove]")
    walker.order()
    walker.page.wait_for_selector(row, state="detached")


def test_the_audit_tells_who_did_what_and_is_exported(walker: Walker) -> None:
    walker.go("now")
    walker.go("admin")
    walker.seen("#audit .audit-whole[data-ok=true]")
    walker.shows("#audit-rows", WHY)
    down = walker.download(lambda: walker.press("#audit a[href='/api/audit.csv']"))
    rows = list(csv.reader(io.StringIO(Path(down.path()).read_text("utf-8-sig"))))
    assert any(WHY in row for row in rows)
    assert any("user_remove" in row for row in rows)


def test_the_own_password_is_changed(walker: Walker) -> None:
    walker.go("admin")
    walker.press("#account button >> nth=0")
    for name, value in (("old", PASSWORD), ("new", PASSWORD + "x"), ("again", PASSWORD + "x")):
        walker.page.fill(f"#sheet [name={name}]", value)
    walker.press("#sheet form button[type=submit]")
    walker.seen("#sheet .answer[data-ok=true]")
    for name, value in (("old", PASSWORD + "x"), ("new", PASSWORD), ("again", PASSWORD)):
        walker.page.fill(f"#sheet [name={name}]", value)
    walker.press("#sheet form button[type=submit]")
    walker.page.wait_for_function("() => !document.querySelector('#sheet form').dataset.busy")
    walker.seen("#sheet .answer[data-ok=true]")
    walker.page.keyboard.press("Escape")
    walker.page.wait_for_selector("#sheet", state="hidden")


def test_logging_out_leaves_nothing_of_the_lot(walker: Walker) -> None:
    walker.go("admin")
    walker.press("#account button >> nth=1")
    walker.seen("#login form")
    wait_text(walker.page, "#verdict", {"zh": "请登录", "en": "Please log in"}[walker.language])
    assert walker.page.locator("[data-lane], .passage, .user-row").count() == 0
    assert "试验" not in walker.page.title()
    log_in(walker.page, "admin")
    walker.seen("#tabs:not([hidden])")


def test_both_programs_are_restarted_and_the_page_comes_back(walker: Walker, walk_site: Site) -> None:
    walker.go("admin")
    walker.press("#programs [data-action=restart] >> nth=1")
    assert {"zh": "车道程序", "en": "lane program"}[walker.language] in walker.order()
    assert walk_site.lanes[-1].end() == ASKED_EXIT  # in an orderly way; whoever supervises it starts it again
    walker.go("now")
    dead = {"zh": "车道程序无应答", "en": "The lane program does not answer"}[walker.language]
    walker.shows("#fault-list", dead)
    with walk_site.box.lane() as lane:
        lane.await_ready()
        gone = "dead => !document.getElementById('fault-list').textContent.includes(dead)"
        walker.page.wait_for_function(gone, arg=dead)
        walker.at_lane(walker.box.bays["in1"], "open")  # and it obeys again
        until(lambda: walker.box.bays["in1"].arm_up, "raised by the new one")
        restarted_agent(walker, walk_site)


def restarted_agent(walker: Walker, site: Site) -> None:
    walker.go("admin")
    walker.press("#programs [data-action=restart] >> nth=0")
    walker.page.fill("#sheet [name=why]", WHY)
    walker.press("#sheet button[type=submit]")
    assert site.agents[-1].end() == ASKED_EXIT
    with site.box.agent() as agent:
        agent.await_ready()
        walker.seen("#login form")
        assert walker.page.locator("[data-lane]").count() == 0
        log_in(walker.page, "admin")
        walker.seen("#tabs:not([hidden])")
        assert agent.stop() == 0
