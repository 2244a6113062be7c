"""What the lane program tells a person of money: the car at the exit, orders, tariffs, cards and lists, bounded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from edge.ask_lane import LaneAnswer, ask_lane
from edge.core import money_look
from edge.core.facts_money import CardCar
from edge.core.money_look import look
from edge.core.money_seen import AskRefused, CardRows, ExitDesk, ListRows, MoneyAsk, MoneyOrders, Price
from edge.lane.socket import LaneSocket
from tests.lane_bench import HOUR_MS
from tests.money_box import BOARD, PLATE, MoneyBench

DAY_MS = 24 * HOUR_MS
MIN_MS = 60_000


def ask(bench: MoneyBench, what: str, **given: Any) -> Any:
    return look(bench.box, MoneyAsk(what=what, **given), bench.stamp())  # type: ignore[arg-type]


def test_the_desk_tells_who_stands_there_what_it_owes_and_by_which_tariff() -> None:
    bench = MoneyBench()
    empty: ExitDesk = ask(bench, "desk")
    assert [(one.lane, one.car) for one in empty.exits] == [("out", None)]
    bench.parked(2 * HOUR_MS)
    bench.come()
    (at,) = ask(bench, "desk").exits
    assert at.state == "wait_payment"
    car = at.car
    assert car is not None
    # 5 yuan the first hour, 2 each half hour begun
    assert (car.plate, car.due_fen, car.discount_fen, car.pay_fen, car.owed_fen) == (PLATE, 900, 0, 900, 900)
    assert (car.why, car.why_zh, car.state, car.entry_lane) == ("owed", "须缴费", "waiting", "in")
    assert car.parked_ms // MIN_MS == 119
    assert "首60分钟5.00元" in car.tariff_zh
    assert "first 60 min of each day 5.00 yuan" in car.tariff_en
    assert bench.pay(car.order_id, 900).ok
    paid = ask(bench, "desk").exits[0].car
    assert (paid.order_id, paid.owed_fen, paid.state) == (car.order_id, 0, "paid")


def test_a_car_let_out_for_nothing_is_not_told_as_paid() -> None:
    bench = MoneyBench()
    bench.parked()
    bench.come()
    assert bench.order("out", "pay_free").ok
    car = ask(bench, "desk").exits[0].car
    assert (car.method, car.owed_fen, car.due_fen, car.discount_fen) == ("free", 0, 500, 500)


def test_a_car_whose_entry_is_unknown_has_no_bill() -> None:
    bench = MoneyBench()
    bench.come("鲁B00009")
    car = ask(bench, "desk").exits[0].car
    assert (car.plate, car.visit_id, car.why, car.order_id, car.tariff_zh) == ("鲁B00009", "", "", "", "")


def test_an_order_is_told_with_what_was_paid_and_what_is_to_be_given_back() -> None:
    bench = MoneyBench()
    bench.parked()
    order_id = bench.quote().order_id
    row = ask(bench, "orders").rows[0]
    assert (row.order_id, row.state, row.pay_fen, row.paid_fen, row.method) == (order_id, "quoted", 500, -1, "")
    bench.pay(order_id, 500, transaction_id="a")
    bench.pay(order_id, 500, transaction_id="b")  # twice
    row = ask(bench, "orders", plate="B123").rows[0]
    assert (row.state, row.paid_fen, row.method, row.refund_due_fen) == ("grace", 500, "online", 500)
    bench.ask("refund", order_id=order_id, amount_fen=500)
    bench.wait(20 * MIN_MS)
    bench.quote()  # the minutes to leave are over: a further order, told first
    newer, older = ask(bench, "orders").rows
    assert (older.state, older.refund_due_fen, older.refunded_fen) == ("overtime", 0, 500)
    assert (newer.state, newer.overtime) == ("quoted", True)
    assert ask(bench, "orders", order_id=order_id).rows == (older,)
    assert ask(bench, "orders", limit=1) == MoneyOrders((newer,), True)
    assert ask(bench, "orders", limit=1, before=newer.order_id) == MoneyOrders((older,), False)
    assert ask(bench, "orders", before=older.order_id) == MoneyOrders((), False)
    with pytest.raises(AskRefused, match="nobody"):
        ask(bench, "orders", before="nobody")
    assert older.paid_ms < newer.billed_ms
    assert ask(bench, "orders", from_ms=newer.billed_ms).rows == (newer,)
    assert ask(bench, "orders", to_ms=newer.billed_ms).rows == (older,)
    assert ask(bench, "orders", from_ms=older.paid_ms + 1, to_ms=newer.billed_ms).rows == ()
    assert ask(bench, "orders", plate="京").rows == ()
    assert ask(bench, "orders", order_id="nobody") == MoneyOrders((), False)


def test_a_deleted_tariff_is_told_while_a_car_under_it_is_inside() -> None:
    bench = MoneyBench()
    assert bench.ask("tariff", tariff_id="t1", param=BOARD, leave_min=20, name="A").ok
    bench.parked()
    assert bench.ask("tariff_delete", tariff_id="t1").ok
    own, old = ask(bench, "tariffs").rows
    assert (own.tariff_id, own.in_force, own.cars, own.leave_min) == ("local", True, 0, 15)
    assert (old.name, old.in_force, old.cars, old.leave_min, old.en) == (
        "A", False, 1, 20, "no free time; 10.00 yuan for each 60 min begun",
    )  # fmt: skip
    priced: Price = ask(bench, "price", version=old.version, began_ms=DAY_MS, until_ms=DAY_MS + 90 * MIN_MS)
    assert priced.fen == 2000
    bench.come()
    bench.pay(ask(bench, "desk").exits[0].car.order_id, 1000)
    bench.go()
    assert [row.tariff_id for row in ask(bench, "tariffs").rows] == ["local"]


def test_the_calculator_shows_how_the_sum_comes_about() -> None:
    """By hand: two days from 09:00 and one hour more."""
    bench = MoneyBench()
    param = (
        '{"form": "parkbox-1", "free_min": 15, "day_cap_fen": 3000, "visit_cap_fen": 6200, "rates": ['
        '{"from": "08:00", "until": "20:00", "unit_min": 30, "unit_fen": 200},'
        '{"from": "20:00", "until": "08:00", "unit_min": 60, "unit_fen": 100, "cap_fen": 500}]}'
    )
    assert bench.ask("tariff", tariff_id="t1", param=param, leave_min=15).ok
    version = next(row.version for row in ask(bench, "tariffs").rows if row.tariff_id == "t1")
    nine_ms = 1_795_222_800_000  # 2026-11-21 09:00 in Shanghai
    told: Price = ask(bench, "price", version=version, began_ms=nine_ms, until_ms=nine_ms + 2 * DAY_MS + HOUR_MS)
    # A day: 24 half hours by day are 48 yuan, 12 hours by night 12 yuan, capped at 5; 53 -> 30. Third day: 4.
    assert [(step.zh, step.fen) for step in told.steps] == [
        ("第1-2日 08:00-20:00 24 × 30分钟, 每30分钟2.00元, 共2日", 9600),
        ("第1-2日 20:00-08:00 12 × 60分钟, 每60分钟1.00元, 共2日", 2400),
        ("第1-2日 20:00-08:00 该时段最高5.00元, 共2日", -1400),
        ("第1-2日 每24小时封顶, 共2日", -4600),
        ("第3日 08:00-20:00 2 × 30分钟, 每30分钟2.00元", 400),
        ("单次封顶", -200),
    ]
    assert told.fen == sum(step.fen for step in told.steps) == 6200
    free: Price = ask(bench, "price", version=version, began_ms=nine_ms, until_ms=nine_ms + 15 * MIN_MS)
    assert (free.fen, [step.en for step in free.steps]) == (0, ["free up to 15 min"])
    for wrong in ({"version": "nobody"}, {"version": version, "began_ms": 2, "until_ms": 1}):
        with pytest.raises(AskRefused):
            ask(bench, "price", **wrong)


def test_cards_say_what_they_are_worth_now() -> None:
    bench = MoneyBench()
    now_ms = bench.stamp().wall_ms
    for card_id, plate, until_ms in (("k1", PLATE, now_ms + DAY_MS), ("k2", "鲁B22222", now_ms - 1)):
        assert bench.ask("card", operation="open", card_id=card_id, cars=(CardCar(plate),), places=1,
                         from_ms=now_ms - DAY_MS, until_ms=until_ms).ok  # fmt: skip
    seen: CardRows = ask(bench, "cards")
    assert [(row.card_id, row.plates, row.standing) for row in seen.rows] == [
        ("k2", ("鲁B22222",), "expired"), ("k1", (PLATE,), "valid"),
    ]  # fmt: skip
    bench.enter(PLATE)
    (mine,) = ask(bench, "cards", plate=PLATE).rows
    assert (mine.standing, mine.taken, mine.places) == ("full", 1, 1)
    assert ask(bench, "cards", plate="22222").rows[0].card_id == "k2"


def test_lists_hold_the_boxs_own_and_the_citys() -> None:
    bench = MoneyBench()
    now_ms = bench.stamp().wall_ms
    for entry_id, kind, from_ms in (("e1", "black", 0), ("e2", "grey", now_ms + HOUR_MS)):
        assert bench.ask("list", entry_id=entry_id, plate=f"鲁A0000{entry_id[1]}", kind=kind, from_ms=from_ms,
                         until_ms=now_ms + DAY_MS).ok  # fmt: skip
    seen: ListRows = ask(bench, "lists")
    assert [(row.plate, row.strategy, row.in_force) for row in seen.rows] == [
        ("鲁A00002", "warn", False), ("鲁A00001", "no_entry", True),
    ]  # fmt: skip
    assert [row.entry_id for row in ask(bench, "lists", plate="鲁A00001").rows] == ["e1"]


def test_a_search_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money_look, "LOOKED_AT", 3)
    bench = MoneyBench()
    for number in range(5):
        bench.ask("card", operation="open", card_id=f"k{number}", cars=(CardCar(f"鲁B0000{number}"),), places=1,
                  from_ms=1, until_ms=2)  # fmt: skip
    seen: CardRows = ask(bench, "cards", plate="00000")
    assert (seen.rows, seen.all, seen.more) == ((), 5, True)  # not among the newest three
    assert [row.card_id for row in ask(bench, "cards", plate="鲁B00000").rows] == ["k0"]  # the whole plate is found
    cut: CardRows = ask(bench, "cards", limit=2)
    assert ([row.card_id for row in cut.rows], cut.more) == (["k4", "k3"], True)


def test_over_the_lanes_socket(tmp_path: Path) -> None:
    bench, path = MoneyBench(), tmp_path / "lane.sock"
    runtime = Runtime()

    async def run() -> tuple[LaneAnswer, LaneAnswer, LaneAnswer]:
        server = LaneSocket(path, runtime, lambda: None, look=lambda one: look(bench.box, one, bench.stamp()))  # type: ignore[arg-type,return-value]
        await server.start()
        try:
            return tuple([  # type: ignore[return-value]
                await asyncio.to_thread(ask_lane, path, {"op": "money", "order": given})
                for given in ({"what": "tariffs"}, {"what": "price", "version": "x"}, {"what": "gold"})
            ])
        finally:
            await server.stop()

    told, refused, wrong = asyncio.run(run())
    assert told.money is not None
    assert told.money["rows"][0]["tariff_id"] == "local"
    assert (refused.ok, refused.money) == (False, None)
    assert "没有这个收费标准版本" in refused.zh
    assert not wrong.ok
    assert "gold" in wrong.en


class Runtime:
    """What the socket needs of the lane program for a look."""

    def __init__(self) -> None:
        self.on_change: list[Any] = []
        self.on_note: list[Any] = []
        self.counters: dict[str, int] = dict.fromkeys(["socket_bad_line", "socket_line_too_long"], 0)
