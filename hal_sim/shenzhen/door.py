"""Letting in: the answers to 1001, 1002, 1003 and 1004, and the token of every other request. Called under the lock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hal_sim.shenzhen import lists
from hal_sim.shenzhen.envelope import Refusal
from hal_sim.shenzhen.records import Books
from hal_sim.shenzhen.session import Session, token_in
from hal_sim.shenzhen.tables import SESSION_FIELDS
from hal_sim.shenzhen.values import Fault, faults, shown
from hal_sim.shenzhen.weather import Kind

Element = dict[str, object]

# Tables 16 and 18 require these also of a failed login.
NO_TOKEN: Element = {"tokenType": "bearer", "expiresIn": 0, "accessToken": "", "refreshToken": ""}


class BadToken(Exception):
    """The token of a request is not (or no longer) good: code 3002."""


@dataclass(slots=True)
class Door:
    """`session` knows the tokens, `books` gets the violations, `counts` the successes."""

    session: Session
    books: Books
    counts: Counter[str] = field(default_factory=Counter)

    def token(self, where: str, authorization: str, weather: Kind | None) -> str:
        """The living token of a request. Raises `BadToken`."""
        token = token_in(authorization)
        if token is None:
            allowed = "未登录或格式不符: must be bearer <accessToken>, login (1001) before anything"
            self.books.violate(where, "", [Fault("Authorization", shown(authorization), allowed, lists.BAD_TOKEN)])
            raise BadToken("Authorization")
        if weather in ("expire_token", "unauthorized"):
            self.session.expire(token)
        if weather == "token_storm":
            self.session.expire_all()
        if not self.session.alive(token):
            raise BadToken("无此令牌或已过期 no such token, or it has ended")
        self.session.used = token
        return token

    def login(self, data: list[Element]) -> Element:
        """1001: the element of the answer."""
        element = _one(lists.LOGIN, data, self.books)
        wrong = self._wrong_login(lists.LOGIN, element)
        if wrong:
            return {"code": lists.BAD_LOGIN, "message": wrong, "scope": "", **NO_TOKEN}
        callback = element.get("callbackServer")
        self.counts["logins"] += 1
        return _success(self.session.welcome(None if callback is None else str(callback)))

    def again(self, code: int, data: list[Element], token: str) -> Element:
        """1002 and 1003: the token stands in the element too (SC08)."""
        element = _one(code, data, self.books)
        if element["accessToken"] != token:
            said = "与 Authorization 不符 differs from the header"
            raise Refusal(lists.BAD_PARAMETER, "accessToken", element["accessToken"], said)
        if code == lists.LOGOUT:
            self.session.expire(token)
            self.counts["logouts"] += 1
            return _success({})
        wrong = self._wrong_login(code, element)
        if wrong:
            return {"code": lists.BAD_LOGIN, "message": wrong, "id": "0" * 32, **NO_TOKEN}
        self.counts["refreshes"] += 1
        return _success(self.session.renew(token))

    def link_login(self, data: list[Element]) -> Element:
        """1004."""
        wrong = self._wrong_login(lists.LINK_LOGIN, _one(lists.LINK_LOGIN, data, self.books))
        return {"code": lists.BAD_LOGIN, "message": wrong} if wrong else _success({})

    def _wrong_login(self, code: int, element: Element) -> str:
        """What is wrong with user and password in at most 255 characters, "" if nothing is."""
        wrong = self.session.password_fault(element)
        if wrong:
            name, _, said = wrong.partition(": ")
            self.books.violate(str(code), "", [Fault(name, "***", said, lists.BAD_LOGIN)])
            self.books.refused[str(lists.BAD_LOGIN)] += 1
        return wrong[:255]


def _one(code: int, data: list[Element], books: Books) -> Element:
    """The only element of a session request, every member right."""
    if len(data) != 1:
        raise Refusal(lists.BAD_PARAMETER, "data", data, "须为一个元素 must have one element")
    wrong = faults(SESSION_FIELDS[code], data[0], books.notes)
    if wrong:
        value = "***" if wrong[0].field == "password" else wrong[0].value  # it may be the clear one
        raise Refusal(lists.BAD_PARAMETER, wrong[0].field, value, wrong[0].allowed)
    return data[0]


def _success(members: Element) -> Element:
    return {"code": lists.OK, "message": lists.meaning(lists.OK), **members}
