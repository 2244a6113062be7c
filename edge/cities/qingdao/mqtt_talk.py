"""MQTT talk: what must be said over HTTP before the broker is called: mqtt/login, then each project bound (B.2). Pure.

    waiting   the uplink has no token yet: QC10, its login comes first
    account   mqtt/login
    binding   one bindprojects a project (QC57), with cno and tn if the city asks who it is (QC09)
    ready     the broker can be called with `account`

`next` gives the request that is due, `answered` is told what came. A broker that does not take the account sends the
talk back to its beginning.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from edge.cities.qingdao.dictionaries import RESULT_CODES
from edge.cities.qingdao.envelope import Account, Reply, ReplyError, Request, parse_reply
from edge.cities.qingdao.fields import FieldError
from edge.cities.qingdao.mqtt_access import (
    TOKEN_CODES,
    MqttAccount,
    bind_request,
    mqtt_login_request,
    read_account,
    refused,
)
from edge.cities.verdict import Answer


class Trouble(Exception):
    """The city did not do what was asked; `refusal`: it answered, and will not have us as we are."""

    def __init__(self, zh: str, en: str, *, refusal: bool) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en, self.refusal = zh, en, refusal


class MqttTalk:
    """For one thread. `projects`: their numbers, ours first."""

    def __init__(self, account: Account, projects: Sequence[str]) -> None:
        self._account, self._projects = account, tuple(projects)
        self.account: MqttAccount | None = None
        self._unbound: deque[str] = deque()
        self._with_token = False

    @property
    def ready(self) -> bool:
        return self.account is not None and not self._unbound

    def begin_anew(self) -> None:
        """The broker does not take the account."""
        self.account, self._with_token = None, False
        self._unbound.clear()

    def next(self, token: str) -> Request | None:
        """The request that is due; None: ready, or there is no token yet. Raises `Trouble`."""
        if self.ready or not token:
            return None
        if self.account is None:
            return mqtt_login_request(self._account)
        try:
            return bind_request(
                self._account, self.account.user, self._unbound[0], token=token if self._with_token else None
            )
        except FieldError as error:
            raise Trouble("MQTT 帐号不合规范", str(error), refusal=True) from None

    def answered(self, answer: Answer) -> None:
        """Raises `Trouble` when it is not what was hoped for; the same request is then due again."""
        if not 200 <= answer.status < 300:
            status = answer.status
            raise Trouble(f"市平台拒绝请求 (HTTP {status})", f"city answered HTTP {status}", refusal=status < 500)
        try:
            if self.account is None:
                self._logged_in(answer.body)
            else:
                self._bound(answer.body)
        except ReplyError as error:
            raise Trouble(f"无法读懂应答: {error}", f"answer not understood: {error}", refusal=False) from None

    def _logged_in(self, body: bytes) -> None:
        account = read_account(body)
        if isinstance(account, Reply):
            raise _refusal("mqtt/login", refused(account), account.message)
        self.account = account
        self._unbound.extend(self._projects)

    def _bound(self, body: bytes) -> None:
        reply = parse_reply(body)
        code = refused(reply)
        if code in TOKEN_CODES and not self._with_token:
            self._with_token = True
            return
        if code:
            words = reply.message or next((item.message for item in reply.items if item.message), "")
            raise _refusal(f"bindprojects {self._unbound[0]}", code, words)
        self._unbound.popleft()


def _refusal(call: str, code: int, words: str) -> Trouble:
    zh, en = RESULT_CODES.get(code, ("未知返回码", "unknown result code"))
    tail = f": {words}" if words else ""
    return Trouble(f"{call}: {zh} ({code}){tail}", f"{call}: {en} ({code})", refusal=True)
