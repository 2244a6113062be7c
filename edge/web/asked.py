"""One request on its way to a handler: its route, who asks, its body and query, judged against the tables."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import parse_qsl

import msgspec

from edge.core.decoder_words import in_words
from edge.web import api
from edge.web.desk import Actor
from edge.web.message import RefusedRequest, Request
from edge.web.routes import Parameter, Route
from edge.web.sessions import Session
from edge.web.span import Span

FOR_EVER_MS = 10**15

_NUMBER = re.compile(r"[0-9]{1,16}")


class Asked(msgspec.Struct, frozen=True):
    route: Route
    request: Request
    session: Session | None
    body: api.Body | None = None
    query: dict[str, str] = {}
    name: str = ""
    """What stands in the path's own place: a read's id."""

    @property
    def who(self) -> Session:
        assert self.session is not None  # the route names a role, so the door asked for a session
        return self.session

    @property
    def actor(self) -> Actor:
        return Actor(self.who.user, self.who.role, self.request.address)

    def number(self, name: str) -> int:
        """0 unless it was given."""
        return int(self.query.get(name) or 0)

    def text(self, name: str) -> str:
        return self.query.get(name, "")

    def span(self) -> Span:
        return Span(self.text("plate"), self.number("from_ms"), self.number("to_ms") or FOR_EVER_MS)


def read_query(route: Route, request: Request) -> dict[str, str]:
    """Raises `RefusedRequest` 400 naming the parameter: a misspelt `form_ms` must not answer for all time."""
    if not request.query:
        pairs = []
    else:
        try:
            pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=20, errors="strict")
        except ValueError as error:  # too many, or no UTF-8
            raise bad(f"查询无效: {error}", f"query: {error}") from None
    given = dict(pairs)
    known = [one.name for one in route.query]
    for name, _ in pairs:
        shown = name if name.isprintable() else repr(name)
        if name not in known:
            zh, en = (", ".join(known),) * 2 if known else ("无参数", "none")
            raise bad(f"未知参数 {shown[:40]}: 允许 {zh}", f"unknown parameter {shown[:40]}: allowed are {en}")
    if len(given) < len(pairs):
        twice = next(name for name in given if sum(one == name for one, _ in pairs) > 1)
        raise bad(f"{twice}: 出现了两次", f"{twice}: is given twice")
    return {one.name: _judged(one, given.get(one.name, "")) for one in route.query}


def _judged(parameter: Parameter, value: str) -> str:
    name = parameter.name
    if not value:
        if parameter.required:
            raise bad(f"缺少 {name}", f"{name} is missing")
        return value
    if parameter.type == "int":
        if _NUMBER.fullmatch(value) is None or int(value) > parameter.most:
            most = parameter.most
            raise bad(f"{name}: 须为 0 到 {most} 的整数", f"{name}: must be a whole number from 0 to {most}")
    elif parameter.choices and value not in parameter.choices:
        allowed = ", ".join(parameter.choices)
        raise bad(f"{name}: 须为 {allowed}", f"{name}: one of {allowed}")
    elif len(value) > parameter.longest or not value.isprintable():
        raise bad(f"{name}: 最多 {parameter.longest} 字", f"{name}: at most {parameter.longest} printable characters")
    return value


def read_body(route: Route, request: Request) -> api.Body | None:
    """Raises `RefusedRequest`: 415 for another type than JSON, 400 naming the member."""
    if route.body is None:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        problem = api.Problem("media_type", "正文须为 application/json", "the body must be application/json")
        raise RefusedRequest(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, problem)
    try:
        return msgspec.json.decode(request.body, type=route.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        where, zh, en = in_words(error, route.body)
        field = f"{where}: " if where else ""
        raise bad(f"{field}{zh}", f"{field}{en}") from None


def bad(zh: str, en: str) -> RefusedRequest:
    return RefusedRequest(HTTPStatus.BAD_REQUEST, api.Problem("bad_request", zh[:300], en[:300]))
