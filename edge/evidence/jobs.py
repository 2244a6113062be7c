"""What the agent and its picture child say to each other: a job a picture, one answer each, length before bytes.

The child is a process of its own because OpenCV and numpy cost 90 MB and a core; it is started with the first job
and ends when its input does. Nothing of it is loaded into the agent.
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

LENGTH = struct.Struct("<I")
ANSWER_S = 60.0
"""A 12-megapixel picture takes a second on a laptop and five on a Pi; longer is a hang."""
NICE = 10  # a lane, a city link and the page come first


class Job(msgspec.Struct, frozen=True):
    """Make the picture of one passage. Times are true wall times."""

    record_id: str
    read_id: str
    spool: str
    offset: int
    length: int
    crc32: int
    box: str
    lot: str
    lane: str
    lane_name: str
    direction: str
    device: str
    plate: str
    overlay: bool  # False: the camera prints its own
    taken_ms: int
    passed_ms: int
    day: str
    chain: int
    previous: str


class Done(msgspec.Struct, frozen=True):
    """`gone`: the spool no longer has it; `unreadable`: it is no picture; `trouble`: disk or key, try again."""

    result: Literal["made", "gone", "unreadable", "trouble"]
    why: str = ""
    bytes: int = 0
    width: int = 0
    source_width: int = 0
    flags: tuple[str, ...] = ()
    digest: str = ""
    encodes: int = 0


class ChildDiedError(Exception):
    """The child ended or hung within a job: on this picture, or by chance."""


class Child:
    """For one thread. `make` starts the process if there is none."""

    def __init__(self, data: Path, command: Callable[[Path], list[str]] | None = None) -> None:
        self._command = (command or worker_command)(data)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def make(self, job: Job, within_s: float = ANSWER_S) -> Done:
        """Raises `ChildDiedError`, after which the next job starts a new one, or `OSError`: none can be started."""
        process = self._process or subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._process = process
        assert process.stdin is not None and process.stdout is not None
        data = msgspec.msgpack.encode(job)
        try:
            process.stdin.write(LENGTH.pack(len(data)) + data)
            if not select.select([process.stdout], [], [], within_s)[0]:
                raise ChildDiedError(f"no answer within {within_s:.0f} s")
            return msgspec.msgpack.decode(_frame(process.stdout.fileno()), type=Done)
        except (OSError, EOFError, msgspec.DecodeError) as error:
            self.end(kill=True)
            raise ChildDiedError(f"the picture process ended, status {process.returncode}: {error}") from error
        except ChildDiedError:
            self.end(kill=True)
            raise

    def end(self, kill: bool = False) -> None:
        """Close its input and wait for its end."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        if kill:
            process.kill()
        try:
            process.stdin.close()
        except OSError:
            process.kill()  # it is gone, or will be
        try:
            process.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def worker_command(data: Path) -> list[str]:
    return [sys.executable, "-m", "edge.evidence.worker", str(data)]


def _frame(fd: int) -> bytes:
    return _exactly(fd, LENGTH.unpack(_exactly(fd, LENGTH.size))[0])


def _exactly(fd: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = os.read(fd, count - len(data))
        if not part:
            raise EOFError("its output ended")
        data += part
    return data
