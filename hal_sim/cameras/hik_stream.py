"""A Hikvision camera's alertStream on a socket: digest login, one endless multipart answer, and its ways to fail.

Written from the survey (b4) and its framing sample. `login_is_right` is the gate camera's: the same door.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.hikvision import Hikvision
from hal_sim.cameras.http_gate import NONCE, REALM, digest_is_right

BOUNDARY = "boundary"
PATH = "/ISAPI/Event/notification/alertStream"


class HikStreamCamera:
    """At 127.0.0.1, a free port; the newest stream counts."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user, password
        self.make = Hikvision("20220323AIJ67694167")
        self.status = 200
        self.lengths = True
        """Content-Length in each part, as in the sample; some firmware leaves it out."""
        self.chunked = False
        """Transfer-Encoding: chunked around all of it."""
        self.streams = self.wrong_logins = 0
        self._client: socket.socket | None = None
        self._changed = threading.Condition()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="hik-stream", daemon=True)
        self._thread.start()

    def wait(self, true: Callable[[], bool], within_s: float = 10.0) -> bool:
        with self._changed:
            return self._changed.wait_for(true, within_s)

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        self._thread.join(timeout=5)

    def cut(self) -> None:
        """The stream ends, as when the camera restarts."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def say(self, raw: bytes, sizes: Sequence[int] = ()) -> None:
        """Any bytes, as a sick camera would; in pieces of `sizes`, the rest at once."""
        client, at = self._client, 0
        assert client is not None
        for size in (*sizes, len(raw)):
            piece = raw[at : at + size]
            client.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked and piece else piece)
            at += size

    def beat(self) -> None:
        """No video loss."""
        self.say(self.part("application/xml", self.make.heartbeat(1_715_075_283_000).body))

    def see(self, event: CameraEvent) -> None:
        self.say(self.told(event))

    def told(self, event: CameraEvent) -> bytes:
        """The event's part, then its pictures', the plate's crop first."""
        parts = self.part("application/xml", self.make.document(event))
        if event.picture is not None:
            for name, jpeg in (("licensePlatePicture", event.picture.plate_jpeg),
                               ("detectionPicture", event.picture.jpeg)):
                parts += self.part("image/jpeg", jpeg, f'Content-Disposition: form-data; name="{name}.jpg"\r\n')
        return parts

    def part(self, kind: str, content: bytes, more: str = "") -> bytes:
        length = f"Content-Length: {len(content)}\r\n" if self.lengths else ""
        head = f'--{BOUNDARY}\r\n{more}Content-Type: {kind}; charset="UTF-8"\r\n{length}\r\n'
        return head.encode() + content + b"\r\n"

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            kept = False
            try:
                kept = self._answer(client)
            finally:
                if not kept:
                    client.close()

    def _answer(self, client: socket.socket) -> bool:
        """True: the stream has begun."""
        head = b""
        while b"\r\n\r\n" not in head:
            more = client.recv(4096)
            if not more:
                return False
            head += more
        first, *lines = head.decode().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        login = fields.get("authorization", "")
        right = first == f"GET {PATH} HTTP/1.1" and digest_is_right(self.user, self.password, "GET", PATH, login)
        with self._changed:
            self.wrong_logins += bool(login) and not right
            self._changed.notify_all()
        if not right:
            challenge = f'WWW-Authenticate: Digest qop="auth", realm="{REALM}", nonce="{NONCE}"\r\n'
            client.sendall(f"HTTP/1.1 401 Unauthorized\r\n{challenge}Content-Length: 0\r\n\r\n".encode())
            return False
        if self.status != 200:
            client.sendall(f"HTTP/1.1 {self.status} Error\r\nContent-Length: 0\r\n\r\n".encode())
            return False
        client.sendall(
            b"HTTP/1.1 200 OK\r\nMIME-Version: 1.0\r\nConnection: close\r\n"
            + (b"Transfer-Encoding: chunked\r\n" if self.chunked else b"") +
            b"Content-Type: multipart/mixed; boundary=boundary\r\n\r\n"
        )
        self.cut()
        with self._changed:
            self._client = client
            self.streams += 1
            self._changed.notify_all()
        return True
