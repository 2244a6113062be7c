"""What the page may know (`ports.PageSource`): the lane's live view, the city links, deliveries and pictures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from edge.agent.acknowledged import Acknowledged
from edge.agent.cities import CityLinks
from edge.agent.delivery_words import outcome, picture_outcome
from edge.agent.evidence import Evidence
from edge.agent.lane_link import LaneLink
from edge.agent.pictures import PictureIndex
from edge.agent.uploads import CityPictures
from edge.core.plates import normalise
from edge.fault_view import fault_view
from edge.ports import AgentView, BoxView, Delivery, DeliveryFound, DeliveryStore, FaultView, TrialWord
from edge.store.errors import StoreError

RECENT = 20
SEARCH_MAX = 20
"""Found deliveries shown at once; whoever needs more uses `parkbox deliveries`."""


class AgentSource:
    """Implements `ports.PageSource`. A disk that fails is a fault on the page and no end of the page."""

    def __init__(self, store: DeliveryStore, pictures: PictureIndex, version_text: str) -> None:
        self._store, self._pictures, self._version_text = store, pictures, version_text
        self._link: LaneLink | None = None
        self._cities: CityLinks | None = None
        self._evidence: Evidence | None = None
        self._uploads: CityPictures | None = None
        self._lasting: Sequence[FaultView] = ()
        self._page_faults: Callable[[], list[FaultView]] = list
        self._version = 0
        self._lock = threading.Lock()
        self._acknowledged = Acknowledged()
        self._seen_to: Mapping[str, Callable[[], None]] = {}
        self._trial: Callable[[], TrialWord] = lambda: ""
        self._troubles: dict[str, FaultView] = {}  # by device, while its file cannot be read

    def attach(  # noqa: PLR0917 - the composition root gives all of it at once
        self,
        link: LaneLink,
        cities: CityLinks,
        evidence: Evidence,
        uploads: CityPictures,
        lasting: Sequence[FaultView],
        page_faults: Callable[[], list[FaultView]] = list,
        seen_to: Mapping[str, Callable[[], None]] | None = None,
        trial: Callable[[], TrialWord] = lambda: "",
    ) -> None:
        """What tells of changes must exist after what is told of them. `lasting`: faults of this start; `seen_to`:
        what is done, by code, when a person has acknowledged one for good."""
        self._seen_to = seen_to or {}
        self._trial = trial
        self._link, self._cities, self._evidence, self._lasting = link, cities, evidence, lasting
        self._uploads, self._page_faults = uploads, page_faults

    def changed(self) -> None:
        """Something that the page shows is different now."""
        with self._lock:
            self._version += 1

    def box(self) -> BoxView | None:
        return self._link.view() if self._link is not None else None

    def lane_pid(self) -> int | None:
        return self._link.pid() if self._link is not None else None

    def agent(self) -> AgentView:
        recent: tuple[Delivery, ...] = ()
        counts: dict[str, int] = {}
        try:
            recent, counts = tuple(self._store.recent(RECENT)), self._store.counts()
            self._well("deliveries.db")
        except StoreError as error:
            self._trouble("deliveries.db", error)
        cities, evidence, uploads = self._cities, self._evidence, self._uploads
        return AgentView(
            links=(*(cities.links() if cities is not None else ()), *(uploads.links() if uploads is not None else ())),
            counts={**counts, "held_for_clock": cities.held() if cities is not None else 0},
            recent=recent,
            faults=tuple(self._acknowledged.shown(self._faults())),
            version=self._version_text,
            evidence=tuple(evidence.views()) if evidence is not None else (),
        )

    def acknowledge(self, code: str, device: str) -> tuple[bool, str, str]:
        """A person has seen to a fault of this program: whether that ends it, in words."""
        answer = self._acknowledged.see_to(self._faults(), code, device)
        if answer[0] and code in self._seen_to:
            self._seen_to[code]()
        self.changed()
        return answer

    def _faults(self) -> list[FaultView]:
        cities, evidence, uploads = self._cities, self._evidence, self._uploads
        faults = [*self._lasting, *(cities.faults() if cities is not None else ())]
        faults += evidence.faults() if evidence is not None else ()
        faults += uploads.faults() if uploads is not None else ()
        faults += self._page_faults()
        told = {(fault.code, fault.device) for fault in faults}
        return faults + [one for one in tuple(self._troubles.values()) if (one.code, one.device) not in told]

    def search(self, plate: str, from_ms: int, to_ms: int) -> list[DeliveryFound]:
        try:
            found = self._store.search(normalise(plate) or plate, SEARCH_MAX, from_ms, to_ms)
            self._well("deliveries.db")
        except StoreError as error:
            self._trouble("deliveries.db", error)
            return []
        now_ms = time.time_ns() // 1_000_000
        return [
            DeliveryFound(
                row,
                bool(row.read_id) and self.picture(row.read_id) is not None,
                *outcome(row, now_ms),
                *self._picture_words(row, now_ms),
            )
            for row in found
        ]

    def _picture_words(self, row: Delivery, now_ms: int) -> tuple[str, str]:
        if not row.read_id or self._uploads is None:
            return "", ""
        try:
            return picture_outcome(self._uploads.story(row.item_id), now_ms)
        except StoreError as error:
            self._trouble("pictures", error)
            return "", ""

    def picture(self, read_id: str) -> bytes | None:
        made = self._evidence.picture_of(read_id) if self._evidence is not None else None
        try:
            picture = made.read_bytes() if made is not None else self._pictures.get(read_id)
        except (StoreError, OSError) as error:
            self._trouble("pictures", error)
            return None
        self._well("pictures")
        return picture

    def sealed(self, read_id: str) -> bool:
        return self._evidence is not None and self._evidence.picture_of(read_id) is not None

    def _trouble(self, device: str, error: Exception) -> None:
        if device not in self._troubles:
            now_ms = time.time_ns() // 1_000_000
            self._troubles[device] = fault_view("storage_failing", device, str(error), now_ms)
            self.changed()

    def _well(self, device: str) -> None:
        if self._troubles.pop(device, None) is not None:
            self.changed()

    def trial(self) -> TrialWord:
        return self._trial()

    def version(self) -> int:
        with self._lock:
            return self._version
