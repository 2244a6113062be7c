"""A passage record as the delivery queue keeps it, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.core.facts import AnyBody, Fact, Paid, Passed, Stamp
from edge.store.ledger import Ledger
from tests.store_tools import keep

T0_MS = 1_795_320_000_000  # 2026-11-22 12:00:00 in Beijing


def visit(number: int) -> Iterator[Fact]:
    """One car: in, paid when the number is odd, out."""
    at_ms = number * 10_000
    plate = f"鲁B{number % 100_000:05d}"
    entered = _fact(3 * number, "in1", at_ms, Passed(f"{number:032x}", "in", plate, "blue"))
    yield entered
    due_fen = 500 if number % 2 else 0
    if due_fen:
        order = f"{number:031x}f"
        yield _fact(
            3 * number + 1, "out2", at_ms + 5000,
            Paid(order, entered.id, plate, "cash", due_fen, due_fen, 0, entered.stamp, "t"),
        )  # fmt: skip
    yield _fact(
        3 * number + 2, "out2", at_ms + 6000,
        Passed(f"{number:031x}e", "out", plate, "blue", visit_id=entered.id, entered=entered.stamp,
               due_fen=due_fen, paid_fen=due_fen),
    )  # fmt: skip


def _fact(number: int, lane: str, at_ms: int, body: AnyBody) -> Fact:
    return Fact(f"{number + 1:032x}", lane, Stamp("b" * 32, at_ms, T0_MS + at_ms, True), body)


def record(ledger_db: Path, numbers: range) -> None:
    ledger_db.parent.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(ledger_db)
    ledger.open()
    assert keep(ledger, [fact for number in numbers for fact in visit(number)]).ok
    assert ledger.close() == 0
