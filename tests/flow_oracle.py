"""What a stranger can check of a day under flow control, from what happened and what was decided: no rule engine.

It keeps books of its own (who is inside, on the way, at an arm; which booking is alive) and holds each admission
against the sentences of the rules. It asks the flow control that it watches for nothing but its decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Span = tuple[int, int]


@dataclass
class Ticket:
    """A booking as the oracle knows it."""

    plate: str
    from_ms: int
    ends_ms: int
    gone: bool = False  # cancelled, or its car is inside
    taken: bool = False  # its car is on the way in

    def alive(self, t_ms: int, strictly_after: bool = False) -> bool:
        over = t_ms >= self.ends_ms if strictly_after else t_ms > self.ends_ms
        return not (self.gone or self.taken or over)

    def good(self, plate: str, t_ms: int) -> bool:
        return plate == self.plate and self.alive(t_ms) and self.from_ms <= t_ms


@dataclass
class Books:
    """`told` for every event, `decided` for every decision line, in their order."""

    total: int
    inside: int
    bands: tuple[float, float]
    reserved: int
    ordinary: int
    idle_ms: int | None
    out: int
    tickets: dict[str, Ticket] = field(default_factory=dict)
    on_the_way: dict[tuple[str, str], str] = field(default_factory=dict)  # (lane, plate) -> code of its booking
    at_arm: dict[tuple[str, str], int] = field(default_factory=dict)  # waiting since
    presence: list[Span] = field(default_factory=list)
    """Closed spans in which a reserved car was at an arm."""
    open_spans: dict[tuple[str, str], int] = field(default_factory=dict)
    spell: str = ""
    spell_exits: int = 0
    spell_ordinary: int = 0
    since_ordinary: int = 0
    ordinary_in_a_row: int = 0
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.spell = self.state()

    # --- numbers -------------------------------------------------------------------------------------------------

    @property
    def parked(self) -> int:
        return self.inside + len(self.on_the_way)

    def held(self, t_ms: int, lapsed_at: bool) -> int:
        return sum(ticket.alive(t_ms, lapsed_at) for ticket in self.tickets.values())

    def state(self) -> str:
        # In whole numbers: share of a stall is no matter of rounding here.
        low, high = (round(band * 1000) for band in self.bands)
        share = self.parked * 1000
        return "free" if share < low * self.total else "saturated" if share < high * self.total else "full"

    def _moved(self) -> None:
        if self.state() != self.spell:
            self.spell = self.state()
            self.spell_exits = self.spell_ordinary = self.since_ordinary = self.ordinary_in_a_row = 0

    # --- what happened -------------------------------------------------------------------------------------------

    def arrived(self, lane: str, plate: str, t_ms: int) -> None:
        self.at_arm[lane, plate] = t_ms

    def entered(self, lane: str, plate: str, t_ms: int) -> None:
        code = self.on_the_way.pop((lane, plate))
        if code:
            self.tickets[code].gone = True
        self._close(lane, plate, t_ms)
        self.inside += 1
        self._moved()

    def gone(self, lane: str, plate: str, t_ms: int) -> None:
        code = self.on_the_way.pop((lane, plate), "")
        if code:
            self.tickets[code].taken = False
        self.at_arm.pop((lane, plate), None)
        self._close(lane, plate, t_ms)
        self._moved()

    def _close(self, lane: str, plate: str, t_ms: int) -> None:
        began = self.open_spans.pop((lane, plate), None)
        if began is not None:
            self.presence.append((began, t_ms))

    def left(self) -> None:
        if self.spell == "full":
            self.spell_exits += 1
        self.inside = max(0, self.inside - 1)
        self._moved()

    def counted(self, parked: int) -> None:
        self.inside = parked
        self._moved()

    # --- what was decided ------------------------------------------------------------------------------------------

    def reserved_around(self, from_ms: int, to_ms: int) -> bool:
        """Whether a reserved car stood at an arm at some moment of from_ms < t <= to_ms.

        Cars on the way are known by their admission; a car that waits is one while its ticket is good.
        """
        spans = [*self.presence, *((began, to_ms) for began in self.open_spans.values())]
        for (_, plate), since_ms in self.at_arm.items():
            spans += [
                (max(since_ms, ticket.from_ms), min(to_ms, ticket.ends_ms))
                for ticket in self.tickets.values()
                if ticket.plate == plate and not ticket.gone and not ticket.taken
            ]
        return any(began <= to_ms and end > from_ms and began <= end for began, end in spans)

    def decided(  # noqa: PLR0917
        self, lane: str, plate: str, decision: str, state: str, t_ms: int, lapsed_at: bool
    ) -> None:
        """`lapsed_at`: bookings that end at this very moment are over (a deadline after it)."""
        self._check(state == self.state(), f"{t_ms}: {plate} told {state}, lot is {self.state()}")
        if decision == "refuse":
            self.at_arm.pop((lane, plate), None)
            return
        if decision != "admit":
            return
        codes = [code for code, ticket in self.tickets.items() if ticket.good(plate, t_ms)]
        kind: Literal["reserved", "ordinary"] = "reserved" if codes else "ordinary"
        self._check(self.parked < self.total, f"{t_ms}: {plate} admitted with {self.parked} of {self.total}")
        if kind == "ordinary":
            self._ordinary(plate, t_ms, lapsed_at)
        else:
            code = min(codes, key=lambda each: (self.tickets[each].ends_ms, each))
            self.tickets[code].taken = True
            self.open_spans[lane, plate] = self.at_arm[lane, plate]
            self.since_ordinary += self.spell == "saturated"
        since_ms = self.at_arm.pop((lane, plate))
        if kind == "reserved":
            ticket = self.tickets[code]
            self.open_spans[lane, plate] = max(since_ms, ticket.from_ms)
        self.on_the_way[lane, plate] = code if kind == "reserved" else ""
        self._moved()

    def _ordinary(self, plate: str, t_ms: int, lapsed_at: bool) -> None:
        held = self.held(t_ms, lapsed_at)
        self._check(
            self.total - self.parked - held > 0,
            f"{t_ms}: ordinary {plate} takes a held stall: T {self.total} P {self.parked} H {held}",
        )
        if self.spell == "saturated":
            idle = self.idle_ms is not None and not self.reserved_around(t_ms - self.idle_ms, t_ms)
            enough = self.since_ordinary >= self.reserved
            self._check(
                idle or enough,
                f"{t_ms}: ordinary {plate} after {self.since_ordinary} reserved, and one was there within the time",
            )
            self.ordinary_in_a_row += 1
            if self.ordinary_in_a_row >= self.ordinary:
                self.since_ordinary = self.ordinary_in_a_row = 0
        elif self.spell == "full":
            self.spell_ordinary += 1
            self._check(
                self.spell_ordinary <= self.spell_exits // self.out,
                f"{t_ms}: {self.spell_ordinary} ordinary ones in after {self.spell_exits} exits, {self.out} each",
            )

    def _check(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)
