"""Drivers' phones at the exit: some cars pay by the static code instead of cash (orders 22 and 19 of B.4).

A driver scans the code of his lane, the city asks the box what is due, the driver pays, the city tells the box. Some
pay twice, some pay and the notice is lost: the box then has to ask (14).
"""

from __future__ import annotations

import logging
import queue
import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from hal_sim.qingdao.platform import Platform
from hal_sim.qingdao.purse import BEIJING

log = logging.getLogger("parkbox.sim.phones")

PHONE_SHARE = 0.4
"""Share of paying exits whose driver takes out a phone."""
TWICE_SHARE, LOST_SHARE = 0.1, 0.2
"""Of those: the notice comes twice, or never."""

REPLY_WITHIN_S = 4.0
GIVE_UP_S = 12.0
"""A driver who is still there after this pays the attendant."""


class Phones:
    """`start`, `stop`, and `takes` from the thread that watches the lanes."""

    def __init__(self, platform: Platform, lot_code: str, ordered: Callable[[str], None], seed: int) -> None:
        """`ordered(lane)` is called before each payment, so that the site knows why an arm goes up."""
        self._platform, self._lot_code, self._ordered = platform, lot_code, ordered
        self._dice = random.Random(f"phones {seed}")
        self._work: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="phones")
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._work.put(None)
            self._thread.join()

    def takes(self, lane: str) -> float:
        """A car waits to pay at this exit: how long the attendant leaves its driver alone, 0 if he pays cash."""
        if self._dice.random() >= PHONE_SHARE or not self._thread.is_alive():
            return 0.0
        self._work.put(lane)
        return GIVE_UP_S

    def line(self) -> str:
        counts = self.counts
        return (
            f"手机支付 phones: 付款 paid {counts['paid']}, 通知丢失 notice lost {counts['notice_lost']}, "
            f"通知两次 told twice {counts['told_twice']}, 无订单 no order {counts['no_order']}, "
            f"无应答 no reply {counts['no_reply']}"
        )

    def _run(self) -> None:
        while (lane := self._work.get()) is not None:
            try:
                self._pay(lane)
            except TimeoutError as error:
                self.counts["no_reply"] += 1
                log.info("%s", error)

    def _pay(self, lane: str) -> None:
        down = self._platform.downlink
        scan = down.order(22, {"park_code": self._lot_code, "equip_code": lane, "credential_no": ""})
        reply = down.wait(scan, REPLY_WITHIN_S)
        told = reply.entries[0] if reply.entries else {}
        if told.get("error_code") != 0:
            self.counts["no_order"] += 1
            return
        order_no, fen = str(told["out_no"]), int(str(told["total_fee"]))
        self._ordered(lane)
        self._platform.purse.pay(order_no, fen)
        if self._dice.random() < LOST_SHARE:
            self.counts["notice_lost"] += 1
            return
        when = datetime.now(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
        notice: dict[str, object] = {
            "trad_state": 0, "pay_type": "WX", "pay_from": "微信", "total_fee": fen, "fee_type": 1,
            "out_trade_no": order_no, "time_end": when,
        }  # fmt: skip
        sent = down.order(19, notice)
        self.counts["paid"] += 1
        if self._dice.random() < TWICE_SHARE:
            down.again(sent)
            self.counts["told_twice"] += 1
        down.wait(sent, REPLY_WITHIN_S)
