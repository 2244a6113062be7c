"""The person in the booth: watches the lane program's view and acts when a lane waits for a person.

He speaks to the lane program as the page and the city do, by JSON lines on its UNIX socket; nothing of
the box is imported. He takes cash, lets some out free with a reason, and opens for cars that nobody can
identify.
"""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHO = "模拟收费员"
ANSWER_WITHIN_S = 5.0
FREE_SHARE = 0.15
"""Share of paying exits that are let out free by a person's decision."""

AGAIN_S = 1.0
"""If a lane still waits so long after an order, he orders again (his first one may have died with the program)."""

HELP_AGAIN_S = 3.0
"""The arm needs a moment after an order for a driver who rang."""


LOOKED_AT = ("id", "direction", "state", "plate", "due_fen", "arrival_id", "order_id")
"""Of a lane in the box's view, in the order of `View`."""


@dataclass(frozen=True)
class View:
    """What he looks at: one lane of the view."""

    lane: str
    direction: str
    state: str
    plate: str
    due_fen: int
    arrival_id: str
    order_id: str


class Attendant:
    """`ordered(lane)` is called before every opening order, so that the site knows why an arm goes up."""

    def __init__(
        self,
        path: Path,
        ordered: Callable[[str], None],
        *,
        seed: int,
        think_s: tuple[float, float],
    ) -> None:
        self._path, self._ordered, self._think_s = path, ordered, think_s
        self._dice = random.Random(f"attendant {seed}")
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._lanes: dict[str, View] = {}
        self._since_s: dict[str, tuple[View, float]] = {}
        self._acted_s: dict[str, float] = {}
        self.box: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()
        self.on_note: Callable[[dict[str, Any]], None] = lambda note: None
        self.leaves_alone: Callable[[View], float] = lambda view: 0.0
        """A car waits to pay at this lane: so many seconds he leaves its driver with a phone alone."""
        self.rings: Callable[[str], bool] = lambda lane: False
        """A driver of whom this lane knows nothing asks for help."""

    def start(self) -> None:
        for target, name in ((self._watch, "attendant-eyes"), (self._act, "attendant-hands")):
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=ANSWER_WITHIN_S + 1)

    # --- eyes ----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Follow the view; when the program goes away, look for it again."""
        while not self._stop.is_set():
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                    sock.settimeout(0.5)
                    sock.connect(str(self._path))
                    sock.sendall(b'{"op":"watch"}\n')
                    self._follow(sock)
            except OSError:
                self.counts["lane_program_away"] += 1
            with self._changed:
                self._lanes.clear()
                self._since_s.clear()
            self._stop.wait(0.1)

    def _follow(self, sock: socket.socket) -> None:
        data = b""
        while not self._stop.is_set():
            try:
                more = sock.recv(65536)
            except TimeoutError:
                continue
            if not more:
                return
            *lines, data = (data + more).split(b"\n")
            for line in lines:
                self._on_line(json.loads(line))

    def _on_line(self, line: dict[str, Any]) -> None:
        if "note" in line:
            self.on_note(line["note"])
        if "view" not in line:
            return
        with self._changed:
            self.box = line["view"]
            now_s = time.monotonic()
            for lane in self.box["lanes"]:
                view = View(*(lane[name] for name in LOOKED_AT))
                self._lanes[view.lane] = view
                if self._since_s.get(view.lane, (None, 0.0))[0] != view:
                    think_s = self._dice.uniform(*self._think_s)
                    if self.waits_for(view) == "payment":
                        think_s += self.leaves_alone(view)
                    self._since_s[view.lane] = (view, now_s + think_s)
            self._changed.notify_all()

    def admitted(self, lane_id: str) -> str | None:
        """The plate that the lane's sign shows as let through ("" = a car without one); None: nobody's."""
        view = self._lanes.get(lane_id)
        return view.plate if view is not None and view.state == "admitted" else None

    # --- hands ---------------------------------------------------------------------------------------------

    def _act(self) -> None:
        while not self._stop.is_set():
            with self._changed:
                now_s = time.monotonic()
                due = [(view, at_s) for view, at_s in self._since_s.values() if self.waits_for(view)]
                ready = [view for view, at_s in due if at_s <= now_s]
                ready += [view for view in self._lanes.values() if self._help_due(view, now_s)]
                if not ready:
                    next_s = min((at_s for _, at_s in due), default=now_s + 0.5)
                    self._changed.wait(max(0.005, min(0.5, next_s - now_s)))
                    continue
                for view in ready:
                    self._since_s[view.lane] = (view, now_s + AGAIN_S)
                    self._acted_s[view.lane] = now_s
            for view in ready:
                self._order(view)

    def _help_due(self, view: View, now_s: float) -> bool:
        acted_s = self._acted_s.get(view.lane, float("-inf"))
        return not self.waits_for(view) and self.rings(view.lane) and now_s - acted_s > HELP_AGAIN_S

    @staticmethod
    def waits_for(view: View) -> str:
        """What the lane wants of a person: payment, confirmation, or nothing."""
        state = view.state.lower()
        if "payment" in state:
            return "payment"
        return "confirmation" if "confirm" in state else ""

    def order_for(self, view: View) -> dict[str, Any]:
        """The order he gives at a lane in that state."""
        command: dict[str, Any] = {
            "command_id": f"{self._dice.getrandbits(128):032x}",
            "lane": view.lane,
            "source": "operator",
            "who": WHO,
            "arrival_id": view.arrival_id,
            "seen_plate": view.plate,
        }
        if self.waits_for(view) == "payment":
            command["order_id"] = view.order_id
            if self._dice.random() < FREE_SHARE:
                return command | {"action": "pay_free", "why": "领导批示免费"}
            return command | {"action": "pay_cash", "why": "现金", "amount_fen": view.due_fen}
        why = "无牌或未入场车辆, 人工核实放行" if view.direction == "out" else "无牌车, 人工登记放行"
        return command | {"action": "let_in", "why": why}

    def _order(self, view: View) -> None:
        command = self.order_for(view)
        self._ordered(view.lane)
        try:
            answer = self._ask(command)
        except (OSError, ValueError) as error:
            self.counts[f"order_{type(error).__name__}"] += 1
            return
        self.counts[command["action"] if answer.get("ok") else f"{command['action']}_refused"] += 1

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(ANSWER_WITHIN_S)
            sock.connect(str(self._path))
            sock.sendall(json.dumps({"op": "command", "command": command}).encode() + b"\n")
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
