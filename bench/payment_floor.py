"""What a payment notice is measured against: its bytes over a bare socket, one commit, the arm's output.

    python -m bench.payment_floor DB PIN

One connection. A notice is read, its order number is found by `bytes.find`, one row is committed (SQLite, WAL,
synchronous=FULL), the simulated `RPi.GPIO` output is set, then it is answered. Nobody is asked whether the order is
known, owed or paid already. Prints `ready PORT`.
"""

from __future__ import annotations

import importlib
import socket
import sqlite3
import sys
import time
from typing import Any

MARK = b'"out_trade_no": "'
ANSWER = b"\x40\x02\x00\x01"


def serve(path: str, pin: int) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL").fetchall()
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE IF NOT EXISTS payments (id INTEGER PRIMARY KEY, order_id TEXT, at_ns INTEGER)")
    gpio: Any = importlib.import_module("RPi.GPIO")
    gpio.setmode(gpio.BCM)
    gpio.setup(pin, gpio.OUT, initial=gpio.LOW)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"ready {listener.getsockname()[1]}", flush=True)
    line, _ = listener.accept()
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while notice := line.recv(65_536):
        start = notice.find(MARK) + len(MARK)
        order_id = notice[start : notice.find(b'"', start)].decode()
        db.execute("INSERT INTO payments (order_id, at_ns) VALUES (?, ?)", (order_id, time.monotonic_ns()))
        gpio.output(pin, gpio.HIGH)
        line.sendall(ANSWER)
        gpio.output(pin, gpio.LOW)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
