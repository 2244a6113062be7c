"""Wrong passwords: five of a user from one address lock the two together for 300 s (DESIGN 10), so that whoever shares
the address can log in; twenty lock the address whatever names it tries, and twenty the user wherever they come from.
Bounded memory; the time is passed in.

A try is counted before its password is looked at, so that a hundred tries at once are not a hundred free ones; a
right password takes the count back. Names that do not exist are counted like those that do: nobody learns which are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address

import msgspec

TRIES = 5
"""Of one user from one address."""
TRIES_WIDE = 20
"""Of one address, or of one user: at most 20 guesses in 300 s, from wherever they come. Four people who share an
address may each forget a password."""
LOCK_S = 300.0
KEYS_MAX = 2048
"""Users, addresses and pairs remembered, 200 bytes each; whoever comes from more is stopped by the lock of the user."""


class _Count(msgspec.Struct):
    tries: int = 0
    until_s: float = 0.0


class Lockout:
    """For one thread (the page's event loop)."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def begin(self, keys: Mapping[str, int], now_s: float) -> float:
        """0: go on, the try is counted under each key, which so many lock. Else the seconds that the longest lock still
        lasts; nothing is counted."""
        wait_s = max((self.wait_s(key, now_s) for key in keys), default=0.0)
        if wait_s > 0:
            return wait_s
        for key, tries in keys.items():
            count = self._counts.setdefault(key, _Count())
            self._counts.move_to_end(key)
            if count.until_s:  # that lock is over
                count.tries, count.until_s = 0, 0.0
            count.tries += 1
            if count.tries >= tries:
                count.until_s = now_s + LOCK_S
        self._forget(now_s)
        return 0.0

    def right(self, keys: Iterable[str]) -> None:
        """The password of the try was right."""
        for key in keys:
            self._counts.pop(key, None)

    def user_wait_s(self, user: str, now_s: float) -> float:
        """The longest lock of this user, from whatever address."""
        return max((self.wait_s(key, now_s) for key in self._of(user)), default=0.0)

    def forgive(self, user: str) -> None:
        """His password is a new one."""
        self.right(self._of(user))

    def _of(self, user: str) -> list[str]:
        return [key for key in self._counts if key.startswith(("user ", "pair ")) and _user_in(key) == user.lower()]

    def wait_s(self, key: str, now_s: float) -> float:
        count = self._counts.get(key)
        return max(0.0, count.until_s - now_s) if count is not None else 0.0

    def _forget(self, now_s: float) -> None:
        """The oldest go first, those that are locked last."""
        while len(self._counts) > KEYS_MAX:
            free = next((key for key, count in self._counts.items() if count.until_s <= now_s), None)
            del self._counts[free if free is not None else next(iter(self._counts))]


def login_keys(user: str, address: str) -> dict[str, int]:
    """What a login of `user` from `address` is counted under, and how many tries lock it."""
    where, name = address_key(address), user.lower()
    return {f"pair {where.removeprefix('address ')} {name}": TRIES, f"user {name}": TRIES_WIDE, where: TRIES_WIDE}


def _user_in(key: str) -> str:
    """Names come last: whatever somebody types as one names no other user's key, for an address has no space."""
    return key.split(" ", 2 if key.startswith("pair ") else 1)[-1]


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
