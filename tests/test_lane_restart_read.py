"""Whose read is it: of the car that waits, after a restart too, and not of the next one once it has paid."""

from __future__ import annotations

from edge.core.commands import RaiseArm
from edge.core.events import PlateRead
from edge.core.facts import Decided, Paid, Passed
from tests.lane_bench import HOUR_MS, Bench

PLATE = "鲁B12345"


def restart(bench: Bench, *, standing: bool) -> None:
    """The program dies and starts again a moment later over the same facts."""
    bench.killed(500)
    bench.loops("in", arrival=False, safety=False)
    bench.loops("out", arrival=standing, safety=False)


def test_the_same_event_again_is_the_waiting_cars_own() -> None:
    bench = Bench()
    bench.enter(PLATE)
    bench.wait(HOUR_MS)
    bench.loops("out", arrival=True)
    bench.read("out", PLATE, read_id="e" * 32)
    assert bench.bodies(Decided)[-1].wait_for == "payment"
    restart(bench, standing=True)
    bench.wait(1_200)
    again = PlateRead(lane="out", read_id="f" * 32, camera="c", event_id="e" * 32, plate_raw=PLATE)
    bench.tell(again)
    asked = bench.bodies(Decided)[-1]
    assert (asked.plate, asked.wait_for, asked.read_id) == (PLATE, "payment", "f" * 32)
    assert bench.order("out", "pay_cash", amount_fen=asked.due_fen).ok
    bench.store()
    bench.drive("out")
    assert [paid.plate for paid in bench.bodies(Paid)] == [PLATE]
    assert [passed.plate for passed in bench.bodies(Passed)] == [PLATE, PLATE]


def test_a_repeat_of_a_car_that_has_gone_is_not_the_next_cars() -> None:
    bench = Bench()
    bench.read("in", PLATE, read_id="e" * 32)
    bench.loops("in", arrival=True)
    bench.store()
    bench.drive("in")
    restart(bench, standing=False)
    bench.loops("in", arrival=True)
    bench.wait(1_200)
    bench.commands.clear()
    bench.tell(PlateRead(lane="in", read_id="f" * 32, camera="c", event_id="e" * 32, plate_raw=PLATE))
    assert bench.count(RaiseArm) == 0
    assert len(bench.bodies(Passed)) == 1
    assert bench.bodies(Decided)[-1].read_id == "e" * 32


def test_a_car_that_has_paid_is_not_taken_for_the_next_one_that_is_read_early() -> None:
    bench = Bench(allow=frozenset({"鲁B88888"}))
    bench.enter(PLATE)
    bench.wait(HOUR_MS)
    bench.read("out", PLATE)
    bench.wait(100)
    bench.loops("out", arrival=True)
    assert bench.order("out", "pay_cash", amount_fen=bench.bodies(Decided)[-1].due_fen).ok
    bench.wait(100)
    bench.read("out", "鲁B88888")  # the next car's early read, while the first one still stands at the arm
    bench.store()
    bench.drive("out")
    (paid,) = bench.bodies(Paid)
    left = bench.bodies(Passed)[-1]
    assert (left.plate, left.paid_fen, left.visit_id) == (PLATE, paid.paid_fen, paid.visit_id)
