"""Drivers' phones at the exit: some cars pay by the static code instead of cash (orders 22 and 19 of B.4).

A driver scans the code of his lane, the city asks the box what is due, the driver pays, the city tells the box. Not all
do: some put the phone away and pay cash, some pay when the attendant has taken cash already, some pay twice, of some
the notice is lost and the box has to ask (14). Signed plates touch nothing: the box asks the city for the money (13).
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from hal_sim.qingdao.downlink import Sent
from hal_sim.qingdao.platform import Platform
from hal_sim.qingdao.purse import BEIJING, Signed

log = logging.getLogger("parkbox.sim.phones")

Habit = Literal["pays", "refuses", "late", "twice", "told_twice", "notice_lost"]

PHONE_SHARE, SIGNED_SHARE = 0.4, 0.15
"""Of paying exits: the driver takes out a phone; of plates: signed for seamless payment."""
HABITS: tuple[tuple[Habit, float], ...] = (
    ("pays", 0.4), ("refuses", 0.12), ("late", 0.12), ("twice", 0.12), ("told_twice", 0.08), ("notice_lost", 0.16),
)  # fmt: skip

REPLY_WITHIN_S = 4.0
TRIES = 5
GIVE_UP_S = 12.0
"""A driver who is still there after this pays the attendant."""
PUT_AWAY_S = 0.5
"""So long the attendant waits for a phone that is put away again, or dawdles."""
LATE_S = 3.0
AFTER_S = 1
"""The second payment of one who pays twice is a second later: 19 tells payments apart by that."""


class Waiting(Protocol):
    """A lane at which a car waits to pay (`Attendant`'s view)."""

    @property
    def lane(self) -> str: ...
    @property
    def plate(self) -> str: ...


@dataclass
class Payment:
    """One payment by phone. `sent` None: its notice is lost."""

    order_no: str
    fen: int
    sent: Sent | None

    @property
    def taken(self) -> bool:
        """The box has said that it has it."""
        return self.sent is not None and any(reply.result_code == 0 for reply in self.sent.replies)


@dataclass(order=True)
class _Errand:
    due_s: float
    work: Callable[[], None] = field(compare=False)


class Phones:
    """`start`, `stop`, and `takes` from the thread that watches the lanes."""

    def __init__(self, platform: Platform, lot_code: str, ordered: Callable[[str], None], seed: int) -> None:
        """`ordered(lane)` is called before each payment, so that the site knows why an arm goes up."""
        self._platform, self._lot_code, self._ordered, self._seed = platform, lot_code, ordered, seed
        self._dice = random.Random(f"phones {seed}")
        self._work: queue.PriorityQueue[_Errand] = queue.PriorityQueue()
        self._wake = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="phones")
        self.counts: Counter[str] = Counter()
        self.payments: list[Payment] = []
        platform.purse.draw = self._signed

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Who meant to pay late does it now."""
        with self._wake:
            self._ending = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def takes(self, view: Waiting) -> float:
        """A car waits to pay at this exit: how long the attendant leaves its driver alone, 0 if he pays cash."""
        if not self._thread.is_alive():
            return 0.0
        if view.plate and self._platform.purse.signed_of(f"{view.plate[0]}-{view.plate[1:]}") is not None:
            self.counts["signed"] += 1
            return GIVE_UP_S
        if self._dice.random() >= PHONE_SHARE:
            return 0.0
        names, shares = zip(*HABITS, strict=True)
        habit: Habit = self._dice.choices(names, shares)[0]
        lane = view.lane
        self._in(0.0, lambda: self._scan(lane, habit))
        return PUT_AWAY_S if habit in ("refuses", "late") else GIVE_UP_S

    def line(self) -> str:
        counts = self.counts
        deducted = sum(number == 13 for number, _ in self._platform.purse.asked)
        return (
            f"手机支付 phones: 付款 paid {counts['paid']}, 放弃 refused {counts['refuses']}, "
            f"迟付 late {counts['late']}, 付两次 twice {counts['twice']}, "
            f"通知丢失 notice lost {counts['notice_lost']}, 通知两次 told twice {counts['told_twice']}, "
            f"无感扣款 seamless {deducted}, "
            f"无订单 no order {counts['no_order']}, 无应答 no reply {counts['no_reply']}"
        )

    # --- the drivers' thread -----------------------------------------------------------------------------------------

    def _signed(self, plate: str) -> Signed | None:
        """The same for a plate whenever it is asked."""
        dice = random.Random(f"signed {self._seed} {plate}")
        return Signed(f"u-{dice.getrandbits(32):08x}") if dice.random() < SIGNED_SHARE else None

    def _in(self, seconds: float, work: Callable[[], None]) -> None:
        with self._wake:
            self._work.put(_Errand(time.monotonic() + seconds, work))
            self._wake.notify()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except TimeoutError as error:
                self.counts["no_reply"] += 1
                log.info("%s", error)

    def _next(self) -> Callable[[], None] | None:
        with self._wake:
            while True:
                if self._work.empty():
                    if self._ending:
                        return None
                    self._wake.wait()
                    continue
                errand = self._work.get()
                wait_s = errand.due_s - time.monotonic()
                if wait_s <= 0 or self._ending:
                    return errand.work
                self._work.put(errand)
                self._wake.wait(wait_s)

    def _scan(self, lane: str, habit: Habit) -> None:
        down = self._platform.downlink
        scan = down.order(22, {"park_code": self._lot_code, "equip_code": lane, "credential_no": ""})
        reply = down.wait(scan, REPLY_WITHIN_S)
        told = reply.entries[0] if reply.entries else {}
        if told.get("error_code") != 0:
            self.counts["no_order"] += 1
            return
        self.counts[habit] += 1
        order_no, fen = str(told["out_no"]), int(str(told["total_fee"]))
        if habit == "late":
            self._in(LATE_S, lambda: self._pay(lane, order_no, fen, habit))
        elif habit != "refuses":
            self._pay(lane, order_no, fen, habit)

    def _pay(self, lane: str, order_no: str, fen: int, habit: Habit) -> None:
        self._ordered(lane)
        when = self._platform.purse.pay(order_no, fen)
        if habit == "notice_lost":
            self.payments.append(Payment(order_no, fen, None))
            return
        self._notice(order_no, fen, when, again=habit == "told_twice")
        if habit == "twice":
            later = datetime.strptime(when, TIME_FORM).replace(tzinfo=BEIJING) + timedelta(seconds=AFTER_S)
            self._notice(order_no, fen, later.strftime(TIME_FORM))

    def _notice(self, order_no: str, fen: int, when: str, *, again: bool = False) -> None:
        notice: dict[str, object] = {
            "trad_state": 0, "pay_type": "WX", "pay_from": "微信", "total_fee": fen, "fee_type": 1,
            "out_trade_no": order_no, "time_end": when,
        }  # fmt: skip
        down = self._platform.downlink
        sent = down.order(19, notice)
        self.payments.append(Payment(order_no, fen, sent))
        self.counts["paid"] += 1
        if again:
            down.again(sent)
        for count in range(1, TRIES + 1):
            if down.wait(sent, REPLY_WITHIN_S, count).result_code == 0:
                return
            down.again(sent)  # not now, says the box: its lane program is away


TIME_FORM = "%Y-%m-%d %H:%M:%S"
