"""What the page may know (`ports.PageSource`): the lane's live view, the city links, deliveries and pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from edge.agent_link import LaneLink
from edge.agent_pictures import PictureIndex
from edge.core.faults import CATALOGUE
from edge.ports import AgentView, BoxView, Delivery, DeliveryStore, FaultView, LinkView

RECENT = 20


class AgentFault:
    """A fault that the agent itself sees; the lane's come with its view."""

    __slots__ = ("code", "detail", "device", "since_wall_ms")

    def __init__(self, code: str, device: str, detail: str, since_wall_ms: int) -> None:
        self.code, self.device, self.detail, self.since_wall_ms = code, device, detail, since_wall_ms

    def view(self) -> FaultView:
        spec = CATALOGUE[self.code]
        return FaultView(
            code=self.code,
            device=self.device,
            zh=spec.cause_zh,
            en=spec.cause_en,
            effect_zh=spec.effect_zh,
            effect_en=spec.effect_en,
            todo_zh=spec.todo_zh,
            todo_en=spec.todo_en,
            detail=self.detail,
            since_wall_ms=self.since_wall_ms,
        )


class AgentSource:
    """Implements `ports.PageSource`. `links` and `faults` come from whatever cities are configured."""

    def __init__(
        self,
        store: DeliveryStore,
        pictures: PictureIndex,
        links: Callable[[], Sequence[LinkView]],
        held: Callable[[], int],
        faults: Callable[[], Sequence[AgentFault]],
        version_text: str,
    ) -> None:
        self._store, self._pictures = store, pictures
        self._links, self._held, self._faults = links, held, faults
        self._version_text = version_text
        self._link: LaneLink | None = None
        self._version = 0
        self._lock = threading.Lock()

    def attach(self, link: LaneLink) -> None:
        self._link = link

    def changed(self) -> None:
        """Something that the page shows is different now."""
        with self._lock:
            self._version += 1

    def box(self) -> BoxView | None:
        return self._link.view() if self._link is not None else None

    def agent(self) -> AgentView:
        recent: tuple[Delivery, ...] = tuple(self._store.recent(RECENT))
        return AgentView(
            links=tuple(self._links()),
            counts={**self._store.counts(), "held_for_clock": self._held()},
            recent=recent,
            faults=tuple(fault.view() for fault in self._faults()),
            version=self._version_text,
        )

    def picture(self, read_id: str) -> bytes | None:
        return self._pictures.get(read_id)

    def version(self) -> int:
        with self._lock:
            return self._version
