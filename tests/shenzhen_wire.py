"""A hand-made Shenzhen box for tests: bodies as text, hashlib, http.client, ssl, and the openssl command for DES.

Data is JSON text (`"20.00"` stands for the number 20.00), so that a test says exactly what is on the wire; the text
of a `data` value is sorted and compact as it stands, and signed as it stands.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import http.client
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hal_sim.shenzhen import Account, Addresses, ShenzhenPlatform

USER, PASSWORD, KEY = "b38080814d9be81f014d9beb8109033a", "Parkbox-1", b"sz-key-8"
LOT = "44030400100101000010"
ACCOUNT = Account(USER, PASSWORD, KEY, (LOT,))
JSON_TYPE = "application/json;charset=UTF-8"
WAIT_S = 10.0

VECTORS = Path(__file__).with_name("vectors")
ENTRY_ID = "C78E319DAB604A268842ACF164774592"


def des(clear: str, key: bytes = KEY, iv: bytes = KEY) -> str:
    """Base64 of DES-CBC with PKCS7, by the openssl command: another implementation than the platform's."""
    command = ["openssl", "enc", "-des-cbc", "-K", key.hex(), "-iv", iv.hex(), "-provider", "legacy"]
    sealed = subprocess.run(
        [*command, "-provider", "default"], input=clear.encode(), capture_output=True, check=True
    ).stdout
    return base64.b64encode(sealed).decode()


SEALED = des(PASSWORD)


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def envelope(data: str, /, **members: str) -> bytes:
    """Table 12 around this text; `members` replace its members by other JSON text ("" leaves one out)."""
    parts = {"timestamp": str(int(time.time())), "sign": f'"{sha1(data)}"', "data": data} | members
    return ("{" + ",".join(f'"{name}":{value}' for name, value in parts.items() if value) + "}").encode()


def sorted_text(value: object) -> str:
    """Sorted and compact, as it is signed. A number that `example` read keeps its text."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return re.sub(r'"#([-\d.]+)#"', r"\1", text)


def example(code: int, side: str = "request") -> dict[str, Any]:
    """Annex B as printed (transcribed, brackets repaired), numbers with a point as marked text."""
    text = VECTORS.joinpath("shenzhen_annex_b.json").read_text(encoding="utf-8")
    read = json.loads(text, parse_float=lambda written: f"#{written}#")[str(code)][side]
    assert isinstance(read, dict)
    return read


@dataclass
class Sender:
    """One box's connections to the platform."""

    addresses: Addresses
    token: str = ""

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.addresses.ca_file))

    def connect(self) -> http.client.HTTPSConnection:
        netloc = urlsplit(self.addresses.url).netloc
        return http.client.HTTPSConnection(netloc, timeout=WAIT_S, context=self.context())

    def raw(self, code: int | str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, str, bytes]:
        """Status, content type and body of the answer, over a connection of its own."""
        path = f"{urlsplit(self.addresses.url).path}/1.0/{code}" if isinstance(code, int) else code
        head = {"Content-Type": JSON_TYPE, "Authorization": f"bearer {self.token}"}
        connection = self.connect()
        try:
            connection.request("POST", path, body, head if headers is None else headers)
            response = connection.getresponse()
            return response.status, response.getheader("Content-Type", ""), response.read()
        finally:
            connection.close()

    def send(self, code: int, data: str, /, **members: str) -> dict[str, Any]:
        """A signed request and its answer."""
        answer = json.loads(self.raw(code, envelope(data, **members))[2])
        assert isinstance(answer, dict)
        return answer

    def login(self, callback: str = "") -> dict[str, Any]:
        where = f'"callbackServer":"{callback}",' if callback else ""
        data = f'[{{{where}"password":"{SEALED}","userId":"{USER}"}}]'
        answer = json.loads(self.raw(1001, envelope(data), {"Content-Type": JSON_TYPE})[2])
        assert answer["resultCode"] == 0, answer
        self.token = answer["data"][0]["accessToken"]
        assert isinstance(answer, dict)
        return answer


@dataclass
class Told:
    """One frame from the platform."""

    packet_no: int
    direction: int
    command: int
    data: bytes

    @property
    def body(self) -> dict[str, Any]:
        body = json.loads(self.data)
        assert isinstance(body, dict)
        return body


def frame(packet_no: int, command: int, data: bytes, direction: int = 0) -> bytes:
    """Table 14, by struct and the standard library's own CRC."""
    head = b"SZTC\x01\x00" + struct.pack(">IIBH", packet_no, len(data), direction, command)
    return head + data + struct.pack(">H", binascii.crc_hqx(head + data, 0))


class LinkClient:
    """The box's end of a TCP link, one frame at a time."""

    def __init__(self, sender: Sender) -> None:
        plain = socket.create_connection(("127.0.0.1", sender.addresses.tcp_port), WAIT_S)
        self.sock = sender.context().wrap_socket(plain, server_hostname="127.0.0.1")
        self.sent = 0

    def __enter__(self) -> LinkClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def ask(self, command: int, data: str = "[]") -> Told:
        """One request and the frame that comes next."""
        self.sent += 1
        self.sock.sendall(frame(self.sent, command, envelope(data)))
        return self.read()

    def login(self) -> Told:
        return self.ask(1004, f'[{{"password":"{SEALED}","userId":"{USER}"}}]')

    def read(self) -> Told:
        """The next frame; its checksum must be right."""
        head = self._exactly(17)
        assert head[:6] == b"SZTC\x01\x00"
        packet_no, length, direction, command = struct.unpack(">IIBH", head[6:])
        data, told = self._exactly(length), self._exactly(2)
        assert struct.unpack(">H", told)[0] == binascii.crc_hqx(head + data, 0)
        return Told(packet_no, direction, command, data)

    def answer(self, asked: Told, elements: object, result: int = 0) -> None:
        self.sock.sendall(frame(asked.packet_no, asked.command, reply(elements, result), 1))

    def ended(self) -> bool:
        """Wait for the end of the link."""
        try:
            return self.sock.recv(1) == b""
        except (ConnectionError, ssl.SSLEOFError):
            return True

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise ConnectionError("the platform closed the link")
            data += more
        return data


def reply(elements: object, result: int = 0) -> bytes:
    """Table 13."""
    body = {"resultCode": result, "resultMsg": "成功", "timestamp": int(time.time()), "data": elements}
    return json.dumps(body, ensure_ascii=False).encode()


@dataclass
class Asked:
    """One order as it came to the callback server."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Callback:
    """The box's callback server: `answer` makes status and body of one order."""

    def __init__(self, platform: ShenzhenPlatform, answer: Callable[[Asked], tuple[int, bytes]]) -> None:
        self.asked: list[Asked] = []
        issued = platform.authority.issue("box")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(issued.cert, issued.key)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                asked = Asked(self.path, dict(self.headers.items()), json.loads(raw))
                outer.asked.append(asked)
                status, body = answer(asked)
                with contextlib.suppress(OSError):  # the platform may have left
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}/api"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="callback")
        self._thread.start()

    def stop(self) -> None:
        """End, once what came is answered. Twice does no harm."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@contextmanager
def platform_in(folder: Path) -> Iterator[ShenzhenPlatform]:
    """The simulated platform, not yet started; at the end it has made no mistake of its own."""
    running = ShenzhenPlatform(ACCOUNT, folder, seed=1)
    yield running
    running.stop()
    assert running.summary().internal_errors == ()


def logged_in(platform: ShenzhenPlatform) -> Sender:
    sender = Sender(platform.start())
    sender.login()
    return sender
