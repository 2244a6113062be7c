"""A page source under the test's hand, and what the tests of the page share."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import cv2
import msgspec
import numpy as np

from edge.config.model import Web
from edge.ports import AgentView, BoxView, Delivery, DeliveryFound, FaultView, LaneView, LinkView, TrialWord

NOON_MS = 1_795_233_600_000  # 2026-11-21 12:00:00 in Shanghai
READ_ID = "0123456789abcdef0123456789abcdef"

# A picture of another maker's encoder, small enough to be compared byte by byte.
TINY_JPEG = bytes(cv2.imencode(".jpg", np.full((9, 16, 3), 128, np.uint8))[1])


class FakeSource:
    """A `PageSource`: what the test sets is what the page sees, and the version grows by it."""

    def __init__(self, box: BoxView | None = None, agent: AgentView | None = None) -> None:
        self._lock = threading.Lock()
        self._box = box
        self._agent = agent or quiet_agent()
        self._version = 1
        self.trial_word: TrialWord = ""
        self.pictures: dict[str, bytes] = {}
        self.evidence: set[str] = set()
        self.found: list[DeliveryFound] = []
        self.searches: list[tuple[str, int, int]] = []
        self.looks = 0
        self.failure: Exception | None = None
        self.going_on = threading.Event()
        self.going_on.set()

    def show(self, box: BoxView | None) -> None:
        with self._lock:
            self._box = box
            self._version += 1

    def show_agent(self, agent: AgentView) -> None:
        with self._lock:
            self._agent = agent
            self._version += 1

    def box(self) -> BoxView | None:
        with self._lock:
            self.looks += 1
            return self._box

    def trial(self) -> TrialWord:
        return self.trial_word

    def agent(self) -> AgentView:
        with self._lock:
            return self._agent

    def picture(self, read_id: str) -> bytes | None:
        return self.pictures.get(read_id)

    def sealed(self, read_id: str) -> bool:
        return read_id in self.evidence

    def search(self, plate: str, from_ms: int, to_ms: int) -> list[DeliveryFound]:
        self.searches.append((plate, from_ms, to_ms))
        return self.found

    def version(self) -> int:
        self.going_on.wait()  # cleared by a test: the program hangs and its connections stay open
        if self.failure is not None:
            raise self.failure
        return self._version


def any_port(port: int = 0) -> Web:
    return Web(port=port)


ARRIVAL, ORDER = "a" * 32, "0123456789abcdef" * 2


def lane(**changes: Any) -> LaneView:
    """With its arrival loop occupied a car stands there, and if it owes money it has an order."""
    quiet = LaneView(
        id="in1", name="东门入口", direction="in",
        state="IDLE", state_zh="空闲", state_en="Idle",
        arm="down", arm_asked="", arrival=False, safety=False, plate="",
        last_read_id="", last_plate="", last_read_wall_ms=0, why_zh="", why_en="", due_fen=0, passed=0,
    )
    if changes.get("due_fen"):
        changes = {"order_id": ORDER} | changes
    return msgspec.structs.replace(quiet, **({"arrival_id": ARRIVAL} if changes.get("arrival") else {}) | changes)


def exit_lane(**changes: Any) -> LaneView:
    return lane(**{"id": "out1", "name": "东门出口", "direction": "out", **changes})


def box(*lanes: LaneView, **changes: Any) -> BoxView:
    quiet = BoxView(
        box_id="box-07", lot_name="青岛站东广场停车场", total=320, parked=196,
        lanes=lanes or (lane(), exit_lane()), faults=(),
        clock_synced=True, wall_ms=NOON_MS, ledger_seq=48211, counters={},
    )
    return msgspec.structs.replace(quiet, **changes)


def fault(**changes: Any) -> FaultView:
    loop = FaultView(
        code="loop_stuck", device="东门入口 触发地感",
        zh="触发地感持续有车", en="Arrival loop occupied for too long",
        effect_zh="车道按有车处理, 等待人工", effect_en="The lane believes a car is there and asks a person",
        todo_zh="查看线圈上是否停有车辆; 没有则检查车检器",
        todo_en="Look for a parked car; if none, check the detector",
        detail="occupied for 300 s", since_wall_ms=NOON_MS - 65_000,
    )
    return msgspec.structs.replace(loop, **changes)


def delivery(number: int, **changes: Any) -> Delivery:
    row = Delivery(
        id=number, city="qingdao", kind="carIn", item_id=f"{number:032x}", visit_id=f"{number:032x}",
        body=b'{"secret":1}', plate="鲁B12345", made_ms=NOON_MS - number * 1000,
        state="accepted", last_answer="0 成功", attempts=1,
    )
    return msgspec.structs.replace(row, **changes)


def link(**changes: Any) -> LinkView:
    city = LinkView(city="qingdao", online=True, zh="在线", en="Online", last_ok_wall_ms=NOON_MS - 4000)
    return msgspec.structs.replace(city, **changes)


def quiet_agent(**changes: Any) -> AgentView:
    agent = AgentView(
        links=(link(),), counts={"waiting": 0, "accepted": 1284, "set_aside": 0, "held_for_clock": 0},
        recent=(), faults=(), version="0.1.0",
    )
    return msgspec.structs.replace(agent, **changes)


def send(port: int, request: bytes, deadline_s: float = 10.0) -> bytes:
    """Whatever `request` is, and everything that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=deadline_s) as line:
        line.sendall(request)
        return receive_all(line)


def receive_all(line: socket.socket) -> bytes:
    pieces = []
    while piece := line.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def get(port: int, path: str, cookie: str = "") -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, body."""
    who = f"Cookie: {cookie}\r\n" if cookie else ""
    return parsed(send(port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{who}\r\n".encode()))


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(first.split(" ")[1]), headers, body


class StreamClient:
    """One open stream, read event by event."""

    def __init__(self, port: int, deadline_s: float = 10.0, cookie: str = "") -> None:
        self.line = socket.create_connection(("127.0.0.1", port), timeout=deadline_s)
        who = f"Cookie: {cookie}\r\n" if cookie else ""
        self.line.sendall(f"GET /events HTTP/1.1\r\nHost: localhost:{port}\r\n{who}\r\n".encode())
        self._file = self.line.makefile("rb")
        self.status = int(self._file.readline().split(b" ")[1])
        self.headers = dict(iter(self._header, None))

    def _header(self) -> tuple[str, str] | None:
        text = self._file.readline().decode("ascii").rstrip("\r\n")
        name, _, value = text.partition(": ")
        return (name.lower(), value) if text else None

    def next_event(self, wanted: str | None = None) -> tuple[str, Any]:
        """(event, data) of the next event, or of the next named `wanted`; an error at the deadline or end."""
        event, data = "", ""
        while True:
            raw = self._file.readline()
            if not raw:
                raise EOFError("the stream ended")
            text = raw.decode().rstrip("\n")
            if text.startswith("event: "):
                event = text.removeprefix("event: ")
            elif text.startswith("data: "):
                data = text.removeprefix("data: ")
            elif not text and data and wanted in {None, event}:
                return event, json.loads(data)
            elif not text:
                event, data = "", ""

    def close(self) -> None:
        self._file.close()
        self.line.close()
