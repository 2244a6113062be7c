"""A camera's end of the wire: one new connection, one request, at full speed or paced like a 100 Mbit/s link."""

from __future__ import annotations

import socket
import time

REPLY_WITHIN_S = 5.0

LINK_BYTES_PER_S = 100e6 / 8
FRAME_BYTES = 1448
"""TCP payload of an Ethernet frame (MTU 1500, 20 IP, 20 TCP, 12 timestamps); on the wire it takes 1538 bytes."""
WIRE_BYTES = 1538
FRAMES_AT_ONCE = 4
"""0.5 ms of the link: as fine as a sleeping sender can be paced."""


def send(port: int, request: bytes, *, paced: bool = False) -> int:
    """CLOCK_MONOTONIC ns before the connection was asked for. Waits for the reply, which must be a 200."""
    began_ns = time.monotonic_ns()
    with socket.create_connection(("127.0.0.1", port), timeout=REPLY_WITHIN_S) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if paced:
            _paced(sock, request)
        else:
            sock.sendall(request)
        reply = b""
        while more := sock.recv(65536):
            reply += more
    if not reply.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"port {port} answered {reply[:100]!r}, a 200 was expected")
    return began_ns


def _paced(sock: socket.socket, request: bytes) -> None:
    piece = FRAME_BYTES * FRAMES_AT_ONCE
    piece_s = WIRE_BYTES * FRAMES_AT_ONCE / LINK_BYTES_PER_S
    due_s = time.monotonic()
    view = memoryview(request)
    for at in range(0, len(view), piece):
        wait_s = due_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        sock.sendall(view[at : at + piece])
        due_s += piece_s
