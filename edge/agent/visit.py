"""One visit from its first read to the city's last answer, out of ledger, queue and pictures: windows of facts.

A visit's facts stand close to its two passages. Which belong to it is told by the ids that they carry, not by time;
orders that mean the lane carry none and belong to it when they came there between the car's first fact and its passage.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.agent.delivery_words import KINDS, link_words, outcome
from edge.agent.past import Clockwork
from edge.agent.visit_rows import row_of
from edge.core.events import CAR_ORDERS
from edge.core.facts import ArmOrdered, Decided, Fact, Ordered, Paid, Passed, ReadTaken
from edge.core.facts_money import Quoted
from edge.ports import Delivery
from edge.store.history import LedgerHistory
from edge.web.api_views import TimelineRow, Visit
from edge.web.desk import RefusedError

BEFORE, AFTER = 600, 200
"""Facts before and after a passage among which its own are looked for; a car that waits ten minutes for money at a busy
box has some 300 of others between its read and its passage."""
ENTRY_AROUND = 300

class VisitReader:
    """Raises the store's errors, and `RefusedError` not_found."""

    def __init__(
        self,
        ledger: LedgerHistory,
        deliveries: Callable[[str], list[Delivery]],
        has_picture: Callable[[str], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._ledger, self._deliveries, self._has_picture, self._now_ms = ledger, deliveries, has_picture, now_ms

    def read(self, seq: int) -> Visit:
        found = self._ledger.between(seq, seq)
        if not found or not isinstance(found[0].body, Passed):
            raise RefusedError("not_found", f"没有编号为 {seq} 的通行", f"there is no passage with the number {seq}")
        entry, exit_ = self._both(found[0], found[0].body)
        clockwork = Clockwork(self._ledger)
        facts: dict[str, Fact] = {}
        for passage in (entry, exit_):
            if passage is not None:
                for fact in self._around(passage, entry.id if entry is not None else ""):
                    facts[fact.id] = fact
        visit_id = entry.id if entry is not None else found[0].body.visit_id
        told = self._deliveries(visit_id) if visit_id else []
        told += [] if exit_ is None or any(one.item_id == exit_.id for one in told) else self._deliveries(exit_.id)
        # Facts of one millisecond stand in the order in which they were kept: what was read before what was decided.
        kept = sorted(facts.values(), key=lambda fact: fact.seq)
        rows = (row_of(fact, clockwork, self._has_picture) for fact in kept)
        timeline = [*(row for row in rows if row is not None), *map(self._delivery_row, told)]
        timeline.sort(key=lambda row: row.at_ms)
        return self._visit(visit_id, entry, exit_, clockwork, timeline)

    def _both(self, fact: Fact, body: Passed) -> tuple[Fact | None, Fact | None]:
        """Entry and exit; None: not known, or not yet."""
        if body.direction == "in":
            leaves = self._ledger.find(fact.seq + 1, "Passed", text=fact.id)
            return fact, leaves
        if not body.visit_id:
            return None, fact
        low = self._ledger.seq_at(body.entered.wall_ms) - ENTRY_AROUND if body.entered is not None else 0
        return self._ledger.find(low, "Passed", fact_id=body.visit_id), fact

    def _around(self, passage: Fact, visit_id: str) -> list[Fact]:
        body = passage.body
        assert isinstance(body, Passed)
        window = self._ledger.between(max(0, passage.seq - BEFORE), passage.seq + AFTER)
        ids = {body.arrival_id, body.read_id, visit_id} - {""}
        for fact in window:  # decisions and bills name its reads, its orders to pay, arrivals that came to nothing
            if isinstance(fact.body, Decided | Quoted | Paid) and _ids(fact) & ids:
                ids |= _ids(fact)
        mine = [fact for fact in window if fact.seq == passage.seq or _ids(fact) & ids]
        mine = [fact for fact in mine if not isinstance(fact.body, Passed) or fact.seq == passage.seq]
        first = min((fact.seq for fact in mine), default=passage.seq)
        orders = [
            fact for fact in window
            if isinstance(fact.body, Ordered | ArmOrdered) and fact.lane == passage.lane
            and first <= fact.seq <= passage.seq and not _ids(fact)
        ]  # fmt: skip
        return mine + orders

    def _delivery_row(self, delivery: Delivery) -> TimelineRow:
        zh, en = outcome(delivery, self._now_ms())
        city_zh, city_en = link_words(delivery.city)
        kind_zh, kind_en = KINDS.get(delivery.kind, (delivery.kind, delivery.kind))
        return TimelineRow(
            at_ms=delivery.answered_ms or delivery.made_ms,
            clock_true=True,
            kind="delivery",
            lane="",
            zh=f"{city_zh} {kind_zh}: {zh}",
            en=f"{city_en} {kind_en}: {en}",
            ok=delivery.state != "set_aside",
            answer=delivery.last_answer[:300],
            delivery_id=delivery.id,
        )

    @staticmethod
    def _visit(
        visit_id: str, entry: Fact | None, exit_: Fact | None, clockwork: Clockwork, rows: list[TimelineRow]
    ) -> Visit:
        out = exit_.body if exit_ is not None and isinstance(exit_.body, Passed) else None
        came = entry.body if entry is not None and isinstance(entry.body, Passed) else None
        plate = came.plate if came is not None else out.plate if out is not None else ""
        return Visit(
            visit_id=visit_id,
            plate=plate,
            inside=exit_ is None,
            entered_ms=clockwork.at(entry.stamp)[0] if entry is not None else 0,
            left_ms=clockwork.at(exit_.stamp)[0] if exit_ is not None else 0,
            due_fen=out.due_fen if out is not None else 0,
            paid_fen=out.paid_fen if out is not None else 0,
            discount_fen=out.discount_fen if out is not None else 0,
            rows=tuple(rows),
        )


def _ids(fact: Fact) -> set[str]:
    """What ties a fact to a car: a read's own id, the arrival of an order for it, and the ids that its body names."""
    body = fact.body
    names = ("arrival_id", "read_id", "visit_id", "order_id")
    found = {str(getattr(body, name)) for name in names if hasattr(body, name)}
    if isinstance(body, ReadTaken):
        found.add(fact.id)
    if isinstance(body, Ordered) and body.action in CAR_ORDERS:
        found.add(body.target)
    return found - {""}
