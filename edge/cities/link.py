"""Link: what sender, pages and reports need of a city. A second city plugs in here.

A city brings three things. A mapper (`feed.FactMapper`): facts to rows, each with its bytes as they will be sent. A
`Link`: rows of one kind out in one request, one `Verdict` for each back; login, signatures, tokens and the reading of
answers are behind it (`qingdao.uplink`). And its `Limits`. The queue, pages, batches, order of a visit and what is
noted of an answer are the same for all cities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

Meaning = Literal["accepted", "retry", "refused", "relogin", "link"]


class Verdict(msgspec.Struct, frozen=True):
    """`zh` and `en` are for the page; `answer` is what the delivery keeps. `code`: result_code or HTTP status when
    the city answered with one, else 0."""

    meaning: Meaning
    zh: str
    en: str
    rests: bool = False
    code: int = 0

    @property
    def answer(self) -> str:
        return f"{self.zh} / {self.en}"


class Limits(msgspec.Struct, frozen=True):
    """Of one request, and of one record: `batch` records or `batch_bytes` at most; again after `retry_s`, `retries`
    times (the first sending does not count), then set aside."""

    batch: int
    batch_bytes: int
    retry_s: float
    retries: int


class Clock(Protocol):
    """Time, passed in."""

    def mono_s(self) -> float: ...

    def wall_ms(self) -> int: ...

    def wall_is_true(self) -> bool:
        """False: no RTC and not synchronised since boot; nothing is stamped with it."""


class Link(Protocol):
    """For one thread; `stopping` for any."""

    @property
    def stopping(self) -> bool:
        """The program ends: nothing more is to be sent."""

    def send_batch(self, kind: str, records: Sequence[tuple[str, bytes]], *, repeat: bool) -> list[Verdict]:
        """Records of one kind, each with its id, in one request; a verdict for each, never "relogin". They rest all
        or none. `repeat`: send at once again when no answer came."""
