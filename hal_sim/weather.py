"""Bad weather at a simulated city: what goes wrong with which requests, switched while it runs.

A spell names its kind, the path it strikes ("" = every path), how probable it is per request, and after how
many strikes it ends. The first spell that fits a request strikes it. Which kinds there are is the city's matter.
"""

from __future__ import annotations

import random
import selectors
import socket
import threading
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import Generic, TypeVar

KindT = TypeVar("KindT", bound=str)


@dataclass(frozen=True, slots=True)
class Spell(Generic[KindT]):
    kind: KindT
    path: str = ""
    probability: float = 1.0
    times: int | None = None  # None = until cleared

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability: {self.probability} 须在 0 (不含) 到 1, must be above 0 and at most 1")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times: {self.times} 须不小于 1 或不设, must be at least 1 or left out")


class Weather(Generic[KindT]):
    """The spells in force. Safe for every thread."""

    def __init__(self, rng: random.Random, kinds: tuple[KindT, ...]) -> None:
        self._rng, self.kinds = rng, kinds
        self._changed = threading.Condition()
        self._spells: list[Spell[KindT]] = []
        self._left: list[int | None] = []
        self._struck: Counter[str] = Counter()
        self._holds: set[socket.socket] = set()
        self.drip_s = 0.5
        """Pause between two bytes of a slow answer: a usual answer then takes longer than the 20 s of B.2."""

    def set(self, kind: KindT, *, path: str = "", probability: float = 1.0, times: int | None = None) -> None:
        """This spell and no other."""
        spell = self._spell(kind, path, probability, times)
        with self._changed:
            self._spells, self._left = [spell], [times]

    def add(self, kind: KindT, *, path: str = "", probability: float = 1.0, times: int | None = None) -> None:
        """One more spell behind those in force."""
        spell = self._spell(kind, path, probability, times)
        with self._changed:
            self._spells.append(spell)
            self._left.append(times)

    def _spell(self, kind: KindT, path: str, probability: float, times: int | None) -> Spell[KindT]:
        if kind not in self.kinds:
            raise ValueError(f"kind: {kind!r} 不是已知天气, is none of: {', '.join(self.kinds)}")
        return Spell(kind, path, probability, times)

    def clear(self) -> None:
        """Fair weather; what hangs is let go."""
        with self._changed:
            self._spells, self._left = [], []
        self.release()

    def strike(self, path: str, among: Container[str] | None = None) -> KindT | None:
        """The weather of one request. `among`: the kinds that can happen to it (None: all)."""
        with self._changed:
            for number, spell in enumerate(self._spells):
                if spell.path not in ("", path) or self._left[number] == 0:
                    continue
                if among is not None and spell.kind not in among:
                    continue
                if spell.probability < 1 and self._rng.random() >= spell.probability:
                    continue
                left = self._left[number]
                self._left[number] = None if left is None else left - 1
                self._struck[spell.kind] += 1
                return spell.kind
        return None

    def in_force(self) -> list[Spell[KindT]]:
        with self._changed:
            return [spell for spell, left in zip(self._spells, self._left, strict=True) if left != 0]

    def struck(self) -> dict[str, int]:
        """How often each kind struck."""
        with self._changed:
            return dict(self._struck)

    def release(self) -> None:
        """Let go every request that hangs now."""
        with self._changed:
            for wake in self._holds:
                wake.shutdown(socket.SHUT_RDWR)

    def hold(self, client: socket.socket) -> bool:
        """Hold a request: True when it is released, False when its client leaves."""
        here, wake = socket.socketpair()
        with self._changed:
            self._holds.add(wake)
            self._changed.notify_all()
        try:
            return _first_to_speak(here, client)
        finally:
            with self._changed:
                self._holds.discard(wake)
                self._changed.notify_all()
            here.close()
            wake.close()

    @property
    def hanging(self) -> int:
        with self._changed:
            return len(self._holds)

    def wait_hanging(self, number: int, timeout_s: float) -> bool:
        """Wait until exactly so many requests hang; False if they do not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._holds) == number, timeout_s)


def _first_to_speak(released: socket.socket, client: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(released, selectors.EVENT_READ)
        selector.register(client, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if released in ready:
                return True
            if _has_left(client):
                return False
            selector.unregister(client)  # it sent more instead of leaving: that can wait


def _has_left(client: socket.socket) -> bool:
    try:
        return client.recv(1, socket.MSG_PEEK) == b""
    except ConnectionError:
        return True
