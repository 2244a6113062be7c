"""The page's questions about money (`web.desk_money.MoneyDesk`): the lane program's own fold answers, the ledger tells
the story of an order."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from edge.agent.money_story import told
from edge.agent.past import SLACK_MS, Clockwork
from edge.ask_lane import ask_lane
from edge.core.facts import Decided, Fact, Passed
from edge.core.facts_flow import Vehicle
from edge.core.facts_money import TariffSet
from edge.core.money_seen import ROWS_MAX, CardRows, ExitDesk, ListRows, MoneyOrders, Price, TariffRow, Tariffs
from edge.core.tariff_book import LOCAL
from edge.store.errors import StoreError
from edge.store.history import LedgerHistory
from edge.web.api_money import TryTariff
from edge.web.api_views import OrderStory
from edge.web.desk import RefusedError
from edge.web.span import Span

T = TypeVar("T")

OF_ORDER = (
    "Quoted", "Decided", "Paid", "PaymentNoticed", "DeductionAsked", "DeductionFailed", "Owed", "RefundDue", "Refunded",
)  # fmt: skip
OF_VISIT = ("Passed", "Quoted")
FACTS_MAX = 200
"""Of one story."""
WINDOWS_MAX = 20
"""Parts of the ledger looked through for one story: a million facts."""


class AgentMoney:
    def __init__(self, socket: Path, ledger: LedgerHistory) -> None:
        self._socket, self._ledger = socket, ledger

    def exit_desk(self) -> ExitDesk:
        return self._ask(ExitDesk, what="desk")

    def orders(self, span: Span, before: str, limit: int) -> MoneyOrders:
        asked = msgspec.to_builtins(span)
        return self._ask(MoneyOrders, what="orders", before=before, limit=min(limit, ROWS_MAX), **asked)

    def tariffs(self) -> Tariffs:
        return self._ask(Tariffs, what="tariffs")

    def price(self, version: str, vehicle: Vehicle, began_ms: int, until_ms: int) -> Price:
        given = {"version": version, "vehicle": vehicle, "began_ms": began_ms, "until_ms": until_ms}
        return self._ask(Price, what="price", **given)

    def try_tariff(self, tried: TryTariff) -> Price:
        return self._ask(Price, what="price", **msgspec.to_builtins(tried))

    def own_tariff(self) -> tuple[TariffRow, int] | None:
        """The version of the box's own that a person has put in force, and when (UTC ms, 0 = not known). None: the
        configuration's holds."""
        row = next((row for row in self.tariffs().rows if row.tariff_id == LOCAL and row.in_force and row.who), None)
        if row is None:
            return None
        try:
            facts, _ = self._naming(LOCAL, ("TariffSet",), 0)
            clockwork = Clockwork(self._ledger)
        except StoreError:
            return row, 0  # the ledger's own fault says so
        own = (fact for fact in facts if isinstance(fact.body, TariffSet) and fact.body.tariff_id == LOCAL)
        newest = max(own, key=lambda fact: fact.seq, default=None)
        return row, 0 if newest is None else clockwork.at(newest.stamp)[0]

    def cards(self, plate: str, limit: int) -> CardRows:
        return self._ask(CardRows, what="cards", plate=plate, limit=min(limit, ROWS_MAX))

    def lists(self, plate: str, limit: int) -> ListRows:
        return self._ask(ListRows, what="lists", plate=plate, limit=min(limit, ROWS_MAX))

    def story(self, order_id: str) -> OrderStory:
        rows = self._ask(MoneyOrders, what="orders", order_id=order_id).rows
        if not rows:
            raise RefusedError("not_found", "没有这个订单, 或已太久", "there is no such order, or it is too long ago")
        (order,) = rows
        try:
            facts, whole = self._facts(order.order_id, order.visit_id, order.entered_ms)
            clockwork = Clockwork(self._ledger)
        except StoreError as error:
            raise RefusedError(
                "storage", f"数据不可用: {error.kind}", f"the data cannot be used: {error.kind}", 5
            ) from error
        visits = [fact.seq for fact in facts if isinstance(fact.body, Passed)]
        steps = tuple(step for fact in facts if (step := told(fact, order.order_id, clockwork)) is not None)
        return OrderStory(order, visits[0] if visits else 0, steps, whole)

    def _facts(self, order_id: str, visit_id: str, entered_ms: int) -> tuple[list[Fact], bool]:
        """All that name the order, its visit's passages and other orders, and its car's backing out; oldest first, and
        whether none was left out."""
        first = self._ledger.seq_at(entered_ms - SLACK_MS) if entered_ms else 0
        found, whole = self._naming(order_id, OF_ORDER, first)
        if visit_id:
            more, all_of_them = self._naming(visit_id, OF_VISIT, first)
            # The entry's own id is the visit's: no body names it.
            entry = self._ledger.find(first, "Passed", fact_id=visit_id)
            found, whole = found + more + ([] if entry is None else [entry]), whole and all_of_them
        arrivals = {fact.body.arrival_id for fact in found if isinstance(fact.body, Decided)}
        for arrival_id in arrivals:
            found += self._naming(arrival_id, ("BackedOut",), first)[0]
        return sorted({fact.seq: fact for fact in found}.values(), key=lambda fact: fact.seq), whole

    def _naming(self, text: str, kinds: tuple[str, ...], first: int) -> tuple[list[Fact], bool]:
        found: list[Fact] = []
        before = 0
        for _ in range(WINDOWS_MAX):
            facts, before = self._ledger.newest_before(before, kinds, FACTS_MAX, text=text, not_before_seq=first)
            found += facts
            if not before or len(found) >= FACTS_MAX:
                break
        return found, not before

    def _ask(self, kind: type[T], **given: Any) -> T:
        answer = ask_lane(self._socket, {"op": "money", "order": given})
        if not answer.ok or answer.money is None:
            raise RefusedError("bad_request", answer.zh, answer.en)
        return msgspec.convert(answer.money, kind)
