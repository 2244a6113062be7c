"""What the Shenzhen link is measured against, each a process of its own.

    python -m bench.shenzhen_peers city CERT KEY     a platform over TLS that takes everything at once
    python -m bench.shenzhen_peers bare DB           a bare loop: one message read, one WAL FULL commit, one answer

Each prints `ready PORT`.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import ssl
import sys
import threading
import time
from typing import Any

HEAD_END = b"\r\n\r\n"
LOGIN = [{"code": 0, "tokenType": "bearer", "expiresIn": 7200, "accessToken": "T", "refreshToken": "R"}]


def answer(data: list[dict[str, Any]]) -> bytes:
    body = json.dumps({"resultCode": 0, "resultMsg": "成功", "timestamp": 1, "data": data}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


TAKEN, LOGGED_IN = answer([{"code": 0}]), answer(LOGIN)


def city(cert: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"ready {listener.getsockname()[1]}", flush=True)
    while True:
        line, _ = listener.accept()
        threading.Thread(target=_talk, args=(context.wrap_socket(line, server_side=True),), daemon=True).start()


def _talk(line: ssl.SSLSocket) -> None:
    buffer = b""
    while data := line.recv(65_536):
        buffer += data
        while (end := buffer.find(HEAD_END)) >= 0:
            head = buffer[:end]
            at = head.find(b"Content-Length: ") + len(b"Content-Length: ")
            length = int(head[at:].split(b"\r\n", 1)[0])
            whole = end + len(HEAD_END) + length
            if len(buffer) < whole:
                break
            buffer = buffer[whole:]
            line.sendall(LOGGED_IN if b"/1001 " in head[:40] else TAKEN)


def bare(path: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL").fetchall()
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, body BLOB, at_ns INTEGER)")
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"ready {listener.getsockname()[1]}", flush=True)
    line, _ = listener.accept()
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := line.recv(65_536):
        db.execute("INSERT INTO orders (body, at_ns) VALUES (?, ?)", (data, time.monotonic_ns()))
        line.sendall(b"done")


if __name__ == "__main__":
    if sys.argv[1] == "city":
        city(sys.argv[2], sys.argv[3])
    else:
        bare(sys.argv[2])
