"""The same push again: cameras re-send when they missed our answer, and replay what they could not send.

A re-send is answered like the first one and is no second read. What must not come back is an opened arm: "ok" is
said again only to a re-send so quick that it belongs to the same wait of the camera (DESIGN 5, invariant 5).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

REMEMBERED = 256
"""Per camera: a replay of the VZ store (up to 9000 records) never has more than one of them under way."""

OPEN_AGAIN_MS = 5_000
"""VZ's default wait for the answer is 5 s and its re-sends follow without back-off."""


class Seen:
    """What became of one push."""

    __slots__ = ("at_ms", "keeping", "opened", "picture", "read_id")

    def __init__(self, read_id: str, at_ms: int) -> None:
        self.read_id = read_id
        self.at_ms = at_ms
        self.opened: bool | None = None
        """The box's verdict; None: not known yet."""
        self.picture = False
        """The picture was handed over."""
        self.keeping: asyncio.Task[None] | None = None
        """Ends when the picture is durable or lost."""

    def may_open(self, now_ms: int) -> bool:
        return self.opened is not False and 0 <= now_ms - self.at_ms <= OPEN_AGAIN_MS


class Repeats:
    """The last pushes of one camera."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], Seen] = OrderedDict()

    def find(self, event_id: str, plate: str) -> Seen | None:
        """A camera without event ids cannot repeat itself here; the core's plate window still sees it."""
        return self._seen.get((event_id, plate)) if event_id else None

    def remember(self, event_id: str, plate: str, seen: Seen) -> None:
        if event_id:
            self._seen[event_id, plate] = seen
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
