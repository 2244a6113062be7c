"""What the page may know (`ports.PageSource`): the lane's live view, the city links, deliveries and pictures."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from edge.agent_cities import CityLinks
from edge.agent_link import LaneLink
from edge.agent_pictures import PictureIndex
from edge.ports import AgentView, BoxView, Delivery, DeliveryStore, FaultView

RECENT = 20


class AgentSource:
    """Implements `ports.PageSource`."""

    def __init__(self, store: DeliveryStore, pictures: PictureIndex, version_text: str) -> None:
        self._store, self._pictures, self._version_text = store, pictures, version_text
        self._link: LaneLink | None = None
        self._cities: CityLinks | None = None
        self._lasting: Sequence[FaultView] = ()
        self._version = 0
        self._lock = threading.Lock()

    def attach(self, link: LaneLink, cities: CityLinks, lasting: Sequence[FaultView]) -> None:
        """What tells of changes must exist after what is told of them. `lasting`: faults of this start."""
        self._link, self._cities, self._lasting = link, cities, lasting

    def changed(self) -> None:
        """Something that the page shows is different now."""
        with self._lock:
            self._version += 1

    def box(self) -> BoxView | None:
        return self._link.view() if self._link is not None else None

    def agent(self) -> AgentView:
        recent: tuple[Delivery, ...] = tuple(self._store.recent(RECENT))
        cities = self._cities
        return AgentView(
            links=tuple(cities.links()) if cities is not None else (),
            counts={**self._store.counts(), "held_for_clock": cities.held() if cities is not None else 0},
            recent=recent,
            faults=(*self._lasting, *(cities.faults() if cities is not None else ())),
            version=self._version_text,
        )

    def picture(self, read_id: str) -> bytes | None:
        return self._pictures.get(read_id)

    def version(self) -> int:
        with self._lock:
            return self._version
