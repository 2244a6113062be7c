"""Wrong passwords: five lock a user and an address for 300 s (DESIGN 10). Bounded memory; the time is passed in.

A try is counted before its password is looked at, so that a hundred tries at once are not a hundred free ones; a
right password takes the count back. Names that do not exist are counted like those that do: nobody learns which are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address

import msgspec

TRIES = 5
LOCK_S = 300.0
KEYS_MAX = 2048
"""Users and addresses remembered, 200 bytes each; whoever can come from more addresses is not stopped by a lock."""


class _Count(msgspec.Struct):
    tries: int = 0
    until_s: float = 0.0


class Lockout:
    """For one thread (the page's event loop)."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def begin(self, keys: Sequence[str], now_s: float) -> float:
        """0: go on, the try is counted. Else the seconds that the longest lock still lasts; nothing is counted."""
        wait_s = max((self.wait_s(key, now_s) for key in keys), default=0.0)
        if wait_s > 0:
            return wait_s
        for key in keys:
            count = self._counts.setdefault(key, _Count())
            self._counts.move_to_end(key)
            if count.until_s:  # that lock is over
                count.tries, count.until_s = 0, 0.0
            count.tries += 1
            if count.tries >= TRIES:
                count.until_s = now_s + LOCK_S
        self._forget(now_s)
        return 0.0

    def right(self, keys: Sequence[str]) -> None:
        """The password of the try was right."""
        for key in keys:
            self._counts.pop(key, None)

    def wait_s(self, key: str, now_s: float) -> float:
        count = self._counts.get(key)
        return max(0.0, count.until_s - now_s) if count is not None else 0.0

    def _forget(self, now_s: float) -> None:
        """The oldest go first, those that are locked last."""
        while len(self._counts) > KEYS_MAX:
            free = next((key for key, count in self._counts.items() if count.until_s <= now_s), None)
            del self._counts[free if free is not None else next(iter(self._counts))]


def address_key(address: str) -> str:
    """An IPv6 host owns a whole /64: that counts as one address, and so does IPv4 within IPv6."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return f"address {address}"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return f"address {parsed.ipv4_mapped}"
        return f"address {IPv6Network((parsed, 64), strict=False)}"
    return f"address {parsed}"
