"""Every payment is settled once: what drivers paid by phone and what the city deducted, against the ledger.

Of each order: one `Paid` at the most, and the money that the box was told of is what it booked online and what it named
to be given back, to the fen. A payment whose notice was lost, and that cash overtook, the box cannot know of; one whose
notices it could not take (its lane program was away) it may have learned of by asking, or not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from hal_sim.ledger_view import FactRow
from hal_sim.qingdao.phones import Payment


def settled_wrong(facts: Sequence[FactRow], payments: Sequence[Payment], deducted: Sequence[str]) -> list[str]:
    """A sentence for each order that is not. `deducted`: orders whose money the city took by itself."""
    paid: Counter[str] = Counter()
    booked: dict[str, int] = defaultdict(int)
    heard: set[str] = set()
    for fact in facts:
        order_no = str(fact.body.get("order_id", ""))
        if fact.kind == "Paid":
            paid[order_no] += 1
            if fact.body["method"] in ("online", "seamless"):
                booked[order_no] += int(fact.body["paid_fen"])
        elif fact.kind == "RefundDue":
            booked[order_no] += int(fact.body["amount_fen"])
        elif fact.kind == "PaymentNoticed":
            heard.add(order_no)
    least: dict[str, int] = defaultdict(int)
    most: dict[str, int] = defaultdict(int)
    for payment in payments:
        sure = payment.taken or (payment.sent is None and payment.order_no in heard)
        least[payment.order_no] += payment.fen if sure else 0
        most[payment.order_no] += payment.fen if sure or payment.order_no in heard else 0
    wrong = [f"order {order_no} was paid {count} times" for order_no, count in paid.items() if order_no and count > 1]
    wrong += [
        f"order {order_no}: drivers paid {least[order_no]} to {fen} fen, booked or to be given back {booked[order_no]}"
        for order_no, fen in most.items() if not least[order_no] <= booked[order_no] <= fen
    ]
    wrong += [
        f"order {order_no}: {fen} fen booked that nobody paid"
        for order_no, fen in booked.items() if order_no not in most and order_no not in deducted
    ]  # fmt: skip
    return wrong
