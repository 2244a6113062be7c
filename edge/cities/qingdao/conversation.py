"""Conversation: the login, and what each answer means for the record that was sent (T/QME 0015-2024 B.1, B.2).

Pure: it is told the time (monotonic seconds) and touches no socket. One answer has one of five meanings:

    accepted  the city has the record: the delivery ends
    retry     it may work later: again after 5 minutes, 50 times (B.2 rule 5, QC27), then set aside
    refused   the record itself is wrong (106, 107, 114, 119): set aside at once, never repeated blindly (QC23)
    relogin   the token is none (105, 113, 118): log in once for all senders, then the same record again (QC12)
    link      our account, signature or address is wrong (100 to 104, 110 to 112, 115 to 117), or the path is:
              every record would fare alike, so none is counted or blamed; a fault is shown and the link rests

`rests` says that the link must pause before the next request. A plain business refusal (result_code 1 or an
error_code) is about one record and pauses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.cities.qingdao.dictionaries import RESULT_CODES
from edge.cities.qingdao.envelope import (
    Account,
    Item,
    Reply,
    ReplyError,
    Request,
    batch_request,
    login_request,
    logout_request,
    parse_reply,
)
from edge.cities.verdict import Answer, Meaning, Verdict, lost, unreachable

RELOGIN_CODES = frozenset({105, 113, 118})
RECORD_CODES = frozenset({106, 107, 114, 119})
LINK_CODES = frozenset({100, 101, 102, 103, 104, 110, 111, 112, 115, 116, 117})

# QC12: log in again before 90 % of timeOut.
RENEW_AT = 0.9

_ACCEPTED = Verdict("accepted", "已接收", "accepted")


class Conversation:
    """The state that all senders share: one token. Not for several threads at once."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._token = ""
        self._renew_at_s: float | None = None
        login_request(account)  # what the city would refuse by its length is an error at start, not at night

    @property
    def token(self) -> str:
        """"" while there is none. May be asked from any thread."""
        return self._token

    def needs_login(self, now_s: float) -> bool:
        return not self._token or (self._renew_at_s is not None and now_s >= self._renew_at_s)

    def login(self, wall_ms: int = 0) -> Request:
        return login_request(self._account)

    def logged_in(self, request: Request, answer: Answer, now_s: float) -> Verdict:
        """Judge the answer to `login`; accepted: the token is kept. `now_s`: when the login was sent."""
        reply = _read(answer)
        if isinstance(reply, Verdict):
            return _for_the_link(reply)
        if reply.result_code != 0:
            return _said("link", reply.result_code, reply.message, rests=True)
        if not reply.token:
            return unreachable("登录应答没有令牌", "login answered without a token")
        self._token = reply.token
        # QC12: missing or 0 is unknown (113 will tell), -1 is for ever.
        self._renew_at_s = now_s + RENEW_AT * reply.life_s if reply.life_s > 0 else None
        return Verdict("accepted", "已登录", "logged in")

    def logout(self, wall_ms: int = 0) -> Request | None:
        """None: there is no token to give back. The token is not used again."""
        token, self._token = self._token, ""
        return logout_request(self._account, token) if token else None

    def request(self, kind: str, record_id: str, record: bytes) -> Request:
        return self.batch(kind, [(record_id, record)])

    def batch(self, kind: str, records: Sequence[tuple[str, bytes]], wall_ms: int = 0) -> Request:
        """Records of one kind, each with its id."""
        if not self._token:
            raise RuntimeError(f"{kind} {records[0][0]}: no token, log in first")
        return batch_request(self._account, self._token, kind, records)

    def token_refused(self, request: Request) -> None:
        """The city does not know the token of `request`. A newer one, got meanwhile, stays: one login serves all."""
        if request.token == self._token:
            self._token = ""

    def judged(self, request: Request, answer: Answer) -> Verdict:
        """What `answer` means for the first (or only) record in `request`."""
        return self.judged_each(request, answer)[0]

    def judged_each(self, request: Request, answer: Answer) -> list[Verdict]:
        """What `answer` means for each record in `request`, in their order."""
        record_ids = (request.record_id, *request.more_ids)
        reply = _read(answer)
        if isinstance(reply, Verdict):
            return [reply] * len(record_ids)
        about_all = _of_all(request, reply)
        if about_all is not None:
            return [about_all] * len(record_ids)
        if not reply.items:
            return [_ACCEPTED] * len(record_ids)
        by_place = reply.items if len(reply.items) == len(record_ids) else reply.items[:1] * (len(record_ids) == 1)
        return [_of_one(reply, record_id, by_place[n : n + 1]) for n, record_id in enumerate(record_ids)]


def _of_all(request: Request, reply: Reply) -> Verdict | None:
    """What the answer says about the request as a whole; None: see each record."""
    if reply.seq_id and reply.seq_id.lower() != request.seq_id.lower():  # QC13: may be missing
        return Verdict("retry", "应答属于别的请求", "the answer belongs to another request", rests=True)
    if reply.result_code in RELOGIN_CODES:
        return _said("relogin", reply.result_code, reply.message)
    if reply.result_code in RECORD_CODES:
        return _said("refused", reply.result_code, reply.message, rests=True)
    if reply.result_code in LINK_CODES:
        return _said("link", reply.result_code, reply.message, rests=True)
    if reply.result_code != 0:
        return _said("retry", reply.result_code, _reason(reply))
    named = [item for item in reply.items if item.record_id]
    known = {record_id.lower() for record_id in (request.record_id, *request.more_ids)} if named else set()
    if named and len(named) == len(reply.items) and not any(item.record_id.lower() in known for item in named):
        return Verdict("retry", "应答属于别的记录", "the answer names another record", rests=True)
    return None


def _of_one(reply: Reply, record_id: str, at_its_place: Sequence[Item]) -> Verdict:
    """QC22, QC35: the record's own item by id; by position when it names none; no item at all is success.

    An answer that lists some records of a request and not this one leaves its fate open (B.1, line 404): it is
    sent again, which its id makes harmless. Named twice, the worse word counts for the same reason.
    """
    named = [item for item in reply.items if item.record_id.lower() == record_id.lower()]
    items = named or [item for item in at_its_place if not item.record_id]
    if not items:
        return Verdict("retry", "应答没有提到这条记录", "the answer does not mention this record")
    for item in items:
        if item.code != 0:
            text = item.message or reply.message
            return Verdict("retry", f"记录未被接收 ({item.code}): {text}", f"record not taken (error_code {item.code})")
    return _ACCEPTED


def _read(answer: Answer) -> Reply | Verdict:
    """The reply, or what an unreadable answer means. QC27: 5xx counts as sent; other statuses say that path or
    address are wrong (redirects are not followed), which no repetition of a record would change."""
    if answer.status >= 500:
        return lost(f"市平台内部错误 (HTTP {answer.status})", f"city answered HTTP {answer.status}")
    if not 200 <= answer.status < 300:
        status = answer.status
        return unreachable(f"市平台拒绝请求 (HTTP {status})", f"city answered HTTP {status}", status)
    try:
        return parse_reply(answer.body)
    except ReplyError as error:
        return lost(f"无法读懂应答: {error}", "answer not understood")


def _for_the_link(verdict: Verdict) -> Verdict:
    """A login has no record to count: whatever went wrong is the link's."""
    return msgspec.structs.replace(verdict, meaning="link", rests=True)


def _reason(reply: Reply) -> str:
    return reply.message or next((item.message for item in reply.items if item.message), "")


def _said(meaning: Meaning, code: int, words: str, *, rests: bool = False) -> Verdict:
    zh, en = RESULT_CODES.get(code, ("未知返回码", "unknown result code"))
    tail = f": {words}" if words else ""
    return Verdict(meaning, f"{zh} ({code}){tail}", f"{en} ({code})", rests, code)
