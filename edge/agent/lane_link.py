"""The agent's ear at the lane program: the live view over the UNIX socket, for the page and the counts.

One thread that connects, watches, and connects again when the lane program was away. The view is None while the
lane does not answer, so nobody shows an old world as the present one.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from edge.ports import BoxView

log = logging.getLogger("parkbox.agent.link")

AGAIN_S = 0.5
"""Between two tries to reach the lane program; it restarts in about a second."""

SILENT_S = 5.0
"""The lane sends at every change; this only bounds how long a dead peer can look alive between two probes."""


PEER = struct.Struct("3i")
"""Linux's `struct ucred`: process, user and group of the other end."""


class _Line(msgspec.Struct):
    view: BoxView | None = None


class LaneLink:
    """`changed` is called on this link's thread after every new view."""

    def __init__(self, path: Path, changed: Callable[[], None]) -> None:
        self._path, self._changed = path, changed
        self._view: BoxView | None = None
        self._stopping = threading.Event()
        self._line: socket.socket | None = None
        self._line_lock = threading.Lock()  # guards the change of `_line`, never while it is waited on
        self._thread = threading.Thread(target=self._run, name="lane-link", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        with self._line_lock:
            if self._line is not None:
                with suppress(OSError):  # the lane program hung up first; the thread ends by itself
                    self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(SILENT_S + 1)

    def view(self) -> BoxView | None:
        return self._view

    def pid(self) -> int | None:
        """Of the lane program that answers, as the kernel knows it; None while none does."""
        with self._line_lock:
            if self._line is None:
                return None
            told = self._line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
        return int(PEER.unpack(told)[0])

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                    line.settimeout(SILENT_S)
                    line.connect(str(self._path))
                    self._hold(line)
                    try:
                        self._listen(line)
                    finally:
                        self._hold(None)
            except OSError as error:
                if self._view is not None:
                    log.warning("lane program does not answer: %s", error)
            if self._view is not None:
                self._view = None
                self._changed()
            self._stopping.wait(AGAIN_S)

    def _hold(self, line: socket.socket | None) -> None:
        with self._line_lock:
            self._line = line

    def _listen(self, line: socket.socket) -> None:
        decoder = msgspec.json.Decoder(_Line)
        line.sendall(b'{"op":"watch"}\n')
        buffer = b""
        while not self._stopping.is_set():
            try:
                got = line.recv(65536)
            except TimeoutError:
                self._probe()  # a quiet night is no silence
                continue
            if not got:
                raise ConnectionError("closed by the lane program")
            *lines, buffer = (buffer + got).split(b"\n")
            for text in lines:
                view = decoder.decode(text).view
                if view is not None:
                    self._view = view
                    self._changed()

    def _probe(self) -> None:
        """A hung lane program keeps its socket open: ask on a second connection."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            other.settimeout(SILENT_S)
            other.connect(str(self._path))
            other.sendall(b'{"op":"view"}\n')
            if not other.recv(1):
                raise ConnectionError("closed by the lane program")
