"""Tables 12 and 13: the envelope of a request and of an answer, and the signature over `data` (7.1.4.1.1 e).

The signature is over the sorted, compact text of the whole `data` value, numbers as they were written (SC02, SC03):
whoever signs other bytes than these is refused. Only the platform's own settings say SHA1 or MD5, array or element.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from hal_sim.shenzhen import lists
from hal_sim.shenzhen.values import Fault, shown
from hal_sim.strict_json import Fraction, decode

SignMethod = Literal["sha1", "md5"]
SignScope = Literal["array", "element"]

SECONDS_DIGITS = 10
CLOCK_S = 60
"""7.1.4.1.1 h): both sides keep their clocks; the timestamp is that of the sending (SC17). The bound is ours."""


class Refusal(Exception):
    """The whole request or answer is refused: resultCode, and what is wrong with which member."""

    def __init__(self, result_code: int, field: str, value: object, allowed: str) -> None:
        self.fault = Fault(field, shown(value), allowed, result_code)
        self.result_code = result_code
        super().__init__(str(self.fault))


@dataclass(frozen=True, slots=True)
class SignRule:
    """How this platform wants signatures: SHA1 (worked example) or MD5 (7.1.4.1.2 a), over the array or its element."""

    method: SignMethod = "sha1"
    scope: SignScope = "array"

    def of(self, data: list[object]) -> str:
        """The signature of a data value."""
        signed = data[0] if self.scope == "element" and len(data) == 1 else data
        return hashlib.new(self.method, canonical(signed).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of the box to an order."""

    result_code: int
    message: str
    elements: tuple[dict[str, object], ...]


def canonical(value: object) -> str:
    """Compact JSON, members sorted by name at every depth, UTF-8 as it is, numbers as they were written."""
    if isinstance(value, dict):
        members = (f"{json.dumps(name, ensure_ascii=False)}:{canonical(value[name])}" for name in sorted(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(one) for one in value) + "]"
    if isinstance(value, Fraction):
        return value.written
    return json.dumps(value, ensure_ascii=False)


def read_request(raw: bytes, rule: SignRule, now_s: float, *, empty: bool = False) -> list[dict[str, object]]:
    """The elements of a request. Raises `Refusal`. `empty`: data must be [] (1005 and 1006), else it must not."""
    body = _object(raw, lists.BAD_ENVELOPE)
    _members(body, ("timestamp", "sign", "data"), ())
    _timestamp(body["timestamp"], now_s)
    data = body["data"]
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise Refusal(lists.BAD_ENVELOPE, "data", data, "须为 List<Object>, must be an array of objects")
    if empty is not (data == []):
        said = "须为 [], must be []" if empty else "不可为空 must not be empty"
        raise Refusal(lists.BAD_ENVELOPE, "data", data, said)
    sign = body["sign"]
    if not isinstance(sign, str):
        raise Refusal(lists.BAD_ENVELOPE, "sign", sign, "须为 String, must be a string")
    right = rule.of(data)
    if sign != right:
        close = " (须为小写且无空格 lower case, no blank)" if sign.strip().lower() == right else ""
        said = f"签名不符 is not the {rule.method.upper()} over {rule.scope}{close}"
        raise Refusal(lists.BAD_ENVELOPE, "sign", sign, said)
    return data


def read_answer(raw: bytes, now_s: float) -> Result:
    """The box's answer to an order (table 13). Raises `Refusal`."""
    body = _object(raw, lists.BAD_ENVELOPE)
    _members(body, ("resultCode", "timestamp", "data"), ("resultMsg",))
    code, message, data = body["resultCode"], body.get("resultMsg", ""), body["data"]
    if isinstance(code, bool) or not isinstance(code, int) or code not in lists.RESULT_CODES:
        raise Refusal(lists.BAD_ENVELOPE, "resultCode", code, "须为表 43 之一 must be one of table 43")
    if not isinstance(message, str) or len(message) > 255:
        raise Refusal(lists.BAD_ENVELOPE, "resultMsg", message, "须为 String 255, must be a string of at most 255")
    _timestamp(body["timestamp"], now_s)
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise Refusal(lists.BAD_ENVELOPE, "data", data, "须为 List<Object>, must be an array of objects")
    return Result(code, message, tuple(data))


def write_request(elements: list[dict[str, object]], rule: SignRule, now_s: float) -> bytes:
    """An order of the platform: signed over exactly the text that is sent."""
    data: list[object] = list(elements)
    return f'{{"timestamp":{int(now_s)},"sign":"{rule.of(data)}","data":{canonical(data)}}}'.encode()


def write_answer(result_code: int, message: str, elements: list[dict[str, object]], now_s: float) -> dict[str, object]:
    """The platform's answer to a request."""
    return {
        "resultCode": result_code,
        "resultMsg": message[:255],
        "timestamp": int(now_s),
        "data": elements,
    }


def _object(raw: bytes, code: int) -> dict[str, object]:
    try:
        body = decode(raw)
    except ValueError as error:
        raise Refusal(lists.BAD_JSON, "(body)", raw[:40].decode(errors="replace"), f"不是 JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refusal(code, "(body)", body, "须为 JSON 对象 must be an object")
    return body


def _members(body: dict[str, object], required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    for name in required:
        if name not in body:
            raise Refusal(lists.BAD_ENVELOPE, name, None, "缺少必填字段 required member is missing")
    for name, value in body.items():
        if name not in required + optional:
            raise Refusal(lists.BAD_ENVELOPE, name, value, "未知字段 unknown member")


def _timestamp(value: object, now_s: float) -> None:
    """Table 1: seconds in 4 bytes, a Number."""
    if isinstance(value, bool) or not isinstance(value, int) or len(str(value)) != SECONDS_DIGITS:
        raise Refusal(lists.BAD_ENVELOPE, "timestamp", value, "须为 10 位秒数 must be seconds, a 10-digit number")
    if abs(value - now_s) > CLOCK_S:
        said = f"与平台时钟相差超过 differs by more than {CLOCK_S} s from the platform's {int(now_s)}"
        raise Refusal(lists.BAD_ENVELOPE, "timestamp", value, said)
