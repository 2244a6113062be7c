"""The platform's end of the TCP link over real TLS: frames by hand (table 14), one connection after the other."""

from __future__ import annotations

import json
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from crccheck.crc import CrcXmodem

from tests.tls_certs import Authority

HEAD = struct.Struct(">4sBBIIBH")
WAIT_S = 20.0


class Got(NamedTuple):
    command: int
    packet_no: int
    direction: int
    body: dict[str, Any]


def frame(command: int, packet_no: int, direction: int, body: bytes) -> bytes:
    whole = HEAD.pack(b"SZTC", 1, 0, packet_no, len(body), direction, command) + body
    return whole + int(CrcXmodem.calc(whole)).to_bytes(2, "big")


def ok(data: list[dict[str, Any]] | None = None) -> bytes:
    return json.dumps({"resultCode": "0", "resultMsg": "成功", "timestamp": 1, "data": data or []}).encode()


class LinePlatform:
    """Answers 1004, 1005 and 1006 as `answers` says; puts everything it gets into `got`."""

    def __init__(self, authority: Authority) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*authority.issue("line"))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.got: queue.Queue[Got] = queue.Queue()
        self._out: queue.Queue[bytes] = queue.Queue()
        self.lines = 0
        self.line: ssl.SSLSocket | None = None
        self.answers: Callable[[Got], bytes | None] = lambda got: ok([{"code": "0"}] if got.command == 1004 else [])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                with suppress(OSError, ssl.SSLError):
                    plain.settimeout(WAIT_S)
                    self.line = self._context.wrap_socket(plain, server_side=True)
                    self.lines += 1
                    self._serve(self.line)
                if self.line is not None:
                    self.line.close()
                plain.close()

    def _serve(self, line: ssl.SSLSocket) -> None:
        buffer = b""
        line.settimeout(0.005)
        while True:
            while not self._out.empty():
                line.sendall(self._out.get())
            try:
                data = line.recv(65_536)
            except TimeoutError:
                continue
            if not data:
                return
            buffer += data
            while len(buffer) >= HEAD.size:
                magic, _, _, packet_no, length, direction, command = HEAD.unpack_from(buffer)
                end = HEAD.size + length + 2
                if len(buffer) < end:
                    break
                assert magic == b"SZTC"
                assert int(CrcXmodem.calc(buffer[: end - 2])) == int.from_bytes(buffer[end - 2 : end], "big")
                got = Got(command, packet_no, direction, json.loads(buffer[HEAD.size : end - 2]))
                buffer = buffer[end:]
                if got.command != 1006:
                    self.got.put(got)
                if direction == 0 and (answer := self.answers(got)) is not None:
                    line.sendall(frame(command, packet_no, 1, answer))

    def send(self, data: bytes) -> None:
        """By the thread that reads: one TLS line is not for two threads at once."""
        self._out.put(data)

    def order(self, command: int, packet_no: int, element: dict[str, Any]) -> dict[str, Any]:
        """Push an order and wait for its answer."""
        self.send(frame(command, packet_no, 0, json.dumps([element]).encode()))
        return self.next(command, 1).body

    def next(self, command: int, direction: int) -> Got:
        while True:
            got = self.got.get(timeout=WAIT_S)
            if (got.command, got.direction) == (command, direction):
                return got

    def cut(self) -> None:
        if self.line is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.line, socket.SHUT_RDWR)

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._thread.join()
