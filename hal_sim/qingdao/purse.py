"""The drivers' money at the simulated city: who has signed for seamless payment, which orders are paid (12, 13, 14)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from hal_sim.qingdao.tables import Interface

BEIJING = ZoneInfo("Asia/Shanghai")

NOT_PAID, PAID, FAILED = "-1", "100", "1"
DEDUCTED = "YDK"


@dataclass(frozen=True, slots=True)
class Signed:
    """A plate whose driver pays by itself."""

    user_id: str
    mode: int = 1  # 0 先出后扣, 1 先扣后出
    limit_yuan: str = "200.00"
    has_money: bool = True


@dataclass(slots=True)
class Purse:
    """Safe for every thread. Plates as on the wire (鲁-B12345), orders by order_no, money in fen."""

    now: Callable[[], float]
    signed: dict[str, Signed] = field(default_factory=dict)
    paid: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """order_no -> fen, pay_type, when."""
    asked: list[tuple[int, dict[str, object]]] = field(default_factory=list)
    """Interface and request of every call, in order."""
    draw: Callable[[str], Signed | None] = lambda plate: None
    """Who of those that nobody named in `signed` has signed all the same."""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def pay(self, order_no: str, fen: int, pay_type: str = "WX") -> str:
        """A driver pays by phone; when."""
        with self._changed:
            self.paid[order_no] = (fen, pay_type, when := self._when())
        return when

    def signed_of(self, plate: str) -> Signed | None:
        found = self.signed.get(plate)
        return found if found is not None else self.draw(plate)

    def wait_asked(self, number: int, within_s: float) -> dict[str, object]:
        """The newest request of that interface, as soon as there is one. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(each == number for each, _ in self.asked), within_s):
                raise TimeoutError(f"接口 interface {number}: 没有请求 no request")
            return next(item for each, item in reversed(self.asked) if each == number)

    def answer(self, call: Interface, item: dict[str, object]) -> dict[str, object]:
        """The members of the answer beside result_code and message."""
        with self._changed:
            self.asked.append((call.number, item))
            self._changed.notify_all()
            if call.number == 12:
                return self._signatory(str(item["car_no"]), str(item["in_recordid"]))
            order_no = str(item["order_no"])
            if call.number == 13 and order_no not in self.paid:
                signed = self.signed_of(str(item["car_no"]))
                if signed is None or not signed.has_money:
                    return {"order_no": order_no, "status": FAILED, "create_time": "", "pay_time": "", "pay_type": ""}
                self.paid[order_no] = (int(str(item["total_fee"])), DEDUCTED, self._when())
            return self._state(order_no)

    def _signatory(self, plate: str, record_id: str) -> dict[str, object]:
        signed = self.signed_of(plate)
        base = {"car_no": plate, "in_recordid": record_id}
        if signed is None:
            return {**base, "user_id": "", "is_signatory": 0, "withhold_mode": 0, "signatory_code": 1007}
        return {
            **base, "user_id": signed.user_id, "is_signatory": 1, "withhold_mode": signed.mode,
            "withhold_channel": "WX", "withhold_limit": signed.limit_yuan, "signatory_code": 1000,
        }  # fmt: skip

    def _state(self, order_no: str) -> dict[str, object]:
        if order_no not in self.paid:
            return {"order_no": order_no, "status": NOT_PAID}
        fen, pay_type, when = self.paid[order_no]
        return {
            "order_no": order_no, "status": PAID, "pay_time": when, "transaction_id": f"tx-{order_no}",
            "pay_type": pay_type, "pay_from": "微信", "bank_type": "微信", "total_fee": fen, "create_time": when,
        }  # fmt: skip

    def _when(self) -> str:
        return datetime.fromtimestamp(self.now(), BEIJING).strftime("%Y-%m-%d %H:%M:%S")
