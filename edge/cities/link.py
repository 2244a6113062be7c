"""Link: what sender and reports need of the way to a city.

Login, signatures, tokens and the reading of answers are behind it (`uplink`); the queue, pages, batches, order of a
visit and what is noted of an answer are the same for all cities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.cities.verdict import Verdict


class Link(Protocol):
    """For one thread; `stopping` for any."""

    @property
    def stopping(self) -> bool:
        """The program ends: nothing more is to be sent."""

    def send_batch(self, kind: str, records: Sequence[tuple[str, bytes]], *, repeat: bool) -> list[Verdict]:
        """Records of one kind, each with its id, in one request; a verdict for each, never "relogin". They rest all
        or none. `repeat`: send at once again when no answer came."""
