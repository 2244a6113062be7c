"""Conversation over TCP: login, heartbeat, packets, orders (T/SZPIA 001-2020 7.1.4.1.3, 7.1.4.2.4 to 6). Pure.

One object for one connection; a new connection gets a new one. It is told the time and the bytes, and says what to send
and when it wants to be asked again.

    state      1004 answered 0     1004 refused     push        end asked     strike 3, bad frames, closed by peer
    LOGIN      -> ONLINE           -> CLOSED        3002 to it  -> CLOSED     -> CLOSED
    ONLINE     (ignored)           (ignored)        an order    -> LEAVING    -> CLOSED
    LEAVING    (ignored)           (ignored)        an order    (ignored)     -> CLOSED
    CLOSED     nothing is taken or sent any more

The heartbeat goes every `heartbeat_s`, whatever else goes (SC67). Without answer for `heartbeat_wait_s` it is repeated
under its number, `heartbeat_repeats` times; then the line is dead (7.1.4.1.3 c 3).
"""

from __future__ import annotations

import enum

import msgspec

from edge.cities.shenzhen.envelope import ReplyError, TimeUnit, parse_reply, request_body, stamp
from edge.cities.shenzhen.frames import (
    REQUEST,
    RESPONSE,
    CrcOrder,
    Frame,
    FrameError,
    FrameReader,
    encode,
    next_packet_no,
)
from edge.cities.shenzhen.messages import Login
from edge.cities.shenzhen.sign import Signing, sorted_json

LOGIN_COMMAND, LOGOUT_COMMAND, HEARTBEAT_COMMAND = 1004, 1005, 1006

# The login and the goodbye are answered within this, as an order is (7.2.2), or the line is given up.
ANSWER_S = 3.0


class State(enum.Enum):
    LOGIN = "login"
    ONLINE = "online"
    LEAVING = "leaving"
    CLOSED = "closed"


class LinkSettings(msgspec.Struct, frozen=True):
    """How this platform wants its line: the switches of `[city.shenzhen.tcp]`."""

    user: str
    password: str
    signing: Signing = Signing()
    time_unit: TimeUnit = "s"
    heartbeat_s: float = 3.0
    heartbeat_wait_s: float = 3.0
    heartbeat_repeats: int = 2
    envelope: bool = True
    empty_is_nothing: bool = False
    version: tuple[int, int] = (1, 0)
    crc_order: CrcOrder = "big"
    bad_frames_max: int = 3

    def __repr__(self) -> str:
        return f"LinkSettings(user={self.user!r})"


class Push(msgspec.Struct, frozen=True):
    """An order of the platform, to be answered with `LinkTalk.answer`. `welcome` False: it came before the login was
    answered and must be answered with 3002 (SC69)."""

    command: int
    packet_no: int
    data: bytes
    welcome: bool


class LinkTalk:
    """See the module. Not for several threads at once."""

    def __init__(self, settings: LinkSettings, now_s: float, wall_ms: int) -> None:
        self._settings = settings
        self._reader = FrameReader(bad_max=settings.bad_frames_max, crc_order=settings.crc_order)
        self._packet_no = 0
        self._out: list[bytes] = []
        self._heartbeat_no = 0
        self._strikes = 0
        self.heartbeats = 0
        """So many were answered."""
        self.state = State.LOGIN
        self.why = ("", "")
        """Why it closed: Chinese, English."""
        self.refused = False
        """The platform would not have us: the next try must wait (SC69)."""
        self._login_no = self._send(LOGIN_COMMAND, [self._login()], wall_ms)
        self.deadline_s = now_s + ANSWER_S

    @property
    def bad_frames(self) -> int:
        return self._reader.bad

    def to_send(self) -> bytes:
        """What must be written now; each byte is given once."""
        out, self._out = b"".join(self._out), []
        return out

    def received(self, data: bytes, now_s: float) -> list[Push]:
        """Bytes of the platform. b"" means that it closed the line."""
        if self.closed():
            return []
        if not data:
            self._close("平台关闭了连接", "the platform closed the line")
            return []
        try:
            frames = self._reader.feed(data)
        except FrameError as error:
            self._close(f"报文无法解析: {error}", f"frames not understood: {error}")
            return []
        found: list[Push] = []
        for frame in frames:
            if self.closed():
                break
            if frame.direction == REQUEST:
                found.append(Push(frame.command, frame.packet_no, frame.data, self.state is not State.LOGIN))
            else:
                self._answered(frame, now_s)
        return found

    def tick(self, now_s: float, wall_ms: int) -> None:
        """The time is `now_s`: what is due is done."""
        if self.state is State.CLOSED or now_s < self.deadline_s:
            return
        if self.state is not State.ONLINE:
            what = ("登录", "login") if self.state is State.LOGIN else ("登出", "logout")
            self._close(f"{what[0]} {ANSWER_S:g} 秒无应答", f"no answer to the {what[1]} for {ANSWER_S:g} s")
        elif not self._heartbeat_no:
            self._heartbeat_no = self._send(HEARTBEAT_COMMAND, [], wall_ms)
            self._strikes = 0
            self.deadline_s = now_s + self._settings.heartbeat_wait_s
            self._next_heartbeat_s = now_s + self._settings.heartbeat_s
        elif self._strikes < self._settings.heartbeat_repeats:
            self._strikes += 1
            self._send(HEARTBEAT_COMMAND, [], wall_ms, self._heartbeat_no)
            self.deadline_s = now_s + self._settings.heartbeat_wait_s
        else:
            tries = self._strikes + 1
            self._close(f"心跳 {tries} 次无应答", f"no answer to {tries} heartbeats")

    def answer(self, push: Push, data: bytes) -> None:
        """Answer an order under its own packetNo (table 14)."""
        if self.state is not State.CLOSED:
            self._frame(push.command, push.packet_no, RESPONSE, data)

    def leave(self, now_s: float, wall_ms: int) -> None:
        """1005 before the line is closed (7.1.4.2.5)."""
        if self.state is State.ONLINE:
            self._logout_no = self._send(LOGOUT_COMMAND, [], wall_ms)
            self.state = State.LEAVING
            self.deadline_s = now_s + ANSWER_S
        elif self.state is State.LOGIN:
            self._close("正在停止", "stopping")

    def _answered(self, frame: Frame, now_s: float) -> None:
        if frame.command == LOGIN_COMMAND and self.state is State.LOGIN and frame.packet_no == self._login_no:
            self._logged_in(frame.data, now_s)
        elif frame.command == HEARTBEAT_COMMAND:
            if self.state is State.ONLINE and frame.packet_no == self._heartbeat_no:
                self._heartbeat_no = 0
                self.heartbeats += 1
                self.deadline_s = max(now_s, self._next_heartbeat_s)
        elif frame.command == LOGOUT_COMMAND and self.state is State.LEAVING and frame.packet_no == self._logout_no:
            self._close("已登出", "logged out")

    def _logged_in(self, data: bytes, now_s: float) -> None:
        try:
            reply = parse_reply(data if self._settings.envelope else _wrapped(data))
        except ReplyError as error:
            self._close(f"无法读懂登录应答: {error}", f"login answer not understood: {error}")
            return
        code = reply.result_code or next((each.code for each in reply.elements if each.code), 0)
        if code:
            words = reply.message or next((each.message for each in reply.elements if each.message), "")
            self.refused = True
            self._close(f"登录被拒绝 ({code}) {words}", f"login refused ({code})")
            return
        self.state = State.ONLINE
        self.deadline_s = now_s  # the first heartbeat goes at once: the platform counts 9 s from the login

    def _login(self) -> bytes:
        return sorted_json(Login(user_id=self._settings.user, password=self._settings.password))

    def _send(self, command: int, elements: list[bytes], wall_ms: int, packet_no: int = 0) -> int:
        settings = self._settings
        if not elements and settings.empty_is_nothing:
            data = b""
        elif settings.envelope:
            data = request_body(elements, settings.signing, wall_ms, settings.time_unit)
        else:
            data = b"[" + b",".join(elements) + b"]"
        if not packet_no:
            packet_no = self._packet_no = next_packet_no(self._packet_no)
        self._frame(command, packet_no, REQUEST, data)
        return packet_no

    def _frame(self, command: int, packet_no: int, direction: int, data: bytes) -> None:
        settings = self._settings
        frame = Frame(command, packet_no, direction, data, settings.version)
        self._out.append(encode(frame, settings.crc_order))

    def closed(self) -> bool:
        return self.state is State.CLOSED

    def _close(self, zh: str, en: str) -> None:
        self.state = State.CLOSED
        self.why = (zh, en)


def answer_body(
    result_code: int, message: str, elements: list[dict[str, object]], wall_ms: int, *, as_text: bool, unit: TimeUnit
) -> bytes:
    """Table 13. SC18: codes are numbers; `as_text` makes them text as the examples print them."""

    def code(value: int) -> int | str:
        return str(value) if as_text else value

    data = [{**each, "code": code(int(str(each["code"])))} if "code" in each else each for each in elements]
    return msgspec.json.encode(
        {"resultCode": code(result_code), "resultMsg": message, "timestamp": stamp(wall_ms, unit), "data": data}
    )


def _wrapped(data: bytes) -> bytes:
    """SC61: an answer that is the bare data list."""
    return b'{"resultCode":0,"data":' + (data or b"[]") + b"}"
