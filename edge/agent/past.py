"""What happened, for a person: passages, the day by hours, orders with the pictures near them. Read from the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from edge.cities.times import Times
from edge.core.clock import CHINA
from edge.core.facts import Fact, Ordered, Passed, PictureKept, Stamp
from edge.core.plates import normalise
from edge.ports import BoxView
from edge.store.history import LedgerHistory
from edge.web.api_views import Curve, CurveHour, OrderRow, Orders, PassageRow, Passages
from edge.web.span import Span

HOUR_MS = 3_600_000
FOR_EVER_MS = 10**15
SLACK_MS = 5000
"""A fact's own wall time and its true one (from its boot's offset) differ by as much as the clock was slewed since."""
NEAR_BEFORE_S, NEAR_AFTER_S = 30.0, 60.0
"""A picture so near to an order is shown with it; cameras push and cannot be asked for one."""
PICTURES_AROUND = 300
"""Facts before and after an order among which its picture is looked for: minutes of a busy box."""


class Clockwork:
    """True times of stamps, as far as the ledger knows them now."""

    def __init__(self, ledger: LedgerHistory) -> None:
        self._times = Times(ledger.boot_offsets())
        for fact in ledger.read_last(1):
            self._times.observe(fact)

    def at(self, stamp: Stamp) -> tuple[int, bool]:
        """(wall ms, whether it is true)."""
        true_ms = self._times.true_ms(stamp)
        return (stamp.wall_ms, False) if true_ms is None else (true_ms, True)


def passages(  # noqa: PLR0917 - as the page asks it
    ledger: LedgerHistory, plate: str, from_ms: int, to_ms: int, before_seq: int, limit: int
) -> Passages:
    """Newest first. `plate` "" is any."""
    clockwork = Clockwork(ledger)
    wanted = normalise(plate) or plate
    before_seq, first = _bounds(ledger, from_ms, to_ms, before_seq)
    facts, older = ledger.newest_before(before_seq, ("Passed",), limit, text=wanted, not_before_seq=first)
    rows = [row_of(fact, clockwork) for fact in facts]
    return Passages(tuple(
        row for row in rows
        if from_ms <= row.at_ms < to_ms and (wanted in row.plate or wanted in row.corrected_from)
    ), older)  # fmt: skip


def _bounds(ledger: LedgerHistory, from_ms: int, to_ms: int, before_seq: int) -> tuple[int, int]:
    """Before which number and not before which one facts of this time lie."""
    if to_ms < FOR_EVER_MS:
        before_to = ledger.seq_at(to_ms + SLACK_MS)
        before_seq = min(before_seq, before_to) if before_seq else before_to
    return before_seq, ledger.seq_at(from_ms - SLACK_MS) if from_ms else 0


def row_of(fact: Fact, clockwork: Clockwork) -> PassageRow:
    body = fact.body
    assert isinstance(body, Passed)
    at_ms, true = clockwork.at(fact.stamp)
    return PassageRow(
        seq=fact.seq,
        at_ms=at_ms,
        clock_true=true,
        lane=fact.lane,
        direction=body.direction,
        plate=body.plate,
        colour=body.colour,
        admitted=body.admitted,
        how=body.how,
        rule=body.rule,
        visit_id=fact.id if body.direction == "in" else body.visit_id,
        read_id=body.read_id,
        due_fen=body.due_fen,
        paid_fen=body.paid_fen,
        discount_fen=body.discount_fen,
        corrected_from=body.plate_corrected_from,
    )


def curve(ledger: LedgerHistory, box: BoxView | None, now_ms: int) -> Curve:
    """Today by hours. How many stood inside at an hour's end is counted back from now, not before a correction
    and not before the box's first fact."""
    now = datetime.fromtimestamp(now_ms / 1000, CHINA)
    start_ms = round(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    since = ledger.seq_at(start_ms)
    counted = {(hour, way): number for hour, way, number in ledger.by_hour(since, start_ms)}
    corrected_ms = ledger.last_of(since, "CountCorrected")
    began_ms = _began_ms(ledger, now_ms)
    total, parked = (box.total, box.parked) if box is not None else (0, -1)
    hours = []
    for hour in range(now.hour, -1, -1):
        entered, left = counted.get((hour, "in"), 0), counted.get((hour, "out"), 0)
        known = parked >= 0 and (hour == now.hour or start_ms + (hour + 1) * HOUR_MS > max(corrected_ms, began_ms))
        hours.append(CurveHour(
            hour=hour,
            entered=entered,
            left=left,
            parked=parked if known else -1,
            saturation_pct=parked * 100 // total if known and total else -1,
        ))
        parked = max(0, parked - entered + left) if known else -1
    return Curve(f"{now:%Y-%m-%d}", total, tuple(reversed(hours)))


def _began_ms(ledger: LedgerHistory, now_ms: int) -> int:
    """True time of the oldest fact that is kept; a box without one begins now."""
    first = ledger.seq_at(0)
    oldest = ledger.between(first, first)
    return Clockwork(ledger).at(oldest[0].stamp)[0] if oldest else now_ms


def orders(  # noqa: PLR0917 - as the page asks it
    ledger: LedgerHistory, lane: str, span: Span, before_seq: int, limit: int, has_picture: Callable[[str], bool]
) -> Orders:
    """Newest first; of one lane unless `lane` is "". A plate is looked for in all that an order says."""
    clockwork = Clockwork(ledger)
    wanted = normalise(span.plate) or span.plate
    before_seq, first = _bounds(ledger, span.from_ms, span.to_ms, before_seq)
    facts, older = ledger.newest_before(before_seq, ("Ordered",), limit, text=wanted, not_before_seq=first)
    chosen = [
        fact for fact in facts
        if lane in {"", fact.lane} and span.from_ms <= clockwork.at(fact.stamp)[0] < span.to_ms
    ]  # fmt: skip
    if not chosen:
        return Orders((), older)
    around, _ = ledger.newest_before(
        chosen[0].seq + PICTURES_AROUND, ("PictureKept",), 400, not_before_seq=chosen[-1].seq - PICTURES_AROUND
    )
    return Orders(tuple(_order_row(fact, around, clockwork, has_picture) for fact in chosen), older)


def _order_row(
    fact: Fact, pictures: list[Fact], clockwork: Clockwork, has_picture: Callable[[str], bool]
) -> OrderRow:
    body = fact.body
    assert isinstance(body, Ordered)
    at_ms, _ = clockwork.at(fact.stamp)
    near: list[tuple[float, str]] = []
    for picture in pictures:
        if isinstance(picture.body, PictureKept) and picture.lane == fact.lane and fact.lane:
            after_s = (clockwork.at(picture.stamp)[0] - at_ms) / 1000
            if -NEAR_BEFORE_S <= after_s <= NEAR_AFTER_S:
                near.append((after_s, picture.body.read_id))
    near.sort(key=lambda found: abs(found[0]))
    after_s, read_id = next((found for found in near if has_picture(found[1])), (0.0, ""))
    return OrderRow(
        seq=fact.seq,
        at_ms=at_ms,
        lane=fact.lane,
        action=body.action,
        source=body.source,
        who=body.who,
        why=body.why,
        ok=body.ok,
        zh=body.answer_zh,
        en=body.answer_en,
        read_id=read_id,
        picture_after_s=round(after_s, 1),
    )
