"""What each route answers. Before a handler runs, the door has judged who asks and the tables what he sent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path

import msgspec

from edge.core.facts_flow import Vehicle
from edge.core.money_seen import ROWS_MAX
from edge.ports import PageSource
from edge.web import api, api_money, api_update
from edge.web.accounts import AccountError
from edge.web.actions import BY_NAME, Action, views
from edge.web.asked import FOR_EVER_MS, Asked, read_body, read_query
from edge.web.audit_out import csv_lines, json_lines
from edge.web.desk import Desk, RefusedError
from edge.web.door import Door, refusal
from edge.web.message import RefusedRequest, Request, Response, json_answer
from edge.web.routes import MEDIA, ROUTES, Route
from edge.web.sessions import Session
from edge.web.stream import Broadcast, StreamsFull
from edge.web.users import change_user, user_rows
from edge.web.views import PictureShelf, found_row

REFUSED_STATUS = {
    "lane_silent": HTTPStatus.SERVICE_UNAVAILABLE,
    "storage": HTTPStatus.SERVICE_UNAVAILABLE,
    "busy": HTTPStatus.TOO_MANY_REQUESTS,
    "not_found": HTTPStatus.NOT_FOUND,
    "bad_request": HTTPStatus.BAD_REQUEST,
    "refused": HTTPStatus.BAD_REQUEST,
}
FILE_PIECE_BYTES = 256 * 1024
CHAIN_AGAIN_S = 60.0
"""Looking through the whole audit takes half a second for every 100,000 lines."""

Handler = Callable[[Asked], Awaitable[Response]]


class Handlers:
    def __init__(self, door: Door, desk: Desk, source: PageSource, shelf: PictureShelf, broadcast: Broadcast) -> None:
        self._door, self._desk, self._source, self._shelf, self._broadcast = door, desk, source, shelf, broadcast
        self._document = (files("edge.web") / "openapi.json").read_bytes()
        self._chain: tuple[float, int] | None = None
        self._exact: dict[tuple[str, str], tuple[Route, Handler]] = {}
        self._paths: set[str] = set()
        for route in ROUTES:
            self._exact[route.method, route.path] = (route, getattr(self, f"_{route.name}"))
            self._paths.add(route.path)

    async def answer(self, request: Request) -> Response:
        """Raises `RefusedRequest`."""
        self._door.knock(request)
        route, handler, name = self._find(request)
        try:
            session = self._door.admit(route, request)
        except RefusedRequest as refused:
            if refused.problem.code == "role" and route.changes:
                await self._note_overreach(route, request, refused.problem)
            raise
        asked = Asked(route, request, session, read_body(route, request), read_query(route, request), name)
        try:
            return await handler(asked)
        except OSError as error:
            zh, en = f"磁盘不可用: {error}", f"the disk fails: {error}"
            raise refusal(HTTPStatus.SERVICE_UNAVAILABLE, "storage", zh, en, 5) from error
        except RefusedError as refused:
            raise refusal(REFUSED_STATUS[refused.code], refused.code, refused.zh, refused.en, refused.retry_s) from None

    async def _note_overreach(self, route: Route, request: Request, problem: api.Problem) -> None:
        """Somebody ordered what his role may not: that is of interest to the audit too."""
        who = self._door.session_of(request)
        await self._door.note(who, request, route.path.rpartition("/")[2], ok=False, zh=problem.zh, en=problem.en)

    def _find(self, request: Request) -> tuple[Route, Handler, str]:
        method = "GET" if request.method == "HEAD" else request.method
        path, name = request.path, ""
        if path.startswith("/picture/") and path.endswith(".jpg"):
            name = path.removeprefix("/picture/").removesuffix(".jpg")
            if len(name) == 32 and set(name) <= set("0123456789abcdef"):
                path = "/picture/{read_id}.jpg"
        found = self._exact.get((method, path))
        if found is None:
            known = path in self._paths
            raise RefusedRequest(HTTPStatus.METHOD_NOT_ALLOWED if known else HTTPStatus.NOT_FOUND)
        return (*found, name)

    # --- sessions --------------------------------------------------------------------------------------------

    async def _health(self, asked: Asked) -> Response:
        return json_answer(api.Health(self._source.box() is not None, self._source.trial()))

    async def _login(self, asked: Asked) -> Response:
        assert isinstance(asked.body, api.LoginBody)
        token, session = await self._door.log_in(asked.request, asked.body.user, asked.body.password)
        return json_answer(self._session_view(session), self._door.set_cookie(token))

    async def _session(self, asked: Asked) -> Response:
        return json_answer(self._session_view(asked.who))

    async def _logout(self, asked: Asked) -> Response:
        self._door.sessions.end(asked.who.key)
        await self._door.note(asked.session, asked.request, "logout")
        return json_answer(api.ActionResult(True, "已退出", "logged out"), self._door.clear_cookie())

    async def _password(self, asked: Asked) -> Response:
        assert isinstance(asked.body, api.PasswordBody)
        token, session = await self._door.change_password(asked.who, asked.request, asked.body.old, asked.body.new)
        return json_answer(self._session_view(session), self._door.set_cookie(token))

    def _session_view(self, session: Session) -> api.SessionView:
        idle_s = int(self._door.sessions.idle_s)
        return api.SessionView(session.user, session.role, session.csrf, session.must_change_password, idle_s)

    # --- reading ---------------------------------------------------------------------------------------------

    async def _state(self, asked: Asked) -> Response:
        return Response(self._broadcast.state_json(), MEDIA["json"])

    async def _events(self, asked: Asked) -> Response:
        try:
            frames = self._broadcast.open()
        except StreamsFull:
            raise refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "打开的页面过多", "too many open pages", 5) from None
        return Response(self._while_logged_in(frames, asked.who), MEDIA["events"])

    async def _while_logged_in(self, frames: AsyncGenerator[bytes, None], who: Session) -> AsyncGenerator[bytes, None]:
        async for frame in frames:
            if not self._door.sessions.alive(who):
                yield 'event: ended\ndata: {"zh":"会话已结束, 请重新登录","en":"the session has ended"}\n\n'.encode()
                return
            yield frame

    async def _picture(self, asked: Asked) -> Response:
        jpeg = await self._door.work(lambda: self._shelf.get(asked.name))
        if jpeg is None:
            raise RefusedRequest(HTTPStatus.NOT_FOUND)
        return Response(jpeg, MEDIA["jpeg"])

    async def _deliveries(self, asked: Asked) -> Response:
        plate, from_ms, to_ms = asked.text("plate"), asked.number("from_ms"), asked.number("to_ms") or FOR_EVER_MS
        found = await self._door.work(lambda: self._source.search(plate, from_ms, to_ms))
        return json_answer([found_row(one) for one in found])

    async def _passages(self, asked: Asked) -> Response:
        plate, from_ms, to_ms = asked.text("plate"), asked.number("from_ms"), asked.number("to_ms") or FOR_EVER_MS
        before, most = asked.number("before_seq"), asked.number("limit") or 100
        return json_answer(await self._door.work(lambda: self._desk.passages(plate, from_ms, to_ms, before, most)))

    async def _visit(self, asked: Asked) -> Response:
        return json_answer(await self._door.work(lambda: self._desk.visit(asked.number("seq"))))

    async def _curve(self, asked: Asked) -> Response:
        return json_answer(await self._door.work(self._desk.curve))

    async def _system(self, asked: Asked) -> Response:
        return json_answer(await self._door.work(self._desk.system))

    async def _edges(self, asked: Asked) -> Response:
        return json_answer(await self._door.work(lambda: self._desk.edges(asked.text("lane"))))

    async def _cameras(self, asked: Asked) -> Response:
        return json_answer(await self._door.work(self._desk.cameras))

    async def _orders(self, asked: Asked) -> Response:
        lane, before, most = asked.text("lane"), asked.number("before_seq"), asked.number("limit") or 50
        return json_answer(await self._door.work(lambda: self._desk.orders(lane, asked.span(), before, most)))

    async def _money_desk(self, asked: Asked) -> Response:
        return json_answer(await self._door.work(self._desk.money.exit_desk))

    async def _money_orders(self, asked: Asked) -> Response:
        before, most = asked.text("before"), asked.number("limit") or ROWS_MAX
        return json_answer(await self._door.work(lambda: self._desk.money.orders(asked.span(), before, most)))

    async def _money_order(self, asked: Asked) -> Response:
        return json_answer(await self._door.work(lambda: self._desk.money.story(asked.text("order_id"))))

    async def _money_tariffs(self, asked: Asked) -> Response:
        return json_answer(await self._door.work(self._desk.money.tariffs))

    async def _money_price(self, asked: Asked) -> Response:
        version, began_ms, until_ms = asked.text("version"), asked.number("began_ms"), asked.number("until_ms")
        vehicle = msgspec.convert(asked.text("vehicle"), Vehicle)  # one of the route's choices
        return json_answer(await self._door.work(lambda: self._desk.money.price(version, vehicle, began_ms, until_ms)))

    async def _money_try(self, asked: Asked) -> Response:
        tried = asked.body
        assert isinstance(tried, api_money.TryTariff)
        return json_answer(await self._door.work(lambda: self._desk.money.try_tariff(tried)))

    async def _money_cards(self, asked: Asked) -> Response:
        plate, most = asked.text("plate"), asked.number("limit") or ROWS_MAX
        return json_answer(await self._door.work(lambda: self._desk.money.cards(plate, most)))

    async def _money_lists(self, asked: Asked) -> Response:
        plate, most = asked.text("plate"), asked.number("limit") or ROWS_MAX
        return json_answer(await self._door.work(lambda: self._desk.money.lists(plate, most)))

    async def _actions(self, asked: Asked) -> Response:
        return json_answer(views(asked.who.role))

    async def _commissioning(self, asked: Asked) -> Response:
        return json_answer(await self._door.work(self._desk.commissioning))

    async def _openapi(self, asked: Asked) -> Response:
        return Response(self._document, MEDIA["json"])

    # --- papers and files --------------------------------------------------------------------------------------

    async def _report(self, asked: Asked) -> Response:
        lang = asked.text("lang") or "zh"
        page = await self._door.work(lambda: self._desk.report(lang))
        await self._door.note(asked.session, asked.request, "report")
        return Response(page.html, MEDIA["html"], headers={
            "Content-Security-Policy": f"default-src 'none'; style-src '{page.style_hash}'; frame-ancestors 'none'",
        })

    async def _diagnostics(self, asked: Asked) -> Response:
        bundle = await self._door.work(self._desk.diagnostics)
        await self._door.note(asked.session, asked.request, "diagnostics", en=f"{len(bundle)} bytes")
        return Response(bundle, MEDIA["gzip"], headers=_as_file("parkbox-diagnostics.tar.gz"))

    async def _config(self, asked: Asked) -> Response:
        text = await self._door.work(self._desk.config_text)
        await self._door.note(asked.session, asked.request, "config_export")
        return Response(text.encode(), MEDIA["toml"], headers=_as_file("parkbox.toml"))

    async def _import_config(self, asked: Asked) -> Response:
        assert isinstance(asked.body, api.ImportConfig)
        text = asked.body.text.encode()
        result = await self._door.work(lambda: self._desk.import_config(text))
        await self._door.note(asked.session, asked.request, "config_import", "", asked.body.why, ok=result.ok,
                              zh=result.zh, en=result.en)  # fmt: skip
        return json_answer(result)

    # --- updates and backups -----------------------------------------------------------------------------------

    async def _update(self, asked: Asked) -> Response:
        return json_answer(await self._door.work(self._desk.update.view))

    async def _update_piece(self, asked: Asked) -> Response:
        body = asked.body
        assert isinstance(body, api_update.UpdatePiece)
        return json_answer(await self._door.work(lambda: self._desk.update.piece(body.at, body.data)))

    async def _update_install(self, asked: Asked) -> Response:
        body, who = asked.body, asked.who.user
        assert isinstance(body, api_update.InstallUpdate)
        result = await self._door.work(lambda: self._desk.update.install(body.size, who))
        await self._door.note(asked.session, asked.request, "update_install", f"{body.size} bytes", body.why,
                              ok=result.ok, zh=result.zh, en=result.en)  # fmt: skip
        return json_answer(result)

    async def _backup(self, asked: Asked) -> Response:
        path = await self._door.work(self._desk.update.newest_backup)
        await self._door.note(asked.session, asked.request, "backup_export", path.name)
        return Response(self._pieces(path), MEDIA["sealed"], headers=_as_file(path.name))

    async def _pieces(self, path: Path) -> AsyncGenerator[bytes, None]:
        file = await self._door.work(lambda: path.open("rb"))
        with file:
            while piece := await self._door.work(lambda: file.read(FILE_PIECE_BYTES)):
                yield piece

    # --- people ------------------------------------------------------------------------------------------------

    async def _users(self, asked: Asked) -> Response:
        return json_answer(user_rows(self._door))

    async def _audit(self, asked: Asked) -> Response:
        log, door = self._door.audit_log, self._door
        most, before = asked.number("limit") or 200, asked.number("before_seq")
        lines = await door.work(lambda: log.read(
            most, before, who=asked.text("who"), action=asked.text("action"),
            from_ms=asked.number("from_ms"), to_ms=asked.number("to_ms") or FOR_EVER_MS,
        ))  # fmt: skip
        if self._chain is None or door.mono_s() - self._chain[0] > CHAIN_AGAIN_S:
            self._chain = (door.mono_s(), await door.work(log.broken_seq))
        rows = tuple(api.AuditRow(**msgspec.structs.asdict(line)) for line in lines)
        more = rows[-1].seq if len(rows) == most and rows[-1].seq > 1 else 0
        return json_answer(api.AuditPage(rows, more, self._chain[1], log.kept_days))

    async def _audit_csv(self, asked: Asked) -> Response:
        await self._door.note(asked.session, asked.request, "audit_export", "csv")
        return Response(csv_lines(self._door), MEDIA["csv"], headers=_as_file("parkbox-audit.csv"))

    async def _audit_jsonl(self, asked: Asked) -> Response:
        await self._door.note(asked.session, asked.request, "audit_export", "jsonl")
        return Response(json_lines(self._door), MEDIA["jsonl"], headers=_as_file("parkbox-audit.jsonl"))

    # --- orders ------------------------------------------------------------------------------------------------

    async def _act(self, asked: Asked) -> Response:
        assert asked.body is not None
        action, body = BY_NAME[asked.route.path.rpartition("/")[2]], asked.body
        try:
            if action.group == "users":
                result = await change_user(self._door, action, body, asked.who)
            else:
                actor = asked.actor
                result = await self._door.work(lambda: self._desk.act(action, body, actor))
        except (RefusedError, AccountError) as refused:
            await self._note_act(asked, action, api.ActionResult(False, refused.zh, refused.en))
            if isinstance(refused, AccountError):
                return json_answer(api.ActionResult(False, refused.zh, refused.en))
            raise
        if not await self._note_act(asked, action, result):
            zh, en = f"{result.zh} (操作记录暂未写入磁盘)", f"{result.en} (not in the audit on disk yet)"
            result = msgspec.structs.replace(result, zh=zh, en=en)
        return json_answer(result)

    async def _note_act(self, asked: Asked, action: Action, result: api.ActionResult) -> bool:
        given = msgspec.to_builtins(asked.body)
        why = str(given.pop("why", ""))
        given.pop("command_id", None)
        target = ", ".join(f"{name}={value}" for name, value in given.items() if value not in ("", None))
        return await self._door.note(
            asked.session, asked.request, action.name, target, why, ok=result.ok, zh=result.zh, en=result.en
        )


def _as_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
