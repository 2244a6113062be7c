"""The simulated Shenzhen platform without its sockets: a request in, an answer out, everything kept.

Order of judgement: address, JSON, envelope, signature, token; then every element by its table, then by rules
between records. How a refusal is told (tables 43 and 44): what concerns the request is a resultCode; when the
request was read, every element has its own code; when every element lacks a member or has one too many, it is
resultCode 4 with data [] (SC21, SC22).
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from hal_sim.city_http import Answer, Post, weathered
from hal_sim.shenzhen import lists
from hal_sim.shenzhen.door import BadToken, Door
from hal_sim.shenzhen.envelope import Refusal, read_request, write_answer
from hal_sim.shenzhen.records import Books, Record, Summary, Violation
from hal_sim.shenzhen.rules import broken, note, out_of_order
from hal_sim.shenzhen.session import Account, Session
from hal_sim.shenzhen.tables import BY_CODE, Interface
from hal_sim.shenzhen.values import Fault, faults
from hal_sim.shenzhen.weather import ANSWER_KINDS, Kind, Weather

INTERNAL_KEPT = 100

BASE = "/api"
_PATH = re.compile(rf"{BASE}/{re.escape(lists.VERSION)}/(\d{{4}})")
_CONTENT_TYPE = re.compile(r'application/json\s*;\s*charset\s*=\s*"?utf-8"?\s*', re.IGNORECASE)

Element = dict[str, object]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one element: its id and its faults."""

    item_id: str
    faults: tuple[Fault, ...] = ()
    weather: bool = False

    @property
    def code(self) -> int:
        if self.weather:
            return lists.WEATHER_CODE
        return self.faults[0].code if self.faults else lists.OK

    @property
    def message(self) -> str:
        """Table 24 and following: at most 255 characters."""
        if self.weather:
            return "天气 refused by the weather"
        said = "; ".join(map(str, self.faults)) or lists.meaning(lists.OK)
        return said if len(said) <= 255 else said[:252] + "..."


class Platform:
    """Everything but the sockets. Safe for every thread."""

    answer_kinds = ANSWER_KINDS

    def __init__(
        self,
        account: Account,
        *,
        seed: int = 0,
        token_life_s: int = 7200,
        now: Callable[[], float] = time.time,
        listener: Callable[[str], None] | None = None,
    ) -> None:
        if token_life_s < 1:
            raise ValueError(f"token_life_s: {token_life_s} 须不小于 1, must be at least 1")
        self.account = account
        self.weather = Weather(random.Random(f"weather {seed}"))
        self.now = now
        self.books = Books(account.park_codes)
        self.lock = threading.Lock()
        self.order_counts: Counter[str] = Counter()
        self.link_counts: Counter[str] = Counter()
        self.session = Session(account, random.Random(f"tokens {seed}"), token_life_s, now)
        self.door = Door(self.session, self.books)
        self._listener = listener
        self._requests = 0
        self._internal: list[str] = []

    # --- what was received ---------------------------------------------------------------------------------

    def summary(self) -> Summary:
        """Everything received so far."""
        weather = self.weather.struck()
        with self.lock:
            books = self.books
            return Summary(
                requests=self._requests,
                logins=self.door.counts["logins"],
                refreshes=self.door.counts["refreshes"],
                accepted=dict(books.counts),
                repeats=dict(books.repeats),
                changed=tuple(books.changed),
                refused=dict(books.refused),
                violated=books.violated,
                violations=tuple(books.violations),
                charge_differs=books.differing_charges(),
                plate_differs=books.differing_plates(),
                notes=dict(books.notes),
                late=dict(books.late),
                orders=dict(self.order_counts),
                link=dict(self.link_counts),
                weather=weather,
                internal_errors=tuple(self._internal),
            )

    def by_id(self, item_id: str) -> tuple[Record, ...]:
        """All records of that id; an entry, its exit and its corrections share one."""
        with self.lock:
            return self.books.by_id(item_id)

    def by_plate(self, plate: str) -> tuple[Record, ...]:
        """All records of a plate (粤B12345), in order of arrival."""
        with self.lock:
            return self.books.by_plate(plate)

    def entry_of(self, plate: str) -> str | None:
        """The id of the entry (5004) of a car that has not left, None if it is not inside."""
        with self.lock:
            return self.books.inside.get(plate)

    def of(self, code: int) -> tuple[Record, ...]:
        """All records of an interface, in order of arrival."""
        with self.lock:
            return self.books.of(code)

    @property
    def records(self) -> tuple[Record, ...]:
        """Everything that was accepted, in order of arrival."""
        with self.lock:
            return tuple(self.books.by_key.values())

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What the box did and the standard does not allow, in order."""
        with self.lock:
            return tuple(self.books.violations)

    def expire_tokens(self) -> None:
        """Every token that was given out ends now."""
        with self.lock:
            self.session.expire_all()

    def violate(self, where: str, item_id: str, fault: Fault) -> None:
        """The box did what the standard does not allow."""
        with self.lock:
            self.books.violate(where, item_id, [fault])
        self.tell(where, f"违规 violated {fault}")

    def broke(self, error: BaseException) -> None:
        """A mistake of the simulator itself: the summary shows it, so that no run hides one."""
        with self.lock:
            if len(self._internal) < INTERNAL_KEPT:
                self._internal.append(repr(error))

    def tell(self, where: str, said: str) -> None:
        """One line for whoever listens."""
        if self._listener is not None:
            self._listener(f"{where} {said}")

    # --- answering -----------------------------------------------------------------------------------------

    def answer(self, post: Post, weather: Kind | None) -> Answer:
        """Answer one POST under this weather (which the server has drawn; it does `hang` itself)."""
        with self.lock:
            self._requests += 1
        if weather == "http_500":
            self.tell(post.path, "500 (天气 weather http_500)")
            return Answer(500, b"Internal Server Error", "text/plain")
        with self.lock:
            status, reply, said = self._reply(post, weather)
        self.tell(post.path, said if weather is None else f"{said} (天气 weather {weather})")
        if weather == "text_codes":
            reply = _with_text_codes(reply)
        body = json.dumps(reply, ensure_ascii=False).encode()
        return weathered(status, body, weather)

    def _reply(self, post: Post, weather: Kind | None) -> tuple[int, Element, str]:
        """Status, reply and one line for the log. Called under the lock."""
        match = _PATH.fullmatch(post.path)
        code = int(match[1]) if match else 0
        interface = BY_CODE.get(code)
        if interface is None and code not in (lists.LOGIN, lists.REFRESH, lists.LOGOUT):
            return self._refused(post.path, Refusal(lists.OTHER, "(url)", post.path, "无此接口 no such interface"), 404)
        where = str(code)
        data: list[Element] = []
        try:
            content_type = post.headers.get("content-type", "")
            if not _CONTENT_TYPE.fullmatch(content_type):
                allowed = "须为 must be application/json;charset=UTF-8"
                raise Refusal(lists.BAD_ENVELOPE, "Content-Type", content_type, allowed)
            data = read_request(post.body, self.account.sign, self.now())
            if weather == "refuse":
                return 200, self._wrap(lists.OTHER, "天气 weather"), "5 拒绝 refused"
            if code == lists.LOGIN:
                return 200, *self._session(self.door.login(data))
            token = self.door.token(where, post.headers.get("authorization", ""), weather)
            if interface is None:
                return 200, *self._session(self.door.again(code, data, token))
            return 200, *self._business(interface, data, weather)
        except Refusal as refusal:
            return self._refused(where, refusal, 200)
        except BadToken as bad:
            self.books.refused[str(lists.BAD_TOKEN)] += 1
            said = f"{lists.meaning(lists.BAD_TOKEN)}: {bad}"
            if weather == "unauthorized":
                return 401, self._wrap(lists.OTHER, said), f"401 {said}"
            elements = [self._element(interface, one, lists.BAD_TOKEN, said) for one in data]
            return 200, self._wrap(lists.OK, lists.RESULT_CODES[0], elements), f"3002 {said}"

    def _refused(self, where: str, refusal: Refusal, status: int) -> tuple[int, Element, str]:
        self.books.violate(where, "", [refusal.fault])
        self.books.refused[f"{where} {refusal.fault.field}"] += 1
        said = f"{lists.RESULT_CODES[refusal.result_code]}: {refusal}"
        return status, self._wrap(refusal.result_code, said), f"{refusal.result_code} {said}"

    def _wrap(self, result_code: int, message: str, elements: list[Element] | None = None) -> Element:
        return write_answer(result_code, message, elements or [], self.now())

    def _session(self, element: Element) -> tuple[Element, str]:
        """The answer to 1001, 1002 or 1003 and a line for the log, which has no token in it."""
        said = f"{element['code']} {element['message']}, 回调 callback {self.session.callback}"
        return self._wrap(lists.OK, lists.RESULT_CODES[0], [element]), said

    def _element(self, interface: Interface | None, element: Element, code: int, message: str) -> Element:
        reply: Element = {"code": code, "message": message[:255]}
        if interface is not None:
            reply[interface.reply_key] = id_of(interface, element)
        return reply

    # --- records -------------------------------------------------------------------------------------------

    def _business(self, interface: Interface, data: list[Element], weather: Kind | None) -> tuple[Element, str]:
        verdicts = [
            Verdict(id_of(interface, element), weather=True)
            if weather == "refuse_item" or (weather == "refuse_some" and place % 2)
            else self._judge(interface, element)
            for place, element in enumerate(data)
        ]
        failed = [verdict for verdict in verdicts if verdict.code != lists.OK]
        first = f": {failed[0].message}" if failed else ""
        plates = " ".join(
            str(car["plateNo"]) for one in data if isinstance(car := one.get("carInfo"), dict) and "plateNo" in car
        )
        said = f"{interface.zh} {plates} → 收 accepted {len(data) - len(failed)}, 拒 refused {len(failed)}{first}"
        if all(any(fault.shape for fault in verdict.faults) for verdict in verdicts):
            return self._wrap(lists.BAD_PARAMETER, f"{lists.RESULT_CODES[4]}{first}"), said
        elements = [
            self._element(interface, element, verdict.code, verdict.message)
            for element, verdict in list(zip(data, verdicts, strict=True)) * (2 if weather == "twice_each" else 1)
        ]
        if weather == "no_codes":
            elements = [{name: one[name] for name in one if one["code"] or name != "code"} for one in elements]
        return self._wrap(lists.OK, lists.RESULT_CODES[0], elements), said

    def _judge(self, interface: Interface, element: Element) -> Verdict:
        item_id, books = id_of(interface, element), self.books
        wrong = faults(interface.fields, element, books.notes)
        if wrong:
            return self._refuse(interface, item_id, wrong)
        known = books.get(interface.code, item_id)
        if known is None or not interface.once:  # what was accepted once needs no second look
            wrong = broken(interface, item_id, element, books, self.now())
            if wrong:
                return self._refuse(interface, item_id, wrong)
        if interface.code == 5004 and known is None:
            books.violate("5004", item_id, out_of_order(item_id, books))
        outcome = books.take(interface, item_id, element, self.now())
        if outcome == "changed":
            said = f"已上传且内容不同 was sent before with other content: {books.changed[-1]}"
            return self._refuse(interface, item_id, [Fault("id", item_id, said, lists.EXISTS_ALREADY)])
        if outcome == "new":
            note(interface, item_id, element, books, self.now())
        return Verdict(item_id)

    def _refuse(self, interface: Interface, item_id: str, wrong: list[Fault]) -> Verdict:
        self.books.violate(str(interface.code), item_id, wrong)
        self.books.refused[f"{interface.code} {', '.join(fault.field for fault in wrong)}"] += 1
        return Verdict(item_id, tuple(wrong))


def id_of(interface: Interface, element: Element) -> str:
    """The record's id as the sender wrote it, "" if it wrote none that is text or a number."""
    value: object = element
    for name in interface.key:
        value = value.get(name) if isinstance(value, dict) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _plate(element: Element) -> str:
    car = element.get("carInfo")
    return str(car.get("plateNo", "")) if isinstance(car, dict) else ""


def _with_text_codes(reply: Element) -> Element:
    """Annex B prints "resultCode": "0" and "code": "0" where the tables say Int (SC18)."""
    elements = reply["data"] if isinstance(reply["data"], list) else []
    data = [one | {"code": str(one["code"])} if "code" in one else one for one in elements]
    return reply | {"resultCode": str(reply["resultCode"]), "data": data}
