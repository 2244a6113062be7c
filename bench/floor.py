"""What the box is measured against: a bare threaded socket server, as short as the same promise can be kept.

    python -m bench.floor DB PIN

A thread a connection; the request is read whole, the plate is found by `bytes.find`, one row is committed (SQLite, WAL,
synchronous=FULL), then the same simulated `RPi.GPIO` output is set; then the answer. No rules, no lanes, no checks.
Prints `ready PORT`.
"""

from __future__ import annotations

import importlib
import socket
import sqlite3
import sys
import threading
import time
from typing import Any

REPLY = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}'
MARK = b'"license":"'


class Floor:
    def __init__(self, path: str, pin: int) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL").fetchall()
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("CREATE TABLE IF NOT EXISTS passages (id INTEGER PRIMARY KEY, plate TEXT, at_ns INTEGER)")
        self._lock = threading.Lock()
        self._pin = pin
        self._gpio: Any = importlib.import_module("RPi.GPIO")
        self._gpio.setmode(self._gpio.BCM)
        self._gpio.setup(pin, self._gpio.OUT, initial=self._gpio.LOW)

    def serve(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        print(f"ready {listener.getsockname()[1]}", flush=True)
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=self._one, args=(sock,)).start()

    def _one(self, sock: socket.socket) -> None:
        with sock:
            data = bytearray()
            while (head_end := data.find(b"\r\n\r\n")) < 0:
                data += _more(sock)
            at = data.find(b"Content-Length: ", 0, head_end) + len(b"Content-Length: ")
            length = head_end + 4 + int(data[at : data.find(b"\r\n", at)])
            whole = bytearray(length)
            whole[: len(data)] = data
            view, have = memoryview(whole), len(data)
            while have < length:
                count = sock.recv_into(view[have:])
                if count == 0:
                    raise ConnectionError("the sender left within its request")
                have += count
            start = whole.find(MARK) + len(MARK)
            plate = whole[start : whole.find(b'"', start)].decode()
            with self._lock:
                self._db.execute("INSERT INTO passages (plate, at_ns) VALUES (?, ?)", (plate, time.monotonic_ns()))
            self._gpio.output(self._pin, self._gpio.HIGH)
            sock.sendall(REPLY)
            self._gpio.output(self._pin, self._gpio.LOW)


def _more(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise ConnectionError("the sender left within its head")
    return data


if __name__ == "__main__":
    Floor(sys.argv[1], int(sys.argv[2])).serve()
