"""Money at the exit's arm: the order of the car that stands there, and how it is settled there."""

from __future__ import annotations

from typing import Literal

from edge.core.facts import Paid
from edge.core.facts_money import DeductionAsked, Owed, Quoted
from edge.core.lane_camera import CameraActions
from edge.core.lane_types import Arrival


class MoneyActions(CameraActions):
    def make_out(self, car: Arrival) -> None:
        """The order of this car, made out by its bill: the visit's unpaid one anew, or a new one."""
        bill, visit = car.bill, self.box.lot.inside.get(car.visit_id)
        order = self.box.money.orders.unpaid(car.visit_id) if car.visit_id else None
        if order is not None:
            car.order_id = order.order_id
        elif not car.order_id or car.order_id in self.box.money.orders.by_id:
            car.order_id = self.box.new_id()
        if bill is None or visit is None or car.billed is None:
            return
        quoted = Quoted(
            order_id=car.order_id, visit_id=car.visit_id, plate=car.plate, entered=visit.entered, billed=car.billed,
            parked_ms=bill.parked_ms, due_fen=bill.due_fen, discount_fen=bill.discount_fen, pay_fen=bill.pay_fen,
            settled_fen=bill.settled_fen, leave_min=bill.leave_min, overtime=bill.overtime, tariff=bill.tariff,
            colour=visit.colour, entry_lane=visit.lane, booking=visit.booking, credential=bill.credential,
            coupons=bill.coupons, at="arm",
        )  # fmt: skip
        if order is None or order.quotes[-1:] != [quoted]:
            self.record(quoted)
        if bill.pays == "before" and (order is None or not order.deduction):
            self.ask_deduction(car, "before")

    def ask_deduction(self, car: Arrival, mode: Literal["before", "after"]) -> None:
        """13 is to be sent; whoever reads the ledger for the city does."""
        signed = self.box.money.seamless[car.visit_id]
        self.record(
            DeductionAsked(
                order_id=car.order_id, visit_id=car.visit_id, plate=car.plate, mode=mode, pay_fen=car.to_pay_fen,
                user_id=signed.user_id, channel=signed.channel,
            ),
            urgent=True,
        )  # fmt: skip

    def let_owe(self, car: Arrival) -> None:
        """It goes out unpaid, by its seamless payment or because the city is away: its order stays owed."""
        assert car.bill is not None
        self.make_out(car)
        cause: Literal["city_away", "seamless_after"] = "seamless_after" if car.bill.pays == "after" else "city_away"
        self.record(Owed(car.order_id, car.visit_id, car.plate, car.bill.pay_fen, cause))
        if cause == "seamless_after":
            self.ask_deduction(car, "after")

    def paid_by_coupons(self, car: Arrival) -> None:
        """Its coupons cover the whole fee: nobody pays, and the city is told what was taken off (5008)."""
        self.order_to_settle(car)
        car.paid_fen, car.discount_fen = 0, car.due_fen
        self.record(
            Paid(
                order_id=car.order_id, visit_id=car.visit_id, plate=car.plate, method="coupon", due_fen=car.due_fen,
                paid_fen=0, discount_fen=car.due_fen, entered=car.entered, colour=car.colour,
                entry_lane=car.entry_lane, booking=car.booking, coupons=car.coupons, billed=car.billed,
                overtime=car.bill is not None and car.bill.overtime,
            )
        )  # fmt: skip

    def order_shown(self, car: Arrival) -> str:
        """Its order's id as views show it: one that is on record, "" = none."""
        return car.order_id if car.order_id in self.box.money.orders.by_id else ""

    def order_to_settle(self, car: Arrival) -> None:
        """The id of the order that is settled here and now: the visit's unpaid one, or a new one."""
        order = self.box.money.orders.unpaid(car.visit_id) if car.visit_id else None
        if order is not None:
            car.order_id = order.order_id
        elif not car.order_id or car.order_id in self.box.money.orders.by_id:
            car.order_id = self.box.new_id()
