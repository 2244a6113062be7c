"""Events: everything the core can be told. A device's word, a person's order, the ledger's answer, the time.

An event is not yet a fact: the core decides what of it is kept. `None` for a loop or a limit switch means that
nobody knows (device silent); the core treats an unknown safety loop as occupied (DESIGN 5, invariant 1).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from edge.core.orders_flow import AnyFlowOrder
from edge.core.orders_money import AnyMoneyOrder


class Event(msgspec.Struct, frozen=True):
    """Base of all events. `lane` "" concerns the whole box."""

    lane: str = ""


class LoopChanged(Event, frozen=True):
    """An inductive loop after debounce."""

    loop: Literal["arrival", "safety"] = "arrival"
    occupied: bool | None = None


class LimitChanged(Event, frozen=True):
    """A limit switch of the arm: `active` means that the arm is in that end position."""

    end: Literal["up", "down"] = "up"
    active: bool | None = None


class PlateRead(Event, frozen=True):
    """One camera event, already parsed and bounded. `read_id` is ours; `event_id` the camera's own."""

    read_id: str = ""
    camera: str = ""
    event_id: str = ""
    plate_raw: str = ""
    no_plate: bool = False  # the camera says: a car, but no plate or unreadable
    colour: str = "unknown"
    confidence_pct: int = -1
    plate_width_px: int = -1
    camera_time_ms: int = -1
    picture: bool = False
    replay: bool = False


class PictureSpooled(Event, frozen=True):
    """The picture of a read is durable in the spool."""

    read_id: str = ""
    spool: str = ""
    offset: int = 0
    length: int = 0
    crc32: int = 0


class Stored(Event, frozen=True):
    """The facts recorded under `token` are durable."""

    token: int = 0


class Commanded(Event, frozen=True, kw_only=True):
    """An order of a person or the city. `age_s` is how old it was when it reached the lane program."""

    command_id: str = ""
    action: Literal[
        "open", "close", "hold_open", "release", "lock", "unlock", "let_in", "pay_cash", "pay_free",
        "correct_plate", "correct_count", "acknowledge_fault", "test_relay",
    ]
    """Never a default: an order that does not say what it wants wants nothing."""
    source: Literal["operator", "city"] = "operator"
    who: str = ""
    why: str = ""
    age_s: float = 0.0
    arrival_id: str = ""
    """The car that is meant, as the view showed it. An order for the car at the arm names it (`CAR_ORDERS`)."""
    seen_plate: str | None = None
    """The plate that stood in that view, "" = not read. None: not told."""
    plate: str = ""
    visit_id: str = ""
    order_id: str = ""
    amount_fen: int = -1
    count: int = -1
    fault: str = ""
    relay: Literal["", "open", "close", "stop"] = ""


CAR_ORDERS = frozenset({"let_in", "pay_cash", "pay_free", "correct_plate"})
"""They mean the car that stands there and not the lane: between the look and the press another one may have come."""


class Emergency(Event, frozen=True):
    """The emergency input (fire alarm, 消防联动): always wins, all lanes of the box."""

    active: bool = False


class DeviceDown(Event, frozen=True):
    """A device cannot work: `code` of the fault catalogue, `device` as the config names it."""

    code: str = ""
    device: str = ""
    detail: str = ""


class DeviceUp(Event, frozen=True):
    code: str = ""
    device: str = ""


class ClockChanged(Event, frozen=True):
    """The wall clock became true for the first time in this boot, or stepped by `step_ms` later."""

    first: bool = False
    offset_ms: int = 0
    step_ms: int = 0


class Tick(Event, frozen=True):
    """Nothing happened; a deadline may be due."""


AnyEvent = (
    LoopChanged | LimitChanged | PlateRead | PictureSpooled | Stored | Commanded | Emergency
    | DeviceDown | DeviceUp | ClockChanged | Tick | AnyFlowOrder | AnyMoneyOrder
)
