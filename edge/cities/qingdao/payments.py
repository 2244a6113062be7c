"""Payments: what the city is asked while a car waits, and when (interfaces 12, 13, 14). Pure, told facts and the time.

    13  a `DeductionAsked`: the city is to take the money of a signed plate (QC73). For a car that waits it is tried
        2 s apart, then the car pays as any other; for one that was let out every 5 min, 50 times (QC29, B.2 rule 5)
    14  an order made out at the exit's arm: is it paid, though no notice (19) came? Asked as long as the car waits
    12  does the plate pay seamlessly? For a visit of which no notice (20) has told, when its free time is over, or at
        the arm at the latest

An answer becomes an order to the lane program under an id made from what it says, so it acts once, however often the
city says it. Nothing is kept: after a restart the last facts of the ledger say what is still open.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Literal, TypeVar

import msgspec

from edge.cities.qingdao.calls import (
    Deduct,
    OrderState,
    QueryOrder,
    QuerySignatory,
    VehicleInfo,
    read_order_state,
    read_signatory,
)
from edge.cities.qingdao.fields import Message
from edge.cities.qingdao.mapping import COLOURS
from edge.cities.qingdao.orders import Base, Site
from edge.cities.qingdao.orders_pay import FEN_MAX, seamless_order
from edge.cities.qingdao.reading import BadMember, Members
from edge.cities.times import Times
from edge.config.qingdao_calls import QingdaoCalls
from edge.core.clock import china_datetime
from edge.core.facts import Fact, Paid, Passed
from edge.core.facts_money import DeductionAsked, DeductionFailed, PaymentNoticed, Quoted, SeamlessSet
from edge.core.orders_money import AnyMoneyOrder, PaymentOrder
from edge.core.plates import city_form

T = TypeVar("T")
Topic = Literal["deduct", "state", "signatory"]

# Visits and orders kept in mind: more than a lot has cars.
KEPT_MAX = 5000


class Call(msgspec.Struct, frozen=True):
    """One question. `key`: the order's or visit's id."""

    topic: Topic
    key: str
    message: Message


class _Open(msgspec.Struct):
    """A question that has no answer yet."""

    due_s: float
    until_s: float
    tries: int = 0
    fact_id: str = ""
    """The `DeductionAsked`: a later one of the same order is another deed."""
    waits: bool = True


class Payments:
    """For one thread. `exit_code`: the equip_code of an exit lane, by lane; "" for one that has none of its own."""

    def __init__(self, calls: QingdaoCalls, site: Site, times: Times, exit_codes: dict[str, str]) -> None:
        self._calls, self._site, self._times, self._exit_codes = calls, site, times, exit_codes
        self._quotes: OrderedDict[str, tuple[Quoted, str]] = OrderedDict()
        self._visits: OrderedDict[str, Fact] = OrderedDict()
        self._asked: dict[str, DeductionAsked] = {}
        self._open: dict[tuple[Topic, str], _Open] = {}

    # --- what happens ------------------------------------------------------------------------------------------------

    def observe(self, fact: Fact, now_s: float) -> None:
        """The next fact of the ledger."""
        body, calls = fact.body, self._calls
        self._times.observe(fact)
        match body:
            case Passed(direction="in"):
                if body.plate:
                    _keep(self._visits, fact.id, fact)
                    due_s = now_s + calls.signatory_after_min * 60
                    self._open["signatory", fact.id] = _Open(due_s, due_s + calls.wait_s)
            case Passed():
                self._left(body.visit_id)
            case Quoted():
                _keep(self._quotes, body.order_id, (body, fact.lane))
                if body.at == "arm":
                    self._open["state", body.order_id] = _Open(now_s + calls.poll_s, now_s + calls.wait_s)
                    if (asked := self._open.get(("signatory", body.visit_id))) is not None:
                        asked.due_s = min(asked.due_s, now_s)
                        asked.until_s = now_s + calls.wait_s
            case DeductionAsked():
                self._asked[body.order_id] = body
                before = body.mode == "before"
                until_s = now_s + (calls.deduct_s if before else calls.later_s * (calls.later_times + 1))
                self._open["deduct", body.order_id] = _Open(now_s, until_s, fact_id=fact.id, waits=before)
            case SeamlessSet():
                self._open.pop(("signatory", body.visit_id), None)
            case Paid() | DeductionFailed():
                self._done(body.order_id, paid=isinstance(body, Paid))
            case PaymentNoticed(outcome="settled" | "late"):
                self._done(body.order_id, paid=True)

    def _done(self, order_id: str, *, paid: bool) -> None:
        self._open.pop(("deduct", order_id), None)
        self._asked.pop(order_id, None)
        if paid:
            self._open.pop(("state", order_id), None)

    def _left(self, visit_id: str) -> None:
        """A car that is out is asked for no more; what it owes is."""
        self._visits.pop(visit_id, None)
        self._open.pop(("signatory", visit_id), None)
        for topic, key in list(self._open):
            if topic == "state" and self._quotes[key][0].visit_id == visit_id:
                del self._open[topic, key]

    # --- what is asked -----------------------------------------------------------------------------------------------

    def due(self, now_s: float) -> Call | None:
        """The question that is due first; None: none now. One whose time is over is dropped, but a deduction: that
        ends with an order (`given_up`)."""
        for (topic, key), each in sorted(self._open.items(), key=lambda item: item[1].due_s):
            if each.due_s > now_s:
                break
            if topic != "deduct" and now_s > each.until_s:
                del self._open[topic, key]
                continue
            message = self._message(topic, key)
            if message is not None:
                return Call(topic, key, message)
            each.due_s = now_s + self._calls.poll_s  # the clock is not known yet, or the order is forgotten
        return None

    def given_up(self, now_s: float) -> PaymentOrder | None:
        """A deduction whose time is over without an answer."""
        for (topic, key), each in self._open.items():
            if topic == "deduct" and now_s > each.until_s:
                return self._deduction_failed(key, "没有应答 no answer in time")
        return None

    def next_s(self, now_s: float, most_s: float) -> float:
        """How long nothing is due."""
        first_s = min((each.due_s for each in self._open.values()), default=now_s + most_s)
        return max(0.0, min(most_s, first_s - now_s))

    def _message(self, topic: Topic, key: str) -> Message | None:
        if topic == "signatory":
            return self._query_signatory(key)
        if topic == "state":
            return QueryOrder(order_no=key, park_code=self._site.park_code)
        return self._deduct(key)

    def _query_signatory(self, visit_id: str) -> QuerySignatory | None:
        fact = self._visits.get(visit_id)
        in_ms = None if fact is None else self._times.true_ms(fact.stamp)
        if fact is None or in_ms is None or not isinstance(fact.body, Passed):
            return None
        plate = city_form(fact.body.plate)
        return QuerySignatory(
            car_no=plate,
            vehicle_info=VehicleInfo(plate_no=plate, plate_color=COLOURS.get(fact.body.colour, "UNKNOW")).as_text(),
            in_time=china_datetime(in_ms),
            in_recordid=visit_id,
        )

    def _deduct(self, order_id: str) -> Deduct | None:
        quoted, asked = self._quotes.get(order_id), self._asked.get(order_id)
        if quoted is None or asked is None:
            return None
        quote, lane = quoted
        from_ms, to_ms = self._times.true_ms(quote.entered), self._times.true_ms(quote.billed)
        if from_ms is None or to_ms is None:
            return None
        plate = city_form(quote.plate)
        return Deduct(
            order_no=order_id,
            park_code=self._site.park_code,
            car_no=plate or quote.credential,
            vehicle_info=VehicleInfo(plate_no=plate, plate_color=COLOURS.get(quote.colour, "UNKNOW")),
            service_stime=china_datetime(from_ms),
            service_etime=china_datetime(max(from_ms, to_ms)),
            service_fee_time=quote.parked_ms // 1000,
            service_fee=quote.due_fen,
            discount_fee=quote.discount_fen,
            total_fee=asked.pay_fen,
            create_time=china_datetime(to_ms),
            free_minute=str(quote.leave_min),
            charge_type=1 if quote.overtime else 0,
            serial_no=quote.visit_id or None,
            out_equip_code=self._exit_codes.get(lane) or next(iter(self._exit_codes.values()), lane),
        )

    # --- what was answered -------------------------------------------------------------------------------------------

    def answered(self, call: Call, members: Members, now_s: float) -> AnyMoneyOrder | None:
        """The order that the answer makes; None: it says that there is nothing yet. Raises `BadMember`: as `failed`."""
        each = self._open.get((call.topic, call.key))
        if each is None:
            return None  # a fact has settled it meanwhile
        if call.topic == "signatory":
            said = read_signatory(members, with_code=True)
            self._later(call, now_s)
            return seamless_order(said, _base("12 无感车牌反查", call.key, str(said)), "query")
        state = read_order_state(members)
        if state.order_no != call.key:
            raise BadMember("order_no", state.order_no, f"须为 must be {call.key}")
        self._later(call, now_s)
        if state.paid:
            return self._paid(call, state)
        if call.topic == "deduct" and state.status != -1:
            return self._deduction_failed(call.key, f"status {state.status}")
        return None

    def settled(self, call: Call) -> None:
        """The lane program has the order that the answer made."""
        self._open.pop((call.topic, call.key), None)

    def failed(self, call: Call, why: str, now_s: float, *, refused: bool = False) -> AnyMoneyOrder | None:
        """No answer, or one that cannot be read; `refused`: the city will not do it. A deduction that is given up makes
        an order, so that the car can pay another way."""
        each = self._open.get((call.topic, call.key))
        if each is None:
            return None
        each.tries += 1
        self._later(call, now_s)
        if call.topic != "deduct":
            return None
        over = now_s >= each.until_s or (not each.waits and each.tries > self._calls.later_times)
        return self._deduction_failed(call.key, why) if over or (refused and each.waits) else None

    def _later(self, call: Call, now_s: float) -> None:
        each, calls = self._open[call.topic, call.key], self._calls
        pause_s = calls.later_s if call.topic == "deduct" and not each.waits else calls.poll_s
        each.due_s = now_s + pause_s

    def _paid(self, call: Call, state: OrderState) -> PaymentOrder:
        quoted = self._quotes.get(call.key)
        fen = state.total_fen
        if fen is None:  # 13 does not tell it (line 1039): what was asked for
            asked = self._asked.get(call.key)
            fen = asked.pay_fen if asked is not None else quoted[0].pay_fen if quoted is not None else 0
        times = Members({"pay_time": state.pay_time})
        deducted = call.topic == "deduct"
        title = "13 发起主动扣款请求" if deducted else "14 订单支付结果反查"
        base = _base(title, call.key, f"{state.transaction_id} {state.pay_time} {fen}")
        return PaymentOrder(
            order_id=call.key,
            how="deduction" if deducted or call.key in self._asked else "poll",
            amount_fen=min(fen, FEN_MAX),
            pay_type=state.pay_type,
            pay_from=state.pay_from,
            paid_at_ms=times.instant_ms("pay_time") if times.has("pay_time") else 0,
            transaction_id=state.transaction_id,
            **base.members(),
        )

    def _deduction_failed(self, order_id: str, why: str) -> PaymentOrder:
        each = self._open.pop(("deduct", order_id))
        self._asked.pop(order_id, None)
        base = _base("13 发起主动扣款请求", order_id, f"failed {each.fact_id}")
        return PaymentOrder(order_id=order_id, result="failed", how="deduction", detail=why[:200], **base.members())


def _base(title: str, key: str, said: str) -> Base:
    found = hashlib.blake2b(f"{title} {key} {said}".encode(), digest_size=16, person=b"qingdao-answer")
    return Base(found.hexdigest(), title)


def _keep(table: OrderedDict[str, T], key: str, value: T) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > KEPT_MAX:
        table.popitem(last=False)
