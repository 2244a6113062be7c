"""Desk: one request of the platform in, its answer out, whichever transport it came by (7.1.4.4, 7.2.2).

Envelope and sign are judged here, each element by `orders`; what is an order goes to the lane program through `ask`,
which answers after its facts are durable. The whole answer leaves within 3 s: what has not been asked by then is
answered "not now", and the platform, which repeats, finds it undone.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from edge.cities.clock import Clock
from edge.cities.shenzhen.codes import BAD_ENVELOPE, BAD_JSON, BAD_MEMBER, BAD_TOKEN, OK, OTHER, words
from edge.cities.shenzhen.envelope import WORDS_MAX, stamp
from edge.cities.shenzhen.link_talk import answer_body
from edge.cities.shenzhen.orders import NAMES, LaneAnswer, OrderReader, Reading, answered
from edge.cities.shenzhen.reading import BadMember, Members, decode
from edge.cities.shenzhen.sign import fits
from edge.config.shenzhen import Shenzhen
from edge.core.orders_flow import AnyFlowOrder, ControlOrder

log = logging.getLogger("parkbox.shenzhen.orders")

# 7.2.2: an order is answered within 3 s; this much of it is ours, the rest is the network's.
ANSWER_S = 2.5

# Entries of a control list told to the lane program at once: one commit for all, and a line under its 64 KB.
LIST_AT_ONCE = 100

Ask = Callable[[AnyFlowOrder, float], LaneAnswer | None]
"""An order and the seconds it may take; None: the lane program did not answer."""


class Refused(ValueError):
    """The request as a whole cannot be taken: its code of table 43."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


class OrderDesk:
    """`handle` may be called from several threads at once."""

    def __init__(self, settings: Shenzhen, ask: Ask, clock: Clock, new_id: Callable[[], str], secret: str = "") -> None:
        self._settings, self._ask, self._clock, self._secret = settings, ask, clock, secret
        self._reader = OrderReader(settings, new_id)
        self.counts: Counter[str] = Counter()
        """Orders taken and requests refused, by interface and reason."""

    def handle(self, command: int, body: bytes, *, bare: bool = False, welcome: bool = True) -> bytes:
        """The answer's body. `bare`: over TCP an envelope may be missing (SC61). `welcome` False: the platform's
        order came before our login was answered, and is not carried out (SC69)."""
        started_s = self._clock.mono_s()
        try:
            elements = self._elements(command, body, bare)
            readings = [self._reader.read(command, element) for element in elements]
            if not any(reading.answer for reading in readings):  # nothing to name in an answer of its own
                raise Refused(BAD_MEMBER, readings[0].words)
        except Refused as refused:
            self.counts[f"{command} refused {refused.code}"] += 1
            log.warning("order %d refused (%d): %s", command, refused.code, refused)
            zh, _ = words(refused.code)
            return self._answer(refused.code, f"{zh}: {refused}"[:WORDS_MAX], [])
        if not welcome:
            zh, _ = words(BAD_TOKEN)
            return self._answer(OK, "成功", [{**each.answer, "code": BAD_TOKEN, "message": zh} for each in readings])
        lane = self._carried_out(readings, started_s + ANSWER_S)
        told = [answered(each, lane.get(place), self._settings) for place, each in enumerate(readings)]
        self.counts[f"{command} taken"] += len(told)
        return self._answer(OK, "成功", told)

    def tally(self) -> tuple[int, int]:
        """Orders taken, and requests refused as a whole."""
        counts = self.counts.copy()
        taken = sum(count for name, count in counts.items() if name.endswith(" taken"))
        return taken, sum(count for name, count in counts.items() if "refused" in name)

    def refusal(self, code: int, why: str) -> bytes:
        """An answer for what never became a request: path, token, size (SC21, SC22)."""
        self.counts[f"refused {why}"] += 1
        return self._answer(code, why, [])

    def _elements(self, command: int, body: bytes, bare: bool) -> list[Any]:
        if command not in NAMES:
            raise Refused(OTHER, f"没有接口 {command} no such interface")
        try:
            top = msgspec.json.decode(body, type=_Envelope | list[msgspec.Raw]) if bare else _envelope(body)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if isinstance(error, msgspec.ValidationError):
                raise Refused(BAD_ENVELOPE, str(error)) from None
            raise Refused(BAD_JSON, str(error)) from None
        if isinstance(top, list):
            data = body
        elif top.data is msgspec.UNSET:
            if not bare:
                raise Refused(BAD_ENVELOPE, "data 缺少 is missing")
            data = body
        else:
            data = bytes(top.data)
            self._judge_envelope(top, data)
        try:
            elements = decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refused(BAD_JSON, str(error)) from None
        if isinstance(elements, dict):
            return [elements]
        if not isinstance(elements, list) or not elements:
            raise Refused(BAD_ENVELOPE, "data 须为非空列表 must be a list that is not empty")
        return elements

    def _judge_envelope(self, top: _Envelope, data: bytes) -> None:
        settings = self._settings
        if settings.check_sign and not (isinstance(top.sign, str) and fits(top.sign, data, self._secret)):
            raise Refused(BAD_ENVELOPE, "sign 与 data 不符 does not fit data")
        if settings.replay_window_s:
            try:
                sent_s = Members({"timestamp": top.timestamp}).number("timestamp")
            except BadMember as bad:
                raise Refused(BAD_ENVELOPE, str(bad)) from None
            if sent_s >= 10**11:  # SC16: 13 digits are milliseconds
                sent_s /= 1000
            now_s = Decimal(stamp(self._clock.wall_ms(), "s"))
            if abs(now_s - sent_s) > Decimal(settings.replay_window_s):
                raise Refused(BAD_ENVELOPE, f"timestamp 与当前时间相差过大 is too far from {now_s}")

    def _carried_out(self, readings: Sequence[Reading], until_s: float) -> dict[int, LaneAnswer | None]:
        """By place. Entries of control lists go together, and alone when together they were refused."""
        found: dict[int, LaneAnswer | None] = {}
        places = [place for place, reading in enumerate(readings) if reading.order is not None]
        while places:
            group = _alike(readings, places)
            places = places[len(group) :]
            answer = self._one(_joined([readings[place].order for place in group]), until_s)
            if answer is not None and not answer.ok and len(group) > 1:
                for place in group:
                    order = readings[place].order
                    assert order is not None
                    found[place] = self._one(order, until_s)
            else:
                found.update(dict.fromkeys(group, answer))
        return found

    def _one(self, order: AnyFlowOrder, until_s: float) -> LaneAnswer | None:
        left_s = until_s - self._clock.mono_s()
        return self._ask(order, left_s) if left_s > 0 else None

    def _answer(self, code: int, message: str, elements: list[dict[str, object]]) -> bytes:
        settings = self._settings
        return answer_body(
            code,
            message,
            elements,
            self._clock.wall_ms(),
            as_text=settings.codes_as_text,
            unit=settings.timestamp_unit,
        )


class _Envelope(msgspec.Struct):
    """Table 12. `data` is kept as it stands: the sign is over its text."""

    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    sign: Any = None
    timestamp: Any = None


def _envelope(body: bytes) -> _Envelope:
    return msgspec.json.decode(body, type=_Envelope)


def _alike(readings: Sequence[Reading], places: Sequence[int]) -> list[int]:
    """The first of `places` and those behind it that can go in one order with it."""
    first = readings[places[0]].order
    if not isinstance(first, ControlOrder):
        return [places[0]]
    group = []
    for place in places[:LIST_AT_ONCE]:
        order = readings[place].order
        if not isinstance(order, ControlOrder) or order.action != first.action:
            break
        group.append(place)
    return group


def _joined(orders: Sequence[AnyFlowOrder | None]) -> AnyFlowOrder:
    first = orders[0]
    assert first is not None
    if not isinstance(first, ControlOrder):
        return first
    entries = [entry for order in orders if isinstance(order, ControlOrder) for entry in order.entries]
    return msgspec.structs.replace(first, entries=tuple(entries))
