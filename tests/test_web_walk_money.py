"""Money at the page over the two running programs: the exit desk, an order's story, the calculator."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from hal_sim.qingdao.purse import BEIJING
from tests.program_rig import until
from tests.web_walker import WHY, Site, Walker, on_wire

pytest_plugins = ("tests.web_browser", "tests.web_walk_site")


def test_at_the_exit_desk_a_car_pays_and_its_order_tells_the_story(walker: Walker) -> None:
    bay, plate = walker.box.bays["out2"], f"鲁C{walker.tag}333"
    english = walker.language == "en"
    walker.passage(walker.box.bays["in1"], plate)
    walker.go("money")
    walker.press("#view-money a[href='#money/desk']")
    walker.stands(bay, plate, "wait_payment")
    walker.shows("[data-exit=out2]", plate)  # it came while the desk was open
    due_fen = walker.box.lane_view("out2")["due_fen"]
    walker.shows("[data-exit=out2] .due", f"¥{due_fen // 100}.{due_fen % 100:02d}")
    walker.shows("[data-exit=out2] .pairs", "to be paid" if english else "须缴费")
    walker.press("[data-exit=out2] [data-action=pay_cash]")
    walker.order()
    until(lambda: bay.arm_up, "paid, raised")
    walker.drives_on(bay)
    until(lambda: not bay.arm_up, "lowered")
    walker.press("#view-money a[href='#money/orders']")
    walker.page.fill("#view-money [name=plate]", plate)
    walker.press("#view-money form button")
    walker.shows("#money-found [data-order=closed]", plate)
    walker.press("#money-found [data-order=closed] a")
    walker.shows("#view-money .timeline", f"admin: {WHY}")
    steps = walker.page.locator("#view-money .step").evaluate_all("all => all.map((one) => one.dataset.kind)")
    assert [kind for kind in steps if kind != "decided"] == ["passage", "quoted", "paid", "passage"]
    walker.press("#view-money a[href^='#records/visit']")
    walker.shows("#view-records", plate)
    walker.press("#view-records .back")


def test_the_box_says_what_a_stay_costs_by_its_tariff(walker: Walker) -> None:
    walker.go("money")
    walker.press("#view-money a[href='#money/tariffs']")
    walker.page.fill("#calculator [name=began]", "2026-11-21T08:00")
    walker.page.fill("#calculator [name=until]", "2026-11-21T10:30")
    walker.press("#calculator button")
    walker.seen("#price .sum")

    def fen(selector: str) -> list[int]:
        return [int(text.replace("¥", "").replace(".", "")) for text in walker.page.locator(selector).all_inner_texts()]

    (fee,) = fen("#price .sum .fen")
    assert sum(fen("#price > dl > div:not(.sum) .fen")) == fee > 0
    for part, empty in (("cards", ("没有月卡", "No card found")), ("lists", ("没有名单", "No entry found"))):
        walker.press(f"#view-money a[href='#money/{part}']")
        walker.shows("#money-found", empty[walker.language == "en"])


def last(walker: Walker, kind: str) -> dict[str, Any]:
    return [fact.body for fact in walker.box.facts() if fact.kind == kind][-1]


def test_a_card_is_issued_used_extended_and_cancelled(walker: Walker) -> None:
    plate, today = f"鲁C{walker.tag}555", datetime.now(BEIJING).date()
    walker.go("money")
    walker.press("#view-money a[href='#money/cards']")
    walker.press("#money-found [data-action=card_add]")
    until_day = today + timedelta(days=30)
    walker.order(plates=plate, places="1", from_day=f"{today}", until_day=f"{until_day}")
    walker.shows("#money-found", plate)
    walker.passage(walker.box.bays["in1"], plate)
    walker.passage(walker.box.bays["out2"], plate)
    until(lambda: last(walker, "Passed")["direction"] == "out", "exit on record")
    left = last(walker, "Passed")
    assert (left["plate"], left.get("due_fen", 0)) == (plate, 0)
    row = f"#money-found .holder:has-text('{plate}') "
    walker.press(f"{row}[data-action=card_extend]")
    walker.order(until_day=f"{until_day + timedelta(days=30)}")
    assert last(walker, "CardSet")["operation"] == "extend"
    walker.press(f"{row}[data-action=card_cancel]")
    walker.order()
    assert last(walker, "CardCancelled")["card_id"] == last(walker, "CardSet")["card_id"]
    walker.page.wait_for_function(
        "plate => !document.querySelector('#money-found').textContent.includes(plate)", arg=plate
    )
    ordered = last(walker, "Ordered")
    assert (ordered["who"], ordered["why"]) == ("admin", WHY)


def test_a_plate_on_the_list_is_not_let_in_until_it_is_off_it(walker: Walker) -> None:
    bay, plate, today = walker.box.bays["in1"], f"鲁C{walker.tag}666", datetime.now(BEIJING).date()
    walker.go("money")
    walker.press("#view-money a[href='#money/lists']")
    walker.press("#money-found [data-action=list_add]")
    walker.order(plate=plate, list_kind="black", from_day=f"{today}", until_day="2099-12-31")
    walker.shows("#money-found", plate)
    walker.go("now")
    walker.stands(bay, plate, "refused")
    walker.backs_out(bay)
    walker.go("money")
    walker.press("#view-money a[href='#money/lists']")
    walker.press(f"#money-found .holder:has-text('{plate}') [data-action=list_remove]")
    walker.order()
    walker.go("now")
    walker.stands(bay, plate, "admitted")
    until(lambda: bay.arm_up, "let in")
    walker.drives_on(bay)
    until(lambda: not bay.arm_up, "lowered")


def test_a_new_tariff_prices_who_comes_then_and_money_is_given_back(walker: Walker, walk_site: Site) -> None:
    bay, plate = walker.box.bays["out2"], f"鲁C{walker.tag}777"
    fee = {"zh": "6.50", "en": "7.50"}[walker.language]
    walker.go("money")
    walker.press("#view-money a[href='#money/tariffs']")
    walker.page.select_option("#calculator [name=version]", "new")
    walker.page.fill("#calculator [name=first_fen]", fee)
    walker.press("#calculator button[type=submit]")
    walker.seen("#price .sum")
    walker.press("#calculator [data-action=tariff_version]")
    walker.order()
    walker.shows("#tariffs", fee)
    walker.passage(walker.box.bays["in1"], plate)
    walker.press("#view-money a[href='#money/desk']")
    walker.stands(bay, plate, "wait_payment")
    walker.shows("[data-exit=out2] .due", f"¥{fee}")
    walker.press("[data-exit=out2] [data-action=pay_cash]")
    walker.order()
    until(lambda: bay.arm_up, "paid, raised")
    walker.drives_on(bay)
    until(lambda: not bay.arm_up, "lowered")
    walker.press("#view-money a[href='#money/orders']")
    walker.page.fill("#view-money [name=plate]", plate)
    walker.press("#view-money form button")
    walker.press("#money-found [data-order=closed] a")
    walker.press("#view-money [data-action=refund]")
    assert re.match(r"✕", walker.order(ok=False, amount_fen="99.00"))  # more than was taken
    walker.press("#view-money [data-action=refund]")
    walker.order(amount_fen=fee)
    walker.shows("#view-money .timeline", fee)
    back = last(walker, "Refunded")
    assert (back["plate"], back["amount_fen"], back["who"], back["why"]) == (
        plate, round(float(fee) * 100), "admin", WHY,
    )  # fmt: skip

    def given_back() -> bool:
        charges = [one.item for one in walk_site.platform.by_plate(on_wire(plate)) if one.kind == "carcharge"]
        return [str(one["pay_status"]) for one in charges] == ["1", "2"]

    until(given_back, "the city knows that it was paid and given back (pay_status 2)")
