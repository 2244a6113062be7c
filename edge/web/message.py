"""HTTP as the page speaks it, pure: a head judged and taken apart, an answer put together. No socket, no time.

One connection carries one request, so an answer without a length simply ends with its connection (HTTP/1.0).
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection
from http import HTTPStatus
from typing import Any

import msgspec

from edge.web.api import Problem, ProblemCode
from edge.web.routes import MEDIA

HEAD_LIMIT_BYTES = 8192
"""Request line and headers. Apache's limit of one line; browsers send under 1 KB to this page."""
PATH_LIMIT_CHARS = 500
"""The longest path of the page has 45 characters; a plate of 20 Chinese ones in the query takes 180."""
BODY_LIMIT_BYTES = 64 * 1024
"""An order is under 1 KB."""
LARGE_BODY_BYTES = 512 * 1024
"""A configuration as one JSON text: four lanes with every comment take 10 KB, lists of thousands of plates more."""
LARGE_PATHS = frozenset({"/api/config", "/api/update/piece"})
HEADERS_MAX = 64

EVERY_ANSWER = {
    # 'self' alone, no inline script or style, no framing, and no string ever becomes markup (Trusted Types).
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",  # plates and pictures must not stay on a borrowed phone
}

# A foreign name that resolves to this computer (DNS rebinding) would let its page read plates: own names only.
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([\x21-\x7e]+) HTTP/1\.[01]")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*)")
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::[0-9]{1,5})?")
_METHODS = frozenset({"GET", "HEAD", "POST"})
_LENGTH = re.compile(r"[0-9]{1,12}")

_TEXT: dict[HTTPStatus, tuple[ProblemCode, str, str]] = {
    HTTPStatus.BAD_REQUEST: ("bad_request", "请求无效", "not a valid HTTP request"),
    HTTPStatus.NOT_FOUND: ("not_found", "没有此页", "no such page"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method", "不支持此方法", "not by this method"),
    HTTPStatus.REQUEST_TIMEOUT: ("bad_request", "请求未及时发完", "request not finished in time"),
    HTTPStatus.LENGTH_REQUIRED: ("bad_request", "缺少正文长度", "a body without Content-Length"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too_large", "正文过大", "body too large"),
    HTTPStatus.REQUEST_URI_TOO_LONG: ("bad_request", f"路径超过 {PATH_LIMIT_CHARS} 字符", "path too long"),
    HTTPStatus.MISDIRECTED_REQUEST: (
        "bad_request",
        "请用盒子的地址或配置的名称 (web.names) 打开",
        "open it by the box's address or a name of web.names",
    ),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "bad_request", f"请求头超过 {HEAD_LIMIT_BYTES} 字节", "head too large"
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("internal", "页面程序出错, 见日志", "the page failed, see the journal"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("busy", "连接过多, 请稍后再试", "too many connections, try again later"),
}


class RefusedRequest(Exception):
    """This request goes no further: the status and the body of its answer."""

    def __init__(self, status: HTTPStatus, problem: Problem | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.problem = problem or Problem(*_TEXT[status])

    def answer(self) -> Response:
        headers = {"Allow": "GET, HEAD, POST"} if self.status is HTTPStatus.METHOD_NOT_ALLOWED else {}
        if self.problem.retry_s:
            headers["Retry-After"] = str(self.problem.retry_s)
        return Response(msgspec.json.encode(self.problem), MEDIA["json"], self.status, headers)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A whole request. Header names are in lower case; of a repeated header the last counts."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    length: int
    body: bytes = b""
    address: str = ""


class Response(msgspec.Struct, frozen=True):
    body: bytes | AsyncGenerator[bytes, None]
    media: str
    status: HTTPStatus = HTTPStatus.OK
    headers: dict[str, str] = {}

    def head(self) -> bytes:
        headers = EVERY_ANSWER | {"Content-Type": self.media, "Connection": "close"} | self.headers
        if isinstance(self.body, bytes):
            headers["Content-Length"] = str(len(self.body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.0 {self.status.value} {self.status.phrase}\r\n{lines}\r\n".encode("ascii")


def json_answer(value: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), MEDIA["json"], headers=headers or {})


def parse_head(head: bytes, names: Collection[str]) -> Request:
    """`head` with its empty line. Raises `RefusedRequest` unless it is a GET, HEAD or POST that the page may see, under
    one of `names`, with a body of allowed length."""
    request_line, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    request = _REQUEST_LINE.fullmatch(request_line)
    found = [_HEADER.fullmatch(line) for line in lines]
    if request is None or None in found:
        raise RefusedRequest(HTTPStatus.BAD_REQUEST)
    method, target = (part.decode("ascii") for part in request.groups())
    if method not in _METHODS:
        raise RefusedRequest(HTTPStatus.METHOD_NOT_ALLOWED)
    if len(target) > PATH_LIMIT_CHARS:
        raise RefusedRequest(HTTPStatus.REQUEST_URI_TOO_LONG)
    if not target.startswith("/"):
        raise RefusedRequest(HTTPStatus.BAD_REQUEST)
    if len(found) > HEADERS_MAX:
        raise RefusedRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    pairs = [(one[1].decode("ascii").lower(), one[2].decode("ascii").strip()) for one in found if one is not None]
    if any(name == "host" and not _is_own(value, names) for name, value in pairs):
        raise RefusedRequest(HTTPStatus.MISDIRECTED_REQUEST)
    path, _, query = target.partition("?")
    length = _length(method, pairs)
    if length > (LARGE_BODY_BYTES if path in LARGE_PATHS else BODY_LIMIT_BYTES):
        raise RefusedRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return Request(method=method, path=path, query=query, headers=dict(pairs), length=length)


def _length(method: str, pairs: list[tuple[str, str]]) -> int:
    lengths = {value for name, value in pairs if name == "content-length"}
    if any(name == "transfer-encoding" for name, _ in pairs) or not all(map(_LENGTH.fullmatch, lengths)):
        raise RefusedRequest(HTTPStatus.BAD_REQUEST)
    numbers = set(map(int, lengths))
    if method == "POST" and not numbers:
        raise RefusedRequest(HTTPStatus.LENGTH_REQUIRED)
    if len(numbers) > 1 or (method != "POST" and numbers - {0}):
        raise RefusedRequest(HTTPStatus.BAD_REQUEST)
    return max(numbers, default=0)


def _is_own(host: str, names: Collection[str]) -> bool:
    found = _HOST.fullmatch(host)
    return found is not None and (found[1] or found[2]).lower() in names
