"""One sign: the newest text wins, nobody waits for it, and one that keeps silent is a fault.

    show(A) ──► A's frames one by one ──► shown
    show(B), show(C) meanwhile ──► after the frame on the wire: C; B is never sent
    every REFRESH_S, and RETRY_S after a failure: the newest text again (a sign that lost its power shows nothing)

Voice goes out once, with the text that it belongs to, and never again: nobody wants to hear a plate twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from drivers.rs485.exchange import Counts, Exchange, Judge, Outcome, Urgency
from drivers.rs485.line import SerialLine
from drivers.signs import aa55, olm, onbon
from edge.config.rs485 import SIGN_LINE_BYTES, Sign
from edge.core.events import DeviceDown, DeviceUp
from edge.ports import Emit

log = logging.getLogger("parkbox.signs")

REFRESH_S = 60.0
RETRY_S = 5.0
SILENT_TIMES = 3
"""Failures in a row before it is a fault: one frame may meet a burst of noise."""
GOOD = frozenset({"answered", "sent"})


class Face(NamedTuple):
    """What a sign is to show and say; fewer rows than it has leave the rest empty."""

    rows: tuple[str, ...]
    say: str = ""


Told = Callable[[Outcome], None]
Frame = tuple[bytes, Judge]


def gbk(text: str) -> bytes:
    """At most SIGN_LINE_BYTES, cut between characters; a character that GBK does not have is "?"."""
    kept = b""
    for char in text:
        more = kept + char.encode("gbk", "replace")
        if len(more) > SIGN_LINE_BYTES:
            break
        kept = more
    return kept


def frames(sign: Sign, face: Face) -> list[Frame]:
    """What goes over the line, in order."""
    rows = [gbk(text) for text in (*face.rows, *("",) * sign.rows)[: sign.rows]]
    match sign.model:
        case "olm":
            address = sign.address or 0
            made = [olm.row(address, number, row or b" ", sign.colour) for number, row in enumerate(rows)]
            if sign.voice and face.say:
                made.append(olm.speak(address, gbk(face.say)))
            return [(frame, olm.judge_of(frame)) for frame in made]
        case "aa55":
            return [(aa55.show(rows[0] or b" "), aa55.judge)]
    address = onbon.ANYBODY if sign.address is None else sign.address
    return [(onbon.show(address, rows, sign.width_px, onbon.ROW_PX * sign.rows), onbon.judge)]


class LaneSign:
    """`show` from any thread; never blocks for the line."""

    def __init__(
        self, lane_id: str, sign: Sign, line: SerialLine, *, mono_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.id, self.lane_id, self.line = sign.id, lane_id, line
        self._sign, self._mono_s = sign, mono_s
        self._answers = sign.answers or sign.model == "onbon"
        self._lock = threading.Lock()
        self._emit: Emit | None = None
        self._newest: tuple[Face, Told | None] | None = None  # not begun yet
        self._face = Face(())  # what the sign has, or is getting
        self._told: Told | None = None
        self._rest: list[Frame] = []
        self._busy = False
        self._ended_s = float("-inf")
        self._failed = 0
        self.outcome: Outcome | None = None

    @property
    def rows(self) -> tuple[str, ...]:
        """The newest text that was asked for."""
        newest = self._newest
        return newest[0].rows if newest is not None else self._face.rows

    def counts(self) -> Counts:
        return self.line.counts().get(self.id, Counts())

    def open(self, emit: Emit) -> None:
        """The line is opened by its owner; a sign is asked when there is something to show."""
        self._emit = emit

    def show(self, face: Face, told: Told | None = None) -> None:
        """`told`: what came of it, on the line's thread; "gone" when a newer text took its place."""
        with self._lock:
            replaced = self._newest[1] if self._newest is not None else None
            self._newest = (face, told)
        if replaced is not None:
            replaced("gone")
        self._begin()

    def tick(self) -> None:
        """About once a second: again, when it is time."""
        with self._lock:
            after_s = RETRY_S if self.outcome is not None and self.outcome not in GOOD else REFRESH_S
            due = self.outcome is not None and not self._busy and self._mono_s() - self._ended_s >= after_s
            if due and self._newest is None:
                self._newest = (Face(self._face.rows), None)
        if due:
            self._begin()

    # --- on whoever's thread begins, then on the line's -----------------------------------------------------------

    def _begin(self) -> None:
        with self._lock:
            if self._busy or self._newest is None:
                return
            (self._face, self._told), self._newest = self._newest, None
            self._rest = frames(self._sign, self._face)
            self._busy = True
        self._send()

    def _send(self) -> None:
        request, judge = self._rest.pop(0)
        self.line.submit(Exchange(
            device=self.id, request=request, judge=judge if self._answers else None, urgency=Urgency.TEXT,
            wait_s=self._sign.answer_ms / 1000, done=self._done,
        ))  # fmt: skip

    def _done(self, outcome: Outcome, reply: bytes) -> None:
        if outcome == "answered" and self._sign.model == "onbon" and not onbon.understood(reply):
            log.warning("sign %s refused the text: %s", self.id, reply.hex(" "))
            outcome = "damaged"
        with self._lock:
            newer = self._newest is not None
            more = bool(self._rest) and outcome in GOOD and not newer
        if more:
            self._send()
            return
        self._judge(outcome)
        with self._lock:
            self.outcome, self._ended_s = outcome, self._mono_s()
            told, self._told = self._told, None
            self._busy = False
        if told is not None:
            told(outcome)
        if outcome != "gone":  # a line that is not there: not again before its time
            self._begin()

    def _judge(self, outcome: Outcome) -> None:
        """Whether it is a fault. A line that is not there is the line's own."""
        if outcome == "gone" or self._emit is None:
            return
        failed, self._failed = self._failed, 0 if outcome in GOOD else self._failed + 1
        if self._failed == SILENT_TIMES:
            detail = f"{self.line.id}: {outcome}"
            self._emit(DeviceDown(lane=self.lane_id, code="sign_silent", device=self.id, detail=detail))
        elif failed >= SILENT_TIMES and not self._failed:
            self._emit(DeviceUp(lane=self.lane_id, code="sign_silent", device=self.id))
