"""What the page searches for."""

from __future__ import annotations

import msgspec


class Span(msgspec.Struct, frozen=True):
    """A plate or a part of it ("" any), from an instant, before another."""

    plate: str
    from_ms: int
    to_ms: int
