"""A JSON push with pictures in it, looked at once before its end and once whole: what GA/T 1400 and RK V5 share."""

from __future__ import annotations

from drivers.cameras.cut import Cutter, closed, jpeg


class OneLook:
    """`fields`: the members that hold pictures in base64."""

    def __init__(self, *fields: str) -> None:
        self._cutter = Cutter(fields)
        self._looked = False
        self._have = 0

    def before(self, body: bytearray, have: int) -> str | None:
        """What stands before the first picture, as whole JSON: once, when that picture begins; else None."""
        if self._looked:
            return None
        self._cutter.advance(body, have)
        if not self._cutter.begun:
            return None
        self._looked = True
        return closed(self._cutter.text(body, have))

    def whole(self, body: bytearray, have: int) -> str:
        """All of it, each picture a mark."""
        self._cutter.advance(body, have)
        self._have = have
        return self._cutter.text(body, have)

    def has(self, mark: str) -> bool:
        """Whether this mark stands for a picture. After `whole`."""
        return self._cutter.span(mark, self._have) is not None

    def picture(self, body: bytearray, mark: str) -> bytes | None:
        """None without one. After `whole`. Raises `Damaged`."""
        span = self._cutter.span(mark, self._have)
        return jpeg(body, span) if span else None
