"""A child process that answers one request at a time, length before bytes, and is gone when nobody needs it.

What costs the agent tens of megabytes (OpenCV, the OSS client) is loaded in such a child only. It is started with
the first request and ends when its input does.
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import BinaryIO

LENGTH = struct.Struct("<I")
END_S = 60.0
"""A child whose input has ended ends after what it is doing; one that does not is killed."""


class ChildDiedError(Exception):
    """The child ended or hung within a request: because of it, or by chance."""


class ChildUnusableError(Exception):
    """The child never came up, so no request can be blamed."""


class ChildProcess:
    """`ask` and `end` are for one thread, `abort` for any. `hello_s`: the child says an empty frame when it has loaded
    what it needs, and may take so long for it; 0 = it says none."""

    def __init__(self, name: str, command: Sequence[str], hello_s: float = 0.0) -> None:
        self._name, self._command, self._hello_s = name, list(command), hello_s
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()  # guards the change of `_process`, never while it is waited on
        self._aborted = False

    @property
    def pid(self) -> int | None:
        process = self._process
        return None if process is None else process.pid

    def ask(self, data: bytes, within_s: float) -> bytes:
        """Raises `ChildDiedError`, after which the next request starts a new one; `OSError`: none can be started;
        `ChildUnusableError`: started, and not able to do its work."""
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(LENGTH.pack(len(data)) + data)
            return _frame(process.stdout.fileno(), within_s)
        except (OSError, EOFError) as error:
            self.end(kill=True)
            raise ChildDiedError(f"the {self._name} ended, status {process.returncode}: {error}") from error
        except ChildDiedError:
            self.end(kill=True)
            raise

    def abort(self) -> None:
        """Kill the child now and let none start again: the program ends."""
        with self._lock:
            self._aborted = True
            if self._process is not None:
                self._process.kill()

    def end(self, kill: bool = False) -> None:
        """Close its input and wait for its end."""
        with self._lock:
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
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._aborted:
                raise ChildUnusableError("the program is ending")
            process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
            self._process = process
        if self._hello_s:
            assert process.stdout is not None
            try:
                _frame(process.stdout.fileno(), self._hello_s)
            except (OSError, EOFError, ChildDiedError) as error:
                self.end(kill=True)
                why = f"the {self._name} does not come up, status {process.returncode}: {error}"
                raise ChildUnusableError(why) from error
        return process


def serve_frame(out: BinaryIO, data: bytes) -> None:
    """The child's side: one answer."""
    out.write(LENGTH.pack(len(data)) + data)
    out.flush()


def _frame(fd: int, within_s: float) -> bytes:
    deadline_s = time.monotonic() + within_s
    return _exactly(fd, LENGTH.unpack(_exactly(fd, LENGTH.size, deadline_s, within_s))[0], deadline_s, within_s)


def _exactly(fd: int, count: int, deadline_s: float, within_s: float) -> bytes:
    data = b""
    while len(data) < count:
        if not select.select([fd], [], [], max(0.0, deadline_s - time.monotonic()))[0]:
            raise ChildDiedError(f"no answer within {within_s:.0f} s")
        part = os.read(fd, count - len(data))
        if not part:
            raise EOFError("its output ended")
        data += part
    return data
