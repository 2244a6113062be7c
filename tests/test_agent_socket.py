"""The agent's socket against callers of every kind: it answers, refuses, and lets the next one in."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from edge.agent.socket import IDS_MAX, LINE_LIMIT_BYTES, AgentSocket, OrderAnswer, ask_repeat
from edge.store.errors import StoreError


class Queue:
    """Knows the even ids."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.told = 0
        self.broken: StoreError | None = None

    def repeat(self, ids: Sequence[int]) -> int:
        if self.broken is not None:
            raise self.broken
        self.asked += ids
        return sum(one % 2 == 0 for one in ids)

    def repeated(self) -> None:
        self.told += 1


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def path(tmp_path: Path, queue: Queue) -> Iterator[Path]:
    deaths: list[BaseException] = []
    where = tmp_path / "lane.sock.agent"
    where.touch()  # left by a killed one
    server = AgentSocket(where, queue.repeat, queue.repeated, deaths.append)
    server.start()
    yield where
    server.stop()
    assert deaths == []
    assert not where.exists()


def raw(path: Path, line: bytes) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(10)
        caller.connect(str(path))
        caller.sendall(line)
        return dict(json.loads(caller.makefile().readline()))


def test_an_order_is_done_and_counted(path: Path, queue: Queue) -> None:
    assert ask_repeat(path, [2, 3, 4]) == OrderAnswer(True, "2 条将重新上传", "2 will be sent again", 2)
    assert (queue.asked, queue.told) == ([2, 3, 4], 1)
    assert ask_repeat(path, [5]).repeated == 0
    assert queue.told == 1  # nothing was put back, nobody is woken


def test_only_its_owner_may_connect(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize(
    "line",
    [b"nonsense\n", b"\xff\n", b"{}\n", b'{"op":"drop","ids":[1]}\n', b'{"op":"repeat","ids":["1"]}\n',
     b'{"op":"repeat","ids":[]}\n', b'{"op":"repeat","ids":[1],"more":1}\n',
     b'{"op":"repeat","ids":' + json.dumps([1] * (IDS_MAX + 1)).encode() + b"}\n"],
)  # fmt: skip
def test_a_bad_line_is_refused_and_changes_nothing(path: Path, queue: Queue, line: bytes) -> None:
    answer = raw(path, line)
    assert answer["ok"] is False
    assert answer["zh"] != answer["en"]
    assert queue.asked == []


def test_a_caller_that_leaves_or_sends_without_end_keeps_nobody_out(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.connect(str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.connect(str(path))
        caller.settimeout(10)
        with pytest.raises(OSError):  # hung up on: a thousand times the limit and no end
            caller.sendall(bytes(1100 * LINE_LIMIT_BYTES))
    assert ask_repeat(path, [2]).ok


def test_a_line_that_is_too_long_is_told_why(path: Path) -> None:
    answer = raw(path, b"x" * 4_000_000 + b"\n")
    assert answer["ok"] is False
    assert (answer["zh"], answer["en"]) == (
        f"一行超过 {LINE_LIMIT_BYTES} 字节", f"line over {LINE_LIMIT_BYTES} bytes"
    )  # fmt: skip


def test_a_queue_that_cannot_be_used_is_told(path: Path, queue: Queue) -> None:
    queue.broken = StoreError("disk_full", path, "no room")
    answer = ask_repeat(path, [2])
    assert not answer.ok
    assert "disk_full" in answer.en
    assert queue.told == 0


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        ask_repeat(tmp_path / "none", [1])
