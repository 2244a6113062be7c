"""What a bench saw of a simulated board's relays, and whether a relay that stays away is a miss or the bench's own.

The board lives in the bench: where the machine lets it answer later than the program may wait, the program takes it for
silent, lifts the arm and gives up orders, as it should. What the arm does then measures nothing: it is `Disturbed`, and
whoever measures begins anew. A relay that stays away from a board that answered is a miss, however loaded the machine.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from pathlib import Path

from hal_sim.ledger_view import facts_after

WITHIN_S = 60.0
"""No order takes that long on a machine that does anything at all."""

LOOK_S = 1.0
"""So long without a relay, and the ledger is asked: a fact is in it half a second after it was made."""

SILENT = frozenset({"loops_down", "barrier_down"})

Contact = tuple[int, float]
"""Relay, and when it was switched on (`time.monotonic`)."""


class Disturbed(Exception):
    """The simulated board answered too late for the program."""


class Contacts:
    """Relays in the order in which they were switched on. `silent`: has the program missed the board's answers?"""

    def __init__(self, silent: Callable[[], bool], now_s: Callable[[], float] = time.monotonic) -> None:
        self._silent, self._now_s = silent, now_s
        self._came: queue.SimpleQueue[Contact] = queue.SimpleQueue()
        self.next: Callable[[], Contact | None] = self._next

    def closed(self, relay: int, at_s: float) -> None:
        """On the bus' thread."""
        self._came.put((relay, at_s))

    def wait(self, relay: int, since_s: float = 0.0) -> float:
        """When `relay` was switched on; others are passed over. Raises `Disturbed`, and `RuntimeError` for a miss: it
        stayed away, or came before `since_s`, when nothing had asked for it."""
        until_s = self._now_s() + WITHIN_S
        while True:
            found = self.next()
            if found is not None and found[0] == relay and found[1] >= since_s:
                return found[1]
            early = found is not None and found[0] == relay
            late = self._now_s() > until_s
            if (found is None or early) and self._silent():
                raise Disturbed(f"relay {relay}")
            if early:
                raise RuntimeError(f"relay {relay} was switched on before it was asked for")
            if late:
                raise RuntimeError(f"relay {relay} was not switched on within {WITHIN_S:.0f} s, and the board answered")

    def _next(self) -> Contact | None:
        try:
            return self._came.get(timeout=LOOK_S)
        except queue.Empty:
            return None


def missed_answers(ledger: Path) -> bool:
    """Whether the program has ever said so in this ledger."""
    return any(fact.kind == "FaultRaised" and fact.body["code"] in SILENT for fact in facts_after(ledger, 0))
