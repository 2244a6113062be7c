"""Money orders of a person at the page: his own cards, lists and tariff; what a city made stays the city's."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.agent.money_orders import lane_members
from edge.core.commands import Answer
from edge.core.facts_flow import ControlPut, ControlRemoved
from edge.core.facts_money import CardCancelled, CardSet, Refunded, TariffSet
from edge.core.money import Terms
from edge.core.money_look import look
from edge.core.money_seen import AskRefused, MoneyAsk, Price, Tariffs
from edge.core.orders_money import CardOrder
from edge.core.tariff_param import param_of, read_param
from edge.core.tariff_plan import ClassPrice, Rate, TariffPlan
from edge.web import api_money
from edge.web.desk import RefusedError
from tests.lane_bench import HOUR_MS
from tests.money_box import BOARD, MIN_MS, PLATE, MoneyBench

WHY: dict[str, Any] = {"why": "业主申请", "command_id": "c" * 32}
CARD: dict[str, Any] = {"plates": PLATE, "places": 1, "from_day": "2026-11-01", "until_day": "2026-11-30"}
PERSON: dict[str, Any] = {"source": "operator", "city": "", "who": "admin"}
NOV_1_MS, DAY_MS = 1_793_462_400_000, 86_400_000  # 2026-11-01 00:00 in Shanghai


def person(bench: MoneyBench, op: str, **given: Any) -> Answer:
    return bench.ask(op, **PERSON, **given)


def test_a_persons_card_is_opened_extended_and_cancelled() -> None:
    bench = MoneyBench()
    members = lane_members(api_money.CardAdd(**{**CARD, "plates": "鲁B11111, 鲁B22222"}, **WHY))
    assert members is not None
    assert person(bench, "card", **_card(members)).ok
    (card,) = bench.bodies(CardSet)
    assert (card.card_id, [car.plate for car in card.cars], card.places) == ("c" * 32, ["鲁B11111", "鲁B22222"], 1)
    assert (card.from_ms, card.until_ms) == (NOV_1_MS, NOV_1_MS + 30 * DAY_MS - 1)  # both days included
    longer = lane_members(api_money.CardExtend(card_id=card.card_id, until_day="2026-12-01", **WHY))
    assert longer is not None
    assert person(bench, "card", **longer).ok
    assert bench.bodies(CardSet)[-1].until_ms == NOV_1_MS + 31 * DAY_MS - 1
    assert [car.plate for car in bench.bodies(CardSet)[-1].cars] == ["鲁B11111", "鲁B22222"]
    gone = lane_members(api_money.CardCancel(card_id=card.card_id, **WHY))
    assert gone is not None
    assert person(bench, "card_cancel", **gone).ok
    assert bench.bodies(CardCancelled)[-1].card_id == card.card_id


def _card(members: dict[str, Any]) -> dict[str, Any]:
    """As the socket decodes it."""
    raw = msgspec.json.encode({"command_id": "x", "who": "w", "why": "y", **members})
    order = msgspec.json.decode(raw, type=CardOrder)
    return {name: getattr(order, name) for name in members}


def test_a_plate_is_put_on_a_list_and_taken_off() -> None:
    bench = MoneyBench()
    put = api_money.ListAdd(plate=PLATE, list_kind="black", from_day="2026-11-01", until_day="2099-12-31", **WHY)
    members = lane_members(put)
    assert members is not None
    assert person(bench, "list", **members).ok
    (control,) = bench.bodies(ControlPut)
    assert (control.plate, control.strategy, control.from_ms) == (PLATE, "no_entry", NOV_1_MS)
    assert person(bench, "list_delete", entry_id=control.entry_id).ok
    assert [removed.plate for removed in bench.bodies(ControlRemoved)] == [PLATE]


def test_what_a_city_made_is_not_changed_by_a_person() -> None:
    bench = MoneyBench()
    card = _card({"operation": "open", "card_id": "k1", "cars": [{"plate": PLATE}], "until_ms": NOV_1_MS})
    assert bench.ask("card", **card).ok
    assert bench.ask("list", entry_id="e1", plate=PLATE, kind="black", from_ms=0, until_ms=NOV_1_MS * 2).ok
    assert bench.ask("tariff", tariff_id="t1", param=BOARD, leave_min=5).ok
    before = len(bench.facts)
    refusals = [
        person(bench, "card", operation="extend", card_id="k1", until_ms=NOV_1_MS * 2),
        person(bench, "card_cancel", card_id="k1"),
        person(bench, "list", entry_id="e1", plate=PLATE, kind="white", from_ms=0, until_ms=NOV_1_MS * 2),
        person(bench, "list_delete", entry_id="e1"),
        person(bench, "tariff", tariff_id="t1", param=BOARD, leave_min=9),
        person(bench, "tariff_delete", tariff_id="t1"),
    ]
    assert {answer.reason for answer in refusals} == {"of_city"}
    assert {fact.body.__class__.__name__ for fact in bench.facts[before:]} == {"Ordered"}  # who tried is on record
    assert bench.ask("tariff", tariff_id="local", param=BOARD, leave_min=9).reason == "bad_value"  # nor a city ours


def test_a_new_version_of_the_boxes_own_tariff_is_for_who_comes_then() -> None:
    bench = MoneyBench()
    bench.parked(10 * MIN_MS)
    assert person(bench, "tariff", tariff_id="local", param=BOARD, leave_min=20).ok
    bench.enter("鲁B22222")
    bench.wait(30 * MIN_MS)
    assert bench.quote(PLATE).pay_fen == 500
    assert (bench.quote("鲁B22222").pay_fen, bench.quote("鲁B22222").leave_min) == (1000, 20)
    assert bench.bodies(TariffSet)[-1].who == "admin"
    seen = look(bench.box, MoneyAsk(what="tariffs"), bench.stamp())
    assert isinstance(seen, Tariffs)
    assert [(row.in_force, row.who) for row in seen.rows] == [(True, "admin"), (False, "")]


@pytest.mark.parametrize("how", ["facts", "snapshot"])
def test_a_persons_version_outlives_a_restart_and_ends_with_another_configuration(how: str) -> None:
    bench = MoneyBench()
    assert person(bench, "tariff", tariff_id="local", param=BOARD, leave_min=20).ok
    bench.again(how)
    bench.enter("鲁B22222")
    bench.wait(30 * MIN_MS)
    assert bench.quote("鲁B22222").pay_fen == 1000
    bench.terms = Terms(plan=TariffPlan(ClassPrice((Rate(60, 900),))))
    bench.again(how, same=False)
    bench.enter("鲁B33333")
    bench.wait(30 * MIN_MS)
    assert bench.quote("鲁B33333").pay_fen == 900
    bench.again(how, same=False)
    assert len(bench.bodies(TariffSet)) == 3  # a start with the same configuration says nothing


def test_a_tariff_is_tried_without_being_put_in_force() -> None:
    bench = MoneyBench()

    def tried(param: str) -> Price:
        ask = MoneyAsk(what="price", param=param, began_ms=NOV_1_MS, until_ms=NOV_1_MS + 2 * HOUR_MS)
        seen = look(bench.box, ask, bench.stamp())
        assert isinstance(seen, Price)
        return seen

    assert tried(BOARD).fen == 2000
    with pytest.raises(AskRefused, match=r"param\.rates"):
        tried('{"form": "parkbox-1", "rates": [{"unit_min": 0, "unit_fen": 1}]}')
    assert [tariff.tariff_id for tariff in bench.bodies(TariffSet)] == ["local"]


def test_money_given_back_is_a_fact_with_who_and_why_and_never_more_than_was_taken() -> None:
    bench = MoneyBench()
    bench.parked()
    order_id = bench.quote().order_id
    assert person(bench, "refund", order_id=order_id, amount_fen=1).reason == "bad_value"  # nothing was taken yet
    bench.pay(order_id, 500)
    assert person(bench, "refund", order_id=order_id, amount_fen=501).reason == "bad_value"
    assert person(bench, "refund", order_id=order_id, amount_fen=200).ok
    assert person(bench, "refund", order_id=order_id, amount_fen=301).reason == "bad_value"
    assert person(bench, "refund", order_id=order_id, amount_fen=300).ok
    assert [(back.amount_fen, back.who, back.why) for back in bench.bodies(Refunded)] == [
        (200, "admin", "y"), (300, "admin", "y"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"from_day": "2026-11-31"}, "from_day: 2026-11-31"),
        ({"until_day": "2026-10-31"}, "until_day: 2026-10-31 is before 2026-11-01"),
        ({"from_day": "0026-11-01"}, "years 2000 to 2099"),
        ({"plates": "鲁B11111 ??"}, r"plates: \?\?"),
        ({"plates": ","}, "at least one plate"),
        ({"plates": "hello"}, "plates: hello is no plate"),
        ({"plates": "鲁B11111 鲁b·11111"}, "鲁B11111 stands twice"),
    ],
)
def test_a_value_that_is_none_is_refused_by_its_name(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        lane_members(api_money.CardAdd(**{**CARD, **changed}, **WHY))


fen, minutes = st.integers(0, 10_000), st.integers(1, 1440)
prices = st.builds(
    ClassPrice,
    st.one_of(
        st.tuples(st.builds(Rate, minutes, fen)),
        st.builds(
            lambda cut, a, b: (Rate(a[0], a[1], cut, 0), Rate(b[0], b[1], 0, cut)),
            st.integers(1, 1439), st.tuples(minutes, fen), st.tuples(minutes, fen),
        ),
    ),
    st.integers(0, 1440), fen, fen, fen,
)  # fmt: skip


@given(
    st.builds(
        TariffPlan, prices, st.integers(0, 1440), st.sampled_from(["all", "rest"]),
        st.sampled_from(["entry", "calendar"]), st.sampled_from(["day", "visit"]),
        st.dictionaries(st.sampled_from(["large", "small"]), prices),
    )
)  # fmt: skip
def test_the_text_of_a_tariff_is_read_as_the_same_tariff(plan: TariffPlan) -> None:
    assert read_param(param_of(plan)) == plan
