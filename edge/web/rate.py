"""How often one address or session may ask: a bucket of tokens each, bounded memory, the time is passed in."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

KEYS_MAX = 1024


class Rate(msgspec.Struct, frozen=True):
    """`burst` at once, then `a_second`."""

    burst: float
    a_second: float


ANY = Rate(200, 50)
"""A page loads some 25 files and then asks a few times a minute; several phones may share one address."""
ORDERS = Rate(20, 4)
"""Of one session. A person presses no button four times a second for long."""
HEAVY = Rate(4, 0.2)
"""Diagnostics, exports, searches through the ledger's past: seconds of a core each."""
LOGINS = Rate(10, 0.5)
"""Of one address, right or wrong: each costs a third of a second of a core."""


class _Bucket(msgspec.Struct):
    tokens: float
    at_s: float


class Limiter:
    """For one thread (the page's event loop)."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, key: str, rate: Rate, now_s: float) -> float:
        """0: taken. Else how long until there is a token again."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(rate.burst, now_s)
            if len(self._buckets) > KEYS_MAX:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        bucket.tokens = min(rate.burst, bucket.tokens + (now_s - bucket.at_s) * rate.a_second)
        bucket.at_s = now_s
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / rate.a_second
        bucket.tokens -= 1
        return 0.0
