"""What the page reads of the box beside the live state: passages, one visit, the day's curve, the machine, devices.

Times are wall-clock milliseconds since 1970 UTC; 0 means unknown. Read-only; every list is bounded.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from edge.core.money_seen import MoneyOrderRow
from edge.web.api import CommissionForm


class PassageRow(msgspec.Struct, frozen=True):
    """One vehicle through the arm."""

    seq: int
    """Its place in the ledger: GET /api/visit?seq= tells all about it."""
    at_ms: int
    clock_true: bool
    lane: str
    direction: Literal["in", "out"]
    plate: str
    colour: str
    admitted: bool
    how: str
    rule: str
    visit_id: str
    read_id: str
    """"" unless there was a read."""
    due_fen: int
    paid_fen: int
    discount_fen: int
    corrected_from: str


class Passages(msgspec.Struct, frozen=True):
    rows: tuple[PassageRow, ...]
    next_before_seq: int
    """Ask again with it for older ones; 0: there are none. A search may answer no rows and still have older ones:
    one request looks through a bounded part of the ledger."""


class TimelineRow(msgspec.Struct, frozen=True):
    at_ms: int
    clock_true: bool
    kind: Literal[
        "read", "decision", "picture", "order", "arm", "passage", "backed_out", "payment", "money", "correction",
        "delivery",
    ]  # fmt: skip
    lane: str
    zh: str
    en: str
    ok: bool = True
    """False: refused, failed, set aside."""
    rule: str = ""
    rule_zh: str = ""
    rule_en: str = ""
    read_id: str = ""
    """Its picture is /picture/<read_id>.jpg when `picture`."""
    picture: bool = False
    who: str = ""
    why: str = ""
    answer: str = ""
    """Deliveries: the city's last answer."""
    delivery_id: int = 0


class Visit(msgspec.Struct, frozen=True):
    """From the first read to the last answer of a city."""

    visit_id: str
    plate: str
    inside: bool
    entered_ms: int
    left_ms: int
    due_fen: int
    paid_fen: int
    discount_fen: int
    rows: tuple[TimelineRow, ...]


class StoryStep(msgspec.Struct, frozen=True):
    """One thing that happened to an order to pay."""

    at_ms: int
    clock_true: bool
    kind: Literal[
        "quoted", "decided", "paid", "noticed", "deduction", "owed", "overtime", "refund_due", "refunded", "passed",
        "backed_out",
    ]  # fmt: skip
    lane: str
    zh: str
    en: str
    fen: int = -1
    """The sum that it is about, -1: none."""
    ok: bool = True
    """False: refused, failed, or money that is still to go somewhere."""
    who: str = ""
    why: str = ""


class OrderStory(msgspec.Struct, frozen=True):
    """One order to pay, from its first quote on, oldest first."""

    order: MoneyOrderRow
    visit_seq: int
    """GET /api/visit?seq= tells of the visit; 0: not known."""
    steps: tuple[StoryStep, ...]
    whole: bool
    """False: the ledger holds more than one request looks through."""


class CurveHour(msgspec.Struct, frozen=True):
    hour: int
    """0..23, Asia/Shanghai, of today."""
    entered: int
    left: int
    parked: int
    """At its end (now, for the present hour); -1: not known (before the box began or a person corrected the count)."""
    saturation_pct: int
    """parked / total; -1: not known."""


class Curve(msgspec.Struct, frozen=True):
    day: str
    """yyyy-mm-dd."""
    total: int
    hours: tuple[CurveHour, ...]
    """Up to the present hour."""


class Disk(msgspec.Struct, frozen=True):
    path: str
    total_bytes: int
    free_bytes: int
    device: str
    """Block device, "" if not known."""
    written_bytes: int
    """Since boot, by everything; -1: not known."""
    wear_pct: int
    """Used life as an eMMC tells it, in steps of 10; -1: the card does not tell (most SD cards do not)."""
    wear_zh: str
    wear_en: str


class ProgramRow(msgspec.Struct, frozen=True):
    name: Literal["lane", "agent"]
    version: str
    up: bool
    rss_bytes: int
    """-1: not known."""


class SystemView(msgspec.Struct, frozen=True):
    now_ms: int
    clock_true: bool
    clock_zh: str
    clock_en: str
    up_s: int
    load: float
    memory_bytes: int
    memory_free_bytes: int
    temperature_c: float
    """-273: the machine does not tell."""
    disk: Disk
    programs: tuple[ProgramRow, ...]
    versions: dict[str, str]
    supervised: bool
    """Somebody (systemd) starts a program again that ended."""


class Edge(msgspec.Struct, frozen=True):
    """One change of an input, after debounce."""

    at_ms: int
    lane: str
    input: Literal["arrival", "safety", "limit_up", "limit_down"]
    on: bool | None
    """None: nobody knows (not readable)."""


class Edges(msgspec.Struct, frozen=True):
    """The newest changes, oldest first."""

    now_ms: int
    edges: tuple[Edge, ...]


class ReadRow(msgspec.Struct, frozen=True):
    read_id: str
    at_ms: int
    plate: str
    colour: str
    confidence_pct: int
    """-1: the camera does not tell."""
    plate_width_px: int
    """-1: the camera does not tell. Under 100 the camera is to be aimed or zoomed (Qingdao B.1 rule 3)."""
    picture: bool


class CameraRow(msgspec.Struct, frozen=True):
    id: str
    lane: str
    vendor: str
    addresses: tuple[str, ...]
    reads: tuple[ReadRow, ...]
    """The newest, newest first."""


class OrderRow(msgspec.Struct, frozen=True):
    """An order as the lane recorded it."""

    seq: int
    at_ms: int
    lane: str
    action: str
    source: str
    who: str
    why: str
    ok: bool
    zh: str
    en: str
    read_id: str
    """The picture nearest to it at its lane, "" if there is none; cameras push and cannot be asked for one."""
    picture_after_s: float
    """How long after the order that picture was taken; negative: before it."""


class Orders(msgspec.Struct, frozen=True):
    rows: tuple[OrderRow, ...]
    next_before_seq: int
    """As `Passages` has it."""


class CheckItem(msgspec.Struct, frozen=True):
    """One row of the commissioning list."""

    id: str
    stage: Literal["first_boot", "lane", "pictures", "city", "handover"]
    by: Literal["box", "hand"]
    state: Literal["ok", "open", "failed"]
    zh: str
    en: str
    detail_zh: str
    """What the box sees, or what to do."""
    detail_en: str
    who: str = ""
    at_ms: int = 0
    note: str = ""


class Commissioning(msgspec.Struct, frozen=True):
    items: tuple[CheckItem, ...]
    done: int
    form: CommissionForm
    known: dict[str, str]
    """What the box knows of the form: project, stalls, brand."""
