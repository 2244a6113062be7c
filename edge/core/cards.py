"""Cards and the plans they are sold by, as a fold over facts; what a card covers (T/QME 0015-2024, 16, 17, 25, 26).

A card is valid in from_ms <= t <= until_ms, inside its shared hours if it has any; as many of its cars as it has places
stand on it at once, those that were let in on it first. A card keeps the terms that its plan had when it was issued.
Look-ups are by plate: among 200,000 cards a plate costs what it costs among 200.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from edge.core.facts import Fact, Passed
from edge.core.facts_money import CardCancelled, CardSet, CardTerms, PlanDeleted, PlanSet, ShareHours
from edge.core.tariff_cover import Piece

MINUTE_MS = 60_000
DAY_MS = 1440 * MINUTE_MS
CHINA_MS = 8 * 3_600_000
MONDAY_MS = 4 * DAY_MS
"""1970-01-01 was a Thursday: this much later weeks begin."""

CARD_RULES = frozenset({"card"})
"""`Passed.rule` of an entrance: let in on its card."""

GONE_KEPT = 5_000
"""Cards cancelled and remembered, so that an order sent again is answered like the first, and an older one is known."""

Word = Literal["valid", "none", "suspended", "not_yet", "expired", "hours", "full"]


class Standing(NamedTuple):
    """What the cards of a plate are worth at a moment. `card` is the one that `word` speaks of."""

    word: Word
    card: CardSet | None = None


class Cards(msgspec.Struct, array_like=True):
    """Part of the box's snapshot. Only `apply` changes it."""

    by_id: dict[str, CardSet] = {}
    plans: dict[str, PlanSet] = {}
    gone: dict[str, int] = {}
    """card_id or plan_id -> `city_ms` of its end, the oldest first."""
    on: dict[str, str] = {}
    """visit_id -> card_id: cars inside that were let in on a card; "": came in while its places were taken, and is a
    temporary car to its end."""
    by_plate: dict[str, tuple[str, ...]] = {}
    taken: dict[str, int] = {}
    """card_id -> how many of its cars stand on it."""

    def apply(self, fact: Fact) -> None:
        match fact.body:
            case CardSet(card_id=card_id) as card:
                self._drop(card_id)
                self.gone.pop(card_id, None)
                self.by_id[card_id] = card
                for car in card.cars:
                    if card_id not in self.by_plate.get(car.plate, ()):
                        self.by_plate[car.plate] = (*self.by_plate.get(car.plate, ()), card_id)
            case CardCancelled(card_id=card_id, city_ms=city_ms):
                self._drop(card_id)
                self._end(card_id, city_ms)
            case PlanSet(plan_id=plan_id) as plan:
                self.plans[plan_id] = plan
                self.gone.pop(plan_id, None)
            case PlanDeleted(plan_id=plan_id, city_ms=city_ms):
                self.plans.pop(plan_id, None)
                self._end(plan_id, city_ms)
            case Passed(direction="in", rule=rule, plate=plate) if plate in self.by_plate:
                card_ids = self.by_plate[plate]
                room = next((each for each in card_ids if self._room(each)), "")
                if rule in CARD_RULES:
                    card_id = room or card_ids[0]
                    self.on[fact.id] = card_id
                    self.taken[card_id] = self.taken.get(card_id, 0) + 1
                elif not room:
                    self.on[fact.id] = ""
            case Passed(direction="out", visit_id=visit_id):
                left = self.on.pop(visit_id, "")
                if left:
                    self.taken[left] -= 1
                    if not self.taken[left]:
                        del self.taken[left]

    # --- questions -------------------------------------------------------------------------------------------------

    def terms_of(self, plan_id: str) -> CardTerms:
        plan = self.plans.get(plan_id)
        return plan.terms if plan is not None else CardTerms()

    def standing(self, plate: str, wall_ms: int | None, visit_id: str = "") -> Standing:
        """The best word any card of this plate has at `wall_ms` (None: nobody knows the time, every card is in force).

        `visit_id`: its visit, when it is inside already.
        """
        best = Standing("none")
        for card_id in self.by_plate.get(plate, ()):
            card = self.by_id[card_id]
            found = Standing(self._word(card, wall_ms, visit_id), card)
            if found.word == "valid":
                return found
            if best.card is None or _ORDER.index(found.word) < _ORDER.index(best.word):
                best = found
        return best

    def word_of(self, card_id: str, wall_ms: int | None) -> Word:
        """What this card is worth to one of its cars that comes at `wall_ms`. Raises `KeyError`."""
        return self._word(self.by_id[card_id], wall_ms, "")

    def uncovered(
        self, plate: str, visit_id: str, from_ms: int, until_ms: int
    ) -> tuple[list[Piece], CardSet | None]:
        """The pieces of a stay [from_ms, until_ms] that no card of this plate covers, in their order.

        The card is the one that covers some of it, or that has expired. Without a card: the whole stay, None.
        """
        covers: list[tuple[int, int]] = []
        of: CardSet | None = None
        for card_id in self.by_plate.get(plate, ()):
            card = self.by_id[card_id]
            stands_on = self.on.get(visit_id)
            if card.suspended or not (stands_on == card_id or (stands_on is None and self._room(card_id))):
                continue
            of = card
            begin_ms, end_ms = max(from_ms, card.from_ms), min(until_ms, card.until_ms)
            if begin_ms <= end_ms:
                covers += _in_hours(card.hours, begin_ms, end_ms) if card.hours else [(begin_ms, end_ms)]
        at_ms, pieces = from_ms, list[Piece]()
        for begin_ms, end_ms in sorted(covers):
            if begin_ms > at_ms:
                pieces.append((at_ms, begin_ms))
            at_ms = max(at_ms, end_ms)
        if at_ms < until_ms:
            pieces.append((at_ms, until_ms))
        return pieces, of

    def is_older(self, item_id: str, city_ms: int) -> bool:
        """Is a newer word on this card or plan known (QC87)?"""
        known = self.by_id.get(item_id) or self.plans.get(item_id)
        return 0 < city_ms < (known.city_ms if known is not None else self.gone.get(item_id, 0))

    # --- fold ----------------------------------------------------------------------------------------------------

    def _word(self, card: CardSet, wall_ms: int | None, visit_id: str) -> Word:
        if card.suspended:
            return "suspended"
        if wall_ms is None:
            return "valid"
        if wall_ms > card.until_ms:
            return "expired"
        if wall_ms < card.from_ms:
            return "not_yet"
        if card.hours and not _in_hours(card.hours, wall_ms, wall_ms):
            return "hours"
        if not self._room(card.card_id) and self.on.get(visit_id) != card.card_id:
            return "full"
        return "valid"

    def _room(self, card_id: str) -> bool:
        card = self.by_id.get(card_id)
        return card is not None and self.taken.get(card_id, 0) < max(1, card.places)

    def _drop(self, card_id: str) -> None:
        old = self.by_id.pop(card_id, None)
        for car in old.cars if old is not None else ():
            others = tuple(each for each in self.by_plate.get(car.plate, ()) if each != card_id)
            if others:
                self.by_plate[car.plate] = others
            else:
                self.by_plate.pop(car.plate, None)

    def _end(self, item_id: str, city_ms: int) -> None:
        self.gone[item_id] = city_ms
        while len(self.gone) > GONE_KEPT:
            del self.gone[next(iter(self.gone))]


_ORDER: tuple[Word, ...] = ("valid", "full", "hours", "expired", "suspended", "not_yet", "none")


def _in_hours(hours: Iterable[ShareHours], from_ms: int, until_ms: int) -> list[tuple[int, int]]:
    """The pieces of [from_ms, until_ms] that lie in the hours; an instant that does is a piece of no length."""
    pieces = []
    day_ms = (from_ms + CHINA_MS) // DAY_MS * DAY_MS - CHINA_MS - DAY_MS  # yesterday: its hours may run past midnight
    while day_ms <= until_ms:
        weekday = (day_ms + CHINA_MS - MONDAY_MS) // DAY_MS % 7
        for span in hours:
            if span.days and weekday not in span.days:
                continue
            length_min = (span.until_min - span.from_min) % 1440 or 1440
            begin_ms = day_ms + span.from_min * MINUTE_MS
            end_ms = begin_ms + length_min * MINUTE_MS
            if begin_ms <= until_ms and end_ms >= from_ms:
                pieces.append((max(begin_ms, from_ms), min(end_ms, until_ms)))
        day_ms += DAY_MS
    return pieces
