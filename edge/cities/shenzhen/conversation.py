"""Conversation over HTTPS: login, token, and what each answer means (T/SZPIA 001-2020 7.1.4.2, 7.1.5). Pure.

It is told the time and touches no socket. One token serves all senders:

    no token           1001 -> token
    token grows old    1002 at `refresh_at` of its life (SC10) -> token; refused: 1001
    token refused      code 3002 or HTTP 401: 1002, then 1001 (SC10), then the same record again
    end                1003
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from edge.cities.shenzhen.codes import (
    BAD_ENVELOPE,
    BAD_LOGIN,
    BAD_MEMBER,
    BAD_TOKEN,
    KNOWN_CODES,
    OK,
    RECORD_CODES,
    words,
)
from edge.cities.shenzhen.envelope import (
    Element,
    Reply,
    ReplyError,
    Request,
    TimeUnit,
    integer,
    parse_reply,
    record_id,
    request_body,
)
from edge.cities.shenzhen.messages import Login
from edge.cities.shenzhen.sign import Signing, sorted_json
from edge.cities.verdict import Answer, Meaning, Verdict, lost, unreachable

UNAUTHORISED = 401
LOGIN, REFRESH, LOGOUT = "1001", "1002", "1003"


class Account(msgspec.Struct, frozen=True):
    """What the platform hands out, and how we speak. `password` as it goes over the wire. `repr` hides secrets."""

    user: str
    password: str
    signing: Signing = Signing()
    callback: str = ""
    order_url: str = ""
    version: str = "1.0"
    time_unit: TimeUnit = "s"
    token_prefix: str = ""
    token_blank: bool = True
    refresh_token_sent: bool = False
    refresh_at: float = 0.8
    expires_unit_s: float = 1.0

    def __repr__(self) -> str:
        return f"Account(user={self.user!r}, signing={self.signing!r})"


class _Token(msgspec.Struct, frozen=True):
    access: str
    refresh: str
    kind: str
    renew_at_s: float | None
    known_bad: bool = False


class Conversation:
    """Not for several threads at once; `access_token` may be read from any."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._token: _Token | None = None

    @property
    def access_token(self) -> str:
        """"" while there is none that the platform takes (SC06: it shows the same one when it calls us)."""
        token = self._token
        return token.access if token is not None and not token.known_bad else ""

    def beside(self) -> Conversation | None:
        """Another one with the present token, for a request outside of this one's line; None: there is no token. It
        may be asked for on any thread, and must neither log in nor out."""
        token = self._token
        if token is None or token.known_bad:
            return None
        other = Conversation(self._account)
        other._token = token
        return other

    def needs_login(self, now_s: float) -> bool:
        token = self._token
        return (
            token is None or token.known_bad or (token.renew_at_s is not None and now_s >= token.renew_at_s)
        )

    def login(self, wall_ms: int) -> Request:
        """1002 while there is a token to renew, else 1001."""
        account, token = self._account, self._token
        member = Login(user_id=account.user, password=account.password)
        if token is None:
            member = msgspec.structs.replace(
                member, callback_server=account.callback or None, online_order_url=account.order_url or None
            )
            return self._request(LOGIN, [sorted_json(member)], wall_ms, None)
        member = msgspec.structs.replace(  # SC08: the token stands in the header too
            member,
            access_token=token.access,
            refresh_token=token.refresh if account.refresh_token_sent else None,
        )
        return self._request(REFRESH, [sorted_json(member)], wall_ms, token)

    def logged_in(self, request: Request, answer: Answer, now_s: float) -> Verdict:
        """Judge the answer to `login`, sent at `now_s`. accepted: the token is kept. relogin: ask `login` again, it
        is 1001 now."""
        reply = _read(answer)
        verdict = reply if isinstance(reply, Verdict) else _of_login(reply)
        if verdict.meaning == "accepted":
            assert isinstance(reply, Reply)
            token = self._new_token(reply.elements[0].members, now_s) if reply.elements else None
            if token is not None:
                self._token = token
                return verdict
            verdict = lost("登录应答没有令牌", "login answered without a token")
        if request.kind == REFRESH:
            asked_and_refused = isinstance(reply, Reply) or answer.status == UNAUTHORISED
            if asked_and_refused:
                self._token = None
                return msgspec.structs.replace(verdict, meaning="relogin", rests=False)
        return msgspec.structs.replace(verdict, meaning="link", rests=True)

    def logout(self, wall_ms: int) -> Request | None:
        """None: there is no token to give back. The token is not used again."""
        token, self._token = self._token, None
        if token is None or token.known_bad:
            return None
        return self._request(LOGOUT, [sorted_json(Login(access_token=token.access))], wall_ms, token)

    def batch(self, kind: str, records: Sequence[tuple[str, bytes]], wall_ms: int) -> Request:
        """Records of one kind, each sorted JSON with the id of its delivery."""
        if self._token is None:
            raise RuntimeError(f"{kind} {records[0][0]}: no token, log in first")
        return self._request(kind, [body for _, body in records], wall_ms, self._token)

    def token_refused(self, request: Request) -> None:
        """The platform does not know the token of `request`. A newer one, got meanwhile, stays."""
        if self._token is not None and request.token == self._token.access:
            self._token = msgspec.structs.replace(self._token, known_bad=True)

    def judged_each(self, request: Request, answer: Answer) -> list[Verdict]:
        """What `answer` means for each record in `request`, in their order."""
        ids = request.record_ids
        reply = _read(answer)
        verdict = reply if isinstance(reply, Verdict) else _of_all(reply)
        if verdict is not None:
            return [verdict] * len(ids)
        assert isinstance(reply, Reply)
        return [_of_one(reply.elements, each, place, len(ids)) for place, each in enumerate(ids)]

    def _request(self, kind: str, elements: Sequence[bytes], wall_ms: int, token: _Token | None) -> Request:
        account = self._account
        body = request_body(elements, account.signing, wall_ms, account.time_unit)
        authorization = "" if token is None else self._authorization(token)  # SC07: none at 1001
        ids = tuple(record_id(kind, element) for element in elements)
        path = f"/{account.version}/{kind}"
        return Request(kind, path, body, authorization, token.access if token is not None else "", ids)

    def _authorization(self, token: _Token) -> str:
        prefix = self._account.token_prefix or token.kind
        return f"{prefix}{' ' if self._account.token_blank else ''}{token.access}"

    def _new_token(self, members: dict[str, Any], now_s: float) -> _Token | None:
        access, kind = members.get("accessToken"), members.get("tokenType")
        if not isinstance(access, str) or not access.strip() or not access.isascii():
            return None
        try:
            life_s = integer(members.get("expiresIn"), "expiresIn") * self._account.expires_unit_s
        except ReplyError:
            life_s = 0.0  # not told or not readable: 3002 will tell
        kind = kind.strip() if isinstance(kind, str) and kind.isascii() and kind.isprintable() else ""
        renew_at_s = now_s + self._account.refresh_at * life_s if life_s > 0 else None
        refresh = members.get("refreshToken")
        return _Token(access.strip(), refresh if isinstance(refresh, str) else "", kind or "bearer", renew_at_s)


def _read(answer: Answer) -> Reply | Verdict:
    """The reply, or what an unreadable answer means (SC21: HTTP statuses are possible beside codes)."""
    if answer.status == UNAUTHORISED:
        return Verdict("relogin", "平台不认令牌 (HTTP 401)", "platform answered HTTP 401", code=UNAUTHORISED)
    try:
        reply = parse_reply(answer.body)
    except ReplyError as error:
        status = answer.status
        if status >= 500:
            return lost(f"平台内部错误 (HTTP {status})", f"platform answered HTTP {status}")
        if not 200 <= status < 300:
            return unreachable(f"平台拒绝请求 (HTTP {status})", f"platform answered HTTP {status}", status)
        return lost(f"无法读懂应答: {error}", "answer not understood")
    if answer.status >= 300 and reply.result_code == OK:
        return lost(f"平台应答自相矛盾 (HTTP {answer.status})", f"HTTP {answer.status} with resultCode 0")
    return reply


def _of_login(reply: Reply) -> Verdict:
    if reply.result_code != OK:
        return said("link", reply.result_code, reply.message, rests=True)
    if reply.elements and reply.elements[0].code != OK:
        return said("link", reply.elements[0].code, reply.elements[0].message, rests=True)
    return Verdict("accepted", "已登录", "logged in")


def _of_all(reply: Reply) -> Verdict | None:
    """What the answer says about the request as a whole; None: see each record."""
    code = reply.result_code
    if code == OK:
        return None
    if code == BAD_TOKEN:
        return said("relogin", code, reply.message)
    if code in {BAD_LOGIN, BAD_ENVELOPE}:
        return said("link", code, reply.message, rests=True)
    detail = next((each for each in reply.elements if each.code != OK), None)
    if detail is not None:
        return of_code(detail.code, detail.message or reply.message)
    if code == BAD_MEMBER or code in RECORD_CODES:
        return said("refused", code, reply.message)
    return said("retry", code, reply.message)


def _of_one(elements: Sequence[Element], wanted: str, place: int, count: int) -> Verdict:
    """SC23: by id, else by position; no element at all is success (SC19)."""
    if not elements:
        return Verdict("accepted", "已接收", "accepted")
    named = [each for each in elements if each.record_id and each.record_id.lower() == wanted.lower()]
    if not named and len(elements) == count:
        at_its_place = elements[place]
        named = [at_its_place] if not at_its_place.record_id or not wanted else []
    if not named:
        return Verdict("retry", "应答没有提到这条记录", "the answer does not mention this record")
    worst = next((each for each in named if each.code != OK), named[0])
    return of_code(worst.code, worst.message)


def of_code(code: int, message: str) -> Verdict:
    """A record's own code of table 44."""
    if code == OK:
        return Verdict("accepted", "已接收", "accepted")
    if code in KNOWN_CODES:
        return said("accepted", code, message)
    if code == BAD_TOKEN:
        return said("relogin", code, message)
    if code == BAD_LOGIN:
        return said("link", code, message, rests=True)
    return said("refused" if code in RECORD_CODES or code == BAD_MEMBER else "retry", code, message)


def said(meaning: Meaning, code: int, message: str, *, rests: bool = False) -> Verdict:
    """The platform's code in our words, with its own behind them."""
    zh, en = words(code)
    tail = f": {message}" if message and message != zh else ""
    return Verdict(meaning, f"{zh} ({code}){tail}", f"{en} ({code})", rests, code)
