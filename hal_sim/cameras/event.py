"""One camera event as the site knows it, and one HTTP push as a vendor writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Protocol

from hal_sim.cameras.pictures import Picture

CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class CameraEvent:
    """What the camera saw. `number` and `uuid` are the camera's own ids of the event and stay on a re-push."""

    number: int
    uuid: str
    plate: str  # "" = no plate or not readable
    colour: str
    at_ms: int  # UTC
    picture: Picture | None

    @property
    def local(self) -> datetime:
        return datetime.fromtimestamp(self.at_ms / 1000, CHINA)


@dataclass(frozen=True)
class Push:
    """One POST: `early` is what a reader needs to know the plate, `late` the rest of the body."""

    path: str
    content_type: str
    early: bytes
    late: bytes
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        return self.early + self.late


class Vendor(Protocol):
    """How one make of camera talks. `attempt` counts from 0; a re-push says the same event again."""

    def plate_push(self, event: CameraEvent, attempt: int) -> Push: ...

    def heartbeat(self, at_ms: int) -> Push: ...

    def proper(self, status: int, body: bytes) -> bool:
        """Whether this reply ends the pushing of an event."""
