"""The agent's mouth at the lane program: one line asked, one answered, over its UNIX socket."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path
from typing import Any

import msgspec

from edge.web.desk import RefusedError

ANSWER_WITHIN_S = 5.0
"""The lane answers an order within 3 s, its own bound included."""
ANSWER_MAX_BYTES = 4_000_000


class LaneAnswer(msgspec.Struct, frozen=True):
    """Every answer of the lane's socket; which members are there depends on what was asked."""

    ok: bool = True
    zh: str = ""
    en: str = ""
    edges: tuple[dict[str, Any], ...] = ()
    log: tuple[str, ...] = ()
    view: dict[str, Any] | None = None
    money: dict[str, Any] | None = None


def ask_lane(path: Path, question: dict[str, Any]) -> LaneAnswer:
    """Raises `RefusedError` lane_silent."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_WITHIN_S)
            line.connect(str(path))
            line.sendall(msgspec.json.encode(question) + b"\n")
            got = b""
            while not got.endswith(b"\n"):
                piece = line.recv(65536)
                if not piece or len(got) > ANSWER_MAX_BYTES:
                    raise ConnectionError("the answer is not whole")
                got += piece
        return msgspec.json.decode(got, type=LaneAnswer)
    except (OSError, msgspec.DecodeError) as error:
        raise RefusedError(
            "lane_silent", f"车道程序没有应答, 命令可能未执行: {error}", f"the lane program does not answer: {error}", 2
        ) from error


def order_lane(  # noqa: PLR0917 - who, why and what of one order
    path: Path, op: str, who: str, why: str, command_id: str | None, members: dict[str, Any]
) -> LaneAnswer:
    """One order, recorded by the lane before it answers. `op` "command" is an order to a lane, others are flow
    control's (`core.orders_flow`)."""
    order = {
        "command_id": command_id or uuid.uuid4().hex,
        "source": "operator",
        "who": who,
        "why": why,
        **{name: value for name, value in members.items() if value is not None},
    }
    return ask_lane(path, {"op": op, "command" if op == "command" else "order": order})
