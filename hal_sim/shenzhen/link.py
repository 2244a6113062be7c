"""One TCP link of a box (7.1.4.1.3), as the platform sees it: login first, heartbeats, orders and their answers.

One thread owns the connection: it alone reads and writes (a TLS connection is not safe for two), others hand it
their frames. Every breach by the box is a violation; the answers follow the standard all the same.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hal_sim.shenzhen import frames, lists
from hal_sim.shenzhen.envelope import Refusal, read_request, write_answer, write_request
from hal_sim.shenzhen.frames import ANSWER, REQUEST, BadFrame, Frame, Splitter
from hal_sim.shenzhen.platform import Platform
from hal_sim.shenzhen.values import Fault
from hal_sim.shenzhen.weather import LINK_KINDS

HEARTBEAT_LIMIT_S = 9.0  # 7.1.4.1.3 c) 2)
SEND_S = 5.0
BAD_FRAMES_MAX = 3  # SC65
GLUE_S = 1.0
"""A frame that is held back for company goes alone after so long."""

UNKNOWN_BOOKING = "BEFORE-LOGIN"


@dataclass(slots=True)
class Pending:
    """An order on its way: `done` is set by the answer, or by the end of the link."""

    packet_no: int
    command: int
    before_login: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    answers: list[bytes] = field(default_factory=list)
    expected: int = 1


class Link:
    """`run` serves one connection until it ends; `request` may be called from any thread."""

    def __init__(self, platform: Platform, limit_s: float, on_login: Callable[[Link], None]) -> None:
        self._platform, self._limit_s, self._on_login = platform, limit_s, on_login
        self._splitter = Splitter()
        self._here, self._wake = socket.socketpair()
        self._lock = threading.Lock()
        self._outbox: deque[bytes] = deque()
        self._pending: dict[int, Pending] = {}
        self._settled: set[int] = set()  # orders that nobody waits for any more
        self._packet_no = 0
        self._last_request: Frame | None = None
        self._bad_frames = 0
        self._heard_s = time.monotonic()
        self._glued = b""
        self._glued_since_s = 0.0
        self._closing = self._ended = False
        self.logged_in = False

    # --- what others do ------------------------------------------------------------------------------------

    def request(self, command: int, data: bytes, *, twice: bool = False) -> Pending:
        """Put an order on the wire. The caller waits for `done`."""
        with self._lock:
            self._packet_no = self._packet_no % frames.PACKET_MAX + 1
            pending = Pending(self._packet_no, command, not self.logged_in, expected=2 if twice else 1)
            if self._ended:
                pending.done.set()
                return pending
            self._pending[pending.packet_no] = pending
        frame = Frame(pending.packet_no, REQUEST, command, data)
        self._post(frame)
        if twice:
            self._post(frame)
        return pending

    def forget(self, pending: Pending) -> None:
        """Nobody waits for this answer any more."""
        with self._lock:
            self._pending.pop(pending.packet_no, None)
            self._settled.add(pending.packet_no)

    def close(self) -> None:
        """End the link from our side."""
        self._closing = True
        self._ring()

    def _post(self, frame: Frame) -> None:
        with self._lock:
            self._outbox.append(frame.packed())
        self._ring()

    def _ring(self) -> None:
        try:
            self._wake.send(b"w")
        except OSError:  # the link has ended: what waits is told by `run`
            return

    # --- the connection's own thread -----------------------------------------------------------------------

    def run(self, connection: ssl.SSLSocket) -> None:
        """Serve until the box leaves, is silent for too long, or `close`."""
        platform = self._platform
        self._heard_s = time.monotonic()
        if platform.weather.strike("link/accept", ("push_before_login",)) is not None:
            self._push_before_login()
        ended = "closed"
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(connection, selectors.EVENT_READ)
                selector.register(self._here, selectors.EVENT_READ)
                while not self._closing:
                    self._write_waiting(connection)
                    if connection.pending() == 0 and not selector.select(self._rest_s()):
                        if self._silent():
                            ended = "silent"
                            break
                        continue
                    if not self._read(connection):
                        ended = "left"
                        break
        except (ssl.SSLError, OSError) as error:
            ended = f"broken ({type(error).__name__})"
        finally:
            self._end(ended)

    def _end(self, ended: str) -> None:
        with self._lock:
            self._ended = True
            waiting, self._pending = list(self._pending.values()), {}
        for pending in waiting:
            pending.done.set()
        with self._platform.lock:
            self._platform.link_counts["ended"] += 1
            if self.logged_in and ended == "left":
                self._platform.books.notes["closed_without_logout"] += 1
        self.logged_in = False
        self._platform.tell("link", f"断开 ended: {ended}")
        self._here.close()
        self._wake.close()

    def _rest_s(self) -> float:
        """How long nothing has to be done."""
        ends = [self._heard_s + self._limit_s]
        if self._glued:
            ends.append(self._glued_since_s + GLUE_S)
        return max(0.0, min(ends) - time.monotonic())

    def _silent(self) -> bool:
        if time.monotonic() < self._heard_s + self._limit_s:
            return False
        said = f"{self._limit_s:.0f} s 内没有心跳 no heartbeat within (7.1.4.1.3 c) 2))"
        self._platform.violate("link", "", Fault("1006", "(无 none)", said, lists.OTHER))
        return True

    def _read(self, connection: ssl.SSLSocket) -> bool:
        """Take what has come. False: the box has left."""
        self._here.setblocking(False)
        with contextlib.suppress(BlockingIOError):  # it was not the bell
            self._here.recv(4096)
        connection.setblocking(False)
        try:
            data = connection.recv(65536)
        except ssl.SSLWantReadError:
            return True
        if not data:
            return False
        for found in self._splitter.feed(data):
            if isinstance(found, BadFrame):
                self._bad(found)
            elif found.direction == REQUEST:
                self._asked(found)
            else:
                self._answered_by_box(found)
        return True

    def _bad(self, bad: BadFrame) -> None:
        self._platform.violate("link", "", Fault(bad.field, bad.value, bad.allowed, lists.BAD_ENVELOPE))
        self._bad_frames += 1
        if bad.lost or self._bad_frames >= BAD_FRAMES_MAX:
            self._closing = True

    def _write_waiting(self, connection: ssl.SSLSocket) -> None:
        while True:
            with self._lock:
                frame = self._outbox.popleft() if self._outbox else b""
            if not frame:
                break
            command = int.from_bytes(frame[15:17], "big")
            self._write(connection, frame, self._platform.weather.strike(f"link/{command}", LINK_KINDS))
            if self._closing:
                return
        if self._glued and time.monotonic() >= self._glued_since_s + GLUE_S:
            self._send(connection, b"")

    def _write(self, connection: ssl.SSLSocket, frame: bytes, weather: object) -> None:
        match weather:
            case "mute":
                return
            case "link_cut":
                self._closing = True
            case "frame_split":
                for byte in frame:
                    self._send(connection, bytes([byte]))
            case "frame_glued":
                self._glued += frame
                self._glued_since_s = time.monotonic()
            case "frame_damaged":
                self._send(connection, frame[:-3] + bytes([frame[-3] ^ 0x20]) + frame[-2:])
            case "frame_wrong_magic":
                self._send(connection, b"SZTX\x01\x00" + frame)
            case "frame_lying_length":
                length = int.from_bytes(frame[10:14], "big") + 1000
                self._send(connection, frame[:10] + length.to_bytes(4, "big") + frame[14:])
                self._closing = True
            case "frame_huge_length":
                self._send(connection, frame[:10] + (2**31).to_bytes(4, "big") + frame[14:])
            case "frame_twice":
                self._send(connection, frame * 2)
            case _:
                self._send(connection, frame)

    def _send(self, connection: ssl.SSLSocket, data: bytes) -> None:
        connection.settimeout(SEND_S)
        connection.sendall(self._glued + data)
        self._glued = b""

    # --- what the box asks ---------------------------------------------------------------------------------

    def _asked(self, frame: Frame) -> None:
        self._check_number(frame)
        self._last_request = frame
        platform, command = self._platform, frame.command
        try:
            reply = self._reply(frame)
        except Refusal as refusal:
            platform.violate(str(command), "", refusal.fault)
            reply = write_answer(refusal.result_code, str(refusal), [], platform.now())
        # An empty answer answers an empty request (SC62).
        empty = not frame.data and command in (lists.HEARTBEAT, lists.LINK_LOGOUT)
        data = b"" if empty else json.dumps(reply, ensure_ascii=False).encode()
        self._post(Frame(frame.packet_no, ANSWER, command, data))
        if command == lists.LINK_LOGIN and self.logged_in:
            self._on_login(self)

    def _check_number(self, frame: Frame) -> None:
        last = self._last_request
        if last is None:
            return
        again = frame.packet_no == last.packet_no and frame.command == last.command == lists.HEARTBEAT
        if frame.packet_no != last.packet_no % frames.PACKET_MAX + 1 and not again:
            said = f"须为 must be {last.packet_no % frames.PACKET_MAX + 1}"
            fault = Fault("packetNo", str(frame.packet_no), said, lists.BAD_ENVELOPE)
            self._platform.violate(str(frame.command), "", fault)

    def _reply(self, frame: Frame) -> dict[str, object]:
        platform, now_s = self._platform, self._platform.now()
        if frame.command not in (lists.LINK_LOGIN, lists.LINK_LOGOUT, lists.HEARTBEAT):
            said = "TCP 只有 only 1004, 1005, 1006 over TCP (7.1.4.1.1 d)"
            raise Refusal(lists.OTHER, "command", frame.command, said)
        login = frame.command == lists.LINK_LOGIN
        if not login and not self.logged_in:
            fault = Fault("command", str(frame.command), "应首先登录 login (1004) before anything", lists.BAD_TOKEN)
            platform.violate("link", "", fault)
            element: dict[str, object] = {"code": lists.BAD_TOKEN, "message": lists.meaning(lists.BAD_TOKEN)}
            return write_answer(lists.OK, lists.RESULT_CODES[0], [element], now_s)
        if frame.data or login:
            data = read_request(frame.data, platform.account.sign, now_s, empty=not login)
        with platform.lock:
            platform.link_counts[str(frame.command)] += 1
        if login:
            with platform.lock:
                element = platform.door.link_login(data)
            self.logged_in = element["code"] == lists.OK
            platform.tell("link", f"1004 {element['code']} {element['message']}")
            self._heard_s = time.monotonic()
            return write_answer(lists.OK, lists.RESULT_CODES[0], [element], now_s)
        if frame.command == lists.HEARTBEAT:
            self._heard_s = time.monotonic()
        else:
            self.logged_in = False
            platform.tell("link", "1005 已登出 logged out")
        return write_answer(lists.OK, lists.RESULT_CODES[0], [], now_s)

    # --- what the box answers ------------------------------------------------------------------------------

    def _answered_by_box(self, frame: Frame) -> None:
        with self._lock:
            pending = self._pending.get(frame.packet_no)
        if pending is None or pending.command != frame.command:
            said = "没有此请求 answers no request that waits"
            fault = Fault("packetNo", f"{frame.packet_no} ({frame.command})", said, lists.BAD_ENVELOPE)
            if frame.packet_no not in self._settled:  # a late answer is told of where it was waited for
                self._platform.violate("link", "", fault)
            return
        pending.answers.append(frame.data)
        if pending.before_login:
            self._judge_before_login(frame)
            self.forget(pending)
        if len(pending.answers) >= pending.expected:
            pending.done.set()

    def _push_before_login(self) -> None:
        """SC69: what comes before 1004 is answered by 3002 and not done."""
        element: dict[str, object] = {
            "bookCode": UNKNOWN_BOOKING, "parkCode": self._platform.account.park_codes[0], "confirmStatus": 1,
        }  # fmt: skip
        self.request(6002, write_request([element], self._platform.account.sign, self._platform.now()))

    def _judge_before_login(self, frame: Frame) -> None:
        answer = json.loads(frame.data)
        codes = [one.get("code") for one in answer.get("data", [])]
        if answer.get("resultCode") == lists.OK and codes != [lists.BAD_TOKEN]:
            fault = Fault("code", str(codes), "登录前须为 before login must be 3002", lists.BAD_TOKEN)
            self._platform.violate("link", UNKNOWN_BOOKING, fault)
