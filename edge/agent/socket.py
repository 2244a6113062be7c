"""The agent's UNIX socket: a person's orders about deliveries, since the agent is the one writer of their file.

One JSON object a line, one answer a line:

    {"op": "repeat", "ids": [17, 18]}   ->  {"ok": true, "repeated": 2, "zh": ..., "en": ...}
    {"op": "repeat_pictures"}           ->  the same, for all pictures that were set aside

A socket and not a file that is handed over: the person learns at once how many were put back, or that no agent
runs. Its file mode is the access right. One caller at a time: an order takes milliseconds.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge.config.rules import AGENT_SOCKET_SUFFIX
from edge.store.errors import StoreError

log = logging.getLogger("parkbox.agent.socket")

IDS_MAX = 1000
"""Ids of one order; whoever has more sends several."""

LINE_LIMIT_BYTES = 64 * 1024
"""A thousand ids of 19 digits and their commas are 20 KB."""

REST_BYTES = 64 * 1024 * 1024
"""So much of a longer line is read away after its refusal; no more than one piece of it is held."""

CALLER_S = 2.0
"""A caller that is silent for so long is hung up on: the next one waits behind it."""


class Order(msgspec.Struct, forbid_unknown_fields=True):
    op: str
    ids: list[int] = []


class OrderAnswer(msgspec.Struct, frozen=True):
    ok: bool
    zh: str
    en: str
    repeated: int = 0


def agent_socket(lane_socket: str) -> Path:
    """Beside the lane program's, so that no setting is needed for it."""
    return Path(lane_socket + AGENT_SOCKET_SUFFIX)


def ask_repeat(path: Path, ids: Sequence[int]) -> OrderAnswer:
    """The caller's side. `OSError` when no agent answers."""
    return _ask(path, Order("repeat", list(ids)))


def ask_repeat_pictures(path: Path) -> OrderAnswer:
    """All set-aside pictures. `OSError` when no agent answers."""
    return _ask(path, Order("repeat_pictures"))


class TooLongError(ConnectionError):
    """A line over the limit."""


def _ask(path: Path, order: Order) -> OrderAnswer:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(CALLER_S * 5)
        line.connect(str(path))
        line.sendall(msgspec.json.encode(order) + b"\n")
        answer = _read_line(line)
    try:
        return msgspec.json.decode(answer, type=OrderAnswer)
    except msgspec.DecodeError as error:
        raise ConnectionError(f"the agent's answer is none: {error}") from error


class AgentSocket:
    """`repeat` puts set-aside deliveries back and says how many; `repeated` is told when some were."""

    def __init__(
        self,
        path: Path,
        repeat: Callable[[Sequence[int]], int],
        repeated: Callable[[], None],
        died: Callable[[BaseException], None],
        repeat_pictures: Callable[[], int] = lambda: 0,
    ) -> None:
        self._path, self._repeat, self._repeated, self._died = path, repeat, repeated, died
        self._repeat_pictures = repeat_pictures
        self._listener: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="agent-socket", daemon=True)
        self._stopping = threading.Event()

    def start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)  # left by a killed agent; one data folder has one agent
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o077)
        try:
            self._listener.bind(str(self._path))
        finally:
            os.umask(before)
        self._listener.listen()
        self._thread.start()

    def stop(self) -> None:
        if self._listener is None:
            return
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
        self._thread.join()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        assert self._listener is not None
        try:
            while not self._stopping.is_set():
                try:
                    caller, _ = self._listener.accept()
                except OSError:
                    if self._stopping.is_set():
                        return
                    raise
                with caller:
                    self._serve(caller)
        except BaseException as error:
            self._died(error)
            raise

    def _serve(self, caller: socket.socket) -> None:
        caller.settimeout(CALLER_S)
        try:
            try:
                line = _read_line(caller)
            except TooLongError as error:
                zh = f"一行超过 {LINE_LIMIT_BYTES} 字节"
                caller.sendall(msgspec.json.encode(OrderAnswer(False, zh, str(error))) + b"\n")
                _read_away(caller)
                return
            caller.sendall(msgspec.json.encode(self._answer(line)) + b"\n")
        except OSError as error:  # TimeoutError too: nobody is left to be told
            log.warning("a caller left or was silent: %s", error)

    def _answer(self, line: bytes) -> OrderAnswer:
        try:
            order = msgspec.json.decode(line, type=Order)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return OrderAnswer(False, f"无法理解: {error}", f"not understood: {error}")
        if order.op not in ("repeat", "repeat_pictures"):
            allowed = "repeat, repeat_pictures"
            op = f"op = {order.op!r}"
            return OrderAnswer(False, f"{op}: 只可为 {allowed}", f"{op}: allowed are {allowed}")
        if order.op == "repeat" and not 1 <= len(order.ids) <= IDS_MAX:
            count = len(order.ids)
            return OrderAnswer(False, f"ids 有 {count} 个: 允许 1 到 {IDS_MAX}", f"{count} ids: allowed 1 to {IDS_MAX}")
        try:
            count = self._repeat(order.ids) if order.op == "repeat" else self._repeat_pictures()
        except StoreError as error:
            return OrderAnswer(False, f"上传队列不可用: {error}", f"the queue cannot be used: {error}")
        log.info("%s by hand: %d put back, of ids %s", order.op, count, order.ids[:3])
        if count and order.op == "repeat":
            self._repeated()
        return OrderAnswer(True, f"{count} 条将重新上传", f"{count} will be sent again", count)


def _read_line(line: socket.socket) -> bytes:
    got = b""
    while not got.endswith(b"\n"):
        piece = line.recv(65536)
        if not piece:
            raise ConnectionError("the other side closed before its line was whole")
        got += piece
        if len(got) > LINE_LIMIT_BYTES:
            raise TooLongError(f"line over {LINE_LIMIT_BYTES} bytes")
    return got


def _read_away(line: socket.socket) -> None:
    """The rest of a line that is too long, within bounds: hung up on before, its sender gets a broken pipe in place
    of the answer. Raises `OSError`: he stays silent."""
    left, ends_s = REST_BYTES, time.monotonic() + CALLER_S
    while left > 0 and time.monotonic() < ends_s and (piece := line.recv(65536)):
        left -= len(piece)
        if piece.endswith(b"\n"):
            return
