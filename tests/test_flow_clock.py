"""A clock that stood wrong for a while: what it ended comes back with it, and a restart finds the same lot."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.bookings import ENDED_KEPT, LAPSED_KEPT, Bookings, Terms
from edge.core.controls import GONE_KEPT, Control, Controls
from edge.core.events import ClockChanged, Tick
from edge.core.facts import Fact, Stamp
from edge.core.facts_flow import BookingCancelled, BookingConfirmed, BookingLocked, ControlPut, ControlRemoved
from edge.core.flow_policy import Entrance, Policy
from edge.core.lot_flow import LotFlow
from edge.core.orders_flow import ControlEntry
from tests.flow_box import POLICY, FlowBench

DAY_MS = 86_400_000


class SteppedBench(FlowBench):
    """Its clock can be set; the fact of a step is written as the runtime has it written."""

    ahead_ms = 0
    boot = "boot"
    synced = True

    def stamp(self) -> Stamp:
        stamp = super().stamp()
        return Stamp(self.boot, stamp.mono_ms, stamp.wall_ms + self.ahead_ms, synced=self.synced)

    def step_clock(self, step_ms: int) -> None:
        self.ahead_ms += step_ms
        self.tell(ClockChanged(first=False, offset_ms=0, step_ms=step_ms))

    def wrong_for_a_minute(self, step_ms: int = DAY_MS) -> None:
        self.step_clock(step_ms)
        for _ in range(60):
            self.wait(1_000)
            self.tell(Tick())
        self.step_clock(-step_ms)


def barred(from_ms: int, until_ms: int) -> ControlEntry:
    return ControlEntry(entry_id="e1", plate="粤B44444", strategy="no_entry", from_ms=from_ms, until_ms=until_ms)


@pytest.mark.parametrize("restart", ["", "facts", "snapshot"])
def test_a_clock_a_day_ahead_for_a_minute_ends_no_booking(restart: str) -> None:
    bench = SteppedBench(total=100, parked=95)
    bench.book("b1", "粤B11111", until_s=7_200, keep_min=30)
    bench.wrong_for_a_minute()
    if restart:
        bench.restart(restart)
        bench.loops("in", arrival=False, safety=False)
        bench.wait(20_000)
    assert bench.box.flows.flow.bookings.held == 1
    came = bench.come("in", "粤B11111")
    assert (came.decision, came.rule, came.booking) == ("admit", "reserved", "b1")


def test_while_the_clock_is_ahead_the_booking_is_over_and_an_order_says_so() -> None:
    bench = SteppedBench(total=100, parked=95)
    bench.book("b1", "粤B11111", until_s=7_200)
    bench.step_clock(DAY_MS)
    assert bench.box.flows.flow.bookings.held == 0
    assert bench.book("b1", "粤B11111", action="cancel").reason == "expired"
    assert bench.come("in2", "粤B11111").counted_as != "reserved"


@pytest.mark.parametrize("restart", ["", "facts", "snapshot"])
def test_a_clock_ahead_takes_nobody_off_a_list(restart: str) -> None:
    bench = SteppedBench(parked=0)
    base_ms = bench.stamp().wall_ms
    entry = barred(base_ms, base_ms + 7_200_000)
    assert bench.ask("control", action="put", entries=(entry,), source="city", city="shenzhen").ok
    bench.wrong_for_a_minute()
    if restart:
        bench.restart(restart)
        bench.loops("in2", arrival=False, safety=False)
        bench.wait(20_000)
    assert bench.come("in2", "粤B44444").decision == "refuse"


def test_an_entry_removed_while_the_clock_is_ahead_stays_removed() -> None:
    bench = SteppedBench(parked=0)
    base_ms = bench.stamp().wall_ms
    entry = barred(base_ms, base_ms + 7_200_000)
    assert bench.ask("control", action="put", entries=(entry,), source="city", city="shenzhen").ok
    bench.step_clock(DAY_MS)
    assert bench.ask("control", action="remove", entries=(entry,), source="city", city="shenzhen").ok
    bench.step_clock(-DAY_MS)
    assert bench.come("in2", "粤B44444").decision == "admit"


def test_a_box_that_loses_the_time_stands_where_its_facts_stood() -> None:
    """What lapsed long ago does not hold a stall again because nobody knows the time."""
    bench = SteppedBench(total=10, parked=0)
    bench.book("b1", "粤B11111", until_s=60)
    bench.wait(3_600_000)
    bench.order("", "correct_count", count=1)
    bench.synced = False
    bench.restart("facts")
    assert bench.box.flows.flow.bookings.held == 0
    bench.restart("snapshot")
    assert bench.box.flows.flow.bookings.held == 0


# --- the schedule of priority ----------------------------------------------------------------------------------------

SCHEDULE = msgspec.structs.replace(POLICY, schedule_min=(7 * 60 + 30, 19 * 60 + 30))
HOUR_MS = 3_600_000


def at_quarter_past_nine() -> SteppedBench:
    """The bench begins at 06:13:20 in Shanghai; priority is on since 07:30."""
    bench = SteppedBench(SCHEDULE)
    bench.wait(3 * HOUR_MS)
    assert bench.box.flows.flow.priority
    return bench


@pytest.mark.parametrize("restart", ["", "facts", "snapshot"])
def test_a_switch_while_the_clock_is_ahead_does_not_stop_the_schedule(restart: str) -> None:
    bench = at_quarter_past_nine()
    bench.step_clock(3 * DAY_MS)
    assert bench.ask("priority", on=False).ok
    bench.step_clock(-3 * DAY_MS)
    if restart:
        bench.restart(restart)
    bench.wait(HOUR_MS)
    assert not bench.box.flows.flow.priority  # by hand, until the next turn
    bench.wait(DAY_MS)
    assert bench.box.flows.flow.priority


def test_a_switch_that_a_wrong_clock_told_before_the_boot_does_not_count() -> None:
    bench = at_quarter_past_nine()
    bench.step_clock(3 * DAY_MS)
    assert bench.ask("priority", on=False).ok
    bench.boot = "another"
    bench.ahead_ms = 0
    bench.restart()
    bench.wait(1_000)
    assert bench.box.flows.flow.priority


def test_what_the_schedule_switched_by_a_wrong_clock_it_switches_back() -> None:
    bench = at_quarter_past_nine()
    bench.step_clock(12 * HOUR_MS)
    assert not bench.box.flows.flow.priority
    bench.step_clock(-12 * HOUR_MS)
    assert bench.box.flows.flow.priority


def test_a_clock_that_steps_back_a_little_undoes_no_switch_by_hand() -> None:
    bench = at_quarter_past_nine()
    assert bench.ask("priority", on=False).ok
    bench.step_clock(-5_000)
    bench.wait(HOUR_MS)
    assert not bench.box.flows.flow.priority


# --- for every history -----------------------------------------------------------------------------------------------

HOUR = 3_600
codes = st.sampled_from(["b1", "b2", "b3", "b4"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("lock"), codes, st.integers(0, 4 * HOUR)),
        st.tuples(st.just("confirm"), codes, st.just(0)),
        st.tuples(st.just("cancel"), codes, st.just(0)),
        st.tuples(st.just("put"), codes, st.integers(0, 4 * HOUR)),
        st.tuples(st.just("remove"), codes, st.just(0)),
        st.tuples(st.just("time"), st.just(""), st.integers(1, 2 * HOUR)),
        st.tuples(st.just("clock"), st.just(""), st.integers(-30 * HOUR, 30 * HOUR)),
        st.tuples(st.just("unknown"), st.just(""), st.integers(0, 1)),
    ),
    max_size=40,
)
POLICY_LOCK = Policy(entrances={"in": Entrance()}, lock_ms=1_800_000)


def standing(flows: LotFlow) -> object:
    bookings, controls = flows.flow.bookings, flows.controls
    return (
        bookings.held, sorted(bookings.by_code), sorted(bookings.lapsed), bookings.ended,
        sorted(controls.by_id), sorted(controls.over), sorted(controls.gone),
        [flows.flow.judge("in", f"粤B{code}").rule for code in ("b1", "b2", "b3", "b4")],
        [flows.in_force(f"粤C{code}") for code in ("b1", "b2", "b3", "b4")],
    )  # fmt: skip


@given(steps)
def test_whatever_the_clock_did_the_facts_alone_give_the_same_lot(happened: list[tuple[str, str, int]]) -> None:
    live, facts = LotFlow(POLICY_LOCK, 10), list[Fact]()
    mono_ms, wall_ms, synced = 1_000, 1_700_000_000_000, True
    for what, code, number in happened:
        now = Stamp("boot", mono_ms, wall_ms, synced=synced)
        live.advance(now)
        bookings, plate = live.flow.bookings, f"粤B{code}"
        body: object = None
        if what == "lock":
            body = BookingLocked(code, plate, wall_ms, wall_ms + number * 1_000, 0, "", "city", "c")
        elif what == "confirm" and code in bookings.by_code:
            body = BookingConfirmed(code, plate, "city", "c")
        elif what == "cancel" and code in bookings.by_code:
            body = BookingCancelled(code, plate, "city", "c")
        elif what == "put":
            body = ControlPut(code, f"粤C{code}", "no_entry", wall_ms, wall_ms + number * 1_000, "")
        elif what == "remove" and live.controls.find(code) is not None:
            body = ControlRemoved(code, f"粤C{code}", "city", "c")
        elif what == "time":
            mono_ms, wall_ms = mono_ms + number * 1_000, wall_ms + number * 1_000
        elif what == "clock":
            wall_ms += number * 1_000
        elif what == "unknown":
            synced = number == 1
        if body is not None:
            facts.append(Fact(f"{len(facts):032x}", "", now, body))  # type: ignore[arg-type]
            live.apply(facts[-1])
    now = Stamp("boot", mono_ms, wall_ms, synced=synced)
    live.advance(now)
    folded, kept = LotFlow(POLICY_LOCK, 10), LotFlow(POLICY_LOCK, 10)
    for fact in facts:
        folded.apply(fact)
    folded.advance(now)
    kept.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(live.keep()), type=type(live.keep())), 0)
    kept.advance(now)
    assert standing(folded) == standing(live)
    assert standing(kept) == standing(live)


# --- what is kept is bounded -----------------------------------------------------------------------------------------


def test_lapsed_bookings_do_not_fill_the_memory() -> None:
    bookings = Bookings()
    for number in range(LAPSED_KEPT + ENDED_KEPT + 100):
        bookings.lock(f"b{number}", Terms(f"粤B{number}", number, number, 0), number)
        while (at_ms := bookings.next_lapse_ms()) is not None and at_ms < number:
            bookings.lapse_one()
    assert len(bookings.lapsed) <= LAPSED_KEPT + 1
    assert len(bookings.ended) <= ENDED_KEPT
    assert bookings.how_ended("b0") is None
    assert bookings.how_ended(f"b{ENDED_KEPT}") == "lapsed"
    bookings.turn_back(0)
    assert bookings.held == len(bookings.by_code) <= LAPSED_KEPT + 2


def test_entries_that_are_over_do_not_fill_the_memory() -> None:
    controls = Controls()
    for number in range(2 * GONE_KEPT + 100):
        controls.put(Control(f"e{number}", f"粤C{number}", "warn", 0, number))
        controls.advance(number)
    assert len(controls.over) <= GONE_KEPT + 1
    assert len(controls.gone) <= GONE_KEPT
    assert controls.find("e0") is None
