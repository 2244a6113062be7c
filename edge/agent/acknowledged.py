"""Faults of the agent that a person has seen to: no longer shown, until they change or come anew.

What ended by itself needs no person; what only happened (a file moved aside, pictures given up, records set aside)
would else stand on the page for ever and hide the next one. Kept in memory: a program that starts again tells again of
what is still so. Who acknowledged what, and when, is in the audit.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from edge.ports import FaultView

Told = tuple[str, str, str]
"""Code, device, detail: a fourth record set aside is news."""


class Acknowledged:
    """Any thread."""

    def __init__(self) -> None:
        self._seen: set[Told] = set()
        self._lock = threading.Lock()

    def shown(self, faults: Sequence[FaultView]) -> list[FaultView]:
        """Those that nobody has seen to. One that is gone is forgotten."""
        with self._lock:
            self._seen &= {_told(fault) for fault in faults}
            return [fault for fault in faults if _told(fault) not in self._seen]

    def see_to(self, faults: Sequence[FaultView], code: str, device: str) -> tuple[bool, str, str]:
        """Whether it was done, in words: only what does not end by itself may be acknowledged."""
        found = [fault for fault in self.shown(faults) if (fault.code, fault.device) == (code, device)]
        if not found:
            return False, f"{device} 没有故障 {code}", f"fault: {code!r} is not present at {device!r}"
        if not all(fault.by_hand for fault in found):
            return False, "该故障在原因消除后自动恢复", f"fault: {code} ends when its cause is gone"
        with self._lock:
            self._seen |= {_told(fault) for fault in found}
        return True, "故障已确认", "fault acknowledged"


def _told(fault: FaultView) -> Told:
    return fault.code, fault.device, fault.detail
