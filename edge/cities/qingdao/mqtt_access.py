"""MQTT access: the two HTTP calls by which the box gets its broker account and binds its projects.

B.2, lines 543 to 591. Flat members as the login (QC08). Pure: requests out, answers read.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from edge.cities.qingdao.envelope import Account, Reply, ReplyError, Request, parse_reply, sign
from edge.cities.qingdao.fields import Message, Secret20, Text20
from edge.cities.qingdao.reading import BadMember, Members, decode, unwrapped

TOKEN_CODES = frozenset({101, 105, 113, 115, 118})
"""QC09: bindprojects wants to know who asks, which its table forgot."""

Projects = Annotated["tuple[Project, ...]", Meta(min_length=1, max_length=1, description="one project (QC57)")]


class MqttLogin(Message, frozen=True, kw_only=True):
    """下行对接授权 登录 (line 543): the account of the uplink login."""

    kind: ClassVar[str] = "mqtt/login"
    path: ClassVar[str] = "/mqtt/login"

    cno: Text20
    usr: Text20
    psw: Secret20


class Project(Message, frozen=True, kw_only=True):
    """One line of the list `projects` (lines 576, 577)."""

    kind: ClassVar[str] = "mqtt/bindprojects.projects"
    path: ClassVar[str] = ""

    code: Text20  # 项目编号
    status: Literal[1, 2] = 1  # 1 正常, 2 删除


class BindProjects(Message, frozen=True, kw_only=True):
    """绑定项目 (line 565). QC56: an array of objects; QC57: one project a call, since the answer names none."""

    kind: ClassVar[str] = "mqtt/bindprojects"
    path: ClassVar[str] = "/mqtt/bindprojects"

    user_name: Text20  # client_user_name of mqtt/login
    projects: Projects


class MqttAccount(msgspec.Struct, frozen=True):
    """What mqtt/login gives. Never shown: `repr` leaves the password out."""

    client_id: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"MqttAccount(client_id={self.client_id!r}, user={self.user!r})"


def mqtt_login_request(account: Account) -> Request:
    body = MqttLogin(cno=account.cno, usr=account.user, psw=account.password).encode()
    return Request(MqttLogin.kind, MqttLogin.path, body, sign(body, account.passkey))


def bind_request(account: Account, user: str, project: str, *, token: str | None = None) -> Request:
    """`token`: with cno and tn, for a city that answered the printed members with one of `TOKEN_CODES` (QC09).

    Raises `FieldError` for a user or project that the table does not allow.
    """
    body = BindProjects(user_name=user, projects=(Project(code=project),)).encode()
    if token is not None:
        head = msgspec.json.encode({"cno": account.cno, "tn": token})
        body = head[:-1] + b"," + body[1:]
    return Request(BindProjects.kind, BindProjects.path, body, sign(body, account.passkey), token or "")


def refused(reply: Reply) -> int:
    """0: the call did what was asked; else its result_code, or 1 when a project in it was not bound."""
    if reply.result_code:
        return reply.result_code
    return 1 if any(item.code for item in reply.items) else 0


def read_account(body: bytes) -> MqttAccount | Reply:
    """The account, or the reply that refuses one. Raises `ReplyError` for what is neither. QC20: the members may stand
    in data_items."""
    reply = parse_reply(body)
    if reply.result_code:
        return reply
    try:
        top = Members(unwrapped(decode(body.removeprefix(b"\xef\xbb\xbf")), "answer"), "answer")
        if not top.has("client_user_name"):
            top = (top.parts("data_items", 1) or [top])[0]
        return MqttAccount(
            client_id=top.text("client_id", 64),
            user=top.text("client_user_name", 20),
            password=top.text("client_password", 200),
        )
    except BadMember as bad:
        shown = f"{bad.name}: (not shown)" if "password" in bad.name else str(bad)
        raise ReplyError(shown) from None
