"""A warm process that forks a child per round: a new interpreter each time would cost ten times the round.

One JSON line in: a job, with `kill_after_lines` and `kill_after_us` if it is to be killed from outside at that
moment. One JSON line out: the lines that the child had printed, and how it ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import traceback
from typing import Any

from tests.crash.child import run


def one_round(request: dict[str, Any]) -> dict[str, Any]:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        try:
            run(request["job"], write_end)
        except BaseException:  # noqa: BLE001 - printed whole; the status tells the parent
            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    os.close(write_end)
    printed = _read_and_kill(pid, read_end, request.get("kill_after_lines"), request.get("kill_after_us", 0))
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    # A line that the kill cut short was never promised to anybody.
    lines = printed[: printed.rfind(b"\n") + 1].decode().splitlines()
    return {"lines": lines, "killed": os.WIFSIGNALED(status), "exit": os.waitstatus_to_exitcode(status)}


def _read_and_kill(pid: int, pipe: int, after_lines: int | None, after_us: int) -> bytes:
    printed = b""
    killed = after_lines is None
    while True:
        if not killed and printed.count(b"\n") >= (after_lines or 0):
            select.select([], [], [], after_us / 1e6)
            os.kill(pid, signal.SIGKILL)
            killed = True
        chunk = os.read(pipe, 65536)
        if not chunk:
            return printed
        printed += chunk


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(one_round(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
