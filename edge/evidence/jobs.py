"""What the agent and its picture child say to each other: a job a picture, one answer each, length before bytes.

The child is a process of its own because OpenCV and numpy cost 90 MB and a core; it is started with the first job
and ends when its input does. Nothing of it is loaded into the agent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from edge.evidence.child import ChildDiedError, ChildProcess

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


class Child(ChildProcess):
    """For one thread. `make` starts the process if there is none."""

    def __init__(self, data: Path, command: Callable[[Path], list[str]] | None = None) -> None:
        super().__init__("picture process", (command or worker_command)(data))

    def make(self, job: Job, within_s: float = ANSWER_S) -> Done:
        """Raises `ChildDiedError`, after which the next job starts a new one, or `OSError`: none can be started."""
        answer = self.ask(msgspec.msgpack.encode(job), within_s)
        try:
            return msgspec.msgpack.decode(answer, type=Done)
        except msgspec.DecodeError as error:
            self.end(kill=True)
            raise ChildDiedError(f"the picture process answered what is none: {error}") from error


def worker_command(data: Path) -> list[str]:
    return [sys.executable, "-m", "edge.evidence.worker", str(data)]
