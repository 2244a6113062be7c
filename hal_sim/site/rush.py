"""The rush: people book stalls through a city, come to the entrance for reserved cars, or do not come at all.

Two entrances, a small lot, more cars than stalls. Bookings go to the lane program as a city link sends them, by JSON
lines on its UNIX socket; nothing of the box is imported. A reserved car sets out when its stall is promised; some
people book and stay away, and their stall is free again when their time is over. A script of switches (priority off
and on, another role for the reserved entrance for a while) goes with it.
"""

from __future__ import annotations

import json
import queue
import random
import socket
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

CITY = "rush"
WHO = "预约平台"
ANSWER_WITHIN_S = 5.0
ASK_AGAIN_S = 1.0
STAYS_AWAY = 0.12
"""Share of people who book once more and do not come."""

VALID_MS = 120_000
STAYS_AWAY_MS = 15_000

SCRIPT: tuple[tuple[float, str, dict[str, Any]], ...] = (
    (75, "priority", {"on": False, "why": "示例: 非高峰 off-peak"}),
    (95, "priority", {"on": True, "why": "示例: 高峰 peak"}),
    (120, "role", {"lane": "in1", "role": "ordinary", "why": "示例: 临时改为非预约车入口 for a while"}),
    (140, "role", {"lane": "in1", "role": "reserved", "why": "示例: 恢复 as before"}),
)
"""Seconds after the start: what is ordered."""


class Rush:
    """`sets_out` is asked by the world before a car comes; the thread books and orders."""

    def __init__(self, path: Path, reserved_lane: str, seed: int) -> None:
        self._path, self._lane = path, reserved_lane
        self._dice = random.Random(f"rush {seed}")
        self._wanted: queue.Queue[str] = queue.Queue()
        self._asked: set[str] = set()
        self._promised: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rush", daemon=True)
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=ANSWER_WITHIN_S + 1)

    def sets_out(self, lane_id: str, plate: str) -> bool:
        """Whether this car comes to that lane now: to the reserved entrance only with a stall promised."""
        if lane_id != self._lane:
            return True
        if plate not in self._asked:
            self._asked.add(plate)
            self._wanted.put(plate)
        return plate in self._promised

    # --- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        began_s = time.monotonic()
        script = list(SCRIPT)
        refused: list[tuple[float, str]] = []
        while not self._stop.is_set():
            now_s = time.monotonic()
            if script and now_s - began_s >= script[0][0]:
                _, op, order = script.pop(0)
                self._ask(op, order)
            if refused and refused[0][0] <= now_s:
                plate = refused.pop(0)[1]
            else:
                try:
                    plate = self._wanted.get(timeout=0.05)
                except queue.Empty:
                    continue
            if not self._book(plate, VALID_MS):
                refused.append((now_s + ASK_AGAIN_S, plate))
                continue
            self._promised.add(plate)
            if self._dice.random() < STAYS_AWAY and self._book(f"粤B{self._dice.randrange(10**5):05}", STAYS_AWAY_MS):
                self.counts["stays_away"] += 1

    def _book(self, plate: str, valid_ms: int) -> bool:
        """6001 and 6002: lock, then confirm."""
        now_ms = time.time_ns() // 1_000_000
        code = uuid.uuid4().hex
        times = {"from_ms": now_ms - 1_000, "until_ms": now_ms + valid_ms, "keep_min": 0}
        lock = {"action": "lock", "code": code, "plate": plate, "why": "6001 预订", **times}
        if not self._ask("book", lock):
            return False
        return self._ask("book", {"action": "confirm", "code": code, "why": "6002 确定"})

    def _ask(self, op: str, order: dict[str, Any]) -> bool:
        """The order's answer; the same order again, under its id, until there is one."""
        order = {"command_id": uuid.uuid4().hex, "source": "city", "city": CITY, "who": WHO, **order}
        line = json.dumps({"op": op, "order": order}).encode() + b"\n"
        while not self._stop.is_set():
            try:
                answer = self._line(line)
            except (OSError, ValueError) as error:
                self.counts[type(error).__name__] += 1
                self._stop.wait(0.2)
                continue
            self.counts[f"{op}_{'ok' if answer['ok'] else answer.get('reason', answer['en'])}"] += 1
            return bool(answer["ok"])
        return False

    def _line(self, line: bytes) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(ANSWER_WITHIN_S)
            sock.connect(str(self._path))
            sock.sendall(line)
            data = b""
            while not data.endswith(b"\n"):
                more = sock.recv(65536)
                if not more:
                    raise ConnectionError("the lane program closed without an answer")
                data += more
        answer = json.loads(data)
        if not isinstance(answer, dict):
            raise ValueError(f"answer {answer!r} is no object")  # noqa: TRY004 - a bad answer, not a bad argument
        return answer
