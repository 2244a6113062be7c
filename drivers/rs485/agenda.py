"""Who may use the line next. Pure: told the time, no thread, no port.

    1. NOW   in order of asking
    2. POLL  the one that is longest due
    3. TEXT  devices in turn, each its oldest

A line that is too slow for its polls would never have room for a text: after a whole round of polls one text goes.
An exchange that is on the wire is never broken off, so the longest that a relay waits is one foreign exchange.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

import msgspec

from drivers.rs485.exchange import Exchange, Urgency


class Poll(msgspec.Struct, eq=False):
    """A question that is asked again and again. `make` is called on the line's thread, just before it is sent."""

    make: Callable[[], Exchange]
    every_s: float
    due_s: float = 0.0


class Agenda:
    def __init__(self) -> None:
        self._now: deque[Exchange] = deque()
        self._texts: OrderedDict[str, deque[Exchange]] = OrderedDict()
        self._polls: list[Poll] = []
        self._polled = 0  # polls in a row while a text waited

    def put(self, exchange: Exchange) -> None:
        """Raises `ValueError` for a poll: those are added once and made anew each time."""
        if exchange.urgency is Urgency.POLL:
            raise ValueError(f"exchange of {exchange.device}: urgency POLL is not allowed here, NOW and TEXT are")
        if exchange.urgency is Urgency.NOW:
            self._now.append(exchange)
        else:
            self._texts.setdefault(exchange.device, deque()).append(exchange)

    def add_poll(self, poll: Poll) -> None:
        self._polls.append(poll)

    def take(self, now_s: float) -> Exchange | None:
        """The next exchange, None when nothing is due."""
        if self._now:
            return self._now.popleft()
        poll = min((poll for poll in self._polls if poll.due_s <= now_s), key=lambda poll: poll.due_s, default=None)
        if poll is not None and not (self._texts and self._polled >= len(self._polls)):
            self._polled = self._polled + 1 if self._texts else 0
            # From now and not from when it was due: a line that is late does not ask twice in a row to catch up.
            poll.due_s = now_s + poll.every_s
            self._polls.remove(poll)
            self._polls.append(poll)  # behind those that are due at the same time
            return poll.make()
        self._polled = 0
        if not self._texts:
            return None
        device, waiting = self._texts.popitem(last=False)
        exchange = waiting.popleft()
        if waiting:
            self._texts[device] = waiting  # behind the others
        return exchange

    def due_s(self) -> float | None:
        """When `take` will have something; None: not before somebody puts it. The past: now."""
        if self._now or self._texts:
            return 0.0
        return min((poll.due_s for poll in self._polls), default=None)

    def polls(self) -> list[Poll]:
        return list(self._polls)

    def drop(self) -> list[Exchange]:
        """Everything that waits, taken out; polls stay."""
        waiting = [*self._now, *(exchange for queue in self._texts.values() for exchange in queue)]
        self._now.clear()
        self._texts.clear()
        return waiting
