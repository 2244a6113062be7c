"""What a stay costs of which a card covers a part: covered time costs nothing while the clock of the tariff goes on.

The reading:
- Days, first period and units lie in time as those of a stay that nothing covers. A unit costs its price, by the rate
  in which it begins, when any of it is uncovered; caps hold over the units that cost something.
- Free minutes and first period are minutes of uncovered time, the first of the visit (or of the day, by the tariff).
- Counting begins at the entry or at the first uncovered moment, whichever costs less. Had it to be the entry, fifty
  minutes after a card's end could be two hours begun; the other way round a card could cost more than none.

So a stay without any cover costs what `visit_fen` says, a card never makes it dearer, and every further cover that
leaves the first uncovered moment where it is takes units away and adds none.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.facts_flow import Vehicle
from edge.core.tariff_engine import CHINA_MS, DAY_MS, MINUTE_MS, rate_at
from edge.core.tariff_plan import ClassPrice, TariffPlan

Piece = tuple[int, int]
"""Some time [from, until) in UTC ms, `from` < `until`. Pieces of one stay are in order and do not touch."""


def prefix(pieces: Sequence[Piece], lasts_ms: int) -> list[Piece]:
    """The first `lasts_ms` of the time in `pieces`."""
    found = []
    for begin_ms, end_ms in pieces:
        if lasts_ms <= 0:
            break
        found.append((begin_ms, min(end_ms, begin_ms + lasts_ms)))
        lasts_ms -= end_ms - begin_ms
    return found


def open_fen(plan: TariffPlan, vehicle: Vehicle, began_ms: int, pieces: Sequence[Piece]) -> int:
    """The fee of a stay that began at `began_ms` (UTC) and of which only `pieces` are not covered."""
    if not pieces:
        return 0
    fen = _counted_from(plan, vehicle, pieces[0][0], pieces)
    return fen if pieces[0][0] == began_ms else min(fen, _counted_from(plan, vehicle, began_ms, pieces))


def _counted_from(plan: TariffPlan, vehicle: Vehicle, origin_ms: int, pieces: Sequence[Piece]) -> int:
    free_ms = plan.free_min * MINUTE_MS
    if sum(end_ms - begin_ms for begin_ms, end_ms in pieces) <= free_ms:
        return 0
    if plan.free_mode == "rest":
        origin_ms, pieces = origin_ms + free_ms, _after(pieces, free_ms)
    price = plan.of(vehicle)
    first_ms = price.first_min * MINUTE_MS
    first_fen = price.first_fen if first_ms else 0
    daily = plan.first_each == "day"
    due = _by_day(plan, origin_ms, pieces)
    units = due if daily else _by_day(plan, origin_ms, _after(pieces, first_ms))
    fen = 0
    for number, day in enumerate(due):
        begin_ms, end_ms = day
        of_day = units.get(day, [])
        if daily:
            of_day, grid_ms = _after(of_day, first_ms), begin_ms + first_ms
        else:
            grid_ms = max(begin_ms, origin_ms + first_ms)
        day_fen = _units_fen(price, grid_ms, end_ms, of_day)
        if daily or not number:
            day_fen += first_fen
        fen += min(day_fen, price.day_cap_fen) if price.day_cap_fen else day_fen
    return min(fen, price.visit_cap_fen) if price.visit_cap_fen else fen


def _after(pieces: Sequence[Piece], lasts_ms: int) -> list[Piece]:
    """What is left of `pieces` without their first `lasts_ms`."""
    found = []
    for begin_ms, end_ms in pieces:
        if lasts_ms < end_ms - begin_ms:
            found.append((begin_ms + max(0, lasts_ms), end_ms))
        lasts_ms -= end_ms - begin_ms
    return found


def _by_day(plan: TariffPlan, origin_ms: int, pieces: Sequence[Piece]) -> dict[Piece, list[Piece]]:
    """Days of the tariff in which something is uncovered, each with that."""
    found: dict[Piece, list[Piece]] = {}
    shift_ms = origin_ms if plan.day == "entry" else -CHINA_MS
    for begin_ms, end_ms in pieces:
        at_ms = begin_ms
        while at_ms < end_ms:
            day_ms = (at_ms - shift_ms) // DAY_MS * DAY_MS + shift_ms
            day = (max(day_ms, origin_ms), day_ms + DAY_MS)
            found.setdefault(day, []).append((at_ms, min(end_ms, day[1])))
            at_ms = day[1]
    return found


def _units_fen(price: ClassPrice, at_ms: int, day_end_ms: int, pieces: Sequence[Piece]) -> int:
    """Units of one day, laid from `at_ms` on, of which something lies in `pieces`; each rate capped."""
    counts = [0] * len(price.rates)
    while pieces and at_ms < day_end_ms:
        index, rate, left_ms = rate_at(price.rates, (at_ms + CHINA_MS) % DAY_MS)
        unit_ms = rate.unit_min * MINUTE_MS
        run_end_ms = at_ms + -(-min(left_ms, day_end_ms - at_ms) // unit_ms) * unit_ms
        seen = 0  # units up to here are counted
        for begin_ms, end_ms in pieces:
            if begin_ms >= run_end_ms:
                break
            low = max(seen, (begin_ms - at_ms) // unit_ms)
            seen = max(seen, -(-(min(end_ms, run_end_ms) - at_ms) // unit_ms))
            counts[index] += max(0, seen - low)
        pieces = [each for each in pieces if each[1] > run_end_ms]
        at_ms = run_end_ms
    spent = (count * rate.unit_fen for rate, count in zip(price.rates, counts, strict=True))
    return sum(
        min(fen, rate.cap_fen) if rate.cap_fen else fen for rate, fen in zip(price.rates, spent, strict=True)
    )
