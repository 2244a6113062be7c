"""The lane program's UNIX socket: orders of people and cities in, answers and the live view out (DESIGN 2).

One JSON object a line, both ways:

    {"op": "command", "command": {"command_id": ..., "lane": ..., "action": ..., ...}}  ->  {"ok", "zh", "en"}
    (let_in, pay_cash, pay_free and correct_plate at a lane name the car: "arrival_id", "seen_plate" and for money
    "order_id", as the view's `arrival_id`, `plate` and `order_id`; another car there is a refusal)
    {"op": "book" | "control" | "coupon" | "priority" | "role", "order": {...}}  (see `edge.core.orders_flow`)
                                                                 ->  {"ok", "zh", "en", "reason", "rest"}
    {"op": "payment" | "quote" | ..., "order": {...}}  (see `edge.core.orders_money`)  ->  the same, and {"quote"}
    {"op": "view"}                                                                      ->  {"view": BoxView}
    {"op": "money", "order": {"what", ...}}  (`edge.core.money_seen`)         ->  {"money": {...}}; nothing is changed
    {"op": "edges"}                              ->  {"edges": [{"at_ms", "lane", "input", "on"}]}, oldest first
    {"op": "test_sign", "order": {"lane", "who", "why", ...}}              ->  {"ok", "zh", "en"}: what the sign said
    {"op": "self_test"}                          ->  {"ok", "zh", "en"}: of a car in memory (`self_test`)
    {"op": "log"}                                ->  {"log": [newest lines of the program's log]}
    {"op": "restart"}                            ->  {"ok", "zh", "en"}; the program then ends in order
    {"op": "watch"}          ->  {"view": BoxView} on every change, {"note": {...}} as they come, until closed

The socket's file mode is the access right; every line has a size limit; a bad line is answered, never dropped.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edge.core.commands import Note
from edge.core.events import Commanded, LimitChanged, LoopChanged
from edge.core.facts import Stamp
from edge.core.money_seen import AskRefused, MoneyAsk, Seen
from edge.core.orders_flow import OPS, AnyFlowOrder
from edge.core.orders_money import MONEY_OPS, AnyMoneyOrder
from edge.lane.runtime import LaneRuntime
from edge.ports import BoxView

log = logging.getLogger("parkbox.lane.socket")

LINE_LIMIT_BYTES = 64 * 1024
"""An order is under 1 KB; a list of several hundred plates fits too."""

REST_BYTES = 64 * 1024 * 1024
REST_S = 2.0
READ_BYTES = 64 * 1024
"""So much of a line that is too long is read away after its refusal; no more than one piece of it is held."""

ANSWER_WITHIN_S = 3.0
"""Qingdao QC87 and Shenzhen 7.2 want an order answered within 3 s."""

VIEW_EVERY_S = 0.1
"""At most ten views a second to a watcher: a person sees no more."""

WATCHERS_MAX = 16


WORDS = r"^[^\x00-\x20\x7f\u3000][^\x00-\x1f\x7f]*$"
"""Not empty, not spaces alone, no control characters: it is shown and kept."""


class Order(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A `Commanded` as it comes over the line: bounded, and nothing about it is guessed (invariant 2: who and why)."""

    command_id: Annotated[str, Meta(min_length=1, max_length=64)]
    action: Literal[
        "open", "close", "hold_open", "release", "lock", "unlock", "let_in", "pay_cash", "pay_free",
        "correct_plate", "correct_count", "acknowledge_fault", "test_relay",
    ]  # fmt: skip
    source: Literal["operator", "city"] = "operator"
    who: Annotated[str, Meta(min_length=1, max_length=50)]
    why: Annotated[str, Meta(max_length=200, pattern=WORDS)]
    lane: Annotated[str, Meta(max_length=20)] = ""
    age_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    arrival_id: Annotated[str, Meta(max_length=32)] = ""
    seen_plate: Annotated[str, Meta(max_length=20)] | None = None
    plate: Annotated[str, Meta(max_length=20)] = ""
    visit_id: Annotated[str, Meta(max_length=32)] = ""
    order_id: Annotated[str, Meta(max_length=32)] = ""
    amount_fen: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None
    count: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    fault: Annotated[str, Meta(max_length=40)] = ""
    relay: Literal["", "open", "close", "stop"] = ""

    def event(self) -> Commanded:
        known = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        return Commanded(**known)


class SignTest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A test text on the signs of a lane. It moves nothing and is no fact: the page's audit keeps who and why."""

    command_id: Annotated[str, Meta(min_length=1, max_length=64)]
    source: Literal["operator"] = "operator"
    who: Annotated[str, Meta(min_length=1, max_length=50)]
    why: Annotated[str, Meta(max_length=200, pattern=WORDS)]
    lane: Annotated[str, Meta(min_length=1, max_length=20)]


class Request(msgspec.Struct, forbid_unknown_fields=True):
    op: Literal[
        "command", "view", "watch", "edges", "log", "restart", "book", "control", "coupon", "priority", "role",
        "card", "card_cancel", "quote", "payment", "refund", "seamless", "scan", "tariff", "tariff_delete", "plan",
        "plan_delete", "list", "list_delete", "city_link", "test_sign", "money",
        "self_test",
    ]  # fmt: skip
    command: Order | None = None
    order: msgspec.Raw = msgspec.Raw()  # empty: none was given; `| None` would take null alone

    def flow_order(self) -> AnyFlowOrder | AnyMoneyOrder | None:
        """The order of an operation of flow control or money. Raises `msgspec.DecodeError`."""
        kind: type[AnyFlowOrder] | type[AnyMoneyOrder] | None = OPS.get(self.op) or MONEY_OPS.get(self.op)
        return None if kind is None or not bytes(self.order) else msgspec.json.decode(self.order, type=kind)


class LaneSocket:
    """Server on `path`. `view` makes the present view of the box."""

    def __init__(
        self,
        path: Path,
        runtime: LaneRuntime,
        view: Callable[[], BoxView],
        log_lines: Callable[[], list[str]] = list,
        restart: Callable[[], None] | None = None,
        *,
        test_sign: Callable[[str], Awaitable[tuple[bool, str, str]]] | None = None,
        look: Callable[[MoneyAsk], Seen] | None = None,
        self_test: Callable[[], Awaitable[tuple[bool, str, str]]] | None = None,
    ) -> None:
        """`log_lines`: the newest of the program's log; `restart` ends the program in order; `test_sign` shows a test
        text on a lane's signs and tells in words what came of it; `look` answers what is asked of money; `self_test`
        drives a car through a copy of each lane in memory and says what did not come."""
        self._path, self._runtime, self._view = path, runtime, view
        self._log_lines, self._restart, self._test_sign = log_lines, restart, test_sign
        self._look, self._self_test = look, self_test
        self._changed: set[asyncio.Event] = set()
        self._notes: set[asyncio.Queue[bytes]] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        runtime.on_change.append(self._wake)
        runtime.on_note.append(self._note)

    async def start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)  # left by a killed program; the ledger's lock says that we are alone
        before = os.umask(0o077)
        try:
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LINE_LIMIT_BYTES)
        finally:
            os.umask(before)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while line := await reader.readline():
                await self._one(line, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # why: the peer went away or we stop; there is nobody left to tell
        except ValueError:  # StreamReader's word for a line over the limit
            self._runtime.counters["socket_line_too_long"] += 1
            _send(writer, _refusal(f"一行超过 {LINE_LIMIT_BYTES} 字节", f"line over {LINE_LIMIT_BYTES} bytes"))
            await _read_away(reader)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            request = msgspec.json.decode(line, type=Request)
            order = request.flow_order()
            sign = msgspec.json.decode(request.order, type=SignTest) if request.op == "test_sign" else None
            ask = msgspec.json.decode(request.order, type=MoneyAsk) if request.op == "money" else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._runtime.counters["socket_bad_line"] += 1
            _send(writer, _refusal(f"无法理解: {error}", f"not understood: {error}"))
        else:
            if request.op == "view":
                _send(writer, {"view": self._view()})
            elif request.op == "watch" and len(self._changed) < WATCHERS_MAX:
                await self._watch(writer)
            elif request.op == "watch":
                self._runtime.counters["socket_watcher_refused"] += 1
                _send(writer, _refusal(f"最多 {WATCHERS_MAX} 个观察者", f"at most {WATCHERS_MAX} watchers"))
            elif request.op == "edges":
                _send(writer, {"edges": [edge_json(at_ms, event) for at_ms, event in self._runtime.edges]})
            elif request.op == "log":
                _send(writer, {"log": self._log_lines()})
            elif request.op == "restart":
                await self._end_program(writer)
            elif request.op == "self_test":
                _send(writer, await self._tested())
            elif sign is not None:
                _send(writer, await self._show_test(sign))
            elif ask is not None:
                _send(writer, self._seen(ask))
            elif order is not None:
                _send(writer, await self._command(order))
            elif request.op == "command" and request.command is not None:
                _send(writer, await self._command(request.command.event()))
            else:
                self._runtime.counters["socket_bad_line"] += 1
                missing = "order" if request.op in OPS or request.op in MONEY_OPS else "command"
                _send(writer, _refusal(f"缺少 {missing}", f"{missing} is missing"))
        await writer.drain()

    async def _end_program(self, writer: asyncio.StreamWriter) -> None:
        busy = self._runtime.box.in_use()
        if self._restart is None:
            _send(writer, _refusal("不支持", "not supported"))
        elif busy:
            lanes = ", ".join(busy)
            _send(writer, _refusal(f"车道 {lanes} 正在通行, 请稍后", f"lane {lanes} is in use, try again later"))
        else:
            _send(writer, {"ok": True, "zh": "车道程序正在结束", "en": "the lane program is ending"})
            await writer.drain()
            self._restart()

    def _seen(self, ask: MoneyAsk) -> dict[str, Any]:
        if self._look is None:
            return _refusal("不支持", "not supported")
        try:
            return {"money": self._look(ask)}
        except AskRefused as refused:
            return _refusal(refused.zh, refused.en)

    async def _tested(self) -> dict[str, Any]:
        if self._self_test is None:
            return _refusal("不支持", "not supported")
        ok, zh, en = await self._self_test()
        return {"ok": ok, "zh": zh, "en": en}

    async def _show_test(self, test: SignTest) -> dict[str, Any]:
        if self._test_sign is None:
            return _refusal("不支持", "not supported")
        log.info("sign of lane %s is tested by %s: %s", test.lane, test.who, test.why)
        ok, zh, en = await self._test_sign(test.lane)
        return {"ok": ok, "zh": zh, "en": en}

    async def _command(self, command: Commanded | AnyFlowOrder | AnyMoneyOrder) -> dict[str, Any]:
        waiting = self._runtime.ask(command.command_id)
        self._runtime.feed(command)
        try:
            answer = await asyncio.wait_for(asyncio.shield(waiting), ANSWER_WITHIN_S)
        except TimeoutError:
            return _refusal("3 秒内没有结果", "no result within 3 s")
        told: dict[str, Any] = {"ok": answer.ok, "zh": answer.zh, "en": answer.en}
        if not isinstance(command, Commanded):
            told |= {"reason": answer.reason, "rest": answer.rest}
            if answer.quote is not None:
                told["quote"] = answer.quote
        return told

    async def _watch(self, writer: asyncio.StreamWriter) -> None:
        changed = asyncio.Event()
        notes: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1000)  # a watcher that sleeps loses notes, not us memory
        self._changed.add(changed)
        self._notes.add(notes)
        try:
            while not writer.is_closing():
                changed.clear()
                _send(writer, {"view": self._view()})
                await writer.drain()
                pause = asyncio.get_running_loop().time() + VIEW_EVERY_S
                await changed.wait()
                while not notes.empty():
                    writer.write(notes.get_nowait())
                await asyncio.sleep(max(0.0, pause - asyncio.get_running_loop().time()))
        finally:
            self._changed.discard(changed)
            self._notes.discard(notes)

    def _wake(self) -> None:
        for changed in self._changed:
            changed.set()

    def _note(self, note: Note, now: Stamp) -> None:
        if not self._notes:
            return
        line = _line({"note": {"lane": note.lane, "level": note.level, "text": note.text, "wall_ms": now.wall_ms}})
        for queue in self._notes:
            if not queue.full():
                queue.put_nowait(line)
        self._wake()


async def _read_away(reader: asyncio.StreamReader) -> None:
    """What the sender of a line that is too long still sends, within bounds: hung up on before, he gets a broken pipe
    in place of the reason."""
    left = REST_BYTES
    with suppress(TimeoutError, ConnectionError):  # he stays silent, or has gone: closing is our right
        async with asyncio.timeout(REST_S):
            while left > 0 and (data := await reader.read(READ_BYTES)):
                left -= len(data)


def edge_json(at_ms: int, event: LoopChanged | LimitChanged) -> dict[str, Any]:
    if isinstance(event, LoopChanged):
        return {"at_ms": at_ms, "lane": event.lane, "input": event.loop, "on": event.occupied}
    return {"at_ms": at_ms, "lane": event.lane, "input": f"limit_{event.end}", "on": event.active}


def _refusal(zh: str, en: str) -> dict[str, Any]:
    return {"ok": False, "zh": zh, "en": en}


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _send(writer: asyncio.StreamWriter, value: object) -> None:
    writer.write(_line(value))
