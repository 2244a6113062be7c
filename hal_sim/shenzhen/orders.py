"""Orders down to the box (4001, 4002, 6001, 6002) over HTTPS or over the TCP link, and the judgement of its answers.

Every order keeps what was asked, what came back and how long it took; an answer that is late (7.2.2: 3 s), of a
wrong shape, unsuited to its order, or different when the same order comes twice is a violation.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from hal_sim.shenzhen import lists
from hal_sim.shenzhen.envelope import Refusal, Result, read_answer, write_request
from hal_sim.shenzhen.link_server import LinkServer
from hal_sim.shenzhen.platform import Platform
from hal_sim.shenzhen.tables import REPLIES
from hal_sim.shenzhen.values import Fault, faults
from hal_sim.shenzhen.weather import ORDER_KINDS, OrderKind

Element = dict[str, object]
Via = Literal["https", "tcp"]

ANSWER_S = 3.0  # 7.2.2
GIVE_UP_S = 10.0  # how late an answer may be and still be measured
SEEN_MAX_BYTES = 10_000_000
UNAUTHORISED = 401

_IDS = {4001: "id", 4002: "couponNo", 6001: "bookCode", 6002: "bookCode"}


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """What became of one order. `result` None: no valid answer came, `fault` says why."""

    code: int
    via: Via
    elements: tuple[Element, ...]
    result: Result | None
    latency_s: float
    fault: str = ""
    reached: bool = True
    """Whether the box can have taken it: False when nobody listened, or nobody there knew our token yet."""

    @property
    def codes(self) -> tuple[object, ...]:
        """The box's code for each element; () when the whole order was refused or unanswered."""
        return () if self.result is None else tuple(one.get("code") for one in self.result.elements)


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int | None  # None over TCP
    body: bytes
    latency_s: float


class NoAnswer(Exception):
    """The order could not be brought to the box (`reached` False), or nothing came back."""

    def __init__(self, said: str, *, reached: bool) -> None:
        super().__init__(said)
        self.reached = reached


class Orders:
    """`send` from any thread. `trust` verifies the box's callback server."""

    def __init__(self, platform: Platform, links: LinkServer, trust: ssl.SSLContext) -> None:
        self._platform, self._links, self._trust = platform, links, trust
        self.down_token: str | None = None
        """A token handed out beforehand; None: the box's own accessToken shows who asks (SC06)."""
        self.log: list[OrderAnswer] = []

    def ways(self) -> tuple[Via, ...]:
        """The ways that stand open now, the preferred one first (7.1.4.1.1 d, SC71)."""
        with self._platform.lock:
            callback = self._platform.session.callback
        ways: list[Via] = ["https"] if callback else []
        if self._links.newest is not None:
            ways.append("tcp")
        return tuple(ways)

    def send(self, code: int, elements: list[Element], via: Via | None = None) -> OrderAnswer:
        """One order and its answer. `via` None: the preferred way. Raises ValueError for no order of the standard."""
        if code not in lists.ORDERS:
            raise ValueError(f"code: {code} 须为 must be one of {', '.join(map(str, lists.ORDERS))}")
        ways = self.ways()
        chosen: Via = via or (ways[0] if ways else "tcp")
        weather = self._platform.weather.strike(f"order/{code}", ORDER_KINDS)
        if weather in ("order_unsigned", "order_wrong_token"):
            self._must_be_refused(code, elements, chosen, weather)
        if weather == "order_left":
            self._leave(code, elements, chosen)
        if weather == "order_both_ways" and len(ways) == 2:
            answers = self._at_once(code, elements, ways)
        else:
            answers = self._one_way(code, elements, chosen, twice=weather == "order_twice")
        self._must_be_alike(code, answers)
        return answers[0]

    # --- one order -----------------------------------------------------------------------------------------

    def _at_once(self, code: int, elements: list[Element], ways: tuple[Via, ...]) -> list[OrderAnswer]:
        answers: list[OrderAnswer] = []
        threads = [
            threading.Thread(
                target=lambda way=way: answers.extend(self._one_way(code, elements, way)), name=f"order-{way}"
            )
            for way in ways
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def _one_way(self, code: int, elements: list[Element], via: Via, *, twice: bool = False) -> list[OrderAnswer]:
        """The answers to one order: one, or two when it is sent twice."""
        platform = self._platform
        body = write_request(elements, platform.account.sign, platform.now())
        self._count(via)
        try:
            raws = self._carry(code, body, via, twice=twice)
        except NoAnswer as error:
            self._count("unanswered")
            answers = [OrderAnswer(code, via, tuple(elements), None, GIVE_UP_S, str(error), error.reached)]
        else:
            answers = [self._judge(code, elements, via, raw) for raw in raws]
        with platform.lock:
            self.log.extend(answers)
        for answer in answers:
            said = answer.fault or f"{answer.result and answer.result.result_code} {answer.codes}"
            platform.tell(f"order {code} {via}", f"→ {said} {answer.latency_s * 1000:.0f} ms")
        return answers

    def _judge(self, code: int, elements: list[Element], via: Via, raw: _Raw) -> OrderAnswer:
        platform, asked = self._platform, tuple(elements)
        first = _id_of(code, elements[0]) if elements else ""
        where = f"{code} {via}"
        if raw.latency_s > ANSWER_S:
            self._count("late")
            fault = Fault("(time)", f"{raw.latency_s:.1f} s", f"须在 must be within {ANSWER_S:.0f} s", lists.OTHER)
            platform.violate(where, first, fault)
        try:
            if raw.status not in (None, 200):
                raise Refusal(lists.OTHER, "(status)", raw.status, "须为 HTTP 200 must be 200")
            result = read_answer(raw.body, platform.now())
        except Refusal as refusal:
            platform.violate(where, first, refusal.fault)
            return OrderAnswer(code, via, asked, None, raw.latency_s, str(refusal))
        self._count("answered")
        for fault in _faults_of(code, elements, result):
            platform.violate(where, first, fault)
        return OrderAnswer(code, via, asked, result, raw.latency_s)

    def _leave(self, code: int, elements: list[Element], via: Via) -> None:
        """Send the order and wait for nothing."""
        body = write_request(elements, self._platform.account.sign, self._platform.now())
        if via == "tcp":
            link = self._links.newest
            if link is not None:
                link.forget(link.request(code, body))
            return
        try:
            with self._platform.lock:
                tokens = self._platform.session.shown_to_box()
            self._https(code, body, self.down_token or tokens[0]).close()
        except (OSError, http.client.HTTPException, NoAnswer) as error:
            self._platform.tell(f"order {code} https", f"order_left: {error}")

    def _must_be_refused(self, code: int, elements: list[Element], via: Via, weather: OrderKind) -> None:
        """A forged order: it must be refused as a whole, and (the driver sees) not be done."""
        platform = self._platform
        body = write_request(elements, platform.account.sign, platform.now())
        token = None
        if weather == "order_unsigned":
            right = platform.account.sign.of(list(elements))
            body = body.replace(right.encode(), b"0" * len(right), 1)
        elif via == "tcp":
            return  # a link has no token of its own: its login speaks for it
        else:
            token = "forged"
        try:
            raw = self._carry(code, body, via, token=token)[0]
            refused = raw.status in (401, 403) or _is_refusal(read_answer(raw.body, platform.now()), weather)
        except (NoAnswer, Refusal) as error:
            platform.tell(f"order {code} {via}", f"{weather}: {error}")
            return
        if not refused:
            fault = Fault(
                "sign" if token is None else "Authorization", weather, "须被拒绝 must be refused", lists.OTHER
            )
            platform.violate(f"{code} {via}", _id_of(code, elements[0]), fault)

    def _must_be_alike(self, code: int, answers: list[OrderAnswer]) -> None:
        told = {answer.codes for answer in answers if answer.result is not None}
        if len(told) > 1:
            fault = Fault(
                "code", str(sorted(map(str, told))), "重复指令须同样应答 a repeated order is answered alike", 0
            )
            self._platform.violate(str(code), _id_of(code, dict(answers[0].elements[0])), fault)

    # --- the two ways --------------------------------------------------------------------------------------

    def _carry(self, code: int, body: bytes, via: Via, *, twice: bool = False, token: str | None = None) -> list[_Raw]:
        """Bring the bytes to the box. Raises `NoAnswer`."""
        if via == "https":
            return [self._post(code, body, token) for _ in range(2 if twice else 1)]
        link = self._links.newest
        if link is None:
            raise NoAnswer("TCP 未连接 no link is logged in", reached=False)
        started_s = time.monotonic()
        pending = link.request(code, body, twice=twice)
        pending.done.wait(GIVE_UP_S)
        link.forget(pending)
        latency_s = time.monotonic() - started_s
        if not pending.answers:
            raise NoAnswer(f"TCP 没有应答 no answer within {latency_s:.1f} s", reached=True)
        return [_Raw(None, answer, latency_s) for answer in pending.answers]

    def _post(self, code: int, body: bytes, forged: str | None) -> _Raw:
        """Show the box the tokens that it may know us by. One that knows none of them has just been restarted, or its
        token has ended, or the answer with a new one was lost: it logs in, and whoever ordered asks again."""
        with self._platform.lock:
            tokens = self._platform.session.shown_to_box()
        if forged is not None or self.down_token is not None:
            return self._post_with(code, body, forged or str(self.down_token))
        for token in tokens:
            raw = self._post_with(code, body, token)
            if raw.status != UNAUTHORISED:
                return raw
        self._count("unauthorised")
        raise NoAnswer("HTTPS 401: 盒子尚无有效令牌 the box has no living token now", reached=False)

    def _post_with(self, code: int, body: bytes, token: str) -> _Raw:
        started_s = time.monotonic()
        try:
            connection = self._https(code, body, token)
            try:
                response = connection.getresponse()
                return _Raw(response.status, response.read(SEEN_MAX_BYTES), time.monotonic() - started_s)
            finally:
                connection.close()
        except ssl.SSLCertVerificationError as error:
            fault = Fault("certificate", str(error)[:80], "回调服务器证书须可验证 must be verifiable", lists.OTHER)
            self._platform.violate(f"{code} https", "", fault)
            raise NoAnswer(f"HTTPS {error}", reached=True) from error  # no matter of time: it stays like that
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"HTTPS {type(error).__name__}: {error}", reached=True) from error

    def _https(self, code: int, body: bytes, token: str) -> http.client.HTTPSConnection:
        """A connection to the callback server on which the order was sent. Raises `NoAnswer` if nobody listens."""
        with self._platform.lock:
            callback = self._platform.session.callback
        if callback is None:
            raise NoAnswer("HTTPS 无回调地址 no callbackServer was told at login", reached=False)
        parts = urlsplit(callback)
        headers = {
            "Content-Type": "application/json;charset=UTF-8",
            "Authorization": f"bearer {token}",
        }
        connection = http.client.HTTPSConnection(
            str(parts.hostname), parts.port or 443, timeout=GIVE_UP_S, context=self._trust
        )
        try:
            connection.connect()
        except ConnectionRefusedError as error:
            raise NoAnswer(f"HTTPS 盒子未在监听 the box does not listen: {error}", reached=False) from error
        except BaseException:
            connection.close()
            raise
        try:
            connection.request("POST", f"{parts.path.rstrip('/')}/{lists.VERSION}/{code}", body, headers)
        except BaseException:
            connection.close()
            raise
        return connection

    def _count(self, name: str) -> None:
        with self._platform.lock:
            self._platform.order_counts[name] += 1


def _id_of(code: int, element: Element) -> str:
    inner = element.get("blackWhiteGraySheet")
    value = (inner if isinstance(inner, dict) else element).get(_IDS[code])
    return value if isinstance(value, str) else ""


def _is_refusal(result: Result, weather: OrderKind) -> bool:
    """A wrong signature is resultCode 3, a wrong token code 3002 (SC21, table 44)."""
    if weather == "order_unsigned":
        return result.result_code == lists.BAD_ENVELOPE
    return bool(result.elements) and all(one.get("code") == lists.BAD_TOKEN for one in result.elements)


def _faults_of(code: int, asked: list[Element], result: Result) -> list[Fault]:
    """What is wrong with an answer of right envelope: tables 36, 38, 40, 42, one element for each asked (SC23)."""
    if result.result_code != lists.OK:
        if result.elements:
            return [Fault("data", str(len(result.elements)), "resultCode 非 0 时须为 must be []", lists.BAD_ENVELOPE)]
        return []
    if len(result.elements) != len(asked):
        return [Fault("data", str(len(result.elements)), f"须为 must be {len(asked)} 个 elements", lists.BAD_ENVELOPE)]
    found: list[Fault] = []
    for one, element in zip(asked, result.elements, strict=True):
        found += faults(REPLIES[code], element, Counter())
        told, right = element.get(_IDS[code]), _id_of(code, one)
        if told != right:
            found.append(Fault(_IDS[code], str(told), f"须为 must be {right}", lists.BAD_NAME))
        number = element.get("code")
        if isinstance(number, int) and number not in lists.CODES and number < lists.OWN_CODES_FROM:
            found.append(
                Fault("code", str(number), "须为表 44 或 5000 起 must be of table 44 or from 5000", lists.BAD_NAME)
            )
    return found
