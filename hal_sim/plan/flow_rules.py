"""The box's own flow control as the planned day asks it: the same `FlowRun` that replays events."""

from __future__ import annotations

from collections.abc import Iterable

from edge.core.flow_policy import Entrance as Place
from edge.core.flow_policy import Policy
from edge.core.flow_run import Arrive, Book, Confirm, Entered, FlowEvent, FlowRun, Gone, Left, Pause
from hal_sim.plan.cars import Booking
from hal_sim.plan.day import Word
from hal_sim.plan.scenario import RuleSet, Scenario, seconds


class FlowRules:
    """`day.Rules` for one rule set. Seconds since midnight become whole ms; wall time is the same clock."""

    def __init__(self, scenario: Scenario, rules: RuleSet) -> None:
        lot = scenario.lot
        self._reservable = lot.total if lot.reservable is None else lot.reservable
        self._run = FlowRun(policy(scenario, rules), lot.total, lot.parked, _ms(seconds(scenario.open)))

    @property
    def deadline_s(self) -> float | None:
        """A millisecond after it, so that what ends *after* a moment has ended."""
        due_ms = self._run.deadline_ms()
        return None if due_ms is None else (due_ms + 1) / 1000

    def arrive(self, t_s: float, lane: str, plate: str) -> Iterable[Word]:
        return self._feed(t_s, Arrive(lane, plate))

    def entered(self, t_s: float, lane: str, plate: str) -> Iterable[Word]:
        return self._feed(t_s, Entered(lane, plate))

    def gone(self, t_s: float, lane: str, plate: str) -> Iterable[Word]:
        return self._feed(t_s, Gone(lane, plate))

    def left(self, t_s: float) -> Iterable[Word]:
        return self._feed(t_s, Left())

    def bookable(self) -> int:
        """Stalls that may still be booked: free, not held, and within the lot's share for bookings."""
        return min(self._run.flow.room, self._reservable - self._run.flow.bookings.held)

    def book(self, t_s: float, code: str, plate: str, booking: Booking) -> Iterable[Word]:
        """Locked and confirmed at once: who pays for a booking confirms it."""
        words = self._feed(
            t_s, Book(code, plate, _ms(booking.from_s), _ms(booking.until_s), round(booking.keep_min))
        )
        return [*words, *self._feed(t_s, Confirm(code))]

    def tick(self, t_s: float) -> Iterable[Word]:
        return self._feed(t_s, Pause())

    def _feed(self, t_s: float, event: FlowEvent) -> list[Word]:
        made = self._run.feed(max(_ms(t_s), self._run.flow.now_ms), event)
        return [Word(one.judgement.lane, one.judgement.plate, one.judgement.decision) for one in made]


def policy(scenario: Scenario, rules: RuleSet) -> Policy:
    """The rule set in the words of the core."""
    places = {place.entrance: Place(role=place.role, ordinary=place.ordinary) for place in rules.place}
    return Policy(
        bands=(rules.saturated_from, rules.full_from),
        reserved=rules.saturated.reserved,
        ordinary=rules.saturated.ordinary,
        idle_ms=None if rules.saturated.strict else _ms(rules.saturated.idle_s),
        out=rules.full.out,
        priority=rules.priority,
        early_ms=_ms(rules.early_min * 60),
        entrances={entrance.id: places.get(entrance.id, Place()) for entrance in scenario.entrance},
    )


def _ms(t_s: float) -> int:
    return round(t_s * 1000)
