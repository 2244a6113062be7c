"""Whose connection is it: every address of a camera has its own share of what the listener holds.

Without shares one camera gone mad (300 sockets that say nothing) would take every place, and a good push of another
camera would get a 503. What an address holds is never more than its share, so nobody can take another's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

SHARE_MIN = 4
"""A push, a heartbeat that is held, one more push behind it, and the connection that a reset left half open."""

OVERFLOW = 16
"""Connections over a share that get a 503, of all addresses together; what comes beyond is cut without a word."""


class Shares:
    """`cameras_at`: how many cameras have each address; a router with three of them needs three times as much.
    Together the shares are `connections_max`, or `SHARE_MIN` for each address where that is more."""

    def __init__(self, connections_max: int, cameras_at: Mapping[str, int]) -> None:
        total = sum(cameras_at.values())
        self._share = {
            address: max(SHARE_MIN, connections_max * cameras // total) for address, cameras in cameras_at.items()
        }
        self._held: Counter[str] = Counter()
        self._over = 0

    def of(self, address: str) -> int:
        """0 for an address that no camera has."""
        return self._share.get(address, 0)

    def take(self, address: str) -> bool:
        """False: the share is taken."""
        if self._held[address] >= self.of(address):
            return False
        self._held[address] += 1
        return True

    def leave(self, address: str) -> None:
        self._held[address] -= 1

    def take_over(self) -> bool:
        """A place among those who are told that there is none; False: there is none of these either."""
        if self._over >= OVERFLOW:
            return False
        self._over += 1
        return True

    def leave_over(self) -> None:
        self._over -= 1
