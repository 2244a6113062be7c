"""Commands: everything the core can ask for. Asked is not done: what was seen comes back as an event (DESIGN 5.7).

The runtime carries out a step's outputs in their order. `Record` never waits for the disk; whoever must wait
for it waits for the event `Stored(token)`, so the wait is a state of the machine and not of the runtime.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from edge.core.facts import AnyBody
from edge.core.orders_money import QuoteTold


class Command(msgspec.Struct, frozen=True):
    """Base of all outputs of a step."""

    lane: str = ""


class Record(Command, frozen=True, kw_only=True):
    """Keep this fact. `token` > 0: tell `Stored(token)` when it is durable. `urgent`: somebody waits, commit now."""

    id: str
    body: AnyBody
    token: int = 0
    urgent: bool = False


class RaiseArm(Command, frozen=True):
    """Pulse OPEN. Never together with CLOSE."""


class LowerArm(Command, frozen=True):
    """Pulse CLOSE. Only the lane machine's interlock may ask for it."""


class StopArm(Command, frozen=True):
    """Pulse STOP."""


class Show(Command, frozen=True):
    """What the sign shows."""

    zh: str = ""
    en: str = ""


class TriggerCamera(Command, frozen=True):
    """Ask the lane's camera for a read: the car stands there and none came, or a person opens without a car."""

    why: Literal["no_read", "order"] = "no_read"


class Answer(Command, frozen=True):
    """The answer to a `Commanded` event; a repeated command id gets the first answer again."""

    command_id: str = ""
    ok: bool = False
    zh: str = ""
    en: str = ""
    reason: str = ""  # a word of `orders_flow.REASONS` or `orders_money.MONEY_REASONS`; "" when all went as asked
    rest: int = -1  # booking orders: stalls that can still be booked; -1 = not told
    quote: QuoteTold | None = None  # `quote` and `scan`: the order to pay


class Note(Command, frozen=True):
    """One line for whoever watches (`parkbox sim` prints it, the journal keeps it): not a fact, not a promise."""

    level: Literal["info", "warning"] = "info"
    text: str = ""


AnyCommand = Record | RaiseArm | LowerArm | StopArm | Show | TriggerCamera | Answer | Note
