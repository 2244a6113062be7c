"""What a person may see of money, as the lane program tells it: the types of question and answers (`money_look`).

Read-only and bounded. Instants are UTC ms, 0 = not known; money is integer fen.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.core.facts_flow import Strategy, Vehicle
from edge.core.facts_money import ShareHours

ROWS_MAX = 100

State = Literal["quoted", "waiting", "paid", "grace", "overtime", "owed", "closed", "refunded"]
"""`core.order_table.Order`."""


class MoneyAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question. `plate`: the plate or a part of it, "" = all; `began_ms`, `until_ms`: the visit to be priced."""

    what: Literal["desk", "orders", "tariffs", "price", "cards", "lists"]
    plate: Annotated[str, Meta(max_length=20)] = ""
    order_id: Annotated[str, Meta(max_length=64)] = ""
    from_ms: Annotated[int, Meta(ge=0, le=2**53)] = 0
    to_ms: Annotated[int, Meta(ge=0, le=2**53)] = 2**53
    before: Annotated[str, Meta(max_length=64)] = ""
    """Orders older than this one, that were paid, or last made out, from `from_ms` on and before `to_ms`."""
    version: Annotated[str, Meta(max_length=64)] = ""
    param: Annotated[str, Meta(max_length=20_000)] = ""
    """A tariff that is only tried (`tariff_param`), in place of a version."""
    vehicle: Vehicle = ""
    began_ms: Annotated[int, Meta(ge=0, le=2**53)] = 0
    until_ms: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Annotated[int, Meta(ge=1, le=ROWS_MAX)] = ROWS_MAX


class AskRefused(Exception):
    """The question cannot be answered: why, in words."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


# --- the exit desk -------------------------------------------------------------------------------------------------


class TakenOff(msgspec.Struct, frozen=True):
    coupon_no: str
    saved_fen: int


class CarAtArm(msgspec.Struct, frozen=True, kw_only=True):
    """The car that stands at an exit. `pay_fen` = `due_fen` - `discount_fen` of this order alone; `owed_fen` is what is
    left of it now. `why_*`: what its bill rests on, "" where none was made out (no entry is known, or it passes free).
    """

    arrival_id: str
    plate: str
    read_id: str
    visit_id: str
    order_id: str
    state: State | Literal[""]
    """Of its order, "" without one."""
    method: str
    """How that was paid, "free" by nothing; "" as long as it is not."""
    entered_ms: int
    entry_lane: str
    parked_ms: int
    due_fen: int
    discount_fen: int
    pay_fen: int
    owed_fen: int
    settled_fen: int
    """What earlier orders of the visit settled."""
    overtime: bool
    why: str
    why_zh: str
    why_en: str
    rest_min: int
    """Left of the free time or of the time to leave."""
    tariff_zh: str
    tariff_en: str
    coupons: tuple[TakenOff, ...]
    pays: Literal["", "before", "after"]
    """Seamlessly: taken before or after the exit."""


class ExitLane(msgspec.Struct, frozen=True, kw_only=True):
    lane: str
    state: str
    zh: str
    en: str
    """What the lane says of the car: why it waits or goes."""
    car: CarAtArm | None


class ExitDesk(msgspec.Struct, frozen=True):
    exits: tuple[ExitLane, ...]
    city_away: bool
    """No payment of any city can come just now."""


# --- orders --------------------------------------------------------------------------------------------------------


class MoneyOrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order to pay. `billed_ms`: when it was last made out."""

    order_id: str
    visit_id: str
    plate: str
    state: State
    lane: str
    entered_ms: int
    billed_ms: int
    parked_ms: int
    due_fen: int
    discount_fen: int
    pay_fen: int
    overtime: bool
    paid_fen: int
    """-1: nothing was paid yet."""
    method: str
    paid_ms: int
    refund_due_fen: int
    """Taken without a debt and not given back yet."""
    refunded_fen: int
    refundable_fen: int
    """What can still be given back of all that was taken."""


class MoneyOrders(msgspec.Struct, frozen=True):
    """The newest first. `more`: there are older ones that were not looked at, or not told; the last row's id as
    `before` asks for them."""

    rows: tuple[MoneyOrderRow, ...]
    more: bool


# --- tariffs -------------------------------------------------------------------------------------------------------


class TariffRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a tariff. Not in force: deleted or changed, and a car that came under it is still inside."""

    version: str
    tariff_id: str
    name: str
    car_type: str
    city: str
    in_force: bool
    cars: int
    """Inside, that came under it."""
    leave_min: int
    zh: str
    en: str
    param: str
    """The same as `edge.core.tariff_param` reads it."""
    who: str
    """The person who set it, "" = the configuration or a city."""


class Tariffs(msgspec.Struct, frozen=True):
    rows: tuple[TariffRow, ...]


class PriceStep(msgspec.Struct, frozen=True):
    """All steps together are the fee; what a cap takes off is negative."""

    zh: str
    en: str
    fen: int


class Price(msgspec.Struct, frozen=True):
    fen: int
    parked_ms: int
    steps: tuple[PriceStep, ...]


# --- cards and lists -----------------------------------------------------------------------------------------------


class CardRow(msgspec.Struct, frozen=True, kw_only=True):
    card_id: str
    plates: tuple[str, ...]
    places: int
    taken: int
    """Of its cars, that stand on it now."""
    from_ms: int
    until_ms: int
    standing: Literal["valid", "suspended", "not_yet", "expired", "hours", "full", "none"]
    """What it is worth to a car that comes now."""
    hours: tuple[ShareHours, ...]
    plan: str
    expired: Literal["temporary", "refuse", "keep_in"]
    full: Literal["temporary", "refuse"]
    city: str


class CardRows(msgspec.Struct, frozen=True):
    """`all`: how many cards there are. `more`: some were not looked at, or not told."""

    rows: tuple[CardRow, ...]
    all: int
    more: bool


class ListRow(msgspec.Struct, frozen=True, kw_only=True):
    """`origin` "config": of the box's own lists, for ever."""

    entry_id: str
    plate: str
    strategy: Strategy
    from_ms: int
    until_ms: int
    in_force: bool
    origin: str
    city: str


class ListRows(msgspec.Struct, frozen=True):
    rows: tuple[ListRow, ...]
    all: int
    more: bool


Seen = ExitDesk | MoneyOrders | Tariffs | Price | CardRows | ListRows
