"""What the signs of the lanes show: from a lane's state to rows and voice, by the templates of the configuration.

The lane never waits for a sign: on each change its state becomes a text, and a new text is handed to the sign, which
sends it on its line's thread (`drivers.signs.sign`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from edge.config.model import Config
from edge.config.rs485 import Sign
from edge.core.lane_status import LaneStatus
from edge.core.lane_table import Desk, Gate
from edge.core.sign_status import DeviceCounts, SignStatus
from edge.ports import Emit

if TYPE_CHECKING:  # loaded where a sign is, as lines are in `edge.lane.devices`
    from drivers.rs485.exchange import Outcome
    from drivers.rs485.line import SerialLine
    from drivers.signs.sign import Face, LaneSign

Moment = Literal["idle", "payment", "wait", "welcome", "goodbye", "notice", ""]

_WAITS = frozenset({Desk.WAIT_STALL.value, Desk.WAIT_CONFIRM.value, Desk.REFUSED.value})
_OPEN = frozenset({Desk.ADMITTED.value, Gate.RAISING.value, Gate.OPEN.value, Gate.PASSING.value})
_NOTICE = frozenset({Desk.LOCKED.value, Gate.HELD_OPEN.value})
_IDLE = frozenset({Gate.DOWN.value, Gate.LOWERING.value, Gate.CLEARING.value})

TEST_ROWS = ("测试 TEST", "0123456789", "车场盒子", "PARKBOX")
TEST_SAY = "测试"
TEST_S = 10.0
"""A test text stays so long, unless the lane has news."""


def moment_of(lane: LaneStatus) -> Moment:
    """Which template: "" keeps what the sign has (a plate is being read or a decision stored: some milliseconds)."""
    if lane.state == Desk.WAIT_PAYMENT.value:
        return "payment"
    if lane.state in _WAITS:
        return "wait"
    if lane.state in _OPEN:
        if not lane.plate:
            return "notice" if lane.why_zh else ""
        return "welcome" if lane.direction == "in" else "goodbye"
    if lane.state in _NOTICE:
        return "notice"
    return "idle" if lane.state in _IDLE else ""


def yuan(fen: int) -> str:
    """Money in words of a sign: 500 is 5, 1250 is 12.50."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02}" if rest else str(whole)


def face_of(sign: Sign, moment: Moment, names: Mapping[str, str]) -> Face | None:
    """None: keep what it has."""
    rows: tuple[str, ...] = getattr(sign.show, moment) if moment else ()
    if not rows:
        return None
    from drivers.signs.sign import Face  # noqa: PLC0415

    say: str = getattr(sign.show, f"say_{moment}", "")
    return Face(tuple(row.format_map(names) for row in rows), say.format_map(names))


def _lane_sign(lane_id: str, sign: Sign, line: SerialLine) -> LaneSign:
    from drivers.signs.sign import LaneSign  # noqa: PLC0415

    return LaneSign(lane_id, sign, line)


class LaneSigns:
    """All signs of the box and the lines that they hang on."""

    def __init__(
        self, config: Config, lines: Mapping[str, SerialLine], *, mono_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._lot, self._mono_s = config.lot.name, mono_s
        self._names = {lane.id: lane.name for lane in config.lane}
        self._signs = {
            lane.id: [(sign, _lane_sign(lane.id, sign, lines[sign.line])) for sign in lane.sign]
            for lane in config.lane
            if lane.sign
        }
        self._shown: dict[str, tuple[str, ...]] = {}  # of a sign: the rows last handed over
        self._spoken: dict[str, tuple[Moment, str]] = {}  # of a lane: what its voice was for
        self._newest: tuple[Sequence[LaneStatus], int] = ((), 0)
        self._test_ends_s: dict[str, float] = {}
        self._viewed: tuple[SignStatus, ...] = ()

    def knows(self, lane_id: str) -> bool:
        """Whether the configuration has this lane."""
        return lane_id in self._names

    @property
    def lanes(self) -> tuple[str, ...]:
        """Ids of all lanes, in the configuration's order."""
        return tuple(self._names)

    def __bool__(self) -> bool:
        return bool(self._signs)

    def _all(self) -> Iterable[LaneSign]:
        return (sign for signs in self._signs.values() for _, sign in signs)

    def open(self, emit: Emit) -> None:
        for sign in self._all():
            sign.open(emit)

    def feed(self, lanes: Sequence[LaneStatus], free: int) -> None:
        """After every change; costs a look at the lane and a comparison when nothing is new."""
        self._newest = (lanes, free)
        for lane in lanes:
            for settings, sign in self._signs.get(lane.id, ()):
                self._feed(lane, settings, sign, free)
            if moment := moment_of(lane):
                self._spoken[lane.id] = (moment, lane.plate)

    def _feed(self, lane: LaneStatus, settings: Sign, sign: LaneSign, free: int) -> None:
        moment = moment_of(lane)
        names = {
            "plate": lane.plate,
            "fee": yuan(lane.due_fen),
            "free": str(max(0, free)),
            "reason": lane.why_zh or lane.state_zh,
            "lot": self._lot,
            "lane": self._names[lane.id],
        }
        face = face_of(settings, moment, names)
        if face is None:
            return
        news = (moment, lane.plate) != self._spoken.get(lane.id)
        if face.rows != self._shown.get(sign.id) or (news and face.say):
            self._shown[sign.id] = face.rows
            sign.show(face if news else face._replace(say=""))

    def tick(self) -> bool:
        """About once a second. True: the page has something new to show (signs answer on threads of their own)."""
        for name in [name for name, ends_s in self._test_ends_s.items() if ends_s <= self._mono_s()]:
            del self._test_ends_s[name]
            self._shown.pop(name, None)
            self.feed(*self._newest)
        for sign in self._all():
            sign.tick()
        before, self._viewed = self._viewed, self.views()
        return self._viewed != before

    def test(self, lane_id: str, told: Callable[[str, Outcome], None]) -> list[str]:
        """A test text on every sign of a lane; the ids of those that will be told of."""
        from drivers.signs.sign import Face  # noqa: PLC0415

        signs = self._signs.get(lane_id, [])
        for settings, sign in signs:
            def tell(outcome: Outcome, name: str = sign.id) -> None:
                told(name, outcome)

            self._test_ends_s[sign.id] = self._mono_s() + TEST_S
            sign.show(Face(TEST_ROWS[: settings.rows], TEST_SAY), tell)
        return [sign.id for _, sign in signs]

    def views(self) -> tuple[SignStatus, ...]:
        found = []
        for sign in self._all():
            counts = sign.counts()
            found.append(SignStatus(
                id=sign.id,
                lane=sign.lane_id,
                line=sign.line.id,
                rows=sign.rows,
                outcome=sign.outcome or "",
                line_down=sign.line.down,
                counts=DeviceCounts(counts.asked, counts.answered, counts.silent, counts.damaged, counts.sent),
            ))
        return tuple(found)
