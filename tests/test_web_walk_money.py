"""Money at the page over the two running programs: the exit desk, an order's story, the calculator."""

from __future__ import annotations

from tests.program_rig import until
from tests.web_walker import WHY, Walker

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
