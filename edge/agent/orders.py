"""The agent's way to the lane program for orders of a city: a line out, a line back, over the UNIX socket (DESIGN 2).

Connections are kept for the next order. An order carries its command id, so when a kept connection turns out to be dead
(the lane program was restarted) the same line is sent once more on a new one and acts once all the same.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from edge.core.orders_flow import OPS, AnyFlowOrder
from edge.core.orders_money import MONEY_OPS, AnyMoneyOrder, QuoteTold

log = logging.getLogger("parkbox.agent.orders")

LINE_MAX_BYTES = 64 * 1024
"""As the lane program's own limit; an answer is some hundred bytes."""

OP_OF: Mapping[type, str] = {kind: op for op, kind in (*OPS.items(), *MONEY_OPS.items())}


class Told(msgspec.Struct):
    """The lane program's answer. `reason` None: it had none within its time, and the order may still act."""

    ok: bool = False
    zh: str = ""
    en: str = ""
    reason: str | None = None
    rest: int = -1
    quote: QuoteTold | None = None


class LaneOrders:
    """`ask` may be called from several threads at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[socket.socket] = []
        self._lock = threading.Lock()
        self._closed = False

    def ask(self, order: AnyFlowOrder | AnyMoneyOrder, within_s: float) -> Told | None:
        """None: the lane program is not there, or has not answered in time."""
        line = msgspec.json.encode({"op": OP_OF[type(order)], "order": order}) + b"\n"
        until_s = time.monotonic() + within_s
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        try:
            if kept is not None:
                try:
                    return self._said(self._exchange(kept, line, until_s))
                except ConnectionError:
                    pass  # why: the lane program was restarted; its new socket is asked below
            with self._lock:
                if self._closed:
                    return None
            fresh = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                fresh.settimeout(max(0.001, until_s - time.monotonic()))
                fresh.connect(str(self._path))
            except OSError:
                fresh.close()
                raise
            return self._said(self._exchange(fresh, line, until_s))
        except (OSError, msgspec.DecodeError) as error:
            log.warning("order %s: the lane program does not answer: %s", order.command_id, error)
            return None

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    def _exchange(self, line: socket.socket, text: bytes, until_s: float) -> bytes:
        """The answer's line; the connection is kept. Raises `OSError`; then it is closed."""
        try:
            line.settimeout(max(0.001, until_s - time.monotonic()))
            line.sendall(text)
            answer = b""
            while not answer.endswith(b"\n"):
                line.settimeout(max(0.001, until_s - time.monotonic()))
                got = line.recv(65_536)
                if not got or len(answer) > LINE_MAX_BYTES:
                    raise ConnectionError("closed by the lane program")
                answer += got
        except OSError:
            line.close()
            raise
        with self._lock:
            if not self._closed:
                self._idle.append(line)
                return answer
        line.close()
        return answer

    @staticmethod
    def _said(answer: bytes) -> Told | None:
        told = msgspec.json.decode(answer, type=Told)
        return told if told.reason is not None else None
