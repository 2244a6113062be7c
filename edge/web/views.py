"""What the page is told: the views of the ports as one JSON document, without what it need not know.

A delivery's body stays behind (it may hold more than the page shows), and answers from outside are cut to a
length. Escaping is the page's: it writes text nodes only.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import msgspec

from edge.ports import (
    AgentView,
    BoxView,
    Delivery,
    DeliveryFound,
    EvidenceView,
    FaultView,
    LinkView,
    PageSource,
)

RECENT_MAX = 20
"""Deliveries in the list: what a technician looks through on a phone."""
ANSWER_MAX_CHARS = 300
"""Of a city's last answer: enough for its code and sentence."""
PICTURES_KEPT = 8
"""Four lanes, present and previous picture each; at most 500 KB a picture (DESIGN 7), so 4 MB."""


class DeliveryRow(msgspec.Struct, frozen=True):
    """One delivery as the page lists it."""

    id: int
    city: str
    kind: str
    plate: str
    made_ms: int
    due_ms: int
    attempts: int
    state: str
    last_answer: str


class AgentRows(msgspec.Struct, frozen=True):
    """`AgentView` with rows instead of deliveries."""

    links: tuple[LinkView, ...]
    counts: dict[str, int]
    recent: tuple[DeliveryRow, ...]
    faults: tuple[FaultView, ...]
    version: str
    evidence: tuple[EvidenceView, ...] = ()


class FoundRow(DeliveryRow, frozen=True, kw_only=True):
    """One delivery that a search found, and what became of it in words."""

    item_id: str
    answered_ms: int
    read_id: str
    """"" unless its picture can be fetched."""
    zh: str
    en: str
    picture_zh: str
    picture_en: str


class PageState(msgspec.Struct, frozen=True):
    """The document behind /api/state and every `state` event of /events."""

    now_ms: int
    """The box's wall clock when this was made."""
    box: BoxView | None
    agent: AgentRows
    pictures: tuple[str, ...]
    """Those `last_read_id` of the lanes whose picture can be fetched now."""
    sealed: tuple[str, ...] = ()
    """Those of them whose picture is the evidence picture."""


class PictureShelf:
    """The last pictures asked for, so that several phones and the stream cost one read of the disk each."""

    def __init__(self, source: PageSource) -> None:
        self._source = source
        self._kept: OrderedDict[str, tuple[bool, bytes]] = OrderedDict()
        self._lock = threading.Lock()  # pictures are asked for on worker threads, looks are on the page's loop

    def get(self, read_id: str) -> bytes | None:
        """JPEG, or None while there is none: asked anew each time, since pictures come after reads, and evidence
        after pictures."""
        with self._lock:
            return self._get(read_id)

    def _get(self, read_id: str) -> bytes | None:
        sealed = self._source.sealed(read_id)
        was_sealed, jpeg = self._kept.get(read_id, (False, None))
        if jpeg is None or sealed != was_sealed:
            jpeg = self._source.picture(read_id)
            if jpeg is None:
                self._kept.pop(read_id, None)
                return None
            self._kept[read_id] = (sealed, jpeg)
            if len(self._kept) > PICTURES_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(read_id)
        return jpeg


def look(source: PageSource, shelf: PictureShelf, now_ms: int) -> PageState:
    """One look at everything the page shows."""
    box = source.box()
    read_ids = [lane.last_read_id for lane in box.lanes if lane.last_read_id] if box else []
    pictures = tuple(read_id for read_id in read_ids if shelf.get(read_id) is not None)
    return PageState(
        now_ms=now_ms,
        box=box,
        agent=_rows(source.agent()),
        pictures=pictures,
        sealed=tuple(read_id for read_id in pictures if source.sealed(read_id)),
    )


def missing_pictures(state: PageState) -> list[str]:
    """Reads on the page whose picture was not there at that look."""
    if state.box is None:
        return []
    shown = {lane.last_read_id for lane in state.box.lanes if lane.last_read_id}
    return sorted(shown.difference(state.pictures))


def _rows(agent: AgentView) -> AgentRows:
    return AgentRows(
        links=agent.links,
        counts=agent.counts,
        recent=tuple(_row(delivery) for delivery in agent.recent[:RECENT_MAX]),
        faults=agent.faults,
        version=agent.version,
        evidence=agent.evidence,
    )


def found_row(found: DeliveryFound) -> FoundRow:
    row, delivery = _row(found.delivery), found.delivery
    return FoundRow(
        **msgspec.structs.asdict(row),
        item_id=delivery.item_id,
        answered_ms=delivery.answered_ms,
        read_id=delivery.read_id if found.picture else "",
        zh=found.zh[:ANSWER_MAX_CHARS],
        en=found.en[:ANSWER_MAX_CHARS],
        picture_zh=found.picture_zh[:ANSWER_MAX_CHARS],
        picture_en=found.picture_en[:ANSWER_MAX_CHARS],
    )


def _row(delivery: Delivery) -> DeliveryRow:
    return DeliveryRow(
        id=delivery.id,
        city=delivery.city,
        kind=delivery.kind,
        plate=delivery.plate,
        made_ms=delivery.made_ms,
        due_ms=delivery.due_ms,
        attempts=delivery.attempts,
        state=delivery.state,
        last_answer=delivery.last_answer[:ANSWER_MAX_CHARS],
    )
