"""Cards at the arm and in the bill: open, extend, freeze, cancel, places, shared hours, expiry as issued (16 to 26)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edge.core.admission import LotRules
from edge.core.box import Box
from edge.core.commands import Answer
from edge.core.facts import Decided
from edge.core.facts_money import CardCar, CardTerms, ShareHours
from edge.core.lot import LotState
from edge.core.tariff_plan import ClassPrice, Rate, TariffPlan
from tests.lane_bench import HOUR_MS, LANES
from tests.money_box import MIN_MS, PLATE, RULE, MoneyBench

DAY_MS = 24 * HOUR_MS
SECOND = "鲁B22222"


class CardBench(MoneyBench):
    def card(
        self, operation: str = "open", card_id: str = "k1", plates: tuple[str, ...] = (PLATE,), **more: Any
    ) -> Answer:
        """Valid for 30 days from now unless said otherwise."""
        now_ms = self.stamp().wall_ms
        given = {"from_ms": now_ms, "until_ms": now_ms + 30 * DAY_MS, **more}
        return self.ask("card", operation=operation, card_id=card_id, cars=tuple(map(CardCar, plates)), **given)

    def plan(self, expired: Any = "temporary", full: Any = "temporary", **more: Any) -> Answer:
        return self.ask("plan", plan_id="p1", terms=CardTerms(expired, full), **more)

    def at_the_entrance(self, plate: str = PLATE) -> Decided:
        self.read("in", plate)
        self.loops("in", arrival=True)
        return self.bodies(Decided)[-1]


@pytest.fixture
def cards() -> CardBench:
    return CardBench()


def test_within_its_period_it_passes_and_pays_nothing(cards: CardBench) -> None:
    assert cards.card().ok
    cards.parked(2 * DAY_MS)
    assert cards.bodies(Decided)[-1].rule == "card"
    asked = cards.ask("quote", plate=PLATE)
    assert (asked.ok, asked.reason, asked.quote is not None and asked.quote.card) == (True, "card", True)
    assert cards.come().rule == "exit_card"
    assert cards.go().due_fen == 0


def test_a_card_lets_its_car_in_where_only_listed_cars_may(cards: CardBench) -> None:
    class ListedBench(CardBench):
        def make(self) -> Box:
            ids = self.ids
            return Box(LANES, LotRules(admit="list"), RULE, LotState(20), lambda: next(ids), "test", "box")

    listed = ListedBench()
    assert listed.at_the_entrance().rule == "not_on_list"
    listed.loops("in", arrival=False)
    listed.wait(60_000)
    listed.card()
    assert listed.at_the_entrance().rule == "card"


def test_what_a_card_does_not_cover_is_paid(cards: CardBench) -> None:
    """Expired while inside, 转临时套餐: billed from the expiry on, as a stay that begins there."""
    cards.card(until_ms=cards.stamp().wall_ms + DAY_MS)
    cards.parked(DAY_MS + 10 * MIN_MS - 1)
    assert cards.ask("quote", plate=PLATE).reason == "free_time"
    cards.wait(45 * MIN_MS)
    assert cards.quote().pay_fen == 500
    # Extended meanwhile: nothing is owed any more.
    cards.card("extend", from_ms=0)  # from when it was valid before
    assert cards.ask("quote", plate=PLATE).reason == "card"


@pytest.mark.parametrize(
    ("expired", "decision", "rule"),
    [("temporary", "admit", "count"), ("refuse", "refuse", "card_expired"), ("keep_in", "admit", "card_expired")],
)
def test_an_expired_card_at_the_entrance_as_its_plan_said_when_it_was_issued(
    cards: CardBench, expired: str, decision: str, rule: str
) -> None:
    cards.plan(expired=expired)
    cards.card(plan_id="p1", until_ms=cards.stamp().wall_ms + 1_000)
    cards.plan(expired="temporary" if expired != "temporary" else "refuse")  # 25 again: for cards issued from now on
    assert cards.ask("plan_delete", plan_id="p1").ok
    cards.wait(60_000)
    decided = cards.at_the_entrance()
    assert (decided.decision, decided.rule) == (decision, rule)
    if expired == "keep_in":
        cards.store()
        cards.drive("in")
        cards.wait(HOUR_MS)
        kept = cards.come()
        assert (kept.wait_for, kept.rule) == ("confirmation", "exit_card_expired")
        cards.card("extend")
        cards.loops("out", arrival=False)
        cards.wait(40_000)
        assert cards.come().wait_for == "payment"  # the time before the extension was not covered


@pytest.mark.parametrize(("full", "rule"), [("temporary", "count"), ("refuse", "card_full")])
def test_two_cars_on_one_place(cards: CardBench, full: str, rule: str) -> None:
    cards.plan(full=full)
    cards.card(plates=(PLATE, SECOND), places=1, plan_id="p1")
    cards.enter(PLATE)
    assert cards.at_the_entrance(SECOND).rule == rule
    if full == "refuse":
        return
    cards.store()
    cards.drive("in")
    cards.wait(50 * MIN_MS)
    assert cards.quote(SECOND).pay_fen == 500
    assert cards.ask("quote", plate=PLATE).reason == "card"
    cards.come(PLATE)
    cards.go()
    assert (
        cards.quote(SECOND).pay_fen == 500
    )  # the place is free for whoever comes next, not for a stay that began before
    cards.come(SECOND)
    cards.order("out", "pay_cash")
    cards.go()
    assert cards.at_the_entrance(SECOND).rule == "card"


def test_shared_hours_and_the_time_over_them(cards: CardBench) -> None:
    """车位分享: 22:00 to 06:00. The bench's clock begins at 06:13 on a Wednesday in China."""
    cards.card(hours=(ShareHours(22 * 60, 6 * 60),))
    cards.wait(15 * HOUR_MS + 47 * MIN_MS)  # some 22:00
    decided = cards.at_the_entrance()
    assert decided.rule == "card"
    cards.store()
    cards.drive("in")
    cards.wait(7 * HOUR_MS)
    assert cards.ask("quote", plate=PLATE).reason == "card"
    cards.wait(90 * MIN_MS)  # past 06:00 by more than the free minutes
    assert cards.quote().pay_fen == 500


def test_what_the_hours_leave_open_costs_what_its_own_hours_cost() -> None:
    """A card of the nights; from some seconds after 19:00 to 17:00 on the next day is 10 hours by day, and one yuan for
    the hour of night that runs on over 08:00 by those seconds."""
    rates = (Rate(30, 500, 8 * 60, 20 * 60), Rate(60, 100, 20 * 60, 8 * 60))

    class DayAndNightBench(CardBench):
        def make(self) -> Box:
            self.terms = msgspec.structs.replace(self.terms, plan=TariffPlan(ClassPrice(rates)))
            return super().make()

    cards = DayAndNightBench()
    cards.card(hours=(ShareHours(20 * 60, 8 * 60),))
    cards.wait(12 * HOUR_MS + 46 * MIN_MS + 40_000 - cards.now_ms)  # 19:00
    cards.parked(22 * HOUR_MS - 60_000)
    assert cards.quote().pay_fen == 20 * 500 + 100


def test_hours_that_begin_on_a_weekday_only(cards: CardBench) -> None:
    cards.card(hours=(ShareHours(0, 0, (5, 6)),))  # 2023-11-15 is a Wednesday
    assert cards.at_the_entrance().rule == "count"
    assert cards.card(hours=(ShareHours(0, 0, (7,)),)).reason == "bad_value"


@pytest.mark.parametrize(("stop", "go"), [("freeze", "unfreeze"), ("lock", "unlock")])
def test_frozen_and_thawed(cards: CardBench, stop: str, go: str) -> None:
    cards.card()
    assert cards.ask("card", operation=stop, card_id="k1").ok  # no cars, no times: those it has
    assert cards.at_the_entrance().rule == "count"
    cards.loops("in", arrival=False)
    cards.wait(60_000)
    assert cards.ask("card", operation=go, card_id="k1").ok
    assert cards.at_the_entrance().rule == "card"


def test_cancelled_by_its_id_alone_once(cards: CardBench) -> None:
    """QC92; and 16 with CLOSE or REFUND (QC50)."""
    cards.card(city_ms=10)
    assert cards.ask("card_cancel", card_id="k1", city_ms=20).ok
    assert cards.ask("card_cancel", card_id="k1", city_ms=20).ok
    assert cards.ask("card_cancel", card_id="k9").reason == "unknown_card"
    assert cards.card(city_ms=15).reason == "older"  # late on the way
    assert cards.at_the_entrance().rule == "count"
    assert cards.card(city_ms=30).ok
    assert cards.ask("card", operation="cancel", card_id="k1", city_ms=40).ok
    assert cards.box.money.cards.by_plate == {}


def test_wrong_orders_are_refused_naming_what_is_wrong(cards: CardBench) -> None:
    assert cards.ask("card", operation="extend", card_id="k1", until_ms=5).reason == "unknown_card"
    bad = cards.card(plates=("--",))
    assert (bad.reason, "'--'" in bad.en) == ("bad_plate", True)
    assert cards.card(from_ms=10, until_ms=9).reason == "bad_value"
    assert cards.ask("plan_delete", plan_id="p9").reason == "unknown_plan"


def test_lists_of_the_city(cards: CardBench) -> None:
    """27, 28: black is not let in, grey is told of, white passes free; both days included."""
    now_ms = cards.stamp().wall_ms
    span: dict[str, Any] = {"from_ms": now_ms, "until_ms": now_ms + DAY_MS}
    assert cards.ask("list", entry_id="l1", plate="鲁B00001", kind="black", **span).ok
    assert cards.ask("list", entry_id="l2", plate="鲁B00002", kind="white", **span).ok
    assert cards.at_the_entrance("鲁B00001").rule == "control_no_entry"
    assert cards.ask("list_delete", entry_id="l1").ok
    assert cards.ask("list_delete", entry_id="l1").ok
    assert cards.ask("list_delete", entry_id="l9").reason == "unknown_entry"
    cards.loops("in", arrival=False)
    cards.wait(60_000)
    assert cards.at_the_entrance("鲁B00001").rule == "count"
    cards.store()
    cards.drive("in")
    cards.wait(20_000)
    cards.enter("鲁B00002")
    cards.wait(HOUR_MS)
    assert cards.ask("quote", plate="鲁B00002").reason == "free_car"
    cards.ask("list", entry_id="l3", plate="鲁B00001", kind="black", **span)
    assert cards.ask("quote", plate="鲁B00001").reason == "barred"
    assert cards.come("鲁B00001").wait_for == "payment"  # who is inside may leave, and pays
    assert cards.ask("list", entry_id="l4", plate="鲁B00001", kind="black", from_ms=2, until_ms=1).reason == "bad_value"


@pytest.mark.parametrize("how", ["facts", "snapshot"])
def test_cards_outlive_a_restart(cards: CardBench, how: str) -> None:
    cards.plan(expired="refuse")
    cards.card(plates=(PLATE, SECOND), places=1, plan_id="p1")
    cards.enter(PLATE)
    cards.again(how)
    cards.wait(60_000)
    assert cards.ask("quote", plate=PLATE).reason == "card"
    assert cards.at_the_entrance(SECOND).rule == "count"
