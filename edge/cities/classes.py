"""Message classes: how long each kind of message is kept, and when it is sent. Each city has a table of them.

    record   made from a fact, kept in the queue until the city accepts it or it is set aside; never dropped
    state    how things are now: sent at its cadence, whatever became of the last one; a failed one is dropped,
             because the next says it better
    master   what a thing is: at start, on change and at its cadence; the newest of each thing counts; repeated
             after `retry_s`, `retries` times, then a fault says so and it waits for its next turn

A box's things change only by its config, which is read at start: so "at start" is "on change".
"""

from __future__ import annotations

from typing import Literal

import msgspec

Policy = Literal["record", "state", "master"]


class MessageClass(msgspec.Struct, frozen=True):
    kind: str
    policy: Policy
    every_s: float = 0.0
    """Its cadence; 0 for records, which go at once."""
    after: str = ""
    """The kind that the city must know before."""
    of_told: bool = False
    """Only of things that the city took under `after`: of others it would be refused."""
    on_change: bool = False
    """A state that is also sent when it is another one than was told."""


class Sending(msgspec.Struct, frozen=True):
    """How records go to one city."""

    batch: int
    """Most records of the backlog in one request; a live one, and one that failed before, goes alone."""
    batch_bytes: int
    retry_s: float
    """A record that was sent and not taken goes again after this..."""
    retries: int
    """...so often, then it is set aside."""
    max_age_s: float | None = None
    """A record older than this is set aside and not sent; None: it is sent however old."""
    backlog_per_s: float = 0.0
    """Most records of the backlog in a second; 0: as fast as the city answers."""
