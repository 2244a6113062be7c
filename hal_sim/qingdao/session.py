"""Who may speak: login, tokens and their life, the signature and the envelope of B.1 and B.2.

Every refusal carries the result code that the two tables of the standard give for it.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from hal_sim.qingdao.lists import meaning
from hal_sim.strict_json import decode

ENVELOPE = ("cno", "subCode", "tn", "seq_id", "p")
_SEQ_ID = re.compile(r"[0-9a-fA-F]{32}")
_CONTENT_TYPE = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)


class Refusal(Exception):
    """The whole request is refused with this result code."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.message = f"{meaning(code)}: {detail}"


@dataclass(frozen=True, slots=True)
class Account:
    """What the city hands out to a lot (6.3, 6.5)."""

    cno: str
    sub_code: str
    user: str
    password: str
    passkey: str


@dataclass(frozen=True, slots=True)
class Request:
    """A business request whose envelope is right."""

    seq_id: str
    items: list[dict[str, object]]


@dataclass(slots=True)
class Session:
    """The account, its living tokens and the seq_ids it has used. The caller holds the lock."""

    account: Account
    rng: random.Random
    token_life_s: int
    now: Callable[[], float]
    ends_s: dict[str, float | None] = field(default_factory=dict)  # token -> end, None = for ever
    used: dict[str, tuple[str, object]] = field(default_factory=dict)  # seq_id -> path and p

    def login(self, body: dict[str, object]) -> dict[str, object]:
        """B.2 登录: a token of 32 characters and its life in seconds."""
        self.known(body)
        token = f"{self.rng.getrandbits(128):032x}"
        self.ends_s[token] = None if self.token_life_s == -1 else self.now() + self.token_life_s
        return {"result_code": 0, "message": meaning(0), "token": token, "timeOut": self.token_life_s}

    def known(self, body: dict[str, object]) -> None:
        """The members of a login, of the uplink's or of MQTT's, are those of the account."""
        _only(body, ("cno", "usr", "psw"))
        for name, empty in (("cno", 101), ("usr", 102), ("psw", 103)):
            _words(body, name, 20, empty)
        if body["cno"] != self.account.cno:
            raise Refusal(115, f"cno {body['cno']}")
        if body["usr"] != self.account.user:
            raise Refusal(117, f"usr {body['usr']}")
        if body["psw"] != self.account.password:
            raise Refusal(111, "psw")

    def logout(self, body: dict[str, object]) -> dict[str, object]:
        _only(body, ("cno", "tn"))
        _words(body, "cno", 20, 101)
        if body["cno"] != self.account.cno:
            raise Refusal(115, f"cno {body['cno']}")
        self._living(_words(body, "tn", 32, 105))
        self.expire(body.get("tn"))
        return {"result_code": 0, "message": meaning(0)}

    def expire(self, token: object) -> None:
        """This token ends now."""
        self.ends_s.pop(str(token), None)

    def check(self, path: str, body: dict[str, object]) -> Request:
        """The envelope of a business request, in the order in which the members are printed."""
        _only(body, ENVELOPE)
        if _words(body, "cno", 20, 101) != self.account.cno:
            raise Refusal(115, f"cno {body['cno']}")
        if _words(body, "subCode", 20, 102) != self.account.sub_code:
            raise Refusal(102, f"subCode {body['subCode']} 不存在 no such project")
        self._living(_words(body, "tn", 32, 105))
        seq_id = _words(body, "seq_id", 32, 100)
        if not _SEQ_ID.fullmatch(seq_id):
            raise Refusal(119, f"seq_id {seq_id} 须为 32 位 Guid, must be 32 hex digits")
        parameter = body.get("p")
        if parameter is None or parameter in ("", {}):
            raise Refusal(106, "p")
        if not isinstance(parameter, dict):
            raise Refusal(114, "p 须为对象 must be an object")
        _only(parameter, ("data_items",), "p.")
        items = _items(parameter.get("data_items"))
        before = self.used.setdefault(seq_id.lower(), (path, parameter))
        if before != (path, parameter):
            raise Refusal(119, f"seq_id {seq_id} 已用于另一请求 was used for another request to {before[0]}")
        return Request(seq_id, items)

    def asked_by(self, body: dict[str, object]) -> None:
        """cno and tn of a call that has them beside its own members."""
        if _words(body, "cno", 20, 101) != self.account.cno:
            raise Refusal(115, f"cno {body['cno']}")
        self._living(_words(body, "tn", 32, 105))

    def _living(self, token: str) -> None:
        if token not in self.ends_s:
            raise Refusal(113, "tn 无此令牌 no such token")
        end_s = self.ends_s[token]
        if end_s is not None and self.now() >= end_s:
            raise Refusal(113, "tn 已过期 has expired")


def read_body(raw: bytes, content_type: str) -> dict[str, object]:
    """The JSON object of a request; 100 for nothing, 114 for anything else that is not one."""
    if not raw.strip():
        raise Refusal(100, "请求体为空 empty body")
    if not _CONTENT_TYPE.fullmatch(content_type.strip()):
        raise Refusal(114, f"Content-Type {content_type!r} 须为 must be application/json;charset=UTF-8")
    try:
        body = decode(raw)
    except ValueError as error:
        raise Refusal(114, f"不是 UTF-8 JSON is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refusal(114, "请求体须为 JSON 对象 the body must be an object")
    return body


def check_sign(raw: bytes, sn: str | None, passkey: str) -> None:
    """sn = upper-case MD5 of the body bytes followed by the passkey (B.1)."""
    if not sn:
        raise Refusal(104, "消息头 sn 缺失 header sn is missing")
    right = hashlib.md5(raw + passkey.encode(), usedforsecurity=False).hexdigest().upper()
    if sn != right:
        case = ", 须为大写 must be upper case" if sn.upper() == right else ""
        raise Refusal(112, f"sn {sn}{case}")


def _only(body: dict[str, object], allowed: tuple[str, ...], prefix: str = "") -> None:
    unknown = [name for name in body if name not in allowed]
    if unknown:
        raise Refusal(114, f"{prefix}{unknown[0]}: 未知字段 unknown member, 只可有 only {', '.join(allowed)}")


def _words(body: dict[str, object], name: str, max_chars: int, empty: int) -> str:
    value = body.get(name)
    if value is None or value == "":
        raise Refusal(empty, name)
    if not isinstance(value, str):
        raise Refusal(114, f"{name}: 须为 String, must be a string")
    if len(value) > max_chars:
        raise Refusal(119, f"{name}: 长度 {len(value)} 超过 longer than {max_chars} 个字符 characters")
    return value


def _items(value: object) -> list[dict[str, object]]:
    if value is None or value in ([], ""):
        raise Refusal(107, "p.data_items")
    if not isinstance(value, list):
        raise Refusal(114, "p.data_items 须为数组 must be an array")
    items = [item for item in value if isinstance(item, dict)]
    if len(items) != len(value):
        raise Refusal(114, "p.data_items 的元素须为对象 every element must be an object")
    return items
