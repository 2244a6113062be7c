"""The agent's questions to Qingdao while a car waits: a thread that follows the ledger, asks the city, tells the lane.

It also says whether payments of the city can come at all (`LinkOrder`): on that the lane program decides what to do
with a car that cannot pay.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge.agent.orders import LaneOrders
from edge.agent.qingdao import site_of
from edge.cities.city import Poster
from edge.cities.http import HttpTransport, TransportFault
from edge.cities.qingdao.conversation import RELOGIN_CODES, Conversation
from edge.cities.qingdao.envelope import Account, ReplyError, batch_request, parse_reply
from edge.cities.qingdao.orders import CITY, WHO
from edge.cities.qingdao.payments import Call, Payments
from edge.cities.qingdao.reading import BadMember, Members, decode, unwrapped
from edge.cities.times import Times
from edge.config.model import Config, Qingdao
from edge.config.qingdao_mqtt import QingdaoMqtt
from edge.core.orders_money import AnyMoneyOrder, LinkOrder
from edge.ports import LedgerReader
from edge.store.errors import StoreError

log = logging.getLogger("parkbox.agent.qingdao.calls")

BACK = 4096
"""Facts read again at a start: whoever waits at an arm, or was let out owing, is among them."""

LOOK_S = 0.5
"""A ledger that nobody says has grown is looked at this often."""

LANE_S = 2.5
TELL_S = 50.0
"""The lane program hears of the line at least every minute."""

DOWN_AFTER_S = 30.0
"""One lost poll, or a start, is no outage: cars would be let out owing."""


class Ledger(LedgerReader, Protocol):
    def last_seq(self) -> int: ...


class QingdaoCallsLink:
    """`start`, `stop` and `kick` are for any thread."""

    def __init__(  # noqa: PLR0917 - the composition root gives all of it at once
        self,
        config: Config,
        settings: Qingdao,
        mqtt: QingdaoMqtt,
        account: Account,
        talk: Conversation,
        ledger: Ledger,
        times: Callable[[], Times],
        online: Callable[[], bool],
        *,
        died: Callable[[BaseException], None],
        transport: Poster | None = None,
    ) -> None:
        """`online`: notices of payments can come. `times` gives the boots that the ledger knows now."""
        self._account, self._talk, self._ledger, self._times = account, talk, ledger, times
        self._online, self._died = online, died
        self._settings = settings
        self._transport = transport or HttpTransport(settings.url, settings.calls.timeout_s)
        self._lane = LaneOrders(Path(config.box.socket))
        self._site = site_of(config, settings, mqtt)
        self._exits = {lane.id: lane.id for lane in config.lane if lane.direction == "out"}
        self._payments: Payments | None = None
        self._seq = 0
        self._up: bool | None = None
        self._told_s = 0.0
        self._down_since_s: float | None = None
        self._wake = threading.Condition()
        self._kicked = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="qingdao-calls", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._transport.abort()
        self.kick()
        if self._thread.ident is not None:
            self._thread.join()
        self._transport.close()
        self._lane.close()

    def kick(self) -> None:
        """There may be new facts."""
        with self._wake:
            self._kicked = True
            self._wake.notify()

    # --- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                wait_s = self._round(time.monotonic())
                with self._wake:
                    self._wake.wait_for(lambda: self._kicked or self._stopping.is_set(), wait_s)
                    self._kicked = False
        except BaseException as error:
            self._died(error)
            raise

    def _round(self, now_s: float) -> float:
        """How long nothing needs to be done unless somebody kicks."""
        self._tell_line(now_s)
        try:
            payments = self._read(now_s)
        except (StoreError, OSError) as error:
            log.warning("the ledger cannot be read: %s", error)
            self._payments = None  # begun anew when it can
            return LOOK_S
        if (order := payments.given_up(now_s)) is not None:
            self._lane.ask(order, LANE_S)
            return 0.0
        call = payments.due(now_s)
        if call is None:
            return payments.next_s(now_s, LOOK_S)
        self._ask(payments, call)
        return 0.0

    def _read(self, now_s: float) -> Payments:
        payments = self._payments
        if payments is None:
            self._seq = max(0, self._ledger.last_seq() - BACK)
            payments = Payments(self._settings.calls, self._site, self._times(), self._exits)
        while facts := self._ledger.read_after(self._seq, 256):
            for fact in facts:
                payments.observe(fact, now_s)
                self._seq = fact.seq
        self._payments = payments
        return payments

    def _ask(self, payments: Payments, call: Call) -> None:
        order = self._answer_to(payments, call)
        if order is None or self._stopping.is_set():
            return
        told = self._lane.ask(order, LANE_S)
        if told is not None:
            log.info("%s %s: %s", order.why, call.key, told.en)
            payments.settled(call)

    def _answer_to(self, payments: Payments, call: Call) -> AnyMoneyOrder | None:
        token = self._talk.token
        if not token:
            return payments.failed(call, "未登录 not logged in", time.monotonic())
        kind = call.message.kind
        request = batch_request(self._account, token, kind, [(call.key, call.message.encode())])
        try:
            answer = self._transport.post(request)
            if not 200 <= answer.status < 300:
                return payments.failed(call, f"HTTP {answer.status}", time.monotonic())
            reply = parse_reply(answer.body)
            if reply.result_code:
                if reply.result_code in RELOGIN_CODES:
                    self._talk.token_refused(request)
                words = f"{reply.result_code} {reply.message}"
                log.warning("%s %s: refused: %s", kind, call.key, words)
                refused = reply.result_code not in RELOGIN_CODES
                return payments.failed(call, words, time.monotonic(), refused=refused)
            return payments.answered(call, members_of(answer.body), time.monotonic())
        except (TransportFault, ReplyError, BadMember) as error:
            log.warning("%s %s: %s", kind, call.key, error)
            return payments.failed(call, str(error), time.monotonic())

    def _tell_line(self, now_s: float) -> None:
        up = self._online()
        if up:
            self._down_since_s = None
        elif self._down_since_s is None:
            self._down_since_s = now_s
        known = up or (self._down_since_s is not None and now_s - self._down_since_s >= DOWN_AFTER_S)
        if not known or (up == self._up and now_s - self._told_s < TELL_S):
            return
        order = LinkOrder(
            command_id=uuid.uuid4().hex, source="city", city=CITY, who=WHO, why="平台连接状态 line to the city", up=up
        )
        self._told_s = now_s
        if self._lane.ask(order, LANE_S) is not None:
            self._up = up


def members_of(body: bytes) -> Members:
    """QC20: at the top, or in data_items. Raises `BadMember`."""
    top = Members(unwrapped(decode(body.removeprefix(b"\xef\xbb\xbf")), "answer"), "")
    inside = top.parts("data_items", 1) if top.has("data_items") else []
    return inside[0] if inside else top
