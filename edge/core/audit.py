"""The audit of what people do at the page: an entry, a line of it as it is kept, and who keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who, when, from where, what, result (DESIGN 10)."""

    at_ms: int
    clock_true: bool
    who: str
    role: str
    address: str
    action: str
    target: str = ""
    why: str = ""
    ok: bool = True
    zh: str = ""
    en: str = ""


class AuditLine(AuditEntry, frozen=True, kw_only=True):
    """An entry as it is kept. `hash` covers the entry, its number and the hash of the line before it."""

    seq: int
    hash: str


class AuditLog(Protocol):
    """Append only. Any thread."""

    kept_days: int

    def add(self, entry: AuditEntry) -> bool:
        """False: the disk fails; the entry waits in memory and is kept when it works again."""

    def read(
        self, limit: int, before_seq: int, *, who: str = "", action: str = "", from_ms: int = 0, to_ms: int = 1 << 62
    ) -> Sequence[AuditLine]:
        """Newest first; `before_seq` 0: from the newest. Raises the store's error."""

    def after(self, seq: int, limit: int) -> Sequence[AuditLine]:
        """Oldest first, for an export."""

    def broken_seq(self) -> int:
        """The first line whose chain does not fit, 0 when all do."""
