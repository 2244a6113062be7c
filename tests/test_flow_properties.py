"""Random days under flow control, held against an oracle that knows the sentences and not the program."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.core.flow_policy import Entrance, Policy
from edge.core.flow_run import (
    Arrive,
    Book,
    Cancel,
    Count,
    Entered,
    FlowDecision,
    FlowEvent,
    FlowRun,
    Gone,
    Left,
    Pause,
    Priority,
)
from tests.flow_oracle import Books, Ticket

S = 1000
LANES = ("in1", "in2", "in3")
PLATES = [f"粤B0000{number}" for number in range(10)]

policies = st.builds(
    Policy,
    bands=st.sampled_from([(0.7, 0.9), (0.1, 0.6), (0.1, 1.0), (0.3, 0.3), (0.1, 0.1)]),
    reserved=st.integers(1, 3),
    ordinary=st.integers(1, 2),
    idle_ms=st.sampled_from([None, 5 * S, 15 * S, 60 * S]),
    out=st.integers(1, 3),
    entrances=st.just({lane: Entrance() for lane in LANES}),
)
steps = st.tuples(
    st.one_of(st.integers(0, 2_000), st.integers(0, 20_000)),
    st.sampled_from(
        ["arrive"] * 6 + ["come"] * 5 + ["enter"] * 7 + ["leave"] * 4 + ["book"] * 4 + ["gone", "cancel", "count"]
    ),
    st.integers(0, 99),
)


class Day:
    """Feeds what can happen next, and keeps the oracle's books beside it."""

    def __init__(self, policy: Policy, total: int, parked: int) -> None:
        self.run = FlowRun(policy, total, parked)
        self.books = Books(
            total, parked, policy.bands, policy.reserved, policy.ordinary, policy.idle_ms, policy.out
        )
        self.t_ms = 0
        self.codes = 0
        self.decisions: list[FlowDecision] = []
        self.busy: set[str] = set()

    def feed(self, event: FlowEvent) -> None:
        made = self.run.feed(self.t_ms, event)
        told = False
        for decision in made:
            if decision.t_ms == self.t_ms and not told:
                self.tell(event)
                told = True
            judged = decision.judgement
            # Before the event's own moment only deadlines speak, and what ends at one is over then.
            self.books.decided(
                judged.lane, judged.plate, judged.decision, judged.state, decision.t_ms, decision.t_ms < self.t_ms
            )
            if judged.decision == "refuse":
                self.busy.discard(judged.plate)
        if not told:
            self.tell(event)
        self.decisions += made

    def tell(self, event: FlowEvent) -> None:
        books, t_ms = self.books, self.t_ms
        match event:
            case Arrive(lane=lane, plate=plate):
                books.arrived(lane, plate, t_ms)
            case Entered(lane=lane, plate=plate):
                books.entered(lane, plate, t_ms)
            case Gone(lane=lane, plate=plate):
                books.gone(lane, plate, t_ms)
            case Left():
                books.left()
            case Book():
                books.tickets[event.code] = Ticket(event.plate, event.from_ms, event.until_ms + event.keep_ms)
            case Cancel(code=code):
                books.tickets[code].gone = True
            case Count(parked=parked):
                books.counted(parked)

    def step(self, after_ms: int, what: str, pick: int) -> None:
        self.t_ms += after_ms
        books = self.books
        # Deadlines up to now first, so that what is picked is possible when it comes.
        self.feed(Pause())
        coming = sorted(books.on_the_way)
        event: FlowEvent = Pause()
        if what == "arrive":
            plate = PLATES[pick % len(PLATES)]
            if plate not in self.busy:
                self.busy.add(plate)
                event = Arrive(LANES[pick % len(LANES)], plate)
        elif what == "come":  # a car with a booking that is good now
            good = sorted({ticket.plate for ticket in books.tickets.values() if ticket.good(ticket.plate, self.t_ms)})
            plate = next((plate for plate in good if plate not in self.busy), "")
            if plate:
                self.busy.add(plate)
                event = Arrive(LANES[pick % len(LANES)], plate)
        elif what == "enter" and coming:
            key = coming[pick % len(coming)]
            self.busy.discard(key[1])
            event = Entered(*key)
        elif what == "gone" and (here := coming + sorted(books.at_arm)):
            key = here[pick % len(here)]
            self.busy.discard(key[1])
            event = Gone(*key)
        elif what == "leave" and books.inside:
            event = Left()
        elif what == "book" and books.total - books.parked - books.held(self.t_ms, False) > 0:
            self.codes += 1
            plate, from_ms = PLATES[pick % 6], self.t_ms + (pick % 3 == 2) * 7 * S
            event = Book(f"b{self.codes}", plate, from_ms, from_ms + (pick % 5) * 25 * S, (pick % 2) * 9 * S)
        elif what == "cancel":
            alive = [code for code, ticket in books.tickets.items() if ticket.alive(self.t_ms)]
            if alive:
                event = Cancel(alive[pick % len(alive)])
        elif what == "count":
            event = Count(pick % (books.total + 1 - len(books.on_the_way)))
        self.feed(event)

    def drain(self) -> None:
        """No more reserved cars come, everybody who may drives in, and cars leave: whoever waits gets in."""
        for ticket in list(self.books.tickets):
            if self.books.tickets[ticket].alive(self.t_ms):
                self.feed(Cancel(ticket))
        for _ in range(60 + 20 * self.books.out):
            self.t_ms += 20 * S
            self.feed(Pause())
            for key in sorted(self.books.on_the_way):
                self.feed(Entered(*key))
            if self.books.inside:
                self.feed(Left())


def day_of(policy: Policy, total: int, parked: int, happened: list[tuple[int, str, int]]) -> Day:
    day = Day(policy, total, min(parked, total))
    for step in happened:
        day.step(*step)
        flow = day.run.flow
        assert (flow.occupied, flow.bookings.held) == (day.books.parked, day.books.held(day.t_ms, False))
        assert flow.occupied <= total
    return day


SOME = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SOME
@given(policies, st.integers(3, 14), st.integers(0, 8), st.lists(steps, min_size=20, max_size=90))
def test_no_sentence_of_the_rules_is_broken(
    policy: Policy, total: int, parked: int, happened: list[tuple[int, str, int]]
) -> None:
    day = day_of(policy, total, parked, happened)
    assert day.books.wrong == []


@SOME
@given(policies, st.integers(3, 14), st.integers(0, 8), st.lists(steps, max_size=60))
def test_nobody_starves(policy: Policy, total: int, parked: int, happened: list[tuple[int, str, int]]) -> None:
    """Under rules that leave no stall idle for ever (`idle_s` given), while cars leave the queue empties."""
    if policy.idle_ms is None:
        return
    day = day_of(policy, total, parked, happened)
    day.drain()
    assert day.books.at_arm == {}
    assert day.books.wrong == []


@SOME
@given(policies, st.integers(3, 14), st.integers(0, 8), st.lists(steps, max_size=60), st.data())
def test_a_day_told_in_other_pieces_is_decided_alike(
    policy: Policy, total: int, parked: int, happened: list[tuple[int, str, int]], data: Any
) -> None:
    """Decisions fall at their own time: extra ticks between the events change none of them."""
    told: list[tuple[int, FlowEvent]] = []
    day = Day(policy, total, min(parked, total))
    feed = day.run.feed

    def noted(t_ms: int, event: FlowEvent) -> list[FlowDecision]:
        told.append((t_ms, event))
        return feed(t_ms, event)

    day.run.feed = noted  # type: ignore[method-assign]
    for step in happened:
        day.step(*step)
    again = FlowRun(policy, total, min(parked, total))
    made: list[FlowDecision] = []
    last_ms = 0
    for t_ms, event in told:
        if isinstance(event, Pause):
            continue
        if t_ms > last_ms:
            made += again.feed(data.draw(st.integers(last_ms, t_ms - 1)), Pause())
        made += again.feed(t_ms, event)
        last_ms = t_ms
    made += again.feed(day.t_ms, Pause())
    assert made == day.decisions


def test_priority_off_is_first_come_first_served() -> None:
    policy = Policy(idle_ms=None, entrances={lane: Entrance() for lane in LANES})
    run = FlowRun(policy, 10, 9)
    for second, plate in enumerate(PLATES[:3], 1):
        assert [made.judgement.decision for made in run.feed(second * S, Arrive("in1", plate))] == ["wait"]
    run.feed(5 * S, Count(7))
    made = run.feed(6 * S, Priority(False))
    assert [decision.judgement.plate for decision in made] == PLATES[:3]
