"""`web.desk_money.MoneyDesk` under a test's hand: a car at the exit, an order, tariffs, a card, entries of lists."""

from __future__ import annotations

from typing import Any

import msgspec

from edge.core.facts_flow import Vehicle
from edge.core.facts_money import ShareHours
from edge.core.money_seen import (
    CarAtArm,
    CardRow,
    CardRows,
    ExitDesk,
    ExitLane,
    ListRow,
    ListRows,
    MoneyOrderRow,
    MoneyOrders,
    Price,
    PriceStep,
    TakenOff,
    TariffRow,
    Tariffs,
)
from edge.web.api_money import TryTariff
from edge.web.api_views import OrderStory, StoryStep
from edge.web.span import Span
from tests.web_fakes import ARRIVAL, NOON_MS, ORDER, READ_ID

HOUR_MS = 3_600_000
PARAM = (
    '{"form":"parkbox-1","free_min":15,"free_mode":"all","day":"entry","first_each":"day","first_min":60,'
    '"first_fen":500,"rates":[{"unit_min":30,"unit_fen":200,"from":"00:00","until":"00:00","cap_fen":0}],'
    '"day_cap_fen":3000,"visit_cap_fen":0}'
)


def car(**changes: Any) -> CarAtArm:
    waiting = CarAtArm(
        arrival_id=ARRIVAL, plate="鲁B88888", read_id=READ_ID, visit_id="f" * 32, order_id=ORDER, state="waiting",
        method="", entered_ms=NOON_MS - 2 * HOUR_MS, entry_lane="in1", parked_ms=2 * HOUR_MS, due_fen=1400,
        discount_fen=200, pay_fen=1200, owed_fen=1200, settled_fen=500, overtime=True, why="owed", why_zh="须缴费",
        why_en="to be paid", rest_min=0, tariff_zh="首60分钟5.00元", tariff_en="first 60 min 5.00 yuan",
        coupons=(TakenOff("c7", 200),),
        pays="",
    )  # fmt: skip
    return msgspec.structs.replace(waiting, **changes)


def desk(one: CarAtArm | None = None, state: str = "wait_payment") -> ExitDesk:
    at = ExitLane(lane="out1", state=state, zh="等待缴费", en="waits for money", car=one)
    return ExitDesk((at,), False)


def order(**changes: Any) -> MoneyOrderRow:
    late = MoneyOrderRow(
        order_id="o1", visit_id="f" * 32, plate="鲁B88888", state="overtime", lane="out1",
        entered_ms=NOON_MS - 2 * HOUR_MS, billed_ms=NOON_MS - HOUR_MS, parked_ms=HOUR_MS, due_fen=500, discount_fen=0,
        pay_fen=500, overtime=False, paid_fen=500, method="online", paid_ms=NOON_MS - HOUR_MS, refund_due_fen=300,
        refunded_fen=0, refundable_fen=800,
    )  # fmt: skip
    return msgspec.structs.replace(late, **changes)


class FakeMoney:
    """What the test sets is what the page gets; `asked` notes the questions."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.desk = desk(car())
        self.rows: tuple[MoneyOrderRow, ...] = (order(),)
        self.failure: Exception | None = None

    def exit_desk(self) -> ExitDesk:
        self.asked.append(("desk",))
        return self.desk

    def orders(self, span: Span, before: str, limit: int) -> MoneyOrders:
        self.asked.append(("orders", span, before, limit))
        rows = self.rows[next((at for at, row in enumerate(self.rows, 1) if row.order_id == before), 0) :]
        fits = [row for row in rows if span.plate in row.plate]
        return MoneyOrders(tuple(fits[:limit]), len(fits) > limit)

    def story(self, order_id: str) -> OrderStory:
        self.asked.append(("story", order_id))
        steps = (
            StoryStep(NOON_MS - HOUR_MS, True, "quoted", "", "手机查询出账", "made out for a phone", 500),
            StoryStep(NOON_MS, True, "refund_due", "", "待退款: 重复支付", "to be given back: paid twice", 300, False),
        )
        return OrderStory(order(), 41, steps, True)

    def tariffs(self) -> Tariffs:
        row = TariffRow(
            version="v2", tariff_id="local", name="", car_type="", city="", in_force=True, cars=3, leave_min=15,
            zh="15分钟以内(含)免费; 每30分钟2.00元", en="free up to 15 min; 2.00 yuan for each 30 min begun",
            param=PARAM, who="",
        )  # fmt: skip
        old = msgspec.structs.replace(row, version="v1", tariff_id="t1", name="旧标准", city="qingdao", in_force=False)
        return Tariffs((row, old))

    def price(self, version: str, vehicle: Vehicle, began_ms: int, until_ms: int) -> Price:
        self.asked.append(("price", version, vehicle, began_ms, until_ms))
        if self.failure is not None:
            raise self.failure
        steps = (PriceStep("第1日 首60分钟", "day 1: first 60 min", 500), PriceStep("单次封顶", "cap of a visit", -100))
        return Price(400, until_ms - began_ms, steps)

    def try_tariff(self, tried: TryTariff) -> Price:
        self.asked.append(("try", tried))
        if self.failure is not None:
            raise self.failure
        return Price(700, tried.until_ms - tried.began_ms, (PriceStep("第1日", "day 1", 700),))

    def cards(self, plate: str, limit: int) -> CardRows:
        self.asked.append(("cards", plate, limit))
        row = CardRow(
            card_id="k1", plates=("鲁B11111", "鲁B22222"), places=1, taken=1, from_ms=NOON_MS - HOUR_MS,
            until_ms=NOON_MS + HOUR_MS, standing="full", hours=(ShareHours(1200, 480, (0, 4)),), plan="业主月卡",
            expired="refuse", full="temporary", city="qingdao",
        )  # fmt: skip
        return CardRows((row,), 1, False)

    def lists(self, plate: str, limit: int) -> ListRows:
        self.asked.append(("lists", plate, limit))
        row = ListRow(
            entry_id="e1", plate="鲁B00001", strategy="no_entry", from_ms=NOON_MS - HOUR_MS, until_ms=NOON_MS + HOUR_MS,
            in_force=True, origin="公安", city="shenzhen",
        )  # fmt: skip
        own = msgspec.structs.replace(row, entry_id="", plate="鲁B00002", strategy="free_pass", from_ms=0, until_ms=0,
                                      origin="config", city="")
        return ListRows((own, row), 2, True)
