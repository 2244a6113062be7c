"""City: what the delivery engine must know of one, and nothing more. Each city's `city.py` makes one of these.

Another city plugs in here: its conversation (`Talk`), its transport (`Poster`), its mapping (`FactMapper`), its table
of message classes with what makes the messages (`Maker`), and its policy of sending.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from edge.cities.classes import MessageClass, Sending
from edge.cities.times import Times
from edge.cities.verdict import Answer, Verdict
from edge.core.facts import Fact
from edge.ports import Delivery


class Request(Protocol):
    """Ready to be sent as it is."""

    @property
    def path(self) -> str: ...

    @property
    def body(self) -> bytes: ...

    @property
    def headers(self) -> dict[str, str]: ...


class Encodable(Protocol):
    """A message that is told of the site."""

    def encode(self) -> bytes: ...


Things = Sequence[tuple[str, Encodable]]
Maker = Callable[[int], Things | None]
"""Told the wall ms: each thing's id and message. None: nobody knows now. Called on the engine's thread."""


class Talk(Protocol):
    """A conversation: pure, told the time. Its requests come back to it with their answers."""

    def needs_login(self, now_s: float) -> bool: ...

    def login(self, wall_ms: int) -> Any: ...

    def logged_in(self, request: Any, answer: Answer, now_s: float) -> Verdict:
        """accepted; or relogin: ask `login` once more, it says something else now; or link."""

    def logout(self, wall_ms: int) -> Any | None: ...

    def batch(self, kind: str, records: Sequence[tuple[str, bytes]], wall_ms: int) -> Any: ...

    def token_refused(self, request: Any) -> None: ...

    def judged_each(self, request: Any, answer: Answer) -> list[Verdict]: ...


class Poster(Protocol):
    """What `http.HttpTransport` is; raises `TransportFault`."""

    def post(self, request: Any) -> Answer:
        """`request`: what the conversation made, a `Request`."""

    def abort(self) -> None: ...

    def close(self) -> None: ...

    def farewell(self, request: Any) -> Answer:
        """One last request after `abort`, within a short time."""


class FactMapper(Protocol):
    """Facts in the ledger's order to rows; None: held. Making a fact again gives the same rows."""

    def make(self, fact: Fact, times: Times) -> list[Delivery] | None: ...


class Counts(NamedTuple):
    total: int
    parked: int
    booked: int


class City(NamedTuple):
    """See the module."""

    name: str
    """As in `Delivery.city`."""
    talk: Talk
    transport: Poster
    mapper: FactMapper
    classes: Sequence[MessageClass]
    """In the order of sending."""
    makers: Mapping[str, Maker]
    """By kind; a class without a maker is not sent."""
    sending: Sending
    records_after: Sequence[str]
    """Kinds that the city must know before any record."""
    rest_max_s: float
    live_s: float
    """Online means that the city took something within this."""
    rest_base_s: float = 1.0
