"""What the page asks of money. The composition root brings it, as it does `web.desk.Desk`; the types are the core's."""

from __future__ import annotations

from typing import Protocol

from edge.core.facts_flow import Vehicle
from edge.core.money_seen import CardRows, ExitDesk, ListRows, MoneyOrders, Price, Tariffs
from edge.web.api_money import TryTariff
from edge.web.api_views import OrderStory
from edge.web.span import Span


class MoneyDesk(Protocol):
    """Every call may raise `web.desk.RefusedError`. `plate`: the plate or a part of it, "" is any."""

    def exit_desk(self) -> ExitDesk: ...

    def orders(self, span: Span, before: str, limit: int) -> MoneyOrders:
        """Older than the order `before`, "" = from the newest. By when an order was paid, or last made out."""

    def story(self, order_id: str) -> OrderStory: ...

    def tariffs(self) -> Tariffs: ...

    def price(self, version: str, vehicle: Vehicle, began_ms: int, until_ms: int) -> Price: ...

    def try_tariff(self, tried: TryTariff) -> Price: ...

    def cards(self, plate: str, limit: int) -> CardRows: ...

    def lists(self, plate: str, limit: int) -> ListRows: ...
