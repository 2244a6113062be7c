"""What people do about the car on the arrival side: let it in, take its money, correct its plate (DESIGN 5)."""

from __future__ import annotations

from edge.core.admission import EntryVerdict, Verdict
from edge.core.events import Commanded
from edge.core.facts import Paid
from edge.core.lane_base import OrderRefused
from edge.core.lane_desk import DeskActions
from edge.core.lane_table import Desk
from edge.core.plates import normalise

UNREAD = ("无牌车", "a car without plate")


class PeopleActions(DeskActions):
    def must_be_meant(self, order: Commanded) -> None:
        """Raises `OrderRefused` unless the car that the order names stands here, as it was shown to whoever gave it.

        A car goes and the next one comes within seconds, less than a person needs to take money and press. The plate
        and the order count too: just after a start another car's read may first have been taken for this one's.
        """
        if not order.arrival_id:
            raise OrderRefused(
                "命令未指明车辆, 未执行; 请刷新页面后再试",
                "arrival_id: must name the car, as the view's arrival_id does; nothing was done",
            )
        car = self.traffic.standing
        meant = "另一辆车", "another car"
        if order.seen_plate is not None:
            meant = (order.seen_plate, order.seen_plate) if order.seen_plate else UNREAD
        if car is None:
            zh, en = "现在没有车", "nobody stands here now"
        elif car.id != order.arrival_id or order.seen_plate not in {None, car.plate}:
            zh, en = (car.plate, car.plate) if car.plate else UNREAD
            zh, en = f"现在停着的是 {zh}", f"{en} stands here now"
        elif order.action.startswith("pay_") and order.order_id != self.order_shown(car):
            zh, en = "该车的订单已变", f"order_id: {order.order_id!r} is not the order of this car any more"
        else:
            return
        raise OrderRefused(
            f"本命令针对 {meant[0]}, {zh}; 未执行", f"this order was for {meant[1]}, {en}; nothing was done"
        )

    def let_in(self) -> Desk:
        """An operator or the city opens for the car that stands here: a decision like any other, with who and why."""
        order = self.commanded
        assert order is not None
        car = self._car()
        car.how = order.source
        zh, en = ("平台放行", "opened by the city") if order.source == "city" else ("人工放行", "opened by a person")
        admit: Verdict = Verdict("admit", "", order.source, zh, en)
        if self.settings.direction == "in":
            judged = self.box.flows.flow.judge(*self.newcomer(car))
            admit = EntryVerdict(
                "admit", "", order.source, zh, en, judged.kind, judged.booking, judged.state, judged.reasons
            )
        return self._store(car, admit, order.who, order.why)

    def take_payment(self) -> Desk:
        """pay_cash or pay_free. What the operator did not take is discount: due = paid + discount."""
        order = self.commanded
        assert order is not None
        car = self._car()
        if self.settings.direction != "out":
            raise OrderRefused("入口不收费", "lane: an entry takes no payment")
        free = order.action == "pay_free"
        due_fen, to_pay_fen = car.due_fen, car.to_pay_fen
        if not due_fen and not free:
            if order.amount_fen < 0:
                raise OrderRefused("请输入金额", "amount_fen: required, the fee of this car is not known")
            due_fen = to_pay_fen = order.amount_fen
        paid_fen = 0 if free else (to_pay_fen if order.amount_fen < 0 else order.amount_fen)
        if paid_fen > to_pay_fen:
            raise OrderRefused(
                f"金额 {paid_fen} 分超过应缴 {to_pay_fen} 分",
                f"amount_fen: {paid_fen} is more than the {to_pay_fen} due",
            )
        if not free and not paid_fen:
            raise OrderRefused("收款为 0, 免费放行请用“免费”", "amount_fen: 0 is not taken; free is pay_free")
        car.due_fen, car.paid_fen, car.discount_fen = due_fen, paid_fen, due_fen - paid_fen
        self.order_to_settle(car)
        self.record(
            Paid(
                order_id=car.order_id, visit_id=car.visit_id, plate=car.plate, method="free" if free else "cash",
                due_fen=due_fen, paid_fen=paid_fen, discount_fen=due_fen - paid_fen, entered=car.entered,
                who=order.who, why=order.why, colour=car.colour, entry_lane=car.entry_lane, booking=car.booking,
                coupons=car.coupons, billed=car.billed, overtime=car.bill is not None and car.bill.overtime,
            )
        )  # fmt: skip
        zh, en = ("免费放行, 请通行", "free of charge, please drive on") if free else (
            "已缴费, 请通行", "paid, please drive on")
        admit = Verdict("admit", "", "paid", zh, en)
        return self._store(car, admit, order.who, order.why)

    def correct(self) -> Desk:
        order = self.commanded
        assert order is not None
        plate = normalise(order.plate)
        if not plate:
            raise OrderRefused(f"车牌 {order.plate!r} 无效", f"plate: {order.plate!r} is no plate")
        car = self._car()
        car.corrected_from, car.plate = car.plate, plate
        return self.decide()
