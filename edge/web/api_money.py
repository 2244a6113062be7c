"""What a person orders of money: cards and lists of the box's own, a version of its tariff, money given back.

What a city made is changed at the city. Days are those of the lot (China), both included; instants are UTC ms.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edge.core.facts_flow import Vehicle
from edge.web.api import Body, Order

Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Known = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x20\x7f]*$")]
"""An id as the box told it."""
Param = Annotated[str, Meta(min_length=1, max_length=8_000)]
"""A tariff in the form `parkbox-1` (`edge.core.tariff_param`)."""
Instant = Annotated[int, Meta(ge=0, le=2**53)]


class CardAdd(Order, frozen=True, kw_only=True):
    """A new card. `plates`: one or more, with blanks or commas between; `places`: so many may stand on it at once."""

    plates: Annotated[str, Meta(min_length=1, max_length=200)]
    places: Annotated[int, Meta(ge=1, le=100)]
    from_day: Day
    until_day: Day


class CardExtend(Order, frozen=True, kw_only=True):
    """The card's new last day."""

    card_id: Known
    until_day: Day


class CardCancel(Order, frozen=True, kw_only=True):
    card_id: Known


class ListAdd(Order, frozen=True, kw_only=True):
    """black is not let in, grey is told of, white passes free."""

    plate: Annotated[str, Meta(min_length=1, max_length=20)]
    list_kind: Literal["black", "grey", "white"]
    from_day: Day
    until_day: Day


class ListRemove(Order, frozen=True, kw_only=True):
    entry_id: Known


class TariffVersion(Order, frozen=True, kw_only=True):
    """A new version of the box's own tariff, for cars that come from now on; it holds until the next version, or until
    the configuration says another tariff than it did."""

    param: Param
    leave_min: Annotated[int, Meta(ge=0, le=1440)]
    confirmed: bool = False
    """The person has read what is strange about it (`ActionResult.ask`) and wants it all the same."""


class Refund(Order, frozen=True, kw_only=True):
    """So much of an order was given back."""

    order_id: Known
    amount_fen: Annotated[int, Meta(ge=1, le=10_000_000)]


class TryTariff(Body, frozen=True, kw_only=True):
    """What a visit would cost by a tariff that is not in force."""

    param: Param
    vehicle: Vehicle = ""
    began_ms: Instant
    until_ms: Instant
